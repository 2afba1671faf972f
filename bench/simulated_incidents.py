"""A seeded shop with planted incidents: who wrote about which of 2,000 problems, and what was behind it.

The rhythm is drawn from bumps, rates are lognormal, the shop and each problem wander from day to day, hours scatter on
top of that, and customers write again. One day of the judged part brings two and a half times as many customers, and
nobody declares it. That all problems share the shop's rhythm and scatter alike is as `graph.bursts` supposes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from bench.simulated_traffic import START, ZONE, drawn_rhythm, wandering
from graph.rhythm import DAY, Floats, hour_of_week

SIZES = (6.0, 8.0, 12.0, 20.0, 40.0)
"""Customers an hour that an incident brings."""
LENGTHS = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Hours."""
PROMOTION = 2.5
NEW_SHARE, BY_SIZE_SHARE = 0.25, 0.15
"""Incidents that open a problem, and those that strike problems in proportion to their rate; others strike any."""
PROMOTED_INCIDENTS = 4
GROWN_TIMES = 4.0
GROWING_DAYS = 14
MOST_OF_NEW = 4.0
"""Customers a day of an ordinary problem that opens in the judged part, at most: more is what one wants to hear of."""
WRITES_AGAIN = 0.15


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a shop, and how long it is watched; days before `warm_up` are not judged."""

    problems: int = 2000
    customers_a_day: float = 1350.0
    days: int = 60
    warm_up: int = 30
    incidents: int = 120
    growths: int = 20


@dataclass(frozen=True, slots=True)
class Incident:
    """`begin` and `end` in seconds since 1970; `third` is when its third customer came, None when none did."""

    problem: int
    begin: float
    end: float
    size: float
    opened: bool
    third: float | None


@dataclass(frozen=True, slots=True)
class Growth:
    """From `begin` on, in seconds since 1970, a problem's rate grows for two weeks to four times what it was."""

    problem: int
    begin: float


class Spoken(NamedTuple):
    """One sighting: `second` since 1970, the problem's number, the customer's number."""

    second: float
    problem: int
    customer: int


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, in order of time; `promotion` is the undeclared day's begin in seconds since 1970."""

    scale: Scale
    spoken: Sequence[Spoken]
    incidents: Sequence[Incident]
    growths: Sequence[Growth]
    promotion: float

    @property
    def judged_from(self) -> float:
        return (START + self.scale.warm_up * DAY) * 3600.0

    @property
    def end(self) -> float:
        return (START + self.scale.days * DAY) * 3600.0


def told(seed: int, scale: Scale | None = None) -> Story:
    """One shop's story; the same seed tells the same."""
    scale = scale or Scale()
    chance = np.random.default_rng(seed)
    fresh = round(NEW_SHARE * scale.incidents)
    rates = _rates(chance, scale)
    opened = _openings(chance, scale, rates)
    promotion = int(chance.integers(scale.warm_up + 3, scale.days - 3))
    growths = _growths(chance, scale, rates, opened)
    mean = _means(chance, scale, rates, promotion)
    _let_grow(mean, growths)
    for problem in range(scale.problems):
        mean[: opened[problem], problem] = 0.0
    usual = _usual(chance, mean)
    incidents, struck = _incidents(chance, scale, rates, opened, promotion, growths, fresh)
    seconds = np.concatenate([usual[0], *(times for _, times in struck)])
    problems = np.concatenate([usual[1], *(np.full(len(times), item) for item, times in struck)])
    spoken = _spoken(chance, seconds, problems.astype(int))
    return Story(scale, spoken, incidents, growths, (START + promotion * DAY) * 3600.0)


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def boundaries(story: Story) -> Iterator[float]:
    """Every five minutes of the judged part, in seconds since 1970."""
    yield from np.arange(story.judged_from + 300.0, story.end + 1.0, 300.0).tolist()


def _rates(chance: Generator, scale: Scale) -> Floats:
    """Customers a day of each problem: heavy-tailed, a hundredth of the problems bring a fifth of the customers."""
    rates = np.exp(chance.normal(0.0, 1.5, scale.problems))
    return np.asarray(rates * scale.customers_a_day / rates.sum(), dtype=np.float64)


def _openings(chance: Generator, scale: Scale, rates: Floats) -> np.ndarray:
    """The hour from which each problem exists: a tenth open while the shop is watched."""
    opened = np.zeros(scale.problems, dtype=np.int64)
    young = chance.choice(scale.problems, scale.problems // 10, replace=False)
    opened[young] = chance.integers(8 * DAY, scale.days * DAY, len(young))
    rates[young] = np.minimum(rates[young], MOST_OF_NEW)
    return opened


def _means(chance: Generator, scale: Scale, rates: Floats, promotion: int) -> Floats:
    """Customers an hour to expect, shape (hours, problems)."""
    hours = np.arange(START, START + scale.days * DAY, dtype=np.int64)
    day = np.arange(len(hours)) // DAY
    trend = chance.normal(0.0, 0.02) * day / 7
    shop = np.exp(
        trend + wandering(chance, scale.days, 0.5, 0.08)[day] + wandering(chance, len(hours), 0.8, 0.06)
    )
    shop *= drawn_rhythm(chance)[hour_of_week(hours, ZONE)]
    own = np.stack([wandering(chance, scale.days, 0.5, 0.25) for _ in range(scale.problems)], axis=1)
    drift = chance.normal(0.0, 0.03, scale.problems)[None, :] * np.arange(scale.days)[:, None] / 7
    mean = shop[:, None] * np.exp(own + drift)[day] * rates[None, :] / DAY
    lift = np.exp(chance.normal(np.log(PROMOTION) - 0.15**2 / 2, 0.15, scale.problems))
    mean[day == promotion] *= lift
    return np.asarray(mean, dtype=np.float64)


def _growths(chance: Generator, scale: Scale, rates: Floats, opened: np.ndarray) -> list[Growth]:
    fit = np.flatnonzero((rates >= 1.0) & (rates <= 10.0) & (opened == 0))
    begins = chance.integers(scale.warm_up - 5, scale.days - GROWING_DAYS, scale.growths)
    chosen = chance.choice(fit, scale.growths, replace=False)
    return [
        Growth(int(problem), (START + int(begin) * DAY) * 3600.0)
        for problem, begin in zip(chosen, begins, strict=True)
    ]


def _let_grow(mean: Floats, growths: Sequence[Growth]) -> None:
    for item in growths:
        hours = np.arange(len(mean)) - (item.begin / 3600 - START)
        mean[:, item.problem] *= 1 + (GROWN_TIMES - 1) * np.clip(hours / (GROWING_DAYS * DAY), 0, 1)


def _usual(chance: Generator, mean: Floats) -> tuple[Floats, np.ndarray]:
    """Seconds and problems of what comes without incidents: negative binomial hours, φ = .1."""
    counts = chance.poisson(mean * chance.gamma(10.0, 0.1, mean.shape))
    hour, problem = np.nonzero(counts)
    repeated = counts[hour, problem]
    begin = np.repeat((START + hour) * 3600.0, repeated)
    return begin + chance.uniform(0.0, 3600.0, len(begin)), np.repeat(problem, repeated)


def _incidents(
    chance: Generator,
    scale: Scale,
    rates: Floats,
    opened: np.ndarray,
    promotion: int,
    growths: Sequence[Growth],
    fresh: int,
) -> tuple[list[Incident], list[tuple[int, Floats]]]:
    """What is planted, with the seconds at which its customers write, in problems each struck once."""
    free = np.flatnonzero((opened == 0) & ~np.isin(np.arange(scale.problems), [g.problem for g in growths]))
    by_size = round(BY_SIZE_SHARE * scale.incidents)
    large = chance.choice(free, by_size, replace=False, p=rates[free] / rates[free].sum())
    any_of = chance.choice(np.setdiff1d(free, large), scale.incidents - by_size - fresh, replace=False)
    new = scale.problems + np.arange(fresh)
    problems = chance.permutation(np.concatenate([large, any_of, new]))
    clock = drawn_rhythm(chance)[:DAY]
    incidents: list[Incident] = []
    struck: list[tuple[int, Floats]] = []
    for number, problem in enumerate(problems.tolist()):
        size = SIZES[number % len(SIZES)]
        length = float(chance.choice(LENGTHS)) * 3600
        day = (
            promotion if number < PROMOTED_INCIDENTS else int(chance.integers(scale.warm_up, scale.days - 1))
        )
        hour = int(chance.choice(DAY, p=clock / clock.sum()))
        begin = (START + day * DAY + hour) * 3600.0 + float(chance.uniform(0, 3600))
        times = np.sort(begin + chance.uniform(0, length, chance.poisson(size * length / 3600)))
        third = float(times[2]) if len(times) > 2 else None
        incidents.append(Incident(problem, begin, begin + length, size, problem >= scale.problems, third))
        struck.append((problem, times))
    return incidents, struck


def _spoken(chance: Generator, seconds: Floats, problems: np.ndarray) -> list[Spoken]:
    """Each customer writes once, some of them again within the hour, in order of time."""
    again = chance.random(len(seconds)) < WRITES_AGAIN
    later = seconds[again] + chance.exponential(1200.0, int(again.sum()))
    customers = np.arange(len(seconds))
    times = np.concatenate([seconds, later])
    about = np.concatenate([problems, problems[again]])
    who = np.concatenate([customers, customers[again]])
    order = np.argsort(times, kind="stable")
    return [
        Spoken(float(second), int(problem), int(customer))
        for second, problem, customer in zip(times[order], about[order], who[order], strict=True)
    ]
