"""What comes in at one workspace, as this process knows it: arrivals by hour, and what is usual now.

Derived from the store like the rest of a Replica, in order of arrival; whoever holds the replica's lock changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, tzinfo

import numpy as np

from graph.arrivals import Arrivals, Counted
from graph.forecasting import HISTORY
from graph.models import Expertise
from graph.rhythm import DAY, Floats, hour_of
from graph.rules import Rules
from graph.surges import SurgeWatch, Usual, usual
from kb_service.timezones import zone

KeyOf = Callable[[str | None], str | None]
_RECENT = timedelta(hours=3)
_MOST_UNKEYED = 20_000


class Inflow:
    """Messages are heard once each. `watch` learns of them when `settle` can tell what they are about."""

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self.watch = SurgeWatch()
        self._unkeyed: list[tuple[datetime, str, str | None]] = []
        self._latest: datetime | None = None
        self._clusters: tuple[Expertise, ...] = ()
        self._counted: Counted | None = None
        self._counted_day = 0
        self._usual: tuple[int, Rules, Usual | None] | None = None
        self._dispersion: Floats | None = None

    def hear(self, at: datetime, case: str, problem_id: str | None) -> None:
        """A customer's message that was recorded before, or by another process."""
        self.arrivals.hear(at, case, problem_id)
        self._latest = at if self._latest is None else max(self._latest, at)
        self._unkeyed.append((at, case, problem_id))
        if len(self._unkeyed) > _MOST_UNKEYED:
            self._unkeyed = self._recent()

    def settle(self, key_of: KeyOf) -> None:
        """Tell the watch what was heard of late."""
        for at, case, problem_id in sorted(self._recent(), key=lambda item: item[0]):
            self.watch.hear(at, case, key_of(problem_id))
        self._unkeyed = []

    def counted(self, before: int, key_of: KeyOf, clusters: Sequence[Expertise]) -> Counted:
        """The complete hours before the hour `before`, of the shop and of each expertise."""
        keys = tuple(cluster.id for cluster in clusters)
        first = self.arrivals.first
        begin = max(before - HISTORY, first if first is not None else before)
        return self.arrivals.counted(min(begin, before), before, key_of, keys)

    def usual(self, hour: int, rules: Rules, key_of: KeyOf, clusters: tuple[Expertise, ...]) -> Usual | None:
        """What is usual in an hour; taken anew when the hour passes, its dispersion when the day does."""
        known = self._usual
        if known is not None and known[0] == hour and known[1] is rules and self._clusters is clusters:
            return known[2]
        found = usual(
            self._extended(hour, key_of, clusters),
            zone(rules.timezone),
            promotions=days_of(rules),
            dispersion=self._dispersion,
        )
        self._dispersion = found.dispersion if found is not None else None
        self._usual = hour, rules, found
        return found

    def _extended(self, hour: int, key_of: KeyOf, clusters: tuple[Expertise, ...]) -> Counted:
        """The counts up to an hour: those known with the hours since, everything anew once a day of event time."""
        held = self._counted
        end = held.start + len(held.counts) if held is not None else 0
        if held is None or self._clusters != clusters or hour // DAY != self._counted_day or end > hour:
            made = self.counted(hour, key_of, clusters)
            if held is None or held.keys != made.keys or hour // DAY != self._counted_day:
                self._dispersion = None
            self._counted_day = hour // DAY
        else:
            more = self.arrivals.counted(end, hour, key_of, held.keys)
            made = Counted(held.start, np.vstack([held.counts, more.counts]), held.keys)
        self._clusters, self._counted = clusters, made
        return made

    def _recent(self) -> list[tuple[datetime, str, str | None]]:
        if self._latest is None:
            return []
        oldest = self._latest - _RECENT
        return [item for item in self._unkeyed if item[0] >= oldest]


def days_of(rules: Rules) -> tuple[date, ...]:
    """The promotion days that a shop declared."""
    return tuple(date.fromisoformat(day) for day in rules.promotion_days)


def zone_of(rules: Rules) -> tzinfo:
    return zone(rules.timezone)


def current_hour(now: datetime, latest: datetime | None) -> int:
    """The hour that is forecast first: the present one, or for a history that ended long ago the one it ended in."""
    if latest is None or now - latest < timedelta(hours=DAY):
        return hour_of(now)
    return hour_of(latest) + 1
