"""What raises a case in a shop: contacts about the same matter, promises that are the shop's own, waiting."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from graph.customer_value import ValueScales
from graph.models import Customer
from kb_service.models import Question
from kb_service.people.explaining import in_language, route_features
from tests.kb_service.conftest import LATE, Api, faults

PARCEL = {"label": "Parcel", "examples": [LATE, "where is my parcel", "the parcel has not come"]}
INVOICE = {
    "label": "Invoice",
    "examples": ["I need an invoice", "what about an invoice", "invoice for my order"],
}
UNTOLD = {"first_response_minutes": 240, "resolve_minutes": 4320}


@pytest.fixture
def shop(api: Api) -> Api:
    for id, intent in (("parcel", PARCEL), ("invoice", INVOICE)):
        assert api.put(f"/v1/intents/{id}", intent).status_code in (200, 201)
    return api


def routed(api: Api, query: str = LATE, customer: str = "u-1", **more: Any) -> dict[str, Any]:
    reply = api.post(
        "/v1/route", {"query": query, "customer": {"id": customer, **more.pop("known", {})}, **more}
    )
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def contribution(route: dict[str, Any], factor: str) -> dict[str, Any] | None:
    return next((item for item in route["priority"]["contributions"] if item["factor"] == factor), None)


def repeats(api: Api, query: str = LATE, **more: Any) -> float:
    found = contribution(routed(api, query, **more), "repeat_contact")
    return 0.0 if found is None else float(found["points"])


def writes(api: Api, id: str, text: str = LATE, customer: str = "u-1", **more: Any) -> None:
    result = api.post("/v1/events", api.event(id, text=text, customer_id=customer, **more))
    assert result.status_code == 200, result.text


def resolves(api: Api, id: str, chat: str, customer: str = "u-1") -> None:
    closing = {"type": "resolution", "role": "agent", "agent_id": "a1", "resolved": True, "text": None}
    writes(api, id, customer=customer, conversation_id=chat, **closing)


# --- contacts about the same matter


def test_only_contacts_about_the_same_matter_count(shop: Api) -> None:
    writes(shop, "m1", "what about an invoice")
    resolves(shop, "r1", "c-m1")
    shop.clock.advance(days=1)
    assert repeats(shop) == 0.0, "another matter"
    assert repeats(shop, "what about an invoice") == 6.0
    assert repeats(shop, "what about an invoice", customer="u-2") == 0.0


def test_each_contact_of_the_week_counts_less_than_the_one_before(shop: Api) -> None:
    seen = [repeats(shop, conversation_id="c-asks")]
    for number in range(3):
        writes(shop, f"m{number}")
        resolves(shop, f"r{number}", f"c-m{number}")
        shop.clock.advance(hours=20)
        seen.append(repeats(shop, conversation_id="c-asks"))
    assert seen == [0.0, 6.0, 9.0, 10.5]
    shop.clock.advance(days=8)
    assert repeats(shop, conversation_id="c-asks") == 0.0


def test_further_turns_are_no_repeat_and_coming_back_is(shop: Api) -> None:
    writes(shop, "m1", conversation_id="chat")
    shop.clock.advance(minutes=2)
    assert repeats(shop, "it is urgent", conversation_id="chat") == 0.0
    resolves(shop, "r1", "chat")
    writes(shop, "m2", "thank you!", conversation_id="chat")
    shop.clock.advance(hours=3)
    back = routed(shop, "any news?", conversation_id="chat")
    told = contribution(back, "repeat_contact")
    assert told == {
        "factor": "repeat_contact",
        "points": 6.0,
        "evidence": "1 earlier contact about this within 7 days",
    }


def test_the_same_words_on_another_channel_are_a_second_contact(shop: Api) -> None:
    writes(shop, "m1", conversation_id="chat", channel="web")
    shop.clock.advance(hours=1)
    assert repeats(shop, conversation_id="mail") == 6.0
    assert repeats(shop, conversation_id="chat") == 0.0


def test_without_any_intents_the_problem_alone_tells_what_a_contact_was_about(api: Api) -> None:
    writes(api, "m1")
    api.clock.advance(hours=1)
    writes(api, "m2", "can I pay with a gift card here", conversation_id="gift")
    api.clock.advance(hours=1)
    assert repeats(api) == 6.0
    assert repeats(api, "can I pay with a gift card here") == 0.0
    assert repeats(api, "do you ship to Iceland", conversation_id="ship") == 0.0
    assert repeats(api, "any news?", conversation_id="c-m1") == 0.0


def test_a_problem_that_several_customers_have_is_one_matter_in_any_words(shop: Api) -> None:
    shop.recurring(customers=4)
    writes(shop, "mine", customer="u-1")
    resolves(shop, "r1", "c-mine")
    shop.clock.advance(hours=2)
    assert repeats(shop) == 6.0


# --- what is promised


def test_promises_are_the_shops(shop: Api) -> None:
    route = routed(shop)
    assert route["priority"]["band"] == "low"
    assert route["sla"]["tier"] == 4
    due = {
        "urgent": {"first_response_minutes": 1, "resolve_minutes": 30},
        "low": UNTOLD | {"resolve_minutes": 5000},
    }
    held = shop.put("/v1/rules", {"service_levels": due, "tier_lifts": {"Ruby": 3}}).json()
    assert held["service_levels"]["low"]["resolve_minutes"] == 5000
    assert held["service_levels"]["high"] == {"first_response_minutes": 15, "resolve_minutes": 480}
    assert shop.get("/v1/rules").json() == held

    def minutes(route: dict[str, Any]) -> list[float]:
        dues = (route["sla"][name] for name in ("first_response_due", "resolve_due"))
        return [(datetime.fromisoformat(due) - shop.clock.now).total_seconds() / 60 for due in dues]

    assert minutes(routed(shop)) == [240, 5000]
    ruby = routed(shop, known={"tier": "ruby"})
    assert (ruby["sla"]["tier"], minutes(ruby)) == (1, [1, 30])
    assert routed(shop, known={"tier": "gold"})["sla"]["tier"] == 4, "this shop lifts no gold"


@pytest.mark.parametrize("text", ["充电宝鼓包了", "smoke is coming out of the charger", "手被烫伤了"])
def test_a_safety_matter_is_answered_within_five_minutes_whoever_asks(shop: Api, text: str) -> None:
    for tier in (None, "silver", "gold"):
        route = routed(shop, text, known={"tier": tier})
        assert route["priority"]["band"] == "urgent"
        due = datetime.fromisoformat(route["sla"]["first_response_due"])
        assert (due - shop.clock.now).total_seconds() == 300


def test_a_likely_sensitive_intent_gives_its_points(shop: Api) -> None:
    chosen = {"query": "I have a question", "intent": "invoice"}

    def sensitive() -> dict[str, Any] | None:
        return contribution(shop.post("/v1/route", chosen).json(), "sensitive")

    assert sensitive() is None
    shop.put("/v1/intents/invoice", INVOICE | {"sensitive": True, "label": "发票 / Invoice"})
    assert sensitive() == {"factor": "sensitive", "points": 30.0, "evidence": "a sensitive matter: Invoice"}


def test_a_problem_asked_for_weeks_by_many_counts_little(shop: Api) -> None:
    shop.recurring(customers=4)
    with shop.store.writing("shop") as unit:
        (problem,) = [item for item in unit.problems.all() if item.state == "open"]
        old = problem.active_at - timedelta(days=20)
        unit.problems.put(replace(problem, opened_at=old, episode_at=old, customers=40))
    shop.services.replicas.of("shop").reset()
    found = contribution(routed(shop, customer="u-new"), "problem_state")
    assert found == {
        "factor": "problem_state",
        "points": 1.2,
        "evidence": "belongs to what customers ask all the time",
    }


def test_a_decision_tells_its_priority_in_the_language_of_whoever_reads_it_later(shop: Api) -> None:
    """The customer wrote English; the one who reads the hand-over's decision may not."""
    shop.recurring(customers=4)
    customer = Customer("u-new", tier="gold", orders=2)
    route = shop.services.routing.route(
        "shop", Question(text=f"{LATE}, I'll call my lawyer", customer=customer)
    )
    told = route_features(route)["priority"]
    parts = in_language(told, "zh")["contributions"]
    assert {part["factor"] for part in parts} >= {"sensitive", "service_level"}
    assert not any(re.search("[a-z]", part["evidence"]) for part in parts)
    assert not any(
        re.search("[一-鿿]", part["evidence"]) for part in in_language(told, "en")["contributions"]
    )


def test_usual_tiers_are_lifted_in_any_language(shop: Api) -> None:
    tiers = {
        tier: routed(shop, known={"tier": tier})["sla"]["tier"] for tier in ("金卡会员", "Platin", "silver")
    }
    assert tiers == {"金卡会员": 3, "Platin": 3, "silver": 4}


def test_waiting_uses_the_promise_up_and_does_not_change_it(shop: Api) -> None:
    writes(shop, "m1", conversation_id="chat")
    first = routed(shop, conversation_id="chat")
    shop.clock.advance(hours=3)
    later = routed(shop, conversation_id="chat")
    shop.clock.advance(days=2)
    overdue = routed(shop, conversation_id="chat")
    assert first["sla"] == later["sla"] == overdue["sla"]
    used = contribution(later, "service_level")
    assert used is not None
    assert used["evidence"] == "75% of the time for a first reply is used"
    assert used["points"] == pytest.approx(15 * 0.75**2, abs=0.1)
    waited = contribution(overdue, "waiting")
    assert waited is not None
    assert waited["points"] == pytest.approx(51 * 2.5, abs=0.1)
    assert (overdue["priority"]["score"], overdue["priority"]["band"]) == (100, "urgent")
    assert overdue["priority"]["total"] > 100


def test_the_points_come_to_the_score_whatever_happened(shop: Api) -> None:
    writes(shop, "m1", "this is outrageous, my lawyer will sue you!!!", conversation_id="chat")
    for hours in (0, 5, 50):
        shop.clock.advance(hours=hours)
        priority = routed(
            shop,
            "this is outrageous, my lawyer will sue you!!!",
            conversation_id="chat",
            known={"tier": "gold"},
        )["priority"]
        given = [item["points"] for item in priority["contributions"]]
        assert priority["score"] == round(sum(given))
        assert priority["total"] == pytest.approx(sum(points for points in given if points > 0), abs=0.05)


@pytest.mark.parametrize(
    ("rules", "field", "english", "chinese"),
    [
        (
            {"service_levels": {"urgent": {"first_response_minutes": 20, "resolve_minutes": 60}}},
            "service_levels.urgent.first_response_minutes",
            "must be at most that of high, which is 15: what is more urgent is promised no later",
            "不能大于 high 的值（15）：越紧急，承诺的时限就不能越晚",
        ),
        (
            {"service_levels": {"low": {"first_response_minutes": 300, "resolve_minutes": 100}}},
            "service_levels.low.resolve_minutes",
            "must be at least first_response_minutes, 300",
            "不能小于 first_response_minutes（300）",
        ),
        (
            {"service_levels": {"high": {"first_response_minutes": 0, "resolve_minutes": 100}}},
            "service_levels.high.first_response_minutes",
            "must be greater than 0.0",
            "必须大于 0.0",
        ),
        (
            {"service_levels": {"someday": UNTOLD}},
            "service_levels.someday",
            "is not a known field; remove it or check its spelling",
            "不是已知字段，请删除或检查拼写",
        ),
        ({"tier_lifts": {"gold": 4}}, "tier_lifts.gold", "must be at most 3", "不能大于 3"),
        ({"tier_values": {"gold": 1.5}}, "tier_values.gold", "must be at most 1.0", "不能大于 1.0"),
        (
            {"priority_weights": {"customer_value": 90}},
            "priority_weights.customer_value",
            "must be at most 15",
            "不能大于 15",
        ),
        (
            {"priority_weights": {"mood": 3}},
            "priority_weights.mood",
            "no such factor; the factors are urgency, emotion, sensitive, service_level, repeat_contact, "
            "problem_state, customer_value, waiting",
            "没有这个因素；可用的因素有：urgency, emotion, sensitive, service_level, repeat_contact, "
            "problem_state, customer_value, waiting",
        ),
    ],
)
def test_what_cannot_be_promised_is_said_in_both_languages(
    shared_api: Api, rules: dict[str, Any], field: str, english: str, chinese: str
) -> None:
    assert faults(shared_api.put("/v1/rules", rules)) == {field: english}
    assert faults(shared_api.put("/v1/rules", rules, headers={"Accept-Language": "zh"})) == {field: chinese}


# --- what a customer is worth


def test_value_is_measured_by_the_shops_own_customers(shop: Api) -> None:
    def scales() -> ValueScales:
        shop.services.replicas.of("shop").reset()
        return shop.services.replicas.of("shop").shop.value_scales

    assert scales() == ValueScales()
    lines = [
        shop.event(
            f"m{number}",
            customer_id=None,
            customer={"id": f"u-{number}", "orders": 1, "spend": 0.01 * (number + 1), "recency_days": 300},
        )
        for number in range(100)
    ]
    shop.batch("/v1/events:batch", lines)
    here = scales()
    assert here.spend < 30, "a shop of pennies"
    assert here.orders < 4
    assert here.recency_days > 300
    value = contribution(routed(shop, known={"orders": 1, "spend": 50.0}), "customer_value")
    assert value is not None
    assert value["evidence"] == "1 order, spent 50"
    assert value["points"] > 5


def test_a_burst_raises_every_case_of_its_problem(shop: Api) -> None:
    shop.recurring(customers=4)
    before = contribution(routed(shop, customer="u-new"), "problem_state")
    assert before is not None
    assert before["evidence"] == "belongs to a problem that is open"
    with shop.store.writing("shop") as unit:
        (alert,) = unit.alerts.page().items
        unit.alerts.put(replace(alert, kind="burst"))
    after = contribution(routed(shop, customer="u-new"), "problem_state")
    assert after == {
        "factor": "problem_state",
        "points": 12.0,
        "evidence": "belongs to a problem that is surging",
    }
    shop.clock.advance(days=2)
    assert contribution(routed(shop, customer="u-new"), "problem_state") == before
