from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.emotion import emotion, urgency
from graph.errors import InvalidValue
from graph.models import Customer, Emotion, EmotionLabel, Priority, ProblemState, Rules, Understanding
from graph.priority import DEFAULT_WEIGHTS, VALUE_CAP, band, prioritise

SILVER = Customer("u-9", tier="silver", orders=4, spend=5230.0, recency_days=7)


def feeling(label: EmotionLabel = "neutral", score: float = 1.0, pressing: float = 0.0) -> Understanding:
    return Understanding("zh", (), True, (), Emotion(label, score), pressing)


def said(text: str) -> Understanding:
    felt = emotion(text, "zh")
    return Understanding("zh", (), True, (), felt, urgency(text, "zh", felt))


def points(priority: Priority) -> dict[str, float]:
    return {contribution.factor: contribution.points for contribution in priority.contributions}


def test_the_example_of_the_wire() -> None:
    priority = prioritise(said("上周买的手机屏幕碎了,我要退货,再不处理我就投诉!"), SILVER)
    assert priority.band == "urgent"
    assert priority.score == pytest.approx(82, abs=2)


def test_a_calm_question_is_low() -> None:
    assert prioritise(said("怎么退货"), SILVER).band == "low"
    assert prioritise(said("hello"), None) == Priority(0, "low", ())


@pytest.mark.parametrize(
    ("score", "name"),
    [
        (0, "low"),
        (34, "low"),
        (35, "normal"),
        (59, "normal"),
        (60, "high"),
        (79, "high"),
        (80, "urgent"),
        (100, "urgent"),
    ],
)
def test_bands(score: int, name: str) -> None:
    assert band(score) == name


def test_each_factor_is_named_with_its_evidence() -> None:
    priority = prioritise(
        feeling("angry", 0.9, 0.8),
        SILVER,
        problem_state="regressed",
        repeat_contacts=2,
        waited=timedelta(hours=2),
        consumed=0.5,
        sensitive_flow="safety",
    )
    assert set(points(priority)) == set(DEFAULT_WEIGHTS)
    words = {contribution.factor: contribution.evidence for contribution in priority.contributions}
    assert words["emotion"] == "angry (0.90)"
    assert words["repeat_contact"] == "2 earlier contacts about this"
    assert words["waiting"] == "waiting for 2.0 h"
    assert words["service_level"] == "silver tier, 50% of the promised time used"
    assert words["customer_value"] == "4 orders, spent 5,230, last order 7 days ago"
    assert priority.score == 100


def test_evidence_in_chinese() -> None:
    priority = prioritise(
        feeling("upset", 0.5, 0.4),
        SILVER,
        problem_state="open",
        repeat_contacts=1,
        waited=timedelta(hours=1),
        sensitive_flow="legal",
        language="zh",
    )
    words = {contribution.factor: contribution.evidence for contribution in priority.contributions}
    assert words["urgency"] == "措辞较急（0.40）"
    assert words["emotion"] == "不满（0.50）"
    assert words["problem_state"] == "正在发生的共性问题"
    assert words["repeat_contact"] == "近期已就此联系过 1 次"
    assert words["sensitive"] == "涉及法律"
    assert words["waiting"] == "已等待 1.0 小时"


def test_value_cannot_starve_others() -> None:
    whale = Customer("w", tier=None, orders=10_000, spend=1e9, recency_days=0)
    rules = Rules(priority_weights={"customer_value": 80})
    assert points(prioritise(feeling(), whale, rules=rules))["customer_value"] <= VALUE_CAP


def test_waiting_lifts_every_case_in_the_end() -> None:
    assert prioritise(feeling(), None, waited=timedelta(hours=14)).band == "normal"
    assert prioritise(feeling(), None, waited=timedelta(hours=32)).band == "urgent"


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 1), st.integers(0, 9))
def test_longer_waits_and_more_contacts_never_lower_the_score(
    hours: float, more: float, pressing: float, contacts: int
) -> None:
    sooner = prioritise(
        feeling(pressing=pressing), SILVER, waited=timedelta(hours=hours), repeat_contacts=contacts
    )
    later = prioritise(
        feeling(pressing=pressing), SILVER, waited=timedelta(hours=hours + more), repeat_contacts=contacts + 1
    )
    assert sooner.score <= later.score


STATES = st.sampled_from([None, "candidate", "open", "acknowledged", "resolved", "regressed", "silenced"])


@given(
    st.sampled_from(["angry", "upset", "neutral", "pleased"]),
    st.floats(0, 1),
    st.floats(0, 1),
    STATES,
    st.floats(0, 2),
)
def test_the_score_is_the_clipped_sum_of_its_contributions(
    label: EmotionLabel, score: float, pressing: float, state: ProblemState | None, consumed: float
) -> None:
    priority = prioritise(feeling(label, score, pressing), SILVER, problem_state=state, consumed=consumed)
    total = sum(contribution.points for contribution in priority.contributions)
    assert priority.score == max(0, min(100, round(total)))
    assert priority.band == band(priority.score)
    ordered = [contribution.points for contribution in priority.contributions]
    assert ordered == sorted(ordered, reverse=True)


def test_a_shop_sets_its_own_weights() -> None:
    rules = Rules(priority_weights={"urgency": 10, "emotion": 0})
    assert points(prioritise(feeling("angry", 1.0, 1.0), None, rules=rules)) == {"urgency": 10.0}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"mood": 3.0}, "priority_weights.mood: no such factor"),
        ({"urgency": -1.0}, "priority_weights.urgency: must be 0 or more points"),
        ({"urgency": float("nan")}, "priority_weights.urgency: must be 0 or more points"),
    ],
)
def test_wrong_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        prioritise(feeling(), None, rules=Rules(priority_weights=weights))


def test_tiers_in_both_languages() -> None:
    for tier, least in (("Gold", 11.0), ("铂金会员", 14.0), ("regular", 0.0)):
        customer = Customer("u", tier=tier)
        assert points(prioritise(feeling(), customer)).get("service_level", 0.0) >= least
