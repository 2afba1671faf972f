from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from graph.experiments import Arm, Metric, arm_of
from graph.trial_metrics import SETTLES, CaseFacts, SuggestionFacts, measure, split

AT = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD = AT + timedelta(days=30)


def everybody(unit: str) -> Arm:
    return "treatment"


def a_case(**changes: Any) -> CaseFacts:
    return CaseFacts(**({"unit": "u", "opened_at": AT, "by_person": True} | changes))


def value(metric: Metric, *cases: CaseFacts, now: datetime = OLD) -> float | None:
    found = measure(cases, (), everybody, now)[metric]["treatment"]
    return found.mean if found.units else None


@pytest.mark.parametrize(
    ("case", "resolved"),
    [
        (a_case(resolved_at=AT + 5 * HOUR), 1.0),
        (a_case(resolved_at=AT + 5 * HOUR, reopened=True), 0.0),
        (a_case(resolved_at=AT + 73 * HOUR), 0.0),
        (a_case(), 0.0),
        (a_case(by_person=False), 1.0),
        (a_case(by_person=False, came_back=True), 0.0),
    ],
)
def test_resolution_is_within_72_hours_and_stays(case: CaseFacts, resolved: float) -> None:
    assert value("resolution", case) == resolved


@pytest.mark.parametrize("metric", ["resolution", "unassisted", "first_response_seconds", "handling_seconds"])
def test_a_case_counts_from_a_fixed_age_on_whatever_is_known_before(metric: Metric) -> None:
    case = a_case(first_answer_at=AT + HOUR, resolved_at=AT + 2 * HOUR, seconds=60.0)
    settles = SETTLES[metric]
    assert value(metric, case, now=AT + settles - timedelta(seconds=1)) is None
    assert value(metric, case, now=AT + settles) is not None


def test_who_is_not_answered_counts_with_the_longest_wait() -> None:
    answered = a_case(first_answer_at=AT + timedelta(minutes=2))
    assert value("first_response_seconds", answered) == 120.0
    assert value("first_response_seconds", a_case()) == 24 * 3600.0
    assert value("first_response_seconds", a_case(first_answer_at=AT + 30 * HOUR)) == 24 * 3600.0


def test_a_forgotten_timer_counts_four_hours() -> None:
    assert value("handling_seconds", a_case(seconds=9e9)) == 4 * 3600.0
    assert value("handling_seconds", a_case()) is None


def test_a_customer_counts_once_however_often_they_come() -> None:
    many = [a_case(unit="busy", resolved_at=AT + HOUR) for _ in range(9)] + [a_case(unit="busy")]
    found = measure([*many, a_case(unit="once")], (), everybody, OLD)["resolution"]["treatment"]
    assert found.units == 2
    assert found.mean == pytest.approx((0.9 + 0.0) / 2)


def test_units_go_where_they_are_drawn() -> None:
    draw = partial(arm_of, "salt", share=0.5)
    units = [f"u{number}" for number in range(400)]
    drawn = split(units, draw)
    found = measure([a_case(unit=unit) for unit in units], (), draw, OLD)["unassisted"]
    assert (found["control"].units, found["treatment"].units) == (
        len(drawn["control"]),
        len(drawn["treatment"]),
    )
    assert sorted(drawn["control"] + drawn["treatment"]) == sorted(units)


def test_acceptance_is_of_suggestions_that_were_spoken_of() -> None:
    said = [SuggestionFacts("u", AT, used) for used in (True, True, False)]
    found = measure((), [*said, SuggestionFacts("late", OLD, False)], everybody, OLD)["acceptance"][
        "treatment"
    ]
    assert (found.units, found.mean) == (1, pytest.approx(2 / 3))
