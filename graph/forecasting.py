"""Arrivals in the hours to come, with intervals that the past has tried.

The mean is that of `graph.rhythm`. How far counts scatter around it is taken from forecasts of the past: the rhythm is
fitted anew at earlier moments, and the negative binomial that explains what then came gives the intervals.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import betainc, gammaln  # type: ignore[import-untyped]

from graph.rhythm import DAY, WEEK, Floats, Hours, Rhythm, fit, gaps

Basis: TypeAlias = Literal["no_history", "profile", "seasonal"]
"""What a forecast rests on: next to nothing; hours of the day; hours of the week."""

PROFILE_FROM = 2 * DAY
SEASONAL_FROM = 2 * WEEK
ORIGINS = 14
"""Earlier moments, a day apart, at which the past is forecast to learn how far counts scatter."""
HISTORY = 26 * WEEK
"""Hours further back teach nothing: the profile's half-life is six weeks."""
_GRID = np.logspace(-3.0, 0.7, 60)
UNTRIED = 0.5
"""The dispersion of a forecast that could not be tried on the past."""
_PRIOR_HOURS = 48.0
"""Hours of the whole shop's scatter behind that of each series."""
_LEVELS = (0.80, 0.95)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Counts to expect, one row a series and one column an hour; `low` and `high` by level of the interval.

    `naive` is what the same hour brought a week before, a day before where there is no week; NaN without either,
    and where nothing was told of that hour.
    `dispersion` φ makes the variance mean + φ·mean². `rhythm` is None without history.
    """

    basis: Basis
    hours: Hours
    mean: Floats
    low: dict[float, Floats]
    high: dict[float, Floats]
    naive: Floats
    dispersion: Floats
    rhythm: Rhythm | None


def forecast(
    start: int,
    counts: Floats,
    hours: int,
    zone: tzinfo,
    *,
    promotions: Collection[date] = (),
) -> Forecast:
    """The `hours` after the last of `counts`, shape (hours, series), the first series being the whole shop.

    `start` is the hour (since 1970) of the first row. The
    intervals hold at least 80% and 95%, with as much beyond either end.
    """
    start, counts = recent_part(start, counts)
    ahead = np.arange(start + len(counts), start + len(counts) + hours, dtype=np.int64)
    naive = _naive(counts, hours)
    basis = basis_of(counts)
    if basis == "no_history":
        level = counts.mean(0) if len(counts) else np.zeros(counts.shape[1])
        mean = np.repeat(level[:, None], hours, axis=1)
        dispersion = np.full(counts.shape[1], UNTRIED)
        rhythm = None
    else:
        rhythm = fit(start, counts, zone, promotions=promotions, by_week=basis == "seasonal")
        mean = rhythm.expected(ahead)
        dispersion = scatter(start, counts, zone, promotions=promotions, ahead=min(hours, 2 * DAY))
    low, high = intervals(mean, dispersion)
    return Forecast(basis, ahead, mean, low, high, naive, dispersion, rhythm)


def scatter(
    start: int, counts: Floats, zone: tzinfo, *, promotions: Collection[date] = (), ahead: int = 2 * DAY
) -> Floats:
    """The dispersion of each series, from forecasts of the past `ORIGINS` days, each `ahead` hours long."""
    seen: list[Floats] = []
    hoped: list[Floats] = []
    told = ~gaps(counts[:, 0])
    for back in range(ORIGINS, 0, -1):
        end = len(counts) - back * DAY
        basis = basis_of(counts[: max(0, end)])
        if basis == "no_history":
            continue
        past = fit(start, counts[:end], zone, promotions=promotions, by_week=basis == "seasonal")
        coming = counts[end : end + ahead]
        hours = np.arange(start + end, start + end + len(coming), dtype=np.int64)
        kept = told[end : end + ahead]
        seen.append(coming.T[:, kept])
        hoped.append(past.expected(hours)[:, kept])
    if not any(part.size for part in seen):
        return np.full(counts.shape[1], UNTRIED)
    return dispersions(np.hstack(seen), np.hstack(hoped))


def dispersions(seen: Floats, hoped: Floats) -> Floats:
    """The likeliest dispersion of each row, on a grid, the first row (the whole shop) standing behind the others.

    Hours beyond what the rest of them make likely, such as an incident, weigh less: half a per cent at either end
    of the likelihoods is left out.
    """
    logs = np.stack([_log_likelihood(seen, hoped, phi) for phi in _GRID], axis=-1)
    typical = logs.max(axis=-1)
    kept = typical >= np.quantile(typical, 0.005, axis=1, keepdims=True)
    totals = np.where(kept[..., None], logs, 0.0).sum(axis=1)
    shop = totals[0] / max(1, seen.shape[1]) * _PRIOR_HOURS
    totals[1:] = totals[1:] + shop
    chosen: Floats = _GRID[totals.argmax(axis=1)]
    return chosen


def _log_likelihood(seen: Floats, mean: Floats, phi: float) -> Floats:
    size = 1.0 / phi
    mean = np.maximum(mean, 1e-6)
    value: Floats = (
        gammaln(seen + size)
        - gammaln(size)
        - gammaln(seen + 1)
        + size * np.log(size / (size + mean))
        + seen * np.log(mean / (size + mean))
    )
    return value


def intervals(mean: Floats, dispersion: Floats) -> tuple[dict[float, Floats], dict[float, Floats]]:
    """The ends of the 80% and 95% intervals of a negative binomial, by level; shapes as `mean`.

    Counts are whole, so an interval holds more than its level. It is cut where an end can go and enough is left.
    """
    low: dict[float, Floats] = {}
    high: dict[float, Floats] = {}
    phi = np.broadcast_to(dispersion[:, None], mean.shape)
    for level in _LEVELS:
        tail = (1 - level) / 2
        begin = quantile(np.full(mean.shape, tail), mean, phi)
        end = quantile(np.full(mean.shape, 1 - tail), mean, phi)
        low[level], high[level] = _cut(begin, end, mean, phi, level)
    return low, high


def _cut(low: Floats, high: Floats, mean: Floats, phi: Floats, level: float) -> tuple[Floats, Floats]:
    """The interval without the unlikelier of its ends, where what is left holds the level, and once more."""
    for _ in range(2):
        first = below(low, mean, phi) - below(low - 1, mean, phi)
        last = below(high, mean, phi) - below(high - 1, mean, phi)
        held = below(high, mean, phi) - below(low - 1, mean, phi)
        spare = (held - np.minimum(first, last) >= level) & (low < high)
        low = np.where(spare & (first <= last), low + 1, low)
        high = np.where(spare & (first > last), high - 1, high)
    return low, high


def below(count: Floats, mean: Floats, phi: Floats) -> Floats:
    """P(Y ≤ count) of a negative binomial with that mean and dispersion; 0 below zero."""
    size = 1.0 / np.maximum(phi, 1e-9)
    share = size / (size + np.maximum(mean, 1e-9))
    value: Floats = betainc(size, np.maximum(count, 0.0) + 1.0, share)
    return np.asarray(np.where(count < 0, 0.0, value), dtype=np.float64)


def tail(count: float, mean: float, phi: float) -> float:
    """P(Y ≥ count), exact far out where 1 - P(Y < count) would be lost to rounding."""
    if count <= 0:
        return 1.0
    size = 1.0 / max(phi, 1e-9)
    return float(betainc(count, size, mean / (size + mean))) if mean > 0 else 0.0


def quantile(probability: Floats, mean: Floats, phi: Floats) -> Floats:
    """The smallest count with P(Y ≤ count) ≥ probability, by bisection."""
    low = np.full(mean.shape, -1.0)
    high = np.ceil(mean + 40 * np.sqrt(mean + phi * mean**2) + 20)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = below(middle, mean, phi) >= probability
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle)
    return np.asarray(high, dtype=np.float64)


def recent_part(start: int, counts: Floats) -> tuple[int, Floats]:
    """Without what is too long ago, and without empty hours before the first arrival."""
    drop = max(0, len(counts) - HISTORY)
    busy = np.flatnonzero(counts[drop:, 0]) if counts.size else np.zeros(0, dtype=np.int64)
    drop += int(busy[0]) if len(busy) else len(counts) - drop
    return start + drop, counts[drop:]


def basis_of(counts: Floats) -> Basis:
    """What so many hours allow; gaps are no history."""
    if len(counts) < PROFILE_FROM or not counts.any():
        return "no_history"
    told = len(counts) - int(gaps(counts[:, 0]).sum())
    if told < PROFILE_FROM:
        return "no_history"
    return "profile" if told < SEASONAL_FROM else "seasonal"


def _naive(counts: Floats, hours: int) -> Floats:
    """The same hour of the week before, else of the day before."""
    period = WEEK if len(counts) >= WEEK else DAY
    if len(counts) < period:
        return np.full((counts.shape[1], hours), np.nan)
    season = np.where(gaps(counts[:, 0])[:, None], np.nan, counts)[-period:]
    return season[np.arange(hours) % period].T.copy()
