"""Customers are asked after a resolution, and what they answer confirms it or takes it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kb_service.recurring import following_up
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, running
from tests.kb_service.recurring.test_problems import BROKEN, Receiver, hook, until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock, webhook_allow="127.0.0.0/8") as started:
        started.put("/v1/rules", {"burst_customers": 1000, "growth_alerts": False})
        yield started


def look(api: Api) -> int:
    return api.services.following_up.look("shop")


def told(api: Api) -> list[dict[str, Any]]:
    with api.store.reading("shop") as unit:
        items = unit.webhooks.deliveries("team", None, 100).items
        messages = [unit.outbox.message(item.message_id) for item in reversed(items)]
    return [{"type": message.type, **message.data} for message in messages if message is not None]


def resolved(api: Api, customers: int = 3, **fields: Any) -> str:
    """A problem of some customers that was resolved three days and a minute ago; its id."""
    problem_id = str(api.recurring(customers=customers, **fields)["problem"]["id"])
    assert api.post(f"/v1/problems/{problem_id}/resolve").json()["state"] == "resolved"
    api.clock.advance(hours=72, minutes=1)
    return problem_id


def asked(api: Api, customers: int = 3, **fields: Any) -> str:
    """The same, whose customers were asked."""
    problem_id = resolved(api, customers, **fields)
    assert look(api) == 1
    return problem_id


def answer(api: Api, number: int, solved: bool | None, **fields: Any) -> dict[str, Any]:
    """The answer of the customer of the `number`th message."""
    who = {"conversation_id": f"c-m{number}", "customer_id": f"u-m{number}", **fields}
    body = api.event(f"f{number}-{solved}", type="followup", resolved=solved, text="答复", **who)
    response = api.post("/v1/events", body)
    assert response.status_code == 200, response.text
    return dict(response.json())


def actions(api: Api) -> list[str]:
    return [entry["action"] for entry in api.get("/v1/audit?limit=200").json()["items"]]


def follow_ups(api: Api, query: str = "") -> list[dict[str, Any]]:
    return list(api.get(f"/v1/followups{query}").json()["items"])


def test_customers_are_asked_once_channel_by_channel(api: Api, receiver: Receiver) -> None:
    api.put("/v1/agents/agent-9", {"name": "Nine"})
    quiet = {"burst_customers": 1000, "growth_alerts": False}
    api.put("/v1/rules", {"owners": {"channel": {"wechat": "agent-9"}}, **quiet})
    hook(api, receiver, "followup.due")
    for number, channel in enumerate(["wechat", "wechat", "app"]):
        api.post("/v1/events", api.event(f"m{number}", channel=channel))
        api.clock.advance(minutes=1)
    problem_id = api.get("/v1/problems").json()["items"][0]["id"]
    at = api.clock.now
    api.post(f"/v1/problems/{problem_id}/resolve")
    waiting = api.get(f"/v1/problems/{problem_id}").json()["followup"]
    assert waiting["state"] == "waiting"
    api.clock.advance(hours=71, minutes=59)
    assert look(api) == 0
    api.clock.advance(minutes=1)
    assert [look(api), look(api)] == [1, 0]
    by_channel = {item["channel"]: item for item in told(api)}
    assert set(by_channel) == {"wechat", "app"}
    wechat = by_channel["wechat"]
    assert wechat["type"] == "followup.due"
    assert wechat["owner"] == {"id": "agent-9", "name": "Nine"}
    assert by_channel["app"]["owner"] is None
    assert wechat["problem"]["id"] == problem_id
    assert wechat["resolved_at"] == at.isoformat()
    assert set(wechat["question"]) == {"zh", "en"}
    customers = {(case["conversation_id"], case["customer_id"]) for case in wechat["cases"]}
    assert customers == {("c-m0", "u-m0"), ("c-m1", "u-m1")}
    assert all(case["case_id"] for case in wechat["cases"])
    listed = {item["id"]: item for item in follow_ups(api, "?state=open")}
    assert set(listed) == {item["followup_id"] for item in told(api)}
    found = api.get(f"/v1/problems/{problem_id}").json()["followup"]
    assert (found["state"], found["asked"], set(found["ids"])) == ("open", 3, set(listed))
    until(lambda: len(receiver.once()) == 2)
    assert actions(api).count("followup.sent") == 2


def test_customers_who_agree_confirm_it(api: Api) -> None:
    problem_id = asked(api)
    answer(api, 0, True)
    assert api.get(f"/v1/problems/{problem_id}").json()["confirmed_at"] is None
    answer(api, 1, True)
    found = api.get(f"/v1/problems/{problem_id}").json()
    assert (found["state"], found["confirmed_at"] is not None) == ("resolved", True)
    assert (found["followup"]["state"], found["followup"]["yes"]) == ("confirmed", 2)
    assert [item["state"] for item in follow_ups(api)] == ["confirmed"]
    assert {"followup.answered", "followup.confirmed"} <= set(actions(api))


def test_customers_who_disagree_take_it_back(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened", "problem.regressed")
    problem_id = asked(api, 5)
    before = len(told(api))
    assert [answer(api, number, solved)["alerts"] for number, solved in enumerate((False, True, False))] == [
        [],
        [],
        [],
    ]
    (alert_id,) = answer(api, 3, False)["alerts"]
    alert = api.get(f"/v1/alerts/{alert_id}").json()
    assert (alert["kind"], alert["state"], alert["customers"]) == ("regression", "open", 3)
    assert "3 of 4 customers who answered said no" in alert["evidence"]["en"]
    assert "3 位" in alert["evidence"]["zh"]
    found = api.get(f"/v1/problems/{problem_id}").json()
    assert (found["state"], found["followup"]["state"], found["followup"]["no"]) == (
        "regressed",
        "reopened",
        3,
    )
    assert sorted(item["type"] for item in told(api)[before:]) == ["alert.opened", "problem.regressed"]
    assert not answer(api, 4, False)["alerts"]
    assert {"followup.reopened", "problem.regressed"} <= set(actions(api))
    # Customers who come back later make no second regression of the same resolution.
    assert not [item for item in api.recurring("again")["alerts"] if item == alert_id]


def test_of_few_customers_the_majority_decides(api: Api) -> None:
    problem_id = asked(api, 2)
    assert not answer(api, 0, False)["alerts"]
    assert answer(api, 1, False)["alerts"]
    assert api.get(f"/v1/problems/{problem_id}").json()["state"] == "regressed"


def test_a_week_without_a_word_confirms_it(api: Api) -> None:
    problem_id = asked(api)
    api.clock.advance(days=6, hours=23)
    assert look(api) == 0
    api.clock.advance(hours=1)
    assert [look(api), look(api)] == [1, 0]
    found = api.get(f"/v1/problems/{problem_id}").json()
    assert (found["confirmed_at"] is not None, found["followup"]["state"]) == (True, "confirmed")


def test_a_week_in_which_somebody_still_wrote_of_it_confirms_nothing(api: Api) -> None:
    problem_id = asked(api)
    api.clock.advance(days=3)
    api.post("/v1/events", api.event("again"))
    api.clock.advance(days=4)
    assert look(api) == 1
    found = api.get(f"/v1/problems/{problem_id}").json()
    assert (found["confirmed_at"], found["followup"]["state"]) == (None, "unconfirmed")


def test_the_latest_word_of_a_customer_counts(api: Api) -> None:
    problem_id = asked(api, 4)
    answer(api, 0, False)
    answer(api, 1, None)
    api.clock.advance(hours=1)
    answer(api, 0, True)
    early = (api.clock.now).replace(minute=0).isoformat()
    body = api.event(
        "late", type="followup", resolved=False, at=early, customer_id="u-m0", conversation_id="c-m0"
    )
    api.post("/v1/events", body)
    found = api.get(f"/v1/problems/{problem_id}").json()["followup"]
    assert (found["state"], found["yes"], found["no"]) == ("open", 1, 0)


def test_who_was_not_on_the_list_may_answer_too(api: Api) -> None:
    problem_id = asked(api, 23)
    (follow_up,) = follow_ups(api)
    assert len(follow_up["cases"]) == 20
    listed = {case["customer_id"] for case in follow_up["cases"]}
    (left_out, *_) = [number for number in range(23) if f"u-m{number}" not in listed]
    answer(api, left_out, False)
    found = api.get(f"/v1/problems/{problem_id}").json()["followup"]
    assert (found["asked"], found["no"]) == (20, 1)
    (answered,) = [case for case in follow_ups(api)[0]["cases"] if not case["asked"]]
    assert answered["customer_id"] == f"u-m{left_out}"


def test_an_answer_without_a_conversation_finds_its_customer_and_opens_no_case(api: Api) -> None:
    asked(api)
    before = len(api.get("/v1/cases?limit=200").json()["items"])
    result = answer(api, 1, True, conversation_id=None)
    assert result["case_id"] == api.case_id("m1")
    assert len(api.get("/v1/cases?limit=200").json()["items"]) == before
    (follow_up,) = follow_ups(api)
    assert [case["customer_id"] for case in follow_up["cases"] if case["solved"]] == ["u-m1"]


@pytest.mark.parametrize("fields", [{}, {"conversation_id": None}])
def test_an_answer_that_comes_before_the_round_that_asks_counts(api: Api, fields: dict[str, Any]) -> None:
    """A round asks once a minute: who answered in that minute was not heard."""
    problem_id = resolved(api)
    answer(api, 0, True, **fields)
    (found,) = follow_ups(api)
    assert found["problem"]["id"] == problem_id
    assert api.get(f"/v1/problems/{problem_id}").json()["followup"]["yes"] == 1
    assert actions(api)[:2] == ["followup.answered", "followup.sent"]
    assert look(api) == 0, "who was asked is not asked again"


def test_an_answer_before_it_is_due_asks_nobody(api: Api) -> None:
    problem_id = str(api.recurring()["problem"]["id"])
    api.post(f"/v1/problems/{problem_id}/resolve")
    answer(api, 0, True)
    assert follow_ups(api) == []


def test_who_was_asked_of_nothing_answers_nothing(api: Api) -> None:
    asked(api)
    answer(api, 77, False)
    assert "followup.answered" not in actions(api)


def test_what_is_open_again_is_not_asked_about(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "followup.due")
    problem_id = resolved(api)
    api.post(f"/v1/problems/{problem_id}/reopen")
    assert look(api) == 0
    api.post(f"/v1/problems/{problem_id}/resolve")
    assert look(api) == 0
    api.clock.advance(hours=72)
    assert look(api) == 1
    # Nobody wrote since it was taken back: those are asked who wrote before.
    (due,) = told(api)
    assert len(due["cases"]) == 3


def test_where_there_is_nobody_to_ask_that_is_noted_once(api: Api) -> None:
    problem_id = resolved(api)
    for number in range(3):
        case_id = api.case_id(f"m{number}")
        with api.store.writing("shop") as unit:
            case = unit.cases.get(case_id)
            assert case is not None
            unit.cases.put(replace(case, problem_id=None))
    assert [look(api), look(api)] == [1, 0]
    assert api.get(f"/v1/problems/{problem_id}").json()["followup"]["state"] == "unconfirmed"
    assert follow_ups(api, "?state=open") == []


def test_reopening_ends_the_wait_for_answers(api: Api) -> None:
    problem_id = asked(api)
    api.post(f"/v1/problems/{problem_id}/reopen")
    assert [item["state"] for item in follow_ups(api)] == ["reopened"]
    answer(api, 0, True)
    assert api.get(f"/v1/problems/{problem_id}").json()["confirmed_at"] is None


def test_nothing_of_an_erased_customer_is_left_in_follow_ups(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "followup.due")
    asked(api)
    answer(api, 1, False)
    assert api.delete("/v1/customers/u-m1").status_code in (200, 204)
    for shown in (json.dumps(follow_ups(api)), json.dumps(told(api)), api.get("/v1/audit").text):
        assert "u-m1" not in shown
        assert "c-m1" not in shown
    assert {case["customer_id"] for case in follow_ups(api)[0]["cases"]} == {"u-m0", "u-m2"}
    found = api.get("/v1/problems").json()["items"][0]
    assert api.get(f"/v1/problems/{found['id']}").json()["followup"]["no"] == 0


def test_follow_ups_go_with_the_problem_that_is_merged(api: Api) -> None:
    problem_id = asked(api)
    other = api.recurring("o", customers=1, text=BROKEN)["problem"]["id"]
    api.post(f"/v1/problems/{problem_id}/merge", {"into": other})
    (follow_up,) = follow_ups(api)
    assert follow_up["problem"]["id"] == other
    assert answer(api, 0, True)["status"] == "accepted"


def test_a_merge_that_is_taken_back_asks_nobody_twice(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "followup.due")
    problem_id = asked(api)
    (before,) = follow_ups(api)
    other = api.recurring("o", customers=1, text=BROKEN)["problem"]["id"]
    api.post(f"/v1/problems/{problem_id}/merge", {"into": other})
    assert api.post(f"/v1/problems/{other}/unmerge", {"alias": problem_id}).status_code == 200
    assert look(api) == 0
    assert [(item["id"], item["problem"]["id"]) for item in follow_ups(api)] == [(before["id"], problem_id)]
    # One that an earlier version left with the other problem comes back without a word to customers.
    with api.store.writing("shop") as unit:
        (left,) = unit.follow_ups.open()
        unit.follow_ups.put(replace(left, problem_id=other))
    assert [look(api), look(api)] == [1, 0]
    assert [item["problem"]["id"] for item in follow_ups(api)] == [problem_id]
    assert len(told(api)) == 1


def two_resolved(api: Api, first_asked: bool) -> tuple[str, str]:
    """Two problems of other customers, both resolved; those of the first were asked where that is wanted, those of the
    second were not."""
    one = asked(api) if first_asked else resolved(api)
    other = str(api.recurring("o", customers=2, text=BROKEN)["problem"]["id"])
    api.post(f"/v1/problems/{other}/resolve")
    api.clock.advance(hours=1)
    return one, other


def test_two_resolved_problems_that_are_merged_are_asked_after_once(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "followup.due")
    one, other = two_resolved(api, first_asked=True)
    api.post(f"/v1/problems/{one}/merge", {"into": other})
    api.clock.advance(hours=72)
    assert [look(api), look(api)] == [0, 0]
    assert len(told(api)) == 1
    found = api.get(f"/v1/problems/{other}").json()["followup"]
    assert (found["state"], found["asked"]) == ("open", 3)
    answer(api, 0, True)
    answer(api, 1, True)
    assert api.get(f"/v1/problems/{other}").json()["followup"]["state"] == "confirmed"
    assert api.get(f"/v1/problems/{other}").json()["confirmed_at"] is not None


def test_customers_asked_of_both_problems_before_they_were_merged_decide_together(api: Api) -> None:
    one, other = two_resolved(api, first_asked=True)
    api.clock.advance(hours=72)
    assert look(api) == 1
    api.post(f"/v1/problems/{one}/merge", {"into": other})
    found = api.get(f"/v1/problems/{other}").json()["followup"]
    assert (found["state"], found["asked"], len(found["ids"])) == ("open", 5, 2)
    for number in range(3):
        answer(api, number, False)
    assert api.get(f"/v1/problems/{other}").json()["state"] == "regressed"
    assert {item["state"] for item in follow_ups(api)} == {"reopened"}


def test_who_said_that_a_merged_problem_is_solved_is_not_asked_again(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "followup.due")
    one, other = two_resolved(api, first_asked=True)
    answer(api, 0, True)
    answer(api, 1, True)
    assert api.get(f"/v1/problems/{one}").json()["confirmed_at"] is not None
    api.post(f"/v1/problems/{one}/merge", {"into": other})
    api.clock.advance(hours=72)
    assert look(api) == 1
    assert [{case["customer_id"] for case in item["cases"]} for item in told(api)] == [
        {"u-m0", "u-m1", "u-m2"},
        {"u-o0", "u-o1"},
    ]


def test_a_question_ends_where_what_it_asks_after_is_merged_into_an_open_problem(api: Api) -> None:
    one = asked(api)
    other = str(api.recurring("o", text=BROKEN)["problem"]["id"])
    api.post(f"/v1/problems/{one}/merge", {"into": other})
    assert [item["state"] for item in follow_ups(api)] == ["reopened"]
    api.post(f"/v1/problems/{other}/unmerge", {"alias": one})
    assert [(item["state"], item["problem"]["id"]) for item in follow_ups(api)] == [("open", one)]


def test_unmerging_two_resolved_problems_gives_each_its_own_question(api: Api) -> None:
    one, other = two_resolved(api, first_asked=True)
    before = api.get(f"/v1/problems/{one}").json()["followup"]
    api.post(f"/v1/problems/{one}/merge", {"into": other})
    api.post(f"/v1/problems/{other}/unmerge", {"alias": one})
    assert api.get(f"/v1/problems/{one}").json()["followup"] == before
    api.clock.advance(hours=72)
    assert look(api) == 1
    assert api.get(f"/v1/problems/{other}").json()["followup"]["asked"] == 2


def test_of_two_resolved_problems_that_nobody_was_asked_of_the_merged_one_is_asked_after(
    api: Api, receiver: Receiver
) -> None:
    hook(api, receiver, "followup.due")
    one, other = two_resolved(api, first_asked=False)
    api.post(f"/v1/problems/{one}/merge", {"into": other})
    api.clock.advance(hours=72)
    assert [look(api), look(api)] == [1, 0]
    assert [len(item["cases"]) for item in told(api)] == [5]


def test_one_problem_that_cannot_be_asked_about_holds_up_no_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = str(api.recurring("a")["problem"]["id"])
    other = str(api.recurring("b", text=BROKEN)["problem"]["id"])
    for problem_id in (one, other):
        api.post(f"/v1/problems/{problem_id}/resolve")
    api.clock.advance(hours=72, minutes=1)
    ask = following_up._ask

    def broken(unit: Any, problem: Any, *given: Any) -> None:
        if problem.id == one:
            raise ValueError("a fault of this problem")
        ask(unit, problem, *given)

    monkeypatch.setattr(following_up, "_ask", broken)
    assert [look(api), look(api)] == [1, 0]
    assert [item["problem"]["id"] for item in follow_ups(api)] == [other]
    monkeypatch.setattr(following_up, "_ask", ask)
    api.clock.advance(hours=1)
    assert look(api) == 1
    assert {item["problem"]["id"] for item in follow_ups(api)} == {one, other}


def test_a_round_asks_about_so_many_problems_and_the_next_goes_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_up, "TOGETHER", 1)
    for prefix, text in (("a", "parcel is late"), ("b", BROKEN)):
        problem_id = api.recurring(prefix, text=text)["problem"]["id"]
        api.post(f"/v1/problems/{problem_id}/resolve")
    api.clock.advance(hours=72, minutes=1)
    assert [look(api), look(api), look(api)] == [1, 1, 0]


def test_the_name_of_a_problem_goes_to_customers_only_where_a_person_gave_it(api: Api) -> None:
    problem_id = asked(api)
    (generated,) = follow_ups(api)
    name = api.get(f"/v1/problems/{problem_id}").json()["name"]
    assert name not in generated["question"]["en"]
    api.post(f"/v1/problems/{problem_id}/rename", {"name": {"en": "parcels held at the depot"}})
    (named,) = follow_ups(api)
    assert "parcels held at the depot" in named["question"]["en"]
    assert "您" in named["question"]["zh"]
