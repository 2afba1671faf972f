"""A shop in which the truth is known: people with hidden skills, problems, customers, contacts, shifts.

Everything is drawn from one seed. Times are seconds from the Monday on which the history begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.models import Agent, Customer, Emotion, EmotionLabel, Intent, Problem, Understanding
from graph.priority import prioritise
from graph.service_level import sla

Floats: TypeAlias = NDArray[np.float64]
Span: TypeAlias = tuple[float, float]

START = datetime(2026, 9, 7, tzinfo=UTC)
HOUR = 3600.0
DAY = 24 * HOUR
REOPENS_WITHIN = 72 * HOUR
HARD_ONE_IN = 8
HARDER = 1.2
"""Log-odds that who gives first answers lacks where a contact is for experts."""
HOURS = (8, 23)
"""Customers write from the first hour to the last."""
RHYTHM = (0.6, 0.9, 1.3, 1.4, 1.0, 0.8, 0.9, 1.0, 1.0, 0.9, 0.8, 0.9, 1.3, 1.2, 0.7)
"""Contacts by hour of the day from 8 o'clock on, relative to the mean."""
WEEKDAYS = (1.1, 1.0, 0.95, 0.95, 0.95, 1.0, 1.05)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a shop and how long a time is simulated; days are counted from the first of the history.

    Clusters of `clustered_days` are compared with those of the next so many.
    """

    core: int = 20
    flex: int = 3
    supervisors: int = 1
    groups: int = 8
    problems_each: int = 6
    contacts_a_day: float = 170.0
    history_days: int = 42
    measured_days: int = 14
    promotion_day: int = 52
    promotion: float = 2.5
    customers: int = 6000
    clustered_days: int = 14
    experts: int = 0
    """So many of the core, spread over its fields, stand in the second line, whom one contact in eight is for: too hard
    by `HARDER` for everybody else."""

    @property
    def problems(self) -> int:
        return self.groups * self.problems_each

    @property
    def days(self) -> int:
        return self.history_days + self.measured_days


@dataclass(frozen=True, slots=True)
class Person:
    """Who answers: what the shop knows in `agent`, when they are there in `shifts`, sorted."""

    agent: Agent
    shifts: tuple[Span, ...]
    vanishes: tuple[Span, ...]
    """Spells within shifts in which they are gone without a word: their open cases lie still."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One customer's first message about one matter.

    `seen_problem` and `seen_intent` are what the service takes it for. `luck` decides success, `pace` the time
    that it takes: one each for the first try and for every return, the same whoever takes the case.
    """

    id: str
    at: float
    problem: int
    seen_problem: int | None
    seen_intent: int
    customer: Customer
    value: float
    language: str
    understanding: Understanding
    luck: tuple[float, ...]
    pace: tuple[float, ...]
    returns_after: tuple[float, ...]
    line: int = 1


@dataclass(frozen=True, slots=True)
class World:
    """`odds` is the true log-odds that an agent resolves a problem for good, `seconds` the median time it takes;
    both have the shape (agents, problems). `group` is the hidden expertise of each problem."""

    size: Size
    people: tuple[Person, ...]
    intents: tuple[Intent, ...]
    problems: tuple[Problem, ...]
    group: tuple[int, ...]
    odds: Floats
    seconds: Floats
    contacts: tuple[Contact, ...]

    @property
    def chances(self) -> Floats:
        """The true P(resolve), shape (agents, problems)."""
        return 1 / (1 + np.exp(-self.odds))


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def invented(seed: int, size: Size | None = None, *, fields_declared: bool = False) -> World:
    """The shop of a seed. With `fields_declared` its intents name their expertise, else nothing does."""
    size = size or Size()
    random = np.random.default_rng(seed)
    group = tuple(p // size.problems_each for p in range(size.problems))
    strong = _strengths(random, size)
    odds, seconds = _truth(random, size, strong)
    intents = tuple(
        Intent(f"i{i:02}", f"Intent {i}", (), expertise=_field(group[2 * i]) if fields_declared else None)
        for i in range(size.problems // 2)
    )
    problems = tuple(
        Problem(f"p{p:02}", {"en": f"Problem {p}"}, "open", START, START, START, intent_id=intents[p // 2].id)
        for p in range(size.problems)
    )
    people = _people(random, size, strong)
    contacts = _contacts(random, size, group)
    return World(size, people, intents, problems, group, odds, seconds, contacts)


def _field(group: int) -> str:
    return f"field-{group}"


def _strengths(random: np.random.Generator, size: Size) -> list[list[int]]:
    """One to three strong groups an agent, so that each group has people."""
    agents = size.core + size.flex + size.supervisors
    return [
        sorted({i % size.groups, *map(int, random.choice(size.groups, int(random.integers(0, 3))))})
        for i in range(agents)
    ]


def _truth(random: np.random.Generator, size: Size, strong: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
    agents, problems = len(strong), size.problems
    skill = random.normal(-0.35, 0.35, (agents, size.groups))
    for agent, groups in enumerate(strong):
        skill[agent, list(groups)] = random.normal(1.1, 0.35, len(groups))
    skill = np.repeat(skill, size.problems_each, axis=1)
    general = random.normal(0, 0.35, (agents, 1))
    hardness = random.normal(0, 0.6, (1, problems))
    own = random.normal(0, 0.45, (agents, problems))
    odds = 0.8 + general + hardness + skill + own
    base = random.normal(np.log(34 * 60), 0.3, (1, problems))
    seconds = np.exp(base + random.normal(0, 0.15, (agents, 1)) - 0.15 * (skill + own) - 0.1 * hardness)
    return odds, seconds


def _people(random: np.random.Generator, size: Size, strong: Sequence[Sequence[int]]) -> tuple[Person, ...]:
    people = []
    for i, groups in enumerate(strong):
        pool = "core" if i < size.core or i >= size.core + size.flex else "flex"
        permissions = ("supervisor",) if i >= size.core + size.flex else ()
        if i < size.core and i * size.experts % size.core < size.experts:
            permissions = ("level-2",)
        spoken = [("zh", "en"), ("zh",), ("zh", "en"), ("zh",), ("en", "zh")][i % 5]
        if i % 10 == 6:
            spoken = ("en",)
        agent = Agent(
            f"a{i:02}",
            f"Agent {i}",
            spoken,
            _declared(random, size, groups),
            capacity=int(random.integers(3, 5)),
            pool="flex" if pool == "flex" else "core",
            permissions=permissions,
        )
        shifts, vanishes = _shifts(random, size, i)
        people.append(Person(agent, shifts, vanishes))
    return tuple(people)


def _declared(random: np.random.Generator, size: Size, strong: Sequence[int]) -> tuple[str, ...]:
    """What an agent is said to know: of what they know a quarter is left out, and a third adds what they do not."""
    said = {g for g in strong if random.random() > 0.25}
    if random.random() < 0.34 or not said:
        said.add(int(random.integers(size.groups)))
    return tuple(_field(g) for g in sorted(said))


def _shifts(random: np.random.Generator, size: Size, agent: int) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Five days of seven, early or late by the week, with a break; one shift in thirty is left for an hour or two."""
    shifts: list[Span] = []
    vanishes: list[Span] = []
    for day in range(size.days):
        if (day + agent * 3) % 7 in (5, 6):
            continue
        late = (agent + day // 7) % 2 == 1
        begin = day * DAY + (15.5 if late else 8.0) * HOUR
        pause = begin + random.uniform(2.5, 5.0) * HOUR
        shifts += [(begin, pause), (pause + 0.75 * HOUR, begin + 8 * HOUR)]
        if random.random() < 1 / 30:
            gone = begin + random.uniform(0.2, 2.0) * HOUR
            vanishes.append((gone, gone + random.uniform(1.0, 1.4) * HOUR))
    return tuple(shifts), tuple(vanishes)


def _contacts(random: np.random.Generator, size: Size, group: Sequence[int]) -> tuple[Contact, ...]:
    customers = [_customer(random, i) for i in range(size.customers)]
    popular = np.exp(random.normal(0, 0.7, size.problems))
    promoted = popular * np.where(np.isin(group, (0, 1)), 2.0, 1.0)
    contacts: list[Contact] = []
    for at in _arrivals(random, size):
        weights = promoted if at // DAY == size.promotion_day else popular
        problem = int(random.choice(size.problems, p=weights / weights.sum()))
        customer, value, language = customers[int(random.integers(size.customers))]
        contacts.append(_contact(random, size, len(contacts), at, problem, customer, value, language))
    return tuple(contacts)


def _arrivals(random: np.random.Generator, size: Size) -> Floats:
    times: list[float] = []
    scale = size.contacts_a_day / sum(RHYTHM)
    for day in range(size.days):
        factor = WEEKDAYS[day % 7] * (size.promotion if day == size.promotion_day else 1.0)
        for offset, share in enumerate(RHYTHM):
            many = random.poisson(scale * share * factor)
            times += list(day * DAY + (HOURS[0] + offset + random.random(many)) * HOUR)
    return np.sort(np.array(times))


def _customer(random: np.random.Generator, number: int) -> tuple[Customer, float, str]:
    """A customer, their value from 0 to 1, and their language."""
    value = float(random.random())
    tier = ("bronze", "bronze", "silver", "silver", "gold", "platinum")[
        int(np.searchsorted([0.2, 0.45, 0.65, 0.85, 0.96], value))
    ]
    orders = int(random.poisson(0.5 + 6 * value**2))
    spend = float(orders * np.exp(random.normal(5.2, 0.6)))
    recency = float(random.exponential(20 + 80 * (1 - value)))
    language = "zh" if random.random() < 0.72 else "en"
    return Customer(f"c{number}", None if value < 0.2 else tier, orders, spend, recency), value, language


def _contact(
    random: np.random.Generator,
    size: Size,
    number: int,
    at: float,
    problem: int,
    customer: Customer,
    value: float,
    language: str,
) -> Contact:
    mood: EmotionLabel = ("angry", "upset", "neutral", "pleased")[
        int(np.searchsorted([0.12, 0.35, 0.95], random.random()))
    ]
    urgency = float(np.clip(random.beta(1.2, 3.0) + (0.2 if mood == "angry" else 0.0), 0, 1))
    felt = Emotion(mood, float(random.uniform(0.6, 1.0)))
    taken_for = random.random()
    seen: int | None = problem
    if taken_for < 0.07:
        seen = None
    elif taken_for < 0.15:
        first = problem - problem % size.problems_each
        seen = first + int(random.integers(size.problems_each))
    return Contact(
        id=f"k{number:06}",
        at=float(at),
        problem=problem,
        seen_problem=seen,
        seen_intent=(problem if seen is None else seen) // 2,
        customer=customer,
        value=value,
        language=language,
        understanding=Understanding(language, (), False, (), felt, urgency),
        luck=tuple(map(float, random.random(3))),
        pace=tuple(map(float, random.normal(0, 0.5, 3))),
        returns_after=tuple(map(float, np.minimum(random.exponential(20 * HOUR, 3), REOPENS_WITHIN - 60))),
        line=2 if size.experts and number % HARD_ONE_IN == 0 else 1,
    )


def promised(contact: Contact, at: float, returns: int) -> float:
    """Seconds within which a first reply to this contact is promised, from what is known as it comes in."""
    priority = prioritise(contact.understanding, contact.customer, repeat_contacts=returns)
    opened = moment(at)
    return (sla(priority.band, contact.customer.tier, opened).first_response_due - opened).total_seconds()
