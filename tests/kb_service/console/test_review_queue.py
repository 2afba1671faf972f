"""People judge automatic answers and edited suggestions one after another, and take a verdict back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.kb_service.conftest import RETURNS, Api
from tests.kb_service.console.visitors import Browser, signed_in
from tests.kb_service.test_reviews import proven

ASKED = "may unworn clothing be returned within 30 days of delivery"
SENT = "Unworn clothing may be returned within 45 days of delivery, dear customer."
QUEUE = "/console/knowledge/reviews"


@pytest.fixture
def editor(api: Api) -> Browser:
    api.put("/v1/documents/returns", RETURNS)
    api.put("/v1/rules", {"review_share": 1})
    proven(api)
    return signed_in(api, "editor")


def answered(api: Api, count: int = 1) -> None:
    for number in range(count):
        api.clock.advance(minutes=1)
        asked = {"query": ASKED, "customer": {"id": f"u-{number}"}}
        assert api.post("/v1/answers", asked, role="bot").json()["action"] == "answer"


def edited(api: Api, final: str = SENT, **more: Any) -> dict[str, Any]:
    api.clock.advance(minutes=1)
    shown = api.post("/v1/suggestions", {"query": ASKED}).json()["answers"][0]
    told = {
        "exposure_id": shown["exposure_id"],
        "answer_id": shown["id"],
        "outcome": "edited",
        "final_text": final,
        "shown_text": shown["text"],
        "agent_id": "agent-1",
    }
    assert api.post("/v1/feedback", {**told, **more}).status_code == 200
    return told


def waiting(api: Api, kind: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(f"/v1/reviews?state=pending&kind={kind}").json()["items"]
    return items


def test_the_next_answer_comes_at_once(api: Api, editor: Browser) -> None:
    answered(api, 2)
    latest, earlier = waiting(api, "answer")
    page = editor.get(QUEUE).text
    assert f'action="{QUEUE}/{latest["id"]}"' in page
    assert "within 30 days" in page
    assert [key for key in re.findall(r'data-key="(\w)"', page) if key.isdigit()] == ["1", "2", "3"]
    judged = editor.post(f"{QUEUE}/{latest['id']}", verdict="wrong", note="Not for shoes.")
    assert judged.headers["location"] == f"{QUEUE}?kind=answer"
    following = editor.get(QUEUE).text
    assert f'action="{QUEUE}/{earlier["id"]}"' in following
    assert f'action="{QUEUE}/{latest["id"]}/undo"' in following
    review = next(item for item in api.get("/v1/reviews").json()["items"] if item["id"] == latest["id"])
    assert (review["verdict"], review["note"]) == ("wrong", "Not for shoes.")
    assert "Not for shoes." in editor.text(f"{QUEUE}/judged")


def test_one_may_be_left_for_later(api: Api, editor: Browser) -> None:
    answered(api, 3)
    first, second, third = waiting(api, "answer")
    link = re.search(r'href="([^"]+cursor=[^"]+)" data-key="s"', editor.get(QUEUE).text)
    assert link
    passed = link[1].replace("&amp;", "&")
    page = editor.get(passed).text
    assert f'action="{QUEUE}/{second["id"]}"' in page
    cursor = re.search(r'name="passed" value="([^"]+)"', page)
    assert cursor
    judged = editor.post(f"{QUEUE}/{second['id']}", verdict="right", passed=cursor[1])
    assert f'action="{QUEUE}/{third["id"]}"' in editor.get(judged.headers["location"]).text
    assert {item["id"] for item in waiting(api, "answer")} == {first["id"], third["id"]}


def test_a_verdict_is_taken_back_with_what_it_did(api: Api, editor: Browser) -> None:
    answered(api)
    (review,) = waiting(api, "answer")
    page = f"{QUEUE}/{review['id']}"
    editor.post(page, verdict="harmful")
    assert "its document is kept out of automatic answers" in editor.text(QUEUE)
    assert api.get("/v1/documents/returns").json()["withheld_by"] == review["id"]
    assert editor.post(f"{page}/undo", verdict="harmful").headers["location"] == f"{QUEUE}?kind=answer"
    assert api.get("/v1/documents/returns").json()["withheld_by"] is None
    assert [item["state"] for item in api.get("/v1/proposals").json()["items"]] == ["dismissed"]
    assert [item["id"] for item in waiting(api, "answer")] == [review["id"]]
    answered(api)
    assert editor.post(f"{page}/undo", verdict="harmful").status_code == 303


def test_a_verdict_that_another_changed_is_not_taken_back_with_ones_own(api: Api, editor: Browser) -> None:
    answered(api)
    (review,) = waiting(api, "answer")
    page = f"{QUEUE}/{review['id']}"
    editor.post(page, verdict="wrong")
    assert editor.post(f"{page}/undo").status_code == 422
    api.post(f"/v1/reviews/{review['id']}", {"verdict": "right", "replaces": "wrong"})
    assert editor.post(f"{page}/undo", verdict="wrong").status_code == 409
    assert api.get("/v1/reviews").json()["items"][0]["verdict"] == "right"


def test_what_waits_and_what_is_judged_is_counted_by_kind(api: Api, editor: Browser) -> None:
    answered(api, 2)
    edited(api)
    editor.post(f"{QUEUE}/{waiting(api, 'answer')[0]['id']}", verdict="right")
    answers = "Automatic answers · Waiting 1 Automatic answers · Judged 1"
    counts = f"{answers} Edits by agents · Waiting 1 Edits by agents · Judged 0"
    assert counts in editor.text(QUEUE)
    assert counts in editor.text(f"{QUEUE}/judged?kind=edit")


def test_an_edit_waits_beside_what_was_suggested(api: Api, editor: Browser) -> None:
    told = edited(api)
    assert waiting(api, "answer") == []
    (review,) = waiting(api, "edit")
    assert (review["kind"], review["answer"], review["final_text"]) == ("edit", told["shown_text"], SENT)
    assert review["agent_id"] == "agent-1"
    page = editor.get(f"{QUEUE}?kind=edit").text
    assert "<del>30</del>" in page
    assert "<ins>45</ins>" in page


def test_an_edit_without_what_was_shown_stands_beside_the_passage(api: Api, editor: Browser) -> None:
    edited(api, shown_text=None)
    (review,) = waiting(api, "edit")
    assert review["answer"] == "Unworn clothing may be returned within 30 days of delivery."
    assert review["citations"][0]["document_id"] == "returns"


def test_other_feedback_makes_no_review(api: Api, editor: Browser) -> None:
    edited(api, outcome="accepted")
    edited(api, final_text=None)
    assert waiting(api, "edit") == []


def test_an_edit_becomes_a_document(api: Api, editor: Browser) -> None:
    edited(api)
    (review,) = waiting(api, "edit")
    page = f"{QUEUE}/{review['id']}/article"
    draft = editor.get(page).text
    assert f">{SENT}</textarea>" in draft
    assert ASKED in draft
    article = {
        "title": "Clothing",
        "question": ASKED,
        "body": SENT,
        "kind": "faq",
        "language": "en",
        "over": "new",
    }
    tried = editor.post(f"{page}/preview", **article).text
    assert "1 of 1 question would be answered by it" in tried
    published = editor.post(page, **article)
    document = f"reviewed-{review['id']}"
    assert published.headers["location"] == f"/console/documents/{document}"
    assert api.get(f"/v1/documents/{document}").json()["fields"]["reply"] == SENT
    assert editor.post(f"{QUEUE}/nothing/article", **article).status_code == 404
    assert editor.post(page, **article).status_code == 409
    assert editor.post(f"{page}/withdraw", over="2").status_code == 409
    assert editor.post(f"{page}/withdraw", over="1").headers["location"] == page
    assert api.get(f"/v1/documents/{document}").status_code == 404
    assert editor.post(f"{page}/withdraw", over="1").status_code == 404


@pytest.mark.parametrize("step", ["", "/preview"])
def test_a_bad_date_in_an_edits_article_stands_at_its_field(api: Api, editor: Browser, step: str) -> None:
    edited(api)
    (review,) = waiting(api, "edit")
    article = {"title": "Typed", "body": SENT, "language": "en", "over": "new"}
    days = {"valid_from": "2026-07-02", "valid_to": "2026-07-01"}
    refused = editor.post(f"{QUEUE}/{review['id']}/article{step}", **article, **days)
    assert refused.status_code == 422
    assert 'id="fault-valid_to"' in refused.text
    assert 'value="Typed"' in refused.text


def test_progress_says_how_far_the_shop_is_from_its_bound(api: Api, editor: Browser) -> None:
    answered(api, 4)
    for review, verdict in zip(waiting(api, "answer"), ("right", "right", "wrong"), strict=False):
        editor.post(f"{QUEUE}/{review['id']}", verdict=verdict)
    said = editor.text(QUEUE)
    assert "Waiting 1" in said
    assert "67% 2 of 3 right" in said
    assert re.search(r"33\.3% \d+\.\d% to \d+\.\d% with 95% certainty", said)
    assert "from a confidence of 20% on" in said
    api.put("/v1/rules", {"wrong_answer_bound": 0.001})
    assert re.search(r"at most 0\.1% are wrong takes \d+ more judged answers", editor.text(QUEUE))


def test_where_nothing_is_sent_the_page_names_the_step_that_begins(api: Api, editor: Browser) -> None:
    api.put("/v1/rules", {"wrong_answer_bound": 0.001})
    said = editor.text(QUEUE)
    assert "While nothing is sent, no answer comes here to be judged." in said
    assert "kb eval questions.jsonl --workspace shop --calibrate" in said
    api.put("/v1/rules", {"wrong_answer_bound": 0.2})
    assert "kb eval" not in editor.text(QUEUE)


def test_a_judged_edit_shows_what_was_suggested_beside_what_was_sent(api: Api, editor: Browser) -> None:
    told = edited(api)
    (review,) = waiting(api, "edit")
    editor.post(f"{QUEUE}/{review['id']}", verdict="wrong")
    said = editor.text(f"{QUEUE}/judged?kind=edit")
    assert f"Suggested {told['shown_text']} Sent by the agent {SENT}" in said
    editor.language = "zh"
    assert "取消固定" not in editor.text(f"{QUEUE}/judged?kind=edit")


def test_who_may_not_edit_judges_and_writes_no_document(api: Api, editor: Browser) -> None:
    edited(api)
    (review,) = waiting(api, "edit")
    reader = signed_in(api, "product", name="Mo")
    assert "Make a document of it" not in reader.text(f"{QUEUE}?kind=edit")
    assert reader.get(f"{QUEUE}/{review['id']}/article").status_code == 403
    assert reader.post(f"{QUEUE}/{review['id']}", verdict="right").status_code == 303
    assert signed_in(api, "agent", name="Ann").get(QUEUE).status_code == 403


def test_another_shops_review_is_not_there(api: Api, editor: Browser) -> None:
    edited(api)
    (review,) = waiting(api, "edit")
    stranger = signed_in(api, "editor", workspace="other")
    assert stranger.post(f"{QUEUE}/{review['id']}", verdict="right").status_code == 404
    assert stranger.post(f"{QUEUE}/{review['id']}/undo", verdict="right").status_code == 404
    assert stranger.get(f"{QUEUE}/{review['id']}/article").status_code == 404


def test_the_queue_speaks_chinese(api: Api, editor: Browser) -> None:
    edited(api)
    visitor = signed_in(api, "editor", name="Mo", language="zh")
    assert "建议正确吗？" in visitor.text(f"{QUEUE}?kind=edit")
    assert "暂无待审核的答复" in visitor.text(QUEUE)
