"""What people use moves ranks: only with enough voices, only so far in a night, and never because of a place."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from graph.learned_ranks import (
    CLIP,
    HALF_LIFE,
    MATTERS,
    MOST,
    STEP,
    Move,
    Place,
    Seen,
    Subject,
    Told,
    Word,
    examination,
    rank_moves,
)

NOW = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PROBLEM: Subject = ("problem", "p1")
EVIDENCE = {"a": 4.0, "b": 3.5, "c": 3.0, "d": 2.5, "e": 2.0, "f": 1.5}
Choice = Callable[[Sequence[str], random.Random], str | None]


def told(
    number: int,
    used: str | None,
    *,
    agent: str | None = "1",
    customer: str | None = None,
    order: Iterable[str] = "abc",
    refused: Iterable[str] = (),
    at: datetime = NOW - 4 * DAY,
    subject: Subject = PROBLEM,
    propensities: Mapping[str, float] | None = None,
    evidence: Mapping[str, float] | None = None,
) -> Told:
    chances = propensities or {}
    who = customer or f"u{number}"
    voter = f"agent {agent}" if agent is not None else f"customer {who}"
    words = {item: Word(f"f{number}-{item}", False, at, voter, agent) for item in refused}
    if used is not None:
        words[used] = Word(f"f{number}", True, at, voter, agent)
    seen = tuple(
        Seen(item, rank, chances.get(item, 1.0), (evidence or EVIDENCE).get(item))
        for rank, item in enumerate(order, 1)
    )
    return Told(f"x{number}", subject, who, at, seen, words)


def by(agents: int, each: int, used: str = "c", **more: object) -> list[Told]:
    """So many agents used a document so often, each time for another customer."""
    return [
        told(agent * each + n, used, agent=str(agent), **more)  # type: ignore[arg-type]
        for agent in range(agents)
        for n in range(each)
    ]


def boosts(given: Sequence[Told], before: Mapping[Place, float] | None = None) -> dict[str, float]:
    return {move.external_id: move.boost for move in rank_moves(given, before or {}, NOW)}


def test_without_words_nothing_moves() -> None:
    assert rank_moves([], {}, NOW) == ()
    assert rank_moves([told(1, None)], {}, NOW) == ()


def test_what_many_use_from_below_rises_and_says_on_whose_word() -> None:
    (move,) = rank_moves(by(6, 10), {}, NOW)
    assert (move.subject, move.external_id, move.agents, move.customers) == (PROBLEM, "c", 6, 60)
    assert 0 < move.step == move.boost <= STEP
    assert {item.feedback_id for item in move.contributions} == {f"f{number}" for number in range(60)}
    assert {item.agent_id for item in move.contributions} == {str(number) for number in range(6)}
    assert all(item.weight > 0 for item in move.contributions)


def test_what_stands_first_is_not_lifted_by_being_used() -> None:
    assert rank_moves(by(10, 50, "a"), {}, NOW) == ()


@pytest.mark.parametrize("each", [10, 300])
def test_fewer_than_three_agents_move_nothing(each: int) -> None:
    assert rank_moves(by(1, each), {}, NOW) == ()
    assert rank_moves(by(2, each), {}, NOW) == ()
    assert rank_moves(by(3, each), {}, NOW) != ()


def test_one_customer_moves_nothing() -> None:
    assert rank_moves(by(6, 20, customer="u1"), {}, NOW) == ()
    nobody = [told(n, "c", agent=str(n % 6), customer=f"u{n % 2}") for n in range(60)]
    assert rank_moves(nobody, {}, NOW) != ()


def test_three_customers_move_where_no_agent_stood_between() -> None:
    themselves = [told(n, "c", agent=None) for n in range(40)]
    assert boosts(themselves).keys() == {"c"}
    two = [told(n, "c", agent=None, customer=f"u{n % 2}") for n in range(40)]
    assert boosts(two) == {}
    mixed = [told(n, "c", agent=None if n % 2 else "1", customer=f"u{n % 2}") for n in range(40)]
    assert boosts(mixed) == {}, "an agent and two customers are neither three agents nor three customers"


def test_a_loud_agent_weighs_little_more_than_a_twentieth() -> None:
    honest = by(20, 5)
    loud = [told(10_000 + n, "c", agent="loud") for n in range(500)]
    (move,) = rank_moves([*honest, *loud], {}, NOW)
    weight = sum(item.weight for item in move.contributions if item.agent_id == "loud")
    everybody = sum(item.weight for item in move.contributions)
    assert weight <= 0.05 * (everybody + 100) + 1e-3


def test_refusals_hold_a_document_down() -> None:
    refused = [told(500 + n, None, refused=["c"], agent=str(n % 6)) for n in range(60)]
    assert boosts([*by(6, 10), *refused]) == {}
    used_above = [told(500 + n, "a", agent=str(n % 6)) for n in range(60)]
    assert boosts([*by(6, 10), *used_above]) == {}


def test_one_who_objects_does_not_bring_down_what_rose() -> None:
    standing: dict[Place, float] = {(PROBLEM, "c"): 1.0}
    alone = [told(900 + n, None, refused=["c"], agent="alone") for n in range(300)]
    assert boosts([*by(8, 10), *alone], standing).get("c", 1.0) >= 1.0
    several = [told(900 + n, None, refused=["c"], agent=f"b{n % 4}") for n in range(300)]
    assert boosts([*by(8, 10), *several], standing)["c"] < 1.0


def test_boosts_and_steps_are_bounded_for_intents_more_than_for_problems() -> None:
    for subject in (PROBLEM, ("intent", "i1")):
        standing: dict[Place, float] = {}
        for _ in range(9):
            for move in rank_moves(by(30, 40, subject=subject), standing, NOW):
                assert abs(move.step) <= STEP
                standing[move.subject, move.external_id] = move.boost
        assert standing == {(subject, "c"): MOST[subject[0]]}  # type: ignore[index]


def test_a_step_lifts_by_two_places_at_most() -> None:
    given = by(20, 20, "f", order="abcdef", evidence={"a": 9, "b": 3, "c": 2.9, "d": 2.5, "e": 2.4, "f": 2.2})
    (move,) = rank_moves(given, {}, NOW)
    assert 2.5 < 2.2 + move.step < 2.9


def test_words_fade_and_boosts_with_them() -> None:
    standing: dict[Place, float] = {(PROBLEM, "c"): 1.0}
    fresh, old = by(5, 10), by(5, 10, at=NOW - 4 * HALF_LIFE)
    assert boosts(old, standing)["c"] < boosts(fresh, standing).get("c", 1.0)
    assert boosts([], standing) == {"c": 0.0}
    assert boosts([], {(PROBLEM, "c"): MATTERS / 2}) == {"c": 0.0}, "nothing small is left standing"


def test_what_was_taken_back_stays_as_it_was_left_until_others_speak() -> None:
    held = {(PROBLEM, "c"): NOW - DAY}
    standing: dict[Place, float] = {(PROBLEM, "c"): 0.5}
    assert rank_moves(by(20, 20), standing, NOW, held=held) == ()
    assert rank_moves(by(20, 20, at=NOW), standing, NOW, held=held) != ()


def test_subjects_are_apart() -> None:
    one, other = by(2, 20), by(2, 20, subject=("problem", "p2"))
    assert rank_moves([*one, *other], {}, NOW) == ()


def test_the_order_of_words_makes_no_difference() -> None:
    given = [*by(6, 10), *by(4, 9, "b", subject=("intent", "i1"))]
    shuffled = random.Random(3).sample(given, len(given))
    first, second = rank_moves(given, {}, NOW), rank_moves(shuffled, {}, NOW)
    assert [(m.external_id, round(m.boost, 9)) for m in first] == [
        (m.external_id, round(m.boost, 9)) for m in second
    ]


# --- simulated desks


@dataclass
class Desk:
    """One problem's questions for a while: agents use what they choose, and each night ranks move."""

    choose: Choice
    agents: Sequence[str]
    a_day: int = 60
    swaps: float = 0.05
    documents: str = "abc"
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    evidence: dict[str, float] = field(default_factory=lambda: dict(EVIDENCE))
    standing: dict[Place, float] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    day: int = 0

    def order(self) -> list[str]:
        return sorted(self.documents, key=lambda item: (-self.total(item), item))

    def total(self, item: str) -> float:
        return self.evidence[item] + self.standing.get((PROBLEM, item), 0.0)

    def work(self) -> None:
        """A day's questions, and the night after it."""
        at = NOW + self.day * DAY
        pairs = len(self.documents) - 1
        for _ in range(self.a_day):
            shown, chances = self.order(), dict.fromkeys(self.documents, 1 - self.swaps / pairs)
            if self.chance.random() < self.swaps:
                place = self.chance.randrange(pairs)
                shown[place], shown[place + 1] = shown[place + 1], shown[place]
                chances |= dict.fromkeys(shown[place : place + 2], self.swaps / pairs)
            number = len(self.told)
            self.told.append(
                told(
                    number,
                    self.choose(shown, self.chance),
                    agent=self.agents[number % len(self.agents)],
                    customer=f"u{number % 97}",
                    order=shown,
                    at=at,
                    propensities=chances,
                    evidence={item: self.total(item) for item in shown},
                )
            )
        self.day += 1
        for move in rank_moves(self.told, self.standing, NOW + self.day * DAY):
            self.standing[move.subject, move.external_id] = move.boost
            self.moves.append(move)


def honest(right: str, sloppy: float = 0.1) -> Choice:
    """Uses the right answer wherever it stands, and the first one now and then."""

    def choose(shown: Sequence[str], chance: random.Random) -> str | None:
        return shown[0] if chance.random() < sloppy else right

    return choose


def biased(looks: Sequence[float]) -> Choice:
    """Uses each answer as often as its place is looked at, whatever it says."""

    def choose(shown: Sequence[str], chance: random.Random) -> str | None:
        for item, look in zip(shown, looks, strict=False):
            if chance.random() < look:
                return item
        return None

    return choose


EIGHT = [f"agent-{number}" for number in range(8)]


def test_honest_agents_bring_the_right_document_first_within_nights() -> None:
    desk = Desk(honest("c"), EIGHT)
    assert desk.order() == ["a", "b", "c"]
    for _ in range(4):
        desk.work()
    assert desk.order()[0] == "c"


def test_one_colluding_agent_moves_nothing() -> None:
    desk = Desk(honest("c", 0.0), ["colluding"], a_day=300)
    for _ in range(10):
        desk.work()
    assert desk.moves == []


def test_three_colluding_agents_move_two_places_a_night_at_most_and_are_undone() -> None:
    desk = Desk(honest("f", 0.0), ["x", "y", "z"], a_day=300, documents="abcdef")
    desk.evidence |= {"a": 2.2, "b": 2.1, "c": 2.0, "d": 1.9, "e": 1.8, "f": 1.7}
    former = desk.order()
    places = [former.index("f")]
    for _ in range(6):
        desk.work()
        places.append(desk.order().index("f"))
    assert all(before - after <= 2 for before, after in pairwise(places))
    assert places[-1] < places[0], "the bound is what is tried here, so something must move"
    assert {move.agents for move in desk.moves} == {3}
    for move in desk.moves:
        desk.standing[move.subject, move.external_id] -= move.step
    assert desk.order() == former


@pytest.mark.parametrize("looks", [[1.0, 0.0, 0.0], [0.7, 0.4, 0.2], [0.5, 0.4, 0.35]])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_position_bias_alone_moves_nothing(looks: Sequence[float], seed: int) -> None:
    desk = Desk(biased(looks), EIGHT, chance=random.Random(seed))
    for _ in range(30):
        desk.work()
    assert desk.moves == []
    assert desk.order() == ["a", "b", "c"]


def test_how_often_a_place_is_looked_at_is_told_by_swapped_neighbours() -> None:
    desk = Desk(biased([0.8, 0.4, 0.2]), EIGHT, a_day=2000, swaps=0.2)
    desk.work()
    first, second, third = examination(desk.told)
    assert first == 1.0
    # Looked at only when nothing above was used: .2 · .4 = .08 beside .8, held up by the votes for being alike.
    assert 1 / CLIP <= third <= second < 0.5
    assert examination(Desk(biased([0.8, 0.4, 0.2]), EIGHT).told) == (1.0,)
    unswapped = Desk(biased([0.8, 0.4, 0.2]), EIGHT, swaps=0.0)
    unswapped.work()
    assert set(examination(unswapped.told)) == {1.0}


def test_everywhere_alike_is_seen_as_such() -> None:
    def anywhere(shown: Sequence[str], chance: random.Random) -> str | None:
        return chance.choice("abc")

    desk = Desk(anywhere, EIGHT, a_day=2000, swaps=0.2)
    desk.work()
    assert min(examination(desk.told)) > 0.8
    assert desk.moves == []
