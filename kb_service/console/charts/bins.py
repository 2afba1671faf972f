"""A span of time cut into the hours or the days of a shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

HOURLY = timedelta(days=4)
"""A span up to this is cut into hours, a longer one into days of the shop."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Hours or days one after the other: each from its edge up to the next, without."""

    edges: tuple[datetime, ...]
    hourly: bool

    @classmethod
    def of(cls, begin: datetime, end: datetime, zone: tzinfo) -> Bins:
        """From the hour or day that holds `begin` to the one that holds the last moment before `end`."""
        if end - begin <= HOURLY:
            return cls(_hours(begin, end), hourly=True)
        return cls(_days(begin, end, zone), hourly=False)

    def __len__(self) -> int:
        return len(self.edges) - 1

    def place(self, at: datetime) -> int | None:
        """Which of them holds a moment; None for one outside of the span."""
        edges = self.edges
        if not edges[0] <= at < edges[-1]:
            return None
        # Days are of nearly one length: a guess that is off by one, where clocks changed, is mended.
        place = int((at - edges[0]) / (edges[1] - edges[0]))
        place = min(place, len(self) - 1)
        while at < edges[place]:
            place -= 1
        while at >= edges[place + 1]:
            place += 1
        return place

    def summed(self, counts: Mapping[datetime, int]) -> list[int]:
        """Counts by moment, summed by hour or day."""
        found = [0] * len(self)
        for at, count in counts.items():
            if (place := self.place(at)) is not None:
                found[place] += count
        return found


def parts_of(begin: datetime, end: datetime, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """The parts that one may look at closer: weeks of a longer span, days of a week, none of a span by hours."""
    if end - begin <= HOURLY:
        return []
    days = 7 if end - begin > timedelta(days=10) else 1
    edges = _days(begin, end, zone)[::days]
    return [(one, min(other, end)) for one, other in zip(edges, [*edges[1:], end], strict=True) if one < end]


def _hours(begin: datetime, end: datetime) -> tuple[datetime, ...]:
    first = begin.replace(minute=0, second=0, microsecond=0)
    count = max(1, -(-(end - first) // timedelta(hours=1)))
    return tuple(first + timedelta(hours=number) for number in range(count + 1))


def _days(begin: datetime, end: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    day = begin.astimezone(zone).date()
    edges = [datetime.combine(day, time(), zone)]
    while edges[-1] < end:
        day += timedelta(days=1)
        edges.append(datetime.combine(day, time(), zone))
    return tuple(edges)
