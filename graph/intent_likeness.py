"""How like one another texts are for telling intents apart: by meaning, by words, and as a kernel of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from graph.models import Utterance
from graph.words import WordIndex, weighted

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

WORDS_SHARE = 0.2
"""Share of the words' cosine in the kernel where vectors speak. Of 0, .1, .2 and .3 the best mean of BANKING77 and
HWU64 at 5 and 10 examples, with exp(2 (cosine - 1)) of the vectors as the rest."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One text beside every example: `meaning` is a cosine, of words where vectors do not speak, `kernel` what a
    head learns from; both of shape (examples,)."""

    meaning: Floats
    kernel: Floats


class Examples:
    """The examples that a text of some language can be compared with, in order of their intents.

    `labels` are places of intents, ascending, one an example; with `vectors` False only words are compared.
    Immutable once made, safe for concurrent readers.
    """

    def __init__(self, texts: Sequence[Utterance], labels: Rows, *, vectors: bool) -> None:
        self.labels = labels
        self.intents, self.starts, self.counts = np.unique(labels, return_index=True, return_counts=True)
        self.place = np.repeat(np.arange(len(self.intents)), self.counts)
        self._vectors = np.stack([text.vector for text in texts]) if vectors else None
        self._index = WordIndex.of(text.tokens for text in texts)
        self._units = _units(self._index, len(texts))
        self._tokens = [tuple(weighted(text.tokens)) for text in texts]
        self.lengths = self._centroid_lengths()
        self._holding: list[Counter[str]] = [Counter() for _ in self.intents]
        for tokens, place in zip(self._tokens, self.place, strict=True):
            self._holding[place].update(tokens)

    def __len__(self) -> int:
        return len(self.labels)

    def compared(self, text: Utterance) -> Compared:
        words = self._index.cosines(text.tokens)[: len(self)]
        if self._vectors is None:
            return Compared(words, words)
        meaning = (self._vectors @ text.vector).astype(np.float64)
        return Compared(meaning, _kernel(meaning, words))

    def meaning_among(self, rows: Rows) -> Floats:
        """The cosines of some examples to all, shape (rows, examples)."""
        if self._vectors is None:
            return self._words_among(rows, None)
        return (self._vectors[rows] @ self._vectors.T).astype(np.float64)

    def kernel_among(self, rows: Rows, others: Rows | None = None) -> Floats:
        """The kernel of some examples with others, all when None; shape (rows, others)."""
        words = self._words_among(rows, others)
        if self._vectors is None:
            return words
        compared = self._vectors if others is None else self._vectors[others]
        return _kernel((self._vectors[rows] @ compared.T).astype(np.float64), words)

    def _centroid_lengths(self) -> Floats:
        """The length of the mean of each intent's examples, shape (intents,): 1 where they are all the same."""
        if self._vectors is not None:
            sums = np.add.reduceat(self._vectors, self.starts, axis=0, dtype=np.float64)
            return np.asarray(np.linalg.norm(sums, axis=1) / self.counts)
        within = sparse.csr_array(
            (np.ones(len(self)), (self.place, np.arange(len(self)))), shape=(len(self.intents), len(self))
        )
        sums = within @ self._units
        return np.asarray(np.sqrt(np.asarray(sums.multiply(sums).sum(axis=1)).ravel()) / self.counts)

    def known_share(self, tokens: Sequence[str], place: int) -> float:
        """How much of what a text says, by weight of words, some example of an intent says too."""
        return self._known(tokens, self._holding[place], 0)

    def known_share_left_out(self, row: int, place: int) -> float:
        """The same of an example, itself left out."""
        return self._known(self._tokens[row], self._holding[place], int(self.place[row] == place))

    def _known(self, tokens: Sequence[str], holding: Counter[str], beyond: int) -> float:
        known = total = 0.0
        for token, weight in weighted(tokens).items():
            weight *= self._index.rarity(token)
            total += weight
            if holding[token] > beyond:
                known += weight
        return known / total if total else 0.0

    def _words_among(self, rows: Rows, others: Rows | None) -> Floats:
        compared = self._units if others is None else self._units[others]
        return np.asarray((self._units[rows] @ compared.T).toarray())


def _kernel(meaning: Floats, words: Floats) -> Floats:
    return np.asarray((1 - WORDS_SHARE) * np.exp(2 * (meaning - 1)) + WORDS_SHARE * words)


def _units(index: WordIndex, count: int) -> sparse.csr_array:
    """The examples' words as rows of unit length."""
    columns: dict[str, int] = {}
    values: list[float] = []
    places: list[int] = []
    ends = [0]
    for row in range(count):
        for token, weight in index.unit(row).items():
            places.append(columns.setdefault(token, len(columns)))
            values.append(weight)
        ends.append(len(places))
    return sparse.csr_array((values, places, ends), shape=(count, max(len(columns), 1)))
