"""Who takes what, and why: one case's agents in order, or many cases at once.

Language, permissions and capacity are hard limits. Inside them agents are compared by their score
(`graph.agent_scores`), shown between 0 and 1, and the more of the service level is used up, the wider the circle that
is asked (`graph.circles`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from graph.agent_scores import Scale, Weights, fairness_cost
from graph.circles import OVERFLOW, Circle, Need
from graph.models import Agent, AgentChoice
from graph.profiles import SkillEstimate
from graph.wording import words
from graph.workshare import Round, Share, places, shares

MOST_EXPLORED = 0.05
"""The largest share of cases that are given to find out what somebody can do."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How much better somebody who has no room now has to be for a case to wait for them.

    A case is given to who is free if their score is at most `give` below that of the best on duty, and the more so the
    more of its service level is used: `hurry` more for all of it.
    """

    give: float = 0.02
    hurry: float = 1.0


PlacementReason: TypeAlias = Literal["assigned", "nobody_free", "better_soon", "no_eligible_agent"]
_Slot: TypeAlias = tuple[int, int]
"""Room for one case: whose it is, by their place among the agents, and how many cases they hold before it."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Who takes a case. Without a choice, `reason` is nobody_free, no_eligible_agent or, with patience, better_soon;
    else assigned."""

    case_id: str
    choice: AgentChoice | None
    reason: PlacementReason


def rank(
    agents: Sequence[Agent],
    need: Need,
    *,
    now: datetime,
    estimates: Mapping[str, SkillEstimate],
    recent: Mapping[str, int] | None = None,
    online_seconds: Mapping[str, float] | None = None,
    weights: Weights | None = None,
    within: Round | None = None,
    language: str = "en",
) -> tuple[AgentChoice, ...]:
    """The agents who may take a case, best first: those available, then the busy, then those offline.

    `estimates` holds P(resolve) by agent id; who has none counts as the mean of the others. `recent` is the number
    of cases that each agent was given lately and `online_seconds` for how long each was there to take them, both for
    fairness; without the latter all are taken to have been there alike. `within` tells of the call of `assign` that
    is looked at again. `language` is that of the reasons, "zh" or "en". An agent's reasons with a weight add up to
    the score; what is beyond 0 or 1 is taken off as "limit", which does not change the order. Empty when permissions
    rule everyone out. When nobody speaks the language, those who can be asked once the service level is used up follow
    as not available.
    """
    circle, call = Circle.around(agents, need, estimates), within or Round()
    known = shares(agents, recent or {}, online_seconds, call.cases)
    scale = Scale(circle, estimates, known, weights or Weights(), now, words(language))
    found = [(scale.score(a, call.given.get(a.id, 0)), a) for a in circle.members]
    found.sort(key=lambda pair: (not scale.available(pair[1]), not pair[1].online, -pair[0], pair[1].id))
    return tuple(scale.choice(agent, call.given.get(agent.id, 0)) for _, agent in found)


def assign(
    needs: Sequence[Need],
    agents: Sequence[Agent],
    *,
    now: datetime,
    estimates: Mapping[str, Mapping[str, SkillEstimate]],
    recent: Mapping[str, int] | None = None,
    online_seconds: Mapping[str, float] | None = None,
    weights: Weights | None = None,
    patience: Patience | None = None,
    explore: float = 0.0,
    seed: int = 0,
    language: str = "en",
) -> tuple[Placement, ...]:
    """Gives waiting cases to free agents, all at one moment; in order of priority.

    A case is left waiting only if no free agent in its circle could take it without taking from a case of
    higher priority (then more of its service level used, then waiting longer); within that the sum of scores
    is as large as it can be (Hungarian). `estimates` is by case id, then agent id; the rest as in `rank`.
    Each further case of one agent counts as load, and in their share of the work. With `patience` a case also waits
    while the best on duty are busy and those free are much worse, the shorter the more of its service level is used;
    it needs somebody who calls often.

    `explore` is the share (at most .05) of cases of low priority in which P(resolve) is drawn from what is known of
    it instead of taken at its mean (Thompson 1933), so that those of whom little is known get some; which cases and
    what is drawn follows from the case's id and `seed`.
    """
    order = sorted(needs, key=lambda n: (-n.priority, -n.sla_consumed, n.waiting_since or now, n.case_id))
    say, weighed = words(language), weights or Weights()
    known = shares(agents, recent or {}, online_seconds, places(agents, len(order)))
    scales = [
        Scale(circle, estimates.get(circle.need.case_id, {}), known, weighed, now, say)
        for circle in _circles(agents, order, estimates)
    ]
    for scale in scales:
        scale.explore(min(explore, MOST_EXPLORED), seed)
    base = _base_scores(scales, agents)
    slots = _slots(agents, len(order))
    values = _values(base, slots, agents, known, weighed)
    wanted = values
    if patience is not None:
        laden = base - [weighed.load * agent.load for agent in agents]
        wanted = np.where(values >= _bars(laden, order, patience)[:, None], values, -np.inf)
    return _placements(scales, _best_columns(wanted, len(slots)), values, slots, agents)


def _slots(agents: Sequence[Agent], cases: int) -> list[_Slot]:
    """The places that so many cases may take among those on duty."""
    return [
        (column, load)
        for column, agent in enumerate(agents)
        if agent.online
        for load in range(agent.load, min(agent.capacity, agent.load + cases))
    ]


def _values(
    base: NDArray[np.float64],
    slots: Sequence[_Slot],
    agents: Sequence[Agent],
    known: Mapping[str, Share],
    weights: Weights,
) -> NDArray[np.float64]:
    """The score of each case (rows) in each slot, and after them a column for each case to wait in."""
    costs = [
        weights.load * held + fairness_cost(known.get(agents[column].id), held - agents[column].load, weights)
        for column, held in slots
    ]
    values = np.full((len(base), len(slots) + len(base)), -np.inf)
    values[:, : len(slots)] = base[:, [column for column, _ in slots]] - costs
    return values


def _placements(
    scales: Sequence[Scale],
    taken: Sequence[int | None],
    values: NDArray[np.float64],
    slots: Sequence[_Slot],
    agents: Sequence[Agent],
) -> tuple[Placement, ...]:
    """The slot that each case takes, or why it takes none: one that could take a slot left over is better off soon."""
    left = sorted(set(range(len(slots))).difference(column for column in taken if column is not None))
    return tuple(
        _placement(
            scale,
            None if column is None else (agents[slots[column][0]], slots[column][1]),
            "better_soon" if np.isfinite(row[left]).any() else "nobody_free",
        )
        for scale, column, row in zip(scales, taken, values, strict=True)
    )


def _bars(laden: NDArray[np.float64], needs: Sequence[Need], patience: Patience) -> NDArray[np.float64]:
    """The score from which each case is given now, by those of everybody on duty, free or not."""
    used = np.array([need.sla_consumed for need in needs])
    bars: NDArray[np.float64] = laden.max(axis=1, initial=-np.inf) - patience.give - patience.hurry * used
    return bars


def _circles(
    agents: Sequence[Agent],
    needs: Sequence[Need],
    estimates: Mapping[str, Mapping[str, SkillEstimate]],
) -> list[Circle]:
    """The circle of each need; needs that ask for the same share one."""
    known: dict[tuple[object, ...], Circle] = {}
    found = []
    for need in needs:
        own = estimates.get(need.case_id, {})
        used = next((share for share, _ in OVERFLOW if need.sla_consumed >= share), 0.0)
        fields = tuple(
            None if e is None else e.id for e in (need.expertise, *need.secondary, None, *need.neighbours)
        )
        key = (need.language, fields, need.permissions, need.line, need.avoid, used, id(own))
        if key not in known:
            circle = Circle.around(agents, need, own)
            known[key] = circle if circle.open else replace(circle, members=())
        found.append(replace(known[key], need=need))
    return found


def _base_scores(scales: Sequence[Scale], agents: Sequence[Agent]) -> NDArray[np.float64]:
    """The score without load of each case (rows) with each agent on duty (columns); -inf where impossible."""
    base = np.full((len(scales), len(agents)), -np.inf)
    place = {agent.id: column for column, agent in enumerate(agents)}
    known: dict[tuple[int, int], NDArray[np.float64]] = {}
    for row, scale in enumerate(scales):
        # Cases about the same thing share their circle and estimates, and so their scores but for what is their own.
        if scale.alike not in known:
            for agent in scale.circle.members:
                if agent.online:
                    base[row, place[agent.id]] = scale.common(agent)
            known[scale.alike] = base[row].copy()
        base[row] = known[scale.alike]
        for agent in scale.apart:
            if agent.online:
                base[row, place[agent.id]] = scale.unloaded(agent)
    return base


def _best_columns(values: NDArray[np.float64], slots: int) -> list[int | None]:
    """The slot of each row (None: waits), rows in falling importance; -inf marks what is impossible.

    Matchable sets of rows form a transversal matroid, so a bonus that falls from row to row by more than all
    scores together could differ makes the best sum serve the most important rows first.
    """
    rows = len(values)
    if rows == 0:
        return []
    possible = np.isfinite(values)
    step = 1 + 2 * rows * float(np.abs(values[possible]).max(initial=1.0))
    bonus = step * np.arange(rows + 1, 1, -1)
    gain = np.where(possible, values + bonus[:, None], -1.0)
    gain[:, slots:] = 0.0  # a column for each row to wait in, better than the impossible
    _, columns = linear_sum_assignment(gain, maximize=True)
    return [int(column) if column < slots else None for column in columns]


def _placement(scale: Scale, slot: tuple[Agent, int] | None, waits: PlacementReason) -> Placement:
    case_id = scale.circle.need.case_id
    if slot is not None:
        agent, load = slot
        return Placement(case_id, scale.choice(replace(agent, load=load), load - agent.load), "assigned")
    return Placement(case_id, None, waits if scale.circle.members else "no_eligible_agent")
