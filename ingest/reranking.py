"""Rerankers: models that read a question and a passage together and tell how well the one answers the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ingest.errors import EncoderUnavailable
from ingest.language import words

Logits: TypeAlias = NDArray[np.float64]
"""Log-odds that each passage answers the question, shape (passages,)."""

WORD_OVERLAP = "word-overlap"


class Reranker(Protocol):
    """Safe for several threads. `model_id` names the model and a digest of its files."""

    model_id: str

    def score(self, query: str, passages: Sequence[str]) -> Logits:
        """The log-odds that each passage answers the question, in the passages' order; higher is better."""
        ...


class WordOverlapReranker:
    """A deterministic fake that needs no model: 4 for a passage with every word of the question, -4 for none."""

    model_id = WORD_OVERLAP

    def score(self, query: str, passages: Sequence[str]) -> Logits:
        asked = set(words(query))
        shares = [len(asked & set(words(passage))) / max(len(asked), 1) for passage in passages]
        return 8 * np.array(shares, dtype=np.float64) - 4


def load_reranker(name: str, *, threads: int = 0) -> Reranker:
    """The reranker that a setting names: a cross-encoder's folder or hub name, or `word-overlap`.

    Raises EncoderUnavailable with what to do. Torch is imported here and nowhere before.
    """
    if not name.strip():
        raise EncoderUnavailable("reranker is empty; set it to a folder or a hub name")
    if name == WORD_OVERLAP:
        return WordOverlapReranker()
    from ingest.transformers import TransformersReranker

    return TransformersReranker(name, threads=threads)
