"""Whose matter a problem is, by the shop's rules: people's own word always comes first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from graph.models import Problem
from graph.rules import Rules


@dataclass(frozen=True, slots=True)
class Ownership:
    """An agent, and what they own it by."""

    agent_id: str
    reason: Literal["product", "expertise"]


def owner_by_rules(
    problem: Problem, expertise_id: str | None, rules: Rules, agents: Collection[str]
) -> Ownership | None:
    """Who owns a problem by `rules.owners`: by the first of its products that has an owner, else by its expertise.

    None where neither has one, where the problem has an owner already, or the agent is not among `agents` any more.
    """
    if problem.owner_id is not None:
        return None
    by_product, by_expertise = rules.owners.get("product", {}), rules.owners.get("expertise", {})
    for product in problem.products:
        if (agent_id := by_product.get(product)) in agents and agent_id is not None:
            return Ownership(agent_id, "product")
    agent_id = by_expertise.get(expertise_id) if expertise_id is not None else None
    return Ownership(agent_id, "expertise") if agent_id is not None and agent_id in agents else None


def owner_of_channel(channel: str | None, rules: Rules) -> str | None:
    """The agent who owns a channel, None where nobody does."""
    return rules.owners.get("channel", {}).get(channel) if channel is not None else None
