"""The replicas of one serving process: loaded in the background, kept up to date, published now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from structlog.stdlib import get_logger

from ingest.embedding import BatchingEmbedder
from kb_service.background import BackgroundWork
from kb_service.errors import NotReady
from kb_service.observability import Metrics
from kb_service.replicas.replica import Replica
from kb_service.search.reranking import Reranking
from kb_service.store import Store, Workspace

log = get_logger(__name__)

POLL_SECONDS = 0.25
"""How often the change log is asked for what other processes wrote."""
PUBLISH_SECONDS = 30.0
"""How long changes may wait before a new generation of the indexes is published."""
RETRY_SECONDS = 5.0
"""How long a workspace that could not be followed is left alone."""
PURGE_EVERY = timedelta(hours=1)
KEYS_KEPT = timedelta(days=7)
"""How long the first response to an idempotency key is replayed."""
HURRIED_SECONDS = 0.4
"""How long a page waits for problems and graph to be derived, as after a start, before it does without them."""
LOAD_WAIT_SECONDS = 10.0
"""How long a request waits for a workspace that is just being loaded."""

hurried: ContextVar[bool] = ContextVar("hurried", default=False)
"""Whether somebody looks at an empty screen meanwhile: a page is asked for."""


class Replicas(BackgroundWork):
    """Finds the Replica of a workspace, and owns the thread that follows the change logs.

    Without `publishes` no index is kept on disk: the command line writes to the store alone. With `walks` questions
    that name several things are also followed along the graph, see `graph.paths`.
    """

    def __init__(
        self,
        store: Store,
        embedder: BatchingEmbedder,
        folder: Path,
        *,
        publishes: bool = True,
        clock: Callable[[], datetime],
        metrics: Metrics,
        walks: bool = False,
        reranking: Reranking | None = None,
    ) -> None:
        super().__init__("replicas")
        self._walks = walks
        self._reranking = reranking
        self._store = store
        self._embedder = embedder
        self._folder = folder
        self._publishes = publishes
        self._clock = clock
        self._metrics = metrics
        self._replicas: dict[str, Replica] = {}
        self._loading: dict[str, threading.Event] = {}
        self._purged: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self.first_load = threading.Event()
        """Set when every workspace was loaded, or found not to be loadable, for the first time."""
        self._failing: dict[str, float] = {}

    def stop(self) -> None:
        """End the thread and publish what is not yet published."""
        super().stop()
        for replica in self._all():
            self._attempt("publishing_failed", replica.workspace, replica.publish)
            self._attempt("closing_failed", replica.workspace, replica.close)

    def of(self, workspace: str) -> Replica:
        """The Replica of a workspace, loaded when this is its first use; NotReady when that takes long."""
        replica = self._replicas.get(workspace)
        return replica if replica is not None else self._load(workspace)

    def settled(self, workspace: str) -> Replica:
        """The same with its matcher and graph derived, waiting for them when need be; NotReady where a page would wait
        for long."""
        replica = self.of(workspace)
        if not hurried.get():
            replica.settle()
        elif not replica.settle_within(HURRIED_SECONDS):
            raise NotReady(
                "What is known of the problems of {workspace} is just being put together.",
                workspace=workspace,
                retry_after=2,
            )
        return replica

    def at_hand(self, workspace: str) -> Replica:
        """The same for what the store tells nearly all of, the Shop and the problems: a page gets the Replica as it
        is, see `Replica.settled`, anybody else a settled one."""
        replica = self.of(workspace)
        if hurried.get():
            replica.settle_within(HURRIED_SECONDS)
            return replica
        return self.settled(workspace)

    def follow(self, workspace: str) -> None:
        """Bring a workspace up to what is committed, so that the caller's own write is visible."""
        self.of(workspace).follow()

    def loaded(self) -> list[Replica]:
        """The replicas that are there already; loads none."""
        return self._all()

    def readiness(self) -> dict[str, Any]:
        """Whether requests can be served, and what is still loading. Raises nothing."""
        try:
            self._store.ping()
            store = "ready"
        except Exception as error:
            log.warning("store_unreachable", exc_info=error)
            store = "unreachable"
        with self._lock:
            loading = len(self._loading)
            loaded = len(self._replicas)
            settling = sum(not replica.settled for replica in self._replicas.values())
        ready = store == "ready" and self.first_load.is_set() and not loading
        return {
            "status": "ready" if ready else "loading" if store == "ready" else "unavailable",
            "store": store,
            "encoder": "ready",
            "workspaces": {"ready": loaded, "loading": loading, "settling": settling},
        }

    def _all(self) -> list[Replica]:
        with self._lock:
            return list(self._replicas.values())

    def _load(self, workspace: str) -> Replica:
        with self._lock:
            if (known := self._replicas.get(workspace)) is not None:
                return known
            pending = self._loading.get(workspace)
            if pending is None:
                self._loading[workspace] = threading.Event()
        if pending is not None:
            if not pending.wait(LOAD_WAIT_SECONDS):
                raise NotReady(
                    "The workspace {workspace} is still loading.", workspace=workspace, retry_after=2
                )
            return self.of(workspace)
        try:
            started = time.perf_counter()
            folder = self._folder / workspace
            replica = Replica(
                workspace,
                self._store,
                self._embedder,
                folder,
                publishes=self._publishes,
                clock=self._clock,
                walks=self._walks,
                reranking=self._reranking,
            )
            with self._lock:
                self._replicas[workspace] = replica
            log.info("workspace_loaded", workspace=workspace, seconds=round(time.perf_counter() - started, 2))
            return replica
        finally:
            with self._lock:
                self._loading.pop(workspace).set()

    def _run(self) -> None:
        published = time.monotonic()
        while not self._stopping.is_set():
            try:
                self._follow_all()
                if time.monotonic() - published > PUBLISH_SECONDS:
                    published = time.monotonic()
                    for replica in self._all():
                        self._attempt("publishing_failed", replica.workspace, replica.publish)
            except Exception as error:
                log.error("following_failed", exc_info=error)
                self._stopping.wait(1.0)
            self._stopping.wait(POLL_SECONDS)

    def _follow_all(self) -> None:
        with self._store.administration(writing=False) as unit:
            workspaces = unit.workspaces.list()
        self._each(workspaces, lambda workspace: self.of(workspace.id))
        self.first_load.set()
        self._each(workspaces, self._bring_up)

    def _bring_up(self, workspace: Workspace) -> None:
        replica = self.settled(workspace.id)
        if replica.position < workspace.position:
            replica.follow()
        replica.learn()
        replica.embed_missing()
        replica.learn_words()
        self._purge(workspace.id)
        self._metrics.passages.labels(workspace.id).set(replica.passages)

    def _purge(self, workspace: str) -> None:
        """Forget idempotency keys that nobody will use again, now and then."""
        now = self._clock()
        if now - self._purged.get(workspace, now - 2 * PURGE_EVERY) < PURGE_EVERY:
            return
        self._purged[workspace] = now
        with self._store.writing(workspace) as unit:
            unit.idempotency.purge(now - KEYS_KEPT)

    def _each(self, workspaces: Sequence[Workspace], work: Callable[[Workspace], object]) -> None:
        """One workspace that fails holds up no other; it is tried again after a while."""
        for workspace in workspaces:
            if self._stopping.is_set():
                return
            if self._failing.get(workspace.id, 0.0) > time.monotonic():
                continue
            if self._attempt("following_failed", workspace.id, partial(work, workspace)):
                self._failing.pop(workspace.id, None)
            else:
                self._failing[workspace.id] = time.monotonic() + RETRY_SECONDS

    def _attempt(self, name: str, workspace: str, work: Callable[[], object]) -> bool:
        """Whether the work was done; what went wrong is logged under `name`."""
        try:
            work()
        except Exception as error:
            log.error(name, workspace=workspace, exc_info=error)
            return False
        return True
