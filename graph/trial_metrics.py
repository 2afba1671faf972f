"""What a case says of how well it was served, for trials: each figure counts from a fixed age of the case on.

A figure that counted as soon as it is known would come sooner from the cases that go one way, and two arms that are
served at different speeds would be compared over different cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, get_args

from graph.experiments import Arm, Measured, Metric
from graph.sequential import Sample

RESOLVED_WITHIN = timedelta(hours=72)
STAYS_FOR = timedelta(hours=72)
"""A case is resolved when nobody comes back about it within this time."""
ANSWERED_WITHIN = timedelta(hours=24)
"""A case that nobody answers within this time counts as answered at its end."""
LONGEST_HANDLING = 4 * 3600.0
"""Seconds that one case counts at most: a forgotten timer says nothing of the work."""
SETTLES: Mapping[Metric, timedelta] = {
    "resolution": RESOLVED_WITHIN + STAYS_FOR,
    "unassisted": RESOLVED_WITHIN,
    "acceptance": ANSWERED_WITHIN,
    "rating": RESOLVED_WITHIN,
    "handling_seconds": RESOLVED_WITHIN,
    "first_response_seconds": ANSWERED_WITHIN,
}
"""The age from which a case, or for acceptance a suggestion, counts."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What happened in one case; `unit` is whose it is.

    `by_person` tells that somebody other than a bot took part or is waited for. `resolved_at` is its first resolution
    that does not say "not resolved", `reopened` whether that did not last 72 h. `seconds` is the time that people
    worked on it, `rating` the mean of its ratings. `came_back` tells that the customer wrote again between 72 h and
    144 h after the opening.
    """

    unit: str
    opened_at: datetime
    by_person: bool
    first_answer_at: datetime | None = None
    resolved_at: datetime | None = None
    reopened: bool = False
    seconds: float | None = None
    rating: float | None = None
    came_back: bool = False


@dataclass(frozen=True, slots=True)
class SuggestionFacts:
    """A suggestion of which an agent said what became of it."""

    unit: str
    at: datetime
    used: bool


Draw: TypeAlias = Callable[[str], Arm]
"""Gives the arm of a unit."""


def split(units: Iterable[str], draw: Draw) -> dict[Arm, list[str]]:
    """Units by arm, each once, in order of their names."""
    found: dict[Arm, list[str]] = {"control": [], "treatment": []}
    for unit in sorted(set(units)):
        found[draw(unit)].append(unit)
    return found


def measure(
    cases: Sequence[CaseFacts],
    suggestions: Sequence[SuggestionFacts],
    draw: Draw,
    now: datetime,
) -> Measured:
    """One value a unit, the mean of its cases that are old enough, by metric and arm."""
    values: dict[Metric, dict[str, list[float]]] = {metric: defaultdict(list) for metric in get_args(Metric)}
    for case in cases:
        for metric, value in _values(case):
            if now - case.opened_at >= SETTLES[metric]:
                values[metric][case.unit].append(value)
    for suggestion in suggestions:
        if now - suggestion.at >= SETTLES["acceptance"]:
            values["acceptance"][suggestion.unit].append(float(suggestion.used))
    return {metric: _samples(found, draw) for metric, found in values.items()}


def _values(case: CaseFacts) -> Iterable[tuple[Metric, float]]:
    """A case's figures, as they stand once it is old enough for each."""
    yield "resolution", float(_resolved(case))
    yield "unassisted", float(not case.by_person)
    answered = case.first_answer_at or case.opened_at + ANSWERED_WITHIN
    waited = min(answered - case.opened_at, ANSWERED_WITHIN)
    yield "first_response_seconds", max(0.0, waited.total_seconds())
    if case.seconds is not None:
        yield "handling_seconds", min(case.seconds, LONGEST_HANDLING)
    if case.rating is not None:
        yield "rating", case.rating


def _resolved(case: CaseFacts) -> bool:
    """Resolved within 72 h and not reopened in the 72 h after. What a bot dealt with alone counts as resolved when the
    customer did not write again from 72 h to 144 h after the opening."""
    if case.resolved_at is not None:
        return case.resolved_at - case.opened_at <= RESOLVED_WITHIN and not case.reopened
    return not case.by_person and not case.came_back


def _samples(values: Mapping[str, Sequence[float]], draw: Draw) -> dict[Arm, Sample]:
    return {
        arm: Sample.of([sum(values[unit]) / len(values[unit]) for unit in units])
        for arm, units in split(values, draw).items()
    }
