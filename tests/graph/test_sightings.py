from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.models import Customer, Event
from graph.recurrence import Observation, latest_full
from graph.sightings import Line, Question, Sightings, moment, speaker, ticks, voter_code

T = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
HOUR = 3_600_000_000
DAY = 24 * HOUR


def at(hours: float) -> int:
    return ticks(T + timedelta(hours=hours))


def line(*votes: tuple[float, int]) -> Line:
    made = Line()
    for hours, voter in votes:
        made.add(at(hours), voter)
    return made


def test_times_survive_to_the_microsecond() -> None:
    odd = T + timedelta(days=9, microseconds=123_457)
    assert moment(ticks(odd)) == odd
    assert moment(ticks(odd.astimezone())) == odd


def test_a_voter_is_the_same_in_every_process_and_apart_from_others() -> None:
    assert voter_code("customer", "u1") == 5932544047953375762
    codes = {voter_code(kind, id) for kind in ("customer", "conversation", "event") for id in ("u1", "u2")}
    assert len(codes) == 6


def test_whose_vote_a_message_is() -> None:
    said = Event("e1", "message", T, conversation_id="c1")
    named = Event("e2", "message", T, conversation_id="c1", customer=Customer("u1"))
    assert speaker(said) == voter_code("conversation", "c1")
    assert speaker(named) == voter_code("customer", "u1")
    assert speaker(Event("e3", "message", T, customer_id="u1")) == speaker(named)
    assert speaker(Event("e4", "message", T)) == voter_code("event", "e4")


def test_late_sightings_stand_where_they_belong() -> None:
    late = line((5, 1), (1, 2), (3, 3), (3, 4))
    assert [item.voter for item in late] == [2, 3, 4, 1]
    assert (late.first, late.last) == (T + timedelta(hours=1), T + timedelta(hours=5))
    assert list(late) == list(line((1, 2), (3, 3), (3, 4), (5, 1)))


def test_customers_count_once_from_the_begin_of_an_episode() -> None:
    seen = line((0, 1), (1, 2), (2, 1))
    assert (seen.customers(None), seen.customers(T + timedelta(hours=1)), len(seen)) == (2, 2, 3)
    seen.add(at(3), 3)
    assert seen.customers(T + timedelta(hours=1)) == 3
    seen.add(at(0.5), 9)
    assert seen.customers(T + timedelta(hours=1)) == 3, "before the episode"
    assert seen.customers(None) == 4
    assert seen.distinct(at(2)) == 1


def test_one_voter_alone_fills_no_window() -> None:
    question = Question(3, DAY, None)
    seen = line()
    for number in range(50):
        assert not seen.fills(seen.add(at(number / 10), 7), question)
    assert not seen.fills(seen.add(at(6), 8), question)
    assert seen.fills(seen.add(at(7), 9), question)


@pytest.mark.parametrize(("hours", "full"), [(24.0, False), (23.99, True)])
def test_a_window_is_open_at_its_begin(hours: float, full: bool) -> None:
    question = Question(3, DAY, None)
    seen = line((0, 1), (10, 2))
    assert seen.fills(seen.add(at(hours), 3), question) == full
    assert seen.full(question) == full


def test_what_came_before_a_bound_does_not_count() -> None:
    question = Question(2, DAY, at(5))
    seen = line((4, 1), (5, 2))
    assert not seen.fills(seen.add(at(6), 3), question)
    assert seen.fills(seen.add(at(7), 1), question)
    assert not seen.fills(seen.add(at(4.5), 8), question)


def test_a_late_sighting_completes_the_window_it_belongs_to() -> None:
    question = Question(3, DAY, None)
    seen = line((0, 1), (20, 2), (500, 5), (501, 5))
    assert not seen.fills(seen.add(at(400), 3), question)
    assert seen.fills(seen.add(at(10), 3), question)


@settings(max_examples=150, deadline=None)
@given(
    votes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5)), min_size=1, max_size=40),
    customers=st.integers(1, 4),
    hours=st.sampled_from([1, 6, 24]),
    bound=st.one_of(st.none(), st.integers(0, 40)),
)
def test_asking_message_by_message_finds_the_first_full_window(
    votes: list[tuple[int, int]], customers: int, hours: int, bound: int | None
) -> None:
    question = Question(customers, hours * HOUR, None if bound is None else at(bound))
    seen = Line()
    heard: list[Observation] = []
    for number, (hour, voter) in enumerate(votes):
        place = seen.add(at(hour), voter)
        heard.append(Observation(T + timedelta(hours=hour), f"u{voter}", f"e{number}"))
        counted = sorted(o for o in heard if bound is None or o.at > T + timedelta(hours=bound))
        wanted = latest_full(counted, timedelta(hours=hours), customers, seen.last) is not None
        assert seen.fills(place, question) == seen.full(question) == wanted
        if wanted:
            return


def test_the_same_sightings_in_any_order_give_the_same_lines() -> None:
    chance = Random(3)
    told = [(f"p{chance.randrange(3)}", at(chance.uniform(0, 99)), chance.randrange(9)) for _ in range(200)]
    one, other = Sightings(), Sightings()
    for problem_id, when, voter in told:
        one.hear(problem_id, when, voter)
    for problem_id, when, voter in chance.sample(told, len(told)):
        other.hear(problem_id, when, voter)
    assert [list(one.of(f"p{n}")) for n in range(3)] == [list(other.of(f"p{n}")) for n in range(3)]
    assert one.in_order() == other.in_order()


def test_a_merge_takes_up_all_and_keeps_the_order() -> None:
    ledger = Sightings()
    for hours, problem_id, voter in ((0, "a", 1), (1, "b", 2), (2, "a", 3), (3, "b", 1)):
        ledger.hear(problem_id, at(hours), voter)
    assert ledger.of("a").customers(None) == 2
    ledger.merge("b", "a")
    assert [item.voter for item in ledger.of("a")] == [1, 2, 3, 1]
    assert (ledger.of("a").customers(None), len(ledger.of("b"))) == (3, 0)
    ledger.merge("unknown", "a")
    ledger.merge("a", "a")
    assert len(ledger.of("a")) == 4
    ledger.merge("a", "c")
    assert len(ledger.of("c")) == 4


def test_a_line_may_be_told_anew() -> None:
    ledger = Sightings()
    ledger.hear("a", at(0), 1)
    ledger.put("a", [(at(3), 2), (at(1), 3)])
    assert [item.voter for item in ledger.of("a")] == [3, 2]
    ledger.put("a", [])
    assert ledger.in_order() == []
