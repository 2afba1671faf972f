from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.customer_value import ValueScales
from graph.emotion import emotion, urgency
from graph.errors import InvalidValue
from graph.models import Customer, Emotion, EmotionLabel, Priority, ProblemState, Understanding
from graph.priority import DEFAULT_WEIGHTS, VALUE_CAP, band, check_weights, prioritise, whole_points
from graph.rules import Rules

SILVER = Customer("u-9", tier="silver", orders=4, spend=5230.0, recency_days=7)


STATES = st.sampled_from([None, "candidate", "open", "acknowledged", "resolved", "regressed", "silenced"])
HOURS = st.floats(0, 500)
CUSTOMERS = st.builds(
    Customer,
    id=st.just("u"),
    tier=st.sampled_from([None, "regular", "bronze", "silver", "gold", "platinum"]),
    orders=st.none() | st.integers(0, 10**6),
    spend=st.none() | st.floats(0, 1e9),
    recency_days=st.none() | st.floats(0, 10**4),
)
FLOWS = st.sampled_from([None, "legal", "safety"])


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
        sensitive_flow="legal",
    )
    assert set(points(priority)) == {*DEFAULT_WEIGHTS, "limit"}
    words = {contribution.factor: contribution.evidence for contribution in priority.contributions}
    assert words["emotion"] == "the customer is angry"
    assert words["urgency"] == "urgent words"
    assert words["repeat_contact"] == "2 earlier contacts about this within 7 days"
    assert words["problem_state"] == "belongs to a problem that came back"
    assert words["sensitive"] == "touches legal steps"
    assert words["waiting"] == "waiting 2 hours"
    assert words["service_level"] == "silver tier, 50% of the time for a first reply is used"
    assert words["customer_value"] == "4 orders, spent 5,230, last order 7 days ago"
    assert words["limit"] == (
        f"the points above come to {round(priority.total)}; 100 is the most a case can have"
    )
    assert priority.score == 100


def test_evidence_in_chinese() -> None:
    priority = prioritise(
        feeling("upset", 0.5, 0.4),
        SILVER,
        problem_state="open",
        repeat_contacts=1,
        waited=timedelta(hours=1),
        consumed=0.25,
        sensitive_flow="legal",
        language="zh",
    )
    words = {contribution.factor: contribution.evidence for contribution in priority.contributions}
    assert words["urgency"] == "措辞较急"
    assert words["emotion"] == "顾客不满"
    assert words["problem_state"] == "正在发生的共性问题"
    assert words["repeat_contact"] == "7 天内已就此事联系过 1 次"
    assert words["sensitive"] == "涉及法律"
    assert words["waiting"] == "已等待 60 分钟"
    assert words["service_level"] == "银卡会员，首次响应时限已用 25%"
    assert words["customer_value"] == "4 单，消费 5,230，7 天前下单"


@pytest.mark.parametrize(
    ("hours", "en", "zh"),
    [
        (0.034, "waiting 2 minutes", "已等待 2 分钟"),
        (1.5, "waiting 90 minutes", "已等待 90 分钟"),
        (2, "waiting 2 hours", "已等待 2 小时"),
        (47.9, "waiting 47 hours", "已等待 47 小时"),
        (254.1, "waiting 10 days", "已等待 10 天"),
    ],
)
def test_a_long_wait_is_told_in_days_not_in_hundreds_of_hours(hours: float, en: str, zh: str) -> None:
    (waited,) = prioritise(feeling(), None, waited=timedelta(hours=hours)).contributions[:1]
    assert waited.evidences == {"en": en, "zh": zh}


@pytest.mark.parametrize(
    ("used", "en", "zh"),
    [
        (0.75, "75% of the time for a first reply is used", "首次响应时限已用 75%"),
        (0.999, "99% of the time for a first reply is used", "首次响应时限已用 99%"),
        (1.0, "the time for a first reply is used up", "首次响应时限已用完"),
        (1.58, "waits 1.5 times the promised time for a first reply", "等待首次响应已是承诺时间的 1.5 倍"),
        (2.0, "waits 2 times the promised time for a first reply", "等待首次响应已是承诺时间的 2 倍"),
        (63.51, "waits 63 times the promised time for a first reply", "等待首次响应已是承诺时间的 63 倍"),
    ],
)
def test_an_overdue_reply_is_told_in_times_not_in_thousands_of_percent(used: float, en: str, zh: str) -> None:
    (level,) = prioritise(feeling(), None, consumed=used).contributions
    assert level.evidences == {"en": en, "zh": zh}


def test_the_points_that_are_shown_come_to_the_score_and_the_limit_says_what_they_come_to() -> None:
    late = prioritise(
        feeling("angry", 0.9, 0.87), SILVER, waited=timedelta(hours=254.1), consumed=63.51, repeat_contacts=1
    )
    shown = whole_points(late)
    assert sum(shown) == late.score == 100
    limit = late.contributions[-1]
    assert limit.evidence == f"the points above come to {sum(shown[:-1])}; 100 is the most a case can have"
    assert limit.evidences["zh"] == f"以上合计 {sum(shown[:-1])} 分，满分为 100 分"
    assert shown[-1] == 100 - sum(shown[:-1])


@given(
    st.sampled_from(["angry", "upset", "neutral"]),
    st.floats(0, 1),
    CUSTOMERS,
    STATES,
    FLOWS,
    HOURS,
    st.floats(0, 99),
)
def test_whole_points_come_to_the_score_and_are_those_that_were_given(
    label: EmotionLabel,
    pressing: float,
    customer: Customer,
    state: ProblemState | None,
    flow: str | None,
    hours: float,
    used: float,
) -> None:
    priority = prioritise(
        feeling(label, pressing, pressing),
        customer,
        problem_state=state,
        sensitive_flow=flow,
        waited=timedelta(hours=hours),
        consumed=used,
    )
    shown = whole_points(priority)
    assert sum(shown) == priority.score
    for points, item in zip(shown, priority.contributions, strict=True):
        assert abs(points - item.points) < 1


def test_evidence_says_what_is_true_of_this_case() -> None:
    new = Customer("u", orders=1, recency_days=0)
    (value,) = prioritise(feeling(), new).contributions
    assert value.evidence == "1 order, last order today"
    (value,) = prioritise(feeling(), Customer("u", recency_days=1.4)).contributions
    assert value.evidence == "last order 1 day ago"
    (waited,) = prioritise(feeling(), None, waited=timedelta(minutes=20)).contributions
    assert waited.evidence == "waiting 20 minutes"
    (surging,) = prioritise(feeling(), None, problem_state="open", bursting=True, language="zh").contributions
    assert (surging.points, surging.evidence) == (12.0, "所属问题正在激增")
    (refund,) = prioritise(feeling(), None, sensitive_flow="refund").contributions
    assert refund.evidence == "touches a large refund"
    gold = prioritise(feeling(), Customer("u", tier="金卡会员"), language="en").contributions[0]
    assert gold.evidence == "gold tier"
    own = Rules(tier_values={"红宝石": 0.5})
    ruby = prioritise(feeling(), Customer("u", tier="红宝石"), rules=own, language="zh").contributions[0]
    assert (ruby.points, ruby.evidence) == (7.5, "红宝石会员")


@given(
    st.sampled_from(["angry", "upset", "neutral", "pleased"]),
    st.floats(0, 1),
    CUSTOMERS,
    STATES,
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([None, "legal", "safety", "regulator", "payment", "privacy", "refund", "recall"]),
    HOURS,
    st.none() | st.floats(0, 3),
    st.sampled_from(["zh", "en"]),
)
def test_every_contribution_says_what_was_seen_and_in_one_language(
    label: EmotionLabel,
    pressing: float,
    customer: Customer,
    state: ProblemState | None,
    surging: bool,
    contacts: int,
    flow: str | None,
    hours: float,
    used: float | None,
    language: str,
) -> None:
    priority = prioritise(
        feeling(label, 0.8, pressing),
        customer,
        problem_state=state,
        bursting=surging,
        repeat_contacts=contacts,
        sensitive_flow=flow,
        waited=timedelta(hours=hours),
        consumed=used,
        language=language,
    )
    for contribution in priority.contributions:
        words = contribution.evidence
        assert words, contribution.factor
        assert not re.search(r"[{}_]|None|nan|  ", words), words
        assert bool(re.search("[一-鿿]", words)) == (language == "zh"), words
        assert len(words) <= 80


@pytest.mark.parametrize("customer", [None, SILVER, Customer("w", tier="platinum", orders=900, spend=1e9)])
@pytest.mark.parametrize(
    "text", ["充电宝鼓包了", "电池充电时冒烟起火了，手被烫伤", "the charger caught fire"]
)
def test_a_safety_matter_is_urgent_whatever_the_mood_and_the_weights(
    text: str, customer: Customer | None
) -> None:
    for weights in ({}, {"sensitive": 0.0, "urgency": 1.0}):
        rules = Rules(priority_weights=weights)
        priority = prioritise(said(text), customer, rules=rules, sensitive_flow="safety")
        assert priority.band == "urgent"
        assert priority.score == round(sum(item.points for item in priority.contributions))
    calm = prioritise(feeling(), None, sensitive_flow="safety", language="zh")
    assert points(calm) == {"sensitive": 30.0, "safety": 50.0}
    assert calm.contributions[0].evidence == "安全事项一律按紧急处理"


def test_of_two_safety_matters_the_one_that_waits_comes_first() -> None:
    totals = [
        prioritise(feeling(), None, sensitive_flow="safety", waited=timedelta(minutes=minutes)).total
        for minutes in (0, 10, 60, 600)
    ]
    assert totals == sorted(set(totals))


def test_a_safety_matter_that_is_urgent_by_itself_gets_nothing_on_top() -> None:
    furious = prioritise(feeling("angry", 1.0, 1.0), None, sensitive_flow="safety")
    assert "safety" not in points(furious)


def test_a_sensitive_intent_gives_the_points_of_sensitive_and_is_named_in_the_readers_language() -> None:
    label = "个人信息与注销 / Personal data and deletion"
    for language, words in (
        ("zh", "敏感事项：个人信息与注销"), ("en", "a sensitive matter: Personal data and deletion"),
    ):  # fmt: skip
        (only,) = prioritise(feeling(), None, sensitive_intent=label, language=language).contributions
        assert (only.factor, only.points, only.evidence) == ("sensitive", 30.0, words)
    (flow,) = prioritise(feeling(), None, sensitive_flow="legal", sensitive_intent=label).contributions
    assert flow.evidence == "touches legal steps"


def test_what_is_asked_all_the_time_is_no_incident_but_a_surge_of_it_is() -> None:
    def state(state: ProblemState, **more: bool) -> tuple[float, str]:
        priority = prioritise(feeling(), None, problem_state=state, evergreen=True, language="zh", **more)  # type: ignore[arg-type]
        (found,) = priority.contributions
        return found.points, found.evidence

    assert state("open") == (1.2, "一直有人问的常见问题")
    assert state("open", bursting=True) == (12.0, "所属问题正在激增")
    assert state("regressed") == (12.0, "问题复发")
    assert state("acknowledged") == (4.8, "已确认的共性问题")


@pytest.mark.parametrize("state", ["candidate", "open", "acknowledged", "resolved", "regressed", "silenced"])
@pytest.mark.parametrize("flow", ["safety", "legal", "regulator", "payment", "privacy", "refund"])
def test_evidence_holds_no_words_of_the_other_language_and_is_kept_in_both(
    state: ProblemState, flow: str
) -> None:
    priority = prioritise(feeling(), SILVER, problem_state=state, sensitive_flow=flow, language="en")
    assert all(item.evidence == item.evidences["en"] for item in priority.contributions)
    assert not any(re.search("[a-z]", item.evidences["zh"]) for item in priority.contributions)
    assert not any(re.search("[一-鿿]", item.evidences["en"]) for item in priority.contributions)


def test_a_flow_of_the_shops_own_is_told_by_its_name() -> None:
    (zh,) = prioritise(feeling(), None, sensitive_flow="recall", language="zh").contributions
    (en,) = prioritise(feeling(), None, sensitive_flow="召回", language="en").contributions
    assert (zh.evidence, en.evidence) == ("涉及“recall”", "touches “召回”")


def test_a_customers_value_above_the_cap_is_refused_where_it_is_set() -> None:
    with pytest.raises(InvalidValue, match=r"priority_weights.customer_value: must be at most 15$"):
        check_weights(Rules(priority_weights={"customer_value": 90}))
    check_weights(Rules(priority_weights={"customer_value": VALUE_CAP}))


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


@given(
    st.sampled_from(["angry", "upset", "neutral", "pleased"]),
    st.floats(0, 1),
    st.floats(0, 1),
    STATES,
    st.floats(0, 2),
)
def test_the_score_is_the_sum_of_its_contributions(
    label: EmotionLabel, score: float, pressing: float, state: ProblemState | None, consumed: float
) -> None:
    """Without exception: what goes beyond 100 is taken away by a contribution that says so."""
    priority = prioritise(
        feeling(label, score, pressing),
        SILVER,
        problem_state=state,
        consumed=consumed,
        sensitive_flow="legal",
    )
    given = [contribution.points for contribution in priority.contributions]
    assert priority.score == round(sum(given))
    assert priority.band == band(priority.score)
    assert given == sorted(given, reverse=True)
    limit = points(priority).get("limit", 0.0)
    assert priority.total == pytest.approx(sum(given) - limit)
    assert (limit < 0) == (priority.total > 100)


@given(CUSTOMERS, CUSTOMERS, st.floats(0, 1), st.integers(0, 9), STATES, FLOWS, HOURS)
def test_equal_messages_differ_only_by_what_differs(
    one: Customer,
    other: Customer,
    pressing: float,
    contacts: int,
    state: ProblemState | None,
    flow: str | None,
    hours: float,
) -> None:
    """Two customers with the same case: only what the customer is differs, and by bounded points."""
    first, second = (
        prioritise(
            feeling("upset", 0.5, pressing),
            customer,
            problem_state=state,
            repeat_contacts=contacts,
            sensitive_flow=flow,
            waited=timedelta(hours=hours),
            consumed=0.8,
        )
        for customer in (one, other)
    )
    mine = {"customer_value", "service_level", "limit"}
    assert {name: given for name, given in points(first).items() if name not in mine} == {
        name: given for name, given in points(second).items() if name not in mine
    }
    assert abs(first.total - second.total) <= VALUE_CAP + DEFAULT_WEIGHTS["service_level"] / 2 + 0.2


WORST_TO_BEST = 185.0
"""What all factors but waiting may give together, overdue service levels included."""


@given(
    CUSTOMERS,
    CUSTOMERS,
    st.floats(0, 1),
    st.floats(0, 1),
    FLOWS,
    st.floats(0, 3),
    st.floats(0, 3),
    HOURS,
)
def test_nobody_is_overtaken_for_ever(
    poor: Customer,
    rich: Customer,
    calm: float,
    pressing: float,
    flow: str | None,
    used: float,
    used_later: float,
    hours: float,
) -> None:
    """Whoever comes later than a bounded time ranks behind, whatever they are worth and say, at every moment."""
    lead = 24 * WORST_TO_BEST / DEFAULT_WEIGHTS["waiting"]
    early = prioritise(feeling(pressing=calm), poor, waited=timedelta(hours=hours + lead), consumed=used)
    late = prioritise(
        feeling("angry", 1.0, pressing),
        rich,
        waited=timedelta(hours=hours),
        consumed=used_later,
        sensitive_flow=flow,
        problem_state="regressed",
        repeat_contacts=20,
    )
    assert early.total >= late.total


@given(CUSTOMERS, CUSTOMERS, st.floats(0, 1), HOURS)
def test_value_alone_is_made_up_for_within_half_a_day(
    poor: Customer, rich: Customer, pressing: float, hours: float
) -> None:
    """The same message: a quarter of the scale that value and tier can give is twelve hours of waiting, for anybody."""
    early = prioritise(feeling(pressing=pressing), poor, waited=timedelta(hours=hours + 12.1))
    late = prioritise(feeling(pressing=pressing), rich, waited=timedelta(hours=hours))
    assert early.total >= late.total


@given(HOURS, st.floats(0.1, 500))
def test_the_order_of_waiting_has_no_end(hours: float, more: float) -> None:
    """Beyond 100 the score stands still; the order does not."""
    sooner, later = (
        prioritise(feeling("angry", 1.0, 1.0), SILVER, waited=timedelta(hours=waited), sensitive_flow="legal")
        for waited in (hours, hours + more)
    )
    assert later.total > sooner.total
    assert later.score >= sooner.score


def test_the_tier_of_the_service_level_is_the_shops() -> None:
    rules = Rules(tier_values={"Ruby": 1.0})
    assert points(prioritise(feeling(), Customer("u", tier="ruby"), rules=rules)) == {"service_level": 15.0}
    assert prioritise(feeling(), Customer("u", tier="gold"), rules=rules).contributions == ()


def test_value_follows_the_shops_own_scales() -> None:
    modest = ValueScales(orders=1.0, spend=100.0, recency_days=7.0)
    customer = Customer("u", orders=2, spend=300.0)
    here = points(prioritise(feeling(), customer, scales=modest))["customer_value"]
    assert here > 2 * points(prioritise(feeling(), customer))["customer_value"]


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
