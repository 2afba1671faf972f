from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.exemplars import EXEMPLARS, FACETS, Instance
from graph.matching import ProblemMatcher
from graph.models import Entity
from tests.graph.utterances import say

AT = datetime(2026, 11, 1, tzinfo=UTC)


def filled(count: int, problem: str = "p1") -> ProblemMatcher:
    matcher = ProblemMatcher()
    for number in range(count):
        matcher.join(
            problem, say(f"screen broken w{number} v{number}"), (), AT, event_id=f"{problem}-e{number}"
        )
    return matcher


def texts(matcher: ProblemMatcher, problem: str) -> list[str]:
    return [instance.utterance.text for instance in matcher.exemplars(problem)]


def test_near_copies_are_not_kept() -> None:
    matcher = ProblemMatcher()
    assert matcher.join("p1", say("screen broken"), (), AT, event_id="a")
    assert not matcher.join("p1", say("broken screen"), (), AT, event_id="b")
    assert texts(matcher, "p1") == ["screen broken"]


def test_no_more_than_eight_are_kept_and_the_different_stay() -> None:
    matcher = filled(30)
    assert len(matcher.exemplars("p1")) == EXEMPLARS
    assert matcher.join("p1", say("completely other words here"), (), AT)
    assert "completely other words here" in texts(matcher, "p1")
    assert len(matcher.exemplars("p1")) == EXEMPLARS


def test_exemplars_of_unknown_problems() -> None:
    assert ProblemMatcher().exemplars("nothing") == ()
    assert "nothing" not in ProblemMatcher()


def test_a_merge_takes_up_everything() -> None:
    matcher = filled(3)
    matcher.join(
        "p2", say("display cracked glass"), [Entity("sku", "S1", 0, 0)], AT + timedelta(days=1), event_id="x"
    )
    matcher.merge("p2", "p1")
    assert "p2" not in matcher
    assert len(matcher) == 1
    assert "display cracked glass" in texts(matcher, "p1")
    assert matcher.match(say("display cracked glass"), (), AT).problem_id == "p1"
    assert matcher.candidates(say("display cracked glass"), [Entity("sku", "S1", 0, 0)], AT)[0].same > 0
    assert matcher.remove_event("x")
    assert "display cracked glass" not in texts(matcher, "p1")


def test_what_was_merged_does_not_blur_what_took_it_up() -> None:
    matcher = ProblemMatcher()
    for number in range(10):
        matcher.join("p1", say(f"screen broken glass a{number}"), (), AT)
        matcher.join("p2", say(f"coupon rejected checkout b{number}"), (), AT)
    before = matcher.match(say("coupon rejected at checkout"), (), AT)
    matcher.merge("p2", "p1")
    after = matcher.match(say("coupon rejected at checkout"), (), AT)
    assert (before.problem_id, after.problem_id) == ("p2", "p1")
    assert after.score == pytest.approx(before.score)
    assert matcher.match(say("screen broken glass"), (), AT).problem_id == "p1"
    assert len(matcher.exemplars("p1")) == EXEMPLARS


def test_the_id_of_what_was_merged_stands_for_what_took_it_up() -> None:
    matcher = filled(3)
    matcher.join("p2", say("coupon rejected checkout"), (), AT)
    matcher.merge("p2", "p1")
    matcher.join("p2", say("voucher refused at checkout"), (), AT, event_id="late")
    assert "p2" not in matcher
    assert "voucher refused at checkout" in texts(matcher, "p1")
    assert matcher.remove_event("late")


def test_a_problem_that_takes_up_very_many_keeps_no_more_than_a_dozen_apart() -> None:
    matcher = ProblemMatcher()
    for number in range(40):
        matcher.join(
            f"p{number}", say(f"word{number} term{number} thing{number}"), (), AT, event_id=f"e{number}"
        )
    for number in range(1, 40):
        matcher.merge(f"p{number}", "p0")
    assert len(matcher) == 1
    rows = [slot for slot in matcher._ids if slot]
    assert len(rows) == FACETS
    assert matcher.remove("p0")
    assert len(matcher) == 0
    assert matcher.candidates(say("word3 term3 thing3"), (), AT) == ()


@pytest.mark.parametrize(("old", "into"), [("p1", "p1"), ("p1", "ghost"), ("ghost", "p1")])
def test_a_merge_of_what_is_not_there_changes_nothing(old: str, into: str) -> None:
    matcher = filled(2)
    matcher.merge(old, into)
    assert len(texts(matcher, "p1")) == 2


def test_a_removed_problem_is_found_no_more() -> None:
    matcher = filled(3)
    assert matcher.remove("p1")
    assert not matcher.remove("p1")
    assert len(matcher) == 0
    assert matcher.candidates(say("screen broken w1 v1"), (), AT) == ()
    matcher.join("p2", say("coupon rejected"), (), AT)
    assert matcher.match(say("coupon rejected"), (), AT).problem_id == "p2"
    assert matcher.match(say("screen broken w1 v1"), (), AT).reason == "new"


def test_an_erased_event_is_no_exemplar() -> None:
    matcher = filled(3)
    assert matcher.remove_event("p1-e1")
    assert not matcher.remove_event("p1-e1")
    assert texts(matcher, "p1") == ["screen broken w0 v0", "screen broken w2 v2"]
    assert matcher.remove_event("p1-e0")
    assert matcher.remove_event("p1-e2")
    assert "p1" not in matcher


def test_rebuilding_splits_and_erases() -> None:
    matcher = filled(4)
    half = [Instance(say(f"screen broken w{n} v{n}"), (), AT, f"p1-e{n}") for n in (0, 1)]
    matcher.rebuild("p1", half)
    matcher.rebuild("p2", [Instance(say("screen broken w3 v3"), (), AT, "p1-e3")])
    assert len(texts(matcher, "p1")) == 2
    assert matcher.match(say("screen broken w3 v3"), (), AT).problem_id == "p2"
    fresh = ProblemMatcher()
    for instance in half:
        fresh.join("p1", instance.utterance, (), AT, event_id=instance.event_id)
    assert texts(fresh, "p1") == texts(matcher, "p1")
    matcher.rebuild("p2", [])
    assert "p2" not in matcher


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 3), st.integers(0, 30)),
        st.tuples(st.just("remove"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("merge"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("erase"), st.integers(0, 60), st.just(0)),
    ),
    max_size=60,
)


@given(OPERATIONS)
@settings(max_examples=60, deadline=None)
def test_any_order_of_operations_leaves_a_sound_memory(operations: list[tuple[str, int, int]]) -> None:
    matcher = ProblemMatcher()
    for number, (name, first, second) in enumerate(operations):
        if name == "join":
            text = f"broken w{second} v{second % 7}"
            matcher.join(
                f"p{first}", say(text), [Entity("sku", f"S{second}", 0, 0)], AT, event_id=f"e{number}"
            )
        elif name == "remove":
            matcher.remove(f"p{first}")
        elif name == "merge":
            matcher.merge(f"p{first}", f"p{second}")
        else:
            matcher.remove_event(f"e{first}")
        for candidate in matcher.candidates(say("broken w3"), [Entity("sku", "S3", 0, 0)], AT):
            assert candidate.problem_id in matcher
            assert 0.0 <= candidate.probability <= 1.0
    for problem in range(4):
        assert len(matcher.exemplars(f"p{problem}")) <= EXEMPLARS
        assert bool(matcher.exemplars(f"p{problem}")) == (f"p{problem}" in matcher)
