"""Whom a case can be handed to, in the order in which routing would choose, with what matters for the choice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from graph.assignment import rank
from graph.circles import skilled
from graph.models import Agent
from graph.permissions import granted
from kb_service.replicas.shop import Shop
from kb_service.routing import Placed

Standing: TypeAlias = Literal["free", "full", "away", "outside"]
STANDINGS: tuple[Standing, ...] = ("free", "full", "away", "outside")
"""Who is there with room, who is there, who is not; and whom routing would not ask: they lack the expertise, the
language or the permissions, or stand in a line before the one that the case asks for."""


@dataclass(frozen=True, slots=True)
class Taker:
    """Somebody who could have a case. `fits` names the expertise of the case that they have."""

    agent: Agent
    standing: Standing
    fits: tuple[str, ...]


def takers(shop: Shop, placed: Placed, now: datetime, *, without: str | None) -> tuple[Taker, ...]:
    """Everybody but one, who has the case: those first whom routing would ask first."""
    agents = [agent for agent in shop.agents.values() if agent.id != without]
    ranked = rank(
        [granted(agent, placed.grants) for agent in agents],
        replace(placed.need, avoid=frozenset()),
        now=now,
        estimates=placed.estimates,
        recent=shop.recent.cases,
        online_seconds=shop.recent.online_seconds,
    )
    place = {choice.agent.id: number for number, choice in enumerate(ranked)}
    found = [Taker(agent, _standing(agent, agent.id in place), _fits(agent, placed)) for agent in agents]

    def order(taker: Taker) -> tuple[object, ...]:
        agent = taker.agent
        known = place.get(agent.id, len(place))
        return (
            STANDINGS.index(taker.standing),
            known,
            not agent.online,
            agent.load >= agent.capacity,
            agent.name,
        )

    return tuple(sorted(found, key=order))


def _standing(agent: Agent, asked: bool) -> Standing:
    if not asked:
        return "outside"
    if not agent.online:
        return "away"
    return "free" if agent.load < agent.capacity else "full"


def _fits(agent: Agent, placed: Placed) -> tuple[str, ...]:
    need = placed.need
    wanted = (*((need.expertise,) if need.expertise is not None else ()), *need.secondary)
    return tuple(expertise.name for expertise in wanted if skilled(agent, expertise))
