"""Seeded traffic of an imaginary shop: rhythm, trend, day effects, promotion days, holidays and planted surges.

Nothing of it is fitted to the forecast: the rhythm is drawn from bumps, not from a product of hour and day; days and
hours wander by autoregressions; counts are negative binomial on top of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta, timezone

import numpy as np
from numpy.random import Generator

from graph.rhythm import DAY, WEEK, Floats, hour_of_week

ZONE = timezone(timedelta(hours=8))
START = 20_244 * DAY - 8  # 2025-06-05 00:00 in Shanghai
PARTS = 6


@dataclass(frozen=True, slots=True)
class Planted:
    """A surge from `hour` on: `extra` more arrivals an hour in one part, or `extra` times as many in all (-1)."""

    hour: int
    hours: int
    part: int
    extra: float


@dataclass(frozen=True, slots=True)
class History:
    """Counts by hour and part, what they were drawn from, and what is planted in them."""

    start: int
    counts: Floats
    means: Floats
    promotions: tuple[date, ...]
    undeclared: tuple[date, ...]
    holidays: tuple[date, ...]
    planted: tuple[Planted, ...]


def simulated(seed: int, *, days: int = 84, surges: int = 0, quiet_days: int = 28) -> History:
    """`days` days; promotions, holidays and surges lie at random, surges only after `quiet_days`."""
    chance = np.random.default_rng(seed)
    hours = np.arange(START, START + days * DAY, dtype=np.int64)
    slot = hour_of_week(hours, ZONE)
    shop = float(np.exp(chance.normal(np.log(18), 0.5)))
    trend = float(chance.normal(0.0, 0.02))
    shares = chance.dirichlet(np.full(PARTS, 2.0))
    weeks = np.arange(len(hours)) / WEEK
    day = (np.arange(len(hours)) // DAY).astype(int)
    mean = np.empty((len(hours), PARTS))
    shared = wandering(chance, days, 0.5, 0.08)[day] + wandering(chance, len(hours), 0.8, 0.06)
    for part in range(PARTS):
        own = wandering(chance, days, 0.5, 0.06)[day]
        mean[:, part] = (
            shop * shares[part] * drawn_rhythm(chance)[slot] * np.exp(trend * weeks + shared + own)
        )
    promotions, undeclared, holidays = _special(chance, days, mean, day)
    planted = tuple(_plant(chance, days, quiet_days) for _ in range(surges))
    for item in planted:
        rows = slice(item.hour, item.hour + item.hours)
        if item.part < 0:
            mean[rows] *= item.extra
        else:
            mean[rows, item.part] += item.extra
    size = 1 / 0.04
    counts = chance.negative_binomial(size, size / (size + mean)).astype(float)
    return History(START, counts, mean, promotions, undeclared, holidays, planted)


def drawn_rhythm(chance: Generator) -> Floats:
    """Mean 1 over a week: a morning and an evening bump, weekends of their own height and later hours."""
    week = np.zeros(WEEK)
    morning, evening = chance.normal(10.5, 0.7), chance.normal(20.5, 0.7)
    weights = chance.dirichlet((6, 6, 2))
    for day in range(7):
        weekend = day >= 5
        height = float(np.exp(chance.normal(0.15 if weekend else 0.0, 0.12)))
        clock = np.arange(DAY)
        late = 1.0 if weekend else 0.0
        curve = (
            weights[0] * _bump(clock, morning + late, 2.5)
            + weights[1] * _bump(clock, evening + 0.5 * late, 2.2)
            + weights[2] * _bump(clock, 15.0, 4.0)
            + 0.004
        )
        week[day * DAY : (day + 1) * DAY] = height * curve
    return np.asarray(week / week.mean(), dtype=np.float64)


def _bump(clock: Floats | np.ndarray, centre: float, width: float) -> Floats:
    away = (clock - centre + 12) % 24 - 12
    return np.asarray(np.exp(-0.5 * (away / width) ** 2) / width, dtype=np.float64)


def wandering(chance: Generator, steps: int, keep: float, deviation: float) -> Floats:
    """An autoregression with mean 0 and that standard deviation."""
    values = np.empty(steps)
    value = chance.normal(0, deviation)
    for step in range(steps):
        value = keep * value + chance.normal(0, deviation * np.sqrt(1 - keep**2))
        values[step] = value
    return values


def _special(
    chance: Generator,
    days: int,
    mean: Floats,
    day: np.ndarray,
) -> tuple[tuple[date, ...], tuple[date, ...], tuple[date, ...]]:
    """Two promotion days, of which the shop declares one, and a holiday of three days."""
    first = date(1970, 1, 1) + timedelta(days=(START + 8) // DAY)
    chosen = chance.choice(np.arange(14, days - 4), size=2, replace=False)
    for place in chosen:
        mean[day == place] *= chance.uniform(1.8, 3.0)
    begin = int(chance.integers(21, days - 10))
    for offset in range(3):
        mean[day == begin + offset] *= 0.45
    return (
        (first + timedelta(days=int(chosen[0])),),
        (first + timedelta(days=int(chosen[1])),),
        tuple(first + timedelta(days=begin + offset) for offset in range(3)),
    )


def _plant(chance: Generator, days: int, quiet_days: int) -> Planted:
    """A surge by day of two to five hours: 6 to 20 more an hour in a part, 1.7 to 2.5 times as many in the shop."""
    day = int(chance.integers(quiet_days, days - 1))
    hour = day * DAY + int(chance.integers(8, 22))
    hours = int(chance.integers(2, 6))
    if chance.random() < 0.3:
        return Planted(hour, hours, -1, float(chance.uniform(1.7, 2.5)))
    return Planted(hour, hours, int(chance.integers(PARTS)), float(chance.uniform(6.0, 20.0)))
