"""What a product team sees of its problems: the board by sorts with counts by day, and all that hangs on one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal, TypeAlias

from graph import lifecycle
from graph.models import Agent, Alert, Case, Problem, ProblemState, Proposal
from kb_service.models import AlertView, LinkedDocument, ProblemDetail, ProblemView
from kb_service.recurring.problems import Problems, alert_views, counted, view_of
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.store import ProblemCounts, Store, Unit
from kb_service.store.problems import STANDING
from kb_service.timezones import zone

BoardView: TypeAlias = Literal["standing", "emerging", "evergreen", "resolved", "candidates", "all"]
BoardSort: TypeAlias = Literal["active", "customers", "growth", "opened"]

DAYS_OF_BOARD = 14
DAYS_OF_GROWTH = 7
"""The last days of the board; how many messages more they brought than as many before them is a problem's growth."""
DAYS_OF_PROBLEM = 28
CASES = 20
ALERTS = 20
PROPOSALS = 20


@dataclass(frozen=True, slots=True)
class Days:
    """Messages of a problem by day of the shop, oldest first; `first` is the first day's midnight there."""

    first: datetime
    counts: tuple[int, ...]

    @property
    def growth(self) -> int:
        """How many messages more the last days brought than as many days before them."""
        late = self.counts[-DAYS_OF_GROWTH:]
        return sum(late) - sum(self.counts[-2 * DAYS_OF_GROWTH : -DAYS_OF_GROWTH])


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A problem of the board. `evidence` is that of its newest `alert`, else its counts in words; `said` is what one of
    its customers said, by the language they said it in; `expertise` is a name."""

    view: ProblemView
    alert: Alert | None
    evidence: Mapping[str, str]
    said: Mapping[str, str]
    days: Days
    owner: Agent | None
    expertise: str | None
    documents: tuple[LinkedDocument, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """`complete` is False while examples and linked documents are still being derived."""

    rows: tuple[BoardRow, ...]
    counts: ProblemCounts
    next_cursor: str | None
    complete: bool


@dataclass(frozen=True, slots=True)
class CaseOfProblem:
    """A case with what its customer first said of the problem, None where that is not known any more."""

    case: Case
    said: str | None


@dataclass(frozen=True, slots=True)
class Alias:
    """A problem that was merged into another one, with its names at that time where they were kept."""

    id: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProblemFile:
    """One problem with all that hangs on it; the lists hold the latest, `more_cases` says that there are more.
    `complete` is False while linked documents are still being derived."""

    detail: ProblemDetail
    days: Days
    owner: Agent | None
    expertise: str | None
    parent: Problem | None
    children: tuple[Problem, ...]
    aliases: tuple[Alias, ...]
    alerts: tuple[AlertView, ...]
    proposals: tuple[Proposal, ...]
    cases: tuple[CaseOfProblem, ...]
    more_cases: bool
    complete: bool


class ProblemBoard:
    """The boards of every workspace."""

    def __init__(
        self, store: Store, replicas: Replicas, problems: Problems, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._problems = problems
        self._clock = clock

    def board(
        self,
        workspace: str,
        view: BoardView,
        cursor: str | None,
        limit: int,
        *,
        state: ProblemState | None = None,
        q: str | None = None,
        sort: BoardSort = "active",
    ) -> Board:
        """A stretch of one sort of problems, those first that `sort` asks for, and how many there are of each sort."""
        self._problems.wake(workspace)
        replica = self._replicas.at_hand(workspace)
        complete = replica.settled
        with self._store.reading(workspace) as unit:
            watermark = unit.events.latest_at() or self._clock()
            bounds = midnights(watermark, zone(unit.rules.get().timezone), DAYS_OF_BOARD)
            page = unit.problems.page(
                cursor,
                limit,
                state=state,
                q=q,
                sort=sort,
                grown_over=(bounds[-1 - 2 * DAYS_OF_GROWTH], bounds[-1 - DAYS_OF_GROWTH], bounds[-1]),
                states=_states(view),
                opened_after=watermark - lifecycle.EMERGING_FOR if view == "emerging" else None,
                evergreen=True if view == "evergreen" else None,
            )
            counts = unit.problems.counts(watermark)
            days = _days(unit, [item.id for item in page.items], bounds)
            newest = unit.alerts.newest_of([item.id for item in page.items])
            owners = replica.shop.agents
        fields = _fields(replica)
        rows = [
            _row(
                view_of(item, watermark, replica), replica, days[item.id], newest.get(item.id), owners, fields
            )
            for item in page.items
        ]
        return Board(tuple(rows), counts, page.next_cursor, complete)

    def one(self, workspace: str, problem_id: str) -> ProblemFile:
        """One problem with all that hangs on it."""
        replica = self._replicas.at_hand(workspace)
        complete = replica.settled
        detail = self._problems.problem(workspace, problem_id)
        problem = detail.view.problem
        with self._store.reading(workspace) as unit:
            watermark = unit.events.latest_at() or self._clock()
            cases = unit.cases.of_problem(problem.id, None, CASES)
            parent_id = problem.parent_id
            told = {entry.other_id: entry for entry in unit.regroupings.merged(problem.aliases)}
            bounds = midnights(watermark, zone(unit.rules.get().timezone), DAYS_OF_PROBLEM)
            return ProblemFile(
                detail=detail,
                days=_days(unit, [problem.id], bounds)[problem.id],
                owner=replica.shop.agents.get(problem.owner_id or ""),
                expertise=_fields(replica).get(problem.expertise_id or ""),
                parent=unit.problems.get(parent_id) if parent_id is not None else None,
                children=unit.problems.children(problem.id),
                aliases=tuple(
                    Alias(id, told[id].kept.get("problem", {}).get("names", {}) if id in told else {})
                    for id in problem.aliases
                ),
                alerts=alert_views(unit, unit.alerts.page(None, ALERTS, problem_id=problem.id).items),
                proposals=unit.proposals.page(None, PROPOSALS, problem_id=problem.id).items,
                cases=cases_with_words(unit, problem.id, cases.items),
                more_cases=cases.next_cursor is not None,
                complete=complete,
            )


def for_reader(documents: Iterable[LinkedDocument], language: str) -> tuple[LinkedDocument, ...]:
    """What answers a problem as somebody reads it: what is in their language first, each by how much speaks for it."""
    return tuple(
        sorted(documents, key=lambda item: (item.language != language, -item.weight, item.external_id))
    )


def cases_with_words(unit: Unit, problem_id: str, cases: Sequence[Case]) -> tuple[CaseOfProblem, ...]:
    """Cases with what their customers first said in them of a problem, asked for together."""
    said = unit.events.first_words([case.id for case in cases], problem_id)
    return tuple(CaseOfProblem(case, said.get(case.id)) for case in cases)


def _states(view: BoardView) -> Collection[ProblemState] | None:
    if view == "all":
        return None
    alone: dict[BoardView, Collection[ProblemState]] = {"resolved": {"resolved"}, "candidates": {"candidate"}}
    return alone.get(view, STANDING)


def _row(
    view: ProblemView,
    replica: Replica,
    days: Days,
    alert: Alert | None,
    owners: Mapping[str, Agent],
    fields: Mapping[str, str],
) -> BoardRow:
    problem = view.problem
    return BoardRow(
        view=view,
        alert=alert,
        evidence=alert.evidence.words if alert is not None else counted(problem),
        said=replica.said_by_language(problem),
        days=days,
        owner=owners.get(problem.owner_id or ""),
        expertise=fields.get(problem.expertise_id or ""),
        documents=replica.answers_of(problem),
    )


def _days(unit: Unit, problem_ids: Sequence[str], bounds: Sequence[datetime]) -> dict[str, Days]:
    """The messages of some problems between each two of the midnights; one statement for all of them."""
    counts = unit.events.counts_by_span(problem_ids, bounds)
    return {id: Days(bounds[0], counts.get(id, (0,) * (len(bounds) - 1))) for id in problem_ids}


def midnights(until: datetime, place: tzinfo, days: int) -> tuple[datetime, ...]:
    """The begin of each of the last `days` days in a zone, the one of `until` last, and the end of that."""
    today = until.astimezone(place).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return tuple((today + timedelta(days=day)).replace(tzinfo=place) for day in range(1 - days, 2))


def _fields(replica: Replica) -> dict[str, str]:
    """What each expertise is called."""
    return {found.id: found.name for found in replica.shop.expertise}
