"""Whether a message is about any of the shop's intents at all: four signs, weighed as the shop's own examples teach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graph.intent_likeness import Examples, Floats, Rows

_WEIGHTS = np.array([3.0, 4.5, 6.0, 1.0])
_BIAS = -5.0
"""Between what examples left out of BANKING77-OOS, HWU64 and SMP2019 find; a shop's own move them."""
_LOOSE, _LOOSE_BIAS = 0.25, 1.5
"""Deviation of the prior: of a weight as a share of it, of the bias as it is."""
_STRANGERS = 0.4
"""Weight of an example seen as a stranger to the other intents: such strangers stand nearer than real ones do."""
_FEW = 5.0
"""How many examples the usual likeness of all intents weighs in that of one."""
_STEPS, _SMALL = 40, 1e-6


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x), elementwise."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


@dataclass(frozen=True, slots=True)
class Scope:
    """P(in scope) = sigmoid(signs · weights + bias).

    The signs of a text: the best score; the text's mean likeness to the examples of the intent that scores best,
    less what is usual for these among themselves (`usual`, shape (intents,)); its likeness to an intent, half
    that to its nearest example and half that to its centroid, at the likest; the share of its words that the best
    intent's examples know. A stranger may be near to one example by accident, or between two intents; hardly is it
    as near to all of one intent as they are to one another.
    """

    usual: Floats
    weights: Floats
    bias: float

    def probability(self, signs: Floats) -> Floats:
        """P(in scope), shape (...,), of signs of shape (..., 4)."""
        return sigmoid(signs @ self.weights + self.bias)

    def signs(self, examples: Examples, meaning: Floats, scores: Floats, tokens: Sequence[str]) -> Floats:
        """Of one text, by its likeness to every example and its intents' scores."""
        best = int(scores.argmax())
        means = np.add.reduceat(meaning, examples.starts) / examples.counts
        likest = _likeness(np.maximum.reduceat(meaning, examples.starts), means / examples.lengths)
        typical = means[best] - self.usual[best]
        return np.array([scores[best], typical, likest, examples.known_share(tokens, best)])


def fit_scope(examples: Examples, rows: Rows, left_out: Floats, unknown: Floats) -> Scope:
    """The scope that some examples teach.

    Each serves twice: left out of its intent it shows what a message in scope looks like, with its whole intent
    left out what a stranger looks like. `left_out` and `unknown` are the heads' scores for both, shape (rows,
    intents). The fit is the posterior mode of a logistic regression under a normal prior.
    """
    own, here = examples.place[rows], np.arange(len(rows))
    meaning = examples.meaning_among(rows)
    sums = np.add.reduceat(meaning, examples.starts, axis=1)
    means = sums / examples.counts
    centred = means / examples.lengths
    others = np.maximum(examples.counts[own] - 1, 1)
    itself = meaning[here, rows]
    beside = (sums[here, own] - itself) / others
    squared = (examples.counts[own] * examples.lengths[own]) ** 2 - 2 * sums[here, own] + itself
    means[here, own] = beside
    centred[here, own] = beside * others / np.sqrt(np.maximum(squared, 1e-9))
    meaning[here, rows] = -1.0
    nearest = np.maximum.reduceat(meaning, examples.starts, axis=1)
    usual = _usual(beside, own, len(examples.intents))
    twins = examples.counts[own] > 1  # an intent's only example leaves nothing to be found by
    if len(examples.intents) == 1 or not twins.any():
        return Scope(usual, _WEIGHTS, _BIAS)
    hits = _signs_of(examples, rows, left_out, means - usual, nearest, centred)
    nearest[here, own] = centred[here, own] = -1.0
    strangers = _signs_of(examples, rows, unknown, means - usual, nearest, centred)
    weights, bias = _posterior_mode(hits[twins], strangers)
    return Scope(usual, weights, bias)


def _signs_of(
    examples: Examples, rows: Rows, scores: Floats, typical: Floats, nearest: Floats, centred: Floats
) -> Floats:
    best, here = scores.argmax(axis=1), np.arange(len(rows))
    known = [
        examples.known_share_left_out(int(row), int(place)) for row, place in zip(rows, best, strict=True)
    ]
    likest = _likeness(nearest, centred)
    return np.stack([scores[here, best], typical[here, best], likest, known], axis=1)


def _likeness(nearest: Floats, centred: Floats) -> Floats:
    return np.asarray((nearest + centred).max(axis=-1) / 2)


def _usual(beside: Floats, own: Rows, intents: int) -> Floats:
    """Mean likeness of an intent's examples to its other ones, drawn towards that of all intents."""
    counts = np.bincount(own, minlength=intents)
    return np.asarray((np.bincount(own, beside, minlength=intents) + _FEW * beside.mean()) / (counts + _FEW))


def _posterior_mode(hits: Floats, strangers: Floats) -> tuple[Floats, float]:
    """Weights and bias of the highest posterior, by Newton's method."""
    signs = np.vstack([hits, strangers])
    inputs = np.hstack([signs, np.ones((len(signs), 1))])
    truth = np.repeat([1.0, 0.0], [len(hits), len(strangers)])
    counted = np.repeat([1.0, _STRANGERS], [len(hits), len(strangers)])
    prior = np.append(_WEIGHTS, _BIAS)
    firmness = 1.0 / np.append(_WEIGHTS * _LOOSE, _LOOSE_BIAS) ** 2

    def loss(weights: Floats) -> float:
        held = firmness @ (weights - prior) ** 2 / 2
        return float(counted @ np.logaddexp(0.0, (1 - 2 * truth) * (inputs @ weights)) + held)

    found, lowest = prior.copy(), loss(prior)
    for _ in range(_STEPS):
        said = sigmoid(inputs @ found)
        slope = inputs.T @ (counted * (said - truth)) + firmness * (found - prior)
        bend = (inputs * (counted * said * (1 - said))[:, None]).T @ inputs + np.diag(firmness)
        step = np.linalg.solve(bend, slope)
        while (tried := loss(found - step)) > lowest and np.abs(step).max() > _SMALL:
            step = step / 2
        if tried > lowest or np.abs(step).max() <= _SMALL:
            break
        found, lowest = found - step, tried
    return np.maximum(found[:-1], 0.0), float(found[-1])
