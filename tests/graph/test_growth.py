"""Slow growth: what the cumulative sum tells, what it lets pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.bursts import BurstRules, BurstWatch, Finding, words
from graph.growth import GrowthRules, Rise, cusum

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 4, 1, tzinfo=ZONE)
DAY = timedelta(days=1)
ONLY_GROWTH = BurstRules(windows={})
DAYS = 56


def lived(
    rates: dict[str, list[float]], *, lifted: range = range(0), seed: int = 1, problems: int = 30
) -> list[Finding]:
    """A shop over eight weeks, judged at the end of each day; `rates` are customers a day of problems besides 30
    ordinary ones with 5 each. On `lifted` days everything comes twice."""
    chance = np.random.default_rng(seed)
    watch = BurstWatch(ZONE)
    everything = {f"p{n}": [5.0] * DAYS for n in range(problems)} | rates
    found, number = [], 0
    for day in range(DAYS):
        for problem_id, by_day in everything.items():
            for _ in range(chance.poisson(by_day[day] * (2.0 if day in lifted else 1.0))):
                number += 1
                at = START + day * DAY + timedelta(hours=8 + 14 * float(chance.beta(2, 2)))
                watch.hear(problem_id, at, number)
        found += watch.judge(START + (day + 1) * DAY, ONLY_GROWTH)
    return found


def growing(begin: int, per_day: float, of: float = 4.0) -> list[float]:
    return [of + max(0, day - begin) * per_day for day in range(DAYS)]


def test_a_problem_that_grows_day_by_day_is_told_once() -> None:
    (found,) = lived({"grows": growing(35, 0.6)})
    assert (found.problem_id, found.kind) == ("grows", "growth")
    assert found.window_minutes % 1440 == 0
    assert found.customers >= 1.5 * found.expected
    assert timedelta(days=3) <= found.at - (START + 35 * DAY) <= timedelta(days=14)
    assert found.at.astimezone(ZONE).hour == 0
    assert "天内" in words(found)["zh"]


def test_growth_is_told_again_after_it_fell_back() -> None:
    waves = [4.0] * 20 + [14.0] * 8 + [4.0] * 16 + [16.0] * 12
    found = lived({"waves": waves})
    assert [item.problem_id for item in found] == ["waves", "waves"]


def test_a_shop_that_grows_as_a_whole_has_no_growing_problem() -> None:
    assert lived({}, lifted=range(40, DAYS)) == []


def test_a_young_problem_has_no_past_to_grow_from() -> None:
    young = [0.0] * (DAYS - 7) + [float(2 * day) for day in range(7)]
    assert lived({"young": young}) == []


def test_the_sum_forgets_what_lies_before_it_last_stood_at_nothing() -> None:
    assert cusum([9, 0, 0, 6, 6], [4] * 5, 0.0, 0.5) == Rise(2, 1.0)
    assert cusum([1, 2], [4, 4], 0.0, 0.5) == Rise(0, 0.0)


def test_a_day_of_which_nothing_is_expected_counts_for_nothing() -> None:
    assert cusum([8, 50, 8], [4, 0, 4], 0.0, 0.5) == Rise(3, 3.0)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.floats(0.1, 20.0)), max_size=30),
    st.floats(0.0, 2.0),
    st.integers(0, 40),
)
def test_more_customers_today_never_lower_the_sum(
    days: list[tuple[int, float]], dispersion: float, more: int
) -> None:
    slack = GrowthRules().slack
    seen, expected = [count for count, _ in days], [mean for _, mean in days]
    usual = cusum([*seen, 5], [*expected, 5.0], dispersion, slack)
    busier = cusum([*seen, 5 + more], [*expected, 5.0], dispersion, slack)
    assert busier.height >= usual.height >= 0
    assert (busier.days == 0) == (busier.height == 0)
