"""Two means compared as often as one likes: intervals and p-values that hold at every look at once.

Asymptotic confidence sequences of Robbins' normal mixture (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
"Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 2024): with n units seen
and the standard deviation s of their contributions to the difference, the interval is the difference

    +- s sqrt( 2 (n r^2 + 1) / (n^2 r^2) log( sqrt(n r^2 + 1) / alpha ) )

and the chance that it ever misses the truth, from the first look on, is alpha in the limit. `r` says where it is
tightest. Proportions of units between arms: a Dirichlet mixture (Lindon and Malek, "Anytime-valid inference for
multinomial count data", NeurIPS 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln  # type: ignore[import-untyped]

FAR = 1e12
"""Units beyond which nobody waits."""
_RATIO_PRIOR = 100.0
"""Units that the share as planned is worth before any is seen."""
POOLED = 400.0
"""Units that the spread of both arms together is worth for each; in simulation what keeps false verdicts on rare
outcomes in a small arm below alpha (.99 in a tenth of the units: .04 instead of .17)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One arm's units: how many, the mean of their values and the variance between them (n - 1)."""

    units: int
    mean: float
    variance: float

    @classmethod
    def of(cls, values: Sequence[float] | NDArray[np.float64]) -> Sample:
        """The sample of one value a unit; of none the mean is 0."""
        found = np.asarray(values, dtype=np.float64)
        if not found.size:
            return cls(0, 0.0, 0.0)
        return cls(found.size, float(found.mean()), float(found.var(ddof=1)) if found.size > 1 else 0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treatment less control. `low` and `high` hold at every look together, and so does `p_value`.

    Without a spread to judge by (nobody in an arm, or all the same) the interval is None and p 1.
    """

    control: Sample
    treatment: Sample
    difference: float
    low: float | None
    high: float | None
    p_value: float


def tightness(alpha: float, units: float) -> float:
    """The `r` with which the interval is tightest once `units` are seen (ibid., section on tuning)."""
    twice = -2 * math.log(alpha)
    return math.sqrt((twice + math.log(twice + 1)) / units)


def radius(units: float, spread: float, r: float, alpha: float) -> float:
    """Half the width of the interval; `spread` is the standard deviation of one unit's contribution."""
    grown = units * r * r + 1
    return spread * math.sqrt(2 * grown / (units * r) ** 2 * (0.5 * math.log(grown) - math.log(alpha)))


def p_value(units: float, spread: float, r: float, difference: float) -> float:
    """The smallest alpha whose interval, with the same `r`, leaves out 0; at most 1."""
    grown = units * r * r + 1
    exponent = 0.5 * math.log(grown) - (units * r * difference / spread) ** 2 / (2 * grown)
    return math.exp(min(0.0, exponent))


def compare(control: Sample, treatment: Sample, *, alpha: float, tightest_at: int) -> Comparison:
    """The difference of two means with the interval that may be looked at after every unit.

    Units are independent of one another: several cases of one customer are one unit. `tightest_at` is the number of
    units of both arms together at which the interval is tightest; it must not depend on what was seen.
    """
    difference = treatment.mean - control.mean
    spread = _spread(control, treatment)
    if spread <= 0:
        return Comparison(control, treatment, difference, None, None, 1.0)
    units = control.units + treatment.units
    r = tightness(alpha, tightest_at)
    half = radius(units, spread, r, alpha)
    return Comparison(
        control,
        treatment,
        difference,
        difference - half,
        difference + half,
        p_value(units, spread, r, difference),
    )


def units_to_decide(found: Comparison, *, alpha: float, tightest_at: int) -> float:
    """Units of both arms at which the interval would leave out 0 if the difference stays as it is; inf when never."""
    spread = _spread(found.control, found.treatment)
    if spread <= 0 or found.difference == 0:
        return math.inf
    r = tightness(alpha, tightest_at)
    low, high = 1.0, 2.0
    while radius(high, spread, r, alpha) > abs(found.difference):
        low, high = high, high * 2
        if high > FAR:
            return math.inf
    while high - low > 1:
        middle = (low + high) / 2
        if radius(middle, spread, r, alpha) > abs(found.difference):
            low = middle
        else:
            high = middle
    return math.ceil(high)


def ratio_p_value(control: int, treatment: int, share: float) -> float:
    """How well the arms' counts fit the share of units meant for treatment, valid at every look; at most 1.

    The inverse of the Bayes factor of a Beta mixture around the share against the share itself, a martingale under it.
    """
    before = (_RATIO_PRIOR * share, _RATIO_PRIOR * (1 - share))
    evidence = float(betaln(before[0] + treatment, before[1] + control)) - float(betaln(*before))
    expected = treatment * math.log(share) + control * math.log1p(-share)
    return math.exp(min(0.0, expected - evidence))


def _spread(control: Sample, treatment: Sample) -> float:
    """Standard deviation of one unit's contribution to the difference; 0 where it cannot be told."""
    if min(control.units, treatment.units) < 2:
        return 0.0
    units = control.units + treatment.units
    pooled = ((control.units - 1) * control.variance + (treatment.units - 1) * treatment.variance) / (
        units - 2
    )
    of_mean = _variance(control, pooled) / control.units + _variance(treatment, pooled) / treatment.units
    return math.sqrt(units * of_mean)


def _variance(arm: Sample, pooled: float) -> float:
    """An arm's variance, no less than when it is drawn to that of both arms by the weight of some units.

    Of what happens rarely a small arm may have seen nothing yet, which is no proof that it never happens there.
    """
    drawn = (arm.units * arm.variance + POOLED * pooled) / (arm.units + POOLED)
    return max(arm.variance, drawn)
