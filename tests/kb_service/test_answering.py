"""What an answer owes to the request: the chosen intent, the reader's language, the products it is about."""

from __future__ import annotations

from typing import Any

import pytest

from graph.models import Emotion, IntentScore, Understanding
from kb_service.wire.understanding import UnderstandingOut
from tests.kb_service.conftest import RETURNS, Api, faults, problem
from tests.kb_service.test_reviews import ASKED, proven

THANKS = {"label": "Thanks", "examples": ["谢谢", "thank you so much"]}
WARRANTY = """# 保修政策

## 各品类保修

| 商品 | 保修期 |
| --- | --- |
| DK05 升降桌 | 60 个月 |
| CH06 人体工学椅 | 36 个月 |
| SF07 沙发 | 24 个月 |
"""


def ask(api: Api, query: str, *, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    response = api.post("/v1/answers", {"query": query, **more}, headers=headers or {})
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


# --- the intent that the customer chose


@pytest.mark.parametrize("path", ["/v1/answers", "/v1/suggestions", "/v1/route"])
def test_an_intent_that_the_shop_does_not_have_is_refused(api: Api, path: str) -> None:
    body = {"query": ASKED, "intent": "nothing", "event_id": "e1"}
    assert list(faults(api.post(path, body))) == ["intent"]
    problem(api.get("/v1/events/e1"), 404)


@pytest.mark.parametrize(("likely", "told"), [(1, 3), (5, 5), (20, 10)])
def test_not_every_label_of_the_shop_is_listed(likely: int, told: int) -> None:
    scores = [IntentScore(f"i{n}", f"I{n}", 0.04 if n < likely else 0.001) for n in range(37)]
    understanding = Understanding("en", tuple(scores), False, (), Emotion("neutral", 0.0), 0.0)
    shown = UnderstandingOut.model_validate(understanding).intents
    assert [score.id for score in shown] == [f"i{n}" for n in range(told)]


def test_a_route_lists_as_few_labels_as_an_answer(api: Api) -> None:
    lines = [{"id": f"i{n}", "label": f"I{n}", "examples": [f"matter {n}", f"thing {n}"]} for n in range(20)]
    assert api.post("/v1/intents:batch", {"intents": lines}).status_code == 200
    route = api.post("/v1/route", {"query": "about my jacket please"}).json()
    understood = ask(api, "about my jacket please")["understanding"]["intents"]
    assert 3 <= len(route["intents"]) <= 10
    assert route["intents"] == understood


def test_the_chosen_intent_stands_first_and_routes(api: Api) -> None:
    intents = {
        "return": {"label": "Return", "examples": ["send it back"], "expertise": "after-sales"},
        "parcel": {"label": "Parcel", "examples": ["where is it"], "expertise": "logistics"},
    }
    for id, body in intents.items():
        api.put(f"/v1/intents/{id}", body)
    for chosen, expertise in (("return", "after-sales"), ("parcel", "logistics")):
        reply = ask(api, "about my jacket please", intent=chosen)
        first = reply["understanding"]["intents"][0]
        assert first["id"] == chosen
        assert first["probability"] >= 0.95
        assert sum(score["probability"] for score in reply["understanding"]["intents"]) <= 1
        assert not reply["understanding"]["out_of_scope"]
        assert reply["reason"] not in ("close_intents", "out_of_scope")
        route = api.post("/v1/route", {"query": "about my jacket please", "intent": chosen}).json()
        assert route["expertise"]["id"] == expertise


def test_what_was_learned_of_the_chosen_intent_ranks(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.put("/v1/intents/return", {"label": "Return", "examples": ["send it back"]})
    api.put("/v1/intents/parcel", {"label": "Parcel", "examples": ["where is it"]})
    for name in ("one", "two"):
        api.put(f"/v1/documents/{name}", {**RETURNS, "title": f"Returns {name}"})
    replica = api.services.replicas.of("shop")
    replica.boosts = {("intent", "return"): {"two": 3.0}, ("intent", "parcel"): {"one": 3.0}}
    best = {
        intent: ask(api, ASKED, intent=intent)["answers"][0]["citations"][0]["document_id"]
        for intent in ("return", "parcel")
    }
    assert best == {"return": "two", "parcel": "one"}


# --- small talk, praise, sensitive intents


def test_small_talk_never_overrides_an_intent_whose_example_is_the_very_message(api: Api) -> None:
    assert ask(api, "谢谢")["reason"] == "small_talk"
    api.put("/v1/intents/thanks", THANKS)
    reply = ask(api, "谢谢")
    assert reply["reason"] != "small_talk"
    assert reply["understanding"]["intents"][0]["id"] == "thanks"
    assert ask(api, "你好")["reason"] == "small_talk"


@pytest.mark.parametrize("text", ["你们服务真好", "great service, I love it"])
def test_praise_is_handed_to_nobody(api: Api, text: str) -> None:
    reply = ask(api, text)
    assert (reply["action"], reply["reason"]) == ("suggest", "small_talk")
    assert reply["answers"] == []


def test_a_sensitive_intent_hands_over_only_where_it_is_likely(api: Api) -> None:
    examples = ["the battery of my scooter swells", "my battery does not charge"]
    api.put("/v1/intents/battery", {"label": "Battery", "examples": examples, "sensitive": True})
    api.put(
        "/v1/intents/colour",
        {"label": "Colour", "examples": ["is there a red one", "which colours are there"]},
    )
    assert ask(api, "my battery does not charge")["reason"] == "sensitive_intent"
    assert ask(api, "which charge for postage")["reason"] != "sensitive_intent"


# --- the reader


def test_reasons_speak_the_language_that_the_request_asks_for(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)

    def why(header: str | None) -> str:
        reply = ask(
            api,
            ASKED,
            headers={"Accept-Language": header} if header else {},
            customer={"id": "u", "tier": "gold"},
        )
        priority = " ".join(item["evidence"] for item in reply["priority"]["contributions"])
        return str(reply["answers"][0]["why"][0]["text"]) + priority

    def chinese(text: str) -> bool:
        return any("\u4e00" <= character <= "\u9fff" for character in text)

    assert chinese(why("zh-CN"))
    for header in ("en", None, "*", "de"):
        assert not chinese(why(header)), header


# --- products


def test_a_table_gives_the_row_of_the_product_that_the_request_is_about(api: Api) -> None:
    for sku, name in (("MHE-DK05", "眠禾 DK05 电动升降桌"), ("MHE-CH06", "眠禾 CH06 人体工学椅")):
        product = {
            "kind": "product",
            "title": name,
            "text": "商品资料。",
            "language": "zh",
            "products": [sku],
        }
        api.put(f"/v1/documents/{sku}", product)
    policy = {"kind": "policy", "title": "保修政策", "markdown": WARRANTY, "language": "zh"}
    api.put("/v1/documents/warranty", policy)

    def said(**more: Any) -> str:
        answers = ask(api, "保修期多久", **more)["answers"]
        return next(
            str(item["text"]) for item in answers if item["citations"][0]["document_id"] == "warranty"
        )

    assert "60 个月" in said(products=["MHE-DK05"])
    assert "36 个月" not in said(products=["MHE-DK05"])
    assert "36 个月" in said(products=["MHE-CH06"])
    assert "60 个月" not in said(products=["MHE-CH06"])
    assert "24 个月" in said()


# --- confidence, conflict


def test_every_answers_confidence_is_a_probability_of_its_own_and_none_exceeds_the_first(api: Api) -> None:
    for number in range(3):
        api.put(f"/v1/documents/r{number}", {**RETURNS, "title": f"Returns {number}"})
    reply = ask(api, ASKED)
    first, *others = [answer["confidence"] for answer in reply["answers"]]
    assert reply["confidence"] == first
    # Three documents that say the same are nearly equally right, however sure the first is.
    assert all(0.5 * first < other <= first for other in others)


def test_a_conflict_hands_over_only_a_question_about_what_is_contested(api: Api) -> None:
    def policy(days: int) -> str:
        return (
            f"# Returns\n\nUnworn clothing may be returned within {days} days of delivery.\n\n"
            "## Postage\n\nThe postage of returned clothing is paid by the buyer.\n"
        )

    for name, days in (("one", 30), ("two", 14)):
        api.put(f"/v1/documents/{name}", {**RETURNS, "title": f"Returns {name}", "markdown": policy(days)})
    proven(api)
    api.services.conflicts.settle("shop")
    assert ask(api, "within how many days may clothing be returned")["handoff"]["trigger"] == "conflict"
    other = ask(api, "is the postage of returned clothing paid by the buyer")
    assert not other["reason"].startswith("conflict")
