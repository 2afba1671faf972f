"""How support does, over a span: figures from what happened in its cases, and what each person's work was worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graph.board import Person, Standings, board, present_seconds
from graph.case_history import CaseHistory
from graph.profiles import Outcome
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
from kb_service.paging import page_by
from kb_service.replica import Replica
from kb_service.replicas import Replicas
from kb_service.store import Page, Store
from kb_service.store.values import Outcome as StoredOutcome
from kb_service.support_material import material, waiting

WEEK = timedelta(days=7)
"""The span of support metrics where none is named."""
MONTH = timedelta(days=28)
"""The span of the people board where none is named."""
LONGEST = timedelta(days=92)
LONGEST_BOARD = timedelta(days=366)
LOOKED_BACK = timedelta(days=180)
"""How far before a board's end outcomes tell how hard problems are and who mastered what."""
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
    people: tuple[Standings, ...]
    labels: Mapping[str, str]


class Measuring:
    """Support metrics and the people board of every workspace. Reads only."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._replicas = replicas
        self._clock = clock

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
        replica = self._replicas.settled(workspace)
        expertise_of = _expertise_of(replica)
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

    def board(self, workspace: str, begin: datetime | None, end: datetime | None) -> BoardReport:
        """What each person's work was worth in a span, by default the last 28 days of event time.

        Raises InvalidRequest where the span is none or too long.
        """
        replica = self._replicas.settled(workspace)
        expertise_of = _expertise_of(replica)
        with self._store.reading(workspace) as unit:
            observed = unit.events.latest_at() or self._clock()
            span = _span(begin, end, observed, MONTH, LONGEST_BOARD)
            until = min(span.end, observed)
            since = min(span.begin, span.end - LOOKED_BACK)
            outcomes = list(_last_words(item for item in unit.events.outcomes(since) if item.at < span.end))
            states = unit.workload.states(span.begin - timedelta(days=1), until)
            asked = unit.workload.consultations(span.begin, span.end)
            passed = unit.workload.passed_on(span.begin, span.end)
            agents = unit.agents.all()
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
        known = [_outcome(item, expertise_of) for item in outcomes]
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
    ) -> tuple[BoardReport, Page[Standings]]:
        """The board with one page of its lines."""
        report = self.board(workspace, begin, end)
        return report, page_by(report.people, _place, cursor, limit)


def _span(
    begin: datetime | None, end: datetime | None, observed: datetime, length: timedelta, longest: timedelta
) -> Span:
    """The span asked for; it ends with the last minute that an event is known of, unless something else is said."""
    if end is None:
        end = observed.replace(second=0, microsecond=0) + timedelta(minutes=1)
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


def _key(dimension: Dimension, expertise_of: Mapping[str, str]) -> Callable[[CaseHistory], str | None]:
    if dimension == "expertise":
        return lambda case: expertise_of.get(case.problem_id or "")
    if dimension == "handler":
        return lambda case: "none"
    return lambda case: getattr(case, dimension)


# --- what the board is made of


def _last_words(outcomes: Iterable[StoredOutcome]) -> Iterator[StoredOutcome]:
    """One outcome a case and person, so that nobody gains by telling it twice: the last one.

    It counts as reopened when any of theirs was.
    """
    found: dict[tuple[str, str], StoredOutcome] = {}
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


def _place(line: Standings) -> tuple[float, str]:
    """The highest value first; those without one last, by name."""
    return LAST if line.value is None else -line.value, f"{line.person.name} {line.person.id}"


def _outcome(item: StoredOutcome, expertise_of: Mapping[str, str]) -> Outcome:
    return Outcome(
        agent_id=item.agent_id,
        problem_id=item.problem_id,
        intent_id=item.intent_id,
        expertise_id=expertise_of.get(item.problem_id or ""),
        customer_id=None,
        resolved=item.resolved is not False,
        reopened=item.reopened,
        handling_seconds=item.seconds,
        rating=item.rating,
        at=item.at,
    )


def _expertise_of(replica: Replica) -> dict[str, str]:
    """The cluster of each problem, by itself or through its intent."""
    clusters = replica.shop.expertise
    of_problem = {problem: cluster.id for cluster in clusters for problem in cluster.problem_ids}
    of_intent = {intent: cluster.id for cluster in clusters for intent in cluster.intent_ids}
    found = {
        problem.id: of_problem.get(problem.id) or of_intent.get(problem.intent_id or "")
        for problem in list(replica.problems.values())
    }
    return {problem_id: cluster for problem_id, cluster in found.items() if cluster is not None}
