"""A support desk over time: contacts arrive, people come and go, a policy says who takes what.

An event queue: arrivals, ends of cases, returns of customers whose matter was not settled, shifts, people who vanish,
and a look at the queue every minute while somebody waits. The policy is asked after each of them.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

import numpy as np

from bench.simulated_shop import DAY, HARDER, HOUR, HOURS, Contact, World, moment, promised
from graph.models import Agent
from graph.profiles import Outcome
from graph.support_lines import line_of

LOOK = 60.0
FOUND_MISSING = 600.0
"""After so many seconds without a word an agent is taken for inactive and their cases go back to the queue."""
SLOWER = 0.1
"""Each further open case makes a case take so much longer."""
CONTINUITY = 0.25
"""Log-odds and share of time that an agent gains with a customer whom they served within a week."""
KNOWN_FOR = timedelta(days=7).total_seconds()
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case in the queue; `returns` counts how often its customer came back, `opened` is when they wrote."""

    contact: Contact
    returns: int
    opened: float
    allowed: float
    last_agent: int | None = None
    last_at: float = 0.0
    answered: float | None = None

    @property
    def key(self) -> str:
        return f"{self.contact.id}.{self.returns}"

    def consumed(self, now: float) -> float:
        return (now - self.opened) / self.allowed


@dataclass(frozen=True, slots=True)
class Record:
    """One case that an agent finished. `success` is the truth, `resolved` what the agent said."""

    waiting: Waiting
    agent: int
    answered: float
    ended: float
    seconds: float
    chance: float
    success: bool
    resolved: bool
    returned: float | None
    rating: float | None

    @property
    def wait(self) -> float:
        return self.answered - self.waiting.opened


@dataclass(frozen=True, slots=True)
class Glance:
    """What a policy sees: the queue, everybody as the service knows them, and what they were given lately."""

    now: float
    waiting: Sequence[Waiting]
    agents: Sequence[Agent]
    times: Sequence[Sequence[float]]
    shifts: Sequence[Sequence[tuple[float, float]]]

    def given(self, seconds: float) -> list[int]:
        """How many cases each agent was given in the last so many seconds."""
        return [len(times) - bisect_right(times, self.now - seconds) for times in self.times]

    def online(self, seconds: float) -> list[float]:
        """For how many of the last so many seconds each agent was on shift."""
        return [online_within(spans, self.now - seconds, self.now) for spans in self.shifts]


class Policy(Protocol):
    def learn(self, records: Sequence[Record], now: float) -> None:
        """Called each night with all records so far."""

    def choose(self, glance: Glance) -> Sequence[tuple[int, int]]:
        """Pairs of a place in the queue and an agent's number."""


@dataclass(slots=True)
class _Open:
    waiting: Waiting
    agent: int
    taken: float
    answered: float
    serial: int


@dataclass(slots=True)
class Desk:
    """The state of a desk; `run` moves it on. A copy goes its own way."""

    world: World
    now: float = 0.0
    queue: list[Waiting] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    open: dict[int, _Open] = field(default_factory=dict)
    back: int = 0
    _events: list[tuple[float, int, str, int]] = field(default_factory=list)
    _serial: int = 0
    _returning: dict[int, Waiting] = field(default_factory=dict)
    _present: list[bool] = field(default_factory=list)
    _gone: list[bool] = field(default_factory=list)
    _served: dict[str, tuple[int, float]] = field(default_factory=dict)
    _given: list[list[float]] = field(default_factory=list)
    _next_look: float = -1.0

    @classmethod
    def opened(cls, world: World) -> Desk:
        desk = cls(world)
        desk._present = [False] * len(world.people)
        desk._gone = [False] * len(world.people)
        desk._given = [[] for _ in world.people]
        for number, contact in enumerate(world.contacts):
            desk._push(contact.at, "arrival", number)
        for number, person in enumerate(world.people):
            for begin, end in person.shifts:
                desk._push(begin, "on", number)
                desk._push(end, "off", number)
            for begin, end in person.vanishes:
                desk._push(begin, "vanish", number)
                desk._push(begin + FOUND_MISSING, "missing", number)
                desk._push(end, "reappear", number)
        for day in range(1, world.size.days):
            desk._push(day * DAY + 4 * HOUR, "night", day)
        return desk

    def copy(self) -> Desk:
        return replace(
            self,
            queue=list(self.queue),
            records=list(self.records),
            open={k: replace(o) for k, o in self.open.items()},
            _events=list(self._events),
            _returning=dict(self._returning),
            _present=list(self._present),
            _gone=list(self._gone),
            _served=dict(self._served),
            _given=[list(g) for g in self._given],
        )

    def run(self, policy: Policy, until: float) -> None:
        """Move on to `until` with one policy."""
        while self._events and self._events[0][0] < until:
            self.now, _, kind, number = heapq.heappop(self._events)
            if kind == "night":
                policy.learn(self.records, self.now)
                continue
            getattr(self, f"_{kind}")(number)
            if kind in ("arrival", "end", "again", "on", "missing", "look"):
                self._dispatch(policy)
        self.now = until

    def _push(self, at: float, kind: str, number: int) -> None:
        self._serial += 1
        heapq.heappush(self._events, (at, self._serial, kind, number))

    # --- events

    def _arrival(self, number: int) -> None:
        contact = self.world.contacts[number]
        self._join(contact, 0)

    def _again(self, serial: int) -> None:
        before = self._returning.pop(serial)
        self._join(before.contact, before.returns + 1)

    def _join(self, contact: Contact, returns: int) -> None:
        last, at = self._served.get(contact.customer.id, (None, 0.0))
        if self.now - at > KNOWN_FOR:
            last = None
        allowed = promised(contact, self.now, returns)
        self.queue.append(Waiting(contact, returns, self.now, allowed, last, at))

    def _on(self, number: int) -> None:
        self._present[number] = not self._gone[number]

    def _off(self, number: int) -> None:
        self._present[number] = False

    def _vanish(self, number: int) -> None:
        self._gone[number] = True
        for held in self.open.values():
            if held.agent == number:
                held.serial = -abs(held.serial)  # its end will not come

    def _missing(self, number: int) -> None:
        """Found to be inactive: offline, and what they held goes back to the queue."""
        self._present[number] = False
        for key, held in list(self.open.items()):
            if held.agent == number:
                del self.open[key]
                self.back += 1
                answered = held.answered if held.taken < self.now - FOUND_MISSING else None
                self.queue.append(replace(held.waiting, answered=answered))

    def _reappear(self, number: int) -> None:
        self._gone[number] = False
        shifts = self.world.people[number].shifts
        self._present[number] = any(begin <= self.now < end for begin, end in shifts)

    def _look(self, number: int) -> None:
        self._next_look = -1.0

    def _end(self, serial: int) -> None:
        held = self.open.get(serial)
        if held is None or held.serial != serial:
            return
        del self.open[serial]
        waiting, agent = held.waiting, held.agent
        chance = self.chance(agent, waiting)
        luck = waiting.contact.luck[waiting.returns]
        success = luck < chance
        how = 0.0 if success else (luck - chance) / (1 - chance)
        resolved = success or how < 0.7
        returned = None
        if not success and how < 0.85 and waiting.returns + 1 < _TRIES:
            returned = _opening(self.now + waiting.contact.returns_after[waiting.returns])
            self._push(returned, "again", serial)
            self._returning[serial] = waiting
        rating = None
        if luck * 1e4 % 1 < 0.25:
            rating = (5.0 if luck * 1e3 % 1 < 0.7 else 4.0) if success else (2.0 if how < 0.6 else 3.0)
        self._served[waiting.contact.customer.id] = (agent, self.now)
        self.records.append(
            Record(
                waiting,
                agent,
                held.answered,
                self.now,
                self.now - held.taken,
                chance,
                success,
                resolved,
                returned,
                rating,
            )
        )

    # --- who takes what

    def chance(self, agent: int, waiting: Waiting) -> float:
        """The true chance that this agent settles this case."""
        contact = waiting.contact
        odds = self.world.odds[agent, contact.problem] + CONTINUITY * (waiting.last_agent == agent)
        if line_of(self.world.people[agent].agent) < contact.line:
            odds -= HARDER
        return float(1 / (1 + np.exp(-odds)))

    def agents(self) -> list[Agent]:
        load = [0] * len(self.world.people)
        for held in self.open.values():
            load[held.agent] += 1
        return [
            replace(person.agent, online=here, load=held)
            for person, here, held in zip(self.world.people, self._present, load, strict=True)
        ]

    def _dispatch(self, policy: Policy) -> None:
        if not self.queue:
            return
        agents = self.agents()
        if any(agent.online and agent.load < agent.capacity for agent in agents):
            shifts = [person.shifts for person in self.world.people]
            glance = Glance(self.now, tuple(self.queue), agents, self._given, shifts)
            pairs = list(policy.choose(glance))
            taken = {place for place, _ in pairs}
            assert len(taken) == len(pairs), "a case given twice"
            for place, agent in pairs:
                self._take(self.queue[place], agent, agents)
            self.queue = [waiting for place, waiting in enumerate(self.queue) if place not in taken]
        if self.queue and self._next_look < self.now:
            self._next_look = self.now + LOOK
            self._push(self._next_look, "look", 0)

    def _take(self, waiting: Waiting, agent: int, agents: Sequence[Agent]) -> None:
        who = agents[agent]
        load = sum(held.agent == agent for held in self.open.values())
        assert who.online and load < who.capacity and waiting.contact.language in who.languages
        self._serial += 1
        serial = self._serial
        known = waiting.last_agent == agent
        pace = np.exp(waiting.contact.pace[waiting.returns]) * (1 + SLOWER * load)
        seconds = self.world.seconds[agent, waiting.contact.problem] * pace * (1 - CONTINUITY * known)
        answered = self.now if waiting.answered is None else waiting.answered
        self.open[serial] = _Open(waiting, agent, self.now, answered, serial)
        self._given[agent].append(self.now)
        if self._gone[agent]:
            self.open[serial].serial = -serial
        else:
            self._push(self.now + float(seconds), "end", serial)


def online_within(shifts: Sequence[tuple[float, float]], since: float, now: float) -> float:
    """Seconds on shift between two moments."""
    place = max(0, bisect_right(shifts, (since, since)) - 1)
    total = 0.0
    for begin, end in shifts[place:]:
        if begin >= now:
            break
        total += max(0.0, min(end, now) - max(begin, since))
    return total


def _opening(at: float) -> float:
    """The moment itself, or the next opening where nobody would write."""
    hour = at % DAY / HOUR
    if hour < HOURS[0]:
        return at - at % DAY + HOURS[0] * HOUR + at % 1800
    return at if hour < HOURS[1] else at - at % DAY + DAY + HOURS[0] * HOUR + at % 1800


def outcomes(records: Sequence[Record], world: World, now: float, homes: Mapping[str, str]) -> list[Outcome]:
    """What the service knows at `now`: a case counts as reopened once its customer has come back."""
    known = []
    for record in records:
        contact = record.waiting.contact
        problem = None if contact.seen_problem is None else world.problems[contact.seen_problem].id
        intent = world.intents[contact.seen_intent].id
        known.append(
            Outcome(
                world.people[record.agent].agent.id,
                problem,
                intent,
                homes.get(problem or intent),
                contact.customer.id,
                record.resolved,
                record.returned is not None and record.returned <= now,
                record.seconds,
                record.rating,
                moment(record.ended),
            )
        )
    return known
