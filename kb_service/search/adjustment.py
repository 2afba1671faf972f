"""What people's verdicts on answers move in the confidence: a shift by language, and a slope. Pure.

Platt's scaling of a probability that is calibrated already (Platt, 1999): few parameters, each held to "no
change" by a ridge worth some fifty answers, so that a shop without verdicts has the confidence it began with, and
a handful of verdicts cannot move it far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log

import numpy as np
from numpy.typing import NDArray

PRIOR = 50.0
"""The weight of the confidence as it was, in judged answers."""
_INFORMATION = 0.16
"""What one answer of confidence .8 tells about a shift: p · (1 − p)."""
_PARTS = 3
"""Shift, language and slope each answer for a part of what one answer of one language is told."""
_RIDGE = PRIOR * _INFORMATION * _PARTS
_SLOPES = (0.25, 4.0)
"""The slope stays positive, so that what was surer stays surer."""
_NEARLY = 1e-6


@dataclass(frozen=True, slots=True)
class Adjustment:
    """logit(p') = shift + languages[language] + slope · logit(p); nothing changes by default."""

    shift: float = 0.0
    slope: float = 1.0
    languages: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_none(self) -> bool:
        return self.shift == 0 and self.slope == 1 and not any(self.languages.values())

    def of(self, probability: float, language: str) -> float:
        """The adjusted probability; strictly growing with the given one, and exact where nothing changes."""
        if self.is_none:
            return probability
        shift = self.shift + self.languages.get(language, 0.0)
        return float(1 / (1 + exp(-(shift + self.slope * _logit(probability)))))


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """An answer with the unadjusted confidence that it had, what people said of it, and how much that counts."""

    confidence: float
    language: str
    right: bool
    weight: float = 1.0


def fit_adjustment(judged: Sequence[JudgedAnswer]) -> Adjustment:
    """The adjustment under which the verdicts are likeliest, with the ridge towards none; by Newton's method."""
    if not judged:
        return Adjustment()
    languages = sorted({answer.language for answer in judged})
    x = np.zeros((len(judged), 2 + len(languages)))
    for row, answer in enumerate(judged):
        x[row, :2] = 1.0, _logit(answer.confidence)
        x[row, 2 + languages.index(answer.language)] = 1.0
    right = np.array([answer.right for answer in judged], dtype=np.float64)
    weight = np.array([answer.weight for answer in judged])
    shift, slope, *offsets = _newton(x, right, weight).tolist()
    return Adjustment(
        round(shift, 4),
        round(min(max(slope, _SLOPES[0]), _SLOPES[1]), 4),
        {language: round(offset, 4) for language, offset in zip(languages, offsets, strict=True)},
    )


def log_loss(judged: Sequence[JudgedAnswer], adjustment: Adjustment) -> float:
    """The mean surprise at the verdicts, by weight, in nats; smaller is better."""
    total = sum(answer.weight for answer in judged)
    lost = 0.0
    for answer in judged:
        p = adjustment.of(answer.confidence, answer.language)
        lost -= answer.weight * log(max(p if answer.right else 1 - p, _NEARLY))
    return lost / total if total else 0.0


def _newton(
    x: NDArray[np.float64], right: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    start = np.zeros(x.shape[1])
    start[1] = 1.0
    found = start.copy()

    def loss(w: NDArray[np.float64]) -> float:
        surprise = np.logaddexp(0, -(2 * right - 1) * (x @ w))
        return float((weight * surprise).sum() + _RIDGE * ((w - start) ** 2).sum() / 2)

    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ found, -35, 35)))
        gradient = x.T @ (weight * (p - right)) + _RIDGE * (found - start)
        curvature = (x * (weight * p * (1 - p))[:, np.newaxis]).T @ x + _RIDGE * np.eye(x.shape[1])
        step = np.linalg.solve(curvature, gradient)
        share = 1.0
        while share > 1e-4 and loss(found - share * step) > loss(found):
            share /= 2
        found = found - share * step
        if float(np.abs(share * step).max()) < 1e-9:
            break
    return found


def _logit(probability: float) -> float:
    p = min(max(probability, _NEARLY), 1 - _NEARLY)
    return log(p / (1 - p))
