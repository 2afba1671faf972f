"""Figures over time as shapes that a page draws without a script: lines, bands, heat, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from math import ceil, log10

WIDTH, HEIGHT = 960.0, 200.0
SHADES = 9


@dataclass(frozen=True, slots=True)
class Course:
    """Hours one after the other within `WIDTH` by `HEIGHT`, as SVG points: what came, what was expected with its
    band, and what lay outside of it. `now` is where the past ends, `levels` are the heights of round values."""

    came: str
    expected: str
    band: str
    outside: tuple[tuple[float, float], ...]
    now: float
    levels: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A value as people read it, with its shade from 0, for none, to `SHADES`."""

    text: str
    shade: int


def course(
    came: Sequence[float], mean: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> Course:
    """What came in the first hours beside what was expected of all of them; NaN where nobody can tell.

    All but `came` have one value an hour, of which there are at least two.
    """
    levels = _round_levels(max(1.0, *(float(value) for value in [*came, *high] if value == value)))
    top = levels[-1]
    step = WIDTH / (len(mean) - 1)

    def point(place: int, value: float) -> tuple[float, float]:
        return round(place * step, 1), round(HEIGHT * (1 - value / top), 1)

    def line(values: Sequence[float]) -> list[str]:
        told = [(place, value) for place, value in enumerate(values) if value == value]
        return [f"{x:g},{y:g}" for x, y in (point(place, value) for place, value in told)]

    outside = tuple(
        point(place, value)
        for place, (value, least, most) in enumerate(zip(came, low, high, strict=False))
        if value < least or value > most
    )
    return Course(
        came=" ".join(line(came)),
        expected=" ".join(line(mean)),
        band=" ".join([*line(high), *reversed(line(low))]),
        outside=outside,
        now=round(max(0, len(came) - 1) * step, 1),
        levels=tuple((round(HEIGHT * (1 - value / top), 1), value) for value in levels),
    )


def _round_levels(most: float) -> list[int]:
    """Two to five round numbers above zero, the last of which is at least `most`."""
    size = 10 ** int(log10(max(1.0, most / 4)))
    step = next(size * times for times in (1, 2, 5, 10) if size * times * 4 >= most)
    return [step * place for place in range(1, max(1, ceil(most / step)) + 1)]


def ticks(moments: Sequence[datetime], zone: tzinfo, *, every: int = 6) -> list[tuple[float, str]]:
    """Where on a chart of hours which hours are named: midnights by their date."""
    step = WIDTH / max(1, len(moments) - 1)
    local = [moment.astimezone(zone) for moment in moments]
    return [
        (round(place * step, 1), f"{at:%m-%d}" if at.hour == 0 else f"{at:%H}")
        for place, at in enumerate(local)
        if at.hour % every == 0
    ]


def heat(
    totals: Sequence[Sequence[int]], times: Sequence[Sequence[int]], *, each: bool = False
) -> list[list[HeatCell]]:
    """Averages of counts over how often each was counted, shaded by the highest of all; with `each` of its row."""
    means = [
        [total / often if often else 0.0 for total, often in zip(row, over, strict=True)]
        for row, over in zip(totals, times, strict=True)
    ]
    most = max((value for row in means for value in row), default=0.0)
    return [_shaded(row, max(row, default=0.0) if each else most) for row in means]


def _shaded(means: Sequence[float], most: float) -> list[HeatCell]:
    return [HeatCell(average(value), ceil(SHADES * value / most) if most else 0) for value in means]


def average(value: float) -> str:
    """A mean count as people read it: a decimal below ten, and nothing for next to nothing."""
    if value < 0.05:
        return ""
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
