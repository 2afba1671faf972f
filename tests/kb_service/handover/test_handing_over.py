"""Every trigger through the wire, what the taker is told, and that a bot never talks over a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kb_service.conftest import DAY, RETURNS, Api
from tests.kb_service.test_reviews import ASKED, proven

CUSTOMER = {"id": "u-9", "tier": "silver", "orders": 4}
INTENTS = {
    "return": (
        "Return",
        "after-sales",
        ["I want to send it back", "return this jacket", "send the jacket back"],
    ),
    "parcel": ("Parcel", "logistics", ["where is my parcel", "my parcel has not moved", "parcel is late"]),
    "charge": ("Charge", "payments", ["you charged me twice", "two charges on my card", "double charge"]),
}


def ask(api: Api, query: str = ASKED, *, path: str = "/v1/answers", **more: Any) -> dict[str, Any]:
    response = api.post(path, {"query": query, **more})
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop with a policy and three intents that may send its answers."""
    api.put("/v1/documents/returns", RETURNS)
    lines = [
        {"id": id, "label": label, "expertise": expertise, "examples": examples}
        for id, (label, expertise, examples) in INTENTS.items()
    ]
    assert api.post("/v1/intents:batch", {"intents": lines}).status_code == 200
    proven(api)
    return api


def case_of(api: Api, event_id: str) -> str:
    return str(api.get(f"/v1/events/{event_id}").json()["case_id"])


# --- a bot never talks over a person


def test_a_bot_is_silent_from_the_hand_over_until_the_case_is_resolved(shop: Api) -> None:
    chat = {"conversation_id": "c-1", "customer": CUSTOMER}
    assert ask(shop, event_id="e1", **chat)["action"] == "answer"
    case = case_of(shop, "e1")
    assert (
        shop.post(f"/v1/cases/{case}/handover", {"reason": "asked for"}, role="bot").json()["state"]
        == "waiting"
    )
    silent = ask(shop, **chat)
    assert (silent["action"], silent["reason"]) == ("suggest", "with_a_person")
    assert silent["answers"]
    shop.put("/v1/agents/agent-1", {"name": "Lin"})
    shop.post(f"/v1/cases/{case}/assign", {"agent_id": "agent-1"})
    assert ask(shop, **chat)["reason"] == "with_a_person"
    assert ask(shop, event_id="e2", **chat)["reason"] == "with_a_person"
    shop.post(f"/v1/cases/{case}/resolve", {"resolved": True, "agent_id": "agent-1"})
    assert ask(shop, **chat)["action"] == "answer"


def test_a_recorded_hand_over_silences_the_bot_on_every_channel_of_the_customer(shop: Api) -> None:
    first = ask(shop, "give me a human agent", event_id="e1", conversation_id="c-1", customer=CUSTOMER)
    assert first["handoff"]["trigger"] == "explicit"
    other = ask(shop, conversation_id="c-2", customer=CUSTOMER, channel="email")
    assert (other["action"], other["reason"]) == ("suggest", "with_a_person")
    assert ask(shop, conversation_id="c-3", customer={"id": "somebody-else"})["action"] == "answer"


def test_an_agent_who_answered_keeps_the_conversation(shop: Api) -> None:
    shop.post("/v1/events", shop.event("m1", conversation_id="c-1", customer_id="u-9"))
    said = shop.event(
        "m2", conversation_id="c-1", customer_id="u-9", role="agent", agent_id="agent-1", text="One moment"
    )
    shop.post("/v1/events", said)
    for query in (ASKED, "thanks", "lottery numbers please", "I am so angry, this is a disgrace!!!"):
        reply = ask(shop, query, conversation_id="c-1")
        assert (reply["action"], reply["reason"]) == ("suggest", "with_a_person"), query


def test_whoever_has_the_case_still_hears_of_danger(shop: Api) -> None:
    said = shop.event("m1", conversation_id="c-1", role="agent", agent_id="agent-1", text="One moment")
    shop.post("/v1/events", said)
    reply = ask(shop, "the charger caught fire", conversation_id="c-1")
    assert (reply["action"], reply["reason"]) == ("handoff", "sensitive:safety")


def test_agents_get_their_suggestions_while_they_have_the_case(shop: Api) -> None:
    said = shop.event("m1", conversation_id="c-1", role="agent", agent_id="agent-1", text="One moment")
    shop.post("/v1/events", said)
    reply = ask(shop, path="/v1/suggestions", conversation_id="c-1")
    assert (reply["action"], reply["reason"]) == ("suggest", "for_an_agent")


def test_a_resolved_case_that_came_back_left_the_bot_silent(shop: Api) -> None:
    chat = {"conversation_id": "c-1", "customer": CUSTOMER}
    shop.put("/v1/agents/agent-1", {"name": "Lin", "online": True, "capacity": 1})
    ask(shop, event_id="e1", **chat)
    case = case_of(shop, "e1")
    shop.post(f"/v1/cases/{case}/assign", {"agent_id": "agent-1"})
    shop.post(f"/v1/cases/{case}/resolve", {"resolved": True, "agent_id": "agent-1"})
    shop.clock.now += 10 * DAY
    assert ask(shop, event_id="e2", **chat)["action"] == "answer"
    back = shop.get(f"/v1/cases/{case}").json()
    assert (back["id"], back["state"], back["agent_id"]) == (case, "bot", None)
    assert shop.get("/v1/agents").json()["items"][0]["load"] == 0


def test_a_case_that_came_back_waits_and_goes_to_who_resolved_it_only_where_there_is_room(shop: Api) -> None:
    chat = {"conversation_id": "c-1", "customer": CUSTOMER}
    for name in ("agent-1", "agent-2"):
        shop.put(f"/v1/agents/{name}", {"name": name, "online": True, "capacity": 1, "languages": ["en"]})
    ask(shop, event_id="e1", **chat)
    case = case_of(shop, "e1")
    shop.post(f"/v1/cases/{case}/assign", {"agent_id": "agent-1"})
    shop.post(f"/v1/cases/{case}/resolve", {"resolved": True, "agent_id": "agent-1"})
    shop.clock.advance(hours=1)
    other = shop.post("/v1/events", shop.event("o1", conversation_id="c-2", customer_id="u-2")).json()[
        "case_id"
    ]
    shop.post(f"/v1/cases/{other}/assign", {"agent_id": "agent-1"})
    assert ask(shop, "give me a human agent", event_id="e2", **chat)["action"] == "handoff"
    assert shop.get(f"/v1/cases/{case}").json()["state"] == "waiting"
    (made,) = shop.post("/v1/assignments", {}).json()["items"]
    assert (made["case_id"], made["agent"]["id"]) == (case, "agent-2")


def test_who_resolved_a_case_that_came_back_is_known(shop: Api) -> None:
    chat = {"conversation_id": "c-1", "customer": CUSTOMER}
    for name in ("agent-1", "agent-2", "agent-3"):
        shop.put(f"/v1/agents/{name}", {"name": name, "online": True, "capacity": 5, "languages": ["en"]})
    ask(shop, event_id="e1", **chat)
    case = case_of(shop, "e1")
    shop.post(f"/v1/cases/{case}/assign", {"agent_id": "agent-3"})
    shop.post(f"/v1/cases/{case}/resolve", {"resolved": True, "agent_id": "agent-3"})
    shop.clock.advance(hours=1)
    ask(shop, "give me a human agent", event_id="e2", **chat)
    (made,) = shop.post("/v1/assignments", {}).json()["items"]
    assert made["agent"]["id"] == "agent-3"


def test_a_pending_case_stays_with_its_agent(shop: Api) -> None:
    chat = {"conversation_id": "c-1", "customer": CUSTOMER}
    ask(shop, event_id="e1", **chat)
    case = case_of(shop, "e1")
    shop.put("/v1/agents/agent-1", {"name": "Lin"})
    shop.post(f"/v1/cases/{case}/resolve", {"resolved": False, "agent_id": "agent-1"})
    assert ask(shop, event_id="e2", **chat)["reason"] == "with_a_person"
    back = shop.get(f"/v1/cases/{case}").json()
    assert (back["state"], back["agent_id"]) == ("assigned", "agent-1")


# --- nothing to hand over


@pytest.mark.parametrize(
    "query",
    [
        "谢谢，解决了", "Great, it works now, thank you so much!", "想问一下", "I have a question", "帮帮我",
        "are you a bot", "哈哈哈", "不用人工了谢谢", "don't transfer me to an agent", "太棒了，喜欢这个音箱！",
    ],
)  # fmt: skip
def test_thanks_openers_and_refusals_are_never_handed_over(shop: Api, query: str) -> None:
    reply = ask(shop, query)
    assert (reply["action"], reply["reason"]) == ("suggest", "small_talk")


def test_an_introduction_was_handed_over_and_became_a_problem(shop: Api) -> None:
    chat = {"conversation_id": "c-1", "customer": CUSTOMER}
    reply = ask(shop, "你好，我叫王小明，电话13812345678", event_id="e1", **chat)
    assert (reply["action"], reply["reason"]) == ("suggest", "small_talk")
    assert shop.get("/v1/events/e1").json()["problem"] is None
    assert shop.get("/v1/problems").json()["items"] == []
    assert ask(shop, event_id="e2", **chat)["action"] == "answer"


def test_a_call_for_a_person_became_a_problem_of_its_own(shop: Api) -> None:
    ask(shop, "转人工", event_id="e1", conversation_id="c-1", customer=CUSTOMER)
    ask(shop, "give me a human agent", event_id="e2", conversation_id="c-2", customer={"id": "u-2"})
    assert shop.get("/v1/events/e1").json()["problem"] is None
    assert shop.get("/v1/problems").json()["items"] == []


def test_a_question_beside_a_refusal_is_answered(shop: Api) -> None:
    reply = ask(shop, f"I don't need a human, {ASKED}")
    assert reply["action"] == "answer"
    turns = [{"role": "customer", "text": f"I don't need a human, {ASKED}"}]
    assert shop.post("/v1/answers", {"turns": turns}).json()["action"] == "answer"


# --- the triggers


@pytest.mark.parametrize(
    ("query", "trigger", "reason"),
    [
        ("I want to talk to a human", "explicit", "asks_for_person"),
        ("不要机器人，转人工", "explicit", "asks_for_person"),
        ("this is outrageous, you are scum, worst company ever!!!", "emotion", "angry"),
        ("my card was stolen and used in your shop", "sensitive", "sensitive:payment"),
        ("我要退款，三千元", "sensitive", "sensitive:refund"),
        ("qwxz vlorp brimbam", None, None),
    ],
)
def test_words_alone_hand_over(shop: Api, query: str, trigger: str | None, reason: str | None) -> None:
    reply = ask(shop, query)
    assert reply["action"] == "handoff"
    if trigger is None:
        assert reply["handoff"]["trigger"] in ("out_of_scope", "no_answer")
    else:
        assert (reply["handoff"]["trigger"], reply["reason"]) == (trigger, reason)


def test_the_second_failed_turn_counts_the_present_message_whether_it_is_a_turn_or_the_query(
    shop: Api,
) -> None:
    turns = [
        {"role": "customer", "text": "may unworn clothing be returned"},
        {"role": "bot", "text": "See our policy."},
        {"role": "customer", "text": "that did not help"},
        {"role": "bot", "text": "See our policy."},
    ]
    last = "may unworn clothing be returned or not"
    for body in ({"query": last, "turns": turns}, {"turns": [*turns, {"role": "customer", "text": last}]}):
        reply = shop.post("/v1/answers", body).json()
        assert (reply["action"], reply["reason"]) == ("handoff", "second_turn_failed")
    assert ask(shop, "thank you", turns=turns)["reason"] != "second_turn_failed"


def test_three_matters_in_one_message_are_complex(shop: Api) -> None:
    reply = ask(shop, "I want to send it back, and where is my parcel, also you charged me twice")
    assert (reply["action"], reply["reason"]) == ("handoff", "complex:several_matters")
    assert reply["handoff"]["trigger"] == "complexity"


def test_three_orders_are_complex(shop: Api) -> None:
    turns = [{"role": "customer", "text": f"order #10020{number} is wrong"} for number in range(3)]
    assert ask(shop, "what about unworn clothing then", turns=turns)["reason"] == "complex:many_at_stake"


def test_a_long_talk_with_the_bot_is_complex(shop: Api) -> None:
    subjects = ["lamps", "kettles", "jackets", "sofas", "towels", "cables", "desks", "pillows"]
    turns = [
        turn
        for subject in subjects
        for turn in (
            {"role": "customer", "text": f"do you sell {subject}"},
            {"role": "bot", "text": f"{subject}: yes."},
        )
    ]
    assert ask(shop, turns=turns)["reason"] == "complex:long_history"
    assert ask(shop, turns=turns[:6])["action"] == "answer"


def test_a_case_that_went_from_hand_to_hand_is_complex(shop: Api) -> None:
    shop.post("/v1/events", shop.event("m1", conversation_id="c-1"))
    for number in range(2):
        moved = shop.event(
            f"t{number}", type="transfer", text=None, conversation_id="c-1", from_agent="a", to_agent="b"
        )
        shop.post("/v1/events", moved)
    case = case_of(shop, "m1")
    shop.post(f"/v1/cases/{case}/resolve", {"resolved": True, "agent_id": "b"})
    assert ask(shop, conversation_id="c-1")["reason"] == "complex:transferred"


def test_coming_back_unresolved_is_complex(shop: Api) -> None:
    shop.recurring("x")  # others make the problem known
    for number in range(3):
        shop.post("/v1/events", shop.event(f"b{number}", conversation_id=f"c-{number}", customer_id="u-9"))
        told = {"conversation_id": f"c-{number}", "customer_id": "u-9", "role": "agent", "agent_id": "a"}
        failed = shop.event(f"h{number}", type="resolution", text=None, resolved=False, **told)
        shop.post("/v1/events", failed)
        shop.clock.now += 4 * DAY
    reply = ask(shop, shop.event("z")["text"], conversation_id="c-9", customer=CUSTOMER)
    assert (reply["reason"], reply["handoff"]["trigger"]) == ("complex:came_back", "complexity")


# --- what the taker is told


def test_a_hand_over_brings_what_was_wanted_tried_and_known(shop: Api) -> None:
    chat = {"conversation_id": "c-1", "customer": CUSTOMER}
    shown = ask(shop, **chat)["answers"][0]
    turns = [
        {"role": "customer", "text": ASKED, "at": "2026-06-16T03:00:00Z"},
        {"role": "bot", "text": shown["text"], "at": "2026-06-16T03:00:05Z"},
    ]
    context = {"order.status": "shipped", "receiver.phone": "13812345678"}
    query = "no use, I need a human agent. call me on 13812345678"
    handoff = ask(shop, query, turns=turns, context=context, **chat)["handoff"]
    assert handoff["trigger"] == "explicit"
    assert handoff["wants"].startswith(ASKED)
    assert handoff["since"] == "2026-06-16T03:00:00Z"
    assert [(item["by"], item["document_id"]) for item in handoff["tried"]] == [
        ("bot", None),
        ("document", "returns"),
    ]
    assert handoff["tried"][1]["text"] == "Returns"
    known = handoff["known"]
    assert known["customer"]["tier"] == "silver"
    assert known["context"]["order.status"] == "shipped"
    assert "Wants" in handoff["summary"]
    assert "silver" in handoff["summary"]
    assert "“Returns”" in handoff["summary"]
    assert "13812345678" not in str({name: value for name, value in handoff.items() if name != "route"})


def test_what_was_named_in_earlier_turns_is_known(shop: Api) -> None:
    turns = [
        {"role": "customer", "text": "order #100200 is wrong, I paid ¥899.00, my number is 13812345678"},
        {"role": "bot", "text": "Sorry."},
    ]
    handoff = ask(shop, "agent please", turns=turns)["handoff"]
    named = {(entity["type"], entity["value"]) for entity in handoff["known"]["entities"]}
    assert named >= {("order", "100200"), ("amount", "899.00 CNY")}
    assert "order 100200" in handoff["summary"]
    assert "13812345678" not in str(handoff)


def test_the_summary_speaks_the_readers_language(shop: Api) -> None:
    body = {"query": "屏幕碎了，转人工"}
    assert "顾客诉求" in shop.post("/v1/answers", body).json()["handoff"]["summary"]
    english = shop.post("/v1/answers", body, headers={"Accept-Language": "en"}).json()["handoff"]["summary"]
    assert english.startswith("Wants: “屏幕碎了”")


def test_recorded_words_stand_in_for_turns(shop: Api) -> None:
    shop.post("/v1/events", shop.event("m1", conversation_id="c-1", text="my kettle leaks at the bottom"))
    said = shop.event("m2", conversation_id="c-1", role="bot", text="Please descale it.")
    shop.post("/v1/events", said)
    handoff = ask(shop, "a human please", conversation_id="c-1")["handoff"]
    assert handoff["wants"] == "my kettle leaks at the bottom"
    assert [item["text"] for item in handoff["tried"]] == ["Please descale it."]
    assert handoff["known"]["case"]["id"] == case_of(shop, "m1")


def test_a_later_hand_over_hid_the_matter_and_told_of_answers_that_nobody_saw(shop: Api) -> None:
    shop.put("/v1/products/K1", {"name": "Kettle K1"})
    chat = {"conversation_id": "c-1", "customer": CUSTOMER}
    ask(shop, "hello, I have a question", event_id="e1", **chat)
    ask(shop, "return this jacket, order #100200 please", event_id="e2", **chat)
    ask(shop, "that did not help", event_id="e3", **chat)
    assert ask(shop, "a human please", event_id="e4", **chat)["action"] == "handoff"
    assert ask(shop, ASKED, event_id="e5", **chat)["reason"] == "with_a_person"
    ask(shop, "it has been so many hours", event_id="e6", **chat)
    turns = [{"role": "customer", "text": "it has been so many hours"}]
    handoff = ask(shop, "give me a human agent now", event_id="e7", turns=turns, **chat)["handoff"]
    assert "order #100200" in handoff["wants"]
    assert ("order", "100200") in {(item["type"], item["value"]) for item in handoff["known"]["entities"]}
    assert handoff["known"]["intent"] == "Return"
    assert "order 100200" in handoff["summary"]
    assert "the customer says it did not help" in handoff["summary"]


def test_answers_that_a_bot_was_told_to_keep_were_told_as_shown(shop: Api) -> None:
    said = shop.event("m1", conversation_id="c-1", role="agent", agent_id="agent-1", text="One moment")
    shop.post("/v1/events", said)
    silent = ask(shop, conversation_id="c-1")
    assert (silent["reason"], bool(silent["answers"])) == ("with_a_person", True)
    handoff = ask(shop, "a human please", conversation_id="c-1")["handoff"]
    assert [item["text"] for item in handoff["tried"]] == ["One moment"]


def test_who_the_customer_is_was_unmasked(shop: Api) -> None:
    context = {"name": "Li Lei", "shipping.address": "Room 5, Long Street", "product.name": "K1"}
    query = "我是李雷，微信号 lilei_88，卡号6222021234567890123，转人工"
    reply = ask(shop, query, context=context)
    told = str({name: value for name, value in reply["handoff"].items() if name != "route"})
    for private in ("李雷", "lilei_88", "6222021234567890123", "Li Lei", "Long Street"):
        assert private not in told, private
    assert reply["handoff"]["known"]["context"]["product.name"] == "K1"
    assert not [item for item in reply["understanding"]["entities"] if item["type"] == "order"]


def test_the_sensitive_flow_is_named(shop: Api) -> None:
    body = {"query": "充电宝冒烟了", "customer": CUSTOMER}
    summary = shop.post("/v1/answers", body).json()["handoff"]["summary"]
    assert "敏感事项（人身或产品安全）" in summary
    assert "银卡会员" in summary
