"""Agents against each other on the same problems."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from graph.peers import Peers
from graph.profiles import Outcome

NOW = datetime(2026, 6, 18, tzinfo=UTC)


def outcome(
    agent: str, problem: str | None, solved: bool, days: float = 0.0, reopened: bool = False
) -> Outcome:
    return Outcome(agent, problem, None, None, None, solved, reopened, None, None, NOW - timedelta(days=days))


def many(agent: str, problem: str, solved: int, failed: int) -> list[Outcome]:
    return [outcome(agent, problem, True)] * solved + [outcome(agent, problem, False)] * failed


def test_who_takes_the_hard_cases_does_not_look_bad() -> None:
    # "hard" resolves less overall, and more than the others on both problems.
    told = [
        *many("hard", "difficult", 60, 40),
        *many("hard", "easy", 10, 0),
        *many("easy", "difficult", 4, 6),
        *many("easy", "easy", 90, 10),
    ]
    peers = Peers(told, now=NOW)
    hard, easy = peers.compared("hard"), peers.compared("easy")
    assert hard is not None and easy is not None
    assert hard.difference > 0 > easy.difference
    assert hard.low < hard.difference < hard.high


def test_one_problem_gives_the_plain_difference() -> None:
    peers = Peers([*many("a", "p", 30, 10), *many("b", "p", 20, 20)], now=NOW)
    found = peers.compared("a")
    assert found is not None
    assert found.difference == pytest.approx(0.25)
    assert found.cases == 40
    assert found.shown()


def test_what_nobody_shares_cannot_be_compared() -> None:
    peers = Peers([*many("a", "p", 30, 10), *many("b", "q", 20, 20), outcome("a", None, True)], now=NOW)
    assert peers.compared("a") is None
    assert peers.compared("nobody") is None
    assert peers.problems("a") == (("p", 40.0),)
    assert peers.problems("nobody") == ()


def test_old_cases_and_reopened_ones_count_less() -> None:
    peers = Peers([outcome("a", "p", True, days=90), outcome("a", "p", True, reopened=True)], now=NOW)
    ((problem, cases),) = peers.problems("a")
    assert (problem, cases) == ("p", pytest.approx(1.5))
    later = Peers([outcome("a", "p", True, days=-1)], now=NOW)
    assert later.problems("a") == (), "the future is not known"


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Ninety-five of a hundred intervals hold a true difference of ten points over three problems."""
    generator = np.random.default_rng(5)
    rates = {"p": 0.5, "q": 0.7, "r": 0.85}
    held = 0
    for _ in range(400):
        told = []
        for problem, rate in rates.items():
            solved, others = generator.binomial(30, rate + 0.1), generator.binomial(80, rate)
            told += many("a", problem, int(solved), 30 - int(solved))
            told += many("b", problem, int(others), 80 - int(others))
        found = Peers(told, now=NOW).compared("a")
        assert found is not None
        held += found.low <= 0.1 <= found.high
    assert 0.92 <= held / 400 <= 0.99
