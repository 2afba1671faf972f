"""Headcounts: distinct customers in any window, whatever the order in which they were heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.headcounts import HOUR, STEP, Headcounts, seconds_of

T = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
NOW = seconds_of(T)

Said = tuple[str, int, int]
spoken = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 4 * HOUR), st.integers(0, 6)), max_size=60
)


def heard(said: list[Said]) -> Headcounts:
    heads = Headcounts()
    for problem_id, second, voter in said:
        heads.add(problem_id, T + timedelta(seconds=second), voter)
    return heads


def state(heads: Headcounts) -> tuple[object, ...]:
    counts = [list(heads.spells(item, NOW - 1, NOW + 5 * HOUR)) for item in "ab"]
    return counts, heads.volumes(NOW // HOUR - 1, NOW // HOUR + 6).tolist(), sorted(heads), heads.first_hour


def test_a_customer_counts_once_in_a_window_and_the_window_ends_where_it_says() -> None:
    heads = heard([("a", 0, 1), ("a", 60, 1), ("a", 900, 2), ("a", 901, 3)])
    assert heads.voters("a", NOW, NOW + 900) == 2
    assert heads.voters("a", NOW - 1, NOW + 901) == 3
    assert heads.voters("a", NOW + 60, NOW + 900) == 1
    assert heads.sightings("a", NOW - 1, NOW + 901) == 4
    assert heads.voters("unknown", NOW, NOW + 900) == 0


def test_what_came_a_fraction_of_a_second_after_a_window_is_not_in_it() -> None:
    heads = Headcounts()
    heads.add("a", T + timedelta(microseconds=1), "x")
    assert heads.voters("a", NOW - 900, NOW) == 0
    assert heads.voters("a", NOW, NOW + 900) == 1


@given(spoken, st.randoms(use_true_random=False))
def test_order_changes_nothing(said: list[Said], chance: object) -> None:
    mixed = list(said)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert state(heard(mixed)) == state(heard(said))


@given(spoken, st.integers(0, 4 * HOUR), st.integers(0, 4 * HOUR))
def test_windows_hold_whom_a_plain_count_finds(said: list[Said], begin: int, length: int) -> None:
    heads = heard(said)
    inside = {
        who for problem_id, second, who in said if problem_id == "a" and begin < second <= begin + length
    }
    assert heads.voters("a", NOW + begin, NOW + begin + length) == len(inside)
    steps = {(problem_id, (second - 1) // STEP, who) for problem_id, second, who in said}
    assert heads.volume(NOW - STEP, NOW + 5 * HOUR) == len(steps)


@given(spoken)
def test_merged_problems_count_as_if_they_had_been_one(said: list[Said]) -> None:
    heads = heard(said)
    heads.merge("a", "b")
    assert state(heads) == state(heard([("b", second, who) for _, second, who in said]))


@given(spoken)
def test_a_forgotten_problem_leaves_nothing(said: list[Said]) -> None:
    heads = heard(said)
    heads.forget("a")
    assert state(heads) == state(heard([item for item in said if item[0] == "b"]))


def test_what_is_too_old_is_dropped_and_the_problem_with_its_last_sighting() -> None:
    heads = heard([("a", 0, 1), ("b", 0, 1), ("b", 3 * HOUR, 2)])
    assert heads.forget_before(NOW + HOUR) == ["a"]
    assert list(heads) == ["b"]
    assert heads.first("b") == heads.latest("b") == NOW + 3 * HOUR
    assert heads.volumes(NOW // HOUR - 1, NOW // HOUR + 4).sum() == 1


def test_a_crowd_is_counted_like_a_few() -> None:
    said = [
        ("a", int(second), int(who)) for second, who in np.random.default_rng(1).integers(0, 900, (500, 2))
    ]
    heads = heard(said)
    assert heads.voters("a", NOW - 1, NOW + 900) == len({who for _, _, who in said})
