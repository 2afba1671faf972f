"""A workspace's search index over the store: opened from the published generation, made anew, and published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from structlog.stdlib import get_logger

from ingest.embedding import BatchingEmbedder
from kb_service.search.reranking import Reranking
from kb_service.search.retrieval import SearchIndex
from kb_service.search.source import UnitSource
from kb_service.store import Store, Unit

log = get_logger(__name__)

PUBLISH_SHARE = 64
"""Changes after which a new generation is worth publishing."""


class PublishedIndex:
    """Without a `folder` the index is kept in memory alone, as by the command line."""

    def __init__(
        self,
        workspace: str,
        store: Store,
        embedder: BatchingEmbedder,
        folder: Path | None,
        reranking: Reranking | None,
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._embedder = embedder
        self.publishes = folder is not None
        self.index = SearchIndex(
            workspace,
            model_id=embedder.model_id,
            dimension=embedder.dimension,
            reads=embedder.reads,
            folder=folder,
            reranking=reranking,
        )

    def source(self, unit: Unit) -> UnitSource:
        """What the index reads of the store."""
        return UnitSource(unit, model_id=self._embedder.model_id, dimension=self._embedder.dimension)

    def open(self, unit: Unit) -> None:
        """The published generation and what came since; everything anew when there is none or it is damaged."""
        if not self.publishes:
            self.index.rebuild(self.source(unit))
            return
        fault = self.index.restore(self.source(unit))
        if fault is not None:
            log.info("index_rebuilt", workspace=self._workspace, reason=fault)

    def remake(self, told: Callable[[int], None] | None = None) -> None:
        """Make it anew from the store while it goes on serving, and publish it. `told` hears of each document, by how
        many there were."""

        @contextmanager
        def reading() -> Iterator[UnitSource]:
            with self._store.reading(self._workspace) as unit:
                yield self.source(unit)

        self.index.remake(reading, told)
        if self.publishes:
            self.index.publish()

    def maintain(self) -> None:
        """Write a new generation when enough has changed to make it worth the while, else compact what needs it."""
        if self.publishes and self.index.position - self.index.published >= PUBLISH_SHARE:
            self.index.publish()
        else:
            self.index.maintain()

    def close(self) -> None:
        """Publish what is not published yet, and let the files go."""
        if self.publishes and self.index.position > self.index.published:
            self.index.publish()
        self.index.close()
