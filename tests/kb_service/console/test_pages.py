"""What agents and product teams see and do in the console."""

from __future__ import annotations

import re

import pytest

from tests.kb_service.conftest import LATE, RETURNS, Api
from tests.kb_service.console.visitors import Browser, browser, signed_in

ATTACK = "<script>alert(1)</script> where is my parcel <img src=x onerror=alert(1)>"


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def test_the_board_shows_what_keeps_going_wrong(api: Api) -> None:
    api.recurring()
    visitor = signed_in(api, "product")
    assert "open emerging 3 customers, 3 messages" in visitor.text("/console/problems")
    assert "No problem fits." in visitor.text("/console/problems?state=resolved")
    assert "No problem fits." in visitor.text("/console/problems?q=refrigerator")
    assert "parcel" in visitor.text("/console/problems?q=PARCEL&kind=emerging")


def test_a_problem_is_followed_to_its_end(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    visitor = signed_in(api, "product", language="zh")
    page = f"/console/problems/{problem_id}"
    said = visitor.text(page)
    assert LATE in said
    assert "反复出现" in said
    for step, state in (
        ("acknowledge", "acknowledged"),
        ("silence", "silenced"),
        ("reopen", "open"),
        ("resolve", "resolved"),
    ):
        assert visitor.post(f"{page}/{step}").headers["location"] == page
        assert api.get(f"/v1/problems/{problem_id}").json()["state"] == state
    audit = [item for item in api.get("/v1/audit").json()["items"] if item["object"] == problem_id]
    assert {item["actor"] for item in audit if item["action"] == "problem.acknowledge"} != set()
    refused = visitor.post(f"{page}/silence")
    assert refused.status_code == 409
    assert "problem" in refused.text


def test_an_agent_sees_problems_and_changes_none(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    visitor = signed_in(api, "agent")
    assert "Resolve" not in visitor.text(f"/console/problems/{problem_id}")
    assert visitor.post(f"/console/problems/{problem_id}/resolve").status_code == 403


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
    marked = re.search(r'<mark id="cited">([^<]+)</mark>', document)
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


def test_an_editor_closes_a_gap(api: Api) -> None:
    for number in range(3):
        asked = {
            "query": "Does the kettle have a whistle?",
            "customer": {"id": f"u-{number}"},
            "conversation_id": f"g-{number}",
        }
        api.post("/v1/answers", asked, role="bot")
        api.clock.advance(minutes=1)
    editor = signed_in(api, "editor")
    (gap,) = api.get("/v1/gaps").json()["items"]
    assert "3 customers asked 3 questions" in editor.text("/console/knowledge/gaps")
    published = editor.post(
        f"/console/knowledge/gaps/{gap['id']}/publish",
        title="Does the kettle have a whistle?",
        body="Yes, it whistles\r\nwhen the water boils.",
        language="en",
    )
    assert published.status_code == 303
    assert "Yes, it whistles when the water boils." in editor.text(published.headers["location"])
    assert "Every question had a good answer." in editor.text("/console/knowledge/gaps")


def test_who_only_reads_cannot_publish(api: Api) -> None:
    visitor = signed_in(api, "product")
    refused = visitor.post("/console/knowledge/gaps/gap_1/publish", title="T", body="B", language="en")
    assert refused.status_code == 403


def test_documents_are_listed_by_kind(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    visitor = signed_in(api, "agent", language="zh")
    assert "Returns 政策" in visitor.text("/console/knowledge?kind=policy")
    assert "没有符合条件的文档。" in visitor.text("/console/knowledge?kind=faq")


def test_documents_that_contradict_and_those_out_of_date_have_pages(api: Api) -> None:
    visitor = signed_in(api, "product")
    assert "None was found." in visitor.text("/console/knowledge/conflicts")
    api.put("/v1/documents/old", {**RETURNS, "valid_to": "2026-06-20T00:00:00Z"})
    assert "Returns" in visitor.text("/console/knowledge/stale")


def test_traffic_is_shown_by_hour_and_by_what_it_is_about(api: Api) -> None:
    visitor = signed_in(api, "product", language="zh")
    assert "预测需要至少两天的消息。" in visitor.text("/console/traffic")
    api.recurring(channel="wechat")
    said = visitor.text("/console/traffic?by=channel&key=wechat")
    assert "3 个会话，3 条消息，3 位顾客" in said
    assert "周四" in said


def test_an_administrator_invites_and_ends_members(api: Api) -> None:
    api.put("/v1/agents/agent-1", {"name": "agent-1"})
    boss = signed_in(api, "admin", name="Boss")
    form = {"name": "Mo", "roles": "agent", "agent_id": "agent-1"}
    invited = boss.post("/console/administration/members", **form)
    link = re.search(r"http://testserver(/console/sign-in\?token=[\w-]+)", invited.text)
    assert link
    guest = browser(api)
    assert "shop" in guest.text(link[1])
    assert guest.post("/console/sign-in", token=link[1].partition("=")[2]).status_code == 303
    assert guest.get("/console/desk").status_code == 200
    assert guest.get("/console/administration").status_code == 403
    member_id = next(item.id for item in api.services.accounts.members("shop") if item.name == "Mo")
    again = boss.post(f"/console/administration/members/{member_id}/link")
    assert "/console/sign-in?token=" in again.text
    assert boss.post(f"/console/administration/members/{member_id}/end").status_code == 303
    assert "Mo" not in boss.text("/console/administration").split("Invite somebody")[0]
    assert guest.get("/console/desk").status_code == 303
    trail = boss.text("/console/administration/audit")
    assert "Boss member.invited" in trail
    assert "Boss member.ended" in trail


@pytest.mark.parametrize(
    "form", [{"name": "Mo"}, {"name": " ", "roles": "agent"}, {"name": "Mo", "roles": "boss"}]
)
def test_an_invitation_names_what_it_lacks(api: Api, form: dict[str, str]) -> None:
    response = signed_in(api, "admin").post("/console/administration/members", **form)
    assert response.status_code == 422
    assert "name" in response.text or "role" in response.text
