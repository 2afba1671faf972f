"""Questions as customers type them, over the wire: mistakes are mended, turns are read together."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kb_service.conftest import RETURNS, Api

SHIPPING = {
    "kind": "policy",
    "title": "配送说明",
    "language": "zh",
    "markdown": "# 配送说明\n\n普通快递三天内送达，快递单号可以查物流。\n\n"
    "## 发票\n\n发票随快递寄出，发票抬头可以修改。",
}


@pytest.fixture(scope="module")
def shop(shared_api: Api) -> Api:
    api = shared_api
    for number in range(4):  # what several passages say is the shop's own word
        api.put(f"/v1/documents/returns-{number}", RETURNS)
        api.put(f"/v1/documents/shipping-{number}", SHIPPING)
    return api


def ask(api: Api, query: str, *earlier: str, path: str = "/v1/answers") -> dict[str, Any]:
    turns = [{"role": "customer", "text": text} for text in earlier]
    reply: dict[str, Any] = api.post(path, {"query": query, "turns": turns}).json()
    return reply


def cited(reply: dict[str, Any]) -> str:
    return str(reply["answers"][0]["citations"][0]["document_id"]).partition("-")[0]


@pytest.mark.parametrize(
    ("typed", "meant", "document"),
    [
        ("is unworn clothng returned within 30 days", "is unworn clothing returned within 30 days", "returns"),
        ("快弟几天送达", "快递几天送达", "shipping"),
        ("发漂抬头可以修改吗", "发票抬头可以修改吗", "shipping"),
        ("kuaidi几天送达", "快递几天送达", "shipping"),
    ],
)  # fmt: skip
def test_an_answer_shows_what_was_corrected(shop: Api, typed: str, meant: str, document: str) -> None:
    for path in ("/v1/answers", "/v1/suggestions"):
        reply = ask(shop, typed, path=path)
        assert reply["understanding"]["corrected_query"] == meant
        assert cited(reply) == document


@pytest.mark.parametrize(
    "query", ["快递几天送达", "unworn clothing", "order RETRUN-2201", "🙂", "JT2030 AUR-S2-BLK"]
)
def test_nothing_to_correct_shows_nothing(shop: Api, query: str) -> None:
    assert ask(shop, query)["understanding"]["corrected_query"] is None


def test_places_of_entities_are_those_of_the_message_as_sent(shop: Api) -> None:
    query = "快弟单号 SF1234567890123 到哪了"
    understanding = ask(shop, query)["understanding"]
    assert understanding["corrected_query"] == "快递单号 SF1234567890123 到哪了"
    found = {entity["type"]: entity for entity in understanding["entities"]}
    assert query[found["parcel"]["start"] : found["parcel"]["end"]] == "SF1234567890123"


def test_search_mends_as_well(shop: Api) -> None:
    hits = shop.post("/v1/search", {"query": "clothng", "limit": 1}).json()["hits"]
    assert hits[0]["external_id"].startswith("returns")
    assert hits[0]["lexical"] > 0


def test_what_is_put_is_known_at_once_and_what_is_removed_is_not(shop: Api) -> None:
    assert ask(shop, "is it hydrofobic")["understanding"]["corrected_query"] is None
    document = {**RETURNS, "title": "Coats", "markdown": "The hydrophobic coat. Hydrophobic means dry."}
    shop.put("/v1/documents/coats", document)
    assert ask(shop, "is it hydrofobic")["understanding"]["corrected_query"] == "is it hydrophobic"
    shop.delete("/v1/documents/coats")
    assert ask(shop, "is it hydrofobic")["understanding"]["corrected_query"] is None


def test_another_workspace_lends_no_words(shop: Api) -> None:
    document = {**RETURNS, "markdown": "The hydrophobic coat. Hydrophobic means dry."}
    shop.call("PUT", "/v1/documents/coats", json=document, workspace="other")
    assert ask(shop, "is it hydrofobic")["understanding"]["corrected_query"] is None


def test_a_short_turn_is_answered_with_what_it_follows_on(shop: Api) -> None:
    assert cited(ask(shop, "那要几天", "普通快递什么时候送达")) == "shipping"
    assert (
        cited(ask(shop, "and how many days?", "can unworn clothing be returned after delivery")) == "returns"
    )


def test_another_subject_leaves_the_first_behind(shop: Api) -> None:
    reply = ask(shop, "by the way, can unworn clothing be returned", "普通快递什么时候送达")
    assert cited(reply) == "returns"
    assert reply["understanding"]["language"] == "en"


def test_a_follow_up_is_routed_by_its_subject(api: Api) -> None:
    intents = [
        {
            "id": "return",
            "label": "Return",
            "examples": ["return clothing", "send back clothing", "clothing returned"],
        },
        {
            "id": "parcel",
            "label": "Parcel",
            "examples": ["where is my parcel", "parcel late", "parcel not here"],
        },
    ]
    api.post("/v1/intents:batch", {"intents": intents})
    turns = [{"role": "customer", "text": "where is my parcel"}]
    alone = api.post("/v1/route", {"query": "and how long?"}).json()
    after = api.post("/v1/route", {"query": "and how long?", "turns": turns}).json()
    first = {intent["id"]: intent["probability"] for intent in after["intents"]}
    before = {intent["id"]: intent["probability"] for intent in alone["intents"]}
    assert max(first, key=first.__getitem__) == "parcel"
    assert first["parcel"] > before.get("parcel", 0)
