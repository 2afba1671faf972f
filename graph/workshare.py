"""Who was given how much of the work lately, against what was due to them: what fairness looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graph.models import Agent
from graph.permissions import supervises

_FEW = 20.0
"""Cases that were somebody's due from which their share of work counts by half; of few cases it says little."""
_MOST = 2.0
"""Who has twice their share is as far down as fairness puts anybody."""


@dataclass(frozen=True, slots=True)
class Share:
    """Cases that somebody was given lately, and that were due to them, above 0; `least` is the least ratio taken."""

    given: float
    due: float
    least: float = 0.0

    def ratio(self, more: int = 0) -> float:
        """How many times what was due was given, with so many more cases."""
        return max((self.given + more) / self.due, self.least)

    def excess(self, more: int = 0) -> float:
        """By how much the ratio is above 1, at most 1, the less of it the fewer cases were due; -1 to 1."""
        return self.due / (self.due + _FEW) * (min(self.ratio(more), _MOST) - 1)


@dataclass(frozen=True, slots=True)
class Round:
    """The call that a case is decided in: how many cases it gives, and how many each agent has of it already."""

    cases: int = 0
    given: Mapping[str, int] = field(default_factory=dict)


def places(agents: Sequence[Agent], cases: int) -> int:
    """How many of so many cases find a place among those on duty."""
    free = sum(max(0, agent.capacity - agent.load) for agent in agents if agent.online)
    return min(cases, free)


def shares(
    agents: Sequence[Agent],
    recent: Mapping[str, int],
    online_seconds: Mapping[str, float] | None,
    cases: int = 0,
) -> dict[str, Share]:
    """Each agent's share of the work, by the room that they had for it: places and time.

    The `cases` that are given now are due to the same people as those that were.
    """
    room = {}
    for agent in agents:
        there = 1.0 if agent.online or recent.get(agent.id) else 0.0
        if online_seconds is not None:
            there = online_seconds.get(agent.id, 0.0)
        room[agent.id] = there * agent.capacity
    core = [a.id for a in agents if a.pool == "core" and not supervises(a)]
    team = frozenset(core or room)
    given, total = cases + sum(recent.get(id_, 0) for id_ in team), sum(room[id_] for id_ in team)
    if not given or not total:
        return {}
    # Who helps out is not owed a share of the work.
    return {
        id_: Share(recent.get(id_, 0), given * own / total, least=0.0 if id_ in team else 1.0)
        for id_, own in room.items()
        if own
    }
