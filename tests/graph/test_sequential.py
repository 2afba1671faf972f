from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.sequential import (
    Sample,
    compare,
    p_value,
    radius,
    ratio_p_value,
    tightness,
    units_to_decide,
)

ALPHA = 0.05
PLAN = 2000


def test_a_sample_is_mean_and_variance_between_units() -> None:
    found = Sample.of([0.0, 1.0, 1.0, 0.0])
    assert (found.units, found.mean) == (4, 0.5)
    assert found.variance == pytest.approx(np.var([0, 1, 1, 0], ddof=1))
    assert Sample.of([]) == Sample(0, 0.0, 0.0)
    assert Sample.of([3.0]) == Sample(1, 3.0, 0.0)


@given(
    units=st.floats(10, 1e6),
    spread=st.floats(0.01, 1e3),
    alpha=st.floats(0.001, 0.2),
    plan=st.integers(50, 100_000),
)
def test_the_p_value_at_the_edge_of_the_interval_is_alpha(
    units: float, spread: float, alpha: float, plan: int
) -> None:
    r = tightness(alpha, plan)
    edge = radius(units, spread, r, alpha)
    assert p_value(units, spread, r, edge) == pytest.approx(alpha, rel=1e-6)
    assert p_value(units, spread, r, edge * 1.01) < alpha
    assert p_value(units, spread, r, 0.0) == 1.0


def test_the_p_value_is_the_inverse_of_the_mixture_of_likelihood_ratios() -> None:
    """Robbins: integrate exp(lambda S - lambda^2 n / 2) over lambda ~ N(0, r^2)."""
    units, spread, difference, r = 400.0, 2.0, 0.3, 0.05
    total = units * difference / spread
    steps = np.linspace(-8 * r, 8 * r, 400_001)
    weight = np.exp(-0.5 * (steps / r) ** 2) / (r * math.sqrt(2 * math.pi))
    mixture = float(np.trapezoid(weight * np.exp(steps * total - steps**2 * units / 2), steps))
    assert p_value(units, spread, r, difference) == pytest.approx(1 / mixture, rel=1e-6)


def test_the_interval_is_about_the_tightest_where_it_was_planned() -> None:
    """Against every other tuning, at the units planned for."""
    r = tightness(ALPHA, PLAN)
    best = min(radius(PLAN, 1.0, other, ALPHA) for other in np.geomspace(r / 30, r * 30, 600))
    assert radius(PLAN, 1.0, r, ALPHA) <= best * 1.002


def test_it_is_wider_than_the_interval_of_a_single_look() -> None:
    r = tightness(ALPHA, PLAN)
    for units in (100, 2000, 50_000):
        assert radius(units, 1.0, r, ALPHA) > 1.96 / math.sqrt(units)


def test_a_comparison_turns_round_with_its_arms() -> None:
    one, other = Sample(900, 0.70, 0.21), Sample(1100, 0.78, 0.17)
    there = compare(one, other, alpha=ALPHA, tightest_at=PLAN)
    back = compare(other, one, alpha=ALPHA, tightest_at=PLAN)
    assert there.difference == pytest.approx(0.08)
    assert there.low is not None and back.high is not None
    assert there.low == pytest.approx(-back.high)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.low > 0 and there.p_value < ALPHA


@given(
    units=st.integers(2, 5000),
    difference=st.floats(-1, 1),
    variance=st.floats(1e-6, 10),
)
def test_interval_and_p_value_say_the_same(units: int, difference: float, variance: float) -> None:
    found = compare(
        Sample(units, 0.0, variance), Sample(units, difference, variance), alpha=ALPHA, tightest_at=PLAN
    )
    assert found.low is not None and found.high is not None
    assert found.low <= found.difference <= found.high
    assert (found.p_value < ALPHA) == (found.low > 0 or found.high < 0) or found.p_value == pytest.approx(
        ALPHA
    )


def test_nobody_in_an_arm_or_no_spread_allows_nothing_to_be_said() -> None:
    for control, treatment in (
        (Sample(0, 0.0, 0.0), Sample(500, 0.9, 0.09)),
        (Sample(1, 1.0, 0.0), Sample(500, 0.9, 0.09)),
        (Sample(500, 1.0, 0.0), Sample(500, 1.0, 0.0)),
    ):
        found = compare(control, treatment, alpha=ALPHA, tightest_at=PLAN)
        assert (found.low, found.high, found.p_value) == (None, None, 1.0)


def test_an_arm_whose_few_units_are_alike_does_not_pass_for_certain() -> None:
    """Ten of ten resolved is no proof against 90 of 100."""
    found = compare(Sample(100, 0.9, 0.0909), Sample(10, 1.0, 0.0), alpha=ALPHA, tightest_at=PLAN)
    assert found.p_value > ALPHA


def test_the_units_that_are_expected_decide() -> None:
    found = compare(Sample(300, 0.80, 0.16), Sample(300, 0.85, 0.1275), alpha=ALPHA, tightest_at=PLAN)
    assert found.p_value > ALPHA
    needed = units_to_decide(found, alpha=ALPHA, tightest_at=PLAN)
    half = round(needed / 2)

    def at(units: int) -> float:
        return compare(
            Sample(units, 0.80, 0.16), Sample(units, 0.85, 0.1275), alpha=ALPHA, tightest_at=PLAN
        ).p_value

    assert at(round(half * 1.02)) < ALPHA < at(round(half * 0.98))
    same = compare(Sample(300, 0.8, 0.16), Sample(300, 0.8, 0.16), alpha=ALPHA, tightest_at=PLAN)
    assert units_to_decide(same, alpha=ALPHA, tightest_at=PLAN) == math.inf


def test_continuous_looks_rarely_find_what_is_not_there() -> None:
    """800 trials of no difference, looked at after every unit from 100 on; a repeated z-test is wrong far oftener."""
    chance = np.random.default_rng(3)
    trials, length, first = 800, 3000, 100
    units = np.arange(1, length + 1, dtype=float)
    one, other = (np.cumsum(chance.random((trials, length)) < 0.7, axis=1) / units for _ in range(2))
    spread = np.sqrt(2 * (one * (1 - one) + other * (1 - other)))
    difference = np.abs(one - other)[:, first:]
    r = tightness(ALPHA, PLAN)
    half = np.array([radius(2 * n, 1.0, r, ALPHA) for n in units])
    wrong = (difference > (half * spread)[:, first:]).any(axis=1).mean()
    naive = (difference > (1.96 * spread / np.sqrt(2 * units))[:, first:]).any(axis=1).mean()
    assert wrong <= ALPHA + 2 * math.sqrt(ALPHA * (1 - ALPHA) / trials)
    assert naive > 4 * ALPHA


def test_the_share_of_the_arms_is_tested_by_a_mixture_over_shares() -> None:
    """Against a plain sum over a fine grid of shares, weighted by the Beta prior."""
    control, treatment, share = 530, 470, 0.5
    grid = (np.arange(200_000) + 0.5) / 200_000
    log_prior = 49 * np.log(grid) + 49 * np.log1p(-grid)
    prior = np.exp(log_prior - log_prior.max())
    prior /= prior.sum()
    log_ratio = treatment * (np.log(grid) - math.log(share)) + control * (
        np.log1p(-grid) - math.log(1 - share)
    )
    bayes = float((prior * np.exp(log_ratio)).sum())
    assert ratio_p_value(control, treatment, share) == pytest.approx(min(1.0, 1 / bayes), rel=1e-4)


def test_the_ratio_rarely_alarms_however_often_it_is_looked_at() -> None:
    chance = np.random.default_rng(5)
    alarms = 0
    for _ in range(150):
        drawn = np.cumsum(chance.random(4000) < 0.2)
        looks = range(50, 4000, 50)
        alarms += any(ratio_p_value(n - int(drawn[n - 1]), int(drawn[n - 1]), 0.2) < 0.05 for n in looks)
    assert alarms <= 0.05 * 150 + 2 * math.sqrt(150 * 0.05 * 0.95)
    assert ratio_p_value(8000, 1700, 0.2) < 1e-6
    assert ratio_p_value(0, 0, 0.2) == 1.0
