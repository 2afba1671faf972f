"""Stale documents over HTTP: each reason as a shop would meet it, with its evidence."""

from __future__ import annotations

from typing import Any

from tests.kb_service.conftest import RETURNS, Api

ASKED = "Within how many days may unworn clothing be returned?"


def put(api: Api, external_id: str, **changes: Any) -> None:
    response = api.put(f"/v1/documents/{external_id}", {**RETURNS, **changes})
    assert response.status_code in (200, 201), response.text


def reasons(api: Api, query: str = "") -> dict[str, list[str]]:
    response = api.get(f"/v1/stale{query}")
    assert response.status_code == 200, response.text
    return {
        item["document_id"]: [reason["code"] for reason in item["reasons"]]
        for item in response.json()["items"]
    }


def answer(api: Api, **changes: Any) -> dict[str, Any]:
    response = api.post("/v1/answers", {"query": ASKED, **changes})
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


def test_documents_that_are_well_are_not_listed(api: Api) -> None:
    put(api, "returns")
    put(api, "draft", status="draft", valid_to="2026-06-20")
    for _ in range(6):
        answer(api)
    assert reasons(api) == {}


def test_one_that_ends_soon_is_listed_until_a_successor_stands_ready(api: Api) -> None:
    put(api, "returns", valid_to="2026-06-30")
    assert reasons(api) == {"returns": ["ends_soon"]}
    put(api, "returns-new", supersedes=["returns"], valid_from="2026-07-01")
    assert reasons(api) == {}


def test_one_that_ended_is_listed_when_it_was_shown_or_is_still_asked_for(api: Api) -> None:
    put(api, "returns", valid_to="2026-06-19")
    put(api, "other", markdown="# Invoices\n\nAn invoice arrives by e-mail.", title="Invoices")
    api.clock.advance(days=5)
    assert reasons(api) == {}
    answer(api, as_of="2026-06-18T00:00:00Z")
    (item,) = api.get("/v1/stale").json()["items"]
    assert item["document_id"] == "returns" and item["reasons"][0]["code"] == "ended_without_successor"
    assert item["reasons"][0]["evidence"]["shown"] == 1
    assert item["valid_to"] == "2026-06-20T00:00:00Z"


def test_one_that_was_superseded_but_stands_open_is_listed(api: Api) -> None:
    put(api, "old")
    put(api, "new", supersedes=["old"])
    assert reasons(api) == {"old": ["superseded_but_open"]}
    put(api, "old", valid_to="2026-06-01")
    assert reasons(api) == {}


def test_a_successor_for_some_customers_only_leaves_the_document_open_to_others(api: Api) -> None:
    put(api, "old")
    put(api, "new", supersedes=["old"], regions=["US"])
    assert reasons(api) == {}


def test_one_that_nobody_touched_for_a_year_is_listed_while_it_is_shown_often(api: Api) -> None:
    put(api, "returns")
    api.clock.advance(days=400)
    assert reasons(api) == {}
    for _ in range(5):
        answer(api)
    assert reasons(api) == {"returns": ["unchanged_though_used"]}
    put(api, "returns", url="https://help.example.com/returns")
    assert reasons(api) == {}


def test_poor_feedback_lists_a_document(api: Api) -> None:
    put(api, "returns")
    for outcome in ("rejected", "edited", "reopened"):
        shown = answer(api)["answers"][0]
        told = {"exposure_id": shown["exposure_id"], "answer_id": shown["id"], "outcome": outcome}
        assert api.post("/v1/feedback", told).status_code in (200, 201)
    (item,) = api.get("/v1/stale").json()["items"]
    (reason,) = item["reasons"]
    assert reason["code"] == "poor_feedback" and reason["evidence"]["outcomes"] == 3
    assert "3" in reason["text"]["zh"] and "3" in reason["text"]["en"]


def test_products_that_are_gone_list_the_documents_about_them(api: Api) -> None:
    put(api, "kettle", kind="product", products=["K1"], title="Kettle K1")
    put(api, "descaling", products=["K1", "K9"])
    assert reasons(api) == {"descaling": ["unknown_product"]}
    put(api, "kettle-9", kind="product", products=["K9"], title="Kettle K9")
    assert reasons(api) == {}


def test_a_reason_narrows_the_list_and_pages_hold_each_document_once(api: Api) -> None:
    put(api, "old")
    put(api, "new", supersedes=["old"], valid_to="2026-07-01")
    for name in ("a", "b", "c"):
        put(api, name, valid_to="2026-06-30")
    assert next(iter(reasons(api))) == "old"
    assert set(reasons(api, "?reason=ends_soon")) == {"new", "a", "b", "c"}
    seen: list[str] = []
    cursor = ""
    while True:
        page = api.get(f"/v1/stale?limit=2{cursor}").json()
        seen += [item["document_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == ["a", "b", "c", "new", "old"]
    assert api.get("/v1/stale?reason=nonsense").status_code == 422
    assert api.get("/v1/stale?cursor=bm9uc2Vuc2U").status_code == 422
