"""The simulated shop is the same every time, and on it who takes what matters in the order that it should."""

from __future__ import annotations

import numpy as np
import pytest

from bench.simulated_desk import Desk, outcomes
from bench.simulated_policies import at_random
from bench.simulated_shop import DAY, Size, invented, moment
from bench.simulation import OURS, Trial, agreement, closed, lined, lines_table, speed, tables, trial

SMALL = Size(
    contacts_a_day=150.0,
    history_days=21,
    measured_days=4,
    promotion_day=24,
    customers=1500,
    clustered_days=7,
)
TINY = Size(
    contacts_a_day=80.0, history_days=4, measured_days=3, promotion_day=6, customers=300, clustered_days=3
)
WANTED = ("random", "declared skills", OURS, "oracle")


@pytest.fixture(scope="module")
def served() -> Trial:
    return trial(4, SMALL, WANTED)


def test_the_same_seed_gives_the_same_table() -> None:
    assert tables([trial(3, TINY, WANTED)]) == tables([trial(3, TINY, WANTED)])


def test_the_product_does_better_than_declared_skills_and_those_better_than_chance(served: Trial) -> None:
    resolved = {name: figures["resolved"] for name, figures in served.figures.items()}
    assert resolved["random"] + 0.03 < resolved["declared skills"]
    assert resolved["declared skills"] < resolved[OURS] < resolved["oracle"]
    assert closed([served], OURS)[0] > 0.5
    assert served.figures[OURS]["variation"] < served.figures["oracle"]["variation"]
    assert served.figures[OURS]["in time"] > 0.99


def test_the_table_says_what_was_measured(served: Trial) -> None:
    table = tables([served])
    for name in WANTED:
        assert f"| {name} |" in table
    assert "coverage" in table


def test_what_is_for_experts_goes_to_them_and_is_resolved_more_often() -> None:
    found = lined(4, SMALL)
    without, ours = found["without lines"], found[OURS]
    assert ours["hard to experts"] > 0.8 > without["hard to experts"]
    assert ours["hard resolved"] > without["hard resolved"]
    assert f"| {OURS} |" in lines_table([found])


def test_a_shop_is_drawn_from_its_seed_alone() -> None:
    first, again, other = invented(1, SMALL), invented(1, SMALL), invented(2, SMALL)
    assert first.contacts == again.contacts
    assert np.array_equal(first.odds, again.odds)
    assert first.contacts != other.contacts


def test_a_copied_desk_goes_its_own_way() -> None:
    world = invented(1, Size(contacts_a_day=60.0, history_days=2, measured_days=1, promotion_day=2))
    desk = Desk.opened(world)
    desk.run(at_random(0), DAY)
    copy, before = desk.copy(), len(desk.records)
    copy.run(at_random(0), 3 * DAY)
    assert len(desk.records) == before < len(copy.records)


def test_what_comes_back_later_is_not_known_before() -> None:
    world = invented(1, Size(contacts_a_day=60.0, history_days=4, measured_days=1, promotion_day=4))
    desk = Desk.opened(world)
    desk.run(at_random(0), 5 * DAY)
    returned = [r for r in desk.records if r.resolved and r.returned is not None]
    record = max(returned, key=lambda r: (r.returned or 0.0) - r.ended)
    for now, known in ((record.ended, False), (record.returned or 0.0, True)):
        (outcome,) = outcomes([record], world, now, {})
        assert outcome.reopened is known
        assert outcome.at == moment(record.ended)


def test_agreement_of_partitions() -> None:
    first = {"a": "x", "b": "x", "c": "y", "d": "y"}
    assert agreement(first, {"a": "1", "b": "1", "c": "2", "d": "2"}) == 1.0
    assert agreement(first, {"a": "1", "b": "2", "c": "1", "d": "2"}) < 0.1


def test_the_time_that_an_assignment_takes_is_told() -> None:
    assert "20 cases to 30 people" in speed(20, 30)
