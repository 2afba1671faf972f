"""A figure with its 95% interval, and how far two of them are apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, stdtrit  # type: ignore[import-untyped]

Z = 1.959963984540054
"""The standard normal quantile of a two-sided 95% interval."""
_TAILS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Figure:
    """A value from `n` observations. All three are None where nothing was observed; a bound is None where so
    few observations leave it open.

    `left_out` counts what would belong here and cannot be told yet, `provisional` what counts as it stands and
    may still turn.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    left_out: int = 0
    provisional: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """How much larger a figure is than an earlier one, with the 95% interval of the difference."""

    value: float
    low: float | None
    high: float | None

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


NOTHING = Figure(None)


def share(hits: int, n: int, *, left_out: int = 0, provisional: int = 0) -> Figure:
    """`hits` of `n` with Wilson's interval, which stays within 0 and 1 and open at neither end."""
    if n == 0:
        return Figure(None, left_out=left_out, provisional=provisional)
    rate = hits / n
    low, high = wilson(rate, n)
    return Figure(rate, low, high, n, left_out, provisional)


def wilson(rate: float, n: float) -> tuple[float, float]:
    """Wilson's 95% interval of a rate over `n` > 0 cases, which may be counted in part."""
    middle = (rate + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(rate * (1 - rate) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    # At both ends the bound is the rate itself, which rounding would miss by a hair.
    return max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half))


def share_of(truths: Iterable[bool | None]) -> Figure:
    """The share of true ones; None counts as left out."""
    known = list(truths)
    told = [truth for truth in known if truth is not None]
    return share(sum(told), len(told), left_out=len(known) - len(told))


def mean(values: Sequence[float], *, least: float = -math.inf, most: float = math.inf) -> Figure:
    """The mean with Student's interval, cut to what is possible; without bounds from a single value."""
    n = len(values)
    if n == 0:
        return NOTHING
    data = np.asarray(values, dtype=np.float64)
    middle = float(data.mean())
    if n == 1:
        return Figure(middle, n=1)
    half = float(stdtrit(n - 1, _TAILS[1]) * data.std(ddof=1) / math.sqrt(n))
    return Figure(middle, max(least, middle - half), min(most, middle + half), n)


def quantile(values: Sequence[float], level: float) -> Figure:
    """The quantile (between two values by straight line) with the interval of binomial order statistics.

    The interval says which observations enclose the quantile whatever the distribution; its bound is None where
    there are too few of them on that side.
    """
    n = len(values)
    if n == 0:
        return NOTHING
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    below, above = _ranks(n, level)
    low = float(ordered[below - 1]) if below >= 1 else None
    high = float(ordered[above - 1]) if above <= n else None
    return Figure(float(np.quantile(ordered, level)), low, high, n)


def _ranks(n: int, level: float) -> tuple[int, int]:
    """The ranks (from 1) between which the quantile lies with at least 95%; 0 and n + 1 are beyond all values."""
    chances = bdtr(np.arange(n + 1), n, level)
    below = int(np.searchsorted(chances, _TAILS[0], side="right"))
    above = int(np.searchsorted(chances, _TAILS[1], side="left")) + 1
    return below, above


def change(now: Figure, before: Figure) -> Change | None:
    """The difference, its interval put together from both figures' own (MOVER; Newcombe's for two shares)."""
    if now.value is None or before.value is None:
        return None
    value = now.value - before.value
    if now.low is None or now.high is None or before.low is None or before.high is None:
        return Change(value, None, None)
    low = value - math.hypot(now.value - now.low, before.high - before.value)
    high = value + math.hypot(now.high - now.value, before.value - before.low)
    return Change(value, low, high)
