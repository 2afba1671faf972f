"""Who takes what, and why: one case's agents in order, or many cases at once.

Language, permissions and capacity are hard limits. Inside them an agent's score is

    P(resolve) - .05 load - .15 (share / mean - 1) + .08 sticky

and the more of the service level is used up, the wider the circle that is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from graph.expertise import expertise_id
from graph.models import Agent, AgentChoice, Expertise, Reason
from graph.profiles import SkillEstimate
from graph.wording import Words, words

LOAD = 0.05
FAIRNESS = 0.15
STICKY = 0.08
STICKY_FOR = timedelta(days=7)
OVERFLOW: tuple[tuple[float, int], ...] = ((1.0, 4), (0.9, 3), (0.75, 2), (0.5, 1))
"""Share of the service level used, and the circle asked from then on (see `_Circle`)."""
SUPERVISORS = frozenset({"supervisor", "team-lead"})
"""Permissions that make a supervisor."""

_EVERYONE = 5
_NO_RECORD = 0.5


@dataclass(frozen=True, slots=True)
class Need:
    """What a case asks of an agent.

    `expertise` is None in triage. `secondary` should be covered too while there is time; `neighbours` may
    help out later (see `neighbouring`). `priority` is 0 to 100. `sla_consumed` is the share of the time for
    a first response that has passed. `sticky_agent_id` answered this customer last, at `sticky_at`.
    """

    case_id: str
    language: str | None = None
    expertise: Expertise | None = None
    secondary: tuple[Expertise, ...] = ()
    neighbours: tuple[Expertise, ...] = ()
    permissions: tuple[str, ...] = ()
    priority: int = 0
    sla_consumed: float = 0.0
    waiting_since: datetime | None = None
    sticky_agent_id: str | None = None
    sticky_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Who takes a case. Without a choice, `reason` is nobody_free or no_eligible_agent, else assigned."""

    case_id: str
    choice: AgentChoice | None
    reason: str


def rank(
    agents: Sequence[Agent],
    need: Need,
    *,
    now: datetime,
    estimates: Mapping[str, SkillEstimate],
    recent: Mapping[str, int] | None = None,
    language: str = "en",
) -> tuple[AgentChoice, ...]:
    """The agents who may take a case, best first: those available, then the busy, then those offline.

    `estimates` holds P(resolve) by agent id; who has none counts as the mean of the others. `recent` is the
    number of cases that each agent was given lately, for fairness. `language` is that of the reasons, "zh" or
    "en". An agent's reasons with a weight add up to the score. Empty when language or permissions rule
    everyone out.
    """
    circle = _Circle.around(agents, need)
    scale = _Scale(circle, estimates, recent or {}, now, words(language))
    choices = [scale.choice(agent) for agent in circle.members]
    return tuple(sorted(choices, key=lambda c: (not c.available, not c.agent.online, -c.score, c.agent.id)))


def assign(
    needs: Sequence[Need],
    agents: Sequence[Agent],
    *,
    now: datetime,
    estimates: Mapping[str, Mapping[str, SkillEstimate]],
    recent: Mapping[str, int] | None = None,
    language: str = "en",
) -> tuple[Placement, ...]:
    """Gives waiting cases to free agents, all at one moment; in order of priority.

    A case is left waiting only if no free agent in its circle could take it without taking from a case of
    higher priority (then more of its service level used, then waiting longer); within that the sum of scores
    is as large as it can be (Hungarian). `estimates` is by case id, then agent id; the rest as in `rank`.
    Each further case of one agent counts as load.
    """
    order = sorted(needs, key=lambda n: (-n.priority, -n.sla_consumed, n.waiting_since or now, n.case_id))
    slots = [
        replace(agent, load=load)
        for agent in agents
        if agent.online
        for load in range(agent.load, min(agent.capacity, agent.load + len(needs)))
    ]
    scales = [
        _Scale(_Circle.around(agents, n), estimates.get(n.case_id, {}), recent or {}, now, words(language))
        for n in order
    ]
    values = np.full((len(order), len(slots) + len(order)), -np.inf)
    for row, scale in enumerate(scales):
        inside = {agent.id for agent in scale.circle.members}
        for column, slot in enumerate(slots):
            if slot.id in inside:
                values[row, column] = scale.score(slot)
    taken = _best_columns(values, len(slots))
    return tuple(
        _placement(scale, None if column is None else slots[column])
        for scale, column in zip(scales, taken, strict=True)
    )


def neighbouring(
    expertise: Expertise, clusters: Sequence[Expertise], *, limit: int = 2
) -> tuple[Expertise, ...]:
    """The clusters that share most of their agents with this one (Jaccard), at most `limit`."""
    own = set(expertise.agent_ids)
    likeness = {
        other.id: len(own & set(other.agent_ids)) / len(own | set(other.agent_ids))
        for other in clusters
        if other.id != expertise.id and own & set(other.agent_ids)
    }
    near = sorted((c for c in clusters if c.id in likeness), key=lambda c: (-likeness[c.id], c.id))
    return tuple(near[:limit])


@dataclass(frozen=True, slots=True)
class _Circle:
    """The agents who are asked about a case, by how much of its service level is used.

    0 core agents with the expertise and all secondary ones, 1 with the expertise, 2 also with a neighbouring
    one, 3 also the flex pool, 4 also supervisors, 5 everyone. Language and permissions bind in each.
    """

    need: Need
    width: int
    members: tuple[Agent, ...]
    first: Mapping[str, int]

    @classmethod
    def around(cls, agents: Sequence[Agent], need: Need) -> _Circle:
        """The circle that the service level allows; a wider one while nobody in it is online."""
        eligible = [agent for agent in agents if _eligible(agent, need)]
        first = {agent.id: _first_circle(agent, need) for agent in eligible}
        start = next((width for used, width in OVERFLOW if need.sla_consumed >= used), 0)
        on_duty = [first[agent.id] for agent in eligible if agent.online]
        width = max(start, min(on_duty or first.values(), default=start))
        return cls(need, width, tuple(a for a in eligible if first[a.id] <= width), first)


class _Scale:
    """Scores the agents of one circle, and says why."""

    def __init__(
        self,
        circle: _Circle,
        estimates: Mapping[str, SkillEstimate],
        recent: Mapping[str, int],
        now: datetime,
        say: Words,
    ) -> None:
        self.circle = circle
        self._estimates = estimates
        self._recent = recent
        self._now = now
        self._say = say
        rates = [estimates[a.id].rate for a in circle.members if a.id in estimates]
        self._typical_rate = fmean(rates) if rates else _NO_RECORD
        counts = [recent.get(agent.id, 0) for agent in circle.members]
        self._mean_count = fmean(counts) if counts else 0.0

    def score(self, agent: Agent) -> float:
        rate, load, fairness, sticky = self._terms(agent)
        return rate + load + fairness + sticky

    def choice(self, agent: Agent) -> AgentChoice:
        """An agent with score and reasons; available means online with room for one more."""
        available = agent.online and agent.load < agent.capacity
        return AgentChoice(agent, self.score(agent), available, self._reasons(agent))

    def _terms(self, agent: Agent) -> tuple[float, float, float, float]:
        estimate = self._estimates.get(agent.id)
        rate = self._typical_rate if estimate is None else estimate.rate
        fairness = -FAIRNESS * (min(self._ratio(agent), 2.0) - 1)
        return rate, -LOAD * agent.load, fairness, STICKY if self._is_sticky(agent) else 0.0

    def _ratio(self, agent: Agent) -> float:
        return self._recent.get(agent.id, 0) / self._mean_count if self._mean_count else 1.0

    def _is_sticky(self, agent: Agent) -> bool:
        need = self.circle.need
        if agent.id != need.sticky_agent_id or need.sticky_at is None or not agent.online:
            return False
        return self._now - need.sticky_at <= STICKY_FOR

    def _reasons(self, agent: Agent) -> tuple[Reason, ...]:
        need, say = self.circle.need, self._say
        rate, load, fairness, sticky = self._terms(agent)
        skilled = need.expertise is not None and _skilled(agent, need.expertise)
        field = None if need.expertise is None else need.expertise.name
        reasons = [Reason("skill", say.skill(field, skilled, self._estimates.get(agent.id)), rate)]
        if sticky and need.sticky_at is not None:
            reasons.append(Reason("sticky", say.sticky((self._now - need.sticky_at).days), sticky))
        reasons.append(Reason("load", say.load(agent), load))
        if need.language is not None and agent.languages:
            reasons.append(Reason("language", say.language(need.language)))
        if fairness:
            reasons.append(Reason("fairness", say.fairness(self._ratio(agent)), fairness))
        if need.sla_consumed >= OVERFLOW[-1][0]:
            reasons.append(Reason("sla", say.sla(need.sla_consumed)))
        if self.circle.first[agent.id] > 0:
            reasons.append(Reason("overflow", say.overflow(self.circle.first[agent.id])))
        return tuple(reasons)


def _eligible(agent: Agent, need: Need) -> bool:
    """Language and permissions. Agents without declared languages, and texts without a known one, fit all."""
    spoken = {_base(language) for language in agent.languages}
    understands = not spoken or need.language in (None, "und") or _base(need.language or "") in spoken
    return understands and set(need.permissions) <= set(agent.permissions)


def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].casefold()


def _skilled(agent: Agent, expertise: Expertise) -> bool:
    return agent.id in expertise.agent_ids or any(expertise_id(s) == expertise.id for s in agent.skills)


def _first_circle(agent: Agent, need: Need) -> int:
    """The narrowest circle that an eligible agent belongs to."""
    skilled = need.expertise is None or _skilled(agent, need.expertise)
    if agent.pool == "core" and skilled:
        return 0 if all(_skilled(agent, other) for other in need.secondary) else 1
    if agent.pool == "core" and any(_skilled(agent, other) for other in need.neighbours):
        return 2
    if agent.pool == "flex":
        return 3
    return 4 if SUPERVISORS & set(agent.permissions) else _EVERYONE


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


def _placement(scale: _Scale, slot: Agent | None) -> Placement:
    case_id = scale.circle.need.case_id
    if slot is not None:
        return Placement(case_id, scale.choice(slot), "assigned")
    return Placement(case_id, None, "nobody_free" if scale.circle.members else "no_eligible_agent")
