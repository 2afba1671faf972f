"""How near texts of the shop are to a question in meaning; the vectors of texts that were compared are kept."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

import numpy as np

from ingest.embedding import Embedder
from ingest.models import Vectors
from kb_service.replying.excerpts import Likeness
from kb_service.search.models import Vector

KEPT = 2048
"""Vectors of sentences and labels that are kept, three megabytes: questions come back to the same documents."""


class Meaning:
    """Compares sentences and labels with questions. Safe for any thread."""

    def __init__(self, embedder: Embedder, *, kept: int = KEPT) -> None:
        self._embedder = embedder
        self._kept = kept
        self._lock = threading.Lock()
        self._vectors: OrderedDict[bytes, Vector] = OrderedDict()

    def likeness(self, vector: Vector, *languages: str) -> Likeness | None:
        """Compares texts with the question of this vector; None unless the model reads all the languages.

        `vector` is of the same model. Nothing is encoded before the result is called.
        """
        if not set(languages) <= self._embedder.reads:
            return None
        return partial(self._compare, vector)

    def _compare(self, vector: Vector, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        cosines = self._of(texts) @ vector
        return [float(cosine) for cosine in cosines]

    def _of(self, texts: Sequence[str]) -> Vectors:
        named = {
            text: hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in texts
        }
        with self._lock:
            known = {key: self._vectors[key] for key in named.values() if key in self._vectors}
            for key in known:
                self._vectors.move_to_end(key)
        fresh = {key: text for text, key in named.items() if key not in known}
        if fresh:
            made = self._embedder.embed_passages(list(fresh.values()))
            # A copy, because a row would keep the whole batch alive.
            known |= {key: row.copy() for key, row in zip(fresh, made, strict=True)}
            with self._lock:
                self._vectors.update((key, known[key]) for key in fresh)
                while len(self._vectors) > self._kept:
                    self._vectors.popitem(last=False)
        return np.stack([known[named[text]] for text in texts])
