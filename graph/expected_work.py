"""Each case beside what was to be expected of it: how the shop's average person fares with the same problem. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.profiles import PSEUDO_CASES, Outcome, Profiles

Floats: TypeAlias = NDArray[np.float64]

EASIEST = 0.1
"""A problem that others resolve more rarely than this counts as resolved this often: chance would weigh too much."""
_NOT_DECAYED = 1e9


def resolved_by_others(outcomes: Sequence[Outcome]) -> Floats:
    """For each outcome how often everybody else resolves its problem for good, shrunk; shape (outcomes,).

    The problem's rate leans on its intent's, and that on the shop's, by 15 pseudo-cases each; the person's own cases
    are in none of them, so that nobody makes a problem look hard by failing at it.
    """
    success = np.array([float(outcome.success) for outcome in outcomes])
    people = [outcome.agent_id for outcome in outcomes]
    keys: tuple[list[str | None], ...] = (
        [""] * len(people),
        [outcome.intent_id for outcome in outcomes],
        [outcome.problem_id for outcome in outcomes],
    )
    # With nobody else at all, every case is as likely as not to be resolved.
    rate = np.full(len(success), 0.5)
    for pseudo, values in zip((1.0, PSEUDO_CASES, PSEUDO_CASES), keys, strict=True):
        cases, wins = _without_own(values, people, success)
        rate = (wins + pseudo * rate) / (cases + pseudo)
    return rate


def _without_own(
    values: Sequence[str | None], people: Sequence[str], success: Floats
) -> tuple[Floats, Floats]:
    """Cases and resolved ones that share a value with each outcome, without the same person's; 0 for None."""
    cases: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    totals: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for value, person, won in zip(values, people, success, strict=True):
        if value is not None:
            for counted in (cases[value, person], totals[value]):
                counted[0] += 1.0
                counted[1] += float(won)
    nothing = [0.0, 0.0]
    rest = [
        [0.0, 0.0]
        if value is None
        else [
            total - own for total, own in zip(totals.get(value, nothing), cases[value, person], strict=True)
        ]
        for value, person in zip(values, people, strict=True)
    ]
    counts = np.array(rest, dtype=np.float64).reshape(len(values), 2)
    return counts[:, 0], counts[:, 1]


@dataclass(frozen=True, slots=True)
class WorkedCase:
    """One outcome beside what the shop's average person does with its problem: P(resolved), seconds, rating."""

    outcome: Outcome
    rate: float
    seconds: float | None
    rating: float | None
    points: float


class WorkOfShop:
    """The span's outcomes by person, each with what was to be expected, and the shop's averages."""

    def __init__(self, known: Sequence[Outcome], others: Floats, begin: datetime, end: datetime) -> None:
        profiles = Profiles(known, now=end, half_life_days=_NOT_DECAYED)
        # Somebody nobody knows is the average person: the profiles tell what each problem asks of them.
        usual = {
            problem: profiles.estimate("", problem_id=problem)
            for problem in {outcome.problem_id for outcome in known if outcome.at >= begin}
        }
        cases = []
        for outcome, rate in zip(known, others, strict=True):
            if outcome.at >= begin:
                expected = usual[outcome.problem_id]
                # Odds against: whoever resolves as often as others do gains 1 - rate a case.
                points = outcome.success * (1 - max(rate, EASIEST)) / max(rate, EASIEST)
                cases.append(
                    WorkedCase(outcome, expected.rate, expected.seconds, expected.rating, float(points))
                )
        self.number = len(cases)
        self.rate = _mean([float(case.outcome.success) for case in cases])
        self.rating = _mean([case.outcome.rating for case in cases if case.outcome.rating is not None])
        self.complexity = _mean([case.points for case in cases]) or 0.0
        self.rated = _spread(more for case in cases if (more := rating_above(case)) is not None)
        self.timed = _spread(more for case in cases if (more := time_above(case)) is not None)
        self.gained = _spread(case.points for case in cases)
        self._of: defaultdict[str, list[WorkedCase]] = defaultdict(list)
        for case in cases:
            self._of[case.outcome.agent_id].append(case)

    def of(self, person_id: str) -> list[WorkedCase]:
        return self._of.get(person_id, [])


def rating_above(case: WorkedCase) -> float | None:
    """How many stars more than expected."""
    if case.outcome.rating is None or case.rating is None:
        return None
    return case.outcome.rating - case.rating


def time_above(case: WorkedCase) -> float | None:
    """How much longer than expected, as a logarithm."""
    if not case.outcome.handling_seconds or not case.seconds:
        return None
    return math.log(case.outcome.handling_seconds / case.seconds)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _spread(values: Iterable[float]) -> float:
    known = list(values)
    return float(np.std(known)) if known else 0.0
