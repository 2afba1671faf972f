"""How well an agent fits a case, as a score with its reasons.

Inside the hard limits (language, permissions, capacity) it is

    P(resolve) - .02 load - .5 trust (share / mean - 1) + .08 sticky

The weights are those that do best in simulation (docs/benchmarks.md); a share of work is one of the last days, in
places and time (see `graph.workshare`), and a share of few cases is trusted little.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist, fmean

import numpy as np

from graph.circles import OVERFLOW, Circle, skilled
from graph.models import Agent, AgentChoice, Reason
from graph.permissions import supervises
from graph.profiles import SkillEstimate
from graph.support_lines import FIRST_ANSWERS, line_of
from graph.wording import Words
from graph.workshare import Share

LOAD = 0.02
FAIRNESS = 0.5
STICKY = 0.08
STICKY_FOR = timedelta(days=7)
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


def fairness_cost(share: Share | None, more: int, weights: Weights) -> float:
    """By how much the share of work is worse with so many more cases; grows with them, as load does."""
    return 0.0 if share is None else weights.fairness * (share.excess(more) - share.excess())


class Scale:
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
        worse = fairness_cost(self._shares.get(agent.id), more, self._weights)
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
            text = say.any_line() if supervises(agent) else say.line(line_of(agent), need.line)
            reasons.append(Reason("line", text))
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
