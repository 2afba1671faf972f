"""Who takes what, and why: one case's agents in order, or many cases at once.

Language, permissions and capacity are hard limits. Inside them an agent's score is

    P(resolve) - .02 load - .5 trust (share / mean - 1) + .08 sticky

shown between 0 and 1, and the more of the service level is used up, the wider the circle that is asked (see
`graph.circles`). The weights are those that do best in simulation (docs/benchmarks.md); a share of work is one of the
last days, in places and time (see `graph.workshare`), and a share of few cases is trusted little.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import NormalDist, fmean
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from graph.circles import OVERFLOW, Circle, Need, neighbouring, skilled
from graph.models import Agent, AgentChoice, Reason
from graph.profiles import SkillEstimate
from graph.support_lines import FIRST_ANSWERS, line_of
from graph.wording import Words, words
from graph.workshare import Round, Share, places, shares

__all__ = ["Need", "Patience", "Placement", "Weights", "assign", "neighbouring", "rank"]

LOAD = 0.02
FAIRNESS = 0.5
STICKY = 0.08
STICKY_FOR = timedelta(days=7)
MOST_EXPLORED = 0.05
EXPLORED_BELOW = 35
"""Only cases of less priority than this are given to find out what somebody can do."""
_NO_RECORD = 0.5
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts beside P(resolve): each open case, the share of work, who answered the customer last."""

    load: float = LOAD
    fairness: float = FAIRNESS
    sticky: float = STICKY


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
    scale = _Scale(circle, estimates, known, weights or Weights(), now, words(language))
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
        _Scale(circle, estimates.get(circle.need.case_id, {}), known, weighed, now, say)
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
        weights.load * held
        + _fairness_cost(known.get(agents[column].id), held - agents[column].load, weights)
        for column, held in slots
    ]
    values = np.full((len(base), len(slots) + len(base)), -np.inf)
    values[:, : len(slots)] = base[:, [column for column, _ in slots]] - costs
    return values


def _placements(
    scales: Sequence[_Scale],
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
        key = (need.language, fields, need.permissions, need.line, used, id(own))
        if key not in known:
            circle = Circle.around(agents, need, own)
            known[key] = circle if circle.open else replace(circle, members=())
        found.append(replace(known[key], need=need))
    return found


def _fairness_cost(share: Share | None, more: int, weights: Weights) -> float:
    """By how much the share of work is worse with so many more cases; grows with them, as load does."""
    return 0.0 if share is None else weights.fairness * (share.excess(more) - share.excess())


def _base_scores(scales: Sequence[_Scale], agents: Sequence[Agent]) -> NDArray[np.float64]:
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


class _Scale:
    """Scores the agents of one circle, and says why."""

    def __init__(
        self,
        circle: Circle,
        estimates: Mapping[str, SkillEstimate],
        shares: Mapping[str, Share],
        weights: Weights,
        now: datetime,
        say: Words,
    ) -> None:
        self.circle = circle
        self._estimates = estimates
        self._shares = shares
        self._weights = weights
        self._now = now
        self._say = say
        self._seed: int | None = None
        self._typical: float | None = None

    def explore(self, share: float, seed: int) -> None:
        """Whether this case is one of those in which P(resolve) is drawn."""
        need = self.circle.need
        if need.priority < EXPLORED_BELOW and _chance(f"{seed}:{need.case_id}") < share:
            self._seed = seed

    @property
    def alike(self) -> tuple[int, int]:
        """The same for cases whose `common` scores are the same."""
        return id(self.circle.members), id(self._estimates)

    @property
    def apart(self) -> tuple[Agent, ...]:
        """The agents whose score is not the common one."""
        if self._seed is not None:
            return self.circle.members
        sticky = self.circle.need.sticky_agent_id
        return () if sticky is None else tuple(a for a in self.circle.members if a.id == sticky)

    def common(self, agent: Agent) -> float:
        """The score without the load and without what is the case's own."""
        return self._rate(agent) + self._fairness(agent)

    def unloaded(self, agent: Agent) -> float:
        """The score without the load."""
        sticky = self._weights.sticky if self._is_sticky(agent) else 0.0
        return self.common(agent) + self._drawn(agent) + sticky

    def score(self, agent: Agent, more: int = 0) -> float:
        """The whole score of somebody who got so many cases in the present call already."""
        worse = _fairness_cost(self._shares.get(agent.id), more, self._weights)
        return self.unloaded(agent) - self._weights.load * agent.load - worse

    def available(self, agent: Agent) -> bool:
        """Online with room for one more, and not only to be asked later."""
        return self.circle.open and agent.online and agent.load < agent.capacity

    def choice(self, agent: Agent, more: int = 0) -> AgentChoice:
        """An agent with reasons, and the score held to 0 and 1."""
        score, reasons = self.score(agent, more), self._reasons(agent, more)
        shown = min(max(score, 0.0), 1.0)
        if shown != score:
            reasons += (Reason("limit", self._say.limit(), shown - score),)
        return AgentChoice(agent, shown, self.available(agent), reasons)

    def _rate(self, agent: Agent) -> float:
        estimate = self._estimates.get(agent.id)
        return self._typical_rate() if estimate is None else estimate.rate

    def _typical_rate(self) -> float:
        """What those of the circle resolve on average."""
        if self._typical is None:
            known = self._estimates
            rates = [known[agent.id].rate for agent in self.circle.members if agent.id in known]
            self._typical = fmean(rates) if rates else _NO_RECORD
        return self._typical

    def _drawn(self, agent: Agent) -> float:
        """By how much a draw differs from the mean; 0 where nothing is explored."""
        estimate = self._estimates.get(agent.id)
        if self._seed is None or estimate is None:
            return 0.0
        odds = [
            math.log(p / (1 - p)) for p in np.clip([estimate.rate, estimate.low, estimate.high], 0.001, 0.999)
        ]
        doubt = (odds[2] - odds[1]) / (2 * 1.96)
        draw = _chance(f"{self._seed}:{self.circle.need.case_id}:{agent.id}")
        return 1 / (1 + math.exp(-odds[0] - doubt * _NORMAL.inv_cdf(draw))) - estimate.rate

    def _fairness(self, agent: Agent, more: int = 0) -> float:
        share = self._shares.get(agent.id)
        return 0.0 if share is None else -self._weights.fairness * share.excess(more)

    def _is_sticky(self, agent: Agent) -> bool:
        need = self.circle.need
        if agent.id != need.sticky_agent_id or need.sticky_at is None or not agent.online:
            return False
        return self._now - need.sticky_at <= STICKY_FOR

    def _reasons(self, agent: Agent, more: int) -> tuple[Reason, ...]:
        need, say = self.circle.need, self._say
        able = need.expertise is not None and skilled(agent, need.expertise)
        field = None if need.expertise is None else need.expertise.name
        text = say.skill(field, able, self._estimates.get(agent.id))
        reasons = [Reason("skill", text, self._rate(agent))]
        if drawn := self._drawn(agent):
            reasons.append(Reason("exploration", say.exploration(), drawn))
        if self._is_sticky(agent) and need.sticky_at is not None:
            days = (self._now - need.sticky_at).days
            reasons.append(Reason("sticky", say.sticky(days), self._weights.sticky))
        reasons.append(Reason("load", say.load(agent), 0.0 - self._weights.load * agent.load))
        if need.language is not None and self.circle.foreign:
            reasons.append(Reason("language", say.foreign(need.language, self.circle.open)))
        elif need.language is not None and agent.languages:
            reasons.append(Reason("language", say.language(need.language)))
        if fairness := self._fairness(agent, more):
            reasons.append(Reason("fairness", say.fairness(self._shares[agent.id].ratio(more)), fairness))
        if need.line > FIRST_ANSWERS:
            reasons.append(Reason("line", say.line(line_of(agent), need.line)))
        if need.sla_consumed >= OVERFLOW[-1][0]:
            reasons.append(Reason("sla", say.sla(need.sla_consumed)))
        if line_of(agent) < need.line:
            reasons.append(Reason("overflow", say.before_line()))
        elif self.circle.first[agent.id] > 0:
            reasons.append(Reason("overflow", say.overflow(self.circle.first[agent.id])))
        return tuple(reasons)


def _chance(name: str) -> float:
    """A number above 0 and below 1 that follows from the name."""
    digest = hashlib.blake2b(name.encode(), digest_size=6).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**48


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


def _placement(scale: _Scale, slot: tuple[Agent, int] | None, waits: PlacementReason) -> Placement:
    case_id = scale.circle.need.case_id
    if slot is not None:
        agent, load = slot
        return Placement(case_id, scale.choice(replace(agent, load=load), load - agent.load), "assigned")
    return Placement(case_id, None, waits if scale.circle.members else "no_eligible_agent")
