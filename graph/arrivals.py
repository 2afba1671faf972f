"""Arrivals: a case counts once in each hour in which its customer writes, under what it is about.

What forecasts and surges count. One person's twenty messages are one arrival; a greeting is moved to the problem that
the next message tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from graph.rhythm import Floats, hour_of

MOST_REMEMBERED = 100_000
"""Cases whose last hour is remembered, so that further messages are told from a new arrival."""

_NOTHING: Mapping[str | None, int] = {}


@dataclass(frozen=True, slots=True)
class Counted:
    """Arrivals of complete hours: `counts` has shape (hours, 1 + keys), the whole shop first; `start` is an hour
    since 1970."""

    start: int
    counts: Floats
    keys: tuple[str | None, ...]


class Arrivals:
    """Counts by hour and problem, told one message at a time in any order.

    A case whose messages come out of order may count twice in an hour: only the last hour of each is remembered.
    """

    def __init__(self) -> None:
        self._hours: dict[int, dict[str | None, int]] = {}
        self._last: dict[str, tuple[int, str | None]] = {}

    def hear(self, at: datetime, case: str, problem_id: str | None) -> None:
        """A customer's message of a case, about a problem where that is known."""
        hour = hour_of(at)
        before = self._last.get(case)
        if before is not None and before[0] == hour:
            if before[1] is not None or problem_id is None:
                return
            counts = self._hours[hour]
            counts[None] -= 1
            if not counts[None]:
                del counts[None]
        else:
            counts = self._hours.setdefault(hour, {})
        counts[problem_id] = counts.get(problem_id, 0) + 1
        self._last[case] = hour, problem_id
        if len(self._last) > MOST_REMEMBERED:
            for known in list(self._last)[: MOST_REMEMBERED // 2]:
                del self._last[known]

    @property
    def first(self) -> int | None:
        """The hour of the earliest arrival."""
        return min(self._hours, default=None)

    def counted(
        self,
        begin: int,
        before: int,
        key_of: Callable[[str | None], str | None],
        keys: Sequence[str | None],
    ) -> Counted:
        """The hours from `begin` to the one before `before`, by the key of their problem.

        `keys` names the columns; a problem with a key that is not among them counts for the shop alone.
        """
        column = {key: place for place, key in enumerate(keys, 1)}
        places: dict[str | None, int] = {}
        counts = np.zeros((max(0, before - begin), 1 + len(keys)))
        for hour, row in enumerate(counts, begin):
            for problem_id, count in self._hours.get(hour, _NOTHING).items():
                row[0] += count
                if problem_id not in places:
                    places[problem_id] = column.get(key_of(problem_id), 0)
                if place := places[problem_id]:
                    row[place] += count
        return Counted(begin, counts, tuple(keys))
