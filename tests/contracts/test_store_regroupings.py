"""Merges and splits with what undoes them, what people said of problems, and what a night left to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from graph.models import Match
from kb_service.store import Find, PastMerge, ProblemTie, Store, Unit, kept_problem, problem_kept
from tests.conftest import FixedClock
from tests.contracts.store_samples import (
    AT,
    MODEL,
    a_case,
    a_follow_up,
    a_match,
    a_problem,
    a_proposal,
    a_regrouping,
    an_alert,
    an_event,
    everything,
    vectors_of,
)


def two_problems(unit: Unit) -> None:
    """p1 with e1 and an alert, p2 with e2, each with a case."""
    for number in (1, 2):
        unit.problems.put(a_problem(f"p{number}"))
        unit.cases.put(a_case(f"k{number}", problem_id=f"p{number}", conversation_ids=(f"c{number}",)))
        unit.events.add(an_event(f"e{number}"), f"k{number}", vectors_of(1)[0], MODEL)
        unit.assignments.put(f"e{number}", f"p{number}", a_match(f"p{number}"))
    unit.proposals.put(a_proposal("of-p1", problem_id="p1"))
    unit.alerts.put(an_alert("alert-1", problem_id="p1", examples=()), [])


def test_what_was_said_last_of_two_ids_holds_in_whatever_order_they_are_named(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.ties.put("p2", "p1", "together", "key_1")
        unit.ties.put("p3", "p1", "apart", "key_1")
        unit.ties.put("p1", "p1", "apart", "key_1")
        unit.ties.put("p1", "p2", "apart", "key_2")
        now = unit.now
    with store.reading("shop") as unit:
        assert unit.ties.all() == (
            ProblemTie("p1", "p2", "apart", "key_2", now),
            ProblemTie("p1", "p3", "apart", "key_1", now),
        )


def test_a_problem_is_kept_whole_but_for_its_aliases() -> None:
    problem = a_problem("p0", aliases=("p7",))
    assert problem_kept(kept_problem(problem)) == replace(problem, aliases=())
    newer = {**kept_problem(problem), "a_field_to_come": 1}
    assert problem_kept(newer) == replace(problem, aliases=())


def test_entries_come_back_with_the_events_that_went_over(store: Store) -> None:
    merge = a_regrouping(other_id="p2")
    later = a_regrouping("rg_2", other_id="p2", at=AT + timedelta(days=1), kind="split", margin=None, kept={})
    with store.writing("shop") as unit:
        two_problems(unit)
        unit.regroupings.add_merge(merge)
        unit.regroupings.add(later, ["e1", "e1", "e2"])
    with store.reading("shop") as unit:
        assert unit.regroupings.latest() == (later, merge)
        assert unit.regroupings.latest(1) == (later,)
        assert unit.regroupings.standing("merge", "p2") == merge
        assert unit.regroupings.standing("merge", "p1") is None
        assert unit.regroupings.moved("rg_1") == {"e2"}
        assert unit.regroupings.moved("rg_2") == {"e1", "e2"}
    with store.writing("shop") as unit:
        unit.regroupings.undo("rg_1", "key_2")
        now = unit.now
    with store.reading("shop") as unit:
        assert unit.regroupings.standing("merge", "p2") is None
        assert unit.regroupings.latest()[1] == replace(merge, undone_at=now, undone_by="key_2")


def test_merges_that_stand_come_with_what_had_come_before_them(store: Store, clock: FixedClock) -> None:
    with store.writing("shop") as unit:
        two_problems(unit)
        first = unit.events.message("e2")
        assert first is not None
    clock.advance(hours=1)
    with store.writing("shop") as unit:
        unit.regroupings.add_merge(a_regrouping("rg_1", other_id="p2", at=unit.now))
    clock.advance(hours=1)
    with store.writing("shop") as unit:
        # Placed late: the first to come, and yet no sign that the merge came before what came after it.
        unit.assignments.put("e1", "p1", Match("p1", "joined", 0.9, 0.1))
    with store.reading("shop") as unit:
        last = max(message.sequence for message in unit.events.messages())
        assert unit.regroupings.past_merges() == (PastMerge("p2", "p1", first.sequence),)
        assert unit.regroupings.past_merges(last) == (PastMerge("p2", "p1", last),)
        assert unit.regroupings.brought() == {"e2": "p2"}
        assert unit.regroupings.brought(last) == {}
    with store.writing("shop") as unit:
        unit.regroupings.undo("rg_1", "key_2")
    with store.reading("shop") as unit:
        assert (unit.regroupings.past_merges(), unit.regroupings.brought()) == ((), {})


def test_a_merge_is_taken_out_again_with_what_hung_on_it(store: Store) -> None:
    with store.writing("shop") as unit:
        two_problems(unit)
        unit.problems.put(a_problem("p3"))
        unit.problems.merge_alias("p3", "p1")
        unit.problems.merge_alias("p1", "p2")
        assert unit.problems.proposals_of("p2") == ("of-p1",)
    with store.writing("shop") as unit:
        before = unit.changes.position()
        unit.problems.take_out(
            a_problem("p1"), alerts=["alert-1", "unknown"], proposals=["of-p1"], aliases=["p3"]
        )
        unit.assignments.reassign(["e1"], "p1")
    with store.reading("shop") as unit:
        # What it came under is not there any more.
        assert unit.problems.get("p1") == a_problem("p1", aliases=("p3",), parent_id=None)
        assert unit.problems.get("p2") == a_problem("p2")
        assert unit.problems.resolve_id("p3") == "p1"
        assert [alert.id for alert in unit.alerts.of_problem("p1")] == ["alert-1"]
        assert unit.problems.proposals_of("p1") == ("of-p1",)
        assert [item.event.id for item in unit.events.messages_of_problem("p1")] == ["e1"]
        assert unit.assignments.of("p1") == unit.assignments.of_first("p1") == {"e1"}
        heard = {(change.kind, change.id) for change in unit.changes.since(before)}
        assert {("problem", "p1"), ("problem", "p2"), ("alert", "alert-1"), ("event", "e1")} <= heard
    with store.writing("shop") as unit, pytest.raises(ValueError, match="not merged"):
        unit.problems.take_out(a_problem("p1"))


def test_what_is_taken_out_of_a_merge_has_its_follow_ups_and_its_parent_again(store: Store) -> None:
    with store.writing("shop") as unit:
        for id, parent in (("top", None), ("above", None), ("p1", "top"), ("p2", None)):
            unit.problems.put(a_problem(id, parent_id=parent))
        for id, problem_id in (("f1", "p1"), ("f2", "p2")):
            unit.follow_ups.put(a_follow_up(id, problem_id=problem_id, state="open"))
        assert unit.problems.follow_ups_of("p1") == ("f1",)
        unit.problems.merge_alias("p1", "p2")
        assert unit.problems.follow_ups_of("p2") == ("f1", "f2")
        unit.problems.merge_alias("top", "above")
        unit.problems.take_out(a_problem("p1", parent_id="top"), follow_ups=["f1"])
        assert (unit.problems.follow_ups_of("p1"), unit.problems.follow_ups_of("p2")) == (("f1",), ("f2",))
        assert unit.problems.parent_of("p1") == "above", "what it came under was merged meanwhile"
        unit.problems.merge_alias("p1", "p2")
        unit.problems.put(a_problem("above", parent_id="p2"))
        unit.problems.take_out(a_problem("p1", parent_id="above"))
        assert unit.problems.parent_of("p1") == "above"
        unit.problems.merge_alias("p1", "p2")
        unit.problems.put(a_problem("p2", parent_id=None))
        unit.problems.take_out(a_problem("p1", parent_id="p1"))
        assert unit.problems.parent_of("p1") is None, "no problem comes under itself"


def test_what_names_an_alias_is_rewritten_with_the_next_merge(store: Store) -> None:
    with store.writing("shop") as unit:
        for id in ("p1", "p2", "p3"):
            unit.problems.put(a_problem(id, parent_id=None))
        unit.problems.merge_alias("p1", "p2")
        unit.problems.put(a_problem("child", parent_id="p1"))
        unit.follow_ups.put(a_follow_up("late", problem_id="p1", state="open"))
        unit.problems.merge_alias("p2", "p3")
        assert unit.problems.parent_of("child") == "p3"
        assert unit.problems.follow_ups_of("p3") == ("late",)


def test_messages_that_wait_are_found_by_case_and_settled_for_every_process(store: Store) -> None:
    with store.writing("shop") as unit:
        two_problems(unit)
        unit.assignments.put("e2", "p1", a_match("p1", reason="pending", pending=True))
    with store.writing("shop") as unit:
        assert unit.assignments.waiting("k2") == ("e2",)
        assert unit.assignments.waiting("k1") == ()
        unit.assignments.settle("e2", "p1", a_match("p1"))
    with store.reading("shop") as unit:
        assert unit.assignments.waiting("k2") == ()
        settled = unit.assignments.get("e2")
        assert settled is not None
        assert (settled.problem_id, settled.match.pending) == ("p1", False)
        assert unit.changes.since(0)[-1].kind == "event_placed"


def test_of_many_messages_the_latest_are_read_in_order(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.problems.put(a_problem("p1"))
        for number in range(4):
            unit.events.add(an_event(f"e{number}"), None, vectors_of(1)[0], MODEL)
            unit.assignments.put(f"e{number}", "p1", a_match("p1"))
        unit.events.add(an_event("theirs", role="agent"))
        unit.assignments.put("theirs", "p1", a_match("p1"))
    with store.reading("shop") as unit:
        read = unit.events.messages_of_problem
        assert [item.event.id for item in read("p1")] == ["e0", "e1", "e2", "e3"]
        assert [item.event.id for item in read("p1", 2)] == ["e2", "e3"]
        assert all(item.vector is not None for item in read("p1", 2))


def test_a_night_keeps_what_it_found_in_place_of_what_the_last_one_did(store: Store) -> None:
    first = Find("merge", "p1", "p2", 0.3)
    second = Find("split", "p1", "", 0.1, ("e1", "e2"), 2)
    with store.writing("shop") as unit:
        unit.regroupings.replace_finds([first])
        unit.regroupings.replace_finds([second, replace(first, nights=2)])
    with store.reading("shop") as unit:
        assert unit.regroupings.finds() == (replace(first, nights=2), second)
    with store.writing("shop") as unit:
        unit.regroupings.replace_finds([])
        assert unit.regroupings.finds() == ()


def test_an_erasure_reaches_what_is_kept_to_undo_a_merge(store: Store, store_url: str) -> None:
    said = "zebra-marked parcel is late again and nobody answers"
    named = a_problem("p2", names={"en": "zebra-marked parcel…"}, named_by_person=False)
    with store.writing("shop") as unit:
        two_problems(unit)
        unit.events.add(an_event("hers", customer_id="customer-31337", text=said), "k2")
        unit.assignments.put("hers", "p2", a_match("p2"))
        unit.regroupings.add_merge(a_regrouping(other_id="p2", kept={"problem": kept_problem(named)}))
        unit.problems.merge_alias("p2", "p1")
        unit.regroupings.replace_finds([Find("split", "p1", "", 0.1, ("e1", "hers"))])
    with store.writing("shop") as unit:
        unit.erase_customer("customer-31337")
    with store.reading("shop") as unit:
        (entry,) = unit.regroupings.latest()
        assert entry.kept["problem"]["names"] == {}
        assert unit.regroupings.moved("rg_1") == {"e2"}
        assert unit.regroupings.finds() == ()
    assert "zebra" not in everything(store_url)
