"""After a change of the model: what the present model has not embedded, a stretch at a time.

Vectors of other models stay, so that going back costs nothing. Until a passage has its vector it is found by words.
"""

from __future__ import annotations

import numpy as np

from ingest.embedding import BatchingEmbedder
from ingest.pipeline import embed
from ingest.redaction import mask_numbers
from kb_service.models import Progress
from kb_service.store import Store

STRETCH = 64
"""Texts in one go: enough for full batches, few enough that other work goes on in between."""


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
