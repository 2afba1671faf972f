"""Figures with intervals, against published values and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from graph.intervals import Figure, change, mean, quantile, share, share_of


def test_a_share_has_the_interval_of_wilson() -> None:
    """Newcombe 1998, table I: 81 of 263 and 0 of 20."""
    figure = share(81, 263)
    assert (figure.n, figure.value) == (263, pytest.approx(81 / 263))
    assert (figure.low, figure.high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    none = share(0, 20)
    assert (none.low, none.high) == (0.0, pytest.approx(0.1611, abs=5e-5))
    assert share(20, 20).high == 1.0
    assert share(0, 0) == Figure(None)


def test_what_cannot_be_told_is_left_out_of_a_share() -> None:
    assert share_of([True, None, False, None]).n == 2
    assert share_of([True, None, False, None]).left_out == 2


def test_a_mean_has_the_interval_of_student_and_stays_possible() -> None:
    figure = mean([4.0, 5.0, 3.0])
    # t(2, .975) = 4.3027, standard error 1 / sqrt 3
    assert figure.value == 4.0
    assert figure.low == pytest.approx(4 - 4.3027 / 3**0.5, abs=1e-4)
    assert mean([4.0, 5.0, 3.0], least=1.0, most=5.0).high == 5.0
    assert mean([4.0]) == Figure(4.0, n=1)
    assert mean([]) == Figure(None)


def test_a_quantile_lies_between_two_observations_and_its_bounds_are_observations() -> None:
    """Ten values: ranks 2 and 9 enclose the median with 97.9% (Conover, table A3)."""
    figure = quantile([10, 1, 9, 2, 8, 3, 7, 4, 6, 5], 0.5)
    assert figure == Figure(5.5, 2.0, 9.0, 10)
    assert quantile([3.0, 1.0], 0.5) == Figure(2.0, None, None, 2)
    assert quantile([], 0.9) == Figure(None)


def test_the_interval_of_a_quantile_holds_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(400):
        figure = quantile(rng.exponential(size=60).tolist(), 0.9)
        assert figure.low is not None
        held += figure.low <= np.log(10) and (figure.high is None or np.log(10) <= figure.high)
    assert 0.94 <= held / 400 <= 1.0


def test_the_difference_of_two_shares_has_the_interval_of_newcombe() -> None:
    """Newcombe 1998, method 10: 56/70 less 48/80 is .2, from .0524 to .3339."""
    found = change(share(56, 70), share(48, 80))
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    assert found.certain


def test_nothing_is_compared_with_nothing() -> None:
    assert change(share(1, 2), share(0, 0)) is None
    alone = change(mean([4.0]), mean([3.0]))
    assert alone is not None
    assert (alone.value, alone.low, alone.certain) == (1.0, None, False)
