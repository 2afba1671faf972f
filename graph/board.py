"""What each person's work was worth in a span: several figures side by side, and one value made of them. Pure.

Nothing here counts volume. Who resolves what others rarely resolve gains, who picks what everybody resolves gains
little; whoever takes the hard cases is compared on exactly these (see `graph.profiles`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np

from graph.board_words import WORDS
from graph.expected_work import Floats, WorkedCase, WorkOfShop, rating_above, resolved_by_others, time_above
from graph.intervals import Z
from graph.profiles import PSEUDO_CASES, SHOWN_FROM, Outcome
from graph.sequential import radius, tightness

PartName: TypeAlias = Literal[
    "resolution", "complexity", "rating", "handling", "fields_mastered", "consultations"
]
Reason: TypeAlias = Literal["fewer_than_twenty_cases", "fewer_than_twenty_ratings", "not_told"]
Unused: TypeAlias = Literal["presence_not_told", "not_present"]
Standing: TypeAlias = Literal["above", "around", "below"]

WEIGHTS: Mapping[PartName, float] = {
    "resolution": 0.35,
    "complexity": 0.25,
    "rating": 0.15,
    "handling": 0.10,
    "fields_mastered": 0.10,
    "consultations": 0.05,
}
"""What each part weighs in the value; together 1."""
STEPS: Mapping[PartName, float] = {
    "resolution": 0.05,
    "complexity": 0.5,
    "rating": 0.25,
    "handling": math.log(1.2),
    "fields_mastered": 1.0,
    "consultations": 10.0,
}
"""How far from the shop's average one step is: five points of a hundred resolved, half as much complexity again, a
quarter of a star, a fifth of the time, one field, ten consultations."""
MOST_STEPS = 2.0
"""No part counts more steps than these, so that none can be driven up for its own sake."""
POINTS = 25.0
"""What one step in every part adds to the value, which lies between 0 and 100 and is 50 for the shop's average."""
MASTERY_ALPHA = 0.05
"""Chance that the interval by which a field is mastered ever misses the truth, to either side, over all its cases."""
MASTERY_TIGHTEST_AT = 100
"""Cases in a field at which that interval is tightest."""
LONGEST_SPELL = timedelta(hours=16)
"""Somebody who was told to be there and of whom nothing more is heard counts as there for this long."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the board. `present_seconds` is the time online in the span, None where it was not told."""

    id: str
    name: str
    present_seconds: float | None = None
    consultations: int = 0
    passed_on: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One figure with its 95% interval and the points that it adds to the value. None, with the reason, where it is
    not shown; it adds nothing then. `shop` is the shop's average, `words` say what the figure means."""

    name: PartName
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    shop: float | None = None
    points: float = 0.0
    half: float = 0.0
    reason: Reason | None = None
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mastered:
    """An expertise in which somebody was first seen to resolve more than others do of the same cases."""

    expertise_id: str
    at: datetime
    n: int
    rate: float
    low: float
    shop: float


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One person's line. `value` is 50 plus the points of `parts`; None below twenty cases.

    `load_share` is their share of all cases of the span, `even_share` what it would be were all alike; `utilisation`
    the handling time per time online, above 1 where several cases were handled at once; None, with the reason, where
    no `agent_state` event told when they were there, or none of it lies in the span.
    """

    person: Person
    cases: int
    value: float | None
    low: float | None
    high: float | None
    standing: Standing | None
    reason: Reason | None
    parts: tuple[Part, ...]
    mastered: tuple[Mastered, ...]
    complexity_total: float | None
    load_share: float | None
    even_share: float | None
    utilisation: float | None
    utilisation_reason: Unused | None


def board(
    outcomes: Iterable[Outcome],
    people: Sequence[Person],
    *,
    begin: datetime,
    end: datetime,
) -> tuple[BoardLine, ...]:
    """A line for each of `people`, the highest value first, those without one last and by name.

    `outcomes` are one a case and person, of everybody, from long before `begin` up to `end`: what came earlier tells
    how hard problems are, and who was good at what already.
    """
    known = sorted((o for o in outcomes if o.at < end), key=lambda o: (o.at, o.agent_id, o.problem_id or ""))
    others = resolved_by_others(known)
    shop = WorkOfShop(known, others, begin, end)
    won = _mastered(known, others, begin)
    lines = [_line(person, shop, won.get(person.id, ()), len(people)) for person in people]
    return tuple(sorted(lines, key=_order))


def present_seconds(states: Iterable[tuple[datetime, str]], begin: datetime, end: datetime) -> float:
    """The time within a span that somebody was there, by what was told of it, oldest first: (time, state)."""
    told = list(states)
    total = 0.0
    for place, (at, state) in enumerate(told):
        if state != "offline":
            until = told[place + 1][0] if place + 1 < len(told) else end
            until = min(until, at + LONGEST_SPELL, end)
            total += max(0.0, (until - max(at, begin)).total_seconds())
    return total


def _line(person: Person, shop: WorkOfShop, won: Sequence[Mastered], people: int) -> BoardLine:
    mine = shop.of(person.id)
    enough = len(mine) >= SHOWN_FROM
    parts = [
        _resolution(shop, mine),
        _complexity(shop, mine),
        _rating(shop, mine),
        _handling(shop, mine),
        _counted("fields_mastered", len(won), len(mine)),
        _counted("consultations", person.consultations, len(mine)),
    ]
    told = tuple(_told(part if enough else _withheld(part)) for part in parts)
    value, low, high = _value(told) if enough else (None, None, None)
    seconds = sum(case.outcome.handling_seconds or 0.0 for case in mine)
    return BoardLine(
        person=person,
        cases=len(mine),
        value=value,
        low=low,
        high=high,
        standing=_standing(low, high),
        reason=None if enough else "fewer_than_twenty_cases",
        parts=told,
        mastered=tuple(won),
        complexity_total=sum(case.points for case in mine) if enough else None,
        load_share=len(mine) / shop.number if shop.number else None,
        even_share=1 / people if shop.number else None,
        utilisation=seconds / person.present_seconds if person.present_seconds else None,
        utilisation_reason=_unused(person),
    )


def _unused(person: Person) -> Unused | None:
    if person.present_seconds is None:
        return "presence_not_told"
    return None if person.present_seconds else "not_present"


def _order(line: BoardLine) -> tuple[bool, float, str, str]:
    return line.value is None, -(line.value or 0.0), line.person.name, line.person.id


def _resolution(shop: WorkOfShop, mine: Sequence[WorkedCase]) -> Part:
    """The shop's share, and how far these cases went beyond what the average person resolves of the same ones."""
    n = len(mine)
    if shop.rate is None:
        return Part("resolution", None, n=n, reason="not_told")
    more = sum(case.outcome.success - case.rate for case in mine) / (n + PSEUDO_CASES)
    # Jeffreys' half cases keep the interval of a spotless record from closing on itself.
    doubt = (
        sum(case.rate * (1 - case.rate) for case in mine) + PSEUDO_CASES * shop.rate * (1 - shop.rate) + 0.25
    )
    return _part("resolution", more, Z * math.sqrt(doubt) / (n + PSEUDO_CASES), n, shop.rate, 0.0, 1.0)


def _complexity(shop: WorkOfShop, mine: Sequence[WorkedCase]) -> Part:
    """Points a case, shrunk to the shop's mean; steps are taken in shares of that."""
    n = len(mine)
    more = sum(case.points - shop.complexity for case in mine) / (n + PSEUDO_CASES)
    half = Z * shop.gained / math.sqrt(n + PSEUDO_CASES)
    scale = shop.complexity or 1.0
    part = _part("complexity", more, half, n, shop.complexity, 0.0, math.inf)
    return replace(part, points=_points("complexity", more / scale), half=half / scale)


def _rating(shop: WorkOfShop, mine: Sequence[WorkedCase]) -> Part:
    told = [more for case in mine if (more := rating_above(case)) is not None]
    n = len(told)
    if shop.rating is None or n == 0:
        return Part("rating", None, n=n, shop=shop.rating, reason="not_told")
    if n < SHOWN_FROM:
        return Part("rating", None, n=n, shop=shop.rating, reason="fewer_than_twenty_ratings")
    half = Z * shop.rated / math.sqrt(n + PSEUDO_CASES)
    return _part("rating", sum(told) / (n + PSEUDO_CASES), half, n, shop.rating, 1.0, 5.0)


def _handling(shop: WorkOfShop, mine: Sequence[WorkedCase]) -> Part:
    """Time taken as a share of what the same problems take; less is better, so the points turn round."""
    told = [more for case in mine if (more := time_above(case)) is not None]
    n = len(told)
    if n == 0:
        return Part("handling", None, n=n, reason="not_told")
    more = sum(told) / (n + PSEUDO_CASES)
    half = Z * shop.timed / math.sqrt(n + PSEUDO_CASES)
    low, value, high = (math.exp(more + step) for step in (-half, 0.0, half))
    return Part("handling", value, low, high, n, 1.0, _points("handling", -more), half)


def _counted(name: PartName, number: int, n: int) -> Part:
    return Part(name, float(number), n=n, points=_points(name, number))


def _part(name: PartName, more: float, half: float, n: int, shop: float, least: float, most: float) -> Part:
    """A figure that lies `more` above the shop's, its interval `half` to each side and within what is possible."""
    value, low, high = (min(most, max(least, shop + more + step)) for step in (0.0, -half, half))
    return Part(name, value, low, high, n, shop, _points(name, more), half)


def _points(name: PartName, distance: float) -> float:
    steps = max(-MOST_STEPS, min(MOST_STEPS, distance / STEPS[name]))
    return POINTS * WEIGHTS[name] * steps


def _withheld(part: Part) -> Part:
    return Part(part.name, None, n=part.n, reason="fewer_than_twenty_cases")


def _told(part: Part) -> Part:
    return replace(part, words={language: text(part) for language, text in WORDS.items()})


def _value(parts: Sequence[Part]) -> tuple[float, float, float]:
    """The value with its interval, as if the parts erred independently."""
    value = 50.0 + sum(part.points for part in parts)
    half = math.sqrt(sum((POINTS * WEIGHTS[part.name] * part.half / STEPS[part.name]) ** 2 for part in parts))
    return value, max(0.0, value - half), min(100.0, value + half)


def _standing(low: float | None, high: float | None) -> Standing | None:
    if low is None or high is None:
        return None
    return "above" if low > 50 else "below" if high < 50 else "around"


def _mastered(
    outcomes: Sequence[Outcome], others: Floats, begin: datetime
) -> dict[str, tuple[Mastered, ...]]:
    """By person the fields that they came to master from `begin` on and not before; `outcomes` by time.

    Mastered from the case on, not before the twentieth, at which a lower bound that holds at every case at once
    exceeds what others resolve of the same cases. Where nobody else works nothing can be mastered.
    """
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, outcome in enumerate(outcomes):
        if outcome.expertise_id is not None:
            places[outcome.agent_id, outcome.expertise_id].append(place)
    worked: defaultdict[str, int] = defaultdict(int)
    for (_, expertise_id), mine in places.items():
        worked[expertise_id] += len(mine)
    won: defaultdict[str, list[Mastered]] = defaultdict(list)
    for (person_id, expertise_id), mine in places.items():
        if len(mine) < SHOWN_FROM or outcomes[mine[-1]].at < begin:
            continue
        found = _first_above(
            expertise_id,
            [outcomes[place] for place in mine],
            others[mine],
            others_cases=worked[expertise_id] - len(mine),
        )
        if found is not None and found.at >= begin:
            won[person_id].append(found)
    return {person_id: tuple(sorted(found, key=lambda one: one.at)) for person_id, found in won.items()}


def _first_above(
    expertise_id: str, outcomes: Sequence[Outcome], others: Floats, *, others_cases: int
) -> Mastered | None:
    """The first case from which one person is sure to do better than `others`, each of whose rates rests on about
    `others_cases`.

    Somebody is looked at after every case, so that an interval for a single look would sooner or later find anybody
    better: the bound is that of a confidence sequence (see `graph.sequential`).
    """
    if others_cases == 0:
        return None
    n = np.arange(1, len(outcomes) + 1)
    expected = np.cumsum(others) / n
    won = np.cumsum([float(outcome.success) for outcome in outcomes])
    own = won / n
    # Of what is rarely resolved a few lucky cases tell more of the spread than what was to be expected.
    variance = np.maximum(np.cumsum(others * (1 - others)) / n, own * (1 - own)) * (1 + n / others_cases)
    r = tightness(MASTERY_ALPHA, MASTERY_TIGHTEST_AT)
    width = np.array([radius(cases, 1.0, r, MASTERY_ALPHA) for cases in n.tolist()])
    shrinks = n / (n + PSEUDO_CASES)
    rate = expected + (own - expected) * shrinks
    low = rate - np.sqrt(variance) * width * shrinks
    above = np.flatnonzero((n >= SHOWN_FROM) & (low > expected))
    if not len(above):
        return None
    first = int(above[0])
    return Mastered(
        expertise_id,
        outcomes[first].at,
        first + 1,
        float(rate[first]),
        float(low[first]),
        float(expected[first]),
    )
