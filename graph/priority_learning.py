"""Points of the priority learned from what escalated: proposed, with figures on cases that came later.

A logistic regression on the factors' shares, P(escalates) = s(a + sum of b times share), with b never negative: no
factor may count against a customer. It is shrunk to the shop's present weights by pseudo-cases: beside every case that
was seen stands the same case with the outcome that the present weights foretell, PSEUDO_CASES of them in all, so that
few escalations move little and a factor that hardly occurs stays where it is. Old cases weigh less, and no proposal
moves a factor further than to half or to double its points: whoever applies it sees what comes of that first.

Log-odds become points by how many points the shop needs for one; the whole is then scaled so that the cases seen get
the same points on average as before, and the bands keep their meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import expit, logit  # type: ignore[import-untyped]

from graph.priority import DEFAULT_WEIGHTS, VALUE_CAP

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

FACTORS = tuple(DEFAULT_WEIGHTS)
LEAST_ESCALATIONS = 80
"""Ten for each factor: with fewer nothing is said."""
LEAST_LATER = 20
"""Escalations that the later part has to hold for the figures to mean something."""
LATER = 0.3
"""The share of cases, the latest, that only judge."""
PSEUDO_CASES = 300.0
HALF_LIFE_DAYS = 90.0
MOST_POINTS = 100.0
STEP = 2.0
"""A proposal takes the points of a factor at most so many times up or down; one that a shop turned off stays off."""
WAITING_FLOOR = 24.0
"""Points a day that waiting keeps whatever is learned, one an hour: everybody's turn comes."""
_FEWEST, _MOST = 10.0, 50.0
"""Between so many points the odds of an escalation grow e-fold."""
_RESAMPLED = 200


@dataclass(frozen=True, slots=True)
class Decided:
    """One case as it stood when somebody first acted on it, and whether it escalated afterwards.

    `shares` are those of `graph.priority.shares`, by factor; one that is not named is 0.
    """

    at: datetime
    shares: Mapping[str, float]
    escalated: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """How well points foretell escalations: the chance that one that escalates has more points than one that does
    not, and the mean log-loss of the probabilities that earlier cases taught."""

    auroc: float
    log_loss: float


@dataclass(frozen=True, slots=True)
class Learned:
    """What escalations teach. `weights` are in points by factor: the present ones where there was not enough.

    `before` and `after` are of the `later` cases, from `split_at` on, with weights that only earlier ones taught;
    `gain` is the 95% interval of the difference in AUROC. `weights` themselves are taught by all. `with_factor` counts
    the cases that had some of each factor.
    """

    reason: Literal["not_enough", "no_better", "better"]
    weights: Mapping[str, float]
    cases: int
    escalations: int
    later: int = 0
    later_escalations: int = 0
    split_at: datetime | None = None
    before: Figures | None = None
    after: Figures | None = None
    gain: tuple[float, float] | None = None
    with_factor: Mapping[str, int] | None = None


def learn(
    decided: Sequence[Decided], present: Mapping[str, float], *, now: datetime, seed: int = 0
) -> Learned:
    """Weights for the next proposal, and whether they foretell later escalations better than `present` ones do.

    "better" needs a lower log-loss on the later cases and a gain in AUROC whose interval lies above 0: otherwise chance
    alone would propose something every other night.
    """
    cases = sorted(decided, key=lambda case: case.at)
    escalations = sum(case.escalated for case in cases)
    first = round(len(cases) * (1 - LATER))
    early, later = cases[:first], cases[first:]
    found = sum(case.escalated for case in later)
    if escalations < LEAST_ESCALATIONS or found < LEAST_LATER or found == len(later):
        return Learned("not_enough", dict(present), len(cases), escalations, len(later), found)
    split_at = later[0].at
    taught = fit(early, present, now=split_at)
    before, after = (judged(weights, early, later, now=split_at) for weights in (present, taught))
    gain = _gain(present, taught, later, seed)
    better = gain[0] > 0 and after.log_loss < before.log_loss
    table = shares_of(cases)
    return Learned(
        reason="better" if better else "no_better",
        weights=fit(cases, present, now=now),
        cases=len(cases),
        escalations=escalations,
        later=len(later),
        later_escalations=found,
        split_at=split_at,
        before=before,
        after=after,
        gain=gain,
        with_factor={name: int(count) for name, count in zip(FACTORS, (table > 0).sum(axis=0), strict=True)},
    )


def fit(decided: Sequence[Decided], present: Mapping[str, float], *, now: datetime) -> dict[str, float]:
    """The weights that cases up to `now` teach, in points to one decimal, within the caps."""
    table, escalated, weight = shares_of(decided), _escalated(decided), _decayed(decided, now)
    start = np.array([present[name] for name in FACTORS])
    offset, slope = _foretold(table @ start, escalated, weight)
    expected = expit(offset + slope * (table @ start))
    pseudo = weight * (PSEUDO_CASES / weight.sum())
    rows = weight + pseudo
    target = (weight * escalated + pseudo * expected) / rows
    prior = slope * start
    # What never occurs is told by nobody: a weak pull alone keeps it where it is.
    pull = 1.0 / (prior + slope * 10.0) ** 2

    def loss(parameters: Floats) -> tuple[float, Floats]:
        odds = parameters[0] + table @ parameters[1:]
        value = rows @ (np.logaddexp(0, odds) - target * odds)
        miss = rows * (expit(odds) - target)
        away = parameters[1:] - prior
        gradient = np.concatenate([[miss.sum()], table.T @ miss + pull * away])
        return float(value + 0.5 * pull @ away**2), gradient

    bounds = [(None, None), *((value / STEP, value * STEP) for value in prior)]
    found = minimize(loss, np.concatenate([[offset], prior]), jac=True, bounds=bounds, method="L-BFGS-B")
    return _bounded(found.x[1:] / slope, start, table, weight)


def _bounded(points: Floats, start: Floats, table: Floats, weight: Floats) -> dict[str, float]:
    """Scaled to the points that cases got on average before, and within the caps."""
    seen, meant = float(weight @ (table @ points)), float(weight @ (table @ start))
    scaled = points * (meant / seen) if seen > 0 and meant > 0 else points
    scaled = np.clip(scaled, start / STEP, np.minimum(start * STEP, MOST_POINTS))
    weights = {
        name: round(min(float(value), MOST_POINTS), 1) for name, value in zip(FACTORS, scaled, strict=True)
    }
    weights["customer_value"] = min(weights["customer_value"], VALUE_CAP)
    weights["waiting"] = max(weights["waiting"], WAITING_FLOOR)
    return weights


def judged(
    weights: Mapping[str, float], early: Sequence[Decided], later: Sequence[Decided], *, now: datetime
) -> Figures:
    """How well some weights foretell later cases. What points mean in probability is taught by earlier ones."""
    points = np.array([weights[name] for name in FACTORS])
    offset, slope = _foretold(shares_of(early) @ points, _escalated(early), _decayed(early, now))
    score, escalated = shares_of(later) @ points, _escalated(later)
    odds = offset + slope * score
    return Figures(auroc(score, escalated), float(np.mean(np.logaddexp(0, odds) - escalated * odds)))


def auroc(score: Floats, escalated: Flags) -> float:
    """The chance that one that escalated scores higher than one that did not, ties counting half (Mann and Whitney)."""
    from scipy.stats import rankdata  # type: ignore[import-untyped]  # slow to import

    yes, no = int(escalated.sum()), int((~escalated).sum())
    if not yes or not no:
        return 0.5
    ranks = rankdata(score)
    return float((ranks[escalated].sum() - yes * (yes + 1) / 2) / (yes * no))


def _gain(
    present: Mapping[str, float], taught: Mapping[str, float], later: Sequence[Decided], seed: int
) -> tuple[float, float]:
    """The 95% interval of the difference in AUROC, by resampling the later cases in pairs."""
    chance = np.random.default_rng(seed)
    table, escalated = shares_of(later), _escalated(later)
    old, new = (table @ np.array([weights[name] for name in FACTORS]) for weights in (present, taught))
    found = []
    for _ in range(_RESAMPLED):
        drawn = chance.integers(0, len(later), len(later))
        found.append(auroc(new[drawn], escalated[drawn]) - auroc(old[drawn], escalated[drawn]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _foretold(points: Floats, escalated: Flags, weight: Floats) -> tuple[float, float]:
    """Log-odds of an escalation without any points, and what each point adds, between sensible bounds."""
    even = (float(weight @ escalated) + 0.5) / (float(weight.sum()) + 1)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        odds = parameters[0] + parameters[1] * points
        miss = weight * (expit(odds) - escalated)
        value = weight @ (np.logaddexp(0, odds) - escalated * odds)
        return float(value), np.array([miss.sum(), miss @ points])

    slopes = (1 / _MOST, 1 / _FEWEST)
    begin = np.array([logit(even) - float(np.mean(points)) * slopes[0], slopes[0]])
    found = minimize(loss, begin, jac=True, bounds=[(None, None), slopes], method="L-BFGS-B")
    return float(found.x[0]), float(found.x[1])


def shares_of(decided: Sequence[Decided]) -> Floats:
    """One row a case, one column a factor in the order of FACTORS."""
    rows = [[case.shares.get(name, 0.0) for name in FACTORS] for case in decided]
    return np.array(rows, dtype=float).reshape(len(rows), len(FACTORS))


def _escalated(decided: Sequence[Decided]) -> Flags:
    return np.array([case.escalated for case in decided], dtype=bool)


def _decayed(decided: Sequence[Decided], now: datetime) -> Floats:
    age = np.array([max((now - case.at) / timedelta(days=1), 0.0) for case in decided])
    return np.exp2(-age / HALF_LIFE_DAYS)
