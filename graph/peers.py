"""How an agent does against the others on the same problems, so that whoever takes the hard ones does not look bad."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from graph.profiles import HALF_LIFE_DAYS, SHOWN_FROM, Outcome

_Z = 1.959963984540054
"""The standard normal quantile of a two-sided 95% interval."""
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of two shares with its 95% interval, from `cases` decayed cases of the agent's own.

    0.05 says that of a hundred cases the agent resolves five more than the others do on exactly these problems.
    """

    cases: float
    difference: float
    low: float
    high: float

    def shown(self) -> bool:
        """Whether there are enough cases to show the figure to people."""
        return self.cases >= SHOWN_FROM


class Peers:
    """Decayed cases and successes of each agent by problem, from all outcomes up to `now`. Immutable."""

    def __init__(
        self, outcomes: Iterable[Outcome], *, now: datetime, half_life_days: float = HALF_LIFE_DAYS
    ) -> None:
        found: defaultdict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
        for outcome in outcomes:
            topic = outcome.problem_id
            if topic is None or outcome.at > now:
                continue
            weight = 2 ** (-(now - outcome.at).total_seconds() / _DAY_SECONDS / half_life_days)
            cases, solved = found[topic].get(outcome.agent_id, (0.0, 0.0))
            found[topic][outcome.agent_id] = (cases + weight, solved + weight * outcome.success)
        self._by_problem: Mapping[str, Mapping[str, tuple[float, float]]] = dict(found)

    def problems(self, agent_id: str) -> tuple[tuple[str, float], ...]:
        """The problems that an agent dealt with and the decayed number of cases of each, the most first."""
        found = [
            (id, tallies[agent_id][0]) for id, tallies in self._by_problem.items() if agent_id in tallies
        ]
        return tuple(sorted(found, key=lambda item: (-item[1], item[0])))

    def compared(self, agent_id: str) -> Comparison | None:
        """The agent's share of resolved cases less that of the others, within problems that both had.

        The Mantel-Haenszel difference of proportions with the variance of Greenland and Robins (1985), each share in
        it smoothed by half a case so that a spotless record does not claim to be certain. None where no problem was
        shared.
        """
        top, bottom, variance, cases = 0.0, 0.0, 0.0, 0.0
        for tallies in self._by_problem.values():
            if agent_id not in tallies:
                continue
            mine, solved = tallies[agent_id]
            theirs = sum(n for id, (n, _) in tallies.items() if id != agent_id)
            others = sum(s for id, (_, s) in tallies.items() if id != agent_id)
            if theirs <= 0:
                continue
            weight = mine * theirs / (mine + theirs)
            top += weight * (solved / mine - others / theirs)
            bottom += weight
            variance += weight**2 * (_variance(solved, mine) + _variance(others, theirs))
            cases += mine
        if bottom <= 0:
            return None
        difference = top / bottom
        half = _Z * math.sqrt(variance) / bottom
        return Comparison(cases, difference, max(-1.0, difference - half), min(1.0, difference + half))


def _variance(solved: float, cases: float) -> float:
    rate = (solved + 0.5) / (cases + 1)
    return rate * (1 - rate) / cases
