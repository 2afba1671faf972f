"""Waiting cases to people: all of them, once, within what each may and can take; and back when nobody answers."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from graph.rules import Rules
from kb_service.handover.casefile import CaseFile
from kb_service.people import explaining, recent_work
from kb_service.people.decision_words import words_in
from kb_service.people.inactivity import idle_cases
from tests.kb_service.conftest import Api, faults, problem
from tests.kb_service.store_statements import store_statements

LATE = {
    "label": "Late parcel",
    "examples": ["where is my parcel", "my parcel is late"],
    "expertise": "logistics",
}
REFUND = {
    "label": "Refund",
    "examples": ["I want a refund", "give me my money back"],
    "expertise": "after-sales",
}


@pytest.fixture
def shop(api: Api) -> Api:
    """Two subjects, and two people for each."""
    api.put("/v1/intents/late", LATE)
    api.put("/v1/intents/refund", REFUND)
    for name, skill in (
        ("li", "logistics"),
        ("mo", "logistics"),
        ("an", "after-sales"),
        ("bo", "after-sales"),
    ):
        agent(api, name, skills=[skill])
    return api


def agent(api: Api, name: str, **changes: Any) -> None:
    body = {"name": name.title(), "languages": ["en", "zh"], "skills": ["logistics"], "capacity": 5}
    response = api.put(f"/v1/agents/{name}", {**body, "online": True, **changes})
    assert response.status_code in (200, 201), response.text


def waiting(api: Api, id: str, text: str | None = "my parcel is late", **event: Any) -> str:
    """A case that waits for a person; its id."""
    body = api.event(id, text=text, **event)
    if text is None:
        body |= {"type": "followup"}
    case_id = str(api.post("/v1/events", body).json()["case_id"])
    assert api.post(f"/v1/cases/{case_id}/handover").status_code == 200
    return case_id


def assign(api: Api, **request: Any) -> dict[str, str | None]:
    """Who got each case."""
    response = api.post("/v1/assignments", **request)
    assert response.status_code == 200, response.text
    return {
        item["case_id"]: item["agent"]["id"] if item["agent"] else None for item in response.json()["items"]
    }


def says(
    api: Api, id: str, case: str, who: str | None = None, text: str = "let me see", **fields: Any
) -> None:
    """A message in the conversation of a case, the customer's unless an agent is named."""
    known = {"role": "agent", "agent_id": who, "customer_id": None} if who else {}
    conversation = {"conversation_id": f"c-{case}", "customer_id": f"u-{case}", **known}
    response = api.post("/v1/events", api.event(id, text=text, **{**conversation, **fields}))
    assert response.status_code == 200, response.text


def state(api: Api, case_id: str) -> tuple[str, str | None]:
    case = api.get(f"/v1/cases/{case_id}").json()
    return case["state"], case["agent_id"]


# --- all that waits


def test_each_case_goes_to_somebody_who_knows_the_matter(shop: Api) -> None:
    late, refund = waiting(shop, "m1"), waiting(shop, "m2", "I want a refund")
    given = assign(shop)
    assert given[late] in ("li", "mo")
    assert given[refund] in ("an", "bo")
    assert state(shop, late) == ("assigned", given[late])
    assert shop.get(f"/v1/cases/{late}").json()["assigned_at"].startswith("2026")


def test_a_case_in_which_nobody_wrote_anything_is_not_left_out(shop: Api) -> None:
    called = waiting(shop, "call", None)
    given = assign(shop)
    assert given[called] is not None
    (item,) = (
        item
        for item in shop.get(f"/v1/cases/{called}/decisions").json()["items"]
        if item["kind"] == "assignment"
    )
    assert item["intents"] == []
    assert item["sla"] is not None


def test_a_case_without_words_waits_longer_and_longer_for_those_who_are_busy(shop: Api) -> None:
    for name in ("li", "mo", "an", "bo"):
        agent(shop, name, online=False)
    called = waiting(shop, "call", None)
    before = shop.get("/v1/cases?state=waiting&sort=priority").json()["items"][0]["priority"]["total"]
    shop.clock.advance(hours=3)
    (item,) = shop.get("/v1/cases?state=waiting&sort=priority").json()["items"]
    assert item["id"] == called
    assert item["priority"]["total"] > before
    assert any(part["factor"] == "waiting" for part in item["priority"]["contributions"])


def test_the_problem_of_the_case_says_where_it_belongs_when_the_last_words_do_not(shop: Api) -> None:
    case = waiting(shop, "m1", "my parcel is late, where is my parcel")
    says(shop, "m2", "m1", text="hello? anyone there?")
    given = assign(shop)
    assert given[case] in ("li", "mo")
    item = shop.get(f"/v1/cases/{case}/decisions").json()["items"][-1]
    assert item["expertise_id"] == "logistics"


def test_asking_twice_gives_nothing_twice(shop: Api) -> None:
    first = waiting(shop, "m1")
    assert set(assign(shop)) == {first}
    assert assign(shop) == {}
    decided = shop.get(f"/v1/cases/{first}/decisions").json()["items"]
    assert [item["kind"] for item in decided] == ["handover", "assignment"]


def test_who_is_not_there_gets_nothing_even_if_they_answered_last(shop: Api) -> None:
    agent(shop, "mo", online=False)
    shop.post("/v1/events", shop.event("old", customer_id="u-1", conversation_id="c-old"))
    says(shop, "reply", "old", "mo", "on its way")
    shop.clock.advance(hours=1)
    case = waiting(shop, "m1", customer_id="u-1", conversation_id="c-new", at=shop.clock.now.isoformat())
    if state(shop, case)[0] == "waiting":
        assert assign(shop)[case] == "li"


def test_who_answered_last_is_asked_first_when_they_are_there(shop: Api) -> None:
    case = waiting(shop, "old")
    says(shop, "reply", "old", "mo", "on its way")
    shop.post(f"/v1/cases/{case}/resolve", {"agent_id": "mo"})
    shop.clock.advance(hours=30)
    again = waiting(shop, "m1", customer_id="u-old")
    assert again != case
    assert assign(shop)[again] == "mo"
    item = shop.get(f"/v1/cases/{again}/decisions").json()["items"][-1]
    (chosen,) = (one for one in item["candidates"] if one["id"] == "mo")
    assert chosen["terms"]["sticky"] > 0


def test_capacity_is_a_limit(shop: Api) -> None:
    for name in ("mo", "an", "bo"):
        agent(shop, name, online=False)
    agent(shop, "li", capacity=2)
    cases = [waiting(shop, f"m{number}") for number in range(4)]
    given = assign(shop)
    assert sorted(given) == sorted(cases)
    assert [given[case] for case in cases].count("li") == 2
    assert shop.get("/v1/agents/li").json()["load"] == 2
    again = assign(shop)
    assert set(again.values()) == {None}
    assert shop.get("/v1/agents/li").json()["load"] == 2


def test_that_nobody_is_free_is_written_down_once(shop: Api) -> None:
    for name in ("li", "mo", "an", "bo"):
        agent(shop, name, capacity=0)
    case = waiting(shop, "m1")
    assert assign(shop) == {case: None}
    assert assign(shop) == {case: None}
    decided = shop.get(f"/v1/cases/{case}/decisions").json()["items"]
    assert [(item["kind"], item["reason"]) for item in decided][1:] == [("assignment", "nobody_free")]


def test_who_is_busy_gets_nothing_new_and_keeps_what_they_have(shop: Api) -> None:
    for name in ("mo", "an", "bo"):
        agent(shop, name, online=False)
    first = waiting(shop, "m1")
    assert assign(shop) == {first: "li"}
    shop.post("/v1/events", told(shop, "s1", "li", "busy"))
    second = waiting(shop, "m2")
    shop.clock.advance(minutes=10)
    assert assign(shop) == {second: None}
    assert state(shop, first) == ("assigned", "li")
    shop.post("/v1/events", told(shop, "s2", "li", "online"))
    assert assign(shop) == {second: "li"}


def told(api: Api, id: str, agent_id: str, state: str, **ago: int) -> dict[str, Any]:
    moment = api.clock.now - timedelta(**ago)
    return {"id": id, "type": "agent_state", "agent_id": agent_id, "state": state, "at": moment.isoformat()}


def test_a_state_that_comes_late_changes_nothing(shop: Api) -> None:
    shop.post("/v1/events", told(shop, "s1", "li", "offline"))
    shop.post("/v1/events", told(shop, "s2", "li", "online", minutes=5))
    assert shop.get("/v1/agents/li").json()["online"] is False
    lines = [told(shop, "s4", "mo", "busy"), told(shop, "s3", "mo", "online", minutes=9)]
    shop.batch("/v1/events:batch", lines)
    assert shop.get("/v1/agents/mo").json()["online"] is False


# --- permissions


@pytest.mark.parametrize(
    ("text", "taker"),
    [
        ("I want a refund of $200", {"an", "bo"}),
        ("I want a refund of $450", {"bo"}),
        ("I want a refund of $9000", {"bo"}),
        ("I want a refund", {"an", "bo"}),
    ],
)
def test_a_refund_goes_to_somebody_who_may_give_it(shop: Api, text: str, taker: set[str]) -> None:
    agent(shop, "an", skills=["after-sales"], permissions=["refund:300"])
    agent(shop, "bo", skills=["after-sales"], permissions=["refund:500"], capacity=1)
    for name in ("li", "mo"):
        agent(shop, name, permissions=["refund:100"])
    case = waiting(shop, "m1", text)
    assert assign(shop)[case] in taker


def test_the_order_is_worth_what_the_refund_would_be(shop: Api) -> None:
    agent(shop, "an", skills=["after-sales"], permissions=["refund:300"])
    agent(shop, "bo", skills=["after-sales"], permissions=["refund:500"])
    case = waiting(shop, "m1", "I want a refund", order_value=420.0)
    assert assign(shop) == {case: "bo"}
    item = shop.get(f"/v1/cases/{case}/decisions").json()["items"][-1]
    assert item["permissions"] == ["refund:420"]
    assert any("refund:420" in sentence for sentence in item["explanation"])


def test_a_shop_without_such_limits_is_not_held_up_by_them(shop: Api) -> None:
    case = waiting(shop, "m1", "I want a refund of $9000")
    assert assign(shop)[case] in ("an", "bo")


def test_a_threat_goes_to_somebody_of_the_second_level(shop: Api) -> None:
    agent(shop, "li", permissions=["level-1"])
    agent(shop, "mo", permissions=["level-2"])
    case = waiting(shop, "m1", "my parcel is late, you will hear from my lawyer")
    assert assign(shop) == {case: "mo"}


# --- the lines of support


@pytest.fixture
def lines(shop: Api) -> Api:
    """Somebody who gives first answers, an expert and one of the product team."""
    for name in ("mo", "an", "bo"):
        agent(shop, name, online=False)
    agent(shop, "li", permissions=["level-1"])
    agent(shop, "ex", permissions=["level-2"])
    agent(shop, "pro", permissions=["level-3"])
    return shop


def test_a_case_that_is_passed_on_goes_to_experts_and_from_them_to_the_product_team(lines: Api) -> None:
    case = waiting(lines, "m1")
    assert lines.post(f"/v1/cases/{case}/assign", {"agent_id": "li"}).status_code == 200
    for taker, asked in (("ex", "experts"), ("pro", "product_team")):
        assert lines.post(f"/v1/cases/{case}/handover").status_code == 200
        assert assign(lines) == {case: taker}
        item = lines.get(f"/v1/cases/{case}/decisions").json()["items"][-1]
        assert item["line"] == {"asked": asked, "cause": "passed_on"}
        assert item["previous_agent_id"] == ("li" if taker == "ex" else "ex")
        assert any("who had it passed it on" in sentence for sentence in item["explanation"])
    words = lines.get(f"/v1/cases/{case}/decisions", headers={"Accept-Language": "zh"}).json()["items"][-1]
    assert "需要产品团队接手（原负责人转出）。" in words["explanation"]


def test_an_answer_that_did_not_last_twice_asks_for_an_expert(lines: Api) -> None:
    case = waiting(lines, "m1")
    for turn in range(2):
        if turn:
            decided = lines.get(f"/v1/cases/{case}/decisions").json()["items"]
            assert all(
                item["line"] in (None, {"asked": "first_answers", "cause": "first"}) for item in decided
            )
        assert lines.post(f"/v1/cases/{case}/assign", {"agent_id": "li"}).status_code == 200
        assert (
            lines.post(f"/v1/cases/{case}/resolve", {"resolved": True, "reply": "It comes."}).status_code
            == 200
        )
        lines.clock.advance(minutes=5)
        says(lines, f"back-{turn}", "m1", text="my parcel is still not here")
        lines.post(f"/v1/cases/{case}/handover")
    assert assign(lines) == {case: "ex"}
    assert lines.get(f"/v1/cases/{case}/decisions").json()["items"][-1]["line"] == {
        "asked": "experts",
        "cause": "not_held",
    }


def test_what_asks_for_an_expert_does_not_wait_for_one_who_is_not_there(lines: Api) -> None:
    agent(lines, "mo", permissions=["level-1"])
    for name in ("ex", "pro"):
        agent(lines, name, permissions=["level-2"], online=False)
    case = waiting(lines, "m1")
    first = assign(lines)[case]
    lines.post(f"/v1/cases/{case}/handover")
    assert {first, assign(lines)[case]} == {"li", "mo"}, "not back to who passed it on"
    item = lines.get(f"/v1/cases/{case}/decisions").json()["items"][-1]
    assert any("stands in for a line that cannot take it in time" in text for text in item["explanation"])


def test_a_shop_without_levels_knows_no_lines(shop: Api) -> None:
    case = waiting(shop, "m1")
    first = assign(shop)[case]
    shop.post(f"/v1/cases/{case}/handover")
    assert {first, assign(shop)[case]} == {"li", "mo"}
    item = shop.get(f"/v1/cases/{case}/decisions").json()["items"][-1]
    assert item["line"] == {"asked": "first_answers", "cause": "first"}
    assert not any("experts" in sentence for sentence in item["explanation"])


# --- back, when nobody answers


def test_who_does_not_answer_loses_the_case_to_somebody_else(shop: Api) -> None:
    case = waiting(shop, "m1")
    first = assign(shop)[case]
    shop.clock.advance(minutes=29)
    assert assign(shop) == {}
    shop.clock.advance(minutes=2)
    second = assign(shop)[case]
    assert {first, second} == {"li", "mo"}
    decided = shop.get(f"/v1/cases/{case}/decisions").json()["items"]
    assert [
        (item["kind"], item["reason"], item["agent_id"], item["previous_agent_id"]) for item in decided[2:]
    ] == [
        ("reassignment", "inactive", None, first),
        ("reassignment", "assigned", second, first),
    ]
    events = shop.get(f"/v1/cases/{case}").json()["events"]
    assert [(event["type"], event["reason"]) for event in events[1:]] == [("transfer", "released:inactive")]
    audited = [item["action"] for item in shop.get("/v1/audit").json()["items"]]
    assert "case.released" in audited


def test_an_answer_in_time_keeps_the_case(shop: Api) -> None:
    case = waiting(shop, "m1")
    first = assign(shop)[case]
    shop.clock.advance(minutes=20)
    says(shop, "r1", "m1", first)
    shop.clock.advance(hours=5)
    assert assign(shop) == {}
    says(shop, "m2", "m1", text="thank you")
    shop.clock.advance(hours=5)
    assert assign(shop) == {}, "thanks want no reply"
    says(shop, "m3", "m1", text="it still has not come")
    shop.clock.advance(minutes=31)
    assert assign(shop)[case] != first


def test_a_bot_that_speaks_does_not_answer_for_the_agent(shop: Api) -> None:
    case = waiting(shop, "m1")
    first = assign(shop)[case]
    says(shop, "b1", "m1", text="a colleague is coming", role="bot", customer_id=None)
    shop.clock.advance(minutes=31)
    assert assign(shop)[case] != first


def test_who_asks_an_expert_is_at_work(shop: Api) -> None:
    case = waiting(shop, "m1")
    first = assign(shop)[case]
    shop.clock.advance(minutes=20)
    other = ({"li", "mo"} - {first}).pop()
    shop.post(f"/v1/cases/{case}/consult", {"agent_id": other})
    shop.clock.advance(minutes=20)
    assert assign(shop) == {}
    shop.clock.advance(minutes=11)
    assert assign(shop)[case] == other


def test_who_leaves_takes_no_unanswered_case_along(shop: Api) -> None:
    open_case, answered = waiting(shop, "m1"), waiting(shop, "m2")
    for name in ("mo", "an", "bo"):
        agent(shop, name, online=False)
    assert set(assign(shop).values()) == {"li"}
    says(shop, "r2", "m2", "li", "it comes tomorrow")
    agent(shop, "mo")
    agent(shop, "li", online=False)
    shop.clock.advance(minutes=1)
    assert assign(shop) == {open_case: "mo"}
    assert state(shop, answered) == ("assigned", "li"), "an answered case stays with whom the customer knows"


def test_nobody_else_is_better_than_nobody(shop: Api) -> None:
    for name in ("mo", "an", "bo"):
        agent(shop, name, online=False)
    case = waiting(shop, "m1")
    assert assign(shop) == {case: "li"}
    shop.clock.advance(minutes=31)
    assert assign(shop) == {case: "li"}


def test_a_case_taken_from_who_did_not_answer_was_passed_on_by_nobody(shop: Api) -> None:
    case = waiting(shop, "m1")
    first = assign(shop)[case]
    shop.clock.advance(minutes=31)
    assert assign(shop)[case] not in (None, first)
    begin, end = shop.clock.now - timedelta(days=1), shop.clock.now + timedelta(days=1)
    with shop.store.reading("shop") as unit:
        events = [stored.event for stored in unit.events.of_case(case)]
        assert [event.type for event in events] == ["message", "transfer"]
        assert unit.workload.passed_on(begin, end) == {}
        (history,) = unit.histories.of_cases([case])
    assert [step.kind for step in history.steps] == ["message"]
    assert CaseFile(events=tuple(events)).transfers == 0


def test_who_was_never_declared_keeps_a_case_until_they_are_late(shop: Api) -> None:
    shop.post("/v1/events", shop.event("m1"))
    says(shop, "r1", "m1", "somebody", "one moment")
    shop.clock.advance(minutes=1)
    says(shop, "m2", "m1", text="where is it")
    shop.clock.advance(minutes=1)
    assert assign(shop) == {}
    assert state(shop, shop.case_id("m1")) == ("assigned", "somebody")
    shop.clock.advance(minutes=31)
    assert assign(shop)[shop.case_id("m1")] is not None


def test_looking_for_idle_cases_costs_as_many_queries_for_many_as_for_few(shop: Api) -> None:
    def looked(cases: int) -> tuple[int, int]:
        for number in range(cases):
            waiting(shop, f"n{cases}-{number}")
        for name in ("li", "mo", "an", "bo"):
            agent(shop, name, capacity=50)
        assert None not in assign(shop).values()
        for name in ("li", "mo", "an", "bo"):
            agent(shop, name, capacity=50, online=False)
        shop.clock.advance(minutes=31)
        with shop.store.reading("shop") as unit, store_statements() as seen:
            found = idle_cases(unit)
        return len(seen), len(found)

    few, many = looked(2), looked(12)
    assert many[1] > few[1] > 0
    assert many[0] == few[0]


def test_the_watch_looks_for_idle_cases_once_a_round(shop: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from kb_service.people import assignment_watch, inactivity

    case = waiting(shop, "m1")
    shop.put("/v1/rules", {"auto_assign": True})
    first = assign(shop)[case]
    shop.clock.advance(minutes=31)
    looks: list[int] = []

    def looked(unit: Any) -> Any:
        looks.append(1)
        return idle_cases(unit)

    monkeypatch.setattr(inactivity, "idle_cases", looked)
    monkeypatch.setattr(assignment_watch, "idle_cases", looked)
    watch = assignment_watch.AssignmentWatch(shop.store, shop.services.assigning)
    assert watch.look("shop") == 1
    assert len(looks) == 1
    assert state(shop, case)[1] not in (None, first)


def test_a_history_that_is_recorded_moves_no_case(shop: Api) -> None:
    past = (shop.clock.now - timedelta(days=30)).isoformat()
    shop.post("/v1/events", shop.event("m1", at=past))
    says(shop, "r1", "m1", "li", at=past)
    later = (shop.clock.now - timedelta(days=29)).isoformat()
    says(shop, "m2", "m1", text="where is it", at=later)
    assert assign(shop) == {}
    assert state(shop, shop.case_id("m1")) == ("assigned", "li")


def test_the_shop_says_how_long_an_agent_may_take(shop: Api) -> None:
    assert shop.put("/v1/rules", {"inactive_minutes": 5}).status_code == 200
    case = waiting(shop, "m1")
    first = assign(shop)[case]
    shop.clock.advance(minutes=6)
    assert assign(shop)[case] != first
    assert list(faults(shop.put("/v1/rules", {"inactive_minutes": 0}))) == ["inactive_minutes"]


# --- without being asked


def test_nothing_is_assigned_unasked_unless_the_shop_wants_it(shop: Api) -> None:
    case = waiting(shop, "m1")
    watch = shop.services.assignment_watch
    assert watch.look("shop") == 0
    shop.put("/v1/rules", {"auto_assign": True})
    assert watch.look("shop") == 1
    assert state(shop, case)[0] == "assigned"
    shop.clock.advance(minutes=1)
    assert watch.look("shop") == 0, "nothing waits"
    shop.clock.advance(minutes=31)
    assert watch.look("shop") == 1, "an agent did not answer"
    actors = {item["actor"] for item in shop.get(f"/v1/cases/{case}/decisions").json()["items"][1:]}
    assert actors == {"auto_assign"}
    assert Rules().auto_assign is False


# --- the queue, and taking from it


def test_the_queue_stands_in_the_order_in_which_it_is_to_be_taken(shop: Api) -> None:
    calm = waiting(shop, "m1", "where is my parcel")
    angry = waiting(shop, "m2", "my parcel is late AGAIN, this is outrageous, I am furious!!!")
    page = shop.get("/v1/cases?state=waiting&sort=priority&limit=1").json()
    rest = shop.get(f"/v1/cases?state=waiting&sort=priority&cursor={page['next_cursor']}").json()
    assert [item["id"] for item in (*page["items"], *rest["items"])] == [angry, calm]
    (first,) = page["items"]
    assert first["priority"]["contributions"]
    assert first["waiting_since"]
    assert first["sla"]["tier"] >= 1
    assert shop.get("/v1/cases?state=waiting").json()["items"][0]["priority"] is None
    assert list(faults(shop.get("/v1/cases?sort=priority"))) == ["sort"]
    assert list(faults(shop.get("/v1/cases?sort=priority&state=waiting&agent_id=li"))) == ["sort"]


def test_picking_the_easy_case_first_leaves_a_trace(shop: Api) -> None:
    angry = waiting(shop, "m2", "my parcel is late AGAIN, this is outrageous, I am furious!!!")
    calm = waiting(shop, "m1", "where is my parcel")
    taken = shop.post(f"/v1/cases/{calm}/assign", {"agent_id": "li"}, role="agent").json()
    assert (taken["state"], taken["agent_id"]) == ("assigned", "li")
    item = shop.get(f"/v1/cases/{calm}/decisions").json()["items"][-1]
    assert (item["kind"], item["reason"]) == ("manual", "out_of_turn")
    assert any("Out of turn" in sentence for sentence in item["explanation"])
    entry = next(item for item in shop.get("/v1/audit").json()["items"] if item["action"] == "case.assigned")
    assert entry["detail"] == {"agent": "li", "out_of_turn": 1}
    shop.post(f"/v1/cases/{angry}/assign", {"agent_id": "mo"}, role="agent")
    assert shop.get(f"/v1/cases/{angry}/decisions").json()["items"][-1]["reason"] == "by_hand"


def test_cases_are_listed_by_who_has_them(shop: Api) -> None:
    case = waiting(shop, "m1")
    given = assign(shop)[case]
    other = ({"li", "mo"} - {given}).pop()
    assert [item["id"] for item in shop.get(f"/v1/cases?agent_id={given}").json()["items"]] == [case]
    assert shop.get(f"/v1/cases?agent_id={other}").json()["items"] == []


# --- asking somebody who knows more


def test_a_consultation_keeps_the_owner_and_is_there_for_the_expert(shop: Api) -> None:
    case = waiting(shop, "m1")
    owner = assign(shop)[case]
    expert = ({"li", "mo"} - {owner}).pop()
    asked = shop.post(
        f"/v1/cases/{case}/consult", {"agent_id": expert, "note": "call 13812345678, known?"}, role="agent"
    ).json()
    assert (asked["state"], asked["agent_id"]) == ("assigned", owner)
    (entry,) = shop.get(f"/v1/cases/{case}").json()["consultations"]
    assert entry["agent_id"] == expert
    assert "13812345678" not in entry["note"]
    assert [item["id"] for item in shop.get(f"/v1/cases?consulted_by={expert}").json()["items"]] == [case]
    assert shop.get(f"/v1/cases?consulted_by={owner}").json()["items"] == []
    assert list(faults(shop.post(f"/v1/cases/{case}/consult", {"agent_id": owner}))) == ["agent_id"]
    assert list(faults(shop.post(f"/v1/cases/{case}/consult", {"agent_id": "nobody"}))) == ["agent_id"]


def test_with_nobody_named_one_learns_whom_to_ask(shop: Api) -> None:
    case = waiting(shop, "m1")
    owner = assign(shop)[case]
    agent(shop, "pro", skills=["logistics"], languages=["zh"], capacity=1)
    asked = shop.post(f"/v1/cases/{case}/consult", {}).json()
    found = [item["id"] for item in asked["experts"]]
    assert owner not in found
    assert {"pro", *({"li", "mo"} - {owner})} == set(found[:2]), "whoever knows the matter, in any language"
    assert asked["consultations"] == []
    assert asked["experts"][0]["reasons"]


def test_an_experts_true_load_is_told(shop: Api) -> None:
    agent(shop, "pro", skills=["logistics"], capacity=1)
    first = waiting(shop, "m1")
    shop.post(f"/v1/cases/{first}/assign", {"agent_id": "pro"})
    case = waiting(shop, "m2", text="where is my parcel", conversation_id="c2", customer_id="u2")
    experts = shop.post(f"/v1/cases/{case}/consult", {}).json()["experts"]
    (pro,) = (item for item in experts if item["id"] == "pro")
    assert pro["available"], "advice takes no place"
    assert [one["text"] for one in pro["reasons"] if one["code"] == "load"] == ["full; 1 of 1 cases"]


# --- why


def test_a_decision_can_be_explained_in_both_languages(shop: Api) -> None:
    case = waiting(shop, "m1")
    given = assign(shop)[case]
    other = ({"li", "mo"} - {given}).pop()
    for language, said in (("en", f"Given to {str(given).title()}"), ("zh", f"分配给 {str(given).title()}")):
        items = shop.get(f"/v1/cases/{case}/decisions", headers={"Accept-Language": language}).json()["items"]
        words = "\n".join(items[-1]["explanation"])
        assert said in words
        assert (f"Not {other.title()}" if language == "en" else f"未选 {other.title()}") in words
        assert "resolves" not in words, "nobody has twenty cases"
    item = items[-1]
    assert {one["id"] for one in item["candidates"]} >= {"li", "mo"}
    for one in item["candidates"]:
        assert (one["estimate"]["rate"], one["terms"]["skill"]) == (None, None), "the term is the very rate"
        told = sum(term for term in one["terms"].values() if term is not None)
        assert 0.0 < one["score"] - told < 1.0
    assert item["priority"]["score"] >= 0
    assert item["problem_id"]
    assert (item["waiting"], item["propensity"], item["arm"]) == (1, None, None)


def test_a_case_taken_back_says_why_the_next_was_chosen(shop: Api) -> None:
    agent(shop, "mo", skills=["after-sales"])
    case = waiting(shop, "m1")
    assert assign(shop) == {case: "li"}
    shop.clock.advance(minutes=31)
    second = assign(shop)[case]
    item = shop.get(f"/v1/cases/{case}/decisions").json()["items"][-1]
    assert item["agent_id"] == second != "li"
    words = item["explanation"]
    assert any(sentence.startswith(f"{str(second).title()}: ") for sentence in words), words
    assert [sentence for sentence in words if "Li" in sentence] == [
        f"Given to {str(second).title()} after Li.",
        "Li had it before, and gets it again only if nobody else can.",
    ]


def test_nobody_is_said_to_have_had_more_who_had_not(shop: Api) -> None:
    chosen = {"id": "a", "online": True, "available": True, "score": 0.9, "load": 0, "capacity": 3}
    other = {**chosen, "id": "b", "score": 0.5, "terms": {"skill": 0.5}}
    chosen |= {"terms": {"skill": 0.5, "fairness": 0.4}}
    assert explaining._why_not(words_in("zh"), other, chosen) == ["所选的人近一周接案较少"]
    other["terms"] = {"skill": 0.5, "fairness": -0.1}
    assert explaining._why_not(words_in("zh"), other, chosen) == ["近一周接案较多"]


def test_a_rate_that_is_not_lower_is_not_called_lower(shop: Api) -> None:
    """On the problem the one chosen is better; what is shown are the rates of the whole field."""
    chosen = {"id": "a", "online": True, "available": True, "score": 0.9, "load": 0, "capacity": 3}
    other = {**chosen, "id": "b", "score": 0.5, "terms": {"skill": 0.5}, "estimate": {"rate": 0.9, "n": 50}}
    chosen |= {"terms": {"skill": 0.9}, "estimate": {"rate": 0.8, "n": 50}}
    assert explaining._why_not(words_in("en"), other, chosen) == ["less sure to resolve it"]


def test_a_case_in_a_language_that_nobody_speaks_is_given_once_its_reply_is_due(shop: Api) -> None:
    german = "Wo bleibt mein Paket? Ich warte schon seit zwei Wochen und niemand antwortet mir."
    case = waiting(shop, "m1", text=german)
    routed = shop.post("/v1/route", {"query": german}).json()["agents"]
    assert routed and not any(item["available"] for item in routed)
    assert any("nobody speaks German" in reason["text"] for item in routed for reason in item["reasons"])
    assert assign(shop) == {case: None}
    shop.clock.advance(minutes=12 * 60)
    assert assign(shop)[case] is not None
    told = shop.get(f"/v1/cases/{case}/decisions").json()["items"][-1]["explanation"]
    assert any("nobody speaks German" in sentence for sentence in told)


def test_nobody_can_be_told_of_a_case_that_is_not(shop: Api) -> None:
    problem(shop.get("/v1/cases/nothing/decisions"), 404)
    problem(shop.get("/v1/cases/nothing/decisions", role="bot"), 403)


def test_an_erased_customer_leaves_no_decision(shop: Api) -> None:
    case = waiting(shop, "m1")
    assign(shop)
    shop.delete("/v1/customers/u-m1")
    problem(shop.get(f"/v1/cases/{case}/decisions"), 404)
    with shop.store.reading("shop") as unit:
        assert unit.decisions.of_case(case) == ()


def test_who_covers_both_matters_comes_before_who_covers_one(shop: Api) -> None:
    agent(shop, "zoe", skills=["logistics", "after-sales"])
    case = waiting(shop, "m1", "where is my parcel. I want a refund")
    assert assign(shop)[case] == "zoe"


def test_a_hand_over_by_a_bot_says_why(shop: Api) -> None:
    asked = {"query": "let me talk to a human", "conversation_id": "c-1", "event_id": "m1"}
    reply = shop.post("/v1/answers", {**asked, "customer": {"id": "u-1"}}, role="bot").json()
    assert reply["action"] == "handoff"
    (item,) = shop.get(f"/v1/cases/{shop.case_id('m1')}/decisions").json()["items"]
    assert (item["kind"], item["reason"], item["agent_id"]) == ("handover", "explicit", None)
    assert "as the customer asked for a person" in item["explanation"][0]
    assert item["priority"]["score"] == reply["priority"]["score"]
    assert item["candidates"]
    assert shop.post("/v1/route", {**asked, "event_id": None, "conversation_id": "c-1"}).status_code == 200
    assert len(shop.get(f"/v1/cases/{shop.case_id('m1')}/decisions").json()["items"]) == 1, (
        "a route is an opinion"
    )


def test_cases_that_nobody_may_take_keep_no_other_from_its_turn(
    shop: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.people.waiting_queue.MOST_AT_ONCE", 3)
    for name in ("li", "mo", "an", "bo"):
        agent(shop, name, languages=["en"])
    chinese = [waiting(shop, f"zh{number}", "我的包裹三天没有动静了,到底在哪里") for number in range(4)]
    assert set(assign(shop).values()) == {None}
    shop.clock.advance(minutes=10)
    case = waiting(shop, "m1", "my parcel is late")
    assert assign(shop)[case] is not None
    others = [waiting(shop, f"n{number}", "my parcel is late") for number in range(2)]
    shop.clock.advance(minutes=1)
    urgent = waiting(shop, "m2", "my parcel is late and I will call my lawyer today")
    assert assign(shop)[urgent] is not None
    agent(shop, "li", languages=["zh"])
    given: dict[str, str | None] = {}
    for _ in range(4):
        given |= assign(shop)
    assert {given[id] for id in chinese} == {"li"}, "somebody speaks Chinese now"
    assert None not in {given[id] for id in others}


def test_what_a_customer_writes_anew_is_looked_at_anew(shop: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb_service.people.waiting_queue.MOST_AT_ONCE", 1)
    for name in ("li", "mo", "an", "bo"):
        agent(shop, name, languages=["en"])
    stuck = waiting(shop, "m1", "我的包裹三天没有动静了,到底在哪里")
    assert assign(shop) == {stuck: None}
    shop.clock.advance(minutes=1)
    other = waiting(shop, "m2")
    shop.clock.advance(minutes=1)
    says(shop, "m3", "m1", text="my parcel has not moved for three days, where is it")
    assert list(assign(shop)) == [stuck]
    assert state(shop, other)[0] == "waiting"


def test_of_a_long_queue_the_oldest_and_the_newest_are_looked_at(
    shop: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.people.waiting_queue.MOST_AT_ONCE", 4)
    cases = []
    for number in range(7):
        cases.append(waiting(shop, f"m{number}"))
        shop.clock.advance(minutes=1)
    assert set(assign(shop)) == {*cases[:2], *cases[-2:]}


def test_what_was_given_lately_is_counted_anew_once_a_minute_of_event_time(
    shop: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    count = recent_work.recent_work

    def noted(unit: Any) -> Any:
        if threading.current_thread().name.startswith(
            "AnyIO"
        ):  # requests alone: a start derives things beside
            counted.append(1)
        return count(unit)

    shop.services.replicas.settled("shop")
    monkeypatch.setattr(recent_work, "recent_work", noted)
    shop.post("/v1/events", shop.event("m0"))
    before = len(counted)
    for number in range(1, 4):
        shop.clock.advance(seconds=10)
        shop.post("/v1/events", shop.event(f"m{number}"))
        says(shop, f"r{number}", f"m{number}", "li")
    # Six messages; what a start derived meanwhile may make one of them count anew.
    assert len(counted) <= before + 1
    known = shop.services.replicas.settled("shop").shop
    assert known.agents["li"].load == 3, "how many cases each has is always exact"
    shop.clock.advance(minutes=1)
    shop.post("/v1/events", shop.event("m5"))
    assert len(counted) == before + 1
    assert shop.services.replicas.settled("shop").shop.recent.cases == {"li": 3}
