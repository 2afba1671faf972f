"""Vectors of short texts that every start needs again, kept in a file beside the indexes.

The file is derived: checksummed, bound to one model, and thrown away when anything about it is wrong.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ingest.embedding import BatchingEmbedder
from ingest.models import Vectors

DIGEST_BYTES = 32


class VectorCache:
    """Encodes each text once per model. Not thread-safe: its Replica calls it under its own lock."""

    def __init__(self, embedder: BatchingEmbedder, file: Path | None) -> None:
        self._embedder = embedder
        self._file = file
        self._rows: dict[str, Vectors] = self._load()
        self._saved = len(self._rows)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """One unit-length row a text, shape (n, dimension)."""
        digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        missing = {key: text for key, text in zip(digests, texts, strict=True) if key not in self._rows}
        if missing:
            fresh = self._embedder.embed_passages(list(missing.values()))
            self._rows.update(zip(missing, fresh, strict=True))
        if not texts:
            return np.zeros((0, self._embedder.dimension), np.float32)
        return np.stack([self._rows[key] for key in digests])

    def save(self) -> None:
        """Write the file when it has grown since it was last written; atomically."""
        if self._file is None or len(self._rows) == self._saved:
            return
        buffer = io.BytesIO()
        np.savez(
            buffer,
            model=np.array(self._embedder.model_id),
            digests=np.array(list(self._rows)),
            vectors=np.stack(list(self._rows.values())),
        )
        content = buffer.getvalue()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_bytes(hashlib.sha256(content).digest() + content)
        temporary.replace(self._file)
        self._saved = len(self._rows)

    def _load(self) -> dict[str, Vectors]:
        try:
            raw = self._file.read_bytes() if self._file is not None else b""
        except OSError:
            return {}
        checksum, content = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != checksum:
            return {}
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as held:
                if str(held["model"]) != self._embedder.model_id:
                    return {}
                rows = held["vectors"].astype(np.float32, copy=False)
                if rows.shape[1:] != (self._embedder.dimension,):
                    return {}
                return {str(key): row for key, row in zip(held["digests"], rows, strict=True)}
        except (KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return {}
