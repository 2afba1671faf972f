"""A workspace in a temporary folder: the whole service over a store of its own, gone when it is left."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import numpy as np

from ingest.batching import BatchingEmbedder
from ingest.embedding import Embedder
from ingest.models import Passage, Vectors
from ingest.pipeline import embed, prepare
from kb_service.app import wire
from kb_service.encoders import open_encoder
from kb_service.services import Services
from kb_service.settings import Settings
from kb_service.store import Store, StoredPassage, Unit

REMEMBERED = 200_000
"""Messages whose vectors are kept, so that what many customers write alike is encoded once; some 300 MB when full."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class EventClock:
    """Tells the latest event time that it was shown, so that timers run as they would have."""

    def __init__(self) -> None:
        self._now = BEGINNING

    def __call__(self) -> datetime:
        return self._now

    def reach(self, at: datetime) -> None:
        """Go on to `at`; an earlier time changes nothing."""
        self._now = max(self._now, at)


@dataclass(frozen=True, slots=True)
class Scratch:
    """The parts of a service whose clock is that of its events, over one workspace."""

    workspace: str
    services: Services
    clock: EventClock

    @property
    def store(self) -> Store:
        return self.services.store


@contextmanager
def scratch(settings: Settings, workspace: str, *, embedder: Embedder | None = None) -> Iterator[Scratch]:
    """An empty workspace with the encoder that serves. Nothing is read from or written to the data folder but the
    lexicon in force; nothing runs in the background and nothing is sent."""
    with tempfile.TemporaryDirectory(prefix="kb-scratch-") as folder:
        here = settings.model_copy(update={"data": Path(folder), "database_url": None, "reranker": ""})
        clock = EventClock()
        remembering = BatchingEmbedder(embedder or open_encoder(settings), cache=REMEMBERED)
        services = wire(here, embedder=remembering, clock=clock, serving=False)
        try:
            with services.store.administration() as unit:
                unit.workspaces.create(workspace)
            yield Scratch(workspace, services, clock)
        finally:
            services.stop()


def copy_shop(source: Unit, into: Scratch) -> None:
    """What a shop declared and wrote: its rules, intents, agents and documents, with the vectors that they have."""
    encoder = into.services.encoder
    with into.store.writing(into.workspace) as unit:
        unit.rules.put(source.rules.get())
        unit.intents.put_many(source.intents.all())
        for agent in source.agents.all():
            unit.agents.put(agent)
        passages = groupby(
            source.documents.passages(model_id=encoder.model_id), key=lambda held: held.passage.external_id
        )
        held = {external_id: list(found) for external_id, found in passages}
        for stored in source.documents.all():
            prepared = prepare(stored.document, workspace=into.workspace, version=1)
            vectors = _vectors(prepared.passages, held.get(stored.document.external_id, []))
            if vectors is None:
                vectors = embed(prepared.passages, encoder)
            unit.documents.put(prepared.document, prepared.passages, vectors, encoder.model_id)


def _vectors(passages: tuple[Passage, ...], held: list[StoredPassage]) -> Vectors | None:
    """The vectors of passages that say what those in the store say; None where some have none."""
    found = [stored.vector for stored in held if stored.vector is not None]
    same = [stored.passage.text for stored in held] == [passage.text for passage in passages]
    return np.stack(found) if found and same and len(found) == len(passages) else None
