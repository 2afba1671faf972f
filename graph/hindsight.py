"""Forecasts as they stood at earlier moments, beside what came since: whether the band holds what it says. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

import numpy as np
from numpy.typing import NDArray

from graph.forecasting import forecast
from graph.rhythm import DAY, Floats, Hours, gaps

LEVEL = 0.8
"""The interval that hindsight judges."""


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Complete hours of the past with what was forecast for them and what came, one value an hour.

    `told` is False in a gap, where nothing was told of an hour and nothing can be judged.
    """

    hours: Hours
    mean: Floats
    low: Floats
    high: Floats
    came: Floats
    told: NDArray[np.bool_]

    @property
    def outside(self) -> NDArray[np.bool_]:
        """The hours whose count lay beyond the interval."""
        return np.asarray(self.told & ((self.came < self.low) | (self.came > self.high)), dtype=np.bool_)

    @property
    def tried(self) -> int:
        return int(self.told.sum())

    @property
    def held(self) -> int:
        return self.tried - int(self.outside.sum())


def hindsight(
    start: int,
    counts: Floats,
    zone: tzinfo,
    origins: Sequence[int],
    *,
    promotions: Collection[date] = (),
) -> tuple[Hindsight, ...]:
    """What would have been forecast at each of `origins` (hours since 1970, rising) up to the next of them, at most a
    day, from the counts before it alone; one for each series of `counts`, which are as
    `graph.forecasting.forecast` takes them.

    An origin before which there is too little history is left out.
    """
    silent = gaps(counts[:, 0]) if len(counts) else np.zeros(0, dtype=np.bool_)
    hours: list[Hours] = []
    columns: list[list[Floats]] = [[], [], [], []]
    told: list[NDArray[np.bool_]] = []
    ends = [*origins[1:], start + len(counts)]
    for origin, end in zip(origins, ends, strict=True):
        known, ahead = origin - start, min(end - origin, DAY, start + len(counts) - origin)
        if known <= 0 or ahead <= 0:
            continue
        found = forecast(start, counts[:known], ahead, zone, promotions=promotions)
        if found.basis == "no_history":
            continue
        since = slice(known, known + ahead)
        hours.append(found.hours)
        told.append(~silent[since])
        values = (found.mean, found.low[LEVEL], found.high[LEVEL], counts[since].T)
        for column, part in zip(columns, values, strict=True):
            column.append(part)
    if not hours:
        never, nothing = np.zeros(0, dtype=np.bool_), np.zeros(0)
        nowhere = Hindsight(np.zeros(0, dtype=np.int64), nothing, nothing, nothing, nothing, never)
        return tuple(nowhere for _ in range(counts.shape[1]))
    mean, low, high, came = (np.hstack(column) for column in columns)
    at, known_of = np.concatenate(hours), np.concatenate(told)
    return tuple(
        Hindsight(at, mean[row], low[row], high[row], came[row], known_of) for row in range(counts.shape[1])
    )
