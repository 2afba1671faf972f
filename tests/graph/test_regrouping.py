from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from graph.matching import Instance, ProblemMatcher
from graph.models import Entity, Problem, ProblemState
from graph.regrouping import (
    AGREED,
    BOUND,
    FAR,
    HELD,
    Affinity,
    Decided,
    Member,
    affinities,
    contradict,
    may_merge,
    merge_margin,
    merge_of,
    nearest,
    same_split,
    split_of,
    survivor,
    threshold_shift,
)
from tests.graph.utterances import say

AT = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOTH = frozenset({"en", "zh"})
SCREEN = ["screen", "broken", "cracked", "glass", "display", "shattered"]
PARCEL = ["parcel", "stuck", "courier", "delivery", "tracking", "hub"]


def problem(id: str = "p1", state: ProblemState = "open", opened: int = 0, **changes: object) -> Problem:
    at = AT + opened * HOUR
    return replace(Problem(id, {"en": id}, state, at, at, at), **changes)  # type: ignore[arg-type]


def near(probability: float, first: float = 1.0) -> Affinity:
    return Affinity(probability, first)


def spoken(words: Sequence[str], many: int, seed: int = 3) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.sample(list(words), 4)) for _ in range(many)]


def members(texts: Sequence[str], prefix: str = "e", customers: int | None = None) -> list[Member]:
    """One message an hour, each of another customer unless there are only so many."""
    return [
        Member(
            Instance(say(text), (), AT + number * HOUR, f"{prefix}{number}"),
            ("customer", f"{prefix}{number % (customers or len(texts))}"),
        )
        for number, text in enumerate(texts)
    ]


def mixed(*parts: Sequence[Member]) -> list[Member]:
    return sorted(
        (item for part in parts for item in part), key=lambda item: (item.instance.at, item.event_id)
    )


def matcher_of(groups: dict[str, Sequence[str]]) -> ProblemMatcher:
    matcher = ProblemMatcher(reads=BOTH)
    for name, texts in groups.items():
        for number, text in enumerate(texts):
            matcher.join(name, say(text), (), AT, event_id=f"{name}-{number}")
    return matcher


# --- merges


def test_two_groups_of_one_matter_are_each_others_nearest_and_a_third_is_not() -> None:
    texts = spoken(SCREEN, 12)
    matcher = matcher_of({"a": texts[:6], "b": texts[6:], "c": spoken(PARCEL, 6)})
    found = affinities(matcher, "a")
    assert nearest(found) == "b"
    assert nearest(affinities(matcher, "b")) == "a"
    assert found["b"].probability > 0.8
    assert found["b"].first == 1.0
    assert "c" not in found or found["c"].probability < 0.2
    assert "a" not in found


def test_what_merges_is_near_both_ways_as_a_whole() -> None:
    one, other = problem("a"), problem("b", opened=1)
    assert merge_of(one, other, near(0.5), near(0.5)) is None
    assert merge_of(one, other, near(0.99), near(0.5)) is None, "one way alone is not enough"
    assert merge_of(one, other, near(0.99), near(0.99, first=AGREED - 0.1)) is None, "nor by a few messages"
    found = merge_of(one, other, near(0.6), near(0.95))
    assert found is not None
    assert (found.old, found.into, found.certain) == ("b", "a", False)
    certain = merge_of(one, other, near(0.95), near(0.95))
    assert certain is not None
    assert certain.certain
    assert certain.margin == pytest.approx(merge_margin(0.95, 0.95))


def test_a_shift_raises_what_a_merge_needs() -> None:
    one, other = problem("a"), problem("b", opened=1)
    margin = merge_margin(0.75, 0.75)
    assert merge_of(one, other, near(0.75), near(0.75), shift=margin - 0.01) is not None
    assert merge_of(one, other, near(0.75), near(0.75), shift=margin + 0.01) is None


def test_the_oldest_survives_and_what_people_have_seen_survives_what_they_have_not() -> None:
    old, young = problem("z", opened=0), problem("a", opened=5)
    assert survivor(young, old) == (old, young)
    seen, unseen = problem("a", "open", opened=5), problem("z", "candidate", opened=0)
    assert survivor(unseen, seen) == (seen, unseen)
    named = problem("a", opened=5, named_by_person=True)
    assert survivor(old, named) == (named, old)
    twins = problem("a"), problem("b")
    assert survivor(*twins) == survivor(*reversed(twins)) == twins


def test_two_that_people_hold_apart_merge_only_when_extremely_alike() -> None:
    one = problem("a", named_by_person=True)
    other = problem("b", "acknowledged", opened=1)
    plain = problem("c", opened=1)
    below, above = 0.8, 0.9
    assert FAR < HELD
    assert merge_margin(below, below) < HELD < merge_margin(above, above)
    assert merge_of(one, other, near(below), near(below)) is None
    assert merge_of(one, plain, near(below), near(below)) is not None
    assert merge_of(one, other, near(above), near(above)) is not None


@pytest.mark.parametrize(
    ("one", "other", "allowed"),
    [
        ("candidate", "resolved", True),
        ("candidate", "silenced", True),
        ("open", "acknowledged", True),
        ("open", "regressed", True),
        ("open", "resolved", False),
        ("open", "silenced", False),
        ("resolved", "resolved", False),
    ],
)
def test_a_night_decides_neither_what_is_mended_nor_who_is_told(
    one: ProblemState, other: ProblemState, allowed: bool
) -> None:
    first, second = problem("a", one), problem("b", other, opened=1)
    assert may_merge(first, second) == may_merge(second, first) == allowed
    assert (merge_of(first, second, near(0.99), near(0.99)) is not None) == allowed


def test_problems_of_different_products_carriers_or_campaigns_contradict() -> None:
    assert contradict({"product": {"A": 4}}, {"product": {"B": 3}})
    assert contradict({"product": {"A": 4}, "carrier": {"sf": 2}}, {"carrier": {"yto": 1}})
    assert not contradict({"product": {"A": 4}}, {"product": {"A": 1, "B": 1}})
    assert not contradict({"product": {"A": 4}}, {"carrier": {"sf": 3}})
    spread = {"product": {"A": 1, "B": 1, "C": 1, "D": 1}}
    assert not contradict(spread, {"product": {"E": 3}}), "one about many products is about none"
    assert not contradict({"product": {"A": 0}}, {"product": {"B": 3}}), "what was taken away counts no more"


# --- splits


def test_a_problem_of_two_matters_is_split_and_the_larger_part_keeps_the_id() -> None:
    few, many = members(spoken(SCREEN, 8), "s"), members(spoken(PARCEL, 12), "p")
    found = split_of("p1", mixed(few, many), reads=BOTH)
    assert found is not None
    assert found.parts == (
        frozenset(item.event_id for item in many),
        frozenset(item.event_id for item in few),
    )
    assert found.anchors[0] in found.parts[0]
    assert found.anchors[1] in found.parts[1]
    assert same_split(found, found.anchors)
    assert same_split(found, tuple(reversed(found.anchors)))
    assert not same_split(found, ("p0", "p1"))
    assert not same_split(found, ())


def test_of_equal_parts_the_older_keeps_the_id() -> None:
    later = [
        replace(item, instance=replace(item.instance, at=AT + timedelta(days=2)))
        for item in members(spoken(SCREEN, 8), "s")
    ]
    found = split_of("p1", mixed(later, members(spoken(PARCEL, 8), "p")), reads=BOTH)
    assert found is not None
    assert "p0" in found.parts[0]


def test_a_problem_of_one_matter_is_not_split() -> None:
    assert split_of("p1", members(spoken(SCREEN, 20)), reads=BOTH) is None


def test_one_customer_who_writes_much_is_no_problem_of_their_own() -> None:
    many = members(spoken(PARCEL, 12), "p")
    assert split_of("p1", mixed(members(spoken(SCREEN, 8), "s", customers=2), many), reads=BOTH) is None
    assert split_of("p1", mixed(members(spoken(SCREEN, 8), "s", customers=3), many), reads=BOTH) is not None


@pytest.mark.parametrize("reads", [BOTH, frozenset({"en"})])
def test_two_languages_are_no_reason_to_split(reads: frozenset[str]) -> None:
    english = members(spoken(SCREEN, 12), "e")
    rng = random.Random(4)
    chinese = members(
        ["".join(rng.sample(["屏幕", "碎了", "玻璃", "裂开", "手机"], 3)) for _ in range(10)], "z"
    )
    assert split_of("p1", mixed(english, chinese), reads=reads) is None


def test_a_message_of_another_language_goes_to_the_side_that_it_is_nearer_to() -> None:
    chinese = members(["parcel stuck 快递 courier", "手机 screen broken cracked"], "z")
    assert {item.instance.utterance.language for item in chinese} == {"zh"}
    both = mixed(members(spoken(SCREEN, 8), "s"), members(spoken(PARCEL, 12), "p"), chinese)
    found = split_of("p1", both, reads=BOTH)
    assert found is not None
    assert "z0" in found.parts[0]
    assert "z1" in found.parts[1]


def test_what_people_put_together_is_not_split() -> None:
    few, many = members(spoken(SCREEN, 8), "s"), members(spoken(PARCEL, 12), "p")
    ids = [{item.event_id for item in part} for part in (few, many)]
    assert split_of("p1", mixed(few, many), reads=BOTH, together=[(ids[0], ids[1])]) is None
    halves = {item.event_id for item in few[:4]}, {item.event_id for item in few[4:]}
    assert split_of("p1", mixed(few, many), reads=BOTH, together=[halves]) is not None
    assert split_of("p1", mixed(few, many), reads=BOTH, together=[(ids[0], {"of-long-ago"})]) is not None


def test_the_same_messages_give_the_same_split() -> None:
    both = mixed(members(spoken(SCREEN, 8), "s"), members(spoken(PARCEL, 12), "p"))
    assert split_of("p1", both, reads=BOTH) == split_of("p1", both, reads=BOTH)


def test_nothing_is_split_without_messages() -> None:
    assert split_of("p1", [], reads=BOTH) is None


# --- learning


def test_undone_merges_raise_the_threshold_within_bounds() -> None:
    assert threshold_shift([]) == 0.0
    one = threshold_shift([Decided(0.5, right=False)])
    three = threshold_shift([Decided(0.5, right=False)] * 3)
    assert 0.0 < one < three < threshold_shift([Decided(2.0, right=False)] * 3)
    assert threshold_shift([Decided(2.5, right=False)] * 200) == BOUND


def test_merges_of_people_lower_it_and_silence_weighs_less_than_a_word() -> None:
    said = threshold_shift([Decided(-0.5, right=True)] * 4)
    unsaid = threshold_shift([Decided(-0.5, right=True, weight=0.25)] * 4)
    assert said < unsaid < 0.0
    assert threshold_shift([Decided(-2.0, right=True)] * 200) == -BOUND
    assert abs(threshold_shift([Decided(4.0, right=True)] * 3)) < 0.1, "what was plain teaches little"


def test_the_same_words_about_two_products_contradict() -> None:
    matcher = ProblemMatcher(reads=BOTH)
    for name, sku in (("a", "X1"), ("b", "Y2")):
        for number, text in enumerate(spoken(SCREEN, 5)):
            entities = [Entity("sku", sku, 0, 0)]
            matcher.join(name, say(text), entities, AT, event_id=f"{name}{number}")
    assert contradict(matcher.entities("a"), matcher.entities("b"))
