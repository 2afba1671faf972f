"""Chinese and English in one space: an English encoder that reads Chinese through a lexicon.

A text in English is encoded as it is. Of one that holds Chinese, the encoder reads the word-by-word rendering,
and the vectors of the Chinese words are added to that in proportion to how much of the text is Chinese. Each
half alone is worse: the rendering keeps order, numbers and Latin names but takes one sense for every word; the
vectors, tuned on translated sentences, know the usual sense but no order. See `docs/benchmarks.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ingest.embedding import Embedder
from ingest.lexicon import HAN, Lexicon
from ingest.models import Vectors

_BESIDE = "+zh:"


def shared_space(model_id: str) -> str | None:
    """How the ids begin of models whose vectors may stand in for one another: the same English encoder with
    whatever lexicon. None for a model that shares its space with no other."""
    english, beside, _ = model_id.partition(_BESIDE)
    return english + beside if beside else None


class BilingualEmbedder:
    """An embedder of two languages in the space of an English one. Vectors of plain English are those of `english`."""

    def __init__(self, english: Embedder, lexicon: Lexicon) -> None:
        if lexicon.dimension != english.dimension:
            raise ValueError(f"lexicon: {lexicon.dimension} dimensions, the encoder has {english.dimension}")
        self.english = english
        self.lexicon = lexicon
        self.model_id = f"{english.model_id}{_BESIDE}{lexicon.digest[:8]}"
        self.dimension = english.dimension
        self.reads = english.reads | {"zh"}

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts, self.english.embed_queries)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts, self.english.embed_passages)

    def _embed(self, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        vectors = encode([self.lexicon.read(text) for text in texts])
        for row, text in enumerate(texts):
            if HAN.search(text):
                vectors[row] = self._joined(text, vectors[row])
        return vectors

    def _joined(self, text: str, read: Vectors) -> Vectors:
        numbers = self.lexicon.numbered(text)
        if not numbers:
            return read
        meant = self.lexicon.rows(numbers).sum(axis=0)
        length = float(np.linalg.norm(meant))
        if length == 0:
            return read
        share = self.lexicon.table_share * self.lexicon.chinese_share(text, len(numbers))
        joined = (1 - share) * read + share / length * meant
        unit: Vectors = (joined / max(float(np.linalg.norm(joined)), 1e-12)).astype(np.float32)
        return unit
