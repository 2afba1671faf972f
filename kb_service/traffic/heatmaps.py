"""Counts by hour laid out for the eye: one row of 24 hours for each day of the week, or for each date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from kb_service.store import Dimension, Handling, HourTraffic, SpanTraffic

LEAST_TIMED = 20
"""Cases below which a mean handling time is not shown."""
MOST_ROWS = 200
Table = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One key's counts; tables have shape (days, 24). `normalised` is `cases` over their largest.

    In the tables cases and customers are distinct within each hour; `distinct_cases` and `distinct_customers` are
    those of the whole span. `key` is None for what belongs to no expertise, product or channel, and for the whole
    shop.
    """

    key: str | None
    name: str | None
    messages: Table
    cases: Table
    customers: Table
    distinct_cases: int
    distinct_customers: int
    handling_seconds: float | None
    handled: int

    @property
    def normalised(self) -> NDArray[np.float64]:
        return np.asarray(self.cases / max(1, int(self.cases.max(initial=0))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Heatmap:
    """`days` are ISO weekdays (1 is Monday) or dates; `counted` is how often each hour of the week occurred while
    there was something to count."""

    by: Dimension
    since: datetime
    until: datetime
    timezone: str
    days: tuple[str, ...]
    counted: Table
    total: HeatRow
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store counted of a span: by hour, over the whole of it, and how long cases took."""

    hours: Sequence[HourTraffic]
    span: Sequence[SpanTraffic]
    handling: Sequence[Handling]


def drawn(
    by: Dimension,
    span: tuple[datetime, datetime],
    known: tuple[datetime, datetime],
    timezone: str,
    zone: tzinfo,
    found: Seen,
    whole: Seen,
    *,
    names: Mapping[str, str],
    dated: bool,
) -> Heatmap:
    """The map of a span, the rows of most cases first. Only hours that touch `known` count as having occurred."""
    layout = _Layout(span, zone, dated=dated)
    seconds = {item.key: item for item in found.handling}
    spans = {item.key: item for item in found.span}
    by_key: dict[str | None, list[HourTraffic]] = {}
    for item in found.hours:
        by_key.setdefault(item.key, []).append(item)
    rows = [
        layout.row(
            key, names.get(key, key) if key is not None else None, items, spans.get(key), seconds.get(key)
        )
        for key, items in by_key.items()
    ]
    rows.sort(key=lambda row: (-int(row.cases.sum()), row.key is None, row.key or ""))
    total = layout.row(
        None, None, whole.hours, next(iter(whole.span), None), next(iter(whole.handling), None)
    )
    return Heatmap(by, *span, timezone, layout.days, layout.counted(*known), total, tuple(rows[:MOST_ROWS]))


class _Layout:
    """Where an hour stands."""

    def __init__(self, span: tuple[datetime, datetime], zone: tzinfo, *, dated: bool) -> None:
        self._span = span
        self._zone = zone
        self._dated = dated
        self._first = span[0].astimezone(zone).date()
        last = (span[1] - timedelta(microseconds=1)).astimezone(zone).date()
        dates = tuple(
            (self._first + timedelta(days=day)).isoformat() for day in range((last - self._first).days + 1)
        )
        self.days = dates if dated else tuple(str(day) for day in range(1, 8))

    def place(self, hour: datetime) -> tuple[int, int]:
        # An hour that the span begins in the middle of belongs to the day on which it begins.
        local = max(hour, self._span[0]).astimezone(self._zone)
        day = (local.date() - self._first).days if self._dated else local.weekday()
        return day, local.hour

    def counted(self, since: datetime, until: datetime) -> Table:
        """How often each hour occurred from `since` to `until`, as far as the span holds them."""
        times = np.zeros((len(self.days), 24), dtype=np.int64)
        hour = max(self._span[0], since).replace(minute=0, second=0, microsecond=0)
        while hour < min(self._span[1], until):
            times[self.place(hour)] += 1
            hour += timedelta(hours=1)
        return times

    def row(
        self,
        key: str | None,
        name: str | None,
        items: Sequence[HourTraffic],
        span: SpanTraffic | None,
        handling: Handling | None,
    ) -> HeatRow:
        tables = np.zeros((3, len(self.days), 24), dtype=np.int64)
        for item in items:
            day, hour = self.place(item.hour)
            tables[:, day, hour] += (item.messages, item.cases, item.customers)
        enough = handling is not None and handling.cases >= LEAST_TIMED
        mean = handling.seconds / handling.cases if handling is not None and enough else None
        messages, cases, customers = tables
        return HeatRow(
            key=key,
            name=name,
            messages=messages,
            cases=cases,
            customers=customers,
            distinct_cases=span.cases if span is not None else 0,
            distinct_customers=span.customers if span is not None else 0,
            handling_seconds=mean,
            handled=handling.cases if handling is not None else 0,
        )
