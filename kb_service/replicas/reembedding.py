"""After a change of the model: what the present model has not embedded, a stretch at a time.

Vectors of other models stay, so that going back costs nothing. Until a passage has its vector it is found by words.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from ingest.embedding import BatchingEmbedder
from ingest.pipeline import embed
from ingest.redaction import mask_numbers
from kb_service.models import Progress
from kb_service.store import Store, Unit

STRETCH = 64
"""Texts in one go: enough for full batches, few enough that other work goes on in between."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many passages this process embedded anew after a change of the model, and how long that took."""

    texts: int = 0
    seconds: float = 0.0

    @property
    def per_minute(self) -> float | None:
        return 60 * self.texts / self.seconds if self.texts and self.seconds > 0 else None


class Reembedding:
    """How far one process is with the texts of a workspace. `complete` is whether all have a vector of the model."""

    def __init__(self, workspace: str, store: Store, embedder: BatchingEmbedder) -> None:
        self._workspace = workspace
        self._store = store
        self._embedder = embedder
        self._reached = 0
        self.complete = False
        self.pace = Pace()

    def look(self, unit: Unit) -> None:
        """Whether anything is to be done."""
        model_id = self._embedder.model_id
        lacking = unit.documents.without_vectors(model_id, 1) or unit.events.of_other_models(model_id)
        self.complete = not lacking

    def go_on(self) -> bool:
        """Embed some of what is left: passages first, then the messages by which problems are recognised. Whether
        there was nothing more."""
        began = time.monotonic()
        done = embed_passages(self._store, self._embedder, self._workspace)
        self.pace = Pace(self.pace.texts + done, self.pace.seconds + time.monotonic() - began)
        if done:
            return False
        reached = embed_messages(self._store, self._embedder, self._workspace, self._reached)
        if reached is not None:
            self._reached = reached
        return reached is None


def embed_passages(store: Store, embedder: BatchingEmbedder, workspace: str) -> int:
    """Embed the next passages that have no vector of the model; how many there were. The change log tells of them."""
    with store.reading(workspace) as unit:
        waiting = unit.documents.without_vectors(embedder.model_id, STRETCH)
    vectors = dict(zip((passage.id for passage in waiting), embed(waiting, embedder), strict=True))
    if not waiting:
        return 0
    with store.writing(workspace) as unit:
        # A document that changed meanwhile was embedded by the one who changed it.
        still = unit.documents.passages_by_id(list(vectors))
        if still:
            unit.documents.put_vectors(
                list(still), np.stack([vectors[name] for name in still]), embedder.model_id
            )
        for external_id in sorted({stored.passage.external_id for stored in still.values()}):
            unit.changes.record("document", external_id, unit.documents.next_version(external_id) - 1)
    return len(waiting)


def embed_messages(store: Store, embedder: BatchingEmbedder, workspace: str, after: int) -> int | None:
    """Embed the next customers' messages after a place in the order of arrival; the place reached, None at the end."""
    with store.reading(workspace) as unit:
        found = list(unit.events.messages(after, STRETCH))
    if not found:
        return None
    stale = [message for message in found if message.event.text and message.model_id != embedder.model_id]
    vectors = embedder.embed_passages([mask_numbers(message.event.text or "") for message in stale])
    with store.writing(workspace) as unit:
        known = unit.events.existing([message.event.id for message in stale])
        for message, vector in zip(stale, vectors, strict=True):
            if message.event.id in known:
                unit.events.put_vector(message.event.id, vector, embedder.model_id)
    return found[-1].sequence


def embed_all(store: Store, embedder: BatchingEmbedder, workspace: str, progress: Progress) -> int:
    """Embed everything that is left, passages and messages; how many passages that were."""
    with store.reading(workspace) as unit:
        total = unit.documents.passage_count()
    done = 0
    while count := embed_passages(store, embedder, workspace):
        done += count
        progress(done, total, "passages")
    place: int | None = 0
    while place is not None:
        place = embed_messages(store, embedder, workspace, place)
    return done
