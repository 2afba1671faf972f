"""Baselines: which share of the shop's volume a problem brings, and how unsure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from graph.baselines import NEW_CUSTOMERS, UNKNOWN_PROBLEM, Baseline, Period
from graph.headcounts import HOUR, Headcounts, seconds_of

ZONE = timezone(timedelta(hours=8))
TODAY = datetime(2026, 6, 1, tzinfo=ZONE)
NOW = seconds_of(TODAY)
DAY = 24 * HOUR


def shop(days: int = 28, seed: int = 1, spread: float = 0.0, **a_day: float) -> Headcounts:
    """20 problems with 10 customers a day each, and those that are named with theirs; `spread` is the dispersion of
    their days."""
    chance = np.random.default_rng(seed)
    heads, number = Headcounts(), 0
    for problem_id, rate in {**{f"p{n}": 10.0 for n in range(20)}, **a_day}.items():
        for day in range(days):
            wild = chance.gamma(1 / spread, spread) if spread else 1.0
            for _ in range(chance.poisson(rate * wild)):
                number += 1
                heads.add(problem_id, TODAY - timedelta(days=day, hours=float(chance.uniform(0, 24))), number)
    return heads


def baseline(
    heads: Headcounts,
    *,
    promotions: Sequence[date] = (),
    left_out: Mapping[str, Sequence[Period]] | None = None,
) -> Baseline:
    return Baseline(heads, NOW, ZONE, promotions, left_out or {})


def a_day(usual: Baseline, problem_id: str) -> float:
    return usual.share(problem_id).mean * usual.volume(NOW, NOW + DAY).expected


def test_a_problem_is_expected_to_bring_what_it_brought() -> None:
    usual = baseline(shop(rare=0.5, frequent=60.0))
    assert a_day(usual, "p3") == pytest.approx(10, rel=0.25)
    assert a_day(usual, "frequent") == pytest.approx(60, rel=0.15)
    assert a_day(usual, "rare") == pytest.approx(0.5, rel=0.6)


def test_the_less_was_heard_of_a_problem_the_less_sure_is_its_share() -> None:
    usual = baseline(shop(rare=0.8))
    dispersion = {item: usual.dispersion(usual.share(item), 60) for item in ("new", "rare", "p3")}
    assert dispersion["new"] > dispersion["rare"] > dispersion["p3"]


def test_of_a_new_problem_what_new_ones_bring_is_expected() -> None:
    assert a_day(baseline(shop()), "new") == pytest.approx(NEW_CUSTOMERS, rel=0.3)


def test_the_periods_of_bursts_are_left_out() -> None:
    heads = shop()
    burst = TODAY - timedelta(days=5)
    for number in range(300):
        heads.add("p3", burst + timedelta(minutes=number), f"burst {number}")
    period = seconds_of(burst) - HOUR, seconds_of(burst) + 6 * HOUR
    assert a_day(baseline(heads), "p3") > 15
    assert a_day(baseline(heads, left_out={"p3": [period]}), "p3") == pytest.approx(10, rel=0.25)
    twice = [period, (period[0] + HOUR, period[1] + HOUR)]
    assert a_day(baseline(heads, left_out={"p3": twice}), "p3") == pytest.approx(10, rel=0.25)


def test_the_last_hours_teach_nothing_yet() -> None:
    heads = shop()
    before = a_day(baseline(heads), "p3")
    for number in range(20):
        heads.add("p3", TODAY - timedelta(minutes=5 * number), f"late {number}")
    assert a_day(baseline(heads), "p3") == pytest.approx(before, rel=0.15)


def test_what_has_grown_in_the_last_days_is_usual_sooner_than_its_long_past_would_have_it() -> None:
    heads = shop()
    for number in range(80):
        heads.add("p3", TODAY - timedelta(hours=8 + number), f"more {number}")
    assert a_day(baseline(heads), "p3") > 20


def test_a_declared_promotion_raises_what_is_expected_of_the_day() -> None:
    heads = shop()
    volume = baseline(heads, promotions=[TODAY.date()]).volume(NOW, NOW + DAY)
    assert volume.expected > 1.5 * volume.ordinary
    assert volume.ordinary == pytest.approx(baseline(heads).volume(NOW, NOW + DAY).expected, rel=0.05)


def test_a_shop_without_history_expects_little_of_each_problem() -> None:
    heads = Headcounts()
    for number in range(500):
        heads.add(f"p{number}", TODAY - timedelta(minutes=1), number)
    usual = baseline(heads)
    assert not usual.known
    assert a_day(usual, "p3") == pytest.approx(24 * UNKNOWN_PROBLEM, rel=0.1)


def test_how_far_days_scatter_is_learned_from_the_shop() -> None:
    calm, wild = (baseline(shop(days=42, spread=spread)).scatter[24] for spread in (0.0, 0.5))
    assert calm < 0.05
    assert 0.25 < wild < 0.8


def test_days_count_in_order_of_time() -> None:
    heads = Headcounts()
    for back in range(40):
        for number in range(5 + 20 * (back == 1)):
            heads.add("p", TODAY - timedelta(days=back, hours=3), f"{back} {number}")
    usual = baseline(heads, left_out={"p": [(NOW - 3 * DAY + 60, NOW - 3 * DAY + HOUR)]})
    assert usual.daily_volumes(3) == [5.0, 25.0, 5.0]
    assert usual.level_before(3) == pytest.approx(5.0, rel=0.05)
    assert usual.days_of("p", 3) == [True, False, False]
    assert datetime.fromtimestamp(usual.day_begin, UTC) == TODAY
