from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from graph.priority import DEFAULT_WEIGHTS, VALUE_CAP
from graph.priority_learning import (
    FACTORS,
    LEAST_ESCALATIONS,
    STEP,
    WAITING_FLOOR,
    Decided,
    auroc,
    fit,
    learn,
)

NOW = datetime(2026, 11, 19, tzinfo=UTC)
DAY = timedelta(days=1)
OFTEN = {"urgency": 0.5, "emotion": 0.3, "sensitive": 0.08, "service_level": 0.5, "repeat_contact": 0.25,
         "problem_state": 0.3, "customer_value": 0.6, "waiting": 0.9}  # fmt: skip
"""How often a case has any of a factor."""


def history(
    truth: Mapping[str, float], count: int, *, seed: int = 1, days: float = 60.0, base: float = -3.0
) -> list[Decided]:
    """Cases whose odds of escalating grow e-fold every 20 points under some true weights."""
    chance = np.random.default_rng(seed)
    found = []
    for number in range(count):
        shares = {
            name: float(chance.uniform()) if chance.uniform() < OFTEN[name] else 0.0 for name in FACTORS
        }
        shares["waiting"] *= 0.2
        odds = base + sum(truth[name] * share for name, share in shares.items()) / 20
        at = NOW - DAY * days * (1 - number / count)
        found.append(Decided(at, shares, bool(chance.uniform() < 1 / (1 + np.exp(-odds)))))
    return found


def without(*names: str, **more: float) -> dict[str, float]:
    return {**DEFAULT_WEIGHTS, **dict.fromkeys(names, 0.0), **more}


def test_few_escalations_teach_nothing() -> None:
    cases = history(without("urgency"), 400, base=-5.0)
    assert sum(case.escalated for case in cases) < LEAST_ESCALATIONS
    found = learn(cases, DEFAULT_WEIGHTS, now=NOW)
    assert (found.reason, found.weights) == ("not_enough", DEFAULT_WEIGHTS)
    assert learn([], DEFAULT_WEIGHTS, now=NOW).reason == "not_enough"


def test_escalations_that_all_lie_in_the_past_teach_nothing() -> None:
    cases = [Decided(NOW - DAY * (300 - number), {"urgency": 1.0}, number < 150) for number in range(300)]
    assert learn(cases, DEFAULT_WEIGHTS, now=NOW).reason == "not_enough"


def test_what_escalates_gains_points_and_what_does_not_loses_them() -> None:
    truth = without("urgency", emotion=60.0, repeat_contact=50.0)
    found = learn(history(truth, 4000), DEFAULT_WEIGHTS, now=NOW)
    assert found.reason == "better"
    assert found.before is not None and found.after is not None and found.gain is not None
    assert found.after.auroc > found.before.auroc + 0.02
    assert found.after.log_loss < found.before.log_loss
    assert found.gain[0] > 0
    assert found.weights["urgency"] < 0.7 * DEFAULT_WEIGHTS["urgency"]
    assert found.weights["emotion"] > 1.3 * DEFAULT_WEIGHTS["emotion"]
    assert found.weights["repeat_contact"] > 1.6 * DEFAULT_WEIGHTS["repeat_contact"]
    for name, points in DEFAULT_WEIGHTS.items():
        assert points / STEP - 0.1 <= found.weights[name] <= points * STEP + 0.1, (
            "one proposal goes no further"
        )


def test_proposal_upon_proposal_it_gets_there() -> None:
    cases = history(without("urgency", repeat_contact=50.0), 4000)
    weights: Mapping[str, float] = DEFAULT_WEIGHTS
    for _ in range(5):
        weights = learn(cases, weights, now=NOW).weights
    assert weights["urgency"] < 4
    assert weights["repeat_contact"] > 35


def test_a_factor_that_the_shop_turned_off_stays_off() -> None:
    assert fit(history(without(emotion=60.0), 1000), without("emotion"), now=NOW)["emotion"] == 0.0


def test_weights_that_are_right_already_hardly_move() -> None:
    weights = fit(history(DEFAULT_WEIGHTS, 4000), DEFAULT_WEIGHTS, now=NOW)
    for name, points in DEFAULT_WEIGHTS.items():
        assert weights[name] == pytest.approx(points, abs=max(10.0, 0.35 * points)), name


def test_chance_is_not_taken_for_a_lesson() -> None:
    """Outcomes that no factor has a part in."""
    reasons = []
    for seed in range(6):
        found = learn(
            history(dict.fromkeys(FACTORS, 0.0), 1500, seed=seed, base=-2.0), DEFAULT_WEIGHTS, now=NOW
        )
        reasons.append(found.reason)
    assert reasons.count("better") <= 1


def test_the_more_is_known_the_further_it_moves() -> None:
    truth = without("urgency", emotion=60.0)
    away = [
        abs(fit(history(truth, count), DEFAULT_WEIGHTS, now=NOW)["urgency"] - DEFAULT_WEIGHTS["urgency"])
        for count in (30, 300, 3000)
    ]
    assert away[0] < away[1] < away[2]


def test_no_factor_ever_counts_against_a_customer_and_the_caps_hold() -> None:
    """Loyal customers and long waits that never escalate; money that always does."""
    truth = without("waiting", "urgency", customer_value=300.0) | {"waiting": -200.0, "urgency": -100.0}
    weights = fit(history(truth, 3000), DEFAULT_WEIGHTS, now=NOW)
    assert min(weights.values()) >= 0
    assert weights["customer_value"] <= VALUE_CAP
    assert weights["waiting"] >= WAITING_FLOOR
    assert weights["urgency"] < 0.7 * DEFAULT_WEIGHTS["urgency"]


def test_what_never_occurs_stays_where_it_is_but_for_the_scale() -> None:
    cases = [
        Decided(case.at, {**case.shares, "sensitive": 0.0, "problem_state": 0.0}, case.escalated)
        for case in history(DEFAULT_WEIGHTS, 2000)
    ]
    weights = fit(cases, DEFAULT_WEIGHTS, now=NOW)
    ratio = weights["sensitive"] / DEFAULT_WEIGHTS["sensitive"]
    assert weights["problem_state"] / DEFAULT_WEIGHTS["problem_state"] == pytest.approx(ratio, abs=0.02)
    assert ratio == pytest.approx(1.0, abs=0.2)


def test_cases_get_as_many_points_on_average_as_before() -> None:
    cases = history(without("urgency", emotion=60.0), 3000)
    weights = fit(cases, DEFAULT_WEIGHTS, now=NOW)

    def mean(points: Mapping[str, float]) -> float:
        return float(np.mean([sum(points[n] * s for n, s in case.shares.items()) for case in cases]))

    assert mean(weights) == pytest.approx(mean(DEFAULT_WEIGHTS), rel=0.05)


def test_the_order_of_cases_and_their_age_matter_as_they_should() -> None:
    old, new = without("urgency", emotion=60.0), without("emotion", urgency=60.0)
    ancient = history(old, 2000, days=60.0)
    ancient = [Decided(case.at - 500 * DAY, case.shares, case.escalated) for case in ancient]
    mixed = [*ancient, *history(new, 2000, seed=2)]
    weights = fit(mixed, DEFAULT_WEIGHTS, now=NOW)
    assert weights["urgency"] > weights["emotion"]
    found, again = (learn(cases, DEFAULT_WEIGHTS, now=NOW) for cases in (mixed, mixed[::-1]))
    assert found.weights == again.weights
    assert found.gain == again.gain


def test_auroc_counts_pairs() -> None:
    escalated = np.array([True, False, True, False])
    assert auroc(np.array([4.0, 3.0, 2.0, 1.0]), escalated) == 0.75
    assert auroc(np.ones(4), escalated) == 0.5
    assert auroc(np.ones(4), np.zeros(4, dtype=bool)) == 0.5
