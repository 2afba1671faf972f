"""Evidence for one edge, summed so that neither order nor repetition changes the sum."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from graph.errors import InvalidValue

_UNITS = 1_000_000
_LARGEST = 1e9


class Tally:
    """Contributions by source. Whole millionths are added, since sums of floats depend on their order."""

    __slots__ = ("_by_source", "_nameless", "_sum", "first_at", "last_at")

    def __init__(self) -> None:
        self._by_source: dict[str, tuple[int, datetime]] = {}
        self._nameless: tuple[datetime, datetime] | None = None
        self._sum = 0
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None

    def add(self, weight: float, at: datetime, source: str | None) -> None:
        """Adds a weight (rounded to a millionth); the word of a `source` already heard is replaced."""
        if not abs(weight) <= _LARGEST:
            raise InvalidValue("weight", f"must be a number between -1e9 and 1e9, not {weight}")
        units = round(weight * _UNITS)
        if source is None:
            first, last = self._nameless or (at, at)
            self._nameless = (min(first, at), max(last, at))
        else:
            self.drop(source)
            self._by_source[source] = (units, at)
        self._sum += units
        self.first_at = at if self.first_at is None else min(self.first_at, at)
        self.last_at = at if self.last_at is None else max(self.last_at, at)

    def drop(self, source: str) -> None:
        """Takes back what one source contributed."""
        units, at = self._by_source.pop(source, (0, None))
        self._sum -= units
        if at is not None and at in (self.first_at, self.last_at):
            moments = [*(self._nameless or ()), *(moment for _, moment in self._by_source.values())]
            self.first_at = min(moments, default=None)
            self.last_at = max(moments, default=None)

    def __bool__(self) -> bool:
        return bool(self._by_source) or self._nameless is not None

    @staticmethod
    def total(tallies: Iterable[Tally]) -> float:
        """The weight of several tallies together, exact to a millionth."""
        return sum(tally._sum for tally in tallies) / _UNITS
