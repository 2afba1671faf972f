"""What would have been forecast earlier, beside what came."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from graph.forecasting import forecast
from graph.hindsight import hindsight
from graph.rhythm import DAY, WEEK, Floats, hour_of

START = hour_of(datetime(2026, 4, 6, tzinfo=UTC))  # a Monday


def counts(weeks: int = 6, seed: int = 3) -> Floats:
    busy = np.where(np.arange(weeks * WEEK) % DAY >= 9, 12.0, 2.0)
    part = np.random.default_rng(seed).poisson(busy).astype(np.float64)
    return np.column_stack([part * 2, part])


def origins(of: Floats, days: int = 7) -> list[int]:
    end = START + len(of)
    return [end - back * DAY for back in range(days, 0, -1)]


def test_each_day_is_what_was_forecast_before_it_began() -> None:
    made = counts()
    found = hindsight(START, made, UTC, origins(made))[1]
    assert len(found.hours) == 7 * DAY
    assert found.came.tolist() == made[-7 * DAY :, 1].tolist()
    third = forecast(START, made[: -5 * DAY], DAY, UTC)
    assert found.mean[2 * DAY : 3 * DAY].tolist() == third.mean[1].tolist()
    assert found.high[2 * DAY : 3 * DAY].tolist() == third.high[0.8][1].tolist()


def test_what_came_later_changes_no_forecast() -> None:
    made = counts()
    before = hindsight(START, made, UTC, origins(made))[0]
    made[-DAY:] *= 10
    after = hindsight(START, made, UTC, origins(made))[0]
    assert after.mean.tolist() == before.mean.tolist()
    assert after.held < before.held


def test_the_band_holds_about_what_it_says() -> None:
    held, tried = 0, 0
    for seed in range(6):
        made = counts(seed=seed)
        found = hindsight(START, made, UTC, origins(made))[1]
        held, tried = held + found.held, tried + found.tried
    assert tried == 6 * 7 * DAY
    assert held / tried == pytest.approx(0.85, abs=0.07)


def test_hours_of_which_nothing_was_told_are_not_judged() -> None:
    made = counts()
    made[-2 * DAY :] = 0
    found = hindsight(START, made, UTC, origins(made))[0]
    assert found.tried == 5 * DAY
    assert not found.outside[-2 * DAY :].any()


def test_a_day_that_is_not_over_is_judged_as_far_as_it_went() -> None:
    made = counts()[:-20]
    found = hindsight(START, made, UTC, [START + 6 * WEEK - DAY])[0]
    assert len(found.hours) == 4


@pytest.mark.parametrize("hours", [0, 24, 40])
def test_without_history_there_is_nothing_to_judge(hours: int) -> None:
    made = counts()[:hours]
    assert [one.tried for one in hindsight(START, made, UTC, [START + max(0, hours - 12)])] == [0, 0]
