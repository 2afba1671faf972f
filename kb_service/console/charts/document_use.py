"""A document's use by day of the shop, as columns that a page draws without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from kb_service.care.library import HourOfUse, Use

WIDTH, HEIGHT = 560.0, 96.0
GAP = 3.0


@dataclass(frozen=True, slots=True)
class UseColumn:
    """One day: how often it was shown and accepted, and where its two columns stand within `WIDTH` by `HEIGHT`."""

    day: date
    shown: int
    accepted: int
    x: float
    width: float
    top: float
    height: float
    accepted_top: float
    accepted_height: float


@dataclass(frozen=True, slots=True)
class UseChart:
    """`judged` are the answers of which agents said something; `most` is the largest day."""

    columns: tuple[UseColumn, ...]
    most: int
    total: Use

    @property
    def judged(self) -> int:
        return judged(self.total)


def judged(use: Use) -> int:
    """How often an agent sent, edited or refused what was made of a document."""
    return sum(use.outcomes.get(name, 0) for name in ("accepted", "edited", "rejected"))


def share_accepted(use: Use | None) -> int | None:
    """The percentage of what was judged that was sent as it stood; None where nothing was judged."""
    if use is None or not judged(use):
        return None
    return round(100 * use.outcomes.get("accepted", 0) / judged(use))


def use_chart(hours: Sequence[HourOfUse], now: datetime, days: int, zone: tzinfo) -> UseChart:
    last = now.astimezone(zone).date()
    span = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    shown = dict.fromkeys(span, 0)
    accepted = dict.fromkeys(span, 0)
    outcomes: dict[str, int] = {}
    for item in hours:
        day = item.hour.astimezone(zone).date()
        if day in shown:
            shown[day] += item.use.shown
            accepted[day] += item.use.outcomes.get("accepted", 0)
            for name, times in item.use.outcomes.items():
                outcomes[name] = outcomes.get(name, 0) + times
    most = max(*shown.values(), *accepted.values(), 1)
    step = WIDTH / days
    columns = tuple(
        UseColumn(
            day,
            shown[day],
            accepted[day],
            round(place * step + GAP / 2, 1),
            round(step - GAP, 1),
            round(HEIGHT * (1 - shown[day] / most), 1),
            round(HEIGHT * shown[day] / most, 1),
            round(HEIGHT * (1 - accepted[day] / most), 1),
            round(HEIGHT * accepted[day] / most, 1),
        )
        for place, day in enumerate(span)
    )
    return UseChart(columns, most, Use(sum(shown.values()), outcomes))
