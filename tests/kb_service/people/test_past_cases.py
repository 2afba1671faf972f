"""How cases of the same problem ended, as examples for the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from graph.models import Case, Event
from kb_service.people.past_cases import past_cases

AT = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)


def a_case(id: str) -> Case:
    return Case(id, "u", (f"c-{id}",), ("web",), "resolved", AT, AT, problem_id="p", agent_id="agent-9")


def said(text: str, role: Any = "customer", **more: Any) -> Event:
    return Event(f"e-{text}", "message", AT, role, text=text, **more)


def solved(reply: str | None, minutes: int = 0, **more: Any) -> Event:
    return Event(f"r-{reply}", "resolution", AT + timedelta(minutes=minutes), reply=reply, **more)


def test_what_held_comes_first_then_what_asks_alike_then_the_latest() -> None:
    cases = [a_case(id) for id in ("failed", "other", "alike", "late")]
    events = {
        "failed": [said("my parcel is lost"), solved("Wait.", agent_id="a")],
        "other": [said("which colours are there"), solved("Red.")],
        "alike": [said("my parcel is lost again"), solved("Sent again.")],
        "late": [said("which sizes are there"), solved("Large.", minutes=5)],
    }
    found = past_cases(cases, events, {"other", "alike", "late"}, "the parcel is lost", 9)
    assert [item.case.id for item in found] == ["alike", "late", "other", "failed"]
    assert [item.held for item in found] == [True, True, True, False]
    assert found[3].agent_id == "a"
    assert found[0].agent_id == "agent-9"


def test_a_reply_that_was_given_often_is_told_once() -> None:
    cases = [a_case(id) for id in ("a", "b", "c")]
    events = {"a": [solved("Sent again.")], "b": [solved("Sent  again.")], "c": [solved("Wait.")]}
    found = past_cases(cases, events, {"a", "b", "c"}, "", 9)
    assert sorted((item.reply.replace("  ", " "), item.times) for item in found) == [
        ("Sent again.", 2),
        ("Wait.", 1),
    ]
    assert len(past_cases(cases, events, {"a"}, "", 1)) == 1


def test_what_an_agent_wrote_last_stands_in_for_a_resolution_that_tells_nothing() -> None:
    events = {
        "a": [
            said("hello"),
            said("One moment.", "agent", agent_id="agent-1"),
            said("It is on its way.", "agent", agent_id="agent-1"),
            solved(None),
            Event("f", "followup", AT, resolved=False),
            Event("s", "rating", AT, rating=2.0),
        ]
    }
    (found,) = past_cases([a_case("a")], events, set(), "", 9)
    assert (found.reply, found.agent_id, found.rating, found.held) == (
        "It is on its way.",
        "agent-1",
        2.0,
        False,
    )


def test_a_case_that_nobody_answered_is_no_example() -> None:
    events = {"a": [said("hello"), said("I am a bot.", "bot")]}
    assert past_cases([a_case("a"), a_case("b")], events, {"a", "b"}, "", 9) == ()
