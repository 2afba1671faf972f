"""Effects of several crossed levels on one figure, fitted together and shrunk, with their uncertainty.

Who takes which cases is no accident: people are given what they are said to know. An agent's effect can therefore
not be told from that of their problems one after the other; all levels are fitted at once, each effect drawn to zero
like a draw from a normal distribution whose spread is learned from the shop itself (empirical Bayes; as in the
penalised quasi-likelihood of Breslow and Clayton 1993, by blocks).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit  # type: ignore[import-untyped]

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]

SWEEPS = 40
_OWN_SPREAD = 8.0
"""A level's spread is learned from its effects, with so many effects of the assumed spread mixed in."""
_RANGE = 10.0
"""What is learned of a spread stays within so many times more or less than what was assumed, as a variance."""


class CrossedEffects:
    """The figure's centre and one effect for each code of each level; immutable once fitted.

    `keys` holds for each level one code a case, -1 where unknown; `weights` and `values` have the shape (cases,), NaN
    values are left out. Effects add up on the scale of the log-odds with `odds` (values 0 to 1), else as they are.
    `pseudo` is what a level's expectation counts for at the start, in cases. The first `difficulty` levels tell how
    hard a case is; where none of their codes has been seen, the mean of a case's `field` stands in for them.
    """

    def __init__(
        self,
        keys: Sequence[Codes],
        fields: Codes,
        weights: Floats,
        values: Floats,
        *,
        odds: bool,
        pseudo: float,
        difficulty: int,
    ) -> None:
        told = ~np.isnan(values)
        weights, values = weights[told], values[told]
        self._odds = odds
        self._difficulty = difficulty
        cells = _Cells([codes[told] for codes in keys], fields[told], weights, values)
        self._fit(cells, pseudo)

    def _fit(self, cells: _Cells, pseudo: float) -> None:
        """Newton steps level by level until the effects of all no longer move."""
        known = float(cells.weights.sum())
        mean = float((cells.sums.sum() + 1) / (known + 2)) if self._odds else 0.0
        if not self._odds:
            mean = float(cells.sums.sum() / known) if known else np.nan
        self._centre = float(logit(mean)) if self._odds else mean
        worth = mean * (1 - mean) if self._odds else 1.0
        """What one case tells, on the scale of the effects."""
        assumed = 1 / (pseudo * worth) if pseudo else np.inf
        codes = [np.unique(keys[keys >= 0]) for keys in cells.keys]
        rows = [np.searchsorted(c, keys) for c, keys in zip(codes, cells.keys, strict=True)]
        effects = [np.zeros(len(c) + 1) for c in codes]
        variances = [np.full(len(c) + 1, assumed) for c in codes]
        spread = [assumed] * len(codes)
        for level, keys in enumerate(cells.keys):
            rows[level] = np.where(keys >= 0, rows[level], len(codes[level]))
        score = np.full(len(cells.weights), self._centre)
        self._doubt = 1 / (worth * (known + 2))
        for sweep in range(SWEEPS if len(score) else 0):
            for level, row in enumerate(rows):
                size = len(codes[level])
                if not size:
                    continue
                fitted, tells = self._at(score)
                pull = np.bincount(row, cells.sums - cells.weights * fitted, size + 1)[:size]
                firm = np.bincount(row, cells.weights * tells, size + 1)[:size] + 1 / spread[level]
                step = np.clip((pull - effects[level][:size] / spread[level]) / firm, -1.0, 1.0)
                effects[level][:size] += step
                variances[level][:size] = 1 / firm
                score += np.append(step, 0.0)[row]
                if sweep >= 5 and self._odds and pseudo:
                    spread[level] = _spread(effects[level][:size], variances[level][:size], assumed)
        self._effects = [_Table(c, e[: len(c)], 0.0) for c, e in zip(codes, effects, strict=True)]
        self._variances = [
            _Table(c, v[: len(c)], s) for c, v, s in zip(codes, variances, spread, strict=True)
        ]
        self._counts = [
            _Table(c, np.bincount(row, cells.weights, len(c) + 1)[: len(c)].astype(np.float64), 0.0)
            for c, row in zip(codes, rows, strict=True)
        ]
        self._typical = self._typical_of(cells)

    def _at(self, score: Floats) -> tuple[Floats, Floats]:
        """The expected value at a score, and what a case tells there."""
        if not self._odds:
            return score, np.ones(len(score))
        fitted: Floats = expit(score)
        return fitted, np.maximum(fitted * (1 - fitted), 1e-3)

    def _typical_of(self, cells: _Cells) -> _Table:
        """The mean difficulty of each field's cases."""
        levels = range(self._difficulty)
        hard: Floats = np.sum([self._effects[i].look_up(cells.keys[i]) for i in levels], axis=0)
        unique = np.unique(cells.fields[cells.fields >= 0])
        row = np.where(cells.fields >= 0, np.searchsorted(unique, cells.fields), len(unique))
        sums = np.bincount(row, cells.weights * hard, len(unique) + 1)[: len(unique)]
        counts = np.bincount(row, cells.weights, len(unique) + 1)[: len(unique)]
        return _Table(unique, sums / counts, 0.0)

    def predict(self, keys: Sequence[Codes], fields: Codes) -> Floats:
        """The figure on the scale of the effects, shape (queries,); NaN when there are no values at all."""
        effects = [table.look_up(codes) for table, codes in zip(self._effects, keys, strict=True)]
        hard = np.sum(effects[: self._difficulty], axis=0)
        seen = np.any([self._effects[i].knows(keys[i]) for i in range(self._difficulty)], axis=0)
        hard = np.where(seen, hard, self._typical.look_up(fields))
        score: Floats = self._centre + hard + np.sum(effects[self._difficulty :], axis=0)
        return score

    def variance(self, keys: Sequence[Codes]) -> Floats:
        """How unsure `predict` is, as a variance; levels never seen count with their whole spread."""
        told = [table.look_up(codes) for table, codes in zip(self._variances, keys, strict=True)]
        total: Floats = self._doubt + np.sum(told, axis=0)
        return total

    def cases(self, level: int, codes: Codes) -> Floats:
        """The decayed number of cases behind each code of a level."""
        return self._counts[level].look_up(codes)


class _Cells:
    """Cases of the same codes added up: their number bounds the work, not that of the cases."""

    def __init__(self, keys: Sequence[Codes], fields: Codes, weights: Floats, values: Floats) -> None:
        unique, row = np.unique(np.stack([*keys, fields]), axis=1, return_inverse=True)
        row = row.reshape(-1)
        size = unique.shape[1]
        self.keys: list[Codes] = list(unique[:-1])
        self.fields: Codes = unique[-1]
        self.weights: Floats = np.bincount(row, weights, size).astype(np.float64)
        self.sums: Floats = np.bincount(row, weights * values, size).astype(np.float64)


class _Table:
    """Values by code; codes are sorted and not negative. An unknown code has the value `otherwise`."""

    def __init__(self, codes: Codes, values: Floats, otherwise: float) -> None:
        self._codes = codes
        self._values = values
        self._otherwise = otherwise

    def knows(self, codes: Codes) -> NDArray[np.bool_]:
        if not len(self._codes):
            return np.zeros(len(codes), dtype=bool)
        known: NDArray[np.bool_] = self._codes[self._rows(codes)] == codes
        return known

    def look_up(self, codes: Codes) -> Floats:
        if not len(self._codes):
            return np.full(len(codes), self._otherwise)
        rows = self._rows(codes)
        return np.where(self._codes[rows] == codes, self._values[rows], self._otherwise)

    def _rows(self, codes: Codes) -> NDArray[np.intp]:
        return np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)


def _spread(effects: Floats, variances: Floats, assumed: float) -> float:
    """The variance that a level's effects come from: their squares and doubts, and some of what was assumed."""
    seen = float(np.sum(effects**2 + variances)) + _OWN_SPREAD * assumed
    return float(np.clip(seen / (len(effects) + _OWN_SPREAD), assumed / _RANGE, assumed * _RANGE))
