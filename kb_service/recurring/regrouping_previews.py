"""What a merge or a split would do, told before anybody does it, and which problems a problem may be the same as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from graph.models import Case, Problem
from graph.regrouping import affinities
from kb_service.errors import InvalidRequest
from kb_service.lookups import found_problem
from kb_service.models import ProblemView
from kb_service.recurring.moves import NAMED_BY
from kb_service.recurring.problem_board import CaseOfProblem, cases_with_words
from kb_service.recurring.problems import view_of
from kb_service.recurring.regrouping import events_of_cases
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.routing import Routing
from kb_service.store import Store, Unit

EXAMPLES = 4
"""Messages that are quoted of each side."""
NEAR = 8
"""Problems that are offered as perhaps the same as one."""
LIKELY = 0.05
"""The least probability that a message of one belongs to the other, for it to be offered."""
CHOSEN_FROM = 200
"""The latest cases of a problem that some may be split off from."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A problem that may be chosen; `probability` is how surely messages of the one would join it, None where it was
    looked for by its name."""

    view: ProblemView
    probability: float | None
    said: str | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of two problems of a merge or a split, with what customers said of it."""

    names: Mapping[str, str]
    problem: Problem | None
    messages: int
    customers: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What would go under `into` with `old`, and how many customers they have `together`."""

    old: Side
    into: Side
    together: int
    cases: int
    alerts: int
    proposals: int
    follow_ups: int
    children: int


@dataclass(frozen=True, slots=True)
class SplitPreview:
    """What some cases of a problem would become as one of their own, and what would stay."""

    new: Side
    stays: Side
    cases: int


class RegroupingPreviews:
    """Reads alone: nothing changes."""

    def __init__(
        self, store: Store, replicas: Replicas, routing: Routing, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._routing = routing
        self._clock = clock

    def choices(self, workspace: str, problem_id: str, q: str | None) -> tuple[Choice, ...]:
        """Problems other than one: those whose name holds `q`, or without it those that it is nearest to."""
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            problem = found_problem(unit, problem_id)
            watermark = unit.events.latest_at() or self._clock()
            near: Mapping[str, float | None] = _near(replica, problem.id)
            if q:
                near = dict.fromkeys(item.id for item in unit.problems.page(None, NEAR + 1, q=q).items)
            found = unit.problems.counted_in_all(unit.problems.some(near))
            problems = {item.id: item for item in found if item.id != problem.id}
        return tuple(
            Choice(view_of(problems[id], watermark, replica), near[id], replica.said_of(problems[id]))
            for id in near
            if id in problems
        )

    def merge(self, workspace: str, problem_id: str, into: str) -> MergePreview:
        """What merging one problem into another would do."""
        with self._store.reading(workspace) as unit:
            old, survivor = found_problem(unit, problem_id), found_problem(unit, into)
            if old.id == survivor.id:
                raise InvalidRequest.of("into", "names the same problem; name another one")
            ours, theirs = _voters(unit, old.id), _voters(unit, survivor.id)
            hanging = unit.problems.hanging(old.id)
            return MergePreview(
                old=_side(unit, old, len(ours)),
                into=_side(unit, survivor, len(theirs)),
                together=len(ours | theirs),
                cases=unit.cases.count_of_problem(old.id),
                alerts=hanging.alerts,
                proposals=hanging.proposals,
                follow_ups=hanging.follow_ups,
                children=hanging.children,
            )

    def cases(self, workspace: str, problem_id: str, q: str | None) -> tuple[CaseOfProblem, ...]:
        """The latest cases of a problem, or of these the ones whose customers' first words hold `q`."""
        with self._store.reading(workspace) as unit:
            problem = found_problem(unit, problem_id)
            latest: Sequence[Case] = unit.cases.of_problem(problem.id, None, CHOSEN_FROM).items
            found = cases_with_words(unit, problem.id, latest)
        wanted = (q or "").casefold()
        return tuple(item for item in found if wanted in (item.said or "").casefold())

    def split(self, workspace: str, problem_id: str, case_ids: Sequence[str]) -> SplitPreview:
        """What making a problem of some cases would do. Raises InvalidRequest where that cannot be done."""
        with self._store.reading(workspace) as unit:
            old = found_problem(unit, problem_id)
            moved = events_of_cases(unit, old, case_ids)
            gone = {event.id for event in moved}
            seen = unit.problems.observations(old.id)
            texts = [event.text for event in sorted(moved, key=lambda event: event.at) if event.text]
            latest = unit.events.of_problem(old.id, limit=len(gone) + EXAMPLES)
        stays = [item.event.text for item in latest if item.event.id not in gone and item.event.text]
        there = {item.voter for item in seen if item.event_id in gone}
        here = {item.voter for item in seen if item.event_id not in gone}
        names = self._routing.name(texts[:NAMED_BY]) or old.names
        return SplitPreview(
            new=Side(names, None, len(gone), len(there), tuple(texts[:EXAMPLES])),
            stays=Side(old.names, old, len(seen) - len(gone), len(here), tuple(stays[:EXAMPLES])),
            cases=len(set(case_ids)),
        )


def _near(replica: Replica, problem_id: str) -> dict[str, float]:
    """The problems that messages of one would join most surely, the surest first."""
    if problem_id not in replica.matcher:
        return {}
    found = {id: item.probability for id, item in affinities(replica.matcher, problem_id).items()}
    surest = sorted(found, key=lambda id: (-found[id], id))[:NEAR]
    return {id: found[id] for id in surest if found[id] >= LIKELY}


def _side(unit: Unit, problem: Problem, customers: int) -> Side:
    said = [item.event.text for item in unit.events.of_problem(problem.id, limit=EXAMPLES)]
    examples = tuple(text for text in said if text)
    return Side(problem.names, problem, problem.events, customers, examples)


def _voters(unit: Unit, problem_id: str) -> set[tuple[str, str]]:
    return {item.voter for item in unit.problems.observations(problem_id)}
