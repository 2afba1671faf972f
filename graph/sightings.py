"""Who spoke of which problem and when: a ledger in memory from which the rules of alerts are judged.

A sighting is one customer's message of a problem at its event time. A problem's sightings stand in two arrays in order
of time, 16 bytes each, whatever the order they arrived in; a question about the newest one costs what its window holds
until it is answered, not what the problem does.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from graph.models import Event
from graph.recurrence import Observation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Sighting(NamedTuple):
    """One customer's message of a problem; `voter` as `voter_code` makes it."""

    at: datetime
    voter: int


class Question(NamedTuple):
    """Whether `customers` distinct voters stand in one window of `length` microseconds; those up to `after`
    (microseconds since 1970) do not count, None is no bound."""

    customers: int
    length: int
    after: int | None


def ticks(at: datetime) -> int:
    """An aware time in microseconds since 1970."""
    return (at - _EPOCH) // _TICK


def moment(microseconds: int) -> datetime:
    """The time of so many microseconds since 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def voter_code(kind: str, id: str) -> int:
    """A voter (`graph.recurrence.Observation.voter`) in 64 bits, the same in every process."""
    digest = hashlib.blake2b(f"{kind}\x1f{id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def speaker(event: Event) -> int:
    """Whose vote a message is: its customer's; where nobody knows them, its conversation's or its own."""
    customer_id = event.customer_id or (event.customer.id if event.customer is not None else None)
    return voter_code(*Observation(event.at, customer_id, event.id, event.conversation_id).voter)


class Line:
    """The sightings of one problem in order of time."""

    __slots__ = ("_since", "_speakers", "_times", "_voters")

    def __init__(self) -> None:
        self._times = array("q")
        self._voters = array("q")
        self._speakers: array[int] | None = None
        """The distinct voters from `_since` on, ascending; None while they are not known."""
        self._since: int | None = None

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[Sighting]:
        for at, voter in zip(self._times, self._voters, strict=True):
            yield Sighting(moment(at), voter)

    @property
    def first(self) -> datetime:
        """The earliest event time; IndexError for an empty line."""
        return moment(self._times[0])

    @property
    def last(self) -> datetime:
        """The latest event time; IndexError for an empty line."""
        return moment(self._times[-1])

    def add(self, at: int, voter: int) -> int:
        """Put a sighting where it belongs; its place."""
        place = len(self._times)
        if place and at < self._times[-1]:
            place = bisect_right(self._times, at)
        self._times.insert(place, at)
        self._voters.insert(place, voter)
        if self._speakers is not None and (self._since is None or at >= self._since):
            found = bisect_left(self._speakers, voter)
            if found == len(self._speakers) or self._speakers[found] != voter:
                self._speakers.insert(found, voter)
        return place

    def take(self, other: Line) -> None:
        """Take up all sightings of another line."""
        times = np.concatenate([_ints(self._times), _ints(other._times)])
        voters = np.concatenate([_ints(self._voters), _ints(other._voters)])
        order = np.argsort(times, kind="stable")
        self._times, self._voters = array("q"), array("q")
        self._times.frombytes(times[order].tobytes())
        self._voters.frombytes(voters[order].tobytes())
        self._speakers = None

    def customers(self, since: datetime | None) -> int:
        """How many distinct voters there are from a time on; asked again for the same time it costs nothing."""
        begin = None if since is None else ticks(since)
        if self._speakers is None or self._since != begin:
            place = 0 if begin is None else bisect_left(self._times, begin)
            self._speakers = array("q", sorted(set(self._voters[place:])))
            self._since = begin
        return len(self._speakers)

    def distinct(self, after: int | None = None) -> int:
        """How many distinct voters there are, or are later than a time, in microseconds since 1970."""
        return len(set(self._voters if after is None else self._voters[bisect_right(self._times, after) :]))

    def fills(self, place: int, question: Question) -> bool:
        """Whether a window that holds the sighting at `place` answers a question with yes, given that the same
        question had the answer no before it was added.

        The newest sighting of a voter who spoke in that window before makes no window fuller than it was.
        """
        times, voters = self._times, self._voters
        at = times[place]
        if question.after is not None and at <= question.after:
            return False
        oldest = at - question.length
        if question.after is not None:
            oldest = max(oldest, question.after)
        if place < len(times) - 1:
            end = bisect_left(times, at + question.length)
            return self._full(bisect_right(times, oldest), end, question)
        own = voters[place]
        seen = {own}
        for before in range(place - 1, -1, -1):
            if len(seen) >= question.customers or times[before] <= oldest:
                break
            who = voters[before]
            if who == own:
                return False
            seen.add(who)
        return len(seen) >= question.customers

    def full(self, question: Question) -> bool:
        """Whether any window answers a question with yes."""
        begin = 0 if question.after is None else bisect_right(self._times, question.after)
        return self._full(begin, len(self._times), question)

    def _full(self, begin: int, end: int, question: Question) -> bool:
        counts: Counter[int] = Counter()
        first = begin
        for place in range(begin, end):
            counts[self._voters[place]] += 1
            while self._times[first] <= self._times[place] - question.length:
                leaver = self._voters[first]
                counts[leaver] -= 1
                if not counts[leaver]:
                    del counts[leaver]
                first += 1
            if len(counts) >= question.customers:
                return True
        return False


class Sightings:
    """The lines of a workspace's problems. Told in any order, the same sightings give the same lines."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def hear(self, problem_id: str, at: int, voter: int) -> tuple[Line, int]:
        """Put a sighting where it belongs; the problem's line and the place in it."""
        line = self._lines.get(problem_id)
        if line is None:
            line = self._lines[problem_id] = Line()
        return line, line.add(at, voter)

    def of(self, problem_id: str) -> Line:
        """A problem's sightings; an empty line where there are none."""
        return self._lines.get(problem_id) or Line()

    def in_order(self) -> list[tuple[int, str, int]]:
        """Everything in order of time, as (microseconds since 1970, problem, voter)."""
        return sorted(
            (at, problem_id, voter)
            for problem_id, line in self._lines.items()
            for at, voter in zip(line._times, line._voters, strict=True)
        )

    def put(self, problem_id: str, sightings: Iterable[tuple[int, int]]) -> None:
        """These are all sightings of a problem, in any order."""
        line = Line()
        for at, voter in sightings:
            line.add(at, voter)
        self.forget(problem_id)
        if line:
            self._lines[problem_id] = line

    def merge(self, old: str, into: str) -> None:
        """Let one problem take up the sightings of another; nothing where there are none."""
        gone = self._lines.pop(old, None) if old != into else None
        if gone is None:
            return
        if into in self._lines:
            self._lines[into].take(gone)
        else:
            self._lines[into] = gone

    def forget(self, problem_id: str) -> None:
        self._lines.pop(problem_id, None)


def _ints(values: array[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.frombuffer(values, dtype=np.int64) if values else np.empty(0, dtype=np.int64)
