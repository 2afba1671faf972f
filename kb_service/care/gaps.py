"""Questions without a good answer, grouped and named: what is missing, for whom, and what could be written."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graph.drafting import DraftArticle
from graph.gaps import Gap, Unanswered, gap_of, grouped
from graph.models import Problem
from graph.naming import name_problem
from graph.problem_graph import ProblemGraph
from kb_service.care.gap_answers import Asked, GapAnswers
from kb_service.care.gap_dismissal import Dismissal, dismiss, dismissals, reopen
from kb_service.care.gap_views import GapDetail, GapQuestion, GapState, GapView
from kb_service.care.unanswered import SPAN, UnansweredQuestions
from kb_service.errors import InvalidRequest, NotFound
from kb_service.exposures import ExposureLog
from kb_service.ids import digest_id
from kb_service.metrics.lately import Lately
from kb_service.models import Principal
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.store import Exposure, Page, Store, ToldGap, Unit
from kb_service.understanding.reading import Reader, nameable

MOST_COUNTED = 60
"""Gaps that are asked again to count the open ones."""
Place = tuple[int, datetime, str]
"""Where a gap stands in the list."""


@dataclass(frozen=True, slots=True)
class NamedGap:
    """A gap under its stable id. `told_at` is when it was told, whatever its id was then."""

    id: str
    gap: Gap
    told_at: datetime | None

    @property
    def place(self) -> Place:
        return self.gap.customers, self.gap.last_at, self.id


@dataclass(frozen=True, slots=True)
class Survey:
    """Every gap of a workspace at one moment, in no order, and the exposures that their questions come from."""

    gaps: tuple[NamedGap, ...]
    exposures: Mapping[str, Exposure]


@dataclass(frozen=True, slots=True)
class AskedAfter:
    """When questions of one gap, and those of all `others`, got no good answer; one a customer and day."""

    own: tuple[datetime, ...]
    others: tuple[datetime, ...]


class Gaps:
    """The gaps of every workspace: made anew from its questions whenever somebody looks."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        reader: Reader,
        exposures: ExposureLog,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._exposures = exposures
        self._clock = clock
        self._reads = reader.reads
        self._questions = UnansweredQuestions(reader)
        self.answers = GapAnswers(self._questions)
        self._groups: dict[str, _Groups] = {}
        self._lately: Lately[_Listed] = Lately(clock)
        self._counted: Lately[_Counted] = Lately(clock)
        self._decided: Counter[str] = Counter()
        """How often somebody dismissed or reopened a gap, or was erased, by workspace."""

    # --- looking

    def page(
        self,
        workspace: str,
        cursor: str | None,
        limit: int,
        *,
        since: datetime | None = None,
        language: str | None = None,
        state: GapState | None = None,
    ) -> Page[GapView]:
        """Gaps asked about since a moment and in a language, those of most customers first, then the latest.

        Dismissed ones are neither open nor answered.

        Only the gaps of the page are asked again: a page may hold fewer than `limit` where a state is asked for.
        """
        self._exposures.flush()
        replica = self._replicas.settled(workspace)
        after = _decoded(cursor) if cursor is not None else None
        now = self._clock()
        with self._store.reading(workspace) as unit:
            survey = self.survey(unit, replica, now)
            dismissed = dismissals(unit, unit.gaps.since(now - SPAN))
            wanted = [
                item
                for item in survey.gaps
                if (since is None or item.gap.last_at >= since)
                and (language is None or language in item.gap.languages)
                and (state is None or (item.id in dismissed) == (state == "dismissed"))
                and (after is None or item.place < after)
            ]
            shown = sorted(wanted, key=lambda item: item.place, reverse=True)[:limit]
            views = self._views(unit, replica, shown, survey.exposures, now, dismissed)
        kept = [view for view in views if state in (None, view.state)]
        return Page(tuple(kept), _encoded(shown[-1].place) if len(wanted) > limit else None)

    def lately(
        self,
        workspace: str,
        cursor: str | None,
        limit: int,
        *,
        days: int | None,
        language: str | None,
        state: GapState | None,
    ) -> tuple[Page[GapView], datetime]:
        """`page` of the gaps asked about within some days, and of when it is: where asking all of them again takes
        longer than anybody waits, as it was found before. Never of before a decision, nor of before an erasure."""
        self._exposures.flush()
        replica = self._replicas.settled(workspace)
        graph, decided = replica.graph, self._decided[workspace]
        with self._store.reading(workspace) as unit:
            mark = unit.changes.position(), unit.exposures.latest_id(), unit.feedback.latest_id()

        def made() -> _Listed:
            now = self._clock()
            since = now - timedelta(days=days) if days is not None else None
            page = self.page(workspace, cursor, limit, since=since, language=language, state=state)
            return _Listed(page, now, graph, decided)

        found = self._lately.of(
            (workspace, cursor, limit, days, language, state),
            made,
            mark,
            usable=lambda listed: listed.graph is graph and listed.decided == decided,
        )
        return found.page, found.at

    def counts(
        self, workspace: str, *, days: int | None, language: str | None
    ) -> Mapping[GapState, int | None]:
        """How many gaps asked about within some days are in each state, as it was found within the last minute.

        Whether a gap is open or answered is known once it is asked again: None where more than `MOST_COUNTED` wait.
        """
        self._exposures.flush()
        replica = self._replicas.settled(workspace)
        graph, decided = replica.graph, self._decided[workspace]
        with self._store.reading(workspace) as unit:
            mark = unit.changes.position(), unit.exposures.latest_id(), unit.feedback.latest_id()

        def made() -> _Counted:
            since = self._clock() - timedelta(days=days) if days is not None else None
            return _Counted(self._count(workspace, replica, since, language), graph, decided)

        return self._counted.of(
            (workspace, days, language),
            made,
            mark,
            usable=lambda counted: counted.graph is graph and counted.decided == decided,
        ).counts

    def _count(
        self, workspace: str, replica: Replica, since: datetime | None, language: str | None
    ) -> Mapping[GapState, int | None]:
        now = self._clock()
        with self._store.reading(workspace) as unit:
            survey = self.survey(unit, replica, now)
            dismissed = dismissals(unit, unit.gaps.since(now - SPAN))
            wanted = [
                item
                for item in survey.gaps
                if (since is None or item.gap.last_at >= since)
                and (language is None or language in item.gap.languages)
            ]
            undecided = [item.gap for item in wanted if item.id not in dismissed]
            gone = len(wanted) - len(undecided)
            if len(undecided) > MOST_COUNTED:
                return {"open": None, "answered": None, "dismissed": gone}
            refused = self.answers.refused(unit, undecided)
            answered = sum(
                self.answers.ask(replica, gap, survey.exposures, refused, now).answered_by is not None
                for gap in undecided
            )
        return {"open": len(undecided) - answered, "answered": answered, "dismissed": gone}

    def one(self, workspace: str, gap_id: str) -> GapDetail:
        """One gap with its questions, the latest first, and why it was dismissed, where it was. Raises NotFound."""
        self._exposures.flush()
        replica = self._replicas.settled(workspace)
        now = self._clock()
        with self._store.reading(workspace) as unit:
            survey, item = self._found(unit, replica, gap_id, now)
            dismissed = dismissals(unit, unit.gaps.since(now - SPAN))
            (view,) = self._views(unit, replica, [item], survey.exposures, now, dismissed)
            asked = [survey.exposures[question.id] for question in item.gap.questions]
            case_of = self.answers.cases_of(unit, asked)
            entry = unit.audit.latest_of(item.id) if item.id in dismissed else None
        questions = tuple(
            GapQuestion(
                question.text, question.at, question.reason, question.customer_id, case_of[question.id]
            )
            for question in reversed(item.gap.questions)
        )
        note = entry.detail.get("note") if entry is not None else None
        return GapDetail(view, questions, str(note) if note is not None else None)

    def known(self, workspace: str, gap_id: str) -> NamedGap:
        """One gap as it is now, without asking its questions again. Raises NotFound."""
        self._exposures.flush()
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            return self._found(unit, replica, gap_id, self._clock())[1]

    def asked_since(self, workspace: str, at: datetime) -> dict[str, AskedAfter]:
        """What was asked in vain in the last 90 days of each gap that was told since a moment and raised a proposal of
        its own, by that proposal; without those of which nothing is known any more."""
        self._exposures.flush()
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            rows = [_surviving(row, replica) for row in unit.gaps.since(at) if row.proposal_id is not None]
            gaps = [item.gap for item in self.survey(unit, replica, self._clock()).gaps] if rows else []
        found: dict[str, AskedAfter] = {}
        for row in rows:
            own = [question.at for gap in gaps if _shared(gap, row) for question in gap.ballots]
            others = [question.at for gap in gaps if not _shared(gap, row) for question in gap.ballots]
            if own and row.proposal_id is not None:
                found[row.proposal_id] = AskedAfter(tuple(own), tuple(others))
        return found

    # --- deciding

    def dismiss(self, caller: Principal, gap_id: str, reason: str | None) -> None:
        """No article will be written for a gap; why is kept in the audit. It is told no more. Raises NotFound."""
        self._exposures.flush()
        replica = self._replicas.settled(caller.workspace)
        now = self._clock()
        with self._store.reading(caller.workspace) as unit:
            _, item = self._found(
                unit, replica, gap_id, now
            )  # read before, so that no encoder runs while writing
        names = names_of(item.gap, replica.problems.get(item.gap.problem_id or ""))
        with self._store.writing(caller.workspace) as unit:
            dismiss(unit, gap_id, item.gap, names, caller.key_id, reason)
        self._decided[caller.workspace] += 1

    def reopen(self, caller: Principal, gap_id: str) -> None:
        """Take a dismissed gap up again. Raises Conflict for one that is not dismissed."""
        with self._store.writing(caller.workspace) as unit:
            reopen(unit, gap_id, caller.key_id)
        self._decided[caller.workspace] += 1

    def _found(self, unit: Unit, replica: Replica, gap_id: str, now: datetime) -> tuple[Survey, NamedGap]:
        survey = self.survey(unit, replica, now)
        item = next((item for item in survey.gaps if item.id == gap_id), None)
        if item is None:
            raise NotFound("There is no gap {id} in this workspace.", id=gap_id)
        return survey, item

    def forget(self, workspace: str) -> None:
        """Drop what is kept in memory of a workspace's questions, as an erasure asks."""
        self._questions.forget(workspace)
        self._groups.pop(workspace, None)
        self._decided[workspace] += 1
        for kept in (self._lately, self._counted):
            kept.forget(lambda key: isinstance(key, tuple) and key[0] == workspace)

    def _views(
        self,
        unit: Unit,
        replica: Replica,
        items: Sequence[NamedGap],
        exposures: Mapping[str, Exposure],
        now: datetime,
        dismissed: Mapping[str, Dismissal],
    ) -> list[GapView]:
        gaps = [item.gap for item in items]
        refused = self.answers.refused(unit, gaps)
        asked = [self.answers.ask(replica, gap, exposures, refused, now) for gap in gaps]
        drafts = self.answers.drafts(unit, gaps, exposures)
        return [
            self._view(replica, item, again, draft, dismissed.get(item.id))
            for item, again, draft in zip(items, asked, drafts, strict=True)
        ]

    def _view(
        self,
        replica: Replica,
        item: NamedGap,
        asked: Asked,
        drafted: tuple[DraftArticle | None, Sequence[str]],
        dismissed: Dismissal | None,
    ) -> GapView:
        draft, cases = drafted
        problem = replica.problems.get(item.gap.problem_id or "")
        return GapView(
            id=item.id,
            gap=item.gap,
            names=names_of(item.gap, problem),
            reason=asked.reason,
            problem=problem,
            cases=tuple(cases),
            best=asked.best,
            answered_by=asked.answered_by,
            draft=draft,
            told_at=item.told_at,
            dismissed_at=dismissed.at if dismissed is not None else None,
            dismissed_by=dismissed.by if dismissed is not None else None,
        )

    def survey(self, unit: Unit, replica: Replica, now: datetime) -> Survey:
        """All gaps now, each under its id."""
        known = self._questions.read(unit, replica, now)
        questions = {id: question for id, (question, _) in known.items()}
        groups = self._grouped(replica.workspace, questions)
        gaps = [gap_of([questions[id] for id in group]) for group in groups]
        told = [_surviving(row, replica) for row in unit.gaps.since(now - SPAN)]
        exposures = {id: exposure for id, (_, exposure) in known.items()}
        return Survey(identified(replica.workspace, gaps, told), exposures)

    def _grouped(self, workspace: str, questions: Mapping[str, Unanswered]) -> tuple[tuple[str, ...], ...]:
        """The ids of the questions that belong together; kept until there are others or a problem has changed."""
        key = frozenset((question.id, question.problem_id) for question in questions.values())
        before = self._groups.get(workspace)
        if before is not None and before.key == key:
            return before.ids
        groups = grouped(questions.values(), reads=self._reads)
        ids = tuple(tuple(question.id for question in group) for group in groups)
        self._groups[workspace] = _Groups(key, ids)
        return ids


@dataclass(frozen=True, slots=True)
class _Listed:
    """A page of gaps, of when it is, and what must not have changed for it to be shown again."""

    page: Page[GapView]
    at: datetime
    graph: ProblemGraph
    decided: int


@dataclass(frozen=True, slots=True)
class _Counted:
    """Gaps by state, and what must not have changed for it to be told again."""

    counts: Mapping[GapState, int | None]
    graph: ProblemGraph
    decided: int


@dataclass(frozen=True, slots=True)
class _Groups:
    """A grouping and the questions, with their problems, that it is of."""

    key: frozenset[tuple[str, str | None]]
    ids: tuple[tuple[str, ...], ...]


def identified(workspace: str, gaps: Sequence[Gap], told: Sequence[ToldGap]) -> tuple[NamedGap, ...]:
    """Gaps under ids that stay while they grow, with when they were told.

    A gap is one that was told when it is of the same problem or shares a question with it. Of several gaps that
    a told one fell into, the one that shares most has its id. Others go by their problem or their first question.
    """
    ids: dict[int, ToldGap] = {}
    kin: dict[int, list[ToldGap]] = {}
    for row in told:
        shared = [_shared(gap, row) for gap in gaps]
        for place, count in enumerate(shared):
            if count:
                kin.setdefault(place, []).append(row)
        free = [place for place, count in enumerate(shared) if count and place not in ids]
        if free:
            ids[max(free, key=lambda place: (shared[place], -place))] = row
    return tuple(
        NamedGap(
            id=ids[place].id if place in ids else _new_id(workspace, gap),
            gap=gap,
            told_at=max((row.told_at for row in kin.get(place, ())), default=None),
        )
        for place, gap in enumerate(gaps)
    )


def names_of(gap: Gap, problem: Problem | None) -> Mapping[str, str]:
    """The names of the gap's problem, else those that its questions give."""
    if problem is not None and problem.names:
        return problem.names
    return name_problem(nameable([replace(item.utterance, text=item.text) for item in gap.ballots]))


def _shared(gap: Gap, row: ToldGap) -> int:
    """How many questions a gap shares with one that was told; one of the same problem shares at least one."""
    common = len({question.id for question in gap.questions} & set(row.exposure_ids))
    return max(common, int(row.problem_id is not None and row.problem_id == gap.problem_id))


def _surviving(row: ToldGap, replica: Replica) -> ToldGap:
    return replace(row, problem_id=replica.graph.survivor(row.problem_id)) if row.problem_id else row


def _new_id(workspace: str, gap: Gap) -> str:
    return digest_id("gap", workspace, gap.problem_id or gap.questions[0].id)


def _encoded(place: Place) -> str:
    customers, last_at, id = place
    return base64.urlsafe_b64encode(json.dumps([customers, last_at.isoformat(), id]).encode()).decode()


def _decoded(cursor: str) -> Place:
    try:
        customers, last_at, id = json.loads(base64.urlsafe_b64decode(cursor))
        moment = datetime.fromisoformat(last_at)
        if type(customers) is not int or not isinstance(id, str) or moment.tzinfo is None:
            raise ValueError("not a place")
        return customers, moment, id
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise InvalidRequest.of(
            "cursor", "is not a cursor of this list; take next_cursor of the page before, or leave it out"
        ) from error
