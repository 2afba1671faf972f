"""Events in, cases out; batches of events."""

from __future__ import annotations

from typing import Any

import pytest

from kb_service.store.backends import busy as busy_store
from tests.kb_service.conftest import LATE, Api, faults, problem


def test_an_event_is_recorded_once(api: Api) -> None:
    body = api.event("m1")
    first = api.post("/v1/events", body).json()
    assert first["status"] == "accepted"
    assert first["problem"]["new"]
    again = api.post("/v1/events", body).json()
    assert again == {**first, "status": "duplicate"}
    found = api.get("/v1/events/m1").json()
    assert found["text"] == LATE
    assert found["problem"]["id"] == first["problem"]["id"]
    assert found["case_id"] == first["case_id"]


def test_personal_data_is_masked_before_it_is_kept(api: Api) -> None:
    api.post(
        "/v1/events",
        api.event("m1", text="Call me on 13812345678 or write to lin@example.com, order 202611110001"),
    )
    text = api.get("/v1/events/m1").json()["text"]
    assert "13812345678" not in text
    assert "lin@example.com" not in text
    assert "202611110001" in text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"text": None}, "text"),
        ({"text": "  "}, "text"),
        ({"type": "agent_state", "agent_id": "a"}, "state"),
        ({"type": "agent_state", "state": "online"}, "agent_id"),
        ({"type": "rating"}, "rating"),
        ({"type": "transfer"}, "to_agent"),
        ({"conversation_id": None, "customer_id": None}, "conversation_id"),
        ({"customer": {"id": "somebody else"}}, "customer_id"),
        ({"customer": {"id": "u-m", "spend": -1}}, "customer.spend"),
        ({"customer": {"id": "u-m", "orders": 1.5}}, "customer.orders"),
        ({"type": "shout"}, "type"),
        ({"role": "robot"}, "role"),
        ({"at": "2026-06-18T04:00:00"}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"at": 1750000000}, "at"),
        ({"at": "1750000000"}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"at": "9999-12-31T23:59:59-12:00"}, "at"),
        ({"at": "2026-06-18T04:05:01Z"}, "at"),
        ({"id": ""}, "id"),
        ({"id": "m" * 201}, "id"),
        ({"id": "m\x00"}, "id"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "x" * 100_001}, "text"),
        ({"rating": 6}, "rating"),
        ({"order_value": -1}, "order_value"),
        ({"products": ["a"] * 51}, "products"),
        ({"products": [""]}, "products.0"),
        ({"language": "klingonisch"}, "language"),
        ({"texte": "x"}, "texte"),
    ],
)
def test_what_is_wrong_is_named(shared_api: Api, changed: dict[str, object], field: str) -> None:
    body = {**shared_api.event("m"), **changed}
    sent = {name: value for name, value in body.items() if value is not None}
    found = faults(shared_api.post("/v1/events", sent))
    assert list(found) == [field]
    (result,) = shared_api.batch("/v1/events:batch", [sent])
    assert result["status"] == "refused"
    assert [item["field"] for item in result["error"]["errors"]] == [field]
    assert field in result["error"]["detail"]
    assert shared_api.get("/v1/events").status_code == 405


def test_five_minutes_ahead_are_still_taken(api: Api) -> None:
    assert api.post("/v1/events", api.event("m", at="2026-06-18T04:05:00Z")).json()["status"] == "accepted"


def test_a_batch_answers_each_line_in_order(api: Api) -> None:
    lines = [
        api.event("a"),
        b"",
        b"not json",
        b"[]",
        b'{"id": "\xff"}',
        {**api.event("b"), "colour": "red"},
        api.event("a"),
        api.event("late", at="2026-06-19T04:00:00Z"),
        b'{"id": "big", "text": "' + b"x" * 1_100_000 + b'"}',
        b"[" * 100_000,
        b'{"id": "nan", "order_value": NaN}',
        api.event("c"),
    ]
    results = api.batch("/v1/events:batch", lines)
    assert [item["status"] for item in results] == (
        ["accepted", *["refused"] * 4, "duplicate", *["refused"] * 4, "accepted"]
    )
    assert [item["id"] for item in results] == [
        "a",
        None,
        None,
        None,
        "b",
        "a",
        "late",
        None,
        None,
        "nan",
        "c",
    ]
    named = {
        place: [error["field"] for error in item["error"]["errors"]]
        for place, item in enumerate(results)
        if "error" in item
    }
    assert named[1] == ["line 3"]
    assert named[2] == ["line 4"]
    assert named[3] == ["line 5"]
    assert named[4] == ["colour"]
    assert named[6] == ["at"]
    assert named[7] == ["line 9"]
    assert named[8] == ["line 10"]
    assert "order_value" in named[9]
    assert "1048576 bytes" in results[7]["error"]["detail"]
    assert api.get("/v1/events/c").status_code == 200


def test_what_a_refused_line_quotes_stays_valid_json(api: Api) -> None:
    (result,) = api.batch("/v1/events:batch", [b'{"id": "\\ud800", "\\udfff": 1}'])
    assert result["status"] == "refused"
    assert result["id"] == "\ud800"


def test_a_case_gathers_channels_and_moves_through_its_states(api: Api) -> None:
    api.put("/v1/agents/agent-1", {"name": "agent-1", "online": True, "languages": ["en"]})
    api.put("/v1/agents/agent-2", {"name": "agent-2", "online": True, "languages": ["en"]})
    case_id = api.post("/v1/events", api.event("m1", customer_id="u", channel="app")).json()["case_id"]
    api.clock.advance(hours=71)
    second = api.event("m2", customer_id="u", channel="phone", text="Still nothing, where is my parcel?")
    assert api.post("/v1/events", second).json()["case_id"] == case_id
    case = api.get(f"/v1/cases/{case_id}").json()
    assert case["state"] == "bot"
    assert case["channels"] == ["app", "phone"]
    assert case["conversation_ids"] == ["c-m1", "c-m2"]
    assert [event["id"] for event in case["events"]] == ["m1", "m2"]

    waiting = api.post(f"/v1/cases/{case_id}/handover", {"reason": "asked for a person"}).json()
    assert waiting["state"] == "waiting"
    assert [item["id"] for item in api.get("/v1/cases?state=waiting").json()["items"]] == [case_id]
    (made,) = api.post("/v1/assignments", {}).json()["items"]
    assert made["case_id"] == case_id
    assert made["agent"]["id"] in ("agent-1", "agent-2")
    assert api.get(f"/v1/cases/{case_id}").json()["state"] == "assigned"
    assert api.post(f"/v1/cases/{case_id}/assign", {"agent_id": "agent-2"}).json()["agent_id"] == "agent-2"
    assert api.post(f"/v1/cases/{case_id}/consult", {"agent_id": "agent-1"}).json()["agent_id"] == "agent-2"
    assert "agent_id" in faults(api.post(f"/v1/cases/{case_id}/consult", {"agent_id": "agent-2"}))
    assert "agent_id" in faults(api.post(f"/v1/cases/{case_id}/assign", {"agent_id": "nobody"}))
    done = api.post(f"/v1/cases/{case_id}/resolve", {"resolved": True, "handling_seconds": 90}).json()
    assert done["state"] == "resolved"
    assert done["resolved_at"]
    assert done["events"][-1]["agent_id"] == "agent-2"
    problem(api.post(f"/v1/cases/{case_id}/handover", {}), 409)
    back = api.post(f"/v1/cases/{case_id}/assign", {"agent_id": "agent-1"}).json()
    assert (back["state"], back["resolved_at"]) == ("assigned", None)


def test_a_case_that_was_long_quiet_is_the_one_that_is_resolved(api: Api) -> None:
    case_id = api.post("/v1/events", api.event("m1", conversation_id=None)).json()["case_id"]
    api.clock.advance(days=10)
    assert api.post(f"/v1/cases/{case_id}/resolve").json()["state"] == "resolved"
    assert len(api.get("/v1/cases").json()["items"]) == 1


def test_bodies_without_a_needed_field_may_be_left_out(api: Api) -> None:
    case_id = api.post("/v1/events", api.event("m1")).json()["case_id"]
    assert api.post(f"/v1/cases/{case_id}/handover").json()["state"] == "waiting"
    assert api.post("/v1/assignments").status_code == 200


def test_a_question_with_an_event_id_is_that_event(api: Api) -> None:
    asked = {"query": LATE, "event_id": "m1", "customer": {"id": "u"}, "conversation_id": "c"}
    assert api.post("/v1/answers", asked).status_code == 200
    assert api.post("/v1/answers", asked).status_code == 200
    assert api.post("/v1/events", api.event("m1")).json()["status"] == "duplicate"
    found = api.get("/v1/events/m1").json()
    assert (found["customer_id"], found["conversation_id"], found["text"]) == ("u", "c", LATE)
    assert api.get(f"/v1/cases/{found['case_id']}").json()["state"] == "waiting"


def test_asking_alone_records_nothing(api: Api) -> None:
    api.post("/v1/answers", {"query": LATE, "conversation_id": "c", "customer": {"id": "u"}})
    assert api.get("/v1/cases").json()["items"] == []
    assert api.get("/v1/problems").json()["items"] == []


def test_a_store_that_lets_nobody_write_costs_the_replica_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that never began left nothing behind: there is nothing to derive anew."""
    api.post("/v1/events", api.event("m1"))
    replica = api.services.replicas.settled("shop")
    resets: list[bool] = []
    monkeypatch.setattr(replica, "reset", lambda: resets.append(True))

    def busy(workspace: str) -> Any:
        raise busy_store()

    monkeypatch.setattr(api.store, "writing", busy)
    assert api.post("/v1/events", api.event("m2")).status_code == 503
    assert resets == []


@pytest.mark.parametrize("said", ["yes", "true", 1, "false"])
def test_whether_something_was_solved_is_true_false_or_null(api: Api, said: object) -> None:
    """`"yes"` was taken for true."""
    body = api.event("f1", type="followup", resolved=said)
    assert list(faults(api.post("/v1/events", body))) == ["resolved"]


def test_a_recorded_event_shows_what_it_said(api: Api) -> None:
    api.post("/v1/events", api.event("f1", type="followup", resolved=False))
    api.post("/v1/events", api.event("r1", type="rating", rating=4))
    assert api.get("/v1/events/f1").json()["resolved"] is False
    assert api.get("/v1/events/r1").json()["rating"] == 4
