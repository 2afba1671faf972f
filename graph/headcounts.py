"""Headcounts: who was heard with which problem and when, so that any window can be counted in distinct customers.

Eight bytes a sighting, sorted by event time within each problem: the same sightings in any order leave the same state.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from datetime import datetime
from math import ceil
from zlib import crc32

import numpy as np

from graph.rhythm import Floats, Hours

STEP = 300
"""Seconds in a step of event time: windows end at whole steps, and the shop's volume is kept by step."""
HOUR = 3600
_SINCE = 946_684_800
"""2000-01-01T00:00Z: seconds are kept from here on, 31 bits of them, above 32 bits of the voter."""
_VOTER = 0xFFFFFFFF
_MANY = 64
"""From so many sightings on, arrays count faster than sets."""


def seconds_of(at: datetime) -> int:
    """Whole seconds since 1970, rounded up: a window that ends at a whole second holds what came up to it."""
    return ceil(at.timestamp())


class Headcounts:
    """Sightings by problem. Times are whole seconds since 1970; a window holds `begin < time <= end`."""

    def __init__(self) -> None:
        self._kept: dict[str, array[int]] = {}
        self._steps: dict[int, int] = {}
        """The whole shop's volume: customers by step and problem, each once in a step."""

    def __contains__(self, problem_id: str) -> bool:
        return problem_id in self._kept

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, problem_id: str, at: datetime, voter: Hashable) -> int:
        """One sighting; returns its second."""
        second = seconds_of(at)
        who = crc32(repr(voter).encode())
        kept = self._kept.get(problem_id)
        if kept is None:
            kept = self._kept[problem_id] = array("q")
        step = (second - 1) // STEP
        low, high = _span(kept, step * STEP, (step + 1) * STEP)
        if all(key & _VOTER != who for key in kept[low:high]):
            self._steps[step] = self._steps.get(step, 0) + 1
        key = (second - _SINCE) << 32 | who
        if not kept or key >= kept[-1]:
            kept.append(key)
        else:
            insort(kept, key, low, len(kept))
        return second

    def voters(self, problem_id: str, begin: int, end: int) -> int:
        """Distinct customers of a problem in a window."""
        kept = self._kept.get(problem_id)
        if kept is None:
            return 0
        low, high = _span(kept, begin, end)
        if high - low < 2:
            return high - low
        if high - low < _MANY:
            return len({key & _VOTER for key in kept[low:high]})
        return len(np.unique(np.frombuffer(kept, np.int64)[low:high] & _VOTER))

    def sightings(self, problem_id: str, begin: int, end: int) -> int:
        """How often a problem was heard in a window, whoever spoke."""
        kept = self._kept.get(problem_id)
        if kept is None:
            return 0
        low, high = _span(kept, begin, end)
        return high - low

    def latest(self, problem_id: str) -> int:
        """The second of a problem's last sighting; it must be known."""
        return (self._kept[problem_id][-1] >> 32) + _SINCE

    def first(self, problem_id: str) -> int:
        """The second of the earliest sighting that is still kept; the problem must be known."""
        return (self._kept[problem_id][0] >> 32) + _SINCE

    def spells(self, problem_id: str, begin: int, end: int, length: int = HOUR) -> Hours:
        """For each customer and spell of `length` seconds in which a problem was heard of them: the spell's number.

        Spells are counted from 1970 in UTC, and the result is in order of time.
        """
        kept = self._kept.get(problem_id)
        if kept is None:
            return np.zeros(0, dtype=np.int64)
        low, high = _span(kept, begin, end)
        if low == high:
            return np.zeros(0, dtype=np.int64)
        keys = np.frombuffer(kept, np.int64)[low:high]
        spell = ((keys >> 32) + (_SINCE - 1)) // length
        if high - low > 1:
            spell = np.unique(spell << 32 | keys & _VOTER) >> 32
        return np.asarray(spell, dtype=np.int64)

    def volume(self, begin: int, end: int) -> int:
        """The whole shop in a window of whole steps: each customer of each problem once a step."""
        steps = self._steps
        return sum(steps.get(step, 0) for step in range(begin // STEP, end // STEP))

    def volumes(self, begin: int, end: int) -> Floats:
        """The whole shop by hour since 1970, from hour `begin` to the one before `end`."""
        counts = np.zeros(max(0, end - begin))
        for step, count in self._steps.items():
            place = step * STEP // HOUR - begin
            if 0 <= place < len(counts):
                counts[place] += count
        return counts

    @property
    def first_hour(self) -> int | None:
        """The hour since 1970 of the earliest sighting."""
        step = min(self._steps, default=None)
        return None if step is None else step * STEP // HOUR

    def merge(self, old: str, into: str) -> None:
        """What was heard of `old` was about `into`."""
        moved = self._taken(old)
        if moved is None:
            return
        before = self._taken(into) or array("q")
        self._keep(into, array("q", sorted([*before, *moved])))

    def forget(self, problem_id: str) -> None:
        """Nothing was ever heard of this problem."""
        self._taken(problem_id)

    def forget_before(self, second: int) -> list[str]:
        """Drop what lies before a moment; returns the problems of which nothing is left."""
        bound = (second - _SINCE) << 32
        gone = []
        for problem_id, kept in self._kept.items():
            if kept[0] < bound:
                del kept[: bisect_left(kept, bound)]
                if not kept:
                    gone.append(problem_id)
        for problem_id in gone:
            del self._kept[problem_id]
        for step in [step for step in self._steps if step * STEP < second]:
            del self._steps[step]
        return gone

    def _taken(self, problem_id: str) -> array[int] | None:
        kept = self._kept.pop(problem_id, None)
        if kept is not None:
            self._count(kept, -1)
        return kept

    def _keep(self, problem_id: str, kept: array[int]) -> None:
        self._kept[problem_id] = kept
        self._count(kept, 1)

    def _count(self, kept: array[int], sign: int) -> None:
        for step, _ in {(((key >> 32) + _SINCE - 1) // STEP, key & _VOTER) for key in kept}:
            left = self._steps.get(step, 0) + sign
            if left > 0:
                self._steps[step] = left
            else:
                self._steps.pop(step, None)


def _span(kept: array[int], begin: int, end: int) -> tuple[int, int]:
    """Where the sightings with `begin < second <= end` stand. Most questions are about the last of them."""
    after = (begin + 1 - _SINCE) << 32
    until = (end + 1 - _SINCE) << 32
    high = len(kept) if not kept or kept[-1] < until else bisect_left(kept, until)
    low = high if not high or kept[high - 1] < after else bisect_left(kept, after, 0, high)
    return low, high
