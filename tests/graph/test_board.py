"""What a person's work was worth: planted histories that must come out as they were planted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import spearmanr  # type: ignore[import-untyped]

from graph.board import (
    POINTS,
    STEPS,
    WEIGHTS,
    BoardLine,
    Part,
    Person,
    board,
    present_seconds,
)
from graph.expected_work import resolved_by_others
from graph.profiles import Outcome

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=28)
EASY, PLAIN, HARD = "easy", "plain", "hard"
CHANCE = {EASY: 0.96, PLAIN: 0.8, HARD: 0.45}


def outcome(agent: str = "a", problem: str = PLAIN, success: bool = True, **changes: object) -> Outcome:
    plain = Outcome(agent, problem, f"intent of {problem}", None, None, success, False, None, None, BEGIN)
    return replace(plain, **changes)  # type: ignore[arg-type]


def work(
    agent: str, mix: dict[str, int], rng: np.random.Generator, skill: float = 0.0, **changes: object
) -> list[Outcome]:
    """Cases of an agent whose chance on each problem lies `skill` above the usual one, spread over the span."""
    found = []
    for problem, number in mix.items():
        chances = rng.random(number) < min(0.99, CHANCE[problem] + skill)
        times = rng.random(number) * 27 * 86_400
        found += [
            outcome(agent, problem, bool(success), at=BEGIN + timedelta(seconds=float(at)), **changes)
            for success, at in zip(chances, times, strict=True)
        ]
    return found


def lines(
    outcomes: Iterable[Outcome], *people: Person | str, begin: datetime = BEGIN
) -> dict[str, BoardLine]:
    named = [Person(one, one) if isinstance(one, str) else one for one in people]
    return {line.person.id: line for line in board(list(outcomes), named, begin=begin, end=END)}


def part(line: BoardLine, name: str) -> Part:
    return next(one for one in line.parts if one.name == name)


def crew(rng: np.random.Generator, number: int = 8) -> list[Outcome]:
    """People who take a bit of everything."""
    mix = {EASY: 40, PLAIN: 60, HARD: 40}
    return [item for n in range(number) for item in work(f"crew-{n}", mix, rng)]


def test_a_problem_is_as_hard_as_others_find_it() -> None:
    """Others resolved 30 of 60: (30 + 15 · intent) / 75, where the intent has these cases only; own ones are out."""
    mine = [outcome("a", HARD, False) for _ in range(40)]
    theirs = [outcome("b", HARD, n < 30) for n in range(60)]
    rates = resolved_by_others([*mine, *theirs])
    shop = (30 + 0.5) / 61
    intent = (30 + 15 * shop) / 75
    assert rates[0] == pytest.approx((30 + 15 * intent) / 75)
    # The other person's own cases are judged by the 40 that failed.
    shop = 0.5 / 41
    intent = 15 * shop / 55
    assert rates[-1] == pytest.approx(15 * intent / 55)


def test_nobody_makes_a_problem_hard_by_failing_alone() -> None:
    plain = [outcome("b", PLAIN, n % 5 > 0) for n in range(100)]
    alone = [outcome("a", "mine", n % 10 == 0) for n in range(100)]
    rates = resolved_by_others([*plain, *alone])
    assert rates[-1] == pytest.approx(0.8, abs=0.01)
    found = lines([*plain, *alone], "a", "b")
    assert (found["a"].complexity_total or 0) < (found["b"].complexity_total or 0)


def test_who_picks_the_easy_cases_gains_little_however_many() -> None:
    rng = np.random.default_rng(3)
    outcomes = [*crew(rng), *work("picker", {EASY: 400}, rng)]
    found = lines(outcomes, "picker", *(f"crew-{n}" for n in range(8)))
    picker = found.pop("picker")
    assert picker.cases == 400
    values = sorted(line.value for line in found.values() if line.value is not None)
    assert picker.value is not None
    assert picker.value < values[len(values) // 2]
    high, shop = part(picker, "complexity").high, part(picker, "complexity").shop
    assert high is not None
    assert shop is not None
    assert high < shop
    assert picker.standing == "below"


def test_who_takes_only_hard_cases_is_not_thought_worse() -> None:
    """Half of them are resolved, as by everybody else: no worse than those whose raw share is far higher."""
    rng = np.random.default_rng(4)
    outcomes = [*crew(rng), *work("brave", {HARD: 120}, rng)]
    found = lines(outcomes, "brave", *(f"crew-{n}" for n in range(8)))
    brave = found["brave"]
    resolution = part(brave, "resolution")
    assert sum(item.success for item in outcomes if item.agent_id == "brave") / 120 < 0.6
    assert resolution.low is not None
    assert resolution.high is not None
    assert resolution.shop is not None
    assert resolution.low <= resolution.shop <= resolution.high
    assert part(brave, "complexity").points > 0
    assert brave.value is not None
    assert brave.value >= 50


def test_who_resolves_more_of_the_same_cases_comes_first_whatever_the_volume() -> None:
    rng = np.random.default_rng(5)
    outcomes = [
        *crew(rng),
        *work("good", {EASY: 20, PLAIN: 40, HARD: 30}, rng, skill=0.18),
        *work("busy", {EASY: 150, PLAIN: 150, HARD: 100}, rng, skill=-0.12),
    ]
    order = board(
        outcomes, [Person(name, name) for name in ("busy", "good", "crew-0", "crew-1")], begin=BEGIN, end=END
    )
    assert order[0].person.id == "good"
    assert order[-1].person.id == "busy"
    assert (order[0].standing, order[-1].standing) == ("above", "below")


def test_the_value_is_fifty_and_the_points_of_its_parts() -> None:
    rng = np.random.default_rng(6)
    found = lines(
        [*crew(rng), *work("a", {PLAIN: 40}, rng, rating=4.0, handling_seconds=90.0)], "a", "crew-1"
    )
    for line in found.values():
        assert line.value == pytest.approx(50 + sum(one.points for one in line.parts))
        assert all(abs(one.points) <= 2 * POINTS * WEIGHTS[one.name] + 1e-9 for one in line.parts)
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert set(WEIGHTS) == set(STEPS)


def test_under_twenty_cases_no_figure_is_shown() -> None:
    rng = np.random.default_rng(7)
    person = Person("new", "new", present_seconds=3600.0, consultations=30)
    found = lines([*crew(rng), *work("new", {PLAIN: 19}, rng, handling_seconds=10.0)], person, "crew-1")
    line = found["new"]
    assert (line.cases, line.value, line.reason, line.standing) == (19, None, "fewer_than_twenty_cases", None)
    assert all(one.value is None and one.points == 0 and one.reason for one in line.parts)
    assert line.complexity_total is None
    assert line.utilisation == pytest.approx(190 / 3600)
    assert list(found) == ["crew-1", "new"]


def test_ratings_are_compared_within_the_same_problems_from_twenty_on() -> None:
    """Customers rate hard cases worse; who takes only these is not rated worse for it."""
    ratings = [outcome(f"b{n % 4}", PLAIN, rating=4.5 + (n // 4 % 2) * 0.5) for n in range(200)]
    ratings += [outcome(f"b{n % 4}", HARD, rating=2.5 + (n // 4 % 2) * 0.5) for n in range(200)]
    ratings += [outcome("brave", HARD, rating=2.5 + n % 2 * 0.5) for n in range(60)]
    ratings += [outcome("silent", HARD, rating=1.0 if n < 19 else None) for n in range(60)]
    found = lines(ratings, "brave", "silent")
    brave = part(found["brave"], "rating")
    assert brave.shop is not None
    assert brave.value == pytest.approx(brave.shop, abs=0.15)
    assert part(found["silent"], "rating").reason == "fewer_than_twenty_ratings"


def test_handling_time_is_compared_with_what_the_same_problems_take() -> None:
    slow = [outcome(f"b{n % 4}", HARD, handling_seconds=600.0) for n in range(200)]
    fast = [outcome(f"b{n % 4}", EASY, handling_seconds=60.0) for n in range(200)]
    mine = [outcome("a", HARD, handling_seconds=300.0) for _ in range(100)]
    found = lines([*slow, *fast, *mine], "a", "b1")
    ratio = part(found["a"], "handling")
    assert ratio.value is not None
    assert 0.5 <= ratio.value < 0.7
    assert ratio.points > 0
    assert part(found["b1"], "handling").reason is None
    assert part(lines([outcome(at=BEGIN) for _ in range(30)], "a")["a"], "handling").reason == "not_told"


def field(agent: str, wins: list[bool], day: float, expertise: str = "x") -> list[Outcome]:
    start = BEGIN + timedelta(days=day)
    return [
        outcome(agent, PLAIN, won, expertise_id=expertise, at=start + timedelta(hours=n))
        for n, won in enumerate(wins)
    ]


def test_a_field_is_mastered_when_its_lower_bound_first_exceeds_what_others_resolve() -> None:
    others = [item for n in range(5) for item in field(f"b{n}", [k % 10 < 6 for k in range(60)], -20)]
    rising = field("a", [True] * 60, 2)
    found = lines([*others, *rising], "a", "b1")["a"].mastered
    assert [won.expertise_id for won in found] == ["x"]
    (won,) = found
    assert won.n >= 20
    assert won.low > won.shop
    assert won.at == rising[won.n - 1].at
    assert won.shop == pytest.approx(0.6, abs=0.02)
    assert part(lines([*others, *rising], "a")["a"], "fields_mastered").value == 1


def test_a_field_that_was_mastered_before_the_span_is_not_new() -> None:
    others = [item for n in range(5) for item in field(f"b{n}", [k % 10 < 6 for k in range(60)], -40)]
    before = field("a", [True] * 60, -20)
    since = field("a", [True] * 40, 2)
    assert lines([*others, *before, *since], "a")["a"].mastered == ()


def test_nineteen_cases_master_nothing_and_chance_hardly_ever() -> None:
    others = [item for n in range(5) for item in field(f"b{n}", [k % 10 < 6 for k in range(60)], -20)]
    assert lines([*others, *field("a", [True] * 19, 2)], "a")["a"].mastered == ()
    rng = np.random.default_rng(8)
    lucky = 0
    for _ in range(100):
        mine = field("a", (rng.random(60) < 0.6).tolist(), 1)
        lucky += bool(lines([*others, *mine], "a")["a"].mastered)
    assert lucky / 100 <= 0.08


@pytest.mark.parametrize("chance", [0.2, 0.7, 0.9])
def test_many_looks_make_nobody_average_a_master(chance: float) -> None:
    """Everybody is looked at after each of 300 cases; looking with the interval of one look finds one in nine."""
    rng = np.random.default_rng(21)
    names = [f"a{n}" for n in range(200)]
    outcomes = [item for name in names for item in field(name, (rng.random(300) < chance).tolist(), 1)]
    masters = sum(bool(line.mastered) for line in lines(outcomes, *names).values())
    assert masters / len(names) <= 0.025 + 2 * (0.025 * 0.975 / len(names)) ** 0.5


def test_who_is_far_better_masters_within_a_hundred_cases() -> None:
    rng = np.random.default_rng(22)
    others = [item for n in range(5) for item in field(f"b{n}", (rng.random(100) < 0.7).tolist(), -20)]
    names = [f"a{n}" for n in range(40)]
    found = 0
    for name in names:
        mine = field(name, (rng.random(100) < 0.92).tolist(), 1)
        found += bool(lines([*others, *mine], name)[name].mastered)
    assert found / len(names) >= 0.8


def test_nobody_masters_what_nobody_else_does() -> None:
    others = [item for n in range(5) for item in field(f"b{n}", [k % 2 > 0 for k in range(60)], -20)]
    alone = field("a", [True] * 200, 1, expertise="y")
    assert lines([*others, *alone], "a")["a"].mastered == ()


def test_load_and_consultations() -> None:
    cases = [outcome("a") for _ in range(30)] + [outcome("b") for _ in range(10)]
    found = lines(cases, Person("a", "a", consultations=20), "b", "c")
    assert (found["a"].load_share, found["b"].load_share, found["c"].load_share) == (0.75, 0.25, 0.0)
    assert found["a"].even_share == pytest.approx(1 / 3)
    advice = part(found["a"], "consultations")
    assert (advice.value, advice.points) == (20.0, pytest.approx(POINTS * WEIGHTS["consultations"] * 2))


def test_the_time_that_somebody_is_there() -> None:
    """8 to 12 and 13 to 17; a spell before the begin counts from there; a forgotten one ends after 16 h."""
    day = [(BEGIN + timedelta(hours=hour), state) for hour, state in ((8, "online"), (12, "offline"))]
    more = [(BEGIN + timedelta(hours=hour), state) for hour, state in ((13, "busy"), (17, "offline"))]
    assert present_seconds([*day, *more], BEGIN, END) == 8 * 3600
    early = [(BEGIN - timedelta(hours=2), "online"), (BEGIN + timedelta(hours=1), "offline")]
    assert present_seconds(early, BEGIN, END) == 3600
    assert present_seconds([(BEGIN, "online")], BEGIN, END) == 16 * 3600
    assert present_seconds([(END - timedelta(hours=1), "online")], BEGIN, END) == 3600
    assert present_seconds([], BEGIN, END) == 0


def test_every_figure_is_explained_in_both_languages() -> None:
    rng = np.random.default_rng(9)
    found = lines([*crew(rng), *work("a", {PLAIN: 40}, rng, rating=4.0, handling_seconds=90.0)], "a", "none")
    assert (
        part(found["a"], "resolution").words["zh"].startswith("对难度相当于全店平均的问题，彻底解决的比例为 ")
    )
    assert "40 cases" in part(found["a"], "complexity").words["en"]
    assert part(found["none"], "rating").words == {
        "zh": "不显示：这段时间内不足 20 例。",
        "en": "Not shown: fewer than 20 cases in this span.",
    }
    for line in found.values():
        for one in line.parts:
            assert all(one.words[language] and "None" not in one.words[language] for language in ("zh", "en"))


def test_without_outcomes_there_are_lines_without_figures() -> None:
    (line,) = board([], [Person("a", "a")], begin=BEGIN, end=END)
    assert (line.cases, line.value, line.load_share, line.utilisation) == (0, None, None, None)


def test_people_who_are_alike_are_hardly_ever_told_apart() -> None:
    rng = np.random.default_rng(12)
    named = [f"a{n}" for n in range(12)]
    told = []
    for _ in range(8):
        outcomes = []
        for name in named:
            mix = {
                problem: int(number) for problem, number in zip(CHANCE, rng.integers(7, 60, 3), strict=True)
            }
            outcomes += [
                replace(
                    item,
                    rating=float(np.clip(round(rng.normal(4.2 - (item.problem_id == HARD))), 1, 5)),
                    handling_seconds=float(np.exp(rng.normal(5, 0.6))),
                )
                for item in work(name, mix, rng)
            ]
        told += [line.standing for line in lines(outcomes, *named).values()]
    assert 1 - told.count("around") / len(told) <= 0.1


def test_the_value_follows_the_skill_and_neither_the_volume_nor_the_luck_of_the_cases() -> None:
    """Skills are hidden and everybody has their own mix of cases; mean rank correlation over eight shops."""
    rng = np.random.default_rng(13)
    found: dict[str, list[float]] = {"value": [], "share": [], "volume": []}
    for _ in range(8):
        skills = {f"a{n}": float(rng.normal(0, 0.08)) for n in range(14)}
        outcomes: dict[str, list[Outcome]] = {}
        for name, skill in skills.items():
            parts = rng.dirichlet(np.ones(3) * 0.7) * rng.integers(60, 200)
            mix = {problem: int(number) for problem, number in zip(CHANCE, parts, strict=True)}
            outcomes[name] = work(name, mix, rng, skill=skill)
        board_lines = lines([item for mine in outcomes.values() for item in mine], *skills)
        for key, figure in (
            ("value", [board_lines[name].value or 0.0 for name in skills]),
            ("share", [float(np.mean([item.success for item in outcomes[name]])) for name in skills]),
            ("volume", [float(sum(item.success for item in outcomes[name])) for name in skills]),
        ):
            found[key].append(float(spearmanr(list(skills.values()), figure).statistic))
    value, share, volume = (float(np.mean(found[key])) for key in ("value", "share", "volume"))
    assert value >= 0.6
    assert value >= share + 0.1
    assert value >= volume + 0.3
