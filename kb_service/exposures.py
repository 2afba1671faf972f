"""What was shown to whom, written in groups within a second: the one write that is not awaited."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass

from structlog.stdlib import get_logger

from kb_service.background import BackgroundWork
from kb_service.store import Exposure, Review, Store

log = get_logger(__name__)

GROUP_SECONDS = 0.5
MOST_WAITING = 50_000
"""Exposures kept in memory while the store cannot be written; beyond that the oldest are dropped, and it is logged."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    workspace: str
    exposure: Exposure
    review: Review | None


class ExposureLog(BackgroundWork):
    """Collects exposures and commits them by workspace; `flush` makes those so far visible to feedback."""

    def __init__(self, store: Store) -> None:
        super().__init__("exposures")
        self._store = store
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def add(self, workspace: str, exposure: Exposure, *, review: Review | None = None) -> None:
        """Takes an exposure, and with it the review that it was drawn for: both are committed, or neither."""
        with self._lock:
            self._waiting.append(_Waiting(workspace, exposure, review))

    def stop(self) -> None:
        """Write what is left and end the thread."""
        super().stop()
        self.flush()

    def flush(self) -> None:
        """Commit everything collected so far. Raises what the store raises; nothing is lost then."""
        with self._writing:
            with self._lock:
                taken, self._waiting = self._waiting, []
            by_workspace: dict[str, list[_Waiting]] = defaultdict(list)
            for item in taken:
                by_workspace[item.workspace].append(item)
            written: set[str] = set()
            try:
                for workspace, items in by_workspace.items():
                    with self._store.writing(workspace) as unit:
                        unit.exposures.add_many(item.exposure for item in items)
                        unit.reviews.add_many(item.review for item in items if item.review is not None)
                    written.add(workspace)
            except BaseException:
                self._put_back([item for item in taken if item.workspace not in written])
                raise

    def _put_back(self, items: list[_Waiting]) -> None:
        with self._lock:
            self._waiting = items + self._waiting
            dropped = len(self._waiting) - MOST_WAITING
            if dropped > 0:
                self._waiting = self._waiting[dropped:]
                log.error("exposures_dropped", count=dropped)

    def _run(self) -> None:
        while not self._stopping.wait(GROUP_SECONDS):
            try:
                self.flush()
            except Exception as error:
                log.error("exposures_not_written", exc_info=error)
