"""Who may be asked about a case: hard limits, and circles that widen as its service level is used up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from statistics import fmean

from graph.expertise import expertise_id
from graph.models import Agent, Expertise
from graph.permissions import supervises
from graph.profiles import SkillEstimate
from graph.support_lines import FIRST_ANSWERS, line_of

OVERFLOW: tuple[tuple[float, int], ...] = ((1.0, 4), (0.9, 3), (0.75, 2), (0.5, 1))
"""Share of the service level used, and the circle asked from then on (see `Circle`)."""
USED_UP = 1.0
"""The share of its service level from which a case that nobody can read is given to those who cannot."""
PROVEN_CASES = 1.0
"""Without cases of their own an agent's rate is only what the levels above expect, which proves nothing."""
PROVEN_WITHIN = 0.25
"""Who resolves such cases by at most so much less often than those with the expertise counts as one of them. Whom the
score may choose from decides how evenly work can be spread (see docs/benchmarks.md)."""

_FLEX, _SUPERVISORS, _EVERYONE = 3, 4, 5


@dataclass(frozen=True, slots=True)
class Need:
    """What a case asks of an agent.

    `expertise` is None in triage. `secondary` should be covered too while there is time; `neighbours` may
    help out later (see `neighbouring`). `priority` is 0 to 100. `sla_consumed` is the share of the time for
    a first response that has passed. `sticky_agent_id` answered this customer last, at `sticky_at`. `line` is the
    line of support that it asks for (`graph.support_lines`); those of `avoid` had it and left it or passed it on.
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
    line: int = FIRST_ANSWERS
    avoid: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Circle:
    """The agents who are asked about a case, by how much of its service level is used.

    0 core agents with the expertise and all secondary ones, 1 with the expertise, 2 also with a neighbouring
    one, 3 also the flex pool, 4 also supervisors, 5 everyone. Language and permissions bind in each. Who has
    resolved such cases about as well as those with the expertise do on average counts as having it, declared or not.
    `first` is the narrowest circle that each eligible agent belongs to.

    Where a case asks for a line of support behind the first, those of that line come first: with the flex pool even
    without the expertise. The lines before it follow, the nearest first, and are asked only while nobody of that line
    who is asked has room. Those to avoid are asked only while nobody else who may take the case is on duty.

    Where nobody who may take the case speaks its language it is `foreign`: from the moment its service level is used
    up it is `open` to those who speak English, or while none of them is on duty to all.
    """

    need: Need
    width: int
    members: tuple[Agent, ...]
    first: Mapping[str, int]
    foreign: bool = False
    open: bool = True

    @classmethod
    def around(
        cls, agents: Sequence[Agent], need: Need, estimates: Mapping[str, SkillEstimate] | None = None
    ) -> Circle:
        """The circle that the service level allows; a wider one while nobody in it is online."""
        permitted = [agent for agent in agents if set(need.permissions) <= set(agent.permissions)]
        eligible = [agent for agent in permitted if _understands(agent, need.language)]
        foreign = bool(permitted) and not eligible
        if foreign:
            english = [agent for agent in permitted if _understands(agent, "en")]
            eligible = english if any(agent.online for agent in english) else permitted
        others = [agent for agent in eligible if agent.id not in need.avoid]
        if any(agent.online for agent in others):
            eligible = others
        proven = _proven(agents, need, estimates or {})
        first = {agent.id: _first_circle(agent, need, agent.id in proven) for agent in eligible}
        start = next((width for used, width in OVERFLOW if need.sla_consumed >= used), 0)
        on_duty = [first[agent.id] for agent in eligible if agent.online]
        width = max(start, min(on_duty or first.values(), default=start))
        members = _of_the_line(need, tuple(a for a in eligible if first[a.id] <= width))
        return cls(need, width, members, first, foreign, not foreign or need.sla_consumed >= USED_UP)


def skilled(agent: Agent, expertise: Expertise) -> bool:
    """Whether an agent belongs to a cluster or is declared to have its skill."""
    return agent.id in expertise.agent_ids or any(expertise_id(s) == expertise.id for s in agent.skills)


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


def _proven(agents: Iterable[Agent], need: Need, estimates: Mapping[str, SkillEstimate]) -> frozenset[str]:
    """Who resolves such cases about as well as the mean of those with the expertise, by cases of their own."""
    if need.expertise is None or not estimates:
        return frozenset()
    known = [
        estimates[agent.id].rate
        for agent in agents
        if agent.id in estimates and skilled(agent, need.expertise)
    ]
    if not known:
        return frozenset()
    bar = fmean(known) - PROVEN_WITHIN
    return frozenset(
        id_ for id_, estimate in estimates.items() if estimate.n >= PROVEN_CASES and estimate.rate >= bar
    )


def _understands(agent: Agent, language: str | None) -> bool:
    """Agents without declared languages, and texts without a known one, fit all."""
    spoken = _spoken(agent.languages)
    return not spoken or language in (None, "und") or not spoken.isdisjoint(_spoken((language or "",)))


@lru_cache(maxsize=4096)
def _spoken(languages: tuple[str, ...]) -> frozenset[str]:
    """Languages without region and script."""
    return frozenset(language.replace("_", "-").partition("-")[0].casefold() for language in languages)


def _of_the_line(need: Need, members: tuple[Agent, ...]) -> tuple[Agent, ...]:
    """Of those who are asked the ones of the line that the case asks for, while any of them has room."""
    if need.line == FIRST_ANSWERS:
        return members
    fit = tuple(agent for agent in members if line_of(agent) >= need.line)
    return fit if any(agent.online and agent.load < agent.capacity for agent in fit) else members


def _first_circle(agent: Agent, need: Need, proven: bool) -> int:
    """The narrowest circle that an eligible agent belongs to."""
    circle = _by_field(agent, need, proven)
    if need.line == FIRST_ANSWERS:
        return circle
    before = need.line - line_of(agent)
    if before <= 0:
        return circle if circle == _SUPERVISORS else min(circle, _FLEX)
    return _SUPERVISORS + before - 1 + (circle > 1)


def _by_field(agent: Agent, need: Need, proven: bool) -> int:
    able = need.expertise is None or proven or skilled(agent, need.expertise)
    if agent.pool == "core" and able:
        return 0 if all(skilled(agent, other) for other in need.secondary) else 1
    if agent.pool == "core" and any(skilled(agent, other) for other in need.neighbours):
        return 2
    if agent.pool == "flex":
        return _FLEX
    return _SUPERVISORS if supervises(agent) else _EVERYONE
