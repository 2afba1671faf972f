"""From which confidence an answer may be sent unseen: what judged answers prove, never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv  # type: ignore[import-untyped]

CERTAINTY = 0.95
NEVER = 1.01
"""A threshold that no confidence reaches: there is no evidence for the bound."""
GRID = tuple(round(0.5 + 0.01 * step, 2) for step in range(50))


@dataclass(frozen=True, slots=True)
class Step:
    """Of the judged answers with at least this confidence: how many there were, and how many were wrong."""

    confidence: float
    answers: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Judged answers by confidence, none of which had a part in fitting the confidence they carry."""

    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Evidence:
        steps = []
        for least in GRID:
            inside = confidence >= least
            steps.append(Step(least, int(inside.sum()), int((inside & ~right).sum())))
        return cls(tuple(steps))

    def threshold(self, bound: float) -> float:
        """The lowest confidence above which at most `bound` of the answers are wrong, with 95% certainty.

        The upper limit of the share of wrong answers is Clopper and Pearson's; with none wrong it takes about
        3 / bound judged answers. NEVER without enough of them.
        """
        return next(
            (step.confidence for step in self.steps if _upper(step.wrong, step.answers) <= bound), NEVER
        )


def _upper(wrong: int, answers: int) -> float:
    """The one-sided upper limit of a share, Clopper and Pearson (1934)."""
    if answers == 0 or wrong == answers:
        return 1.0
    return float(betaincinv(wrong + 1, answers - wrong, CERTAINTY))


def steps_from(rows: Sequence[Sequence[float]]) -> tuple[Step, ...]:
    """Steps as a file holds them: confidence, answers, wrong."""
    return tuple(Step(float(row[0]), int(row[1]), int(row[2])) for row in rows)
