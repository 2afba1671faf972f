"""The service's parts without a server: what the command line works with. It writes to the store alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from ingest.embedding import BatchingEmbedder, Embedder, load_embedder
from ingest.sandbox import ParserPool
from kb_service.answering import Answering
from kb_service.casework import Casework
from kb_service.errors import InvalidRequest, NotFound
from kb_service.exposures import ExposureLog
from kb_service.knowledge import Knowledge
from kb_service.models import KEY_ROLES
from kb_service.observability import Metrics
from kb_service.reading import Reader
from kb_service.replicas import Replicas
from kb_service.routing import Routing
from kb_service.settings import Settings
from kb_service.store import ApiKey, Store, Workspace

WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


class Workbench:
    """Lazily made parts over one open store; the encoder is loaded by the first command that embeds."""

    def __init__(self, settings: Settings, store: Store, *, embedder: Embedder | None = None) -> None:
        self.settings = settings
        self.store = store
        self._embedder = embedder
        self._wired: _Wired | None = None

    @property
    def wired(self) -> _Wired:
        if self._wired is None:
            self._wired = _Wired(self.settings, self.store, self._embedder)
        return self._wired

    @property
    def knowledge(self) -> Knowledge:
        return self.wired.knowledge

    @property
    def answering(self) -> Answering:
        return self.wired.answering

    @property
    def casework(self) -> Casework:
        return self.wired.casework

    @property
    def routing(self) -> Routing:
        return self.wired.routing

    @property
    def replicas(self) -> Replicas:
        return self.wired.replicas

    @property
    def reader(self) -> Reader:
        return self.wired.reader

    def close(self) -> None:
        if self._wired is not None:
            self._wired.close()

    # --- administration

    def require(self, workspace: str) -> None:
        """Raises NotFound unless the workspace exists."""
        with self.store.administration(writing=False) as unit:
            if unit.workspaces.get(workspace) is None:
                raise NotFound(
                    "There is no workspace {workspace}; create it with `kb workspaces create {workspace}`.",
                    workspace=workspace,
                )

    def create_workspace(self, workspace: str) -> Workspace:
        with self.store.administration() as unit:
            return unit.workspaces.create(workspace)

    def workspaces(self) -> tuple[Workspace, ...]:
        with self.store.administration(writing=False) as unit:
            return unit.workspaces.list()

    def create_key(self, workspace: str, roles: str, label: str = "") -> tuple[str, ApiKey]:
        chosen = [role.strip() for role in roles.split(",") if role.strip()]
        unknown = [role for role in chosen if role not in KEY_ROLES]
        if unknown or not chosen:
            raise InvalidRequest.of(
                "role", "must be some of {known}, separated by commas", known=", ".join(KEY_ROLES)
            )
        self.require(workspace)
        with self.store.administration() as unit:
            return unit.keys.create(workspace, chosen, label)

    def keys(self, workspace: str) -> tuple[ApiKey, ...]:
        self.require(workspace)
        with self.store.administration(writing=False) as unit:
            return unit.keys.list(workspace)

    def revoke_key(self, key_id: str) -> None:
        with self.store.administration() as unit:
            if not unit.keys.revoke(key_id):
                raise NotFound("There is no valid key {id}.", id=key_id)


class _Wired:
    """The parts that need the encoder."""

    def __init__(self, settings: Settings, store: Store, embedder: Embedder | None) -> None:
        self.encoder = BatchingEmbedder(
            embedder or load_embedder(settings.embedding_model, threads=settings.encoder_threads)
        )
        self.parsers = ParserPool(seconds=settings.parse_seconds, memory_mb=settings.parse_memory_mb)
        metrics = Metrics()
        self.reader = Reader(self.encoder)
        self.replicas = Replicas(store, self.encoder, None, clock=utc_now, metrics=metrics)
        exposures = ExposureLog(store)
        self.routing = Routing(store, self.replicas, self.reader, clock=utc_now)
        self.casework = Casework(
            store, self.replicas, self.reader, self.routing, clock=utc_now, metrics=metrics
        )
        self.knowledge = Knowledge(store, self.encoder, self.parsers, None)
        self.answering = Answering(
            store, self.replicas, self.reader, self.routing, self.casework, exposures,
            clock=utc_now, metrics=metrics,
        )  # fmt: skip

    def close(self) -> None:
        self.replicas.stop()
        self.parsers.close()
        self.encoder.close()


def utc_now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def open_workbench(settings: Settings, *, embedder: Embedder | None = None) -> Iterator[Workbench]:
    """The workbench over the configured store, migrated first."""
    settings.data.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    try:
        store.migrate()
        bench = Workbench(settings, store, embedder=embedder)
        try:
            yield bench
        finally:
            bench.close()
    finally:
        store.close()


def discard_derived(settings: Settings, workspace: str | None) -> list[str]:
    """Remove the derived indexes of one workspace or of all; names of what was removed."""
    folder = settings.data / "derived"
    if workspace is not None and not WORKSPACE.fullmatch(workspace):
        raise InvalidRequest.of("workspace", "must be letters, digits, - and _")
    found = [folder / workspace] if workspace else sorted(folder.iterdir()) if folder.is_dir() else []
    removed = [path for path in found if path.is_dir()]
    for path in removed:
        shutil.rmtree(path)
    return [path.name for path in removed]
