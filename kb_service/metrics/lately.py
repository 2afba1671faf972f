"""Figures that take long to make, told again for a while to whoever looks at them, and made anew beside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from structlog.stdlib import get_logger

log = get_logger(__name__)

Figures = TypeVar("Figures")

KEPT = timedelta(seconds=60)
OLDEST = timedelta(minutes=30)
"""How old figures may be that are told while newer ones are made."""
PATIENCE_SECONDS = 0.3
"""How long whoever looks waits for newer figures before they are told the last ones."""
MOST = 16


@dataclass(frozen=True, slots=True)
class _Made(Generic[Figures]):
    """`mark` is what the figures were made of, as far as somebody can tell without making them."""

    at: datetime
    mark: Hashable
    figures: Figures


class Lately(Generic[Figures]):
    """The latest figures by what they are of, fresh for `KEPT` from when they were made; `MOST` of them.

    Those that are not fresh are made anew in a thread of their own. Who asks meanwhile is told the last ones, if they
    are not older than `OLDEST`: figures must tell themselves of when they are.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._made: dict[Hashable, _Made[Figures]] = {}
        self._begun: dict[Hashable, Future[Figures]] = {}
        self._lock = threading.Lock()

    def of(
        self,
        key: Hashable,
        make: Callable[[], Figures],
        mark: Hashable = None,
        *,
        usable: Callable[[Figures], bool] = lambda _: True,
    ) -> Figures:
        """What was made of `key` within the last while from the same `mark`; else what `make` makes now, or what was
        made before it. What is not `usable` is never told again."""
        now = self._clock()
        known = self._made.get(key)
        if known is None or not timedelta(0) <= now - known.at < OLDEST or not usable(known.figures):
            return self._keep(key, now, mark, make())
        if known.mark == mark and now - known.at < KEPT:
            return known.figures
        try:
            return self._again(key, now, mark, make).result(PATIENCE_SECONDS)
        except TimeoutError:
            return known.figures

    def forget(self, belongs: Callable[[Hashable], bool]) -> None:
        """Drop the figures whose keys belong to what is to be forgotten."""
        with self._lock:
            for key in [key for key in self._made if belongs(key)]:
                del self._made[key]

    def made_at(self, key: Hashable) -> datetime | None:
        """When what `of` told last of `key` was made."""
        known = self._made.get(key)
        return known.at if known is not None else None

    def _keep(self, key: Hashable, at: datetime, mark: Hashable, figures: Figures) -> Figures:
        with self._lock:
            while len(self._made) >= MOST and key not in self._made:
                self._made.pop(next(iter(self._made)))
            self._made[key] = _Made(at, mark, figures)
        return figures

    def _again(
        self, key: Hashable, at: datetime, mark: Hashable, make: Callable[[], Figures]
    ) -> Future[Figures]:
        """What is made beside; one at a time of each key."""
        with self._lock:
            begun = self._begun.get(key)
            if begun is not None:
                return begun
            begun = self._begun[key] = Future()

        def work() -> None:
            try:
                begun.set_result(self._keep(key, at, mark, make()))
            except Exception as error:
                log.warning("figures_not_made", exc_info=error)
                begun.set_exception(error)
            finally:
                with self._lock:
                    self._begun.pop(key, None)

        threading.Thread(target=work, name="figures", daemon=True).start()
        return begun
