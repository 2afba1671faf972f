"""What any number of texts are about, among a shop's intents, by their vectors alone.

`graph.intents` reads one message at a time and with care: by its words too, calibrated, and with the chance that it
has no intent of the shop's. Documents need less and are many: which intents their passages speak of, once for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax  # type: ignore[import-untyped]

from graph.models import IntentScore, Utterance
from graph.sharpness import fit_sharpness

_Number = TypeVar("_Number", bound=np.floating)

RIDGE = 1.0
"""What is added to the diagonal beside examples of length one; of .3, 1 and 3 the best on the sample's questions."""


@dataclass(frozen=True, eq=False)
class Matters:
    """A linear head over the vectors of a shop's examples: `weights` has shape (dimension + 1, intents), the last row
    what each intent has before anything is said."""

    intents: tuple[str, ...]
    weights: NDArray[np.float32]
    sharpness: float

    @classmethod
    def fit(cls, examples: Mapping[str, Sequence[Utterance]], *, reads: frozenset[str]) -> Self | None:
        """Learn from prepared examples by intent id, those in languages that the encoder `reads`; None where fewer
        than two intents have any.

        Ridge regression on which intent an example is of (regularised least squares: Rifkin, Yeo and Poggio, 2003);
        scores become shares as sharply as makes the left-out examples likeliest.
        """
        read = {id: [text for text in texts if text.language in reads] for id, texts in examples.items()}
        taught = {id: texts for id, texts in read.items() if texts}
        if len(taught) < 2:
            return None
        texts = [text for own in taught.values() for text in own]
        own = np.repeat(np.arange(len(taught)), [len(own) for own in taught.values()])
        design = _with_constant(np.stack([text.vector for text in texts]).astype(np.float64))
        truth = np.eye(len(taught))[own]
        inverse = np.linalg.inv(design.T @ design + RIDGE * np.eye(design.shape[1]))
        weights = inverse @ design.T @ truth
        leverage = np.einsum("ij,jk,ik->i", design, inverse, design)[:, None]
        left_out = (design @ weights - leverage * truth) / (1 - leverage)
        twins = np.bincount(own)[own] > 1
        sharpness = fit_sharpness(left_out[twins], own[twins])
        return cls(tuple(taught), weights.astype(np.float32), sharpness)

    def of(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much of each text is about each intent, were it about one of them; shape (texts, intents), rows sum
        to 1."""
        return np.asarray(softmax(self.sharpness * (_with_constant(vectors) @ self.weights), axis=1))


def likely(scores: Iterable[IntentScore]) -> dict[str, float]:
    """How likely a message that was read has each intent, by id."""
    return {score.id: score.probability for score in scores}


def _with_constant(vectors: NDArray[_Number]) -> NDArray[_Number]:
    return np.concatenate([vectors, np.ones((len(vectors), 1), dtype=vectors.dtype)], axis=1)
