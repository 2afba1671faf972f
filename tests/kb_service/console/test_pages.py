"""What agents and product teams see and do in the console."""

from __future__ import annotations

import re

import pytest

from tests.kb_service.conftest import RETURNS, Api
from tests.kb_service.console.visitors import Browser, signed_in

ATTACK = "<script>alert(1)</script> where is my parcel <img src=x onerror=alert(1)>"


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


@pytest.fixture
def desk(api: Api) -> Browser:
    api.put("/v1/documents/returns", RETURNS)
    api.put("/v1/agents/agent-1", {"name": "agent-1", "online": True})
    asked = "May unworn clothing be returned?"
    api.post("/v1/events", api.event("m1", text=asked, conversation_id="c-1"))
    api.post(f"/v1/cases/{api.case_id('m1')}/handover")
    return signed_in(api, "agent", agent_id="agent-1")


def test_an_agent_takes_a_case_and_answers_it(api: Api, desk: Browser) -> None:
    case_id = api.case_id("m1")
    assert f"/console/cases/{case_id}" in desk.get("/console/desk").text
    page = f"/console/cases/{case_id}"
    assert desk.post(f"{page}/take").headers["location"] == page
    assert api.get(f"/v1/cases/{case_id}").json()["agent_id"] == "agent-1"
    assert f"/console/cases/{case_id}" in desk.get("/console/desk?view=mine").text
    opened = desk.get(page).text
    assert "within 30 days" in opened
    sent = {
        "exposure_id": field(opened, "exposure_id"),
        "answer_id": field(opened, "answer_id"),
        "shown": field(opened, "shown"),
    }
    assert desk.post(f"{page}/reply", text="Yes, within 30 days.", **sent).status_code == 303
    events = api.get(f"/v1/cases/{case_id}").json()["events"]
    assert events[-1]["text"] == "Yes, within 30 days."
    assert events[-1]["agent_id"] == "agent-1"
    with api.store.reading("shop") as unit:
        (given,) = unit.feedback.of_exposure(sent["exposure_id"])
    assert (given.outcome, given.final_text, given.agent_id) == ("edited", "Yes, within 30 days.", "agent-1")
    assert desk.post(f"{page}/resolve").headers["location"] == "/console/desk"
    assert api.get(f"/v1/cases/{case_id}").json()["state"] == "resolved"


def test_a_suggestion_that_is_sent_as_it_stands_was_accepted(api: Api, desk: Browser) -> None:
    page = f"/console/cases/{api.case_id('m1')}"
    opened = desk.get(page).text
    ids = {name: field(opened, name) for name in ("exposure_id", "answer_id", "shown")}
    assert desk.post(f"{page}/reply", text=ids["shown"] + "\r\n", **ids).status_code == 303
    with api.store.reading("shop") as unit:
        assert [item.outcome for item in unit.feedback.of_exposure(ids["exposure_id"])] == ["accepted"]


def test_a_suggestion_that_does_not_help_is_rejected(api: Api, desk: Browser) -> None:
    page = f"/console/cases/{api.case_id('m1')}"
    opened = desk.get(page).text
    ids = {name: field(opened, name) for name in ("exposure_id", "answer_id")}
    assert desk.post(f"{page}/reject", **ids).status_code == 303
    with api.store.reading("shop") as unit:
        assert [item.outcome for item in unit.feedback.of_exposure(ids["exposure_id"])] == ["rejected"]


def test_a_citation_opens_the_very_passage(api: Api, desk: Browser) -> None:
    opened = desk.get("/console/ask?q=May unworn clothing be returned?").text
    link = re.search(r'href="(/console/documents/[^"#]+)#cited"', opened)
    assert link
    document = desk.get(link[1].replace("&amp;", "&")).text
    marked = re.search(r'<mark id="cited"[^>]*>([^<]+)</mark>', document)
    assert marked
    assert "within 30 days" in marked[1]


def test_a_document_is_shown_whatever_the_offsets_say(api: Api, desk: Browser) -> None:
    assert "within 30 days" in desk.text("/console/documents/returns?start=99999&end=5")
    assert desk.get("/console/documents/unknown").status_code == 404


def test_customers_words_run_nothing(api: Api) -> None:
    api.recurring(text=ATTACK)
    problem_id = api.get("/v1/problems").json()["items"][0]["id"]
    visitor = signed_in(api)
    for path in (
        "/console/problems",
        f"/console/problems/{problem_id}",
        f"/console/cases/{api.case_id('m0')}",
        f"/console/ask?q={ATTACK}",
    ):
        page = visitor.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page


def test_another_shop_is_not_there(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    stranger = signed_in(api, workspace="other")
    assert stranger.get(f"/console/problems/{problem_id}").status_code == 404
    assert stranger.get(f"/console/cases/{api.case_id('m0')}").status_code == 404
    assert "No problem fits." in stranger.text("/console/problems")


def test_what_is_asked_wrongly_is_told_as_a_page(api: Api) -> None:
    visitor = signed_in(api, language="zh")
    response = visitor.get("/console/problems?state=strange")
    assert response.status_code == 422
    assert "state" in response.text
    assert "<html" in response.text


def test_documents_are_listed_by_kind(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    visitor = signed_in(api, "agent", language="zh")
    assert "修改 政策 英文" in visitor.text("/console/knowledge?kind=policy")
    assert "没有符合条件的文档。" in visitor.text("/console/knowledge?kind=faq")


def test_documents_that_contradict_and_those_out_of_date_have_pages(api: Api) -> None:
    visitor = signed_in(api, "product")
    assert "No two documents contradict one another." in visitor.text("/console/knowledge/conflicts")
    api.put("/v1/documents/old", {**RETURNS, "valid_to": "2026-06-20T00:00:00Z"})
    assert "Returns" in visitor.text("/console/knowledge/stale")


def test_traffic_is_shown_by_hour_and_by_what_it_is_about(api: Api) -> None:
    visitor = signed_in(api, "product", language="zh")
    assert "预测需要至少两天的消息。" in visitor.text("/console/traffic")
    api.recurring(channel="wechat")
    said = visitor.text("/console/traffic?by=channel&key=wechat")
    assert "3 个会话，3 条消息，3 位顾客" in said
    assert "周四" in said
