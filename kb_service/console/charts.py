"""Figures over time as shapes that a page draws without a script: lines, bands, heat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

WIDTH, HEIGHT = 960.0, 200.0
SHADES = 9


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
    step = WIDTH / max(1, len(middle) - 1)

    def points(values: Sequence[float]) -> list[str]:
        return [f"{place * step:.1f},{HEIGHT * (1 - value / top):.1f}" for place, value in enumerate(values)]

    return Band(" ".join(points(middle)), " ".join([*points(high), *reversed(points(low))]), top)


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
