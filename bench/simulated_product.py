"""The product's own code on the simulated desk: profiles, clusters, priority and assignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bench.simulated_desk import Glance, Record, Waiting, outcomes
from bench.simulated_shop import DAY, World, moment
from graph.agent_scores import Weights
from graph.assignment import Patience, assign
from graph.circles import Need, neighbouring
from graph.expertise import cluster
from graph.models import Expertise, Priority
from graph.priority import prioritise
from graph.profiles import PSEUDO_CASES, Profiles, SkillEstimate, Topic
from graph.support_lines import FIRST_ANSWERS


@dataclass(frozen=True, slots=True)
class Options:
    """What is left out or changed, for comparison."""

    clusters: bool = True
    circles: bool = True
    weights: Weights = field(default_factory=Weights)
    explore: float = 0.0
    online: bool = True
    pseudo_cases: float = PSEUDO_CASES
    truth: bool = False
    """Whether the true chances are known, so that nothing has to be learned."""
    window: float = 7 * DAY
    patience: Patience | None = field(default_factory=Patience)
    anchors: bool = True
    lines: bool = True
    order: str = "priority"
    """By what the queue is ordered: priority, cmu (priority by expected time, convex in what is used) or arrival."""


class Product:
    """Learns each night, clusters each Monday, assigns at every look."""

    def __init__(self, world: World, options: Options | None = None) -> None:
        self._world = world
        self._options = options or Options()
        self._numbers = {person.agent.id: i for i, person in enumerate(world.people)}
        self.clusters: tuple[Expertise, ...] = ()
        self._home: dict[str, Expertise] = {}
        self._neighbours: dict[str, tuple[Expertise, ...]] = {}
        self._estimates: dict[tuple[int | None, int], dict[str, SkillEstimate]] = {}
        self.profiles = Profiles([], now=moment(0))

    def learn(self, records: Sequence[Record], now: float) -> None:
        world, at = self._world, moment(now)
        if not self.clusters or int(now // DAY) % 7 == 0:
            self.clusters = cluster(
                world.intents,
                [person.agent for person in world.people],
                world.problems,
                outcomes(records, world, now, {}),
                now=at,
                previous=self.clusters if self._options.anchors else (),
            )
            self._home = {id_: c for c in self.clusters for id_ in (*c.intent_ids, *c.problem_ids)}
            self._neighbours = {c.id: neighbouring(c, self.clusters) for c in self.clusters}
        homes = {id_: c.id for id_, c in self._home.items()}
        self.profiles = Profiles(
            outcomes(records, world, now, homes if self._options.clusters else {}),
            now=at,
            pseudo_cases=self._options.pseudo_cases,
        )
        self._estimates = {}

    def choose(self, glance: Glance) -> Sequence[tuple[int, int]]:
        needs = [self._need(waiting, glance.now) for waiting in glance.waiting]
        placements = assign(
            needs,
            glance.agents,
            now=moment(glance.now),
            estimates={
                need.case_id: self._known(waiting)
                for need, waiting in zip(needs, glance.waiting, strict=True)
            },
            recent={
                agent.id: n
                for agent, n in zip(glance.agents, glance.given(self._options.window), strict=True)
            },
            online_seconds={
                agent.id: seconds
                for agent, seconds in zip(glance.agents, glance.online(self._options.window), strict=True)
            }
            if self._options.online
            else None,
            weights=self._options.weights,
            patience=self._options.patience,
            explore=self._options.explore,
        )
        places = {need.case_id: place for place, need in enumerate(needs)}
        return [
            (places[placement.case_id], self._numbers[placement.choice.agent.id])
            for placement in placements
            if placement.choice is not None
        ]

    def _need(self, waiting: Waiting, now: float) -> Need:
        contact = waiting.contact
        used = waiting.consumed(now)
        priority = prioritise(
            contact.understanding,
            contact.customer,
            repeat_contacts=waiting.returns,
            waited=timedelta(seconds=now - waiting.opened),
            consumed=used,
        )
        field_ = self._expertise(waiting)
        last = waiting.last_agent
        return Need(
            waiting.key,
            contact.language,
            field_ if self._options.circles else None,
            neighbours=self._neighbours[field_.id] if field_ and self._options.circles else (),
            line=contact.line if self._options.lines else FIRST_ANSWERS,
            priority=self._pressing(waiting, priority, used, now),
            sla_consumed=used,
            waiting_since=moment(waiting.opened),
            sticky_agent_id=None if last is None else self._world.people[last].agent.id,
            sticky_at=moment(waiting.last_at),
        )

    def _pressing(self, waiting: Waiting, priority: Priority, used: float, now: float) -> int:
        if self._options.order == "arrival":
            return round(now - waiting.opened)
        if self._options.order == "cmu":
            seconds = [e.seconds for e in self._known(waiting).values() if e.seconds is not None]
            quick = 2400 / min(seconds, default=2400)
            return round((10 + priority.total) * (1 + used) ** 2 * min(max(quick, 0.5), 2.0) * 10)
        return round(priority.total)

    def _expertise(self, waiting: Waiting) -> Expertise | None:
        contact, world = waiting.contact, self._world
        if contact.seen_problem is not None:
            found = self._home.get(world.problems[contact.seen_problem].id)
            if found is not None:
                return found
        return self._home.get(world.intents[contact.seen_intent].id)

    def _known(self, waiting: Waiting) -> dict[str, SkillEstimate]:
        contact, world = waiting.contact, self._world
        key = (contact.seen_problem, contact.seen_intent)
        if key not in self._estimates:
            field_ = self._expertise(waiting)
            topic = Topic(
                None if contact.seen_problem is None else world.problems[contact.seen_problem].id,
                world.intents[contact.seen_intent].id,
                field_.id if field_ else None,
            )
            self._estimates[key] = self.profiles.estimates(list(self._numbers), topic)
            if self._options.truth:
                chances = world.chances[:, contact.problem]
                return {id_: SkillEstimate(float(chances[i]), 0, 1, 99) for id_, i in self._numbers.items()}
        return self._estimates[key]
