"""Ways to say who takes what, from chance to the product's own code, and one that knows the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from bench.simulated_desk import Glance, Record, Waiting, outcomes
from bench.simulated_shop import DAY, Floats, World
from graph.models import Agent

FLEX_FROM = 0.9
SUPERVISORS_FROM = 1.0
ELSEWHERE_FROM = 0.5
"""Shares of the service level: the flex pool, supervisors, and (declared skills) people of other fields."""


def may(agent: Agent, waiting: Waiting, now: float) -> bool:
    """The rules that bind every policy: language, presence, and who is asked only when time runs out."""
    if not agent.online or waiting.contact.language not in agent.languages:
        return False
    used = waiting.consumed(now)
    if agent.pool == "flex":
        return used >= FLEX_FROM
    return "supervisor" not in agent.permissions or used >= SUPERVISORS_FROM


class Blind:
    """Policies that learn nothing."""

    def learn(self, records: Sequence[Record], now: float) -> None:
        pass


class OneByOne(Blind):
    """Cases in the order in which they came; `pick` chooses among those who have room."""

    def __init__(self, pick: Callable[[Waiting, Sequence[int], Glance, Sequence[int]], int | None]) -> None:
        self._pick = pick

    def choose(self, glance: Glance) -> Sequence[tuple[int, int]]:
        load = [agent.load for agent in glance.agents]
        pairs = []
        for place in sorted(range(len(glance.waiting)), key=lambda i: glance.waiting[i].opened):
            waiting = glance.waiting[place]
            free = [
                i
                for i, agent in enumerate(glance.agents)
                if load[i] < agent.capacity and may(agent, waiting, glance.now)
            ]
            who = self._pick(waiting, free, glance, load) if free else None
            if who is not None:
                load[who] += 1
                pairs.append((place, who))
        return pairs


def at_random(seed: int) -> OneByOne:
    random = np.random.default_rng(seed)
    return OneByOne(lambda waiting, free, glance, load: int(random.choice(free)))


def round_robin() -> OneByOne:
    turn = [0]

    def pick(waiting: Waiting, free: Sequence[int], glance: Glance, load: Sequence[int]) -> int:
        many = len(glance.agents)
        who = min(free, key=lambda i: (i - turn[0]) % many)
        turn[0] = (who + 1) % many
        return who

    return OneByOne(pick)


def declared(world: World) -> OneByOne:
    """Skill-based routing: those who say that they know the field, the least busy first; from half of the service
    level on anybody."""

    def pick(waiting: Waiting, free: Sequence[int], glance: Glance, load: Sequence[int]) -> int | None:
        given = glance.given(DAY)
        field_ = f"field-{world.group[waiting.contact.seen_intent * 2]}"
        skilled = [i for i in free if field_ in glance.agents[i].skills]
        if not skilled and any(
            field_ in agent.skills and may(agent, waiting, glance.now) for agent in glance.agents
        ):
            skilled = list(free) if waiting.consumed(glance.now) >= ELSEWHERE_FROM else []
        elif not skilled:
            skilled = list(free)
        return min(skilled, key=lambda i: (load[i], given[i], i), default=None)

    return OneByOne(pick)


class RawMeans:
    """The best mean so far of agent and problem, as it was counted; without a case, the agent's, then the shop's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rates: Floats = np.zeros((len(world.people), world.size.problems + len(world.intents)))

    def learn(self, records: Sequence[Record], now: float) -> None:
        shape = self._rates.shape
        won, seen = np.zeros(shape), np.zeros(shape)
        for outcome, record in zip(outcomes(records, self._world, now, {}), records, strict=True):
            for column in _columns(self._world, record.waiting):
                won[record.agent, column] += outcome.success
                seen[record.agent, column] += 1
        own = won.sum(1, keepdims=True) / np.maximum(seen.sum(1, keepdims=True), 1)
        own = np.where(seen.sum(1, keepdims=True) > 0, own, won.sum() / max(seen.sum(), 1))
        self._rates = np.where(seen > 0, won / np.maximum(seen, 1), own)

    def choose(self, glance: Glance) -> Sequence[tuple[int, int]]:
        def pick(waiting: Waiting, free: Sequence[int], _: Glance, load: Sequence[int]) -> int:
            column = _columns(self._world, waiting)[0]
            return max(free, key=lambda i: (self._rates[i, column], -load[i], -i))

        return OneByOne(pick).choose(glance)


def _columns(world: World, waiting: Waiting) -> list[int]:
    """Where a case is counted: under its problem, if known, and under its intent."""
    contact = waiting.contact
    intent = world.size.problems + contact.seen_intent
    return [intent] if contact.seen_problem is None else [contact.seen_problem, intent]


class Oracle(Blind):
    """Knows every chance, and shares out all that wait at once for the largest sum."""

    def __init__(self, chances: Callable[[int, Waiting], float]) -> None:
        self._chance = chances

    def choose(self, glance: Glance) -> Sequence[tuple[int, int]]:
        slots = [
            i
            for i, agent in enumerate(glance.agents)
            if agent.online
            for _ in range(min(agent.capacity - agent.load, len(glance.waiting)))
        ]
        gain = np.zeros((len(glance.waiting), len(slots) + len(glance.waiting)))
        for row, waiting in enumerate(glance.waiting):
            chances = {
                i: 1 + self._chance(i, waiting)
                for i in set(slots)
                if may(glance.agents[i], waiting, glance.now)
            }
            # Who waits longer comes first when not all can be taken.
            late = 1 + 0.01 * min(waiting.consumed(glance.now), 10.0)
            gain[row, : len(slots)] = [chances.get(i, -1.0) * late for i in slots]
        rows, columns = linear_sum_assignment(gain, maximize=True)
        return [
            (int(r), slots[c])
            for r, c in zip(rows, columns, strict=True)
            if c < len(slots) and gain[r, c] > 0
        ]
