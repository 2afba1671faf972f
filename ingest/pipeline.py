"""The way of a document through this room, after its reader: redact, split, embed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.embedding import Embedder
from ingest.models import Document, Passage, Vectors
from ingest.redaction import redact_document
from ingest.splitting import split

_AT_ONCE = 2048
"""Passages handed to the encoder together: many enough for even batches, few enough to bound its memory."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document without personal data and its passages, ready to embed and store."""

    document: Document
    passages: tuple[Passage, ...]


def prepare(document: Document, *, workspace: str, version: int) -> Prepared:
    """Redact a document where its kind asks for it, then split it.

    `document.content_hash` of the result is what to compare with the stored one: redaction is applied
    once and for all before anything is kept. Ids of passages hold `workspace` and `version`.
    """
    clean = redact_document(document)
    return Prepared(clean, split(clean, workspace=workspace, version=version))


def embed(passages: Sequence[Passage], embedder: Embedder) -> Vectors:
    """Unit-length float32 vectors of the passages, shape (n, dimension), in their order.

    Equal texts are encoded once, and texts of like length together, so that little is spent on padding.
    """
    rows: dict[str, list[int]] = {}
    for row, passage in enumerate(passages):
        rows.setdefault(embedded_text(passage), []).append(row)
    vectors = np.zeros((len(passages), embedder.dimension), dtype=np.float32)
    texts = sorted(rows, key=len, reverse=True)
    for start in range(0, len(texts), _AT_ONCE):
        batch = texts[start : start + _AT_ONCE]
        for text, vector in zip(batch, embedder.embed_passages(batch), strict=True):
            vectors[rows[text]] = vector
    return vectors


def embedded_text(passage: Passage) -> str:
    """What the encoder sees of a passage: where it stands, then what it says."""
    return f"{passage.context}\n{passage.text}" if passage.context else passage.text
