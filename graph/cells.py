"""Which of very many directions are near to one, at a cost that hardly grows with their number."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors32 = NDArray[np.float32]

_FULL = 128
"""Vectors from which a cell falls into two."""
_LOOKED_INTO = 8
"""Cells whose vectors are compared one by one."""
_ROUNDS = 4
_LEAST = _FULL // 8
"""Vectors of the smaller half of a cell that fell into two."""


class Nearby(Protocol):
    """Unit vectors in numbered places, and those nearest to another.

    `total` is the sum of all. Only `nearest` may miss some.
    """

    total: NDArray[np.float64]

    def __len__(self) -> int: ...

    def cosines(self, slots: Sequence[int], vector: NDArray[np.floating]) -> NDArray[np.float64]:
        """The products of a vector with what lies in some places, 0 for empty ones."""

    def place(self, slot: int, vector: NDArray[np.floating]) -> None:
        """Put a vector into a place, or another into one that is taken."""

    def remove(self, slot: int) -> None:
        """Empty a place."""

    def nearest(self, vector: NDArray[np.floating], count: int) -> tuple[NDArray[np.intp], Vectors32]:
        """At most so many places whose cosine to a vector is above 0, ascending, and the cosines."""


class Cells:
    """Unit vectors in cells of at most 128, a full one falling into two: an inverted file (Sivic and Zisserman 2003)
    that grows with its content instead of being trained, as in SPFresh (Xu et al. 2023).

    A search looks into the eight nearest cells: up to about 700 vectors it misses none. The same calls in the same
    order give the same cells in any process.
    """

    def __init__(self) -> None:
        self._vectors: Vectors32 = np.zeros((0, 0), np.float32)
        self.total: NDArray[np.float64] = np.zeros(0)
        self._cell_of: list[int] = []
        self._members: list[array[int]] = []
        self._sums: NDArray[np.float64] = np.zeros((0, 0))
        self._centres: Vectors32 = np.zeros((0, 0), np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def place(self, slot: int, vector: NDArray[np.floating]) -> None:
        self._reach(slot, len(vector))
        before = self._cell_of[slot]
        unit = vector.astype(np.float32)
        if before >= 0:
            self._leave(slot, before)
        self._vectors[slot] = unit
        self.total += unit
        self._count += 1
        cell = self._nearest_cell(unit)
        if cell < 0:
            cell = self._open()
        self._enter(slot, cell)
        if len(self._members[cell]) > _FULL:
            self._halve(cell)

    def remove(self, slot: int) -> None:
        if slot < len(self._cell_of) and self._cell_of[slot] >= 0:
            self._leave(slot, self._cell_of[slot])
            self._cell_of[slot] = -1
            self._vectors[slot] = 0.0

    def cosines(self, slots: Sequence[int], vector: NDArray[np.floating]) -> NDArray[np.float64]:
        found = np.zeros(len(slots))
        held = [place for place, slot in enumerate(slots) if slot < len(self._cell_of)]
        if held:
            found[held] = np.vecdot(self._vectors[[slots[place] for place in held]], vector)
        return found

    def nearest(self, vector: NDArray[np.floating], count: int) -> tuple[NDArray[np.intp], Vectors32]:
        if not self._count:
            return np.zeros(0, np.intp), np.zeros(0, np.float32)
        chosen = range(len(self._members))
        if len(chosen) > _LOOKED_INTO:
            likeness = np.vecdot(self._centres[: len(chosen)], vector)
            chosen = np.argsort(-likeness, kind="stable")[:_LOOKED_INTO].tolist()
        slots = np.concatenate([np.frombuffer(self._members[cell], dtype=np.int64) for cell in chosen])
        cosines = np.asarray(np.vecdot(self._vectors[slots], vector), dtype=np.float32)
        near = np.flatnonzero(cosines > 0.0)
        if len(near) > count:
            near = near[np.lexsort((slots[near], -cosines[near]))[:count]]
        near = near[np.argsort(slots[near])]
        return slots[near].astype(np.intp), cosines[near]

    def _reach(self, slot: int, dimension: int) -> None:
        if not len(self.total):
            self.total = np.zeros(dimension)
        if slot >= len(self._vectors):
            grown = np.zeros((max(64, 2 * len(self._vectors), slot + 1), dimension), np.float32)
            if len(self._vectors):
                grown[: len(self._vectors)] = self._vectors
            self._vectors = grown
        while slot >= len(self._cell_of):
            self._cell_of.append(-1)

    def _nearest_cell(self, unit: Vectors32) -> int:
        if not self._members:
            return -1
        return int(np.argmax(np.vecdot(self._centres[: len(self._members)], unit)))

    def _open(self) -> int:
        cell = len(self._members)
        self._members.append(array("q"))
        if cell >= len(self._centres):
            dimension = self._vectors.shape[1]
            rows = max(16, 2 * len(self._centres))
            centres, sums = np.zeros((rows, dimension), np.float32), np.zeros((rows, dimension))
            if cell:
                centres[:cell], sums[:cell] = self._centres[:cell], self._sums[:cell]
            self._centres, self._sums = centres, sums
        return cell

    def _enter(self, slot: int, cell: int) -> None:
        self._cell_of[slot] = cell
        self._members[cell].append(slot)
        self._sums[cell] += self._vectors[slot]
        self._centre(cell)

    def _leave(self, slot: int, cell: int) -> None:
        self._members[cell].remove(slot)
        self._sums[cell] -= self._vectors[slot]
        self.total -= self._vectors[slot]
        self._count -= 1
        self._centre(cell)

    def _centre(self, cell: int) -> None:
        length = float(np.linalg.norm(self._sums[cell]))
        self._centres[cell] = self._sums[cell] / length if length > 1e-9 else 0.0

    def _halve(self, cell: int) -> None:
        """Two cells of one, by two means that begin with two members far from each other."""
        slots = np.array(self._members[cell], dtype=np.int64)
        rows = self._vectors[slots]
        first = rows[int(np.argmin(np.vecdot(rows, self._centres[cell])))]
        second = rows[int(np.argmin(np.vecdot(rows, first)))]
        leaning = np.vecdot(rows, second) - np.vecdot(rows, first)
        for _ in range(_ROUNDS):
            gone = leaning > 0
            if not gone.any() or gone.all():
                break
            first, second = _mean(rows[~gone]), _mean(rows[gone])
            leaning = np.vecdot(rows, second) - np.vecdot(rows, first)
        # Copies of one vector lean nowhere: then the half that leans most goes, the later places first.
        order = np.lexsort((-slots, -leaning))
        going = min(max(int((leaning > 0).sum()), _LEAST), len(slots) - _LEAST)
        other = self._open()
        self._members[cell] = array("q", np.sort(slots[order[going:]]).tolist())
        self._members[other] = array("q", np.sort(slots[order[:going]]).tolist())
        for place in (cell, other):
            members = np.array(self._members[place], dtype=np.int64)
            self._sums[place] = self._vectors[members].sum(axis=0, dtype=np.float64)
            self._centre(place)
            for slot in members.tolist():
                self._cell_of[slot] = place


def _mean(rows: Vectors32) -> Vectors32:
    total = rows.sum(axis=0)
    length = float(np.linalg.norm(total))
    return np.asarray(total / length if length > 1e-9 else total, dtype=np.float32)
