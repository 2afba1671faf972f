"""Counts by day as bars that a page draws without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SMALL = (140, 32)
LARGE = (960, 180)
NAMED_EVERY = 7
"""Days from one date below the large chart to the next."""


@dataclass(frozen=True, slots=True)
class SmallBars:
    """Bars as one SVG path within `SMALL`; the sum of all days and the most of one day."""

    path: str
    total: int
    most: int
    days: int


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day's bar within `LARGE`, its count, its day, and whether that is named below."""

    x: float
    y: float
    width: float
    height: float
    count: int
    day: datetime
    named: bool


def small_bars(counts: Sequence[int]) -> SmallBars:
    """A day a bar, the last day at the right; a bar's height is its share of the highest."""
    width, height = SMALL
    step, most = width / max(1, len(counts)), max(counts, default=0)
    shapes = [
        f"M{place * step:.0f} {height}v-{max(2, round(height * count / most))}h{step - 2:.0f}V{height}z"
        for place, count in enumerate(counts)
        if count
    ]
    return SmallBars("".join(shapes), sum(counts), most, len(counts))


def bars(first: datetime, counts: Sequence[int]) -> list[DayBar]:
    """The bars of days from `first` on, a shop's midnight; today's day and each seventh before it are named."""
    width, height = LARGE
    step, most = width / max(1, len(counts)), max(1, *counts) if counts else 1
    last = len(counts) - 1
    return [
        DayBar(
            x=round(place * step + 2, 1),
            y=round(height * (1 - count / most), 1),
            width=round(step - 4, 1),
            height=round(height * count / most, 1),
            count=count,
            day=(first.replace(tzinfo=None) + timedelta(days=place)).replace(tzinfo=first.tzinfo),
            named=(last - place) % NAMED_EVERY == 0,
        )
        for place, count in enumerate(counts)
    ]
