"""The weights of fusion that make the right documents of judged questions likeliest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from kb_service.search.fusion import (
    REGIMES,
    SIGNS,
    Blend,
    Fusion,
    Judged,
    Regime,
    counted,
    key,
    rank,
    signs,
)

LEAST = 50
"""Questions of a language below which it keeps the weights that it has."""
_LEAST_OF_REGIME = 20
"""Questions whose right document lies in a regime, below which the regime keeps its weights."""
_UNITS = np.array([10.0, 5.0, 5.0, 5.0, 2.0, 2.0, 1.0])
"""The size of a usual weight of each sign, in which the ridge measures."""
USUAL_KINDS: Mapping[str, float] = {"policy": 1.5, "resolution": -0.5}
"""What kinds of documents count, in log-odds beside FAQs and products: a rule holds for all, a past case for those like
it. The best of those tried on the sample's split `calibrate`. Fitted with the other weights they helped as much in the
sample, but by regime, so that they spoke for the language of which more rules were right; fitted alone, no more."""
_RIDGE = 6.0
"""What the weights at the start count, in questions per squared unit."""


def fit_fusion(judged: Sequence[Judged], start: Fusion) -> Fusion:
    """The weights under which right passages are likeliest among a question's candidates (ListNet's likelihood:
    Cao et al., Learning to Rank, 2007), with a ridge towards `start`; convex, so the same data give the same.

    Languages with `LEAST` questions get weights of their own; all questions together give those of the others.
    `prior` and `scope` stay, since questions are judged without a graph and those that are fitted on are of customers
    at home; kinds of documents count what they do usually. Candidates of right documents that retrieval missed do not
    count. Raises ValueError when no question has a right candidate.
    """
    judged = [question for question in judged if question.right.any()]
    if not judged:
        raise ValueError("judged: no question has a right document among its candidates; judge some first")
    blends = dict(start.blends)
    blends |= {str(name): blend for name, blend in _fitted(judged, start).items()}
    for language in sorted({question.candidates.language for question in judged}):
        own = [question for question in judged if question.candidates.language == language]
        if len(own) >= LEAST:
            blends |= {
                key(language, name): own_blend for name, own_blend in _fitted(own, start, language).items()
            }
    return _scaled(judged, replace(start, blends=blends, kinds=USUAL_KINDS))


@dataclass(frozen=True)
class _Lists:
    """All candidates of all questions, one after the other; `starts` is where each question's begin."""

    design: NDArray[np.float64]
    right: NDArray[np.bool_]
    starts: NDArray[np.int64]
    weights: NDArray[np.float64]


def _fitted(judged: Sequence[Judged], start: Fusion, language: str = "") -> dict[Regime, Blend]:
    """New blends of the regimes in which enough right documents lie, from those of the language or of all."""
    seen = np.zeros(len(REGIMES), dtype=np.int64)
    for question in judged:
        seen[np.unique(question.candidates.regimes[question.right])] += 1
    fitted = [place for place in range(len(REGIMES)) if seen[place] >= _LEAST_OF_REGIME]
    if not fitted:
        return {}
    before = np.array([[getattr(start.blend_of(language, name), sign) for sign in SIGNS] for name in REGIMES])
    lists = _lists(judged, start)
    free = np.zeros((len(REGIMES), len(SIGNS)), dtype=np.bool_)
    free[fitted] = True
    for place in fitted:  # words of another language say nothing of the next document's
        if REGIMES[place] in ("crossed", "apart"):
            free[place, [SIGNS.index("relative"), SIGNS.index("lead")]] = False
        if place == fitted[0]:
            free[place, SIGNS.index("offset")] = False  # an offset common to all would change nothing
    units = np.broadcast_to(_UNITS, before.shape)
    pull = _RIDGE / len(judged)

    def loss(moved: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        theta = before.copy()
        theta[free] += moved * units[free]
        value, gradient = _likelihood(lists, theta.ravel())
        return value + pull * float(moved @ moved) / 2, gradient.reshape(before.shape)[free] * units[
            free
        ] + pull * moved

    # No sign speaks against a passage; an offset may.
    least = np.where(np.array(SIGNS) == "offset", -np.inf, -before / units)[free]
    found = minimize(
        loss,
        np.zeros(int(free.sum())),
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, None) for low in least.tolist()],
        options={"maxiter": 300},
    )
    theta = before.copy()
    theta[free] += found.x * units[free]
    return {
        REGIMES[place]: Blend(**dict(zip(SIGNS, (round(float(x), 3) for x in theta[place]), strict=True)))
        for place in fitted
    }


def _lists(judged: Sequence[Judged], start: Fusion) -> _Lists:
    """The candidates that count under the weights at the start; which those are moves little with the weights."""
    groups: dict[str, int] = {}
    for question in judged:
        groups[question.group] = groups.get(question.group, 0) + 1
    counting = [counted(question.candidates, start) for question in judged]
    sizes = np.array([int(mask.sum()) for mask in counting])
    design = np.zeros((int(sizes.sum()), len(REGIMES), len(SIGNS)))
    kept = np.concatenate(counting)
    held = np.concatenate([signs(question.candidates) for question in judged])[kept]
    regimes = np.concatenate([question.candidates.regimes for question in judged])[kept]
    design[np.arange(len(held)), regimes] = held
    return _Lists(
        design=design.reshape(len(held), -1),
        right=np.concatenate([question.right for question in judged])[kept],
        starts=np.concatenate([[0], np.cumsum(sizes)[:-1]]),
        weights=np.array([1 / groups[question.group] / len(groups) for question in judged]),
    )


def _likelihood(lists: _Lists, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The mean surprise at the right passages, in nats, and its gradient."""
    odds = lists.design @ theta
    sizes = np.diff(np.append(lists.starts, len(odds)))
    total = np.logaddexp.reduceat(odds, lists.starts)
    right = np.where(lists.right, odds, -np.inf)
    told = np.logaddexp.reduceat(right, lists.starts)
    weight = np.repeat(lists.weights, sizes)
    expected = np.exp(odds - np.repeat(total, sizes))
    observed = np.exp(right - np.repeat(told, sizes))
    return float(lists.weights @ (total - told)), lists.design.T @ (weight * (expected - observed))


def _scaled(judged: Sequence[Judged], fusion: Fusion) -> Fusion:
    """`slope` and `middle` by which the first document's score says how often it is right: Platt's scaling, with a
    weak pull to a slope of one."""
    ranked = [(question, rank(question.candidates, fusion)) for question in judged]
    odds = np.array([float(each.evidence[0]) for _, each in ranked])
    right = np.array([float(question.right[each.best[0]]) for question, each in ranked])
    # Add-one counts keep a perfect set from calling for an endless slope.
    target = np.where(right > 0, (right.sum() + 1) / (right.sum() + 2), 1 / (len(right) - right.sum() + 2))

    def loss(at: NDArray[np.float64]) -> float:
        slope, shift = np.exp(at[0]), at[1]
        value = slope * odds + shift
        surprise = np.logaddexp(0, value) - target * value
        return float(surprise.mean() + 0.01 * at[0] ** 2 + 1e-5 * shift**2)

    found = minimize(loss, np.array([0.0, -float(odds.mean())]), method="Nelder-Mead").x
    slope = float(np.exp(found[0]))
    return replace(fusion, slope=round(slope, 4), middle=round(float(-found[1]) / slope, 3))
