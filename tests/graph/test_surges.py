"""Arrivals, and surges of them: what begins one, what does not, what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from graph.arrivals import Arrivals
from graph.rhythm import hour_of
from graph.surges import LIKELY, Surge, SurgeWatch, Usual, usual, words

T = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def quiet(shop: float = 12.0, field: float = 6.0, other: float = 6.0) -> Usual:
    rates = np.repeat(np.array([[shop], [field], [other]]), 3, axis=1)
    return Usual(hour_of(T), (None, "logistics", "returns"), rates, np.full(3, 0.05))


class Desk:
    """A watch that is told arrivals, each of a case of its own, and what it said."""

    def __init__(self, now: Usual | None = None, customers: int = 5) -> None:
        self.watch = SurgeWatch()
        self.usual = now or quiet()
        self.customers = customers
        self.said: list[Surge] = []
        self.number = 0

    def come(self, at: datetime, key: str | None = "logistics", case: str | None = None) -> None:
        self.number += 1
        self.watch.hear(at, case or f"case-{self.number}", key)
        now = replace(self.usual, hour=hour_of(at))
        self.said += self.watch.judge(at, now, key, customers=self.customers)

    def stream(self, begin: datetime, minutes: float, every: float, key: str = "logistics") -> None:
        for place in range(int(minutes / every)):
            self.come(begin + place * every * MINUTE, key)

    @property
    def opened(self) -> list[str | None]:
        return [surge.expertise_id for surge in self.said if surge.closed_at is None]

    @property
    def closed(self) -> list[str | None]:
        return [surge.expertise_id for surge in self.said if surge.closed_at is not None]


def test_a_surge_is_claimed_once_by_the_arrival_that_reveals_it() -> None:
    desk = Desk()
    desk.stream(T, 60, 1.5)
    assert desk.opened == ["logistics"]
    (surge,) = desk.said
    assert T < surge.opened_at < T + 20 * MINUTE
    assert surge.observed >= 5
    assert surge.observed > 1.5 * surge.expected
    assert surge.p_value < LIKELY


def test_what_is_usual_is_no_surge() -> None:
    desk = Desk()
    desk.stream(T, 60, 10)
    desk.stream(T, 60, 10, "returns")
    assert desk.said == []


def test_a_loud_case_counts_once() -> None:
    desk = Desk()
    for place in range(100):
        desk.come(T + place * MINUTE / 3, case="loud")
    assert desk.said == []


def test_too_few_customers_are_no_surge_however_unlikely() -> None:
    night = quiet(0.01, 0.005, 0.005)
    few, enough = Desk(night, customers=5), Desk(night, customers=4)
    for desk in (few, enough):
        desk.stream(T, 4, 1)
    assert (few.said, enough.opened) == ([], ["logistics"])


def test_when_everything_rises_the_shop_surges_and_not_each_of_its_fields() -> None:
    desk = Desk(quiet(120.0, 60.0, 60.0))
    for place in range(int(60 * 4.5)):
        desk.come(T + place * MINUTE / 4.5, ("logistics", "returns")[place % 2])
    assert desk.opened == [None]


def test_one_field_that_surges_does_not_make_the_shop_surge() -> None:
    desk = Desk(quiet(120.0, 60.0, 60.0))
    for place in range(60 * 4):
        desk.come(T + place * MINUTE / 4, "logistics")
        if place % 4 == 0:
            desk.come(T + place * MINUTE / 4, "returns")
    assert desk.opened == ["logistics"]


def test_a_surge_ends_after_half_an_hour_of_calm_and_may_come_again() -> None:
    desk = Desk()
    desk.stream(T, 45, 1.5)
    later = T + 50 * MINUTE
    desk.stream(later, 150, 10)
    assert (desk.opened, desk.closed) == (["logistics"], ["logistics"])
    (end,) = [surge.closed_at for surge in desk.said if surge.closed_at is not None]
    assert T + 75 * MINUTE <= end <= T + 150 * MINUTE
    desk.stream(later + 150 * MINUTE, 45, 1.5)
    assert desk.opened == ["logistics", "logistics"]


def test_a_lull_within_a_surge_does_not_end_it() -> None:
    desk = Desk()
    desk.stream(T, 40, 1.5)
    desk.stream(T + 60 * MINUTE, 40, 1.5)
    desk.stream(T + 120 * MINUTE, 20, 1.5)
    assert (desk.opened, desk.closed) == (["logistics"], [])


def test_a_surge_ends_by_itself_when_nobody_writes() -> None:
    desk = Desk()
    desk.stream(T, 30, 1.5)
    last = T + 28.5 * MINUTE
    assert desk.watch.quiet(last + 89 * MINUTE) == []
    (ended,) = desk.watch.quiet(last + timedelta(days=3))
    assert ended.closed_at == last + 90 * MINUTE
    assert desk.watch.quiet(last + timedelta(days=4)) == []


def test_late_messages_count_where_they_belong_and_reopen_nothing() -> None:
    desk = Desk()
    desk.come(T + timedelta(hours=5))
    desk.stream(T, 60, 1.5)
    assert desk.said == []


def test_a_greeting_counts_for_what_the_next_message_is_about() -> None:
    desk = Desk()
    for place in range(20):
        desk.come(T + place * MINUTE, None, case=f"c{place}")
        desk.come(T + (place + 0.1) * MINUTE, "logistics", case=f"c{place}")
    assert desk.watch.observed("logistics", (T + 30 * MINUTE).timestamp(), 60) == 20
    assert desk.watch.observed(None, (T + 30 * MINUTE).timestamp(), 60) == 20
    assert desk.opened[0] == "logistics"


def test_surges_that_another_opened_are_not_claimed_again() -> None:
    first, second = Desk(), Desk()
    first.stream(T, 30, 1.5)
    second.watch.stand(first.said)
    second.stream(T, 30, 1.5)
    assert second.said == []
    second.watch.stand([])
    assert second.watch.open == {}


def test_expected_counts_follow_the_hours_of_the_window() -> None:
    rates = np.array([[6.0, 60.0, 600.0]])
    now = Usual(hour_of(T), (None,), rates, np.array([0.1]))
    assert now.expected(0, T.timestamp() + 1800, 60) == pytest.approx(3 + 30)
    assert now.expected(0, T.timestamp() + 900, 15) == pytest.approx(15)
    assert now.expected(0, T.timestamp() + 3600 + 600, 15) == pytest.approx(5 + 100)


def test_words_tell_numbers_in_both_languages() -> None:
    surge = Surge("logistics", T, 31, 9.4, 60, 2.1e-6, 1.2)
    name = {"zh": "物流", "en": "Logistics"}
    said = words(surge, name)
    assert said["en"].startswith("Logistics: 31 customers in 60 minutes, expected 9.4 (3.3×; the shop's")
    assert said["en"].endswith("; hardly by chance: less than once in ten thousand.")
    assert said["zh"] == (
        "物流：60 分钟内 31 位顾客，预期 9.4 位（3.3 倍；已扣除全店流量 ×1.2 的影响）；极不可能是偶然：万分之一以下。"
    )
    assert "once in a million" in words(Surge(None, T, 900, 9.4, 60, 0.0), name)["en"]
    over = Surge("logistics", T, 31, 9.4, 60, 2.1e-6, 1.2, T + 150 * MINUTE)
    assert words(over, name)["en"] == "Logistics: back to what is usual after 150 minutes."
    assert "历时" in words(over, name)["zh"]
    assert "31" in words(over, name, opened=True)["en"]


def test_a_surge_over_next_to_nothing_is_told_without_a_factor() -> None:
    name = {"zh": "物流", "en": "Logistics"}
    said = words(Surge("logistics", T, 5, 0.03, 15, 2e-9), name)
    assert (
        said["en"] == "Logistics: 5 customers in 15 minutes, expected less than 0.1; "
        "hardly by chance: less than once in a million."
    )
    assert said["zh"] == "物流：15 分钟内 5 位顾客，预期不到 0.1 位；极不可能是偶然：百万分之一以下。"


# --- arrivals


def field_of(problem_id: str | None) -> str | None:
    return {"p1": "logistics", "p2": "logistics", "p3": "returns"}.get(problem_id or "")


def test_a_case_counts_once_in_an_hour_under_what_it_is_about() -> None:
    heard = Arrivals()
    for minutes, case, about in (
        (0, "a", None),  # a greeting
        (1, "a", "p1"),
        (2, "a", "p3"),
        (5, "b", "p2"),
        (6, "c", "p9"),
        (61, "a", "p1"),
        (62, "d", "p3"),
    ):
        heard.hear(T + minutes * MINUTE, case, about)
    hour = hour_of(T)
    assert heard.first == hour
    found = heard.counted(hour - 1, hour + 3, field_of, ["logistics", "returns"])
    assert found.counts.tolist() == [[0, 0, 0], [3, 2, 0], [2, 1, 1], [0, 0, 0]]
    assert heard.counted(hour + 1, hour + 1, field_of, []).counts.shape == (0, 1)
    assert Arrivals().first is None


def test_usual_needs_two_days_and_does_not_take_a_surge_for_usual() -> None:
    hours = 21 * 24
    chance = np.random.default_rng(5)
    counts = chance.poisson(10.0, (hours, 1)).astype(float)
    zone = UTC
    arrivals = Arrivals()
    begin = hour_of(T) - hours
    for hour, (number,) in enumerate(counts.tolist()):
        for place in range(int(number)):
            at = datetime.fromtimestamp((begin + hour) * 3600 + place, UTC)
            arrivals.hear(at, f"{hour}-{place}", "p1")
    calm = usual(arrivals.counted(begin, hour_of(T), field_of, ["logistics"]), zone)
    assert calm is not None
    assert calm.rates[0, 1] == pytest.approx(10, rel=0.25)
    for place in range(300):
        arrivals.hear(T - MINUTE * (place % 120), f"more-{place}", "p1")
    after = usual(
        arrivals.counted(begin, hour_of(T), field_of, ["logistics"]), zone, dispersion=calm.dispersion
    )
    assert after is not None
    assert after.rates[0, 1] < 1.6 * calm.rates[0, 1]
    assert usual(arrivals.counted(hour_of(T) - 30, hour_of(T), field_of, []), zone) is None
