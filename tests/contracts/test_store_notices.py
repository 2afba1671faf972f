"""Notices and follow-ups: what is due, who speaks for whom, who was asked of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from graph.notices import Group, GroupTold
from kb_service.store import AskedCase, Store, Unit
from tests.contracts.store_samples import (
    AT,
    a_follow_up,
    a_match,
    a_notice,
    a_problem,
    an_alert,
    an_event,
)

HOUR = timedelta(hours=1)
FIELD = Group("expertise", "x1")


def told(unit: Unit, alert_id: str, problem_id: str = "p1", **changes: object) -> None:
    """An alert with its notice."""
    state = changes.pop("alert_state", "open")
    unit.alerts.put(an_alert(alert_id, problem_id=problem_id, state=state, examples=()), [])
    unit.notices.put(replace(a_notice(alert_id), **changes))  # type: ignore[arg-type]


def test_a_notice_comes_back_as_it_was_put_and_goes_with_its_alert(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.problems.put(a_problem())
        told(unit, "a1")
        told(unit, "a2", due_at=None, told_at=None, last_told_at=None, inhibited_by=None, state="over")
    with store.writing("shop") as unit:
        assert unit.notices.get("a1") == a_notice("a1")
        unit.notices.put(a_notice("a1", acknowledged=True))
        assert unit.notices.get("a1") == a_notice("a1", acknowledged=True)
        assert set(unit.notices.of_alerts(["a1", "a2", "a3"])) == {"a1", "a2"}
        unit.problems.remove("p1")
        assert unit.notices.of_alerts(["a1", "a2"]) == {}


def test_what_is_due_comes_in_order_and_in_bounds(store: Store) -> None:
    with store.writing("shop") as unit:
        for alert_id, hours in (("a1", 3), ("a2", 1), ("a3", 2), ("a4", 9)):
            told(unit, alert_id, due_at=AT + hours * HOUR)
        told(unit, "a5", due_at=None)
        assert [item.alert_id for item in unit.notices.due(AT + 3 * HOUR, 9)] == ["a2", "a3", "a1"]
        assert [item.alert_id for item in unit.notices.due(AT + 3 * HOUR, 2)] == ["a2", "a3"]


def test_a_group_knows_when_it_was_told_last_but_for_the_digest(store: Store) -> None:
    with store.writing("shop") as unit:
        told(unit, "a1", told_at=AT, reason="first_of_group")
        told(unit, "a2", told_at=AT + HOUR, reason="gathered")
        told(unit, "a3", told_at=AT + 2 * HOUR, reason="digest")
        told(unit, "a4", told_at=None, reason="interval")
        told(unit, "a5", told_at=AT + 3 * HOUR, group=Group("product", "x1"))
        assert unit.notices.group_told(FIELD) == GroupTold(AT + HOUR, "gathered")
        assert unit.notices.group_told(Group("problem", "x1")) is None


def test_only_what_was_told_lately_and_is_not_resolved_speaks_for_others(store: Store) -> None:
    with store.writing("shop") as unit:
        told(unit, "old", "above", last_told_at=AT)
        told(unit, "done", "above", last_told_at=AT + 5 * HOUR, alert_state="resolved")
        told(unit, "silent", "above", last_told_at=None)
        assert unit.notices.speaking(["above"], AT) is None
        told(unit, "speaks", "top", last_told_at=AT + HOUR, alert_state="acknowledged")
        assert unit.notices.speaking(["above", "top"], AT) == "speaks"
        assert unit.notices.speaking([], AT) is None


def test_the_newest_told_alert_of_a_problem(store: Store) -> None:
    with store.writing("shop") as unit:
        told(unit, "a1")
        told(unit, "a2")
        unit.alerts.put(an_alert("a1", opened_at=AT - HOUR))
        told(unit, "a3", told_at=None)
        unit.alerts.put(an_alert("a3", opened_at=AT + HOUR))
        assert unit.notices.newest_told("p1") == "a2"
        assert unit.notices.newest_told("p2") is None


def test_alerts_name_the_events_that_they_quote(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.alerts.put(an_alert("a1"), ["e1", "e2"])
        unit.alerts.put(an_alert("a2"), ["e2", "e3"])
        unit.alerts.put(an_alert("a3", examples=("unknown",)))
        assert unit.alerts.quoted_events(["a2", "a1", "a3"]) == ("e1", "e2", "e3")


# --- follow-ups


def test_a_follow_up_comes_back_as_it_was_put(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.follow_ups.put(a_follow_up())
        assert unit.follow_ups.get("flw-1") == a_follow_up()
        fewer = a_follow_up(state="confirmed", channel=None, cases=a_follow_up().cases[1:])
        unit.follow_ups.put(fewer)
        assert unit.follow_ups.get("flw-1") == fewer
        assert unit.follow_ups.open() == ()


def test_follow_ups_are_found_by_state_time_and_problem(store: Store) -> None:
    with store.writing("shop") as unit:
        for number, (problem_id, state) in enumerate(
            (("p1", "open"), ("p1", "confirmed"), ("p2", "open"), ("p2", "open"))
        ):
            sent_at = AT + number * HOUR
            unit.follow_ups.put(
                a_follow_up(
                    f"f{number}", problem_id=problem_id, state=state, sent_at=sent_at, channel=str(number)
                )
            )
        unit.follow_ups.put(a_follow_up("older", problem_id="p2", resolved_at=AT - HOUR, sent_at=AT))
        assert [item.id for item in unit.follow_ups.page(limit=2).items] == ["f3", "f2"]
        assert [item.id for item in unit.follow_ups.page(state="confirmed").items] == ["f1"]
        assert [item.id for item in unit.follow_ups.open()] == ["f0", "older", "f2", "f3"]
        assert [item.id for item in unit.follow_ups.open(sent_by=AT, problem_id="p2")] == ["older"]
        assert [item.id for item in unit.follow_ups.latest_of("p2")] == ["f2", "f3"]
        assert [item.id for item in unit.follow_ups.of_problem("p2", AT - HOUR)] == ["older"]
        assert unit.follow_ups.latest_of("p9") == ()


@pytest.mark.parametrize("hours", [2, 30])
def test_customers_of_a_span_are_counted_once_each(store: Store, hours: int) -> None:
    who = [("u1", "c1"), ("u1", "c2"), ("u2", None), (None, "c3"), (None, "c3"), (None, None), (None, None)]
    with store.writing("shop") as unit:
        unit.problems.put(a_problem())
        for number, (customer_id, conversation_id) in enumerate([*who, ("late", "late"), ("early", "early")]):
            at = AT if number < len(who) else AT + (HOUR if number == len(who) else -hours * HOUR)
            event = an_event(f"e{number}", customer_id=customer_id, conversation_id=conversation_id, at=at)
            unit.events.add(event)
            unit.assignments.put(event.id, "p1", a_match("p1"))
        unit.events.add(an_event("other", customer_id="u9", at=AT))
        assert unit.problems.customers_between("p1", AT - hours * HOUR, AT) == 5
        assert unit.problems.customers_between("p1", AT - hours * HOUR, AT + HOUR) == 6
        seen = unit.problems.observations("p1", AT - HOUR)
        assert len({item.voter for item in seen if item.at <= AT}) == 5
        assert unit.problems.customers_between("p2", AT - hours * HOUR, AT) == 0


def test_each_resolution_is_asked_about_once(store: Store) -> None:
    with store.writing("shop") as unit:
        for id, hours, state in (
            ("p1", 0, "resolved"),
            ("p2", 1, "resolved"),
            ("p3", 2, "resolved"),
            ("p4", 1, "open"),
        ):
            unit.problems.put(a_problem(id, state=state, resolved_at=AT + hours * HOUR))
        assert unit.follow_ups.unasked(AT - HOUR, AT + HOUR) == ("p1", "p2")
        assert unit.follow_ups.unasked(AT, AT + 2 * HOUR) == ("p2", "p3")
        unit.follow_ups.put(a_follow_up(problem_id="p2", resolved_at=AT + HOUR, state="confirmed"))
        unit.follow_ups.put(a_follow_up("another", problem_id="p3", resolved_at=AT))
        assert unit.follow_ups.unasked(AT - HOUR, AT + 9 * HOUR) == ("p1", "p3")


def test_an_answer_finds_its_question_by_conversation_then_by_customer(store: Store) -> None:
    with store.writing("shop") as unit:
        mine, both = AskedCase("k1", "c1", "u1"), AskedCase("k2", "c2", "u1")
        unit.follow_ups.put(a_follow_up("first", sent_at=AT, cases=(mine,)))
        unit.follow_ups.put(a_follow_up("second", sent_at=AT + HOUR, cases=(both,)))
        unit.follow_ups.put(a_follow_up("closed", sent_at=AT + 2 * HOUR, state="confirmed", cases=(mine,)))
        for conversation, customer, expected in (
            ("c1", "u1", "first"),
            ("c2", None, "second"),
            (None, "u1", "second"),
            ("c9", "u1", "second"),
        ):
            found = unit.follow_ups.asked_of(conversation, customer)
            assert found is not None
            assert found.id == expected
        assert unit.follow_ups.asked_of("c9", "u9") is None
        assert unit.follow_ups.asked_of(None, None) is None


def test_parents_and_follow_ups_go_with_a_merge(store: Store) -> None:
    with store.writing("shop") as unit:
        for id, parent in (("top", None), ("old", "top"), ("child", "old"), ("into", "child")):
            unit.problems.put(a_problem(id, parent_id=parent))
        unit.follow_ups.put(a_follow_up(problem_id="old"))
        unit.problems.merge_alias("old", "into")
        assert unit.problems.parent_of("child") == "into"
        assert unit.problems.parent_of("into") is None, "it would come under its own child"
        (moved,) = unit.follow_ups.open()
        assert moved.problem_id == "into"
        unit.problems.remove("into")
        assert unit.problems.parent_of("child") is None
        assert unit.follow_ups.open() == ()


def test_problems_are_found_by_owner(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.problems.put(a_problem("p1", owner_id="agent-1"))
        unit.problems.put(a_problem("p2", owner_id="agent-2"))
        unit.problems.put(a_problem("p3", owner_id=None))
        assert [item.id for item in unit.problems.page(owner_id="agent-2").items] == ["p2"]
