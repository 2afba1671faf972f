"""The mood head of this process's encoder, fitted on the shipped examples when it is first needed."""

from __future__ import annotations

import threading
from pathlib import Path

from graph.mood_examples import mood_examples
from graph.mood_head import MoodHead
from ingest.embedding import BatchingEmbedder
from kb_service.replicas.vector_cache import VectorCache


class MoodReading:
    """Fitted once, from vectors that are kept in `file` between starts. Safe for several threads."""

    def __init__(self, embedder: BatchingEmbedder, file: Path | None) -> None:
        self._embedder = embedder
        self._file = file
        self._lock = threading.Lock()
        self._head: MoodHead | None = None

    def head(self, language: str) -> MoodHead | None:
        """The head for texts of a language; None where the encoder does not read it, and words must do."""
        if language not in self._embedder.reads:
            return None
        with self._lock:
            if self._head is None:
                vectors = VectorCache(self._embedder, self._file)
                sentences, labels = zip(*mood_examples(), strict=True)
                self._head = MoodHead.fit(vectors.vectors(sentences), labels)
                vectors.save()
            return self._head
