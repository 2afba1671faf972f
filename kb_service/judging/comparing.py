"""Whether figures on the same questions got worse by more than chance. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb_service.judging.evaluation import Judged, auroc, calibration_error, ndcg

RESAMPLES = 400
CERTAINTY = 0.95
_SEED = 20260618
"""Any number: the same questions get the same answer each time."""

Measure = Callable[["_Answers"], float | None]


@dataclass(frozen=True, slots=True)
class Loss:
    """A figure that got worse: by how much, and by how much at least with 95% certainty."""

    name: str
    before: float
    after: float
    at_least: float


@dataclass(frozen=True, slots=True)
class _Answers:
    """One row a question. `gain` is NaN where nothing answers it."""

    gain: NDArray[np.float64]
    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> _Answers:
        gains = [ndcg(item) for item in judged]
        return cls(
            np.array([np.nan if gain is None else gain for gain in gains], dtype=np.float64),
            np.array([item.confidence for item in judged], dtype=np.float64),
            np.array([item.right for item in judged], dtype=bool),
        )

    def some(self, rows: NDArray[np.int64]) -> _Answers:
        return _Answers(self.gain[rows], self.confidence[rows], self.right[rows])


def _ranking(answers: _Answers) -> float | None:
    known = answers.gain[~np.isnan(answers.gain)]
    return float(known.mean()) if len(known) else None


def _error(answers: _Answers) -> float | None:
    """Negated, so that more is better everywhere."""
    error = calibration_error(answers.confidence, answers.right)
    return None if error is None else -error


MEASURES: Mapping[str, Measure] = {
    "nDCG@10": _ranking,
    "ECE": _error,
    "abstention AUROC": lambda answers: auroc(answers.confidence, answers.right),
}


def losses(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[Loss, ...]:
    """The figures that got worse beyond noise, from the same questions in the same order.

    A paired bootstrap (Efron, 1979): questions are drawn with replacement, and both figures are taken on each
    draw; a figure got worse when 95% of the draws say so. A figure that cannot be told is not among them.
    """
    if [item.question.id for item in before] != [item.question.id for item in after]:
        raise ValueError("after: the questions are others than before; judge the same ones")
    old, new = _Answers.of(before), _Answers.of(after)
    rng = np.random.default_rng(_SEED)
    draws = [rng.integers(0, len(before), len(before)) for _ in range(RESAMPLES if before else 0)]
    found = []
    for name, measure in MEASURES.items():
        was, now = measure(old), measure(new)
        if was is None or now is None:
            continue
        worse = [
            one - other
            for rows in draws
            if (one := measure(old.some(rows))) is not None and (other := measure(new.some(rows))) is not None
        ]
        least = float(np.quantile(worse, 1 - CERTAINTY)) if worse else 0.0
        if least > 0:
            found.append(Loss(name, abs(was), abs(now), least))
    return tuple(found)
