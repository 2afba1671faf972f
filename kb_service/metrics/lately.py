"""Figures that take long to make, told again for a while to whoever looks at them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

Figures = TypeVar("Figures")

KEPT = timedelta(seconds=60)
MOST = 16


class Lately(Generic[Figures]):
    """The latest figures by what they are of, each for `KEPT` from when it was made; `MOST` of them."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._made: dict[Hashable, tuple[datetime, Figures]] = {}

    def of(self, key: Hashable, make: Callable[[], Figures]) -> Figures:
        """What was made of `key` within the last while, else what `make` makes now."""
        now = self._clock()
        known = self._made.get(key)
        if known is not None and timedelta(0) <= now - known[0] < KEPT:
            return known[1]
        made = make()
        while len(self._made) >= MOST:
            self._made.pop(next(iter(self._made)), None)
        self._made[key] = now, made
        return made
