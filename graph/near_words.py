"""Which of very many short texts share a text's telling words, at a cost that hardly grows with their number."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from graph.words import Floats, rarity_of, weighted

_TOO_MANY = 2048
"""Texts from which a word no longer leads to them: what so many share tells nobody apart."""
_SCANNED = 6144
"""Places looked up for one text, its rarest words first."""
_RENEWED = 4
"""Rows whose length is brought up to date with each text that is added, in turn."""


class NearWords:
    """Rows of words that come and go, and the rows nearest to a text by idf-weighted cosine.

    Words are weighed as in `WordIndex`. A word leads to the texts that hold it until there are too many; it still
    counts in the cosine of a text that another word led to. Results depend on the order of `add` and `remove`
    alone, never on what was asked between them. One writer at a time.
    """

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._seen: list[int] = []
        self._rows: list[array[int] | None] = []
        self._weights: list[array[float]] = []
        self._sums: list[float] = []
        self._texts: list[dict[str, float] | None] = []
        self._added: list[float] = []
        self._free: list[int] = []
        self._lengths: Floats = np.ones(64)
        self._count = 0
        self._turn = 0
        self._rarities: dict[str, float] = {}

    def __len__(self) -> int:
        """Texts now held."""
        return self._count

    def rarity(self, token: str) -> float:
        """The idf of a word now: about 2 for function words, about 6 and up for telling ones."""
        known = self._rarities.get(token)
        if known is not None:
            return known
        place = self._ids.get(token)
        if place is None:  # words never kept are without number
            return rarity_of(token, 0, self._count)
        found = self._rarities[token] = rarity_of(token, self._seen[place], self._count)
        return found

    def add(self, tokens: Iterable[str]) -> int:
        """Keep a text's words and return its row, the last freed one if there is any."""
        text = weighted(tokens)
        row = self._free.pop() if self._free else len(self._texts)
        if row == len(self._texts):
            self._texts.append(None)
            self._added.append(1.0)
            if row >= len(self._lengths):
                self._lengths = np.concatenate([self._lengths, np.ones(len(self._lengths))])
        self._texts[row] = text
        self._count += 1
        self._rarities.clear()
        for token, weight in text.items():
            self._lead(token, weight, row)
        self._added[row] = self._lengths[row] = length = self._length(text)
        for token, weight in text.items():
            self._sums[self._ids[token]] += weight / length
        self._renew()
        return row

    def _lead(self, token: str, weight: float, row: int) -> None:
        place = self._ids.get(token)
        if place is None:
            place = self._ids[token] = len(self._seen)
            self._seen.append(0)
            self._rows.append(array("i"))
            self._weights.append(array("d"))
            self._sums.append(0.0)
        self._seen[place] += 1
        rows = self._rows[place]
        if rows is None:
            return
        rows.append(row)
        self._weights[place].append(weight)
        if len(rows) > _TOO_MANY:
            self._rows[place], self._weights[place] = None, array("d")

    def remove(self, row: int) -> None:
        """Forget the text of a row; the row is used again by a later `add`."""
        text = self._texts[row]
        if text is None:
            return
        for token, weight in text.items():
            place = self._ids[token]
            self._seen[place] -= 1
            self._sums[place] -= weight / self._added[row]
            rows = self._rows[place]
            if rows is not None:
                weights = self._weights[place]
                at = rows.index(row)
                rows[at], weights[at] = rows[-1], weights[-1]
                rows.pop()
                weights.pop()
        self._texts[row] = None
        self._free.append(row)
        self._count -= 1
        self._rarities.clear()

    def nearest(self, tokens: Iterable[str], count: int) -> NDArray[np.intp]:
        """At most so many rows that share a telling word with a text, ascending: those nearest to it by the words
        that led to them."""
        text = weighted(tokens)
        leading = []
        for token, weight in text.items():
            place = self._ids.get(token)
            if place is not None and (rows := self._rows[place]):
                leading.append((len(rows), place, weight * self.rarity(token) ** 2, rows))
        leading.sort(key=lambda item: item[:2])
        found: list[NDArray[np.int32]] = []
        products: list[Floats] = []
        scanned = 0
        for size, place, pull, rows in leading:
            if scanned + size > _SCANNED and found:
                break
            scanned += size
            found.append(np.frombuffer(rows, dtype=np.int32))
            products.append(np.frombuffer(self._weights[place], dtype=np.float64) * pull)
        if not found:
            return np.zeros(0, dtype=np.intp)
        distinct, places = np.unique(np.concatenate(found), return_inverse=True)
        if len(distinct) > count:
            scores = np.bincount(places, np.concatenate(products)) / self._lengths[distinct]
            distinct = np.sort(distinct[np.lexsort((distinct, -scores))[:count]])
        return distinct.astype(np.intp)

    def cosines(self, tokens: Iterable[str], rows: Sequence[int]) -> Floats:
        """The cosine of a text to each of some rows, 0 to 1."""
        text = weighted(tokens)
        pulls = [(token, weight * self.rarity(token) ** 2) for token, weight in text.items()]
        none_shared = text.keys().isdisjoint
        found = np.zeros(len(rows))
        for place, row in enumerate(rows):
            held = self._texts[row]
            if not held or none_shared(held):
                continue
            shared = 0.0
            for token, pull in pulls:
                weight = held.get(token)
                if weight is not None:
                    shared += pull * weight
            found[place] = shared
        lengths = self._lengths[np.asarray(rows, dtype=np.intp)] * self._length(text)
        return np.minimum(found / lengths, 1.0)

    def usual(self, tokens: Iterable[str]) -> float:
        """The sum of a text's cosines to all rows, each of the length that it had when it was added."""
        text = weighted(tokens)
        pulled = 0.0
        for token, weight in text.items():
            place = self._ids.get(token)
            if place is not None:
                pulled += weight * self.rarity(token) ** 2 * self._sums[place]
        return pulled / self._length(text)

    def cosine(self, left: Sequence[str], right: Sequence[str]) -> float:
        """The cosine of two texts under the present rarities, whether they are held or not."""
        first, second = weighted(left), weighted(right)
        shared = sum(first[t] * second[t] * self.rarity(t) ** 2 for t in first if t in second)
        return min(shared / (self._length(first) * self._length(second)), 1.0) if shared else 0.0

    def _renew(self) -> None:
        for _ in range(min(_RENEWED, len(self._texts))):
            self._turn = (self._turn + 1) % len(self._texts)
            text = self._texts[self._turn]
            if text is not None:
                self._lengths[self._turn] = self._length(text)

    def _length(self, text: dict[str, float]) -> float:
        return math.sqrt(sum((self.rarity(t) * w) ** 2 for t, w in text.items()) or 1e-12)
