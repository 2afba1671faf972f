"""Weights that escalations taught, and what happened to customers, which they are learned from."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kb_service.store import NewEvent, Store
from tests.contracts.store_samples import (
    AT,
    MODEL,
    a_case,
    a_decision,
    a_full_event,
    an_event,
    some_weights,
    vectors_of,
)

HOUR = timedelta(hours=1)


def test_entries_come_back_as_they_were_stored_the_newest_first(store: Store) -> None:
    proposal = some_weights()
    applied = some_weights("pw_2", kind="applied", before={"urgency": 50.0}, evidence={}, of_id="pw_1")
    with store.writing("shop") as unit:
        unit.priority_weights.add(proposal)
        unit.priority_weights.add(applied)
    with store.reading("shop") as unit:
        assert unit.priority_weights.get("pw_1") == proposal
        assert unit.priority_weights.get("pw_9") is None
        assert unit.priority_weights.all() == (applied, proposal)
        assert unit.priority_weights.all(1) == (applied,)


def test_an_entry_is_stored_once(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)unique"), store.writing("shop") as unit:
        unit.priority_weights.add(some_weights())
        unit.priority_weights.add(some_weights(actor="another"))


def test_what_happened_is_read_customer_by_customer(store: Store) -> None:
    vector = vectors_of(1)[0]
    with store.writing("shop") as unit:
        unit.cases.put(a_case("k1", customer_id="u1", conversation_ids=("c1",)))
        unit.cases.put(a_case("k2", customer_id="u1", conversation_ids=("c2",)))
        unit.cases.put(a_case("k3", customer_id=None, conversation_ids=("c3",)))
        unit.events.add_many(
            [
                NewEvent(an_event("late", at=AT + 3 * HOUR), "k1", vector, MODEL),
                NewEvent(an_event("early", at=AT), "k2", vector, MODEL),
                NewEvent(an_event("old", at=AT - 9 * HOUR), "k2"),
                NewEvent(an_event("nobody", at=AT + HOUR, customer_id=None), "k3"),
                NewEvent(an_event("loose", at=AT + HOUR)),
                NewEvent(an_event("here", type="agent_state", agent_id="a", state="online"), "k1"),
            ]
        )
    with store.reading("shop") as unit:
        told = [[item.event.id for item in items] for items in unit.escalations.by_customer(AT - HOUR)]
        assert sorted(told) == [["early", "late"], ["nobody"]]
        (first, *_), _ = sorted(unit.escalations.by_customer(AT - HOUR), key=lambda items: -len(items))
        assert (first.case_id, first.model_id) == ("k2", MODEL)
        assert first.vector is not None


def test_of_many_events_the_latest_are_read(store: Store) -> None:
    with store.writing("shop") as unit:
        for number in range(5):
            unit.events.add(an_event(f"e{number}", at=AT + number * HOUR), "k1")
        unit.events.add(an_event("loose", at=AT + 9 * HOUR))
    with store.reading("shop") as unit:
        assert unit.escalations.begin(AT - HOUR, 5) == AT - HOUR
        begin = unit.escalations.begin(AT - HOUR, 2)
        assert AT + 2 * HOUR < begin <= AT + 3 * HOUR


def test_who_was_called_in_is_told_by_case(store: Store) -> None:
    made = [
        a_decision("d1", at=AT + HOUR, kind="handover", reason="handed_over"),
        a_decision("d2", at=AT),
        a_decision("d3", at=AT, kind="assignment", reason="assigned"),
        a_decision("d4", at=AT - 2 * HOUR),
    ]
    with store.writing("shop") as unit:
        unit.decisions.add_many(made)
    with store.reading("shop") as unit:
        assert unit.escalations.interventions(AT - HOUR) == {
            "case-1": ((AT, "consultation"), (AT + HOUR, "handover"))
        }


def test_the_events_of_some_cases_come_oldest_first(store: Store) -> None:
    with store.writing("shop") as unit:
        for case in ("k1", "k2"):
            unit.cases.put(a_case(case, conversation_ids=(f"c-{case}",)))
        unit.events.add(an_event("b", at=AT + HOUR), "k1")
        unit.events.add(an_event("a", at=AT), "k2")
        unit.events.add(an_event("before", at=AT - HOUR), "k1")
        unit.events.add(an_event("other", at=AT), "k3")
    with store.reading("shop") as unit:
        assert [item.event.id for item in unit.events.of_cases(["k1", "k2"], AT)] == ["a", "b"]
        assert unit.events.of_cases([], AT) == ()


def test_customers_are_as_they_were_told_last(store: Store) -> None:
    full = a_full_event().customer
    assert full is not None
    with store.writing("shop") as unit:
        unit.events.add(a_full_event("first"))
        unit.events.add(an_event("plain"))
        unit.events.add(an_event("then", customer=type(full)("u1", "gold", 5)))
        unit.events.add(an_event("hers", customer_id=None, customer=type(full)("u2", None, 1)))
    with store.reading("shop") as unit:
        found = {customer.id: customer for customer in unit.events.customers(10)}
        assert found == {"u1": type(full)("u1", "gold", 5), "u2": type(full)("u2", None, 1)}
        assert [customer.id for customer in unit.events.customers(1)] == ["u2"]
