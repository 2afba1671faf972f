"""How support does, over a span: figures from what happened in its cases, and what each person's work was worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graph.board import BoardLine, Person, board, present_seconds
from graph.case_history import CaseHistory
from graph.support_metrics import (
    Backlog,
    Dimension,
    Group,
    Span,
    SupportMetrics,
    backlog,
    measure,
)
from kb_service.errors import InvalidRequest
from kb_service.metrics.lately import Lately
from kb_service.metrics.support_material import material, waiting
from kb_service.paging import page_by
from kb_service.people.clustering import plain
from kb_service.replicas.replicas import Replicas
from kb_service.store import Page, Store
from kb_service.store.values import Outcome

WEEK = timedelta(days=7)
"""The span of support metrics where none is named."""
MONTH = timedelta(days=28)
"""The span of the people board where none is named."""
LONGEST = timedelta(days=92)
LONGEST_BOARD = timedelta(days=366)
LOOKED_BACK = timedelta(days=180)
"""How far before a board's span outcomes tell how hard problems are and who mastered what."""
MOST_OUTCOMES = 500_000
"""Resolutions that one board is made of at most."""
KEPT_BOARDS = 16
BOARD_KEPT = timedelta(seconds=60)
LAST = 1.0
"""Behind every value, which are not negative."""


@dataclass(frozen=True, slots=True)
class SupportReport:
    """Support metrics of a span; `observed_until` is the latest event time, up to which everything is known."""

    span: Span
    observed_until: datetime
    overall: SupportMetrics
    groups: Mapping[Dimension, tuple[Group, ...]]
    backlog: Backlog
    waiting: Mapping[Dimension, Mapping[str | None, int]]
    labels: Mapping[str, str]
    """Names of expertise by id."""


@dataclass(frozen=True, slots=True)
class BoardReport:
    """The people board of a span; `labels` are the names of expertise by id."""

    span: Span
    people: tuple[BoardLine, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A board for its further pages, with the end of the change log and the moment at which it was made."""

    position: int
    at: datetime
    report: BoardReport


class Measuring:
    """Support metrics and the people board of every workspace. Reads only."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._replicas = replicas
        self._clock = clock
        self._boards: dict[tuple[object, ...], _Kept] = {}
        self._supports: Lately[SupportReport] = Lately(clock)
        self._lines: Lately[BoardReport] = Lately(clock)

    def support(
        self,
        workspace: str,
        begin: datetime | None,
        end: datetime | None,
        by: Sequence[Dimension] = (),
    ) -> SupportReport:
        """The figures of a span, by default of the last seven days of event time, and of its groups.

        Raises InvalidRequest where the span is none, or too long, or holds too much.
        """
        replica = self._replicas.at_hand(workspace)
        expertise_of = replica.fields_by_problem()
        now = self._clock()
        with self._store.reading(workspace) as unit:
            observed = unit.events.latest_at() or now
            span = _span(begin, end, observed, WEEK, LONGEST)
            found, observed = material(unit, span, observed, replica.shop.rules)
            left = waiting(unit)
        overall, groups = measure(found, span, as_of=observed, by=by, expertise_of=expertise_of)
        waits = {dimension: backlog(left, now, _key(dimension, expertise_of)) for dimension in by}
        return SupportReport(
            span=span,
            observed_until=observed,
            overall=overall,
            groups=groups,
            backlog=backlog(left, now, lambda case: None),
            waiting={dimension: found.groups for dimension, found in waits.items()},
            labels={cluster.id: cluster.name for cluster in replica.shop.expertise},
        )

    def support_lately(self, workspace: str, days: int, by: Sequence[Dimension] = ()) -> SupportReport:
        """The figures of the last `days` days of event time as they stood within the last minute: for a page that many
        people look at."""
        length = timedelta(days=days)
        return self._supports.of(
            (workspace, days, *by), lambda: self.support(workspace, self._ago(workspace, length), None, by)
        )

    def board_lately(self, workspace: str, days: int) -> BoardReport:
        """The people board of the last `days` days of event time as it stood within the last minute."""
        length = timedelta(days=days)
        return self._lines.of(
            (workspace, days), lambda: self.board(workspace, self._ago(workspace, length), None)
        )

    def _ago(self, workspace: str, length: timedelta) -> datetime:
        """Where a span of a length begins that ends with the latest event."""
        with self._store.reading(workspace) as unit:
            observed = unit.events.latest_at() or self._clock()
        return _end_of(observed) - length

    def board(self, workspace: str, begin: datetime | None, end: datetime | None) -> BoardReport:
        """What each person's work was worth in a span, by default the last 28 days of event time.

        Raises InvalidRequest where the span is none, or too long, or holds too much.
        """
        replica = self._replicas.at_hand(workspace)
        expertise_of = replica.fields_by_problem()
        with self._store.reading(workspace) as unit:
            observed = unit.events.latest_at() or self._clock()
            span = _span(begin, end, observed, MONTH, LONGEST_BOARD)
            until = min(span.end, observed)
            since = span.begin - LOOKED_BACK
            found = _limited(unit.events.outcomes(since, replies=False))
            outcomes = list(_last_words(item for item in found if item.at < span.end))
            states = unit.workload.states(span.begin - timedelta(days=1), until)
            asked = unit.workload.consultations(span.begin, span.end)
            passed = unit.workload.passed_on(span.begin, span.end)
        agents = sorted(replica.shop.agents.values(), key=lambda agent: agent.id)
        people = [
            Person(
                agent.id,
                agent.name,
                present_seconds(states[agent.id], span.begin, until) if agent.id in states else None,
                asked.get(agent.id, 0),
                passed.get(agent.id, 0),
            )
            for agent in agents
        ]
        known = [plain(item, expertise_of.get(item.problem_id or "")) for item in outcomes]
        return BoardReport(
            span=span,
            people=board(known, people, begin=span.begin, end=span.end),
            labels={cluster.id: cluster.name for cluster in replica.shop.expertise},
        )

    def board_page(
        self,
        workspace: str,
        begin: datetime | None,
        end: datetime | None,
        cursor: str | None,
        limit: int,
    ) -> tuple[BoardReport, Page[BoardLine]]:
        """The board with one page of its lines. Further pages are of the same board, if they are soon asked for."""
        key = workspace, begin, end, self._replicas.at_hand(workspace).shop.expertise
        seen, now = self._store.position(workspace), self._clock()
        known = self._boards.get(key)
        soon = known is not None and cursor is not None and now - known.at < BOARD_KEPT
        if known is None or not (soon or known.position == seen):
            known = _Kept(seen, now, self.board(workspace, begin, end))
            while len(self._boards) >= KEPT_BOARDS:
                self._boards.pop(next(iter(self._boards)), None)
            self._boards[key] = known
        report = known.report
        return report, page_by(report.people, _place, cursor, limit)


def _span(
    begin: datetime | None, end: datetime | None, observed: datetime, length: timedelta, longest: timedelta
) -> Span:
    """The span asked for; it ends with the last minute that an event is known of, unless something else is said."""
    if end is None:
        end = _end_of(observed)
        if begin is not None and begin >= end:
            raise InvalidRequest.of(
                "from", "must be before the latest event, which is of {latest}", latest=observed.isoformat()
            )
    begin = end - length if begin is None else begin
    if begin >= end:
        raise InvalidRequest.of("to", "must be after `from`")
    if end - begin > longest:
        raise InvalidRequest.of("from", "must be at most {days} days before `to`", days=longest.days)
    return Span(begin, end)


def _end_of(observed: datetime) -> datetime:
    """The end of the last minute that an event is known of."""
    return observed.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _key(dimension: Dimension, expertise_of: Mapping[str, str]) -> Callable[[CaseHistory], str | None]:
    if dimension == "expertise":
        return lambda case: expertise_of.get(case.problem_id or "")
    if dimension == "handler":
        return lambda case: "none"
    return lambda case: getattr(case, dimension)


# --- what the board is made of


def _limited(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    for number, item in enumerate(outcomes):
        if number >= MOST_OUTCOMES:
            raise InvalidRequest.of(
                "from",
                "the span and the half-year before it hold more than {most} resolutions; take a shorter one",
                most=MOST_OUTCOMES,
            )
        yield item


def _last_words(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """One outcome a case and person, so that nobody gains by telling it twice: the last one.

    It counts as reopened when any of theirs was.
    """
    found: dict[tuple[str, str], Outcome] = {}
    for item in outcomes:
        key = item.case_id or item.event_id, item.agent_id
        before = found.pop(key, None)
        if before is None:
            found[key] = item
            continue
        seconds = (before.seconds or 0.0) + (item.seconds or 0.0)
        found[key] = replace(
            item,
            reopened=item.reopened or before.reopened,
            seconds=seconds or None,
            rating=item.rating if item.rating is not None else before.rating,
        )
    yield from found.values()


def _place(line: BoardLine) -> tuple[float, str]:
    """The highest value first; those without one last, by name."""
    return LAST if line.value is None else -line.value, f"{line.person.name} {line.person.id}"
