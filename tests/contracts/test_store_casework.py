"""Events, assignments, cases and problems."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from graph.models import Case, Customer, Event, Problem
from graph.recurrence import Observation
from kb_service.store import Change, Exposure, HourCount, NewEvent, Store, Unit
from tests.contracts.store_samples import (
    AT,
    MODEL,
    SHANGHAI,
    a_case,
    a_full_event,
    a_match,
    a_problem,
    an_event,
    an_exposure,
    vectors_of,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def test_an_event_comes_back_as_it_went(store: Store) -> None:
    bare = Event("bare", "agent_state", datetime(2026, 6, 18, 12, tzinfo=SHANGHAI))
    with store.writing("shop") as unit:
        assert unit.events.add(a_full_event(), "case-1") is True
        assert unit.events.add(bare) is True
    with store.reading("shop") as unit:
        stored = unit.events.get("full")
        assert stored is not None
        assert (stored.event, stored.case_id, stored.sequence) == (a_full_event(), "case-1", 1)
        other = unit.events.get("bare")
        assert other is not None
        assert (other.event, other.case_id, other.sequence) == (bare, None, 2)
        assert unit.events.get("nothing") is None
        assert unit.events.last_sequence() == 2
        assert unit.events.count() == 2


def test_an_event_is_stored_once(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.events.add(an_event("a"), "case-1")
        assert unit.events.add(an_event("a", text="another"), "case-2") is False
        assert unit.events.add_many([]) == set()
        batch = [NewEvent(an_event(id, text=f"{place}")) for place, id in enumerate("acbcd")]
        assert unit.events.add_many(batch) == {"b", "c", "d"}
    with store.writing("shop") as unit:
        assert unit.events.add(an_event("d")) is False
        assert unit.events.add(an_event("e")) is True
        stored = {id: unit.events.get(id) for id in "abcde"}
        texts = [one.event.text for one in stored.values() if one]
        assert texts == ["收到的杯子碎了", "2", "1", "4", "收到的杯子碎了"]
        assert [one.sequence for one in stored.values() if one] == [1, 3, 2, 4, 5]
        assert unit.events.existing(["a", "e", "f"]) == {"a", "e"}
        assert unit.events.existing([]) == set()


def test_the_customer_is_known_however_the_shop_says_it(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.events.add(an_event(customer_id=None, customer=Customer("u7")))
        known = unit.events.get("e1")
        assert known is not None
        assert known.event.customer_id == "u7"


def test_events_of_a_case(store: Store) -> None:
    with store.writing("shop") as unit:
        for number, minutes in enumerate([5, 1, 3]):
            at = AT + minutes * MINUTE
            unit.events.add(an_event(f"e{number}", at=at), f"case-{number % 2}")
        unit.events.add(an_event("other", customer_id="u2", conversation_id="c2"), "case-0")
        assert [one.event.id for one in unit.events.of_case("case-0")] == ["other", "e2", "e0"]
        assert unit.events.of_case("nothing") == ()


def test_the_watermark_is_the_latest_time_ever_accepted(store: Store) -> None:
    with store.writing("shop") as unit:
        assert unit.events.latest_at() is None
        unit.events.add(an_event("late", at=AT + HOUR))
        unit.events.add(an_event("early", at=AT))
        assert unit.events.latest_at() == AT + HOUR
    with store.reading("shop") as unit:
        assert unit.events.latest_at() == AT + HOUR
    with store.administration(writing=False) as admin:
        workspace = admin.workspaces.get("shop")
        assert workspace is not None
        assert workspace.watermark == AT + HOUR


def a_history(unit: Unit) -> None:
    """p1 by u1, u2 and two without a name, over three hours; p2 by u1; and what is no message."""
    unit.problems.put(a_problem("p1"))
    unit.problems.put(a_problem("p2", intent_id=None))
    messages = [
        ("m1", "u1", 0 * MINUTE, "p1"),
        ("m2", "u2", 10 * MINUTE, "p1"),
        ("m3", "u1", 20 * MINUTE, "p1"),
        ("m4", None, 40 * MINUTE, "p1"),
        ("m5", None, 50 * MINUTE, "p1"),
        ("m6", "u1", 45 * MINUTE, "p2"),
        ("m7", "u2", 3 * HOUR, "p1"),
        ("m8", "u2", 4 * HOUR, None),
    ]
    for id, customer, after, problem_id in messages:
        unit.events.add(an_event(id, customer_id=customer, at=AT + after), "case-1", vectors_of(1)[0], MODEL)
        unit.assignments.put(id, problem_id, a_match(problem_id))
    unit.events.add(an_event("agent", role="agent", customer_id=None, at=AT + 5 * MINUTE), "case-1")
    unit.assignments.put("agent", "p1", a_match())
    unit.events.add(an_event("unassigned", at=AT + 6 * MINUTE), "case-1")


def test_what_customers_said_of_a_problem(store: Store) -> None:
    with store.writing("shop") as unit:
        a_history(unit)
        assert unit.problems.observations("p1") == [
            Observation(AT, "u1", "m1", "c1"),
            Observation(AT + 10 * MINUTE, "u2", "m2", "c1"),
            Observation(AT + 20 * MINUTE, "u1", "m3", "c1"),
            Observation(AT + 40 * MINUTE, None, "m4", "c1"),
            Observation(AT + 50 * MINUTE, None, "m5", "c1"),
            Observation(AT + 3 * HOUR, "u2", "m7", "c1"),
        ]
        since = AT + 50 * MINUTE
        assert [one.event_id for one in unit.problems.observations("p1", since)] == ["m5", "m7"]
        assert unit.problems.observations("nothing") == []
        assert unit.problems.event_count("p1") == 6
        hour = AT.replace(minute=0)
        assert unit.events.counts_by_hour("p1") == (
            HourCount(hour, 3, 2),
            HourCount(hour + HOUR, 2, 1),
            HourCount(hour + 3 * HOUR, 1, 1),
        )
        assert unit.events.counts_by_hour("p1", AT + HOUR) == (HourCount(hour + 3 * HOUR, 1, 1),)
        assert [one.event.id for one in unit.events.of_problem("p1", limit=3)] == ["m7", "m5", "m4"]
        assert "agent" in [one.event.id for one in unit.events.of_problem("p1", customers_only=False)]


def test_messages_rebuild_a_matcher(store: Store) -> None:
    with store.writing("shop") as unit:
        a_history(unit)
    with store.reading("shop") as unit:
        found = list(unit.events.messages())
        assert [one.event.id for one in found] == [*(f"m{number}" for number in range(1, 9)), "unassigned"]
        assert [one.assignment.problem_id if one.assignment else "-" for one in found] == [
            *("p1", "p1", "p1", "p1", "p1", "p2", "p1", None, "-")
        ]
        first = found[0]
        assert first.vector is not None
        assert first.vector.dtype == np.float32
        np.testing.assert_allclose(first.vector, vectors_of(1)[0], atol=1e-3)
        assert (first.model_id, first.case_id, first.sequence) == (MODEL, "case-1", 1)
        assert first.assignment == unit.assignments.get("m1")
        assert found[-1].vector is None
        assert [one.event.id for one in unit.events.messages(found[2].sequence, limit=2)] == ["m4", "m5"]
        assert unit.events.message("agent") is not None
        assert unit.events.message("nothing") is None


def test_a_new_models_vector_replaces_the_old(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.events.add(an_event(), None, vectors_of(1)[0], MODEL)
        unit.events.put_vector("e1", vectors_of(1, 16)[0], "new-model")
        (message,) = unit.events.messages()
        assert message.vector is not None
        assert (len(message.vector), message.model_id) == (16, "new-model")
        with pytest.raises(ValueError, match="id of the model"):
            unit.events.add(an_event("e2"), None, vectors_of(1)[0])


def test_an_assignment_keeps_its_first_decision(store: Store) -> None:
    with store.writing("shop") as unit:
        for id in ("e1", "e2", "e3"):
            unit.events.add(an_event(id))
        pending = a_match("p1", reason="pending", pending=True)
        unit.assignments.put("e1", "p1", pending)
        stored = unit.assignments.get("e1")
        assert stored is not None
        assert (stored.problem_id, stored.first_problem_id, stored.match) == ("p1", None, pending)
        assert stored.at == unit.now
        assert [one.event_id for one in unit.assignments.pending()] == ["e1"]

        new = a_match(None, reason="new")
        unit.assignments.put_many([("e1", "p2", new), ("e2", None, a_match(None, reason="not_a_problem"))])
        stored = unit.assignments.get("e1")
        assert stored is not None
        assert (stored.problem_id, stored.first_problem_id, stored.match) == ("p2", "p2", new)
        assert unit.assignments.pending() == ()

        assert unit.assignments.reassign(["e1", "e3"], "p3") == 1
        unit.assignments.put("e1", "p4", a_match("p4"))
        stored = unit.assignments.get("e1")
        assert stored is not None
        assert (stored.problem_id, stored.first_problem_id) == ("p4", "p2")
        assert unit.assignments.get("e3") is None
        unit.assignments.put_many([])


def test_cases_come_back_as_they_went(store: Store) -> None:
    bare = Case("bare", None, (), (), "bot", AT, AT)
    with store.writing("shop") as unit:
        unit.cases.put(a_case())
        unit.cases.put(bare)
        assert unit.cases.get("case-1") == a_case()
        assert unit.cases.get("bare") == bare
        assert unit.cases.get("nothing") is None
        unit.cases.put(a_case(state="closed"))
        assert unit.cases.get("case-1") == a_case(state="closed")
    with store.reading("shop") as unit:
        assert unit.changes.since(0) == [Change(1, "case", "bare", 0), Change(2, "case", "case-1", 0)]


def test_the_case_that_an_event_belongs_to(store: Store) -> None:
    day = timedelta(days=1)
    with store.writing("shop") as unit:
        unit.cases.put(a_case("closed", state="closed", conversation_ids=("c1",)))
        unit.cases.put(a_case("done", state="resolved", conversation_ids=("c3",), active_at=AT + HOUR))
        unit.cases.put(a_case("older", state="bot", conversation_ids=("c4",), active_at=AT - HOUR))
        unit.cases.put(a_case("open", state="pending", conversation_ids=("c5",)))
        unit.cases.put(a_case("u2s", customer_id="u2", state="bot", conversation_ids=("c6",)))

        def id_of(conversation: str | None, customer: str | None, at: datetime, **more: float) -> str | None:
            found = unit.cases.open_for(conversation, customer, at, **more)
            return found and found.id

        assert id_of("c1", "u1", AT) == "closed", "a conversation stays with its case"
        assert id_of("c1", None, AT + 30 * day) == "closed"
        assert id_of("new", "u1", AT + 3 * day) == "open", "the latest active of the customer, on any channel"
        assert id_of("new", "u1", AT + 3 * day + MINUTE) is None
        assert id_of(None, "u1", AT - 3 * day) == "open", "a late event counts where it belongs"
        assert id_of(None, "u1", AT - 3 * day - MINUTE) is None
        assert id_of(None, "u1", AT + 2 * HOUR, window_hours=1) is None
        assert id_of("new", "u2", AT) == "u2s"
        assert id_of("new", "u3", AT) is None
        assert id_of("new", None, AT) is None
        assert id_of(None, None, AT) is None


def test_lists_of_cases(store: Store) -> None:
    with store.writing("shop") as unit:
        for number in range(5):
            state = "waiting" if number % 2 else "assigned"
            unit.cases.put(
                a_case(
                    f"case-{number}",
                    state=state,
                    agent_id=f"agent-{number % 2}",
                    problem_id=f"p{number % 2}",
                    conversation_ids=(),
                    opened_at=AT - number * MINUTE,
                    # Two at the same moment must both be seen.
                    active_at=AT + (number // 2) * MINUTE,
                )
            )
        first = unit.cases.page(limit=3)
        assert [case.id for case in first.items] == ["case-4", "case-3", "case-2"]
        assert [case.id for case in unit.cases.page(first.next_cursor, 3).items] == ["case-1", "case-0"]
        assert [case.id for case in unit.cases.page(state="assigned", agent_id="agent-0").items] == [
            *("case-4", "case-2", "case-0")
        ]
        assert unit.cases.page(state="closed").items == ()
        assert [case.id for case in unit.cases.of_problem("p1", limit=1).items] == ["case-3"]
        assert unit.cases.of_customer("u1")[0].id == "case-4"
        lately = unit.cases.of_customer("u1", AT + MINUTE, limit=2)
        assert [case.id for case in lately] == ["case-4", "case-3"]
        assert len(unit.cases.of_customer("u1", AT + MINUTE)) == 3
        several = unit.cases.of_customers(["u1", "nobody"], AT + MINUTE, limit=2)
        assert several == {"u1": lately}
        assert unit.cases.of_customers(["u1"], AT)["u1"] == unit.cases.of_customer("u1", AT)
        assert [case.id for case in unit.cases.waiting()] == ["case-3", "case-1"]


def test_problems_come_back_as_they_went(store: Store) -> None:
    bare = Problem("bare", {}, "candidate", AT, AT, AT)
    with store.writing("shop") as unit:
        unit.problems.put(a_problem(aliases=("not-stored",)))
        unit.problems.put(bare)
        assert unit.problems.get("p1") == a_problem()
        assert unit.problems.get("bare") == bare
        assert unit.problems.get("nothing") is None
        assert unit.problems.all() == (bare, a_problem())
        assert unit.problems.all(["open", "resolved"]) == (a_problem(),)
        assert unit.problems.all([]) == ()
        assert unit.problems.remove("bare") is True
        assert unit.problems.remove("bare") is False
        assert unit.changes.since(2) == [Change(3, "problem_removed", "bare", 0)]


def test_lists_of_problems(store: Store) -> None:
    with store.writing("shop") as unit:
        for number, names in enumerate(
            [{"zh": "物流慢"}, {"en": "Broken ZIP_100%"}, {"zh": "优惠券", "en": "coupon"}]
        ):
            unit.problems.put(
                a_problem(
                    f"p{number}",
                    names=names,
                    state="open" if number else "resolved",
                    active_at=AT + number * HOUR,
                    opened_at=AT - number * HOUR,
                    episode_at=AT - number * HOUR,
                    customers=number % 2,
                    events=5,
                    intent_id=f"i{number}",
                )
            )

        def ids(**conditions: object) -> list[str]:
            return [problem.id for problem in unit.problems.page(**conditions).items]  # type: ignore[arg-type]

        assert ids() == ["p2", "p1", "p0"]
        assert ids(sort="opened") == ["p0", "p1", "p2"]
        assert ids(sort="customers") == ["p1", "p2", "p0"]
        assert ids(sort="events") == ["p2", "p1", "p0"]
        assert ids(state="open") == ["p2", "p1"]
        assert ids(intent_id="i1") == ["p1"]
        assert ids(q="慢") == ["p0"]
        assert ids(q="broken zip_") == ["p1"]
        assert ids(q="100%") == ["p1"]
        assert ids(q="broken%zip") == []
        assert ids(q="zh") == [], "a language is not a name"
        for sort in ("active", "opened", "customers", "events"):
            first = unit.problems.page(limit=2, sort=sort)
            rest = unit.problems.page(first.next_cursor, limit=2, sort=sort)
            assert sorted(problem.id for problem in first.items + rest.items) == ["p0", "p1", "p2"]


def test_a_merged_problem_answers_with_the_survivor(store: Store) -> None:
    with store.writing("shop") as unit:
        for id in ("p1", "p2", "p3"):
            unit.problems.put(a_problem(id))
            unit.events.add(an_event(f"e-{id}"))
            unit.assignments.put(f"e-{id}", id, a_match(id))
            unit.cases.put(a_case(f"case-{id}", problem_id=id, conversation_ids=()))
    with store.writing("shop") as unit:
        unit.problems.merge_alias("p1", "p2")
        unit.problems.merge_alias("p2", "p3")
    with store.writing("shop") as unit:
        survivor = a_problem("p3", aliases=("p1", "p2"))
        assert [unit.problems.get(id) for id in ("p1", "p2", "p3")] == [survivor] * 3
        assert [unit.problems.resolve_id(id) for id in ("p1", "p3", "p9")] == ["p3", "p3", None]
        assert unit.problems.all() == (survivor,)
        assert unit.problems.page().items == (survivor,)
        assert [one.event_id for one in unit.problems.observations("p3")] == ["e-p1", "e-p2", "e-p3"]
        assert {case.id for case in unit.cases.of_problem("p3").items} == {"case-p1", "case-p2", "case-p3"}
        first = unit.assignments.get("e-p1")
        assert first is not None
        assert (first.problem_id, first.first_problem_id) == ("p3", "p1"), "so that a merge can be undone"
        kinds = [(change.kind, change.id) for change in unit.changes.since(9)]
        assert kinds == [
            ("problem_removed", "p1"),
            ("problem", "p2"),
            ("case", "case-p1"),
            ("case", "case-p2"),
            ("problem_removed", "p2"),
            ("problem", "p3"),
        ]
        for old, into in (("p3", "p3"), ("p3", "p9"), ("p9", "p3"), ("p1", "p3")):
            with pytest.raises(ValueError, match="cannot merge"):
                unit.problems.merge_alias(old, into)
        assert unit.problems.remove("p3") is True
        assert unit.problems.get("p1") is None
        stored = unit.assignments.get("e-p1")
        assert stored is not None
        assert stored.problem_id is None


def test_outcomes_of_resolutions(store: Store) -> None:
    def event(id: str, after: timedelta, **changes: object) -> None:
        values = {"customer_id": "u1", "text": None} | changes
        unit.events.add(an_event(id, at=AT + after, **values), "case-1")

    with store.writing("shop") as unit:
        unit.problems.put(a_problem("p1"))
        unit.problems.put(a_problem("p2"))
        unit.cases.put(a_case("case-1", problem_id="p1"))
        done = {"type": "resolution", "role": "agent", "agent_id": "agent-1", "resolved": True}
        event("r1", 0 * HOUR, **done, handling_seconds=60.0)
        event("thanks", 1 * HOUR)
        unit.assignments.put("thanks", None, a_match(None, reason="not_a_problem"))
        event("other", 2 * HOUR)
        unit.assignments.put("other", "p2", a_match("p2"))
        event("rated", 3 * HOUR, type="rating", rating=5.0)
        event("r2", 100 * HOUR, **done, rating=2.0)
        event("again", 101 * HOUR)
        unit.assignments.put("again", "p1", a_match())
        event("r3", 200 * HOUR, **done)
        event("followup", 272 * HOUR, type="followup", role="bot", resolved=False)
        event("r4", 400 * HOUR, **done)
        event("too late", 473 * HOUR, type="followup", role="bot", resolved=False)
        event("nobody", 500 * HOUR, type="resolution", role="bot", resolved=True)
    with store.reading("shop") as unit:
        found = list(unit.events.outcomes())
        assert [(one.event_id, one.reopened, one.rating) for one in found] == [
            ("r1", False, 5.0),
            ("r2", True, 2.0),
            ("r3", True, None),
            ("r4", False, None),
        ]
        first = found[0]
        assert (first.agent_id, first.case_id, first.problem_id, first.intent_id) == (
            *("agent-1", "case-1", "p1", "damaged"),
        )
        assert (first.resolved, first.seconds, first.at) == (True, 60.0, AT)
        assert first.at.tzinfo is UTC
        assert [one.event_id for one in unit.events.outcomes(AT + HOUR)] == ["r2", "r3", "r4"]


def test_when_the_bot_last_said_something(store: Store) -> None:
    def shown(id: str, minutes: int, **fields: Any) -> Exposure:
        return an_exposure(id, at=AT + minutes * MINUTE, **fields)

    with store.writing("shop") as unit:
        unit.exposures.add_many(
            [
                shown("answered", 1),
                shown("asked-back", 2, action="clarify", case_id=None),
                shown("handed-over", 3, action="handoff"),
                shown("for-an-agent", 4, route="suggestions"),
                shown("elsewhere", 5, case_id="case-2", conversation_id="c2"),
            ]
        )
    with store.reading("shop") as unit:
        sent = unit.exposures.sent_in
        assert sent({"case-1": ["c1"], "none": ["c2"]}) == {
            "case-1": AT + 2 * MINUTE,
            "none": AT + 5 * MINUTE,
        }
        assert sent({"case-1": [], "none": []}) == {"case-1": AT + MINUTE}
        assert sent({"case-2": ["c1"], "case-1": ["c1"]}) == {
            "case-1": AT + 2 * MINUTE,
            "case-2": AT + 5 * MINUTE,
        }
        assert sent({}) == {}


def test_cases_are_found_by_what_their_events_name(store: Store) -> None:
    with store.writing("shop") as unit:
        for number in range(4):
            unit.cases.put(a_case(f"case-{number}", conversation_ids=()))
        said = (
            ("e0", "case-0", "order SO20261119-0042", ()),
            ("e1", "case-1", "it broke", ("SKU-7",)),
            ("e2", "case-2", "order so20261119 0042 and SO20261119_0042", ()),
            ("e3", "case-3", "SO20261119-0043", ()),
        )
        for number, (id, case_id, text, products) in enumerate(said):
            unit.events.add(an_event(id, at=AT + number * MINUTE, text=text, products=products), case_id)
        unit.events.add_many(
            [NewEvent(an_event("e4", text="the lamp", products=()), "case-3", named=("SKU-7",))]
        )
        unit.events.add(an_event("e5", text="order SO20261119-0042"))
    with store.reading("shop") as unit:
        found = [case.id for case in unit.cases.naming(["so202611190042"])]
        assert found == ["case-2", "case-0"], "the latest that named it first; no event without a case"
        assert {case.id for case in unit.cases.naming(["sku7"])} == {"case-1", "case-3"}
        assert len(unit.cases.naming(["so202611190042", "sku7"], limit=3)) == 3
        assert unit.cases.naming([]) == unit.cases.naming(["nothing"]) == ()
