"""Which terms stand in which passage: how rare each term is, and how much of a question a passage covers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb_service.search.columns import Column, from_npy, to_npy
from kb_service.search.models import Mask, Rows, Scores

FIELDS = ("context", "body", "products")
"""Title and section; the passage's own text; the ids of the products it is about."""

QUERY_TERMS = 64
"""Terms of a question that are searched for; of a longer one the rarest, which tell most."""


WEIGHTS: Mapping[str, float] = {"context": 2.0, "body": 1.0, "products": 2.0}
"""What a term counts by the field where it stands. A title counts twice: words alone then gain .06 to .08 of
nDCG@10 on stackfaq and covidfaq and lose nothing on cmrc2018; a third time gains .01 more."""

_K1 = 1.2
_B = np.array([0.75, 0.75, 0.0])
"""BM25's constants as in Lucene and Tantivy; a document is not punished for the number of its products."""
_WEIGHTS = np.array([WEIGHTS[name] for name in FIELDS])


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """A question's distinct terms.

    `numbers` are their places in the vocabulary, -1 where no living passage has them.
    `idf` is BM25's, ln(1 + (N − n + ½) / (n + ½)), of N living passages of which n hold the term.
    `fields[i, j]` tells whether term i occurs in field j at all. `weights` are what the terms count, 1 for a plain
    one; `idf` has them in it already.
    """

    terms: tuple[str, ...]
    numbers: NDArray[np.int64]
    idf: Scores
    fields: Mask
    weights: Scores


@dataclass(frozen=True, slots=True)
class Matches:
    """How rows match a question by words, one number a row.

    `bm25` is the sum of the BM25 scores of the fields (Robertson and Zaragoza, The Probabilistic Relevance
    Framework, 2009), `coverage` the share of the question's idf mass that stands anywhere in the row.
    """

    bm25: Scores
    coverage: Scores


class TermIndex:
    """The writer's side: the terms of each row by field, in order. Not thread-safe; readers use a `view`."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._terms: list[str] = []
        self._held: Column[np.int32] = Column(np.int32)
        self._ends: Column[np.int64] = Column(np.int64, (len(FIELDS),))
        self._frequency: NDArray[np.int32] = np.zeros((0, 1 + len(FIELDS)), dtype=np.int32)
        self._lengths = np.zeros(len(FIELDS), dtype=np.int64)
        self._living = 0
        self._tallied = 0

    @property
    def rows(self) -> int:
        return len(self._ends)

    def append(self, parts: Sequence[Sequence[str]]) -> None:
        """Adds one row: its terms in each of `FIELDS`."""
        ends = []
        for part in parts:
            self._held.extend([self._number(term) for term in part])
            ends.append(len(self._held))
        self._ends.append(ends)

    def bury(self, rows: range) -> None:
        """Takes rows out of the frequencies; their terms stay until compaction."""
        self._settle()
        self._tally(rows, -1)

    def _number(self, term: str) -> int:
        number = self._numbers.setdefault(term, len(self._terms))
        if number == len(self._terms):
            self._terms.append(term)
        return number

    def _settle(self) -> None:
        self._tally(range(self._tallied, self.rows), 1)
        self._tallied = self.rows

    def _tally(self, rows: range, change: int) -> None:
        size = len(self._terms)
        if size > len(self._frequency):
            grown = np.zeros((size, 1 + len(FIELDS)), dtype=np.int32)
            grown[: len(self._frequency)] = self._frequency
            self._frequency = grown
        if not rows:
            return
        ends = self._ends.view()[rows.start : rows.stop]
        begin = int(self._ends.view()[rows.start - 1, -1]) if rows.start else 0
        held = self._held.view()[begin : ends[-1, -1]].astype(np.int64)
        lengths = np.diff(ends.ravel(), prepend=begin)
        field = np.tile(np.arange(len(FIELDS)), len(rows)).repeat(lengths)
        row = np.arange(len(rows)).repeat(lengths.reshape(ends.shape).sum(axis=1))
        width = 1 + len(FIELDS)
        flat = self._frequency.reshape(-1)
        np.add.at(flat, np.unique(row * size + held) % size * width, change)
        np.add.at(flat, held * width + 1 + field, change)
        self._lengths += change * lengths.reshape(ends.shape).sum(axis=0)
        self._living += change * len(rows)

    def view(self) -> TermView:
        """The terms as they are now, immutable."""
        self._settle()
        return TermView(
            numbers=self._numbers,
            terms=self._terms,
            held=self._held.view(),
            ends=self._ends.view(),
            frequency=self._frequency.copy(),
            living=self._living,
            average=np.maximum(self._lengths / max(self._living, 1), 1e-9),
        )

    @classmethod
    def load(cls, files: Mapping[str, bytes]) -> TermIndex:
        """The reverse of `TermView.dump`. Raises ValueError or KeyError on what does not fit together."""
        index = cls()
        index._terms = files["terms.txt"].decode().split("\n") if files["terms.txt"] else []
        index._numbers = {term: number for number, term in enumerate(index._terms)}
        index._held = Column.of(from_npy(files["held.npy"]), np.int32)
        index._ends = Column.of(from_npy(files["ends.npy"]), np.int64)
        index._frequency = from_npy(files["frequency.npy"]).astype(np.int32)
        index._living = int(from_npy(files["living.npy"])[0])
        index._lengths = index._frequency[:, 1:].sum(axis=0, dtype=np.int64)
        index._tallied = index.rows
        if index.rows and int(index._ends.view()[-1, -1]) != len(index._held):
            raise ValueError("ends.npy does not fit held.npy")
        if not len(index._numbers) == len(index._terms) == len(index._frequency):
            raise ValueError("frequency.npy does not fit terms.txt")
        return index


@dataclass(frozen=True)
class TermView:
    """An immutable state. `numbers` and `terms` may grow under the writer; only this view's part is read.

    `held` are the numbers of all rows' terms, one row after the other and one field after the other;
    `ends[row, field]` says where each field ends. `frequency[number, 0]` counts the living passages with a
    term, `frequency[number, 1 + field]` its places in a field. `average` is the mean length of each field.
    """

    numbers: Mapping[str, int]
    terms: Sequence[str]
    held: NDArray[np.int32]
    ends: NDArray[np.int64]
    frequency: NDArray[np.int32]
    living: int
    average: Scores

    @property
    def rows(self) -> int:
        return len(self.ends)

    def dump(self) -> Mapping[str, bytes]:
        """Files by name. Terms hold no white space, so that one a line is enough."""
        return {
            "terms.txt": "\n".join(self.terms[: len(self.frequency)]).encode(),
            "held.npy": to_npy(self.held),
            "ends.npy": to_npy(self.ends),
            "frequency.npy": to_npy(self.frequency),
            "living.npy": to_npy(np.array([self.living])),
        }

    def of_row(self, row: int) -> tuple[tuple[str, ...], ...]:
        """The terms of a row by field, as they were appended."""
        bounds = [int(self.ends[row - 1, -1]) if row else 0, *self.ends[row].tolist()]
        return tuple(
            tuple(self.terms[number] for number in self.held[begin:end].tolist())
            for begin, end in itertools.pairwise(bounds)
        )

    def count(self, term: str) -> int:
        """How many living passages hold a term."""
        number = self.numbers.get(term, len(self.frequency))
        return int(self.frequency[number, 0]) if number < len(self.frequency) else 0

    def query(self, tokens: Sequence[str], weights: Mapping[str, float] | None = None) -> QueryTerms:
        """A question's terms with their rarity times what they count, 1 where `weights` says nothing; repeated
        ones once."""
        distinct = list(dict.fromkeys(tokens))
        size = len(self.frequency)
        numbers = np.array([self.numbers.get(term, size) for term in distinct], dtype=np.int64)
        counts = np.zeros((len(distinct), 1 + len(FIELDS)), dtype=np.int64)
        counts[numbers < size] = self.frequency[numbers[numbers < size]]
        numbers[counts[:, 0] == 0] = -1
        counting = np.array([(weights or {}).get(term, 1.0) for term in distinct], dtype=np.float64)
        idf = counting * np.log1p((self.living - counts[:, 0] + 0.5) / (counts[:, 0] + 0.5))
        kept = np.arange(len(distinct))
        if len(distinct) > QUERY_TERMS:
            kept = np.sort(np.lexsort((kept, -idf, numbers < 0))[:QUERY_TERMS])
        return QueryTerms(
            terms=tuple(distinct[i] for i in kept),
            numbers=numbers[kept],
            idf=idf[kept],
            fields=counts[kept, 1:] > 0,
            weights=counting[kept],
        )

    def match(self, query: QueryTerms, rows: Rows) -> Matches:
        """How well each row matches a question, over living passages only.

        Tantivy's own scores count buried passages until it merges them away; these do not, so that an index
        which followed the log and one which was rebuilt order alike.
        """
        total = float(query.idf.sum())
        known = np.flatnonzero(query.numbers >= 0)
        if not len(rows) or not len(known):
            return Matches(np.zeros(len(rows)), np.zeros(len(rows)))
        order = known[np.argsort(query.numbers[known])]
        idf = query.idf[order]
        counts, lengths = self._counts(query.numbers[order], rows)
        norm = _K1 * (1 - _B + _B * lengths / self.average)
        parts = counts * (_K1 + 1) / (counts + norm[:, np.newaxis, :])
        bm25: Scores = ((parts * _WEIGHTS).sum(axis=2) * idf).sum(axis=1)
        covered: Scores = ((counts.sum(axis=2) > 0) * idf).sum(axis=1) / total
        return Matches(bm25, covered)

    def _counts(self, wanted: NDArray[np.int64], rows: Rows) -> tuple[Scores, Scores]:
        """How often each wanted term (sorted) stands in each field, shape (rows, terms, fields), and how long
        each field is, shape (rows, fields)."""
        fields = len(FIELDS)
        ends = self.ends[rows]
        begins = np.where(rows > 0, self.ends[rows - 1, -1], 0)
        lengths = np.diff(ends, axis=1, prepend=begins[:, np.newaxis])
        sizes = lengths.sum(axis=1)
        places = np.repeat(ends[:, -1] - np.cumsum(sizes), sizes) + np.arange(sizes.sum())
        cell = np.repeat(np.arange(len(rows) * fields), lengths.ravel())
        held = self.held[places]
        term = np.minimum(np.searchsorted(wanted, held), len(wanted) - 1)
        hit = wanted[term] == held
        row, field = np.divmod(cell[hit], fields)
        flat = (row * len(wanted) + term[hit]) * fields + field
        shape = (len(rows), len(wanted), fields)
        counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
        return counts.astype(np.float64), lengths.astype(np.float64)
