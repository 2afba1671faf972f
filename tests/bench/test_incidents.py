"""The benchmark of incidents judges rules as its table says, and small shops show what the large ones do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.incidents import (
    AFTER,
    RULES,
    Score,
    Telling,
    ceiling,
    ours,
    spike_limit,
    table,
    three_in_a_week_once,
    three_in_an_hour,
)
from bench.simulated_incidents import Growth, Incident, Scale, Story, told

SMALL = Scale(problems=300, customers_a_day=400.0, days=42, warm_up=28, incidents=24, growths=2)


@pytest.fixture(scope="module")
def story() -> Story:
    return told(1, SMALL)


def scored(story: Story, tellings: list[Telling]) -> Score:
    score = Score()
    score.add(story, tellings)
    return score


def test_a_story_is_the_same_for_the_same_seed(story: Story) -> None:
    assert told(1, SMALL) == story
    assert told(2, SMALL).spoken != story.spoken


def test_a_story_has_what_its_scale_says(story: Story) -> None:
    assert len(story.incidents) == 24
    assert {item.opened for item in story.incidents} == {True, False}
    assert story.judged_from < story.promotion < story.end
    assert any(story.promotion <= item.begin < story.promotion + 86400 for item in story.incidents)
    assert list(story.spoken) == sorted(story.spoken)
    fresh = {item.problem for item in story.incidents if item.opened}
    first = {item.problem: item.second for item in reversed(story.spoken)}
    assert all(first[item.problem] >= item.begin for item in story.incidents if item.problem in fresh)


def test_ours_has_fewer_false_alerts_than_the_ceiling_and_finds_old_and_new_problems(story: Story) -> None:
    found = ours(story)
    score, plainer = scored(story, found), scored(story, ceiling(story))
    assert score.false[0] < plainer.false[0]
    assert score.recall[0] >= 0.9
    hit = {item.problem for item in found}
    assert {item.opened for item in story.incidents if item.problem in hit} == {True, False}


def test_the_promotion_day_is_quiet_for_ours_and_loud_for_three_in_an_hour(story: Story) -> None:
    assert scored(story, ours(story)).promoted[0] <= 1
    assert scored(story, three_in_an_hour(story)).promoted[0] > 5


def test_what_is_told_outside_of_incidents_or_twice_is_false(story: Story) -> None:
    incident = Incident(problem=5, begin=1e9, end=1e9 + 3600, size=8.0, opened=False, third=1e9 + 60)
    one = replace(story, incidents=[incident], growths=[Growth(7, 1e9)], promotion=1e9 - 3600)
    tellings = [
        Telling(5, 1e9 - 300),
        Telling(5, 1e9 + 600),
        Telling(5, 1e9 + 3600 + AFTER),
        Telling(6, 1e9 + 600),
        Telling(7, 1e9 + 600),
        Telling(7, 1e9 + 86400, growth=True),
        Telling(8, 1e9 + 86400, growth=True),
    ]
    score = scored(one, tellings)
    assert score.false == [4]
    assert score.promoted == [4]
    assert score.precision == [pytest.approx(0.2)]
    assert score.recall == [1.0]
    assert score.delays == {8.0: [10.0]}
    assert (score.grown, score.false_growths, score.days) == ([1.0], [1], [1.0])


def test_the_plain_recurrence_tells_each_problem_once(story: Story) -> None:
    problems = [item.problem for item in three_in_a_week_once(story)]
    assert len(problems) == len(set(problems))


def test_the_spike_limit_is_that_of_the_error_tracker() -> None:
    day = 86400.0
    every_hour = [hour * 3600.0 + minute for hour in range(24 * 8) for minute in (60.0, 120.0)]
    assert spike_limit(every_hour, 8 * day) == pytest.approx(2 + 5 * 2)
    assert spike_limit([7.5 * day, 7.5 * day + 1], 8 * day) == 20
    assert spike_limit([], 8 * day) == 0


def test_the_table_has_a_row_for_each_rule() -> None:
    tiny = replace(SMALL, problems=150, customers_a_day=200.0, incidents=10, growths=1)
    lines = list(table([1], tiny))
    for name in RULES:
        assert any(line.startswith(f"| {name} |") for line in lines)
    rows = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
