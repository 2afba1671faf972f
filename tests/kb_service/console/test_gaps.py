"""Editors see what is missing, try an article, publish it, and take it back."""

from __future__ import annotations

import re

import pytest

from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import Browser, signed_in

ASKED = "Does the kettle have a whistle?"
ARTICLE = {
    "title": "The kettle's whistle",
    "question": ASKED,
    "body": "Yes, it whistles\r\nwhen the water boils.",
    "kind": "faq",
    "language": "en",
    "audience": "public",
}


def ask(api: Api, text: str = ASKED, *, customers: int = 3, prefix: str = "g") -> None:
    for number in range(customers):
        asked = {
            "query": text,
            "customer": {"id": f"{prefix}-{number}"},
            "conversation_id": f"{prefix}-{number}",
            "event_id": f"{prefix}-{number}",
        }
        assert api.post("/v1/answers", asked, role="bot").status_code == 200
        api.clock.advance(minutes=1)


@pytest.fixture
def editor(api: Api) -> Browser:
    ask(api)
    return signed_in(api, "editor")


def gap_of(api: Api) -> str:
    (gap,) = api.get("/v1/gaps").json()["items"]
    return f"/console/knowledge/gaps/{gap['id']}"


def test_gaps_are_listed_by_state_language_and_time(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    listed = editor.get("/console/knowledge/gaps").text
    assert f'href="{page}"' in listed
    assert "3 customers asked 3 questions" in listed
    assert ASKED in listed
    assert page not in editor.get("/console/knowledge/gaps?language=zh").text
    assert page not in editor.get("/console/knowledge/gaps?state=answered").text
    api.clock.advance(days=2)
    assert page not in editor.get("/console/knowledge/gaps?days=1").text
    assert page in editor.get("/console/knowledge/gaps?days=7").text


def test_a_gap_shows_its_questions_with_their_cases(api: Api, editor: Browser) -> None:
    shown = editor.get(gap_of(api)).text
    for number in range(3):
        assert f'href="/console/cases/{api.case_id(f"g-{number}")}"' in shown
    assert "No customer has accepted a reply to this yet" in shown


def test_a_draft_comes_from_the_reply_that_a_customer_accepted(api: Api, editor: Browser) -> None:
    reply = "Yes: the steel one whistles, the glass one does not."
    resolved = {"resolved": True, "agent_id": "agent-1", "reply": reply}
    assert api.post(f"/v1/cases/{api.case_id('g-0')}/resolve", resolved).status_code == 200
    page = gap_of(api)
    shown = editor.get(page).text
    assert shown.count(reply) == 2
    assert re.search(rf'<textarea id="body"[^>]*>{reply}</textarea>', shown)
    assert "a draft is ready" in editor.text("/console/knowledge/gaps")


def test_an_article_is_tried_before_it_is_published(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    tried = editor.post(f"{page}/preview", **ARTICLE)
    assert tried.status_code == 200
    assert "1 of 1 questions would be answered by it" in tried.text
    assert "it whistles" in tried.text.split("How it is split into passages")[1]
    assert api.get("/v1/documents").json()["items"] == []
    kept = editor.post(f"{page}/preview", **{**ARTICLE, "body": "Parcels leave on Tuesdays."})
    assert ">Parcels leave on Tuesdays.</textarea>" in kept.text
    assert (
        editor.post(f"{page}/preview", **{**ARTICLE, "audience": "internal"}).text.count("outcome-nothing")
        == 1
    )


def test_trying_leaves_no_trace(api: Api, editor: Browser) -> None:
    api.services.exposures.flush()
    with api.store.reading("shop") as unit:
        before = unit.exposures.latest_id()
    editor.post(f"{gap_of(api)}/preview", **ARTICLE)
    api.services.exposures.flush()
    with api.store.reading("shop") as unit:
        assert unit.exposures.latest_id() == before
    assert "3 customers asked 3 questions" in editor.text("/console/knowledge/gaps")


def test_an_editor_closes_a_gap_and_opens_it_again(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    published = editor.post(f"{page}/publish", **ARTICLE)
    assert published.headers["location"] == page
    answered = editor.get(page).text
    assert "is published." in answered
    assert f'action="{page}/withdraw"' in answered
    assert "1 of 1 of its questions get this document now" in answered
    assert "Every question had a good answer." in editor.text("/console/knowledge/gaps")
    assert page in editor.get("/console/knowledge/gaps?state=answered").text
    reply = api.post("/v1/answers", {"query": ASKED}, role="bot").json()
    assert reply["answers"][0]["text"] == "Yes, it whistles\nwhen the water boils."
    assert editor.post(f"{page}/withdraw").headers["location"] == page
    assert api.get("/v1/documents").json()["items"] == []
    assert page in editor.get("/console/knowledge/gaps").text
    assert editor.post(f"{page}/withdraw").status_code == 303


def test_an_article_holds_for_the_days_that_were_chosen(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    editor.post(
        f"{page}/publish", **ARTICLE, valid_from="2026-06-01", valid_to="2026-06-30", products="K-1, K-2"
    )
    (document,) = api.get("/v1/documents").json()["items"]
    assert document["valid_from"] == "2026-05-31T16:00:00Z"
    assert document["valid_to"] == "2026-06-30T16:00:00Z"
    assert document["products"] == ["K-1", "K-2"]
    policy = {**ARTICLE, "kind": "policy"}
    assert editor.post(f"{page}/publish", **policy).status_code == 303
    (document,) = api.get("/v1/documents").json()["items"]
    assert document["kind"] == "policy"
    assert f'action="{page}/withdraw"' not in editor.get(page).text


def test_a_gap_is_dismissed_for_a_reason_and_taken_up_again(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    assert editor.post(f"{page}/dismiss").status_code == 422
    dismissed = editor.post(f"{page}/dismiss", reason="Kettles leave the range in July.")
    assert dismissed.headers["location"] == "/console/knowledge/gaps"
    listed = editor.get("/console/knowledge/gaps").text
    assert page not in listed.replace(f"{page}/reopen", "")
    assert f'action="{page}/reopen"' in listed
    assert page in editor.get("/console/knowledge/gaps?state=dismissed").text
    assert "Kettles leave the range in July." in editor.text(page)
    (gap,) = api.get("/v1/gaps?state=dismissed").json()["items"]
    assert gap["state"] == "dismissed"
    assert gap["dismissed_at"] is not None
    assert api.get("/v1/gaps?state=open").json()["items"] == []
    assert editor.post(f"{page}/reopen").headers["location"] == page
    assert api.get("/v1/gaps?state=open").json()["items"][0]["dismissed_at"] is None
    assert editor.post(f"{page}/reopen").status_code == 409
    actions = [item["action"] for item in api.get("/v1/audit").json()["items"]]
    assert actions[:2] == ["gap.reopened", "gap.dismissed"]


def test_a_dismissed_gap_is_not_told(api: Api, editor: Browser) -> None:
    editor.post(f"{gap_of(api)}/dismiss", reason="Not sold any more.")
    assert api.services.gap_watch.look("shop") == 0


def test_who_only_reads_changes_nothing(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    reader = signed_in(api, "product", name="Mo")
    assert reader.get(page).status_code == 200
    assert "Publish" not in reader.text(page)
    for step in ("preview", "publish", "withdraw", "dismiss", "reopen"):
        assert reader.post(f"{page}/{step}", **ARTICLE, reason="no").status_code == 403


def test_another_shops_gap_is_not_there(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    stranger = signed_in(api, "editor", workspace="other")
    assert stranger.get(page).status_code == 404
    assert stranger.post(f"{page}/dismiss", reason="mine").status_code == 404
    assert stranger.post(f"{page}/preview", **ARTICLE).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"body": ""}, {"kind": "song"}, {"valid_from": "soon"}, {"language": "fr"}]
)
def test_an_article_names_what_is_wrong(api: Api, editor: Browser, wrong: dict[str, str]) -> None:
    response = editor.post(f"{gap_of(api)}/publish", **{**ARTICLE, **wrong})
    assert response.status_code == 422
    assert next(iter(wrong)) in response.text
