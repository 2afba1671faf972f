"""An encoder that encodes each text once, and, where a folder is given, once for all runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ingest.embedding import Embedder
from ingest.models import Vectors

_AT_ONCE = 1024


class RememberedEmbedder:
    """An Embedder over another one. What two threads ask for at once is encoded twice; `save` is for when none asks.

    The file is bound to the model's id: an encoder that changes without a new id needs another folder.
    """

    def __init__(self, embedder: Embedder, folder: Path | None = None) -> None:
        self._embedder = embedder
        self.model_id = embedder.model_id
        self.dimension = embedder.dimension
        self.reads = embedder.reads
        self._file = folder / f"{re.sub('[^A-Za-z0-9.-]+', '_', embedder.model_id)}.npz" if folder else None
        self._rows: dict[str, NDArray[np.float32]] = self._load()
        self._saved = len(self._rows)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._through("query", texts, self._embedder.embed_queries)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._through("passage", texts, self._embedder.embed_passages)

    def save(self) -> None:
        """Write the file when there is one and something is new."""
        if self._file is None or len(self._rows) == self._saved:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        with temporary.open("wb") as stream:
            np.savez(stream, keys=np.array(list(self._rows)), vectors=np.stack(list(self._rows.values())))
        temporary.replace(self._file)
        self._saved = len(self._rows)

    def _load(self) -> dict[str, NDArray[np.float32]]:
        if self._file is None or not self._file.is_file():
            return {}
        with np.load(self._file, allow_pickle=False) as held:
            return {str(key): row for key, row in zip(held["keys"], held["vectors"], strict=True)}

    def _through(
        self,
        role: Literal["query", "passage"],
        texts: Sequence[str],
        encode: Callable[[Sequence[str]], Vectors],
    ) -> Vectors:
        keys = [hashlib.blake2b(f"{role}\0{text}".encode(), digest_size=16).hexdigest() for text in texts]
        absent = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}
        fresh = sorted(absent.items(), key=lambda item: len(item[1]))
        for start in range(0, len(fresh), _AT_ONCE):
            some = fresh[start : start + _AT_ONCE]
            self._rows.update(zip((key for key, _ in some), encode([text for _, text in some]), strict=True))
        return (
            np.stack([self._rows[key] for key in keys]) if keys else np.zeros((0, self.dimension), np.float32)
        )
