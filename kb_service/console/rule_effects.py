"""What other rules would have changed of a month's alerts, counted by kind and by problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from graph.backtests import Change, Outcome, Raised
from graph.models import AlertKind, Problem
from kb_service.recurring.backtesting import Backtest

KINDS: tuple[AlertKind, ...] = ("recurrence", "burst", "growth", "regression")
OUTCOMES: tuple[Outcome, ...] = ("appears", "vanishes", "earlier", "later")
MOST_PROBLEMS = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """Alerts under the present rules (`before`) and under the others (`after`), and how they differ, by outcome."""

    before: int
    after: int
    outcomes: Mapping[Outcome, int]

    @property
    def size(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """`problems` are those that differ, the largest difference first, `more` how many of them are left out."""

    by_kind: tuple[tuple[AlertKind, Difference], ...]
    in_all: Difference
    problems: tuple[tuple[Problem, Difference], ...]
    more: int


def effect_of(found: Backtest) -> RuleEffect:
    """The effect of the proposed rules against the present ones."""
    kinds = _Counts(found, lambda item: item.kind)
    problems = _Counts(found, lambda item: item.problem_id)
    whole = _Counts(found, lambda item: "")
    differing = [(found.problems[id], problems.of(id)) for id in problems.differing if id in found.problems]
    differing.sort(key=lambda item: (-item[1].size, item[0].id))
    by_kind = tuple((kind, kinds.of(kind)) for kind in KINDS)
    return RuleEffect(
        by_kind=tuple(item for item in by_kind if item[1].before or item[1].after or item[1].size),
        in_all=whole.of(""),
        problems=tuple(differing[:MOST_PROBLEMS]),
        more=max(0, len(differing) - MOST_PROBLEMS),
    )


class _Counts:
    """Alerts and their changes by what they have in common."""

    def __init__(self, found: Backtest, key: Callable[[Raised], str]) -> None:
        self._before = Counter(map(key, found.present.alerts))
        self._after = Counter(map(key, found.proposed.alerts))
        self._changes = Counter((key(_alert(change)), change.outcome) for change in found.changes)

    @property
    def differing(self) -> list[str]:
        return list(dict.fromkeys(key for key, _ in self._changes))

    def of(self, key: str) -> Difference:
        outcomes = {outcome: self._changes[key, outcome] for outcome in OUTCOMES}
        return Difference(self._before[key], self._after[key], outcomes)


def _alert(change: Change) -> Raised:
    found = change.after or change.before
    assert found is not None
    return found
