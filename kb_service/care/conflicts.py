"""Documents that contradict one another: found in the background after each change, listed, and told to answers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from structlog.stdlib import get_logger

from kb_service.background import BackgroundWork
from kb_service.care.conflict_groups import ConflictGroup, grouped
from kb_service.care.conflict_watch import Conflict, ConflictWatch
from kb_service.paging import Key, page_by
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas, hurried
from kb_service.search.models import Hit
from kb_service.store import Page

log = get_logger(__name__)

POLL_SECONDS = 0.5
SLICE_SECONDS = 0.02
"""How long documents are compared at a stretch."""
REST_SECONDS = 0.1
"""How long requests have the processor to themselves between two stretches."""
PAGE_SECONDS = 0.2
"""How long a page waits for that, which may say that there is more to compare."""
LISTING_SECONDS = 1.0
"""How long a request for the list waits for what was put a moment ago to be compared."""


@dataclass(frozen=True, slots=True)
class ConflictGroups:
    """A page of groups; how many groups there are on all pages, and conflicts in them."""

    page: Page[ConflictGroup]
    count: int
    conflicts: int


class Conflicts(BackgroundWork):
    """The conflicts of every workspace that this process serves."""

    def __init__(self, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        super().__init__("conflicts")
        self._replicas = replicas
        self._clock = clock
        self._watches: dict[str, ConflictWatch] = {}
        self._lock = threading.Lock()

    def page(
        self,
        workspace: str,
        cursor: str | None,
        limit: int,
        *,
        as_of: datetime | None = None,
        upcoming: bool = False,
        document_id: str | None = None,
    ) -> Page[Conflict]:
        """Conflicts of documents that are valid at a moment (now, unless told), the surest first.

        `upcoming`: those too that begin after it. `document_id`: those of one document.
        """
        at = as_of or self._clock()
        found = [
            conflict
            for conflict in self._known(workspace)
            if conflict.valid(at, upcoming=upcoming)
            and (document_id is None or document_id in {side.document_id for side in conflict.documents})
        ]
        return page_by(found, _place, cursor, limit)

    def groups(self, workspace: str, cursor: str | None, limit: int) -> ConflictGroups:
        """Conflicts of documents that are valid now or will be, those together that one decision settles."""
        now = self._clock()
        found = [item for item in self._known(workspace) if item.valid(now, upcoming=True)]
        groups = grouped(found)
        page = page_by(groups, lambda group: (-group.score, group.id), cursor, limit)
        return ConflictGroups(page, len(groups), len(found))

    def _known(self, workspace: str) -> tuple[Conflict, ...]:
        """What is known, once there was a moment to compare what came."""
        replica = self._replicas.of(workspace)
        watch = self._watch(replica)
        watch.catch_up(replica.index.snapshot, PAGE_SECONDS if hurried.get() else LISTING_SECONDS)
        return watch.known

    def complete(self, workspace: str) -> bool:
        """Whether every document was compared with every other."""
        return self._watch(self._replicas.of(workspace)).done

    def counts(self, workspace: str) -> Mapping[str, int]:
        """In how many known conflicts, present or to come, each document is; those in none are absent."""
        now = self._clock()
        watch = self._watch(self._replicas.of(workspace))
        return Counter(
            side.document_id
            for conflict in watch.known
            if conflict.valid(now, upcoming=True)
            for side in conflict.documents
        )

    def settle(self, workspace: str) -> None:
        """Compare all that waits, however long it takes."""
        replica = self._replicas.of(workspace)
        watch = self._watch(replica)
        while not watch.catch_up(replica.index.snapshot, LISTING_SECONDS):
            pass

    def among(self, replica: Replica, hits: Sequence[Hit], question: str, at: datetime) -> Conflict | None:
        """What contradicts the best hit of a question, as far as it is known; see `ConflictWatch.among`."""
        return self._watch(replica).among(hits, question, at) if len(hits) > 1 else None

    def _watch(self, replica: Replica) -> ConflictWatch:
        with self._lock:
            return self._watches.setdefault(
                replica.workspace, ConflictWatch(replica.workspace, replica.index.reads)
            )

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            for replica in self._replicas.loaded():
                try:
                    self._follow(replica)
                except Exception as error:
                    log.error("conflicts_not_compared", workspace=replica.workspace, exc_info=error)

    def _follow(self, replica: Replica) -> None:
        watch = self._watch(replica)
        while not self._stopping.is_set():
            if watch.catch_up(replica.index.snapshot, SLICE_SECONDS):
                return
            self._stopping.wait(REST_SECONDS)


def _place(conflict: Conflict) -> Key:
    return -conflict.score, conflict.id
