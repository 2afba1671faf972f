"""Cases as figures read them, and what people do beside resolving, on both databases."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from graph.case_history import Step
from graph.models import Customer, Event
from kb_service.store import ShownAnswer, Store, Unit
from kb_service.store.histories import HandedOver, SaidReply, ShownRow
from tests.contracts.store_samples import (
    AT,
    a_case,
    a_decision,
    a_match,
    an_event,
    an_exposure,
    some_feedback,
)

DAY = timedelta(days=1)


def at(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def told(unit: Unit, case_id: str, *events: Event) -> None:
    for event in events:
        unit.events.add(event, case_id)


def happened(type: str, minutes: float, **fields: Any) -> Event:
    values: dict[str, Any] = {
        "type": type,
        "at": at(minutes),
        "text": None,
        "channel": None,
        "language": None,
    }
    return an_event(f"{type}-{minutes}", **(values | fields))


def test_cases_that_are_read_halfway_leave_nothing_open(store: Store) -> None:
    """What was left of them stayed open on PostgreSQL, and was told of as deleted while still open."""
    with store.writing("shop") as unit:
        for name in ("first", "second"):
            unit.cases.put(a_case(name, conversation_ids=(name,), opened_at=AT, active_at=AT))
            unit.events.add(an_event(f"m-{name}", at=AT), name)
    with store.reading("shop") as unit:
        with closing(unit.histories.opened(AT, at(1))) as cases:
            assert next(cases).id == "first"
        if store.dialect == "postgresql":
            held = unit._scope.connection.execute(text("SELECT name FROM pg_cursors")).all()
            assert held == []


def test_a_case_comes_with_its_steps_by_time_whatever_the_order_of_arrival(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.cases.put(a_case(opened_at=AT, active_at=at(90), language="zh"))
        told(
            unit,
            "case-1",
            happened("rating", 80, rating=4.0),
            happened("resolution", 30, agent_id="agent-2", handling_seconds=60.0, resolved=None, rating=5.0),
            happened("resolution", 20, agent_id="agent-2", resolved=False),
            happened("resolution", 35, role="bot", resolved=True),
            happened("followup", 40, resolved=False),
            happened("followup", 50, resolved=True),
            happened("transfer", 15, from_agent="agent-1", to_agent="agent-2"),
            happened("transfer", 17, from_agent="agent-2", reason="released:inactive"),
            happened("message", 10, role="agent", text="您好"),
            happened("transfer", 5, to_agent="agent-1"),
            happened("message", 1, role="bot", text="您好"),
            happened("message", 0, text="杯子碎了", channel="app", customer=Customer("u1", "gold")),
            happened("message", 60, text="谢谢", customer=Customer("u1", None)),
        )
        unit.events.add(happened("agent_state", 3, agent_id="agent-1", state="busy"))
        unit.assignments.put("message-0", "p1", a_match())
        unit.assignments.put("message-60", None, a_match(None, reason="not_a_problem"))
    with store.reading("shop") as unit:
        (case,) = unit.histories.opened(AT, at(1))
        assert list(unit.histories.of_cases(["case-1", "none"])) == [case]
    assert (case.id, case.opened_at, case.customer_id, case.problem_id) == ("case-1", AT, "u1", "p1")
    assert (case.channel, case.language, case.tier) == ("app", "zh", "gold")
    assert case.steps == (
        Step("message", AT, "customer", "p1"),
        Step("message", at(1), "bot"),
        Step("handover", at(5), "bot", to_agent="agent-1"),
        Step("message", at(10), "agent"),
        Step("transfer", at(15), "agent", from_agent="agent-1", to_agent="agent-2"),
        Step("unresolved", at(20), "agent", agent="agent-2"),
        Step("resolved", at(30), "agent", rating=5.0, seconds=60.0, agent="agent-2"),
        Step("resolved", at(35), "bot"),
        Step("unresolved", at(40)),
        Step("message", at(60), "customer", courtesy=True),
        Step("rating", at(80), rating=4.0),
    )


def test_cases_are_found_by_when_they_opened(store: Store) -> None:
    with store.writing("shop") as unit:
        for name, minutes in (("before", -1), ("first", 0), ("last", 59), ("after", 60)):
            conversations = (f"c-{name}",)
            unit.cases.put(
                a_case(name, opened_at=at(minutes), active_at=at(500), conversation_ids=conversations)
            )
            told(unit, name, happened("message", minutes))
        unit.cases.put(a_case("empty", conversation_ids=("c-empty",)))
    with store.reading("shop") as unit:
        assert [case.id for case in unit.histories.opened(AT, at(60))] == ["first", "last"]


def test_contacts_are_the_cases_of_known_customers_and_problems(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.cases.put(a_case("case-1"))
        unit.cases.put(a_case("case-2", customer_id=None, conversation_ids=()))
        unit.cases.put(a_case("case-3", problem_id=None, conversation_ids=()))
        unit.cases.put(a_case("case-4", opened_at=at(60), active_at=at(60), conversation_ids=()))
    with store.reading("shop") as unit:
        assert sorted(unit.histories.contacts(AT, at(60))) == [
            ("case-1", "u1", "p1", AT),
            ("case-4", "u1", "p1", at(60)),
        ]
        assert len(list(unit.histories.contacts(AT, at(59)))) == 1


def test_what_was_shown_belongs_to_the_case_of_its_conversation(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.cases.put(a_case(channels=("web", "app"), conversation_ids=("c1", "c2")))
        alone = {"case_id": None, "conversation_id": None, "problem_id": None, "answers": ()}
        unit.exposures.add_many(
            [
                an_exposure("x3", at=at(3), language="en", **alone),
                an_exposure("x2", at=at(2), case_id=None, conversation_id="c2", route="suggestions"),
                an_exposure("x1", at=at(1)),
                an_exposure("erased", at=at(1), query=None),
                an_exposure("late", at=at(60)),
            ]
        )
        unit.feedback.add(some_feedback("f2", exposure_id="x2", outcome="accepted", at=at(9)))
        unit.feedback.add(some_feedback("f1", exposure_id="x2", outcome="edited", at=at(5)))
        unit.feedback.add(some_feedback("f3", exposure_id="x1"))
    with store.reading("shop") as unit:
        first, second, third = unit.histories.shown(AT, at(60))
        said = unit.histories.feedback(AT, at(60))
    assert first == ShownRow(
        "x1", at(1), "answers", "answer", "confident", True, "zh", "c1", "case-1", "p1", "web"
    )
    assert (second.id, second.case_id, second.channel) == ("x2", "case-1", "web")
    assert third == ShownRow(
        "x3", at(3), "answers", "answer", "confident", False, "en", None, None, None, None
    )
    assert [(item.id, item.outcome) for item in said.pop("x2")] == [("f1", "edited"), ("f2", "accepted")]
    assert said == {}


def test_hand_overs_and_bands_are_those_that_were_decided_first(store: Store) -> None:
    bands = [{"priority": {"band": band, "score": 80}} for band in ("urgent", "low")]
    with store.writing("shop") as unit:
        unit.cases.put(a_case())
        unit.decisions.add_many(
            [
                a_decision("d1", kind="handover", at=at(1), reason="handed_over", features={}),
                a_decision("d2", kind="assignment", at=at(2), features=bands[0]),
                a_decision("d3", kind="assignment", at=at(3), features=bands[1]),
                a_decision("d4", kind="handover", at=at(4), case_id="gone"),
                a_decision("d5", kind="handover", at=at(60)),
            ]
        )
    with store.reading("shop") as unit:
        assert unit.histories.handed_over(AT, at(60)) == (HandedOver("case-1", at(1), "handed_over"),)
        assert unit.histories.bands(AT, at(60)) == {"case-1": "urgent"}
        assert unit.histories.bands(at(3), at(60)) == {"case-1": "low"}


def test_what_people_do_beside_resolving(store: Store) -> None:
    asked = {"kind": "consultation", "at": at(5)}
    with store.writing("shop") as unit:
        unit.cases.put(a_case())
        unit.cases.put(a_case("case-2", conversation_ids=("c9",)))
        for minutes, state in ((30, "offline"), (10, "online"), (60, "online")):
            unit.events.add(happened("agent_state", minutes, agent_id="agent-1", state=state))
        for case_id, minutes, agent in (
            ("case-1", 1, "agent-1"),
            ("case-1", 2, "agent-1"),
            ("case-2", 3, "agent-1"),
            ("case-2", 4, None),
            ("case-2", 60, "agent-1"),
        ):
            unit.events.add(happened("transfer", minutes, from_agent=agent, to_agent="agent-2"), case_id)
        taken = happened("transfer", 5, from_agent="agent-3", reason="released:inactive")
        unit.events.add(taken, "case-2")
        unit.decisions.add_many(
            [
                a_decision("d1", agent_id="agent-2", **asked),
                a_decision("d2", agent_id="agent-2", **asked),
                a_decision("d3", agent_id="agent-2", **(asked | {"case_id": "case-2"})),
                a_decision("d4", agent_id="agent-2", **(asked | {"case_id": "gone"})),
                a_decision("d5", agent_id="agent-3", **(asked | {"at": at(60)})),
            ]
        )
    with store.reading("shop") as unit:
        assert unit.workload.states(AT, at(60)) == {"agent-1": ((at(10), "online"), (at(30), "offline"))}
        assert unit.workload.passed_on(AT, at(60)) == {"agent-1": 2}
        assert unit.workload.consultations(AT, at(60)) == {"agent-2": 2}


def test_an_erased_customer_is_in_no_history(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.cases.put(a_case())
        told(unit, "case-1", happened("message", 0, text="杯子碎了"))
        unit.exposures.add_many([an_exposure(route="suggestions")])
        unit.feedback.add(some_feedback())
        unit.decisions.add_many([a_decision(kind=kind, id=kind) for kind in ("handover", "consultation")])
    with store.writing("shop") as unit:
        unit.erase_customer("u1")
    with store.reading("shop") as unit:
        assert list(unit.histories.opened(AT - DAY, AT + DAY)) == []
        assert list(unit.histories.contacts(AT - DAY, AT + DAY)) == []
        assert list(unit.histories.shown(AT - DAY, AT + DAY)) == []
        assert unit.histories.feedback(AT - DAY, AT + DAY) == {}
        assert unit.histories.handed_over(AT - DAY, AT + DAY) == ()
        assert unit.workload.consultations(AT - DAY, AT + DAY) == {}


def test_what_customers_were_answered_is_told_by_whom(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.cases.put(a_case("case-1"))
        told(
            unit,
            "case-1",
            happened("message", 1, role="bot", text="请稍等"),
            happened("message", 2, text="杯子碎了"),
            happened("message", 3, role="agent", text="您好"),
            happened("resolution", 4, agent_id="agent-1", reply="已补发"),
            happened("resolution", 5, role="bot", reply="补发了"),
            happened("resolution", 6, agent_id="agent-1"),
            happened("resolution", 60, agent_id="agent-1", reply="太晚"),
        )
        unit.events.add(happened("resolution", 7, reply="of no case", agent_id="agent-1"))
    with store.reading("shop") as unit:
        assert list(unit.histories.replies(AT, at(60))) == [
            SaidReply("case-1", at(1), "bot", "请稍等"),
            SaidReply("case-1", at(4), "agent", "已补发"),
            SaidReply("case-1", at(5), "bot", "补发了"),
        ]


def test_answers_that_were_sent_are_told_with_their_documents(store: Store) -> None:
    two = (ShownAnswer("a1", "returns", 1, 0.9), ShownAnswer("a2", "shipping", 2, 0.4))
    suggestion = {"route": "suggestions", "action": "suggest", "answers": two}
    with store.writing("shop") as unit:
        unit.cases.put(a_case("case-1", conversation_ids=("c1",)))
        unit.exposures.add_many(
            [
                an_exposure("x1", at=at(1), answers=two, case_id=None),
                an_exposure("x2", at=at(2), action="suggest", answers=two),
                an_exposure("x3", at=at(3), **suggestion),
                an_exposure("x4", at=at(4), **suggestion),
                an_exposure("x5", at=at(5), answers=two, case_id=None, conversation_id="of-no-case"),
                an_exposure("x6", at=at(60), answers=two),
            ]
        )
        unit.feedback.add(some_feedback("f1", exposure_id="x3", answer_id="a2", outcome="accepted"))
        unit.feedback.add(some_feedback("f2", exposure_id="x4", answer_id="a1", outcome="rejected"))
    with store.reading("shop") as unit:
        assert list(unit.histories.sent(AT, at(60))) == [
            SaidReply("case-1", at(1), "bot", external_id="returns"),
            SaidReply("case-1", at(3), "agent", external_id="shipping"),
        ]


def test_cases_that_were_passed_on_are_counted_by_problem(store: Store) -> None:
    with store.writing("shop") as unit:
        for name, minutes in (("moved", 0), ("given", 10), ("late", 90)):
            unit.cases.put(a_case(name, opened_at=at(minutes), active_at=at(99), conversation_ids=()))
        unit.cases.put(a_case("other", problem_id="p2", conversation_ids=()))
        told(unit, "moved", happened("transfer", 1, from_agent="agent-1", to_agent="agent-2"))
        told(unit, "moved", happened("transfer", 2, from_agent="agent-2", to_agent="agent-3"))
        told(unit, "given", happened("transfer", 11, to_agent="agent-2"))
        told(unit, "given", happened("transfer", 12, from_agent="agent-2", reason="released:inactive"))
        told(unit, "other", happened("transfer", 3, from_agent="agent-1", to_agent="agent-2"))
    with store.reading("shop") as unit:
        assert unit.workload.passing("p1", AT, at(60)) == (2, 1)
        assert unit.workload.passing("p3", AT, at(60)) == (0, 0)
