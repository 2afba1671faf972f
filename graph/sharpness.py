"""From scores of intents to shares that sum to one: how sharp the softmax over them is."""

from __future__ import annotations

import numpy as np

from graph.intent_likeness import Floats, Rows

_SHARPNESS = 14.0
"""Of the softmax over scores, before a shop's own examples move it."""
STIFFNESS = 30.0
"""How many examples the shipped constants weigh."""


def fit_sharpness(scores: Floats, own: Rows) -> float:
    """The softmax sharpness of the highest posterior on a grid around the shipped one."""
    factors = np.exp(np.linspace(-1.2, 1.2, 25))
    above = scores - scores[np.arange(len(own)), own][:, None]
    losses = [np.log(np.exp(np.minimum(_SHARPNESS * f * above, 60.0)).sum(axis=1)).sum() for f in factors]
    penalty = STIFFNESS * np.log(factors) ** 2 / 2
    return float(_SHARPNESS * factors[int(np.argmin(np.array(losses) + penalty))])
