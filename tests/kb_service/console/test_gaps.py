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
    "over": "new",
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
    assert "1 of 1 question would be answered by it" in tried.text
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
    assert "is published" in answered
    assert f'action="{page}/withdraw"' in answered
    assert "1 of 1 of its questions get this document now" in answered
    assert "Every question had a good answer." in editor.text("/console/knowledge/gaps")
    assert page in editor.get("/console/knowledge/gaps?state=answered").text
    reply = api.post("/v1/answers", {"query": ASKED}, role="bot").json()
    assert reply["answers"][0]["text"] == "Yes, it whistles\nwhen the water boils."
    assert editor.post(f"{page}/withdraw", over="1").headers["location"] == page
    assert 'action="/console/knowledge/bring-back"' in editor.get(page).text
    assert api.get("/v1/documents").json()["items"] == []
    assert page in editor.get("/console/knowledge/gaps").text
    assert editor.post(f"{page}/withdraw", over="1").status_code == 404


def test_an_article_holds_for_the_days_that_were_chosen(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    editor.post(
        f"{page}/publish", **ARTICLE, valid_from="2026-06-01", valid_to="2026-06-30", products="K-1, K-2"
    )
    (document,) = api.get("/v1/documents").json()["items"]
    assert document["valid_from"] == "2026-05-31T16:00:00Z"
    assert document["valid_to"] == "2026-06-30T16:00:00Z"
    assert document["products"] == ["K-1", "K-2"]
    policy = {**ARTICLE, "kind": "policy", "over": "1"}
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


@pytest.mark.parametrize("step", ["preview", "publish"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"body": ""},
        {"title": " "},
        {"kind": "song"},
        {"language": "fr"},
        {"valid_from": "soon"},
        {"valid_to": "9999-12-31"},
        {"valid_to": "2026-06-01", "valid_from": "2026-07-01"},
    ],
)
def test_a_fault_in_an_article_stands_at_its_field_with_what_was_typed(
    api: Api, editor: Browser, step: str, wrong: dict[str, str]
) -> None:
    typed = {**ARTICLE, "products": "K-typed", **wrong}
    response = editor.post(f"{gap_of(api)}/{step}", **typed)
    assert response.status_code == 422
    assert response.headers["content-type"].startswith("text/html")
    assert f'id="fault-{next(iter(wrong))}"' in response.text
    assert 'value="K-typed"' in response.text
    assert api.get("/v1/documents").json()["items"] == []


@pytest.mark.parametrize("step", ["preview", "publish"])
def test_all_faults_of_an_article_are_told_at_once(api: Api, editor: Browser, step: str) -> None:
    wrong = {
        "title": " ",
        "body": " ",
        "valid_from": "2026-07-02",
        "valid_to": "2026-07-01",
        "language": "xx",
    }
    refused = editor.post(f"{gap_of(api)}/{step}", **{**ARTICLE, **wrong})
    assert refused.status_code == 422
    told = re.findall(r'<span class="fault" id="fault-(\w+)">', refused.text)
    assert sorted(told) == ["body", "language", "title", "valid_to"]
    assert "4 fields need another look" in refused.text


@pytest.mark.parametrize("over", [None, "", "0", "x"])
def test_an_article_whose_form_does_not_tell_what_stood_is_not_published(
    api: Api, editor: Browser, over: str | None
) -> None:
    sent = {name: value for name, value in {**ARTICLE, "over": over}.items() if value is not None}
    for step in ("preview", "publish"):
        assert editor.post(f"{gap_of(api)}/{step}", **sent).status_code == 422


def test_gaps_are_counted_by_state(api: Api, editor: Browser) -> None:
    editor.post(f"{gap_of(api)}/dismiss", reason="No.")
    ask(api, "Do you sell tents?", prefix="t")
    page = editor.text("/console/knowledge/gaps")
    assert "open 1 answered 0 dismissed 1" in page


def test_a_script_that_asked_for_the_preview_gets_the_form_with_its_fault(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    editor.client.headers["hx-request"] = "true"
    response = editor.post(f"{page}/preview", **ARTICLE, valid_from="soon")
    assert (response.headers["hx-retarget"], response.headers["hx-reselect"]) == ("#writing", "#writing")
    assert 'id="writing"' in response.text
    assert "hx-retarget" not in editor.post(f"{page}/preview", **ARTICLE).headers


@pytest.mark.parametrize("reason", ["", "  ", "no" * 1_001])
def test_a_dismissal_without_a_reason_is_asked_for_one(api: Api, editor: Browser, reason: str) -> None:
    page = gap_of(api)
    response = editor.post(f"{page}/dismiss", reason=reason)
    assert response.status_code == 422
    assert 'id="fault-reason"' in response.text
    assert f'value="{reason}"' in response.text
    assert api.get("/v1/gaps?state=dismissed").json()["items"] == []


def test_no_gaps_address_writes_or_removes_another_document(api: Api, editor: Browser) -> None:
    faq = {"kind": "policy", "title": "Kettles", "text": "Kettles boil.", "language": "en"}
    api.put("/v1/documents/faq-en-001", faq)
    page = "/console/knowledge/gaps/faq-en-001"
    for over in ("new", "1"):
        assert editor.post(f"{page}/publish", **{**ARTICLE, "over": over}).status_code == 404
    assert editor.post(f"{page}/withdraw", over="1").status_code == 404
    assert api.get("/v1/documents/faq-en-001").json()["title"] == "Kettles"


def test_another_shops_gap_is_neither_published_nor_withdrawn(api: Api, editor: Browser) -> None:
    page = gap_of(api)
    stranger = signed_in(api, "editor", workspace="other")
    assert stranger.post(f"{page}/publish", **ARTICLE).status_code == 404
    assert stranger.post(f"{page}/withdraw", over="1").status_code == 404


def test_of_two_editors_of_one_gap_the_second_is_told_and_neither_takes_the_others_away(
    api: Api, editor: Browser
) -> None:
    page = gap_of(api)
    another = signed_in(api, "editor", name="Mo")
    assert editor.post(f"{page}/publish", **ARTICLE).status_code == 303
    refused = another.post(f"{page}/publish", **{**ARTICLE, "body": "Mine."})
    assert refused.status_code == 409
    assert "Somebody wrote this document meanwhile" in refused.text
    assert ">Mine.</textarea>" in refused.text.replace("\n", "")
    over = {**ARTICLE, "body": "Ours.", "over": "1"}
    assert another.post(f"{page}/publish", **over).status_code == 303
    assert editor.post(f"{page}/withdraw", over="1").status_code == 409
    (document,) = api.get("/v1/documents").json()["items"]
    assert document["version"] == 2


def test_publishing_a_gaps_article_accepts_its_proposal_and_withdrawing_opens_it_again(
    api: Api, editor: Browser
) -> None:
    page = gap_of(api)
    editor.post(f"{page}/dismiss", reason="Later.")
    editor.post(f"{page}/reopen")
    editor.get(page)
    entries = api.get("/v1/audit").json()["items"]
    own = next(item["detail"]["proposal"] for item in entries if item["action"] == "gap.reopened")

    def state() -> str:
        found = {item["id"]: item["state"] for item in api.get("/v1/proposals").json()["items"]}
        return str(found[own])

    assert state() == "open"
    editor.post(f"{page}/publish", **ARTICLE)
    assert "the proposal to write it is accepted" in editor.text(page)
    assert state() == "accepted"
    editor.post(f"{page}/withdraw", over="1", proposal=own)
    assert state() == "open"


def test_a_preview_beside_some_documents_says_so(
    api: Api, editor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.trying_out.TRIED", 1)
    for number in range(3):
        faq = {"kind": "policy", "title": f"Lamp {number}", "text": "Lamps glow.", "language": "en"}
        api.put(f"/v1/documents/lamp-{number}", faq)
    assert "Tried beside 1 of 3 documents" in editor.post(f"{gap_of(api)}/preview", **ARTICLE).text
