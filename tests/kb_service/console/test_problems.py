"""Problems, alerts and proposals in the console: what the board says, what is done, and how it is taken back."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest

from kb_service.models import LinkedDocument, Principal, ProblemView
from kb_service.recurring.problems import Problems
from tests.kb_service.conftest import DAY, LATE, RETURNS, Api
from tests.kb_service.console.visitors import Browser, signed_in
from tests.kb_service.store_statements import store_statements

BROKEN = "the zipper of the jacket broke after one wash"
NOTICE = re.compile(r'<div class="notice".*?</div>', re.DOTALL)
FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')


def told(visitor: Browser, path: str) -> str:
    """The notice at the top of a page, without its tags."""
    found = NOTICE.search(visitor.get(path).text)
    assert found, path
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[0])).split())


def undo(visitor: Browser, path: str) -> None:
    """Press the button of the notice at the top of a page."""
    found = NOTICE.search(visitor.get(path).text)
    assert found, path
    action = re.search(r'action="([^"]+)"', found[0])
    assert action, found[0]
    fields = {name: html.unescape(value) for name, value in FIELD.findall(found[0])}
    answer = visitor.post(action[1], **fields)
    assert answer.status_code == 303, answer.text


def statements(visitor: Browser, path: str) -> int:
    """How many statements a page costs: the least of some tries, since the first may find something to renew."""
    counts = []
    for _ in range(3):
        with store_statements() as asked:
            assert visitor.get(path).status_code == 200
        counts.append(len(asked))
    return min(counts)


def problem(api: Api, problem_id: str) -> dict[str, Any]:
    return dict(api.get(f"/v1/problems/{problem_id}").json())


@pytest.fixture
def late(api: Api) -> str:
    """A problem of three customers; its id."""
    return str(api.recurring()["problem"]["id"])


@pytest.fixture
def broken(api: Api) -> str:
    """Another one."""
    return str(api.recurring("z", text=BROKEN)["problem"]["id"])


# --- the board


def test_the_board_tells_problems_by_their_sort(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    said = visitor.text("/console/problems")
    assert "Unresolved 1 Emerging 1 Evergreen 0 Resolved 0 Candidates 0 All 1" in said
    assert "open emerging" in said
    assert "3 customers, 3 messages" in said
    assert "parcel" in visitor.text("/console/problems?q=PARCEL&view=emerging")
    for nothing in ("?view=resolved", "?q=refrigerator", "?view=evergreen", "?state=silenced"):
        assert "No problem fits." in visitor.text(f"/console/problems{nothing}"), nothing
    api.post(f"/v1/problems/{late}/resolve")
    assert "parcel" in visitor.text("/console/problems?view=resolved")
    assert "No problem fits." in visitor.text("/console/problems")


def test_a_row_says_all_that_one_decides_by(api: Api, late: str) -> None:
    api.put("/v1/documents/parcels", {**RETURNS, "title": "Parcels", "markdown": f"# Parcels\n\n{LATE}?"})
    api.put("/v1/agents/agent-1", {"name": "Mo Chen"})
    api.post(f"/v1/problems/{late}/assign", {"agent_id": "agent-1"})
    api.post("/v1/events", api.event("m9"))
    page = signed_in(api, "product").get("/console/problems").text
    assert "3 messages in 14 days" not in page
    assert "4 messages in 14 days, at most 4 on one" in page
    assert "Owner: Mo Chen" in page
    assert f"<q>{LATE}</q>" in page
    alert = api.get("/v1/alerts").json()["items"][0]
    assert f'href="/console/alerts/{alert["id"]}"' in page
    assert html.escape(alert["evidence"]["en"], quote=True) in page.replace("&#39;", "&#x27;")


def test_the_board_asks_as_much_of_the_store_for_many_problems_as_for_one(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    one = statements(visitor, "/console/problems")
    for number, text in enumerate((BROKEN, "what size fits 180 cm", "can I pay by card", "charger is hot")):
        api.recurring(f"n{number}", text=text)
    assert "All 1 " not in visitor.text("/console/problems")
    assert statements(visitor, "/console/problems") == one


def order(visitor: Browser, address: str) -> list[str]:
    """The problems of the board by their ids, as they stand."""
    return re.findall(r'<a class="title" href="/console/problems/([^"]+)"', visitor.get(address).text)


def test_the_board_stands_in_the_order_that_the_reader_chooses(api: Api, late: str, broken: str) -> None:
    """The parcels have more customers, the zipper grew more, and is newer."""
    for day in (8, 9, 10, 11):
        api.post("/v1/events", api.event(f"old{day}", at=(api.clock.now - day * DAY).isoformat()))
    visitor = signed_in(api, "product")
    by = {
        sort: order(visitor, f"/console/problems?sort={sort}") for sort in ("customers", "growth", "opened")
    }
    assert by == {"customers": [late, broken], "growth": [broken, late], "opened": [broken, late]}
    assert "-1 messages against the 7 days before" in visitor.text("/console/problems?sort=growth")


def test_the_order_of_the_board_stays_while_one_reads_on(
    api: Api, late: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.console.pages.problems.PAGE", 1)
    visitor = signed_in(api, "product")
    page = visitor.get("/console/problems?sort=growth&view=all").text
    more = re.search(r'href="(/console/problems\?[^"]*cursor=[^"]*)"', page)
    assert more
    address = html.unescape(more[1])
    assert "sort=growth" in address
    assert {*order(visitor, "/console/problems?sort=growth&view=all"), *order(visitor, address)} == {
        late,
        broken,
    }
    assert "/console/problems?view=resolved&amp;sort=growth" in page


@pytest.mark.parametrize("sort", ["customers", "growth", "opened"])
def test_no_order_of_the_board_asks_the_store_more_often(api: Api, late: str, broken: str, sort: str) -> None:
    visitor = signed_in(api, "product")
    plain = statements(visitor, "/console/problems")
    assert statements(visitor, f"/console/problems?sort={sort}") == plain


def test_alerts_are_listed_with_as_few_questions_however_many_there_are(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    one = statements(visitor, "/console/alerts")
    for number, text in enumerate((BROKEN, "what size fits 180 cm", "can I pay by card", "charger is hot")):
        api.recurring(f"n{number}", text=text)
    assert visitor.get("/console/alerts").text.count("/console/alerts/") > 3
    assert statements(visitor, "/console/alerts") == one


def test_the_days_of_a_problem_are_the_shops(api: Api) -> None:
    api.put("/v1/rules", {"timezone": "Asia/Shanghai"})
    midnight = api.clock.now.replace(hour=16, minute=0, second=0, microsecond=0)
    for number, minutes in enumerate((-1, 0, 1)):
        at = midnight - DAY
        moment = at.replace(minute=0) if minutes == 0 else at
        sent = moment.timestamp() + 60 * minutes
        body = api.event(f"m{number}", at=type(at).fromtimestamp(sent, at.tzinfo).isoformat())
        result = api.post("/v1/events", body).json()
    page = signed_in(api, "product").text(f"/console/problems/{result['problem']['id']}")
    day = midnight.strftime("%m-%d")
    before = (midnight - DAY).strftime("%m-%d")
    assert f"{before} 1 {day} 2" in page


# --- one problem


def test_a_problems_page_tells_all_that_hangs_on_it(api: Api, late: str, broken: str) -> None:
    api.put("/v1/agents/agent-1", {"name": "Mo Chen"})
    api.post(f"/v1/problems/{late}/assign", {"agent_id": "agent-1"})
    api.post(f"/v1/problems/{broken}/parent", {"problem_id": late})
    visitor = signed_in(api, "product")
    page = visitor.get(f"/console/problems/{late}").text
    assert f'href="/console/cases/{api.case_id("m0")}"' in page
    assert f'href="/console/problems/{broken}"' in page
    assert f'href="/console/alerts/{api.get("/v1/alerts").json()["items"][-1]["id"]}"' in page
    assert 'href="/console/proposals/' in page
    said = visitor.text(f"/console/problems/{late}")
    assert "Owner Mo Chen" in said
    assert LATE in said
    assert f'href="/console/problems/{late}"' in visitor.get(f"/console/problems/{broken}").text
    api.post(f"/v1/problems/{late}/resolve")
    assert "Customers are asked at" in visitor.text(f"/console/problems/{late}")


def test_a_problem_is_followed_to_its_end(api: Api, late: str) -> None:
    visitor = signed_in(api, "product", language="zh")
    page = f"/console/problems/{late}"
    assert "反复出现" in visitor.text(page)
    for step, state in (
        ("acknowledge", "acknowledged"),
        ("silence", "silenced"),
        ("reopen", "open"),
        ("resolve", "resolved"),
    ):
        assert visitor.post(f"{page}/{step}").headers["location"] == page
        assert problem(api, late)["state"] == state
    with api.store.administration(writing=False) as unit:
        members = {member.id for member in unit.members.list("shop")}
    audit = api.get("/v1/audit").json()["items"]
    assert {item["actor"] for item in audit if item["action"] == "problem.acknowledge"} <= members
    refused = visitor.post(f"{page}/silence")
    assert refused.status_code == 409
    assert "problem" in refused.text


@pytest.mark.parametrize("step", ["acknowledge", "resolve", "silence"])
def test_each_step_is_told_and_taken_back(api: Api, late: str, step: str) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{late}"
    before = problem(api, late)
    visitor.post(f"{page}/{step}")
    undo(visitor, page)
    assert told(visitor, page) == "Taken back."
    assert problem(api, late) == before


def test_what_was_done_since_is_not_taken_back(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{late}"
    visitor.post(f"{page}/acknowledge")
    step = re.search(r'name="step" value="(\d+)"', visitor.get(page).text)
    assert step
    api.post(f"/v1/problems/{late}/resolve")
    refused = visitor.post(f"{page}/undo", step=step[1])
    assert refused.status_code == 409
    assert "Something else was done since" in refused.text
    assert problem(api, late)["state"] == "resolved"


def test_a_silence_ends_as_it_is_asked_to(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{late}"
    api.put("/v1/rules", {"timezone": "Asia/Shanghai"})
    visitor.post(f"{page}/silence", span="time", until="2026-06-20T09:00")
    assert problem(api, late)["silenced_until"] == "2026-06-20T01:00:00Z", "a time on the shop's clocks"
    visitor.post(f"{page}/silence", span="customers", count="4")
    assert problem(api, late)["silenced_customers_left"] == 4
    assert "silent until 4 more customers write" in visitor.text(page)
    visitor.post(f"{page}/reopen")
    visitor.post(f"{page}/silence", span="worse")
    assert problem(api, late)["silenced_escalation"] is True
    assert "silent until it gets worse" in visitor.text(page)
    visitor.post(f"{page}/reopen")
    for wrong in ({"span": "time"}, {"span": "customers", "count": "few"}, {"span": "customers"}):
        assert visitor.post(f"{page}/silence", **wrong).status_code == 422
    assert problem(api, late)["state"] == "open"


@pytest.mark.parametrize(
    "wrong",
    [
        {"span": "time", "until": "9999-12-31T23:59"},
        {"span": "time", "until": "0001-01-01T00:00"},
        {"span": "customers", "count": "999999999"},
    ],
)
def test_a_silence_without_an_end_in_reach_is_refused(api: Api, late: str, wrong: dict[str, str]) -> None:
    assert signed_in(api, "product").post(f"/console/problems/{late}/silence", **wrong).status_code == 422
    assert problem(api, late)["state"] == "open"


def test_an_owner_is_given_and_taken_back(api: Api, late: str) -> None:
    api.put("/v1/agents/agent-1", {"name": "Mo Chen"})
    visitor = signed_in(api, "product")
    page = f"/console/problems/{late}"
    assert "Mo Chen" in visitor.get(page).text
    visitor.post(f"{page}/assign", agent_id="agent-1")
    assert problem(api, late)["owner_id"] == "agent-1"
    undo(visitor, page)
    assert problem(api, late)["owner_id"] is None
    assert visitor.post(f"{page}/assign", agent_id="nobody").status_code == 422


def test_a_name_is_given_and_taken_back(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{late}"
    visitor.post(f"{page}/rename", en="Parcels stuck", zh=" ")
    assert "Parcels stuck" in visitor.text("/console/problems")
    visitor.post(f"{page}/rename", en="Late in the east", zh="华东包裹延误")
    undo(visitor, page)
    assert problem(api, late)["name"] == "Parcels stuck"
    assert "华东" not in signed_in(api, "product", language="zh").text(page)
    visitor.post(f"{page}/rename", en="Parcels stuck")
    assert told(visitor, page) == "The name is as it was."


def test_undoing_a_name_does_not_overwrite_a_later_one(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{late}"
    visitor.post(f"{page}/rename", en="Parcels stuck")
    shown = visitor.get(page).text
    step = re.search(r'name="step" value="(\d+)"', shown)
    assert step
    signed_in(api, "product", name="Mo").post(f"{page}/rename", en="Late in the east")
    refused = visitor.post(f"{page}/unname", step=step[1], en="Parcels late", by_person="")
    assert refused.status_code == 409
    assert "Something else was done since" in refused.text
    assert problem(api, late)["name"] == "Late in the east"


def test_undoing_a_name_gives_back_what_somebody_else_gave_a_moment_before(
    api: Api, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{late}"
    rename = Problems.rename

    def just_after(self: Problems, caller: Principal, id: str, names: dict[str, str]) -> ProblemView:
        rename(self, replace(caller, key_id="mo"), id, {"en": "Given by Mo"})
        return rename(self, caller, id, names)

    monkeypatch.setattr(Problems, "rename", just_after)
    visitor.post(f"{page}/rename", en="Parcels stuck")
    undo(visitor, page)
    assert problem(api, late)["name"] == "Given by Mo"


def test_undoing_a_place_goes_back_to_where_somebody_else_put_it_a_moment_before(
    api: Api, late: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{broken}"
    place = Problems.place

    def just_after(self: Problems, caller: Principal, id: str, parent_id: str | None) -> ProblemView:
        place(self, replace(caller, key_id="mo"), id, late)
        return place(self, caller, id, parent_id)

    with monkeypatch.context() as patch:
        patch.setattr(Problems, "place", just_after)
        visitor.post(f"{page}/parent", parent="")
    undo(visitor, page)
    assert problem(api, broken)["parent_id"] == late


# --- one problem that was two, two that were one


def test_a_problem_is_merged_into_one_that_is_looked_for_by_its_name(
    api: Api, late: str, broken: str
) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{broken}"
    found = visitor.get(f"{page}/merge?q=PARCEL").text
    assert f"/console/problems/{broken}/merge?into={late}" in found
    assert f"/merge?into={broken}" not in found, "not into itself"
    assert "No other problem has this in its name." in visitor.text(f"{page}/merge?q=refrigerator")
    preview = visitor.text(f"{page}/merge?into={late}")
    assert "Cases 3, alerts 1, proposals 1 and follow-ups 0 go over." in preview
    assert "Together 6 customers wrote of it." in preview
    assert BROKEN in preview
    assert LATE in preview
    assert problem(api, broken)["id"] == broken, "looking changes nothing"
    answer = visitor.post(f"{page}/merge", into=late)
    assert answer.headers["location"] == f"/console/problems/{late}"
    assert problem(api, broken)["id"] == late
    undo(visitor, f"/console/problems/{late}")
    assert problem(api, broken)["id"] == broken
    assert (problem(api, broken)["customers"], problem(api, late)["customers"]) == (3, 3)


def test_what_was_merged_long_ago_is_taken_out_on_the_problems_page(api: Api, late: str, broken: str) -> None:
    visitor = signed_in(api, "product")
    visitor.post(f"/console/problems/{broken}/merge", into=late)
    visitor.get(f"/console/problems/{late}")
    page = visitor.get(f"/console/problems/{late}").text
    assert "Take out again" in page
    assert "zipper" in page
    visitor.post(f"/console/problems/{late}/unmerge", alias=broken)
    assert problem(api, broken)["id"] == broken
    undo(visitor, f"/console/problems/{broken}")
    assert problem(api, broken)["id"] == late


def test_a_problem_is_not_merged_into_itself(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    assert visitor.get(f"/console/problems/{late}/merge?into={late}").status_code == 422
    assert visitor.post(f"/console/problems/{late}/merge", into=late).status_code == 422
    assert visitor.get(f"/console/problems/{late}/merge?into=p_unknown").status_code == 404


def test_cases_are_split_off_after_a_look_and_put_back(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{late}"
    case_id = api.case_id("m1")
    assert case_id in visitor.get(f"{page}/split?q=PARCEL").text
    assert "No case of this problem says that." in visitor.text(f"{page}/split?q=zipper")
    preview = visitor.text(f"{page}/split?case={case_id}")
    assert "A new problem" in preview
    assert "1 customer, 1 message" in preview
    assert "2 customers, 2 messages" in preview
    assert problem(api, late)["customers"] == 3, "looking changes nothing"
    answer = visitor.post(f"{page}/split", case=case_id)
    new = answer.headers["location"].rpartition("/")[2]
    assert (problem(api, new)["customers"], problem(api, late)["customers"]) == (1, 2)
    undo(visitor, f"/console/problems/{new}")
    assert problem(api, new)["id"] == late
    assert problem(api, late)["customers"] == 3


def test_all_cases_are_no_part(api: Api, late: str) -> None:
    every = "&".join(f"case={api.case_id(f'm{number}')}" for number in range(3))
    assert signed_in(api, "product").get(f"/console/problems/{late}/split?{every}").status_code == 422


def test_a_problem_comes_under_another_and_out_again(api: Api, late: str, broken: str) -> None:
    visitor = signed_in(api, "product")
    page = f"/console/problems/{broken}"
    assert f'value="{late}"' in visitor.get(f"{page}/parent?q=parcel").text
    visitor.post(f"{page}/parent", parent=late)
    assert problem(api, broken)["parent_id"] == late
    undo(visitor, page)
    assert problem(api, broken)["parent_id"] is None
    visitor.post(f"{page}/parent", parent=late)
    visitor.post(f"{page}/parent", parent="")
    undo(visitor, page)
    assert problem(api, broken)["parent_id"] == late
    assert visitor.post(f"/console/problems/{late}/parent", parent=broken).status_code == 422


def test_an_agent_sees_problems_and_changes_none(api: Api, late: str) -> None:
    visitor = signed_in(api, "agent")
    page = f"/console/problems/{late}"
    said = visitor.text(page)
    for word in ("Resolve", "Merge", "Split", "Rename", "Silence"):
        assert word not in said
    for step in ("resolve", "assign", "rename", "merge", "split", "parent", "undo", "unmerge", "unname"):
        assert visitor.post(f"{page}/{step}").status_code == 403
    assert visitor.get(f"{page}/merge").status_code == 403


# --- alerts


@pytest.fixture
def heard(api: Api) -> str:
    """An alert that one webhook was told of; its id."""
    hook = {"url": "https://hooks.example.com/T0/secret-key", "types": ["alert.opened"], "format": "slack"}
    assert api.put("/v1/webhooks/team", hook).status_code == 201
    api.put("/v1/webhooks/others", {"url": "https://example.com/x", "types": ["gap.found"]})
    api.recurring()
    return str(api.get("/v1/alerts").json()["items"][0]["id"])


def test_alerts_are_listed_by_kind_and_state(api: Api, late: str) -> None:
    visitor = signed_in(api, "agent")
    alert = api.get("/v1/alerts").json()["items"][0]
    assert f'href="/console/alerts/{alert["id"]}"' in visitor.get("/console/alerts").text
    assert "parcel" in visitor.text("/console/alerts?kind=recurrence&state=open")
    assert "No alert fits." in visitor.text("/console/alerts?kind=growth")
    assert "No alert fits." in visitor.text("/console/alerts?state=resolved")


def test_an_alerts_page_tells_its_evidence_and_who_was_told(api: Api, heard: str) -> None:
    visitor = signed_in(api, "admin")
    said = visitor.text(f"/console/alerts/{heard}")
    assert LATE in said
    assert "Told at once" in said
    assert re.search(r"Alert opened [\d:\- ]+ team https://hooks\.example\.com/… ", said)
    assert "secret-key" not in visitor.get(f"/console/alerts/{heard}").text
    assert "others" not in said
    assert signed_in(api, "agent").get("/console/alerts/alt_unknown").status_code == 404


def test_an_administrator_sends_a_message_again(api: Api, heard: str) -> None:
    page = f"/console/alerts/{heard}"
    form = dict(FIELD.findall(signed_in(api, "admin").get(page).text))
    sent = {name: form[name] for name in ("webhook_id", "delivery_id")}
    agent = signed_in(api, "product")
    assert "Send again" not in agent.text(page)
    assert agent.post(f"{page}/replay", **sent).status_code == 403
    administrator = signed_in(api, "admin")
    assert administrator.post(f"{page}/replay", **sent).headers["location"] == page
    assert told(administrator, page) == "The message is sent again."
    assert len(api.get("/v1/webhooks/team/deliveries").json()["items"]) == 2
    assert administrator.text(page).count(" team https://hooks.example.com/…") == 2


def test_an_alert_that_nobody_listened_to_says_so(api: Api, late: str) -> None:
    alert = api.get("/v1/alerts").json()["items"][0]
    assert "No webhook was told of it." in signed_in(api, "product").text(f"/console/alerts/{alert['id']}")


# --- proposals


def test_a_proposal_is_accepted_taken_back_and_dismissed_with_a_reason(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    proposal = api.get("/v1/proposals").json()["items"][0]
    page = f"/console/proposals/{proposal['id']}"
    assert page in visitor.get("/console/proposals").text
    said = visitor.text(page)
    assert proposal["title"] in said
    assert "Draft" in said
    visitor.post(f"{page}/accept")
    assert api.get(f"/v1/proposals/{proposal['id']}").json()["state"] == "accepted"
    assert "first judged after two weeks" in visitor.text(page)
    assert page not in visitor.get("/console/proposals").text
    visitor.post(f"{page}/accept")
    undo(visitor, page)
    assert api.get(f"/v1/proposals/{proposal['id']}").json()["state"] == "open"
    visitor.post(f"{page}/dismiss", note="the carrier says it is solved")
    assert "Reason: the carrier says it is solved" in visitor.text(page)
    assert page in visitor.get("/console/proposals?state=dismissed").text
    assert visitor.post(f"{page}/accept").status_code == 409


def test_an_agent_reads_proposals_and_decides_none(api: Api, late: str) -> None:
    visitor = signed_in(api, "agent")
    proposal = api.get("/v1/proposals").json()["items"][0]
    page = f"/console/proposals/{proposal['id']}"
    assert "Accept" not in visitor.text(page)
    assert visitor.post(f"{page}/accept").status_code == 403
    assert visitor.post(f"{page}/dismiss").status_code == 403


@pytest.mark.parametrize("path", ["/console/problems", "/console/alerts", "/console/proposals"])
def test_a_shop_without_anything_is_told_what_will_be_here(shared_api: Api, path: str) -> None:
    said = signed_in(shared_api, "product").text(path)
    assert re.search(r"Problems appear here|they open when|They come with alerts", said)


def test_an_alert_says_what_was_counted_and_no_p_value(api: Api, late: str) -> None:
    """It read "观测: 5，往常 1.3", with no unit, and "p < 1e-6"."""
    visitor = signed_in(api, "product", language="zh-CN")
    page = visitor.get("/console/alerts").text
    assert "条消息，" in page
    found = re.search(r'href="(/console/alerts/alt_\w+)"', page)
    assert found
    text = visitor.text(found[1])
    assert "条消息，" in text
    assert not re.search(r"\bp [<=] ", page + text)


def test_the_next_digest_is_shown_before_it_goes(api: Api, late: str) -> None:
    visitor = signed_in(api, "product")
    assert 'href="/console/alerts/digest"' in visitor.get("/console/alerts").text
    said = visitor.text("/console/alerts/digest")
    assert "no mail server" in said
    assert "Recurring (1)" in said and "parcel" in said
    assert "日报" in signed_in(api, "product", language="zh").text("/console/alerts/digest")
    api.clock.advance(days=40)
    assert "without news no mail goes out" in visitor.text("/console/alerts/digest")


# --- in the reader's language


CHINESE = "我的快递三天没动了，到底到哪里了"


def test_an_alert_shows_the_readers_language_first(
    api: Api, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api.store.writing("shop") as unit:
        (alert,) = unit.alerts.page().items
        unit.alerts.put(replace(alert, examples=(CHINESE, LATE)), ["m0", "m1"])
    for language, first in (("en", LATE), ("zh", CHINESE)):
        page = signed_in(api, "product", language=language).get(f"/console/alerts/{alert.id}").text
        quotes = re.search(r'<ul class="quotes">(.*?)</ul>', page, re.DOTALL)
        assert quotes
        assert re.findall(r"<q>(.*?)</q>", quotes[1])[0] == first


def test_documents_that_answer_a_problem_come_in_the_readers_language_first(
    api: Api, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = tuple(
        LinkedDocument(id, kind, id.title(), weight, language)
        for id, kind, weight, language in (
            ("much-zh", "policy", 9.0, "zh"),
            ("some-en", "resolution", 5.0, "en"),
            ("little-zh", "faq", 2.0, "zh"),
            ("little-en", "faq", 1.0, "en"),
        )
    )
    monkeypatch.setattr("kb_service.replicas.known.Known.answers_of", lambda *_: linked)
    orders = {
        "en": ["some-en", "little-en", "much-zh", "little-zh"],
        "zh": ["much-zh", "little-zh", "some-en", "little-en"],
    }
    for language, wanted in orders.items():
        visitor = signed_in(api, "product", language=language)
        found = re.findall(
            r'href="/console/documents/([^"]+)"', visitor.get(f"/console/problems/{late}").text
        )
        assert found == wanted
        board = visitor.get("/console/problems").text
        assert re.findall(r'href="/console/documents/([^"]+)"', board) == wanted[:2]


def test_an_alert_tells_the_customers_of_its_problem_as_the_board_does(api: Api, late: str) -> None:
    for number in range(4):
        api.post("/v1/events", api.event(f"later{number}"))
    api.post(f"/v1/problems/{late}/resolve")
    api.clock.advance(hours=100)
    api.recurring("again")
    visitor = signed_in(api, "product")
    told = "10 customers, 10 messages"
    alerts = api.get("/v1/alerts").json()["items"]
    assert len(alerts) == 2
    addresses = [f"/console/alerts/{item['id']}" for item in alerts]
    for address in ("/console/problems?view=all", f"/console/problems/{late}", *addresses):
        assert told in visitor.text(address), address
