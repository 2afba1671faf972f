"""Queries of many threads, encoded together; the vectors of recent ones, kept when asked."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.errors import EncoderUnavailable
from ingest.models import Vectors

if TYPE_CHECKING:
    from ingest.embedding import Embedder


class _Request:
    """One caller's texts in a batch; `turn` wakes the caller to take its result or to lead the next run."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self.turn = threading.Event()
        self.vectors: Vectors | None = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.vectors is not None or self.error is not None

    def outcome(self) -> Vectors:
        if self.error is not None:
            raise self.error
        assert self.vectors is not None
        return self.vectors


class BatchingEmbedder:
    """Encodes the queries of many threads together: what arrives during one run goes in the next.

    The first caller encodes in its own thread at once, so an idle service adds no delay; callers that arrive
    meanwhile wait, and the first of them encodes for all. Up to `limit` texts go together. When a joint run
    fails each caller's texts are tried alone, so that an error reaches the caller whose texts caused it.

    `cache` is the number of recent queries whose vectors are kept (least recently used leave first; 0 keeps
    none), by the digest of their text; `forget` empties it. Passages go straight to the embedder.
    After `close` queries raise EncoderUnavailable; those already waiting are still answered.
    """

    def __init__(self, embedder: Embedder, *, limit: int = 64, cache: int = 0) -> None:
        if limit < 1 or cache < 0:
            raise ValueError("limit: at least 1; cache: 0 or more")
        self.embedder = embedder
        self.model_id = embedder.model_id
        self.dimension = embedder.dimension
        self.reads = embedder.reads
        self._limit = limit
        self._cache: _RecentVectors | None = _RecentVectors(cache) if cache else None
        self._lock = threading.Lock()
        self._waiting: deque[_Request] = deque()
        self._led = False
        self._closed = False

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        if self._cache is None:
            return self._encode(texts)
        return self._cache.through(texts, self._encode, self.dimension)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self.embedder.embed_passages(texts)

    def forget(self) -> None:
        """Empties the cache of recent queries."""
        if self._cache is not None:
            self._cache.clear()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self.forget()

    def _encode(self, texts: Sequence[str]) -> Vectors:
        request = _Request(texts)
        with self._lock:
            if self._closed:
                raise EncoderUnavailable(
                    "the encoder is closed because the service is stopping; ask again later"
                )
            self._waiting.append(request)
            leads, self._led = not self._led, True
        if not leads:
            request.turn.wait()
        if not request.done:
            self._lead()
        return request.outcome()

    def _lead(self) -> None:
        """Encodes the head of the queue, the caller's own request first, then hands the lead on."""
        with self._lock:
            batch = self._take()
        try:
            self._fulfil(batch)
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting[0].turn.set()
                else:
                    self._led = False
            for request in batch:
                request.turn.set()

    def _take(self) -> list[_Request]:
        batch = [self._waiting.popleft()]
        texts = len(batch[0].texts)
        while self._waiting and texts + len(self._waiting[0].texts) <= self._limit:
            texts += len(self._waiting[0].texts)
            batch.append(self._waiting.popleft())
        return batch

    def _fulfil(self, batch: Sequence[_Request]) -> None:
        try:
            vectors = self.embedder.embed_queries([text for request in batch for text in request.texts])
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                for request in batch:
                    self._fulfil((request,))
            return
        except BaseException as error:  # an interrupt of the leading thread must not leave the others waiting
            for request in batch:
                request.error = EncoderUnavailable(
                    f"encoding was interrupted ({type(error).__name__}); ask again"
                )
            raise
        start = 0
        for request in batch:
            request.vectors = vectors[start : start + len(request.texts)]
            start += len(request.texts)


class _RecentVectors:
    """A bounded map from the digest of a text to its vector; the least recently used leave first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._vectors: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    def through(
        self, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors], dimension: int
    ) -> Vectors:
        """The vectors of `texts`: those that are kept, and `encode`'s for the others, which are then kept."""
        keys = [hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in texts]
        with self._lock:
            found = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in found:
                self._vectors.move_to_end(key)
        absent = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if absent:
            fresh = dict(zip(absent, encode(list(absent.values())), strict=True))
            found |= fresh
            with self._lock:
                # A copy, because a row would keep the whole batch alive.
                self._vectors.update((key, vector.copy()) for key, vector in fresh.items())
                while len(self._vectors) > self._size:
                    self._vectors.popitem(last=False)
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, dimension), dtype=np.float32)

    def clear(self) -> None:
        with self._lock:
            self._vectors.clear()
