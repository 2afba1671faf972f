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
            (step.confidence for step in self.steps if upper_limit(step.wrong, step.answers) <= bound), NEVER
        )

    def lacking(self, bound: float) -> int:
        """How many more right answers, the surest ones, would prove the bound at some threshold; 0 where it is proven.

        What was wrong stays counted. None of the answers to come may be wrong, so this is the least it takes.
        """
        steps = self.steps or (Step(GRID[-1], 0, 0),)
        enough = {wrong: _enough(wrong, bound) for wrong in {step.wrong for step in steps}}
        return max(0, min(enough[step.wrong] - step.answers for step in steps))

    def with_reviews(self, reviews: Sequence[Reviewed]) -> Evidence:
        """The same with what people said of answers that were sent.

        A sample of what was sent from a threshold on speaks for that threshold and those above it: at a lower
        one it would stand for answers that nobody has seen. What was wrong counts wherever it would be sent.
        """
        steps = []
        for step in self.steps or tuple(Step(least, 0, 0) for least in GRID):
            told = [
                item
                for item in reviews
                if item.confidence >= step.confidence
                and (not item.right or item.sent_from <= step.confidence)
            ]
            wrong = sum(not item.right for item in told)
            steps.append(Step(step.confidence, step.answers + len(told), step.wrong + wrong))
        return Evidence(tuple(steps))


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An automatic answer that people judged; `sent_from` is the threshold it was sent under, NEVER if unknown.

    Both confidences are those before an adjustment.
    """

    confidence: float
    right: bool
    sent_from: float = NEVER


def _enough(wrong: int, bound: float) -> int:
    """How many answers with so many wrong ones keep the upper limit within the bound."""
    most = 1
    while upper_limit(wrong, wrong + most) > bound:
        most *= 2
    least = most // 2
    while least + 1 < most:
        middle = (least + most) // 2
        if upper_limit(wrong, wrong + middle) > bound:
            least = middle
        else:
            most = middle
    return wrong + most


def upper_limit(wrong: int, answers: int) -> float:
    """The one-sided upper limit of a share, Clopper and Pearson (1934)."""
    if answers == 0 or wrong == answers:
        return 1.0
    return float(betaincinv(wrong + 1, answers - wrong, CERTAINTY))


def steps_from(rows: Sequence[Sequence[float]]) -> tuple[Step, ...]:
    """Steps as a file holds them: confidence, answers, wrong."""
    return tuple(Step(float(row[0]), int(row[1]), int(row[2])) for row in rows)
