"""The agents' desk: lists, one case with what helps to answer it, replies and what becomes of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import kb_service.console
from kb_service.store.events import Events
from tests.kb_service.conftest import LATE, RETURNS, Api
from tests.kb_service.console.visitors import Browser, signed_in

ASKED = "May unworn clothing be returned?"
BLANKS = {
    "kind": "resolution",
    "title": "Where is my parcel",
    "language": "en",
    "fields": {
        "question": LATE,
        "reply": "Hello {customer.name}, your parcel {parcel.number} arrives on {parcel.eta}.",
        "outcome": "resolved",
    },
}


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def suggestion(page: str) -> dict[str, str]:
    return {name: field(page, name) for name in ("exposure_id", "answer_id", "shown")}


@pytest.fixture
def team(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    for number in (1, 2):
        api.put(f"/v1/agents/agent-{number}", {"name": f"Agent {number}", "online": True})


@pytest.fixture
def desk(api: Api, team: None) -> Browser:
    return signed_in(api, "agent", agent_id="agent-1")


def waits(api: Api, id: str, text: str = ASKED, **fields: Any) -> str:
    """A customer writes and is handed to people; the address of their case."""
    api.post("/v1/events", api.event(id, text=text, **fields))
    case_id = api.case_id(id)
    api.post(f"/v1/cases/{case_id}/handover")
    return f"/console/cases/{case_id}"


def outcomes(api: Api, exposure_id: str) -> list[str]:
    with api.store.reading("shop") as unit:
        return [item.outcome for item in unit.feedback.of_exposure(exposure_id)]


# --- lists


def test_every_list_tells_how_many_cases_it_holds(api: Api, desk: Browser) -> None:
    waits(api, "m1")
    desk.post(waits(api, "m2") + "/take")
    api.post("/v1/events", api.event("m3"))
    said = desk.text("/console/desk")
    assert "Waiting 1 Mine 1 Asked of me 0 Assigned 1 Pending 0 With the bot 1 Resolved 0" in said


def test_who_is_no_agent_has_no_list_of_their_own(api: Api, team: None) -> None:
    visitor = signed_in(api, "product")
    assert "Mine" not in visitor.text("/console/desk")
    assert "You have no open case." in visitor.text("/console/desk?view=mine")


def test_the_queue_shows_the_most_pressing_first_with_the_reason(api: Api, desk: Browser) -> None:
    calm = waits(api, "m1", "Hello, which sizes are there?")
    angry = waits(api, "m2", "I am furious, this is the third time, refund me now!!!")
    page = desk.get("/console/desk").text
    assert page.index(angry) < page.index(calm)
    assert re.search(r"\+\d+</span> [^<]*angry", page)
    assert "I am furious" in page


def test_rows_come_again_only_when_something_changed(api: Api, desk: Browser) -> None:
    waits(api, "m1")
    page = desk.get("/console/desk").text
    again = re.search(r'hx-get="([^"]+)"', page)
    assert again
    rows = again[1].replace("&amp;", "&")
    assert desk.get(rows).status_code == 204
    case = waits(api, "m2", "Where is my parcel?")
    changed = desk.get(rows)
    assert changed.status_code == 200
    assert case in changed.text
    assert "<html" not in changed.text
    assert re.search(r'id="count-waiting" hx-swap-oob="true">2<', changed.text)


def test_a_refresh_leaves_the_word_of_what_was_done_to_the_page(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    assert desk.post(case + "/take").status_code == 303
    assert desk.get("/console/desk/rows").status_code == 200
    assert "The case is yours." in desk.text(case)
    assert "The case is yours." not in desk.text(case)


def test_long_lists_are_paged(api: Api, desk: Browser) -> None:
    for number in range(51):
        api.post("/v1/events", api.event(f"m{number}", text=f"question number {number}"))
    page = desk.get("/console/desk?view=bot").text
    assert page.count('class="row"') == 50
    more = re.search(r'href="([^"]+cursor=[^"]+)"', page)
    assert more
    assert desk.get(more[1].replace("&amp;", "&")).text.count('class="row"') == 1


def test_the_next_case_goes_round_what_waits(api: Api, desk: Browser) -> None:
    cases = {waits(api, f"m{number}") for number in range(3)}
    seen, page = [], desk.get("/console/desk/next").headers["location"]
    for _ in range(3):
        seen.append(page)
        page = desk.get(f"/console/desk/next?after={page.rpartition('/')[2]}").headers["location"]
    assert set(seen) == cases
    assert page == seen[0]


def test_ones_own_cases_whose_customer_waits_come_before_the_queue(api: Api, desk: Browser) -> None:
    waits(api, "m1", "I am furious, refund me now!!!")
    mine = waits(api, "m2")
    desk.post(mine + "/take")
    assert desk.get("/console/desk/next").headers["location"] == mine
    desk.post(mine + "/reply", text="Yes.")
    assert desk.get("/console/desk/next").headers["location"] != mine


def test_where_nothing_waits_the_desk_says_so(api: Api, desk: Browser) -> None:
    assert desk.get("/console/desk/next").headers["location"] == "/console/desk"
    assert "Nothing else waits." in desk.text("/console/desk")
    assert "Nobody waits. New cases appear here by themselves." in desk.text("/console/desk")


# --- one case


def test_a_case_shows_every_channel_and_what_happened_quietly(api: Api, desk: Browser) -> None:
    case = waits(api, "m1", conversation_id="c-1", customer_id="u-1", channel="wechat")
    here = {"conversation_id": "c-1", "customer_id": "u-1"}
    api.clock.advance(minutes=1)
    api.post("/v1/events", api.event("b1", **here, channel="app", role="bot", text="One moment."))
    passed = {"type": "transfer", "text": None, "from_agent": "agent-2", "to_agent": "agent-1"}
    api.post("/v1/events", api.event("t1", **here, **passed, reason="freight"))
    api.post("/v1/events", api.event("r1", **here, type="rating", text=None, rating=4))
    said = desk.text(case)
    assert "customer WeChat" in said
    assert "bot app" in said
    assert "passed from Agent 2 to Agent 1: freight" in said
    assert "rated 4 of 5" in said


def test_a_case_says_what_was_understood_and_why_it_presses(api: Api, desk: Browser) -> None:
    api.recurring()
    case = waits(api, "m9", LATE + " !!! order SO20261119-0042")
    said = desk.text(case)
    assert "order SO20261119-0042" in said
    assert "Urgency" in said
    assert re.search(r"Problem my parcel .* open", said)
    assert "Priority" in said


def test_a_product_is_called_by_its_name_and_not_by_a_page_about_it(api: Api, desk: Browser) -> None:
    about = {"kind": "product", "language": "en", "products": ["SLA-EB20"]}
    api.put(
        "/v1/documents/a-page", {**about, "title": "EB20 Earbuds: help", "text": "Press for ten seconds."}
    )
    row = {"title": "Sonlan EB20 Earbuds", "text": "Two drivers.", "fields": {"Price": "399"}}
    api.put("/v1/documents/row", {**about, **row})
    case = waits(api, "m1", "my SLA-EB20 is broken")
    said = desk.text(case)
    assert "product Sonlan EB20 Earbuds" in said
    assert "product EB20 Earbuds: help" not in said


def test_a_case_that_was_passed_on_says_whom_it_asks_for(api: Api, desk: Browser) -> None:
    for name, permissions in (("agent-1", []), ("agent-2", ["level-2"])):
        known = {"name": name, "online": True, "languages": ["en"], "permissions": permissions}
        api.put(f"/v1/agents/{name}", known)
    case = waits(api, "m1", LATE)
    assert "Asks for" not in desk.text(case)
    api.post(f"/v1/cases/{api.case_id('m1')}/assign", {"agent_id": "agent-1"})
    api.post(f"/v1/cases/{api.case_id('m1')}/handover")
    assert "Asks for experts who had it passed it on" in desk.text(case)


def test_the_priority_of_a_case_is_that_of_its_row(api: Api, desk: Browser) -> None:
    case = waits(api, "m1", "I am furious, refund me now")
    score = re.search(r"(\d+) · \w+", desk.text("/console/desk"))
    assert score
    assert f"Priority {score[0]}" in desk.text(case)


def test_a_case_in_which_nothing_was_written_is_shown(api: Api, desk: Browser) -> None:
    call = {"type": "transfer", "text": None, "to_agent": "agent-1", "channel": "phone"}
    api.post("/v1/events", api.event("t1", **call))
    case = f"/console/cases/{api.case_id('t1')}"
    said = desk.text(case)
    assert "passed to Agent 1" in said
    assert "Suggested reply" not in said
    assert "Write your own" in said


def test_a_long_conversation_is_shown_from_its_end(api: Api, desk: Browser) -> None:
    here = {"conversation_id": "c-1", "customer_id": "u-1"}
    for number in range(50):
        api.post("/v1/events", api.event(f"m{number}", **here, text=f"turn number {number}"))
        api.clock.advance(seconds=1)
    case = f"/console/cases/{api.case_id('m0')}"
    page = desk.get(case).text
    assert "turn number 49" in page
    assert "turn number 29<" not in page
    assert f"{case}/turns?before=30" in page
    part = desk.client.get(f"{case}/turns?before=30", headers={"hx-request": "true"}).text
    assert "turn number 29<" in part
    assert "<html" not in part
    assert f"{case}/turns?before=10" in part
    assert "turn number 0<" in desk.get(f"{case}/turns?before=10").text


def test_the_case_of_a_merged_problem_leads_to_the_survivor(api: Api, desk: Browser) -> None:
    gone = api.recurring()["problem"]["id"]
    kept = api.recurring("k", text="the refund has not reached my bank card")["problem"]["id"]
    assert gone != kept
    case = f"/console/cases/{api.case_id('m0')}"
    assert api.post(f"/v1/problems/{gone}/merge", {"into": kept}).status_code == 200
    assert f"/console/problems/{kept}" in desk.get(case).text
    assert desk.get("/console/desk?view=bot").status_code == 200


def test_nothing_is_left_of_an_erased_customer(api: Api, desk: Browser) -> None:
    case = waits(api, "m1", "My name is Wang, where is my secret parcel?", customer_id="u-gone")
    assert api.delete("/v1/customers/u-gone").status_code in (200, 204)
    assert desk.get(case).status_code == 404
    assert "secret parcel" not in desk.text("/console/desk")
    assert desk.get("/console/search?q=u-gone").status_code == 200


def test_past_cases_of_the_problem_show_what_resolved_them(api: Api, desk: Browser) -> None:
    api.recurring()
    for number, reply in enumerate(("It was sent again.", "It was sent again.", "Please wait.")):
        case_id = api.case_id(f"m{number}")
        api.post(f"/v1/cases/{case_id}/resolve", {"agent_id": "agent-2", "reply": reply})
    failed = api.event(
        "f1", type="followup", text=None, resolved=False, conversation_id="c-m2", customer_id="u-m2"
    )
    api.clock.advance(minutes=5)
    api.post("/v1/events", failed | {"at": api.clock.now.isoformat()})
    said = desk.text(waits(api, "m9", LATE))
    ended = said.partition("How such cases ended")[2]
    assert "It was sent again. it held 2 times" in ended
    assert "Agent 2" in ended


def test_the_customers_other_cases_are_named(api: Api, desk: Browser) -> None:
    waits(api, "m1", "Which cards do you take?", customer_id="u-1")
    desk.post(f"/console/cases/{api.case_id('m1')}/resolve")
    api.clock.advance(hours=100)
    case = waits(api, "m2", customer_id="u-1", conversation_id="c-9")
    assert "Which cards do you take?" in desk.text(case).partition("This customer's other cases")[2]


def test_who_came_to_read_sees_a_case_and_changes_nothing(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    for role in ("product", "editor"):
        visitor = signed_in(api, role)
        said = visitor.text(case)
        assert "You can read this case; agents answer it." in said
        assert "Suggested reply" not in said
        assert "Take" not in said
        for act in ("take", "handover", "resolve", "reply", "reject", "consult"):
            assert visitor.post(f"{case}/{act}", text="x").status_code == 403


def test_who_only_reads_is_suggested_nothing(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    assert signed_in(api, "product").get(case).status_code == 200
    api.services.exposures.flush()
    with api.store.reading("shop") as unit:
        assert unit.exposures.of_conversation("c-m1") == ()


def test_an_agent_whom_the_shop_does_not_know_can_read(api: Api, team: None) -> None:
    case = waits(api, "m1")
    visitor = signed_in(api, "agent")
    page = visitor.get(case).text
    assert "within 30 days" in page
    assert f"{case}/take" not in page


# --- replies


def test_a_reply_is_kept_with_the_case_and_takes_it(api: Api, desk: Browser) -> None:
    case = waits(api, "m1", channel="wechat")
    ids = suggestion(desk.get(case).text)
    assert desk.post(case + "/reply", text=ids["shown"] + "\r\n", **ids).headers["location"] == case
    told = api.get("/v1" + case.removeprefix("/console")).json()
    assert told["state"] == "assigned"
    assert told["agent_id"] == "agent-1"
    assert told["events"][-1]["channel"] == "wechat"
    assert outcomes(api, ids["exposure_id"]) == ["accepted"]
    after = desk.text(case)
    assert "The reply is kept with the case." in after
    assert "Suggested reply 1" not in after
    assert "Suggested reply 1" in desk.text(case + "?suggest=true")


def test_a_reply_can_resolve_the_case_and_lead_to_the_next(api: Api, desk: Browser) -> None:
    first, second = waits(api, "m1"), waits(api, "m2")
    ids = suggestion(desk.get(first).text)
    went = desk.post(first + "/reply", text=ids["shown"], then="resolve", **ids)
    assert went.headers["location"] == second
    told = api.get("/v1" + first.removeprefix("/console")).json()
    assert told["state"] == "resolved"
    assert told["events"][-1]["reply"] == ids["shown"]
    assert "Resolved. This is the next case." in desk.text(second)
    went = desk.post(second + "/resolve")
    assert went.headers["location"] == "/console/desk"
    assert "Resolved. Nothing else waits." in desk.text("/console/desk")


def test_a_resolution_is_undone_by_taking_the_case_again(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/resolve")
    page = desk.get("/console/desk").text
    assert f'action="{case}/take"' in page
    assert desk.post(case + "/take").status_code == 303
    assert api.get("/v1" + case.removeprefix("/console")).json()["state"] == "assigned"


@pytest.fixture
def blanks(api: Api, desk: Browser) -> str:
    api.put("/v1/documents/parcel", BLANKS)
    return waits(api, "m1", LATE + ", parcel SF1234567890123")


def test_what_the_case_knows_fills_a_reply_and_the_rest_is_asked_for(
    api: Api, desk: Browser, blanks: str
) -> None:
    page = desk.get(blanks).text
    assert "your parcel SF1234567890123 arrives" in page
    said = desk.text(blanks)
    assert "Customer's name" in said
    assert "Expected delivery" in said
    assert "Tracking number" not in said


def test_no_reply_leaves_with_a_placeholder(api: Api, desk: Browser, blanks: str) -> None:
    ids = suggestion(desk.get(blanks).text)
    form = {"text": ids["shown"] + " Bye.", **ids, "blank": "customer.name", "value": "Li Hua"}
    refused = desk.post(blanks + "/reply", **form)
    assert refused.status_code == 422
    assert "Not sent: fill in Expected delivery first." in refused.text
    assert "Bye.</textarea>" in refused.text
    assert 'value="Li Hua"' in refused.text
    assert field(refused.text.partition('data-reply="w"')[2], "answer_id") == ids["answer_id"]
    assert outcomes(api, ids["exposure_id"]) == []
    events = api.get("/v1" + blanks.removeprefix("/console")).json()["events"]
    assert [event["role"] for event in events] == ["customer"]


def test_a_reply_that_was_only_filled_in_was_accepted(api: Api, desk: Browser, blanks: str) -> None:
    ids = suggestion(desk.get(blanks).text)
    sent = desk.client.post(
        blanks + "/reply",
        data={
            "csrf": field(desk.get(blanks).text, "csrf"),
            "text": ids["shown"],
            **ids,
            "blank": ["customer.name", "parcel.eta"],
            "value": ["Li Hua", "Monday"],
        },
        follow_redirects=False,
    )
    assert sent.status_code == 303
    assert outcomes(api, ids["exposure_id"]) == ["accepted"]
    events = api.get("/v1" + blanks.removeprefix("/console")).json()["events"]
    assert events[-1]["text"] == "Hello Li Hua, your parcel SF1234567890123 arrives on Monday."


def test_of_two_orders_that_a_customer_names_none_is_taken(api: Api, desk: Browser, blanks: str) -> None:
    also = api.event("m2", conversation_id="c-m1", customer_id="u-m1", text="and parcel SF9999999999999 too")
    api.clock.advance(minutes=1)
    api.post("/v1/events", also | {"at": api.clock.now.isoformat()})
    assert "Tracking number" in desk.text(blanks)


def test_a_rejected_reply_is_noted_in_its_place(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    page = desk.get(case).text
    ids = suggestion(page)
    form = {"csrf": field(page, "csrf"), "exposure_id": ids["exposure_id"], "answer_id": ids["answer_id"]}
    noted = desk.client.post(case + "/reject", data=form, headers={"hx-request": "true"})
    assert "<html" not in noted.text
    assert outcomes(api, ids["exposure_id"]) == ["rejected"]


# --- steps that two people take, or one takes twice


def stood(api: Api, case: str) -> dict[str, Any]:
    return dict(api.get("/v1" + case.removeprefix("/console")).json())


def left(page: str) -> dict[str, str]:
    """The fields of the undo that a page offers."""
    form = re.search(
        r'<form[^>]*action="[^"]*/(?:take|handover)"[^>]*>(?:(?!</form>).)*name="left".*?</form>', page, re.S
    )
    assert form
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
    return {name: value for name, value in fields.items() if name != "csrf"}


def done_in(api: Api, case: str) -> list[tuple[str, str, dict[str, Any]]]:
    """What the audit tells of a case."""
    with api.store.reading("shop") as unit:
        entries = unit.audit.page(object=case.rpartition("/")[2]).items
    return [(item.action, item.actor, dict(item.detail)) for item in reversed(entries)]


def test_undoing_a_take_leaves_the_case_with_a_colleague_who_took_it_since(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    fields = left(desk.get(case).text)
    signed_in(api, "agent", name="Mo", agent_id="agent-2").post(case + "/take")
    refused = desk.post(case + "/handover", **fields)
    assert refused.status_code == 409
    assert "Something else was done since" in refused.text
    assert stood(api, case)["agent_id"] == "agent-2"


def test_a_take_that_nobody_followed_is_undone_and_so_is_that(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    assert desk.post(case + "/handover", **left(desk.get(case).text)).status_code == 303
    assert stood(api, case)["state"] == "waiting"
    fields = left(desk.get(case).text)
    assert desk.post(case + "/take", **fields).status_code == 303
    assert stood(api, case)["agent_id"] == "agent-1"


def test_undoing_a_hand_over_does_not_take_from_who_took_it_out_of_the_queue(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    desk.post(case + "/handover")
    fields = left(desk.get(case).text)
    signed_in(api, "agent", name="Mo", agent_id="agent-2").post(case + "/take")
    assert desk.post(case + "/take", **fields).status_code == 409
    assert stood(api, case)["agent_id"] == "agent-2"


def test_undoing_a_resolution_does_not_take_from_who_reopened_it(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    desk.post(case + "/resolve")
    fields = left(desk.get("/console/desk").text)
    signed_in(api, "agent", name="Mo", agent_id="agent-2").post(case + "/take")
    assert desk.post(case + "/take", **fields).status_code == 409
    assert stood(api, case)["agent_id"] == "agent-2"


def test_resolving_a_colleagues_case_is_told_in_the_audit_and_credited_to_who_did_it(
    api: Api, desk: Browser
) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    signed_in(api, "agent", name="Mo", agent_id="agent-2").post(case + "/resolve")
    assert stood(api, case)["events"][-1]["agent_id"] == "agent-2"
    action, actor, detail = done_in(api, case)[-1]
    assert (action, detail) == ("case.resolved", {"agent": "agent-2", "owner": "agent-1", "solved": True})
    assert actor == next(member.id for member in api.services.accounts.members("shop") if member.name == "Mo")
    told = signed_in(api, "admin", name="Ann").text("/console/administration/audit")
    assert "resolved a case" in told


def test_who_is_no_agent_resolves_a_case_without_crediting_its_owner(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    signed_in(api, "admin", name="Ann").post(case + "/resolve")
    told = stood(api, case)
    assert told["state"] == "resolved"
    assert told["events"][-1]["agent_id"] is None
    assert done_in(api, case)[-1][2] == {"owner": "agent-1", "solved": True}


def test_by_the_api_an_unnamed_resolution_is_the_owners(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    api.post("/v1" + case.removeprefix("/console") + "/resolve")
    assert stood(api, case)["events"][-1]["agent_id"] == "agent-1"
    assert done_in(api, case)[-1][2] == {"agent": "agent-1", "solved": True}


def test_a_reply_is_told_in_the_audit_without_its_words(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/reply", text="It is 13812345678, on its way.")
    action, actor, detail = done_in(api, case)[-1]
    assert (action, detail) == ("case.replied", {"agent": "agent-1"})
    assert actor == api.services.accounts.members("shop")[0].id
    assert "13812345678" not in stood(api, case)["events"][-1]["text"]


def test_a_form_that_is_sent_twice_sends_one_reply(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    page = desk.get(case).text
    once = {"text": "It is on its way.", "nonce": field(page, "nonce")}
    assert len(set(re.findall(r'name="nonce" value="([^"]+)"', page))) == page.count('name="nonce"') > 1
    for _ in range(2):
        api.clock.advance(minutes=1)
        assert desk.post(case + "/reply", **once).headers["location"] == case
    assert [event["role"] for event in stood(api, case)["events"]] == ["customer", "agent"]
    assert [action for action, *_ in done_in(api, case)].count("case.replied") == 1
    desk.post(case + "/reply", **once | {"nonce": field(desk.get(case).text, "nonce")})
    assert len(stood(api, case)["events"]) == 3, "the same words of a new form are said again"


def test_a_case_is_resolved_once_however_often_it_is_pressed(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    for _ in range(2):
        api.clock.advance(minutes=1)
        assert desk.post(case + "/resolve").status_code == 303
    api.post("/v1" + case.removeprefix("/console") + "/resolve")
    assert [event["type"] for event in stood(api, case)["events"]].count("resolution") == 1
    assert [action for action, *_ in done_in(api, case)].count("case.resolved") == 1


@pytest.mark.parametrize("step", ["take", "handover", "consult", "resolve", "reply", "reject"])
def test_the_address_of_a_refused_form_leads_to_the_case(api: Api, desk: Browser, step: str) -> None:
    case = waits(api, "m1")
    assert desk.get(f"{case}/{step}").headers["location"] == case
    assert desk.get(f"{case}/nothing").status_code == 404


def test_a_wait_of_days_and_the_cap_are_told_in_plain_words_on_the_desk_and_the_case(
    api: Api, desk: Browser
) -> None:
    case = waits(api, "m1")
    api.clock.advance(hours=254)
    english, chinese = (signed_in(api, "agent", agent_id="agent-1", language=one) for one in ("en", "zh"))
    for address in ("/console/desk", case):
        told = english.text(address)
        assert "waiting 10 days" in told
        assert "times the promised time for a first reply" in told
        assert "100 is the most a case can have" in told
        assert "已等待 10 天" in chinese.text(address)
        terms = re.search(r'<ul class="terms">(.*?)</ul>', english.get(address).text, re.S)
        assert terms
        points = [int(value.replace("−", "-")) for value in re.findall(r'figures">([+−]\d+)<', terms[1])]
        assert sum(points) == 100


# --- colleagues


def test_a_case_is_handed_over_with_a_reason_and_back(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    desk.post(case + "/handover", reason="Freight, tel. 13812345678", agent_id="agent-2")
    told = api.get("/v1" + case.removeprefix("/console"))
    assert told.json()["agent_id"] == "agent-2"
    page = desk.get(case).text
    assert "Handed over to Agent 2." in page
    assert f'action="{case}/take"' in page
    (note,) = [
        item["note"]
        for item in api.get(f"/v1{case.removeprefix('/console')}/decisions").json()["items"]
        if item["note"]
    ]
    assert note.startswith("Freight")
    assert "13812345678" not in note
    desk.post(case + "/handover", reason="")
    assert api.get("/v1" + case.removeprefix("/console")).json()["state"] == "waiting"


def test_who_is_asked_finds_the_case_and_the_owner_stays(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    assert "Ask Agent 2" in desk.text(case + "/experts")
    assert desk.post(case + "/consult", agent_id="agent-2", note="A known fault?").headers["location"] == case
    said = desk.text(case)
    assert "Agent 2 was asked: A known fault?" in said
    assert "with Agent 1" in said
    colleague = signed_in(api, "agent", agent_id="agent-2", name="Bo")
    assert case in colleague.get("/console/desk?view=asked").text
    assert "Asked of me 1" in colleague.text("/console/desk")
    assert desk.post(case + "/consult").status_code == 422


def test_a_bot_does_not_talk_over_an_agent(api: Api, desk: Browser) -> None:
    api.post("/v1/events", api.event("m1", text=ASKED, conversation_id="c-1"))
    case = f"/console/cases/{api.case_id('m1')}"
    desk.post(case + "/reply", text="Yes, within 30 days.")
    asked = {"query": ASKED, "conversation_id": "c-1", "customer": {"id": "u-m1"}}
    assert api.post("/v1/answers", asked, role="bot").json()["reason"] == "with_a_person"


def test_a_page_that_stands_open_hears_of_what_is_new(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    news = re.search(r'hx-get="([^"]+/news[^"]+)"', desk.get(case).text)
    assert news
    assert desk.get(news[1]).status_code == 204
    api.clock.advance(minutes=1)
    api.post("/v1/events", api.event("m2", conversation_id="c-m1", customer_id="u-m1", text="Hello?"))
    assert "1 new" in desk.text(news[1])


# --- ask and search


def test_a_copied_answer_and_a_rejected_one_teach(api: Api, desk: Browser) -> None:
    page = desk.get(f"/console/ask?q={ASKED}").text
    ids = suggestion(page)
    assert desk.post("/console/ask/used", text=ids["shown"] + " Bye.", **ids).status_code == 303
    assert outcomes(api, ids["exposure_id"]) == ["edited"]
    ids = suggestion(desk.get(f"/console/ask?q={ASKED}").text)
    del ids["shown"]
    assert desk.post("/console/ask/reject", **ids).status_code == 303
    assert outcomes(api, ids["exposure_id"]) == ["rejected"]


def test_a_search_marks_words_and_opens_the_passage(api: Api, desk: Browser) -> None:
    page = desk.get("/console/search?q=clothing return").text
    assert "<mark>clothing</mark>" in page
    assert "<mark>returned</mark>" in page
    link = re.search(r'href="(/console/documents/returns[^"#]+)#cited"', page)
    assert link
    assert 'id="cited"' in desk.get(link[1].replace("&amp;", "&")).text
    assert "/console/documents/returns" in desk.get("/console/search?q=clothing&kind=policy").text
    assert "No document fits." in desk.text("/console/search?q=clothing&kind=faq")


def test_a_search_finds_cases_by_the_ids_they_go_by(api: Api, desk: Browser) -> None:
    case = waits(api, "m1", customer_id="u-7", conversation_id="talk-7")
    for wanted in ("u-7", "talk-7", case.rpartition("/")[2], " u-7 "):
        assert case in desk.get(f"/console/search?q={wanted}").text
    assert case not in signed_in(api, "agent", workspace="other").get("/console/search?q=u-7").text


def test_internal_documents_are_found_by_the_shops_people(api: Api, desk: Browser) -> None:
    api.put("/v1/documents/secret", {**RETURNS, "title": "Freight rates", "audience": "internal"})
    assert "internal" in desk.text("/console/search?q=clothing returned")


TEMPLATES = Path(kb_service.console.__file__).parent / "templates"


@pytest.mark.parametrize("area", ["every", "desk", "problems", "knowledge", "traffic", "administration"])
def test_every_key_of_an_area_is_told_of(api: Api, team: None, area: str) -> None:
    page = signed_in(api, "agent").get("/console/shortcuts").text
    sheets = {
        part.partition('"')[0]: set(re.findall(r"<kbd>([^<]+)</kbd>", part))
        for part in page.split('data-area="')[1:]
    }
    templates = TEMPLATES.glob("*.html") if area == "every" else (TEMPLATES / area).glob("*.html")
    keys = {
        key
        for template in templates
        for key in re.findall(r'data-(?:key|act|reply)="([^"{]+)"', template.read_text("utf-8"))
    }
    assert keys <= sheets.get(area, set()) | sheets["every"]


def test_lists_and_news_read_no_case_whole(api: Api, desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    case = waits(api, "m1", customer_id="u-7", conversation_id="talk-7")

    def whole(*given: Any) -> Any:
        raise AssertionError("read whole")

    for name in ("of_case", "of_each_case"):
        monkeypatch.setattr(Events, name, whole)
    assert desk.get(f"{case}/news?seen=1").status_code == 204
    assert "1 new" in desk.text(f"{case}/news?seen=0")
    assert case in desk.get("/console/search?q=talk-7").text
    with api.services.store.reading("shop") as unit:
        said = unit.events.last_words([case.rpartition("/")[2]])
    shown = desk.text("/console/search?q=talk-7")
    assert [words.said in shown for words in said.values()] == [True]


# --- who could have a case, and what was done


def could_have(page: str) -> list[tuple[str, list[str]]]:
    """The groups of the list to hand a case over to, each with what stands on its lines."""
    groups = re.findall(r'<optgroup label="([^"]*)">(.*?)</optgroup>', page, re.S)
    return [(label, re.findall(r"<option[^>]*>([^<]*)</option>", lines)) for label, lines in groups]


def test_a_case_is_handed_over_to_those_whom_routing_would_choose_with_what_tells_them_apart(
    api: Api, desk: Browser
) -> None:
    field = "delivery-and-parcels"
    api.put(
        "/v1/intents/parcel",
        {"label": "Parcel", "examples": [LATE, "where is my parcel"], "expertise": field},
    )
    api.put(f"/v1/expertise/{field}", {"name": "物流 / Delivery"})
    knows = {"online": True, "skills": [field], "languages": ["en"], "capacity": 4}
    api.put("/v1/agents/agent-3", {**knows, "name": "Ada"})
    api.put("/v1/agents/agent-4", {**knows, "name": "Bo", "online": False})
    api.put("/v1/agents/agent-5", {**knows, "name": "Cy", "languages": ["zh"]})
    case = waits(api, "m1", LATE)
    groups = could_have(desk.get(case).text)
    assert groups[0] == ("Free now", ["Ada · knows Delivery · 0 of 4 cases · English"])
    assert ("Away", ["Bo · knows Delivery · 0 of 4 cases · English"]) in groups
    (outside,) = (lines for label, lines in groups if label.startswith("Others"))
    assert "Cy · knows Delivery · 0 of 4 cases · Chinese" in outside
    assert all("delivery-and-parcels" not in line for _, lines in groups for line in lines)
    desk.post(case + "/handover", agent_id="agent-3")
    assert not any("Ada" in line for _, lines in could_have(desk.get(case).text) for line in lines)
    chinese = could_have(signed_in(api, "agent", agent_id="agent-1", language="zh").get(case).text)
    assert any("专长：物流" in line for _, lines in chinese for line in lines)


def told(desk: Browser, page: str) -> str:
    """The notice on a page."""
    found = re.search(r'<div class="notice" role="status">(.*?)<', desk.get(page).text, re.S)
    assert found
    return " ".join(found[1].split())


def test_a_hand_over_that_is_undone_is_told_as_that_and_not_as_a_take(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    desk.post(case + "/handover", agent_id="agent-2")
    desk.post(case + "/take", **left(desk.get(case).text))
    page = desk.get(case).text
    assert "The hand-over was undone: the case is yours again." in page
    desk.post(case + "/handover", **left(page))
    assert told(desk, case) == "Handed over to Agent 2 again."


def test_a_hand_over_out_of_the_queue_is_undone_into_the_queue(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/handover", agent_id="agent-2")
    desk.post(case + "/handover", **left(desk.get(case).text))
    assert told(desk, case) == "The hand-over was undone: the case waits again."
    assert stood(api, case)["state"] == "waiting"


def test_a_take_that_is_undone_is_told_as_that_and_not_as_a_hand_over(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    desk.post(case + "/handover", **left(desk.get(case).text))
    assert told(desk, case) == "Taking it was undone: the case waits for an agent."
    desk.post(case + "/handover", agent_id="agent-2")
    desk.post(case + "/take")
    desk.post(case + "/handover", **left(desk.get(case).text))
    assert told(desk, case) == "Taking it was undone: the case is with Agent 2 again."


def test_a_resolution_that_is_undone_is_told_as_that(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/resolve")
    desk.post(case + "/take", **left(desk.get("/console/desk").text))
    page = desk.get(case).text
    assert "The resolution was undone: the case is open again and yours." in page
    assert 'name="undoes"' not in page, "who had it before cannot have it back resolved"


def test_a_case_that_is_reopened_is_told_as_that_and_not_put_into_the_queue_again(
    api: Api, desk: Browser
) -> None:
    case = waits(api, "m1")
    desk.post(case + "/resolve")
    desk.post(case + "/take")
    page = desk.get(case).text
    assert "Reopened: the case is yours." in page
    assert 'name="undoes"' not in page


def test_masks_and_placeholders_are_told_in_words_and_sent_as_they_are(api: Api, desk: Browser) -> None:
    api.put("/v1/documents/parcel", BLANKS)
    page = desk.get(waits(api, "m1", LATE)).text
    read = re.sub(r"<textarea.*?</textarea>|<input[^>]*>", "", page, flags=re.S)
    assert "{customer.name}" not in re.sub(r'title="[^"]*"|data-written="[^"]*"', "", read)
    assert "{customer.name}" in page[page.index("<textarea") : page.index("</textarea>")]


def test_why_a_case_was_passed_on_is_told_in_the_readers_language(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    reason = "顾客要求人工 / the customer asked for a person"
    known = api.get("/v1/events/m1").json()
    passed = {name: known[name] for name in ("conversation_id", "at")}
    passed |= {"id": "t1", "type": "transfer", "to_agent": "agent-2", "reason": reason}
    assert api.post("/v1/events", passed).status_code == 200
    assert "passed to Agent 2: the customer asked for a person" in desk.text(case)
    assert "顾客要求人工" not in desk.text(case)
