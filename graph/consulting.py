"""Whose advice is worth asking while the owner keeps the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graph.models import Agent
from graph.profiles import SkillEstimate

UNSURE = 0.6
"""An owner who resolves such cases less often than this may want advice."""
MUCH_BETTER = 0.15


def worth_asking(
    owner_id: str,
    agents: Sequence[Agent],
    estimates: Mapping[str, SkillEstimate],
    *,
    unsure: float = UNSURE,
    much_better: float = MUCH_BETTER,
    limit: int = 3,
) -> tuple[Agent, ...]:
    """Experts for a case that its owner is unlikely to resolve, best first; empty when there is no need.

    An expert is online, resolves such cases at least `much_better` more often than the owner, and surely more often:
    the whole interval of the expert lies above the owner's rate. Load, permissions and the customer's language do not
    matter, since the owner goes on answering. `estimates` holds P(resolve) of the case by agent id.
    """
    own = estimates.get(owner_id)
    if own is None or own.rate >= unsure:
        return ()
    better = [
        agent
        for agent in agents
        if agent.online
        and agent.id != owner_id
        and agent.id in estimates
        and estimates[agent.id].rate >= own.rate + much_better
        and estimates[agent.id].low > own.rate
    ]
    return tuple(sorted(better, key=lambda agent: (-estimates[agent.id].rate, agent.id))[:limit])
