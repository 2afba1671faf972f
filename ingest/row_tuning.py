"""Moves the vectors of words so that the texts that hold them come to lie where they should.

The encoder stays as it is: what it read of each text is fixed, and only the rows of a lexicon's table learn, by Adam
(Kingma and Ba, 2015) on the rows that a batch holds. What "where they should" means is the caller's, as the gradient
of a loss with respect to the texts' vectors: `ingest.lexicon_building` draws sentences to their translations,
`ingest.adapting` a shop's questions to those that mean the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from ingest.embedding import Embedder
from ingest.lexicon import Lexicon
from ingest.models import Vectors

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]

TEXTS_A_RUN = 2_048
_SMALLEST = 1e-9
_SHARP = 0.05


class Progress(Protocol):
    """Told what is being done and how much of it is: `progress("reading", 10, 200)`."""

    def __call__(self, step: str, done: int, total: int, /) -> None: ...


def quiet(step: str, done: int, total: int, /) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as `ingest.bilingual` joins them: words (sparse counts, shape (texts, words)), what the encoder read of
    each (texts, dimension), and the share that its words' vectors have in it (texts, 1)."""

    words: Any
    read: Matrix
    shares: Matrix

    def __len__(self) -> int:
        return len(self.read)

    def take(self, places: Places) -> Texts:
        return Texts(self.words[places], self.read[places], self.shares[places])


def encoded(texts: Sequence[str], english: Embedder, step: str, progress: Progress) -> Matrix:
    """The encoder's vectors of many texts, shape (len(texts), dimension)."""
    vectors = np.zeros((len(texts), english.dimension), dtype=np.float32)
    for begin in range(0, len(texts), TEXTS_A_RUN):
        vectors[begin : begin + TEXTS_A_RUN] = english.embed_passages(texts[begin : begin + TEXTS_A_RUN])
        progress(step, min(begin + TEXTS_A_RUN, len(texts)), len(texts))
    return vectors


def read(
    lexicon: Lexicon, texts: Sequence[str], english: Embedder, step: str, progress: Progress = quiet
) -> Texts:
    """Texts as a lexicon has them read."""
    numbers = [lexicon.numbered(text) for text in texts]
    shares = [
        lexicon.table_share * lexicon.chinese_share(text, len(held))
        for text, held in zip(texts, numbers, strict=True)
    ]
    return Texts(
        words=_counted(numbers, len(lexicon.numbers)),
        read=encoded([lexicon.read(text) for text in texts], english, step, progress),
        shares=np.array(shares, dtype=np.float32)[:, np.newaxis],
    )


def _counted(numbers: Sequence[Sequence[int]], words: int) -> Any:
    """How often each word stands in each text: a sparse matrix, shape (texts, words)."""
    indices = np.array([number for text in numbers for number in text], dtype=np.int64)
    ends = np.cumsum([0, *map(len, numbers)])
    matrix = sparse.csr_matrix(
        (np.ones(len(indices), dtype=np.float32), indices, ends), shape=(len(numbers), words)
    )
    matrix.sum_duplicates()
    return matrix


class Placing:
    """Where a table puts texts, as `vectors`, and which of its rows that rests on, as `touched`."""

    def __init__(self, rows: Matrix, texts: Texts) -> None:
        self._texts = texts
        self.touched: Places
        self.touched, columns = np.unique(texts.words.indices, return_inverse=True)
        self._words = sparse.csr_matrix(
            (texts.words.data, columns, texts.words.indptr), shape=(len(texts), len(self.touched))
        )
        self.meant, self._meant_length = unit(self._words @ rows[self.touched])
        self.vectors, self._length = unit(texts.shares * self.meant + (1 - texts.shares) * texts.read)

    def gradient(self, to_vectors: Matrix) -> Matrix:
        """The gradient for the touched rows, from the one for the vectors."""
        to_meant = self._texts.shares * _through_unit(to_vectors, self.vectors, self._length)
        to_rows: Matrix = self._words.T @ _through_unit(to_meant, self.meant, self._meant_length)
        return to_rows.astype(np.float32)


def unit(vectors: Matrix) -> tuple[Matrix, Matrix]:
    """Rows of length one and the lengths that they had, shape (n, 1)."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _SMALLEST).astype(np.float32)
    return vectors / lengths, lengths


def _through_unit(gradient: Matrix, vectors: Matrix, lengths: Matrix) -> Matrix:
    """The gradient before a division by the length, from the one after it."""
    along = (gradient * vectors).sum(axis=1, keepdims=True)
    before: Matrix = (gradient - vectors * along) / lengths
    return before


def told_apart(vectors: Matrix, targets: Matrix, temperature: float) -> tuple[float, Matrix, Matrix]:
    """The symmetric in-batch softmax over cosines: each vector should be nearest to its own target and the other
    way round. The mean loss and its gradients for `vectors` and `targets`."""
    scores = vectors @ targets.T / temperature
    count = len(scores)
    forth, back = _softmax(scores, 1), _softmax(scores, 0)
    own = np.maximum(np.diagonal(forth) * np.diagonal(back), np.float32(1e-30))
    wrong = ((forth + back) / 2 - np.eye(count, dtype=np.float32)).astype(np.float32)
    wrong /= np.float32(count * temperature)
    to_vectors: Matrix = wrong @ targets
    to_targets: Matrix = wrong.T @ vectors
    return float(-np.log(own).mean() / 2), to_vectors, to_targets


def _softmax(scores: Matrix, axis: int) -> Matrix:
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    shares: Matrix = raised / raised.sum(axis=axis, keepdims=True)
    return shares


class RowAdam:
    """Adam that moves only the rows of a batch, and their moments. Changes the rows it was given."""

    def __init__(self, rows: Matrix) -> None:
        self._rows = rows
        self._mean = np.zeros_like(rows)
        self._square = np.zeros_like(rows)
        self._steps = 0

    def step(self, touched: Places, gradient: Matrix, rate: float) -> None:
        self._steps += 1
        mean = self._mean[touched] = 0.9 * self._mean[touched] + 0.1 * gradient
        square = self._square[touched] = 0.999 * self._square[touched] + 0.001 * gradient**2
        scale = rate * np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        self._rows[touched] -= (scale * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)


def found_first(vectors: Vectors, targets: Vectors) -> float:
    """How often a text has its own counterpart nearest among all of them, mean of both directions."""
    scores = vectors @ targets.T
    own = np.arange(len(scores))
    return round(
        float(((scores.argmax(axis=1) == own).mean() + (scores.argmax(axis=0) == own).mean()) / 2), 4
    )


def surely_found(vectors: Vectors, targets: Vectors) -> float:
    """How surely a text has its own counterpart nearest: its share of a softmax over cosines, mean of both directions.

    It falls before the first text is mistaken for another, which `found_first` only then notices.
    """
    scores = vectors @ targets.T / np.float32(_SHARP)
    own = (np.diagonal(_softmax(scores, 1)).mean() + np.diagonal(_softmax(scores, 0)).mean()) / 2
    return round(float(own), 4)
