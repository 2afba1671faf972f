"""Alerts over time as shapes that a page draws without a script: bars of messages, and marks in lanes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Literal, TypeAlias

from graph.backtests import Raised, paired
from graph.models import AlertKind
from kb_service.recurring.backtesting import Backtest

WIDTH, SKY, GROUND = 960.0, 26.0, 170.0
"""The width, where bars end at most, and where they begin; above them marks say what they are."""
FIRST_LANE, LANE = 194.0, 26.0
HOURLY = timedelta(days=4)
"""A span up to this is drawn by hours, a longer one by days of the shop."""
MOST_LABELS = 12
NARROWEST = 18.0
"""Marks stand no closer."""

LaneName: TypeAlias = Literal["raised", "present", "tried"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour or day: its messages, and its alerts by lane. Where it stands in the chart's units."""

    begin: datetime
    end: datetime
    count: int
    alerts: tuple[int, ...]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Mark:
    """The alerts of one lane in one hour or day, or in several where these are narrower than a mark."""

    lane: LaneName
    begin: datetime
    alerts: tuple[Raised, ...]
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """A span drawn: `most` messages at the top of the bars, `ticks` where a moment is named."""

    begin: datetime
    end: datetime
    hourly: bool
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    lanes: tuple[tuple[LaneName, float, int], ...]
    ticks: tuple[tuple[float, datetime], ...]
    most: int
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """One alert `then` and `now`; None where it did, or would, not come."""

    problem_id: str
    kind: AlertKind
    then: datetime | None
    now: datetime | None

    @property
    def at(self) -> datetime:
        found = self.then or self.now
        assert found is not None
        return found

    @property
    def minutes(self) -> float | None:
        """How much later it comes; below 0 earlier."""
        if self.then is None or self.now is None:
            return None
        return (self.now - self.then).total_seconds() / 60

    @property
    def outcome(self) -> Literal["appears", "vanishes", "earlier", "later", "same"]:
        if self.then is None:
            return "appears"
        if self.now is None:
            return "vanishes"
        moved = (self.now - self.then).total_seconds()
        return "same" if abs(moved) < 1 else "earlier" if moved < 0 else "later"


def rows_of(found: Backtest) -> list[Row]:
    """Each alert under the rules in force and under those tried; where both are the same, as it was raised at the time
    and under the rules in force. In order of time."""
    if found.tried != found.rules:
        moved = {id(side) for change in found.changes for side in (change.before, change.after)}
        rows = [_row(change.before, change.after) for change in found.changes]
        rows += [_row(item, item) for item in found.proposed.alerts if id(item) not in moved]
    else:
        # What was told at the time carries no episode: of one problem and kind the nearest are the same.
        was = [replace(item, episode=None) for item in found.as_it_was.alerts]
        now = [replace(item, episode=None) for item in found.present.alerts]
        pairs = paired(was, now)
        taken = {id(item) for pair in pairs for item in pair}
        rows = [_row(one, other) for one, other in pairs]
        rows += [_row(item, None) for item in was if id(item) not in taken]
        rows += [_row(None, item) for item in now if id(item) not in taken]
    return sorted(rows, key=lambda row: (row.at, row.problem_id, row.kind))


def _row(then: Raised | None, now: Raised | None) -> Row:
    known = then or now
    assert known is not None
    return Row(known.problem_id, known.kind, then.opened_at if then else None, now.opened_at if now else None)


def timeline(
    found: Backtest,
    counts: Mapping[datetime, int],
    begin: datetime,
    end: datetime,
    zone: tzinfo,
    *,
    problem_id: str | None = None,
) -> Timeline:
    """A part of a backtest, of the whole shop or of one problem; `counts` are its messages by hour."""
    hourly = end - begin <= HOURLY
    edges = _edges(begin, end, zone, hourly=hourly)
    bins = list(pairwise(edges))
    heights = [0] * len(bins)
    for hour, count in counts.items():
        if (place := _place(hour, edges)) is not None:
            heights[place] += count
    most = max(heights, default=0)
    step = WIDTH / max(1, len(bins))
    lanes, marks = [], []
    counted: list[list[int]] = []
    for row, (lane, alerts) in enumerate(_lanes(found)):
        y = FIRST_LANE + row * LANE
        held = _held([item for item in alerts if problem_id in (None, item.problem_id)], edges)
        marks += _marks(lane, held, edges, y)
        counted.append([len(held.get(place, ())) for place in range(len(bins))])
        lanes.append((lane, y, sum(counted[-1])))
    bars = tuple(
        Bar(
            one,
            other,
            count,
            tuple(lane[place] for lane in counted),
            round(place * step + step * 0.1, 1),
            round(GROUND - _height(count, most), 1),
            round(step * 0.8, 1),
            round(_height(count, most), 1),
        )
        for place, ((one, other), count) in enumerate(zip(bins, heights, strict=True))
    )
    every = -(-len(bins) // MOST_LABELS)
    return Timeline(
        begin=begin,
        end=end,
        hourly=hourly,
        bars=bars,
        marks=tuple(marks),
        lanes=tuple(lanes),
        ticks=tuple(
            (round((place + 0.5) * step, 1), one) for place, (one, _) in enumerate(bins) if place % every == 0
        ),
        most=most,
        height=FIRST_LANE + len(lanes) * LANE + 14,
    )


def parts_of(begin: datetime, end: datetime, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """The parts that one may look at closer: weeks of a longer span, days of a week, none of a span by hours."""
    if end - begin <= HOURLY:
        return []
    days = 7 if end - begin > timedelta(days=10) else 1
    edges = _edges(begin, end, zone, hourly=False)[::days]
    return [(one, min(other, end)) for one, other in zip(edges, [*edges[1:], end], strict=True) if one < end]


def day_begins(at: datetime, zone: tzinfo) -> datetime:
    """The midnight of the shop before a moment."""
    return datetime.combine(at.astimezone(zone).date(), time(), zone)


def _lanes(found: Backtest) -> list[tuple[LaneName, Sequence[Raised]]]:
    lanes: list[tuple[LaneName, Sequence[Raised]]] = [
        ("raised", found.as_it_was.alerts),
        ("present", found.present.alerts),
    ]
    if found.tried != found.rules:
        lanes.append(("tried", found.proposed.alerts))
    return lanes


def _held(alerts: Sequence[Raised], edges: Sequence[datetime]) -> dict[int, list[Raised]]:
    """Alerts by the hour or day that they fall into."""
    held: defaultdict[int, list[Raised]] = defaultdict(list)
    for item in alerts:
        if (place := _place(item.opened_at, edges)) is not None:
            held[place].append(item)
    return held


def _marks(
    lane: LaneName, held: Mapping[int, Sequence[Raised]], edges: Sequence[datetime], y: float
) -> list[Mark]:
    step = WIDTH / max(1, len(edges) - 1)
    wide = max(1, math.ceil(NARROWEST / step))
    together: defaultdict[int, list[Raised]] = defaultdict(list)
    for place, some in sorted(held.items()):
        together[place // wide].extend(some)
    return [
        Mark(lane, edges[group * wide], tuple(some), round((group + 0.5) * wide * step, 1), y)
        for group, some in together.items()
    ]


def _edges(begin: datetime, end: datetime, zone: tzinfo, *, hourly: bool) -> list[datetime]:
    """Where hours or days of the shop begin, from the one that holds `begin` to the first that lies at or after
    `end`."""
    if hourly:
        first = begin.replace(minute=0, second=0, microsecond=0)
        count = -(-(end - first) // timedelta(hours=1))
        return [first + timedelta(hours=number) for number in range(max(1, count) + 1)]
    edges = [day_begins(begin, zone)]
    while edges[-1] < end:
        day = edges[-1].astimezone(zone).date() + timedelta(days=1)
        edges.append(datetime.combine(day, time(), zone))
    return edges


def _place(at: datetime, edges: Sequence[datetime]) -> int | None:
    if not edges[0] <= at < edges[-1]:
        return None
    # Days are of nearly one length: a guess that is off by one, where clocks changed, is mended.
    place = int((at - edges[0]) / (edges[1] - edges[0]))
    place = min(place, len(edges) - 2)
    while at < edges[place]:
        place -= 1
    while at >= edges[place + 1]:
        place += 1
    return place


def _height(count: int, most: int) -> float:
    return (GROUND - SKY) * count / most if most else 0.0
