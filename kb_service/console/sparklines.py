"""Counts over time as a small line that a page can draw without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb_service.models import HourOfProblem

WIDTH, HEIGHT = 280.0, 48.0


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`points` as an SVG polyline wants them, within `WIDTH` by `HEIGHT`; the most messages of one day; days."""

    points: str
    most: int
    days: int


def sparkline(counts: Sequence[HourOfProblem]) -> Sparkline | None:
    """Messages a day (UTC), the days without any among them; None without counts."""
    if not counts:
        return None
    by_day: dict[int, int] = {}
    for item in counts:
        day = item.hour.toordinal()
        by_day[day] = by_day.get(day, 0) + item.events
    first, last = min(by_day), max(by_day)
    values = [by_day.get(day, 0) for day in range(first, last + 1)]
    most = max(values)
    step = WIDTH / max(1, len(values) - 1)
    points = " ".join(
        f"{place * step:.1f},{HEIGHT - 2 - (HEIGHT - 4) * value / most:.1f}"
        for place, value in enumerate(values)
    )
    return Sparkline(points, most, len(values))
