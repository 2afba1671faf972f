"""The expertise of a shop as it stands: what was learned last, what is declared now, and what people pinned.

Learning is done by one process, once a night and whenever there is twice as much to learn from; it is kept in the
store. Every process puts the clusters together from there, so that ids and names last and all of them see the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from structlog.stdlib import get_logger

from graph.expertise import Pins, cluster, expertise_id
from graph.models import Agent, Expertise, Intent, Problem
from graph.profiles import Outcome as GraphOutcome
from kb_service.store import ExpertisePin, Outcome, Store, Unit

log = get_logger(__name__)

FIRST_OUTCOMES = 10
"""Outcomes from which there is something to learn between two nights."""
GROWTH = 2
"""A learning is made anew when it has seen less than one in so many of the outcomes that there are."""


@dataclass(frozen=True, slots=True)
class _Learning:
    """Clusters that were learned, the number of outcomes behind them, and what was known when they were."""

    clusters: tuple[Expertise, ...]
    outcomes: int
    previous: tuple[Expertise, ...]
    pins: tuple[ExpertisePin, ...]
    position: int


def renew(store: Store, workspace: str) -> tuple[Expertise, ...]:
    """Learn the clusters anew from all outcomes and keep them; committed when this returns."""
    with store.reading(workspace) as unit:
        made = _learned(unit)
    with store.writing(workspace) as unit:
        return _keep(unit, made)


def renew_if_due(store: Store, workspace: str) -> bool:
    """Learn the clusters anew when there is much more to learn from than last time; whether they were."""
    with store.reading(workspace) as unit:
        seen, before = unit.events.outcome_count(), unit.expertise.learnt_from()
        if seen < max(FIRST_OUTCOMES, GROWTH * before):
            return False
        made = _learned(unit)
    with store.writing(workspace) as unit:
        if unit.expertise.learnt_from() != before:
            return False  # Another process did it meanwhile.
        _keep(unit, made)
    return True


def standing(unit: Unit, problems: Iterable[Problem]) -> tuple[Expertise, ...]:
    """The clusters as they stand: declared, pinned, and learned last. The same in every process."""
    intents, agents = unit.intents.all(), unit.agents.all()
    learned = unit.expertise.all()
    pins = unit.expertise.pins()
    declared = clustered(intents, agents, problems, (), learned, pins, unit.now)
    by_outcomes = {item.id: item.agent_ids for item in learned}
    placed = {agent_id for pin in pins for agent_id in pin.agent_ids}
    known = {agent.id for agent in agents} - placed
    return tuple(
        replace(
            item, agent_ids=tuple(sorted({*item.agent_ids, *(known & set(by_outcomes.get(item.id, ())))}))
        )
        for item in declared
    )


def clustered(
    intents: Sequence[Intent],
    agents: Sequence[Agent],
    problems: Iterable[Problem],
    outcomes: Iterable[GraphOutcome],
    learned: Sequence[Expertise],
    pins: Sequence[ExpertisePin],
    now: datetime,
) -> tuple[Expertise, ...]:
    """The clusters of a shop, with what people pinned before everything else."""
    known = [problem for problem in problems if problem.state != "candidate"]
    survivors = {alias: problem.id for problem in known for alias in problem.aliases}
    names = {item.id: item.name for item in learned} | {pin.id: pin.name for pin in pins if pin.name}
    home = {intent_id: pin.id for pin in pins for intent_id in pin.intent_ids}
    placed = [_at_home(intent, home[intent.id], names) if intent.id in home else intent for intent in intents]
    named = {id: name for id, name in names.items() if id in home.values()}
    return cluster(
        placed,
        agents,
        known,
        outcomes,
        now=now,
        previous=learned,
        pins=Pins(
            problems={
                survivors.get(problem_id, problem_id): pin.id
                for pin in pins
                for problem_id in pin.problem_ids
            },
            agents=_places(agents, pins),
            names=named | {pin.id: pin.name for pin in pins if pin.name},
        ),
    )


def _learned(unit: Unit) -> _Learning:
    """What outcomes teach by now; of the agents those whom no skill or pin brings in."""
    intents, agents = unit.intents.all(), unit.agents.all()
    pins, previous = unit.expertise.pins(), unit.expertise.all()
    outcomes = [plain(item, None) for item in unit.events.outcomes()]
    found = clustered(intents, agents, unit.problems.all(), outcomes, previous, pins, unit.now)
    # What nobody is found to resolve well is no expertise, unless somebody speaks of it.
    home = {expertise_id(intent.expertise) for intent in intents if intent.expertise} | {
        pin.id for pin in pins
    }
    declared = {agent.id: set(map(expertise_id, agent.skills)) for agent in agents}
    for pin in pins:
        for agent_id in pin.agent_ids:
            declared.setdefault(agent_id, set()).add(pin.id)
    clusters = tuple(
        replace(item, agent_ids=tuple(id for id in item.agent_ids if item.id not in declared.get(id, ())))
        for item in found
        if item.agent_ids or item.id in home
    )
    return _Learning(clusters, len(outcomes), previous, pins, unit.changes.position())


def _keep(unit: Unit, made: _Learning) -> tuple[Expertise, ...]:
    """Keep what was learned before the unit was opened; learned anew where people named, pinned or erased since."""
    known = made.previous, made.pins
    if known != (unit.expertise.all(), unit.expertise.pins()) or _erased_since(unit, made.position):
        made = _learned(unit)
    unit.expertise.replace(made.clusters, made.outcomes)
    log.info(
        "expertise_learned",
        workspace=unit.workspace,
        clusters=len(made.clusters),
        outcomes=made.outcomes,
    )
    return made.clusters


def _erased_since(unit: Unit, position: int) -> bool:
    """Whether somebody's words went: a name made of them must not come back."""
    while changes := unit.changes.since(position):
        if any(change.kind in ("event_removed", "problem_removed") for change in changes):
            return True
        position = changes[-1].position
    return False


def _at_home(intent: Intent, cluster_id: str, names: Mapping[str, str]) -> Intent:
    """The intent as if it declared the cluster that it is pinned to, spelt as the cluster is called."""
    name = names.get(cluster_id, cluster_id)
    return replace(intent, expertise=name if expertise_id(name) == cluster_id else cluster_id)


def _places(agents: Sequence[Agent], pins: Sequence[ExpertisePin]) -> dict[str, tuple[str, ...]]:
    """All clusters of each agent whom somebody placed: those of their skills, and where they were placed."""
    found: dict[str, tuple[str, ...]] = {}
    for agent in agents:
        places = [pin.id for pin in pins if agent.id in pin.agent_ids]
        if places:
            found[agent.id] = tuple(dict.fromkeys([*map(expertise_id, agent.skills), *places]))
    return found


class Fields:
    """Which cluster a problem belongs to: by itself, else through its intent. Of several the first one."""

    def __init__(self, clusters: Sequence[Expertise]) -> None:
        self._of_problem: dict[str, str] = {}
        self._of_intent: dict[str, str] = {}
        for found in clusters:
            for problem_id in found.problem_ids:
                self._of_problem.setdefault(problem_id, found.id)
            for intent_id in found.intent_ids:
                self._of_intent.setdefault(intent_id, found.id)

    def find(self, problem_id: str | None, intent_id: str | None) -> str | None:
        """The cluster of a problem of an intent, either of which may be unknown."""
        return self._of_problem.get(problem_id or "") or self._of_intent.get(intent_id or "")

    def by_problem(self, problems: Iterable[Problem]) -> dict[str, str]:
        """The cluster of each problem that has one, also under the ids that were merged into it."""
        return {
            id: cluster_id
            for problem in problems
            if (cluster_id := self.find(problem.id, problem.intent_id)) is not None
            for id in (*problem.aliases, problem.id)
        }


def plain(item: Outcome, cluster_id: str | None) -> GraphOutcome:
    """A stored outcome as the graph room takes it."""
    return GraphOutcome(
        agent_id=item.agent_id,
        problem_id=item.problem_id,
        intent_id=item.intent_id,
        expertise_id=cluster_id,
        customer_id=None,
        resolved=item.resolved is not False,
        reopened=item.reopened,
        handling_seconds=item.seconds,
        rating=item.rating,
        at=item.at,
        products=item.products,
    )
