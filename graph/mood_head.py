"""How a message sounds, beyond its words of mood: a small head over the encoder's vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import log_softmax  # type: ignore[import-untyped]

from graph.models import EmotionLabel, Vector

Floats: TypeAlias = NDArray[np.float64]

MOODS: tuple[EmotionLabel, ...] = ("angry", "upset", "neutral", "pleased")
"""The order of a head's log-probabilities."""
_STIFFNESS = 1 / 3
"""Weight of the squared norm of the coefficients beside the summed log-loss of the examples."""


class MoodHead:
    """Multinomial logistic regression from unit vectors to MOODS; immutable, safe for concurrent readers."""

    def __init__(self, coefficients: Floats, intercepts: Floats) -> None:
        self._coefficients = coefficients
        self._intercepts = intercepts

    @classmethod
    def fit(cls, vectors: NDArray[np.float32], labels: Sequence[EmotionLabel]) -> MoodHead:
        """Learn from unit vectors, shape (examples, dimension), and the mood of each; 200 take some 30 ms."""
        x = np.asarray(vectors, dtype=np.float64)
        told = np.zeros((len(labels), len(MOODS)))
        told[np.arange(len(labels)), [MOODS.index(label) for label in labels]] = 1.0
        columns = x.shape[1]

        def loss(flat: Floats) -> tuple[float, Floats]:
            weights = flat.reshape(len(MOODS), columns + 1)
            logs = log_softmax(x @ weights[:, :columns].T + weights[:, columns], axis=1)
            error = np.exp(logs) - told
            gradient = np.empty_like(weights)
            gradient[:, :columns] = error.T @ x + _STIFFNESS * weights[:, :columns]
            gradient[:, columns] = error.sum(axis=0)
            penalty = 0.5 * _STIFFNESS * float((weights[:, :columns] ** 2).sum())
            return penalty - float((told * logs).sum()), gradient.ravel()

        found = minimize(loss, np.zeros(len(MOODS) * (columns + 1)), jac=True, method="L-BFGS-B")
        weights = found.x.reshape(len(MOODS), columns + 1)
        return cls(weights[:, :columns], weights[:, columns])

    def log_probabilities(self, vector: Vector) -> Floats:
        """ln P of each of MOODS for one unit vector, shape (4,)."""
        found: Floats = log_softmax(self._coefficients @ vector + self._intercepts)
        return found
