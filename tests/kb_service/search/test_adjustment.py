"""What verdicts move in the confidence: nothing on day one, the truth in the end, and never the order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.search.adjustment import PRIOR, Adjustment, JudgedAnswer, fit_adjustment, log_loss


def answers(count: int, confidence: float, share_right: float, language: str = "en") -> list[JudgedAnswer]:
    right = round(count * share_right)
    return [JudgedAnswer(confidence, language, number < right) for number in range(count)]


@given(st.floats(0.005, 0.995))
def test_without_verdicts_nothing_changes(confidence: float) -> None:
    assert fit_adjustment([]) == Adjustment()
    assert Adjustment().of(confidence, "en") == confidence


def test_a_few_verdicts_move_it_a_little_and_many_to_the_truth() -> None:
    few = fit_adjustment(answers(5, 0.8, 0.0)).of(0.8, "en")
    assert 0.6 < few < 0.8
    half = fit_adjustment(answers(int(PRIOR), 0.8, 0.4)).of(0.8, "en")
    assert 0.45 < half < 0.75
    many = fit_adjustment(answers(5_000, 0.8, 0.4)).of(0.8, "en")
    assert many == pytest.approx(0.4, abs=0.01)


def test_verdicts_that_agree_change_next_to_nothing() -> None:
    judged = [*answers(200, 0.9, 0.9), *answers(200, 0.5, 0.5)]
    adjusted = fit_adjustment(judged)
    for confidence in (0.5, 0.7, 0.9):
        assert adjusted.of(confidence, "en") == pytest.approx(confidence, abs=0.01)


def test_a_language_moves_by_itself_and_one_without_verdicts_with_all() -> None:
    adjusted = fit_adjustment([*answers(400, 0.8, 0.5, "zh"), *answers(400, 0.8, 0.8, "en")])
    assert adjusted.of(0.8, "zh") == pytest.approx(0.5, abs=0.05)
    assert adjusted.of(0.8, "en") == pytest.approx(0.8, abs=0.03)
    assert adjusted.of(0.8, "zh") < adjusted.of(0.8, "fr") < adjusted.of(0.8, "en")


def test_a_weight_counts_as_so_many_answers() -> None:
    heavy = fit_adjustment([JudgedAnswer(0.7, "en", False, weight=30.0)])
    many = fit_adjustment([JudgedAnswer(0.7, "en", False)] * 30)
    assert heavy.of(0.7, "en") == pytest.approx(many.of(0.7, "en"), abs=1e-3)


@given(
    st.lists(
        st.tuples(st.floats(0.01, 0.99), st.sampled_from(["en", "zh"]), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_what_was_surer_stays_surer(told: list[tuple[float, str, bool]]) -> None:
    adjusted = fit_adjustment([JudgedAnswer(*item) for item in told])
    for language in ("en", "zh", "de"):
        grid = [adjusted.of(float(value), language) for value in np.linspace(0.01, 0.99, 25)]
        assert grid == sorted(grid)
        assert len(set(grid)) == len(grid)
        assert 0 < grid[0] < grid[-1] < 1


def test_the_loss_of_the_fit_is_the_smaller() -> None:
    judged = [*answers(300, 0.9, 0.6), *answers(300, 0.4, 0.3, "zh")]
    assert log_loss(judged, fit_adjustment(judged)) < log_loss(judged, Adjustment())
    assert log_loss([], Adjustment()) == 0.0
