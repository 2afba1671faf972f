"""Bursts: what begins one, what stays quiet, what is told once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from graph.bursts import BurstRules, BurstWatch, Finding, words

ZONE = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 6, 1, tzinfo=ZONE)
"""When the judged day begins, after four weeks of history."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
STEP = timedelta(minutes=5)
NOON = MIDNIGHT + 12 * HOUR


class Said(NamedTuple):
    at: datetime
    problem_id: str
    voter: object


def usual(
    *,
    problems: int = 40,
    a_day: float = 6.0,
    days: int = 28,
    lift: float = 1.0,
    seed: int = 1,
    after: int = 1,
) -> list[Said]:
    """Four weeks of an ordinary shop and the days that follow, which are lifted as a whole by `lift`."""
    chance = np.random.default_rng(seed)
    said: list[Said] = []
    for problem in range(problems):
        for day in range(-days, after):
            for _ in range(chance.poisson(a_day * (lift if day >= 0 else 1.0))):
                hour = 8 + 14 * float(chance.beta(2, 2))
                said.append(Said(MIDNIGHT + day * DAY + hour * HOUR, f"p{problem}", f"c{len(said)}"))
    return said


def crowd(problem_id: str, begin: datetime, *, an_hour: float, hours: float, name: str = "new") -> list[Said]:
    """Customers at even distances."""
    count = round(an_hour * hours)
    return [Said(begin + n * HOUR / an_hour, problem_id, f"{name}-{n}") for n in range(1, count + 1)]


def told(
    said: Iterable[Said], watch: BurstWatch | None = None, *, rules: BurstRules | None = None, days: float = 1
) -> list[Finding]:
    """Everything before the judged day is heard first, the rest as its step comes."""
    watch = watch or BurstWatch(ZONE)
    waiting = sorted(said, key=lambda item: item.at)
    found = []
    for step in range(round(days * 288) + 1):
        boundary = MIDNIGHT + step * STEP
        while waiting and waiting[0].at <= boundary:
            watch.hear(waiting[0].problem_id, waiting[0].at, waiting.pop(0).voter)
        found += watch.judge(boundary, rules or BurstRules())
    return found


def test_an_ordinary_day_is_quiet() -> None:
    assert told(usual()) == []


@pytest.mark.parametrize("problem_id", ["p3", "opened an hour ago"])
def test_eight_customers_an_hour_are_a_burst_in_an_old_problem_and_in_a_new_one(problem_id: str) -> None:
    (found,) = told(usual(a_day=1.0) + crowd(problem_id, NOON, an_hour=8, hours=3))
    assert (found.problem_id, found.kind) == (problem_id, "burst")
    assert timedelta(0) < found.at - NOON <= timedelta(minutes=40)
    assert found.observed == found.customers >= 3
    assert found.expected < 1


def test_a_shop_of_which_nothing_is_known_yet_hears_of_a_burst() -> None:
    (found,) = told(crowd("p", NOON, an_hour=8, hours=2))
    assert found.at - NOON <= timedelta(minutes=40)


def test_the_first_busy_day_of_a_shop_is_no_burst_of_everything() -> None:
    assert told(usual(problems=60, a_day=12.0, days=0)) == []


def test_a_promotion_day_that_nobody_declared_stays_quiet() -> None:
    said = usual(lift=2.5, a_day=10.0, seed=3)
    assert told(said) == []
    assert told(said, rules=BurstRules(least_lift=1.0, most_lift=1.0)) != []


def test_a_declared_promotion_is_expected() -> None:
    said = usual(a_day=6.0, lift=1.8) + crowd("p3", NOON, an_hour=20, hours=1)
    (found,) = told(said, BurstWatch(ZONE, [MIDNIGHT.date()]))
    assert found.lift > 1.4
    assert date(2026, 6, 1) == MIDNIGHT.date()


def test_a_burst_on_a_promotion_day_is_found() -> None:
    said = usual(lift=2.5, a_day=6.0) + crowd("p3", NOON, an_hour=20, hours=2)
    (found,) = told(said)
    assert found.problem_id == "p3"
    assert 1.5 < found.lift < 3.5


def test_one_customer_who_writes_ten_times_is_no_burst() -> None:
    calls = [Said(NOON + n * timedelta(minutes=3), "p3", "the same") for n in range(10)]
    assert told(usual(a_day=1.0) + calls) == []


def test_a_burst_is_told_once_while_it_lasts_and_again_after_an_ordinary_day() -> None:
    first = crowd("p3", MIDNIGHT + 9 * HOUR, an_hour=12, hours=3)
    second = crowd("p3", MIDNIGHT + 2 * DAY + 9 * HOUR, an_hour=12, hours=2, name="later")
    said = usual(a_day=1.0, after=3) + first + second
    found = [item for item in told(said, days=3) if item.problem_id == "p3"]
    assert len(found) == 2
    assert found[1].at - found[0].at > DAY


def test_a_night_does_not_end_a_burst() -> None:
    said = usual(a_day=1.0, after=3)
    for day in range(3):
        said += crowd("p3", NOON + day * DAY, an_hour=3, hours=6, name=f"day {day}")
    assert len([item for item in told(said, days=3) if item.problem_id == "p3"]) == 1


def test_what_lasts_longer_than_two_weeks_becomes_usual() -> None:
    said = usual(a_day=1.0, after=17)
    for day in range(17):
        said += crowd("p3", NOON + day * DAY, an_hour=3, hours=6, name=f"day {day}")
    watch = BurstWatch(ZONE)
    assert [item.kind for item in told(said, watch, days=17) if item.kind == "burst"] == ["burst"]
    assert not watch.lasting


def test_what_another_watch_told_is_not_told_again_and_what_was_not_told_is_found_again() -> None:
    said = usual(a_day=1.0) + crowd("p3", NOON, an_hour=12, hours=3)
    watch = BurstWatch(ZONE)
    watch.tell("p3", NOON)
    assert told(said, watch) == []
    first = told(said, other := BurstWatch(ZONE))
    other.untell("p3", "burst")
    assert len(first) == 1
    assert not other.lasting


def test_a_burst_of_yesterday_is_not_what_is_usual_today() -> None:
    history = usual(a_day=1.0)
    yesterday = crowd("p3", MIDNIGHT - 20 * HOUR, an_hour=40, hours=6, name="yesterday")
    today = crowd("p3", NOON, an_hour=8, hours=2)
    watch = BurstWatch(ZONE)
    boundary = MIDNIGHT - DAY
    waiting = sorted(history + yesterday + today)
    found = []
    while boundary <= MIDNIGHT + DAY:
        while waiting and waiting[0].at <= boundary:
            watch.hear(waiting[0].problem_id, waiting[0].at, waiting.pop(0).voter)
        found += watch.judge(boundary)
        boundary += STEP
    assert [item.problem_id for item in found] == ["p3", "p3"]
    assert found[1].expected < 1


def test_late_sightings_give_the_same_finding_as_punctual_ones() -> None:
    history, burst = usual(a_day=1.0), crowd("p3", NOON, an_hour=12, hours=1)
    at = NOON + HOUR
    punctual, late = BurstWatch(ZONE), BurstWatch(ZONE)
    for item in sorted(history + burst):
        punctual.hear(item.problem_id, item.at, item.voter)
    for item in sorted(history):
        late.hear(item.problem_id, item.at, item.voter)
    late.judge(MIDNIGHT)
    for item in reversed(burst):
        late.hear(item.problem_id, item.at, item.voter)
    punctual.judge(MIDNIGHT)
    assert late.judge(at) == punctual.judge(at) != []


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_sightings_are_heard_does_not_matter(seed: int) -> None:
    said = usual(problems=15, a_day=3.0, seed=seed) + crowd("p3", NOON, an_hour=12, hours=1)
    said = [item for item in said if item.at <= NOON + HOUR]
    mixed = list(said)
    Random(seed).shuffle(mixed)
    found = []
    for order in (said, mixed):
        watch = BurstWatch(ZONE)
        for item in order:
            watch.hear(item.problem_id, item.at, item.voter)
        found.append(watch.judge(NOON + HOUR))
    assert found[0] == found[1] != []


def test_what_comes_after_a_boundary_waits_for_its_own() -> None:
    watch = BurstWatch(ZONE)
    for item in sorted(usual(a_day=1.0) + crowd("p3", NOON, an_hour=20, hours=1)):
        watch.hear(item.problem_id, item.at, item.voter)
    assert watch.judge(NOON) == []
    assert [item.problem_id for item in watch.judge(NOON + HOUR)] == ["p3"]


def test_two_problems_that_become_one_are_counted_together() -> None:
    said = usual(a_day=1.0)
    for problem_id in ("a", "b"):
        said += crowd(problem_id, NOON, an_hour=3, hours=1, name=problem_id)
    watch = BurstWatch(ZONE)
    for item in sorted(said):
        watch.hear(item.problem_id, item.at, item.voter)
    assert watch.judge(NOON + HOUR) == []
    watch.merge("a", "b")
    assert [(item.problem_id, item.customers) for item in watch.judge(NOON + HOUR + STEP)] == [("b", 6)]


def test_a_forgotten_problem_is_silent() -> None:
    watch = BurstWatch(ZONE)
    for item in sorted(usual(a_day=1.0) + crowd("p3", NOON, an_hour=20, hours=1)):
        watch.hear(item.problem_id, item.at, item.voter)
    watch.forget("p3")
    assert watch.judge(NOON + HOUR) == []


def finding(**changed: object) -> Finding:
    values: dict[str, object] = {
        "problem_id": "p",
        "kind": "burst",
        "at": datetime(2026, 6, 1, tzinfo=UTC),
        "observed": 12,
        "expected": 1.4,
        "customers": 12,
        "window_minutes": 60,
        "p_value": 1e-8,
        "lift": 1.1,
    }
    return Finding(**{**values, **changed})  # type: ignore[arg-type]


def test_the_evidence_in_words() -> None:
    assert words(finding()) == {
        "en": "12 customers in 60 minutes, expected 1.4 (8.6×; the shop's volume ×1.1 is already taken out); "
        "hardly by chance: less than once in a million.",
        "zh": "60 分钟内 12 位顾客，预期 1.4 位（8.6 倍；已扣除全店流量 ×1.1 的影响）；"
        "极不可能是偶然：百万分之一以下。",
    }


def test_words_leave_out_what_says_nothing() -> None:
    said = words(finding(expected=0.02, lift=1.01, p_value=2e-6, window_minutes=360))
    assert (
        said["en"]
        == "12 customers in 6 hours, expected less than 0.1; hardly by chance: less than once in ten thousand."
    )
    assert said["zh"] == "6 小时内 12 位顾客，预期不到 0.1 位；极不可能是偶然：万分之一以下。"
    assert words(finding(kind="growth", window_minutes=9 * 1440))["en"].startswith("12 customers in 9 days")


def test_what_was_found_in_an_unknown_shop_does_not_last_for_a_fortnight() -> None:
    """It was left out of what is usual for as long as it lasted, and so it lasted."""
    watch = BurstWatch(UTC)
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    lasting = []
    for hour in range(6 * 24):
        at = begin + timedelta(hours=hour)
        for number in range(12):
            problem = "p0" if number % 2 or not hour else f"p{number}"
            watch.hear(problem, at + timedelta(minutes=4 * number + 1), f"{hour}-{number}")
        for step in range(12):
            watch.judge(at + timedelta(minutes=5 * (step + 1)))
        lasting.append(watch.lasting)
    assert any(lasting[:24]), "so many customers of one problem in an unknown shop are many"
    assert lasting[-1] == 0
