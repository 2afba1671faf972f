"""Conflicts over HTTP: found after a put, listed by moment, told apart from what only looks like one, handed over."""

from __future__ import annotations

import time
from typing import Any

from tests.kb_service.conftest import Api

ZH = {
    "kind": "policy",
    "title": "配送说明",
    "markdown": "# 配送说明\n\n## 运费\n\n单笔实付满 99 元包邮。",
    "language": "zh",
}
EN = {
    "kind": "policy",
    "title": "Delivery",
    "markdown": "# Delivery\n\n## Cost\n\nDelivery is free from ¥129 in one order.",
    "language": "en",
}
RIVAL = {
    "kind": "policy",
    "title": "Delivery for members and guests",
    "markdown": "# Delivery for members and guests\n\nDelivery is free from ¥149 in one order.",
    "language": "en",
}


def put(api: Api, external_id: str, document: dict[str, Any], **changes: Any) -> None:
    response = api.put(f"/v1/documents/{external_id}", {**document, **changes})
    assert response.status_code in (200, 201), response.text


def pairs(api: Api, query: str = "", **request: Any) -> list[tuple[str, ...]]:
    response = api.get(f"/v1/conflicts{query}", **request)
    assert response.status_code == 200, response.text
    return sorted(
        tuple(sorted(side["document_id"] for side in item["documents"])) for item in response.json()["items"]
    )


def test_a_conflict_across_languages_is_listed_with_both_statements(api: Api) -> None:
    put(api, "zh", ZH, valid_from="2026-01-01")
    put(api, "en", EN, valid_from="2026-03-01")
    (item,) = api.get("/v1/conflicts").json()["items"]
    assert item["aspect"] == "quantity" and item["matters"] == ["free_delivery"]
    assert "99 元" in item["difference"]["zh"] and "¥129" in item["difference"]["en"]
    assert item["since"].startswith("2026-02-28") or item["since"].startswith("2026-03-01")
    for side in item["documents"]:
        text = api.get(f"/v1/documents/{side['document_id']}").json()["text"]
        assert text[side["start"] : side["end"]] == side["quote"]
    assert {side["quote"] for side in item["documents"]} == {
        "单笔实付满 99 元包邮。",
        "Delivery is free from ¥129 in one order.",
    }


def test_a_conflict_goes_when_either_document_changes_or_is_removed(api: Api) -> None:
    put(api, "zh", ZH)
    put(api, "en", EN)
    before = api.get("/v1/conflicts").json()["items"][0]["id"]
    put(api, "zh", ZH, url="https://help.example.com/delivery")
    assert api.get("/v1/conflicts").json()["items"][0]["id"] == before
    put(api, "en", EN, markdown="# Delivery\n\n## Cost\n\nDelivery is free from ¥99 in one order.")
    assert pairs(api) == []
    put(api, "en", EN)
    assert pairs(api) == [("en", "zh")]
    api.delete("/v1/documents/zh")
    assert pairs(api) == []


def test_documents_for_others_or_for_other_times_do_not_conflict(api: Api) -> None:
    put(api, "zh", ZH, regions=["CN"], valid_to="2026-05-01")
    for name, change in {
        "region": {"regions": ["US"]},
        "tier": {"tiers": ["platinum"]},
        "channel": {"channels": ["douyin"]},
        "product": {"products": ["SLA-EB20"]},
        "internal": {"audience": "internal"},
        "draft": {"status": "draft"},
        "later": {"valid_from": "2026-05-02"},
        "newer": {"supersedes": ["zh"]},
    }.items():
        put(api, name, EN, **{"regions": ["CN"], **change})
        for other in ("region", "tier", "channel", "product", "internal", "draft", "later"):
            if other != name:
                api.delete(f"/v1/documents/{other}")
        assert pairs(api, "?as_of=2026-04-01T00:00:00Z&upcoming=true&document_id=zh") == [], name


def test_a_superseded_document_conflicts_with_nobody_once_its_successor_holds(api: Api) -> None:
    put(api, "zh", ZH)
    put(api, "en", EN)
    put(
        api, "en-new", EN, markdown="# Delivery\n\nDelivery is free from ¥99 in one order.",
        supersedes=["en"], valid_from="2026-07-01",
    )  # fmt: skip
    assert pairs(api) == [("en", "zh")]
    assert pairs(api, "?as_of=2026-07-02T00:00:00Z") == []


def test_conflicts_that_begin_later_are_listed_when_asked_for(api: Api) -> None:
    put(api, "zh", ZH)
    put(api, "en", EN, valid_from="2026-09-01")
    assert pairs(api) == []
    assert pairs(api, "?upcoming=true") == [("en", "zh")]
    assert pairs(api, "?as_of=2026-09-02T00:00:00Z") == [("en", "zh")]


def test_the_list_is_paged_and_a_wrong_cursor_refused(api: Api) -> None:
    put(api, "zh", ZH)
    for name in ("a", "b", "c"):
        put(api, name, EN)
    first = api.get("/v1/conflicts?limit=2").json()
    second = api.get(f"/v1/conflicts?limit=2&cursor={first['next_cursor']}").json()
    assert len(first["items"]) == 2 and len(second["items"]) == 1 and second["next_cursor"] is None
    assert len({item["id"] for page in (first, second) for item in page["items"]}) == 3
    assert api.get("/v1/conflicts?cursor=nonsense").status_code == 422


def test_only_those_who_look_after_documents_see_conflicts_and_only_their_own(api: Api) -> None:
    put(api, "zh", ZH)
    put(api, "en", EN)
    for role, status in {"product": 200, "editor": 200, "admin": 200, "agent": 403, "bot": 403}.items():
        assert api.get("/v1/conflicts", role=role).status_code == status
        assert api.get("/v1/stale", role=role).status_code == status
    assert pairs(api, workspace="other") == []


def test_a_question_about_which_two_documents_disagree_is_handed_over(api: Api) -> None:
    put(api, "one", EN)
    put(api, "two", RIVAL)
    (conflict,) = api.get("/v1/conflicts").json()["items"]
    for path in ("/v1/answers", "/v1/suggestions"):
        reply = api.post(
            path, {"query": "From which amount in one order is delivery free?", "limit": 1}
        ).json()
        assert reply["action"] == "handoff" and reply["handoff"]["trigger"] == "conflict", reply
        assert reply["reason"] == f"conflict:{conflict['id']}"
        cited = {
            citation["document_id"]: citation["quote"]
            for answer in reply["answers"]
            for citation in answer["citations"]
        }
        assert cited == {side["document_id"]: side["quote"] for side in conflict["documents"]}
        assert "¥149" in reply["handoff"]["summary"]


def test_a_question_about_something_else_of_the_same_documents_is_not(api: Api) -> None:
    more = "\n\n## Parcels\n\nParcels travel with a courier in cardboard boxes without plastic."
    put(api, "one", EN, markdown=EN["markdown"] + more)
    put(api, "two", RIVAL, markdown=RIVAL["markdown"] + more)
    assert len(api.get("/v1/conflicts").json()["items"]) == 1
    reply = api.post("/v1/answers", {"query": "Do parcels travel in cardboard boxes without plastic?"}).json()
    assert not reply["reason"].startswith("conflict")


def test_a_conflict_outside_the_governing_date_hands_nothing_over(api: Api) -> None:
    put(api, "one", EN)
    put(api, "two", RIVAL, valid_from="2026-09-01")
    asked = {"query": "From which amount in one order is delivery free?"}
    api.get("/v1/conflicts")
    assert not api.post("/v1/answers", asked).json()["reason"].startswith("conflict")
    later = {**asked, "as_of": "2026-09-02T00:00:00Z"}
    assert api.post("/v1/answers", later).json()["reason"].startswith("conflict")


def test_conflicts_are_found_without_anybody_asking(api: Api) -> None:
    put(api, "one", EN)
    put(api, "two", RIVAL)
    until = time.monotonic() + 10
    reason = ""
    while time.monotonic() < until and not reason.startswith("conflict"):
        reason = api.post("/v1/answers", {"query": "From which amount is delivery free?"}).json()["reason"]
        time.sleep(0.1)
    assert reason.startswith("conflict")
