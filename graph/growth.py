"""Slow growth: a problem that brings more customers day by day, too slowly for any burst.

A cumulative sum of daily residuals (Page, Biometrika 1954): S = max(0, S + z - k), where z is how far a day lies beyond
what was expected of it, in standard deviations. Growth is told when S passes h and the days since S last stood at 0
are, taken together, unlikely and more than half as much again as expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graph.baselines import Baseline
from graph.forecasting import tail
from graph.headcounts import HOUR, Headcounts
from graph.rhythm import DAY

RUN_DAYS = 21
"""The last days that may have grown; what is usual comes from the days before."""
LEAST_AGE_DAYS = 8
"""A younger problem has no past to have grown from."""


@dataclass(frozen=True, slots=True)
class GrowthRules:
    """`slack` and `height` are k and h of the sum, in standard deviations of a day; `likely` is the probability below
    which the days together are told, `times` and `customers` the least that they must be."""

    slack: float = 0.5
    height: float = 5.0
    likely: float = 3e-4
    times: float = 1.5
    customers: int = 10


@dataclass(frozen=True, slots=True)
class Rise:
    """The days since the sum last stood at 0, the last of them today; `height` is the sum."""

    days: int
    height: float


def cusum(seen: Sequence[float], expected: Sequence[float], dispersion: float, slack: float) -> Rise:
    """The sum over the days of one problem, in order of time; a day of which nothing is expected counts for nothing."""
    total, days = 0.0, 0
    for count, mean in zip(seen, expected, strict=True):
        if mean > 0:
            total += (count - mean) / (mean + dispersion * mean**2) ** 0.5 - slack
        days += 1
        if total <= 0:
            total, days = 0.0, 0
    return Rise(days, total)


@dataclass(frozen=True, slots=True)
class Grown:
    """What a problem's last days came to; `lift` is how far the whole shop was lifted in them."""

    days: int
    customers: int
    expected: float
    p_value: float
    height: float
    lift: float


def grown(heads: Headcounts, usual: Baseline, problem_id: str, rules: GrowthRules) -> Grown | None:
    """The rise of a problem at the begin of a day, None where there is none or too little past to tell.

    Customers count once a day, days with a burst not at all, and each day is held against the problem's share of
    what the whole shop brought on it.
    """
    now = usual.day_begin
    age = (now - heads.first(problem_id)) // (DAY * HOUR) if problem_id in heads else 0
    run = min(RUN_DAYS, age // 2)
    if age < LEAST_AGE_DAYS:
        return None
    begin = now - run * DAY * HOUR
    if heads.sightings(problem_id, begin, now) < rules.customers:
        return None
    share = usual.share_until(problem_id, begin // HOUR)
    told = usual.days_of(problem_id, run)
    volumes = usual.daily_volumes(run)
    seen = [0] * run
    for offset in range(run):
        start = begin + offset * DAY * HOUR
        seen[offset] = 0 if told[offset] else heads.voters(problem_id, start, start + DAY * HOUR)
    expected = [0.0 if out else share.mean * volume for out, volume in zip(told, volumes, strict=True)]
    own = usual.scatter[24]
    rise = cusum(seen, expected, usual.dispersion(share, DAY * 60), rules.slack)
    if rise.height <= 0:
        return Grown(0, 0, 0.0, 1.0, 0.0, 1.0)
    customers, mean = sum(seen[-rise.days :]), sum(expected[-rise.days :])
    together = own / rise.days + (1 + own / rise.days) / share.shape
    lift = sum(volumes[-rise.days :]) / max(rise.days * usual.level_before(run), 1e-9)
    return Grown(rise.days, customers, mean, tail(customers, mean, together), rise.height, lift)


def tells(found: Grown, rules: GrowthRules) -> bool:
    """Whether a rise is to be told."""
    enough = found.customers >= max(rules.customers, rules.times * found.expected)
    return found.height > rules.height and enough and found.p_value < rules.likely
