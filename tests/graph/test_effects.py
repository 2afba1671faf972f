"""Measured effects: what was planted comes out with its size, and where nothing changed nothing is claimed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from graph.effects import (
    BEFORE,
    LOOKS,
    DayCount,
    Effect,
    expected_saving,
    learned_share,
    look,
    measured,
    weekly_rate,
)

DECIDED = datetime(2026, 6, 1, 9, tzinfo=UTC)
BEGIN = -(BEFORE // timedelta(days=1))


def after(days: float) -> datetime:
    return DECIDED + timedelta(days=days)


def history(
    seed: int, ratio: float, days: int = 56, *, rate: float = 3.0, scatter: float = 0.0
) -> list[DayCount]:
    """A problem in a shop with a rhythm of the week, a promotion before the decision, and growth since.

    `scatter` is the squared coefficient of variation of the problem's own weeks.
    """
    draw = np.random.default_rng(seed)
    found, week = [], 1.0
    for day in range(BEGIN, days):
        lift = (1.3 if day % 7 < 5 else 0.6) * (2.5 if -3 <= day < 0 else 1.0) * (1.4 if day >= 0 else 1.0)
        if scatter and (day % 7 == 0 or day == BEGIN):
            week = float(draw.gamma(1 / scatter, scatter))
        mean = rate * lift * week * (ratio if day >= 0 else 1.0)
        found.append(DayCount(day, int(draw.poisson(mean)), int(draw.poisson(60 * lift))))
    return found


def verdicts(ratio: float, days: int, **options: Any) -> Counter[str]:
    return Counter(
        measured("contacts", history(seed, ratio, days, **options), DECIDED, after(days)).verdict
        for seed in range(20)
    )


def test_a_change_that_halves_the_contacts_is_told_with_its_size() -> None:
    found = [measured("contacts", history(seed, 0.5), DECIDED, after(56)) for seed in range(20)]
    assert Counter(item.verdict for item in found)["better"] >= 19
    assert np.mean([item.ratio or 0.0 for item in found]) == pytest.approx(0.5, abs=0.05)
    # Three a day, grown by 1.4 as the shop has: of 29 a week half are gone.
    assert np.mean([item.change or 0.0 for item in found]) == pytest.approx(
        -0.5 * 3 * 1.1 * 7 * 1.4, rel=0.15
    )
    covered = sum((item.low or 0.0) <= -0.5 * item.expected / 8 <= (item.high or 0.0) for item in found)
    assert covered >= 18


def test_a_change_for_the_worse_is_told() -> None:
    assert verdicts(1.8, 56)["worse"] >= 19


@pytest.mark.parametrize("days", LOOKS)
def test_where_nothing_changed_nothing_is_claimed(days: int) -> None:
    assert verdicts(1.0, days) == {"no_difference": 20}


@pytest.mark.parametrize("days", LOOKS)
def test_weeks_that_scatter_by_themselves_are_no_effect(days: int) -> None:
    assert verdicts(1.0, days, scatter=0.3)["no_difference"] >= 19


def test_a_promotion_day_and_growth_of_the_whole_shop_are_no_effect() -> None:
    quiet = [DayCount(day, 3, 60) for day in range(BEGIN, 0)]
    doubled = [DayCount(day, 6, 120) for day in range(28)]
    found = measured("contacts", [*quiet, *doubled], DECIDED, after(28))
    assert (found.verdict, found.after) == ("no_difference", 168)
    assert found.expected == pytest.approx(168, abs=2)
    alone = [DayCount(day, 6, 60) for day in range(28)]
    assert measured("contacts", [*quiet, *alone], DECIDED, after(28)).verdict == "worse"


def test_before_two_weeks_and_on_few_cases_nothing_is_said() -> None:
    young = measured("contacts", history(1, 0.2), DECIDED, after(13.9))
    assert (young.verdict, young.change, young.ratio) == ("too_early", None, None)
    assert young.days == 13
    assert "14" in young.words["zh"]
    rare = measured("contacts", history(1, 0.2, rate=0.05), DECIDED, after(56))
    assert rare.verdict == "too_early"
    assert measured("contacts", [], DECIDED, after(60)).verdict == "too_early"


def test_figures_stand_from_one_look_to_the_next() -> None:
    counts = history(3, 0.4)
    at_look, between = (measured("contacts", counts, DECIDED, after(days)) for days in (28, 41))
    assert (between.days, between.after, between.ratio) == (28, at_look.after, at_look.ratio)
    assert [look(days) for days in (13, 14, 27, 28, 56, 400)] == [None, 14, 14, 28, 56, 56]
    assert measured("contacts", counts, DECIDED, after(300)).days == 56


def test_the_words_say_what_the_figures_say() -> None:
    found = measured("transfers", history(0, 0.4), DECIDED, after(56))
    assert isinstance(found, Effect)
    assert found.words["en"].startswith("It helped: ")
    assert found.words["zh"].startswith("有效：")
    assert f"{found.after} cases passed on in 56 days" in found.words["en"]
    assert f"{found.expected:.1f} expected" in found.words["en"]
    assert measured("contacts", history(0, 2.5), DECIDED, after(56)).words["en"].startswith("It got worse: ")


def test_a_weekly_rate_has_its_exact_interval() -> None:
    assert weekly_rate(40, 28) == pytest.approx((10.0, 28.58 / 4, 54.47 / 4), abs=0.01)
    assert weekly_rate(0, 28) == pytest.approx((0.0, 0.0, 3.689 / 4), abs=0.01)


def test_a_judgement_moves_with_what_was_measured() -> None:
    judged = (0.3, 0.1, 0.5)
    assert learned_share(judged, []) == judged
    moved = learned_share(judged, [0.2] * 4)
    assert moved[0] == pytest.approx((0.3 + 0.8) / 2)
    assert moved[2] - moved[1] == pytest.approx(0.4 / 2**0.5)
    # What made it worse ends nothing, and no more.
    assert learned_share(judged, [5.0] * 1000) == pytest.approx((0.0012, 0.0, 0.0138), abs=0.001)


def test_what_is_expected_is_told_in_contacts_and_hours() -> None:
    found = expected_saving("contacts", (10.0, 7.0, 14.0), (0.3, 0.1, 0.5), 600.0)
    assert (found.per_week, found.low, found.high, found.hours) == (3.0, 0.7, 7.0, 0.5)
    assert (
        found.words["en"]
        == "Expected to save about 3.0 contacts a week (0.7 to 7.0), about 0.5 hours of handling."
    )
    assert "0.5 小时" in found.words["zh"]
    assert expected_saving("contacts", (1.0, 0.0, 2.0), (-0.1, -0.2, 0.4), None).per_week == 0.0
