"""Figures over time as shapes that a page draws without a script: lines, bands, heat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from kb_service.models import HourOfProblem

WIDTH, HEIGHT = 960.0, 200.0
SPARK = (280.0, 44.0)
SHADES = 9


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`points` as an SVG polyline wants them, within `SPARK`; the most messages of one day; how many days."""

    points: str
    most: int
    days: int


@dataclass(frozen=True, slots=True)
class Band:
    """A line within a band, as SVG points within `WIDTH` by `HEIGHT`, and the value at the top."""

    line: str
    band: str
    top: float


def band(low: Sequence[float], middle: Sequence[float], high: Sequence[float]) -> Band | None:
    """A forecast as shapes; None without one. All three have the same length."""
    if not middle:
        return None
    top = max(1.0, *high)
    edge = [*_points(high, top), *reversed(_points(low, top))]
    return Band(" ".join(_points(middle, top)), " ".join(edge), top)


def sparkline(counts: Sequence[HourOfProblem], zone: tzinfo) -> Sparkline | None:
    """Messages by day of the shop, the days without any among them; None without counts."""
    by_day: Counter[int] = Counter()
    for item in counts:
        by_day[item.hour.astimezone(zone).toordinal()] += item.events
    if not by_day:
        return None
    values = [by_day[day] for day in range(min(by_day), max(by_day) + 1)]
    return Sparkline(" ".join(_points(values, max(values), SPARK)), max(values), len(values))


def _points(values: Sequence[float], top: float, size: tuple[float, float] = (WIDTH, HEIGHT)) -> list[str]:
    """Values from left to right as points of a size, `top` at its upper edge."""
    width, height = size
    step = width / max(1, len(values) - 1)
    return [f"{place * step:.1f},{height * (1 - value / top):.1f}" for place, value in enumerate(values)]


def ticks(moments: Sequence[datetime], zone: tzinfo, *, every: int = 6) -> list[tuple[float, str]]:
    """Where on a chart of hours which hours are named: midnights by their date."""
    step = WIDTH / max(1, len(moments) - 1)
    local = [moment.astimezone(zone) for moment in moments]
    return [
        (round(place * step, 1), f"{at:%m-%d}" if at.hour == 0 else f"{at:%H}")
        for place, at in enumerate(local)
        if at.hour % every == 0
    ]


def shades(counts: Sequence[Sequence[int]]) -> list[list[tuple[int, int]]]:
    """Each count with its shade, 0 for none to `SHADES` for the most of all."""
    most = max((value for row in counts for value in row), default=0)
    return [[(value, -(-SHADES * value // most) if most else 0) for value in row] for row in counts]
