"""The benchmark of trials computes what the service does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.sequential import ALPHA, _running, _variance_of_mean, fixed_units, run, worlds
from graph.sequential import Sample, compare, radius, tightness

EVEN, APART = worlds()[0], worlds()[7]


def test_its_intervals_are_those_of_the_service() -> None:
    chance = np.random.default_rng(1)
    values = chance.lognormal(0, 1, (1, 900))
    treated = chance.random((1, 900)) < 0.2
    looks = np.array([899])
    control, treatment = (_running(values, mask, looks) for mask in (~treated, treated))
    deviation = float(np.sqrt(900 * _variance_of_mean(control, treatment))[0, 0])
    half = radius(900.0, deviation, tightness(ALPHA, 700), ALPHA)
    found = compare(Sample.of(values[~treated]), Sample.of(values[treated]), alpha=ALPHA, tightest_at=700)
    assert found.high is not None
    assert found.high - found.difference == pytest.approx(half, rel=1e-9)
    assert float(treatment[1][0, 0] - control[1][0, 0]) == pytest.approx(found.difference)


def test_a_trial_finds_what_is_there_and_seldom_what_is_not() -> None:
    even = run(replace(EVEN, maximum=1500), 100, seed=2)
    apart = run(replace(APART, maximum=4000), 50, seed=2)
    assert even.found <= 0.1 < even.naive
    assert apart.found > 0.9 and apart.units < 4000
    assert fixed_units(APART) == pytest.approx((1.96 + 0.8416) ** 2 * 0.16 / 0.05**2 * 4, rel=0.01)
