"""Alerts over time as shapes that a page draws without a script: bars of messages, and marks in lanes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Literal, TypeAlias

from graph.backtests import Raised
from kb_service.console.charts.bins import Bins
from kb_service.recurring.backtesting import Backtest

WIDTH, SKY, GROUND = 960.0, 26.0, 170.0
"""The width, where bars end at most, and where they begin; above them marks say what they are."""
FIRST_LANE, LANE, FOOT = 194.0, 26.0, 14.0
MOST_LABELS = 12
NARROWEST = 18.0
"""Marks stand no closer."""

LaneName: TypeAlias = Literal["raised", "present", "tried"]


@dataclass(frozen=True, slots=True)
class TimelineBar:
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
class Lane:
    """The alerts that were raised, or that some rules would have raised: how many in each hour or day, and the marks
    that stand for them at the height `y`."""

    name: LaneName
    y: float
    counts: tuple[int, ...]
    marks: tuple[Mark, ...]

    @property
    def alerts(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A span drawn: `most` messages at the top of the bars, `ticks` where a moment is named."""

    begin: datetime
    end: datetime
    hourly: bool
    bars: tuple[TimelineBar, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, datetime], ...]
    most: int
    height: float

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(mark for lane in self.lanes for mark in lane.marks)


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
    bins = Bins.of(begin, end, zone)
    messages = bins.summed(counts)
    lanes = tuple(
        _lane(name, [item for item in alerts if problem_id in (None, item.problem_id)], row, bins)
        for row, (name, alerts) in enumerate(_stories(found))
    )
    return Timeline(
        begin=begin,
        end=end,
        hourly=bins.hourly,
        bars=_bars(messages, lanes, bins),
        lanes=lanes,
        ticks=_ticks(bins),
        most=max(messages, default=0),
        height=FIRST_LANE + len(lanes) * LANE + FOOT,
    )


def _stories(found: Backtest) -> list[tuple[LaneName, Sequence[Raised]]]:
    stories: list[tuple[LaneName, Sequence[Raised]]] = [
        ("raised", found.as_it_was.alerts),
        ("present", found.present.alerts),
    ]
    if found.tried != found.rules:
        stories.append(("tried", found.proposed.alerts))
    return stories


def _lane(name: LaneName, alerts: Sequence[Raised], row: int, bins: Bins) -> Lane:
    y = FIRST_LANE + row * LANE
    held: defaultdict[int, list[Raised]] = defaultdict(list)
    for item in alerts:
        if (place := bins.place(item.opened_at)) is not None:
            held[place].append(item)
    counts = tuple(len(held.get(place, ())) for place in range(len(bins)))
    return Lane(name, y, counts, tuple(_marks(name, held, bins, y)))


def _marks(lane: LaneName, held: Mapping[int, Sequence[Raised]], bins: Bins, y: float) -> list[Mark]:
    step = _step(bins)
    wide = max(1, math.ceil(NARROWEST / step))
    together: defaultdict[int, list[Raised]] = defaultdict(list)
    for place, some in sorted(held.items()):
        together[place // wide].extend(some)
    return [
        Mark(lane, bins.edges[group * wide], tuple(some), round((group + 0.5) * wide * step, 1), y)
        for group, some in together.items()
    ]


def _bars(messages: Sequence[int], lanes: Sequence[Lane], bins: Bins) -> tuple[TimelineBar, ...]:
    step, most = _step(bins), max(messages, default=0)
    heights = [(GROUND - SKY) * count / most if most else 0.0 for count in messages]
    return tuple(
        TimelineBar(
            begin=begin,
            end=end,
            count=messages[place],
            alerts=tuple(lane.counts[place] for lane in lanes),
            x=round((place + 0.1) * step, 1),
            y=round(GROUND - heights[place], 1),
            width=round(step * 0.8, 1),
            height=round(heights[place], 1),
        )
        for place, (begin, end) in enumerate(pairwise(bins.edges))
    )


def _ticks(bins: Bins) -> tuple[tuple[float, datetime], ...]:
    step, every = _step(bins), -(-len(bins) // MOST_LABELS)
    return tuple((round((place + 0.5) * step, 1), bins.edges[place]) for place in range(0, len(bins), every))


def _step(bins: Bins) -> float:
    return WIDTH / len(bins)
