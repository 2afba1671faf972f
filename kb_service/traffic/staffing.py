"""People and what comes in: how many each expertise needs, who is there, who could help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graph.helping import Offer, StaffedExpertise, offers
from graph.models import Expertise
from graph.profiles import Topic
from graph.staffing import needed_agents
from kb_service.replicas.shop import Shop

UNKNOWN_SECONDS = 300.0
"""How long a case takes where no agent has told of any."""


def handling_seconds(shop: Shop, cluster: Expertise | None) -> float:
    """How long a case of an expertise typically takes its people, or one of the shop all agents."""
    ids = [id for id in (cluster.agent_ids if cluster else shop.agents) if id in shop.agents]
    ids = ids or list(shop.agents)
    topic = Topic(expertise_id=cluster.id if cluster else None)
    known = (
        [item.seconds for item in shop.profiles.estimates(ids, topic).values() if item.seconds] if ids else []
    )
    return sum(known) / len(known) if known else UNKNOWN_SECONDS


def online(shop: Shop, cluster: Expertise | None) -> int:
    """How many people of an expertise, or of the shop, are there now."""
    ids = cluster.agent_ids if cluster else tuple(shop.agents)
    return sum(1 for id in ids if id in shop.agents and shop.agents[id].online)


def fields(shop: Shop, hourly: Mapping[str, float]) -> tuple[StaffedExpertise, ...]:
    """Every expertise with the people that its next hour needs, from the arrivals expected of it."""
    return tuple(
        StaffedExpertise(
            cluster.id,
            cluster.agent_ids,
            online(shop, cluster),
            needed_agents(hourly.get(cluster.id, 0.0), handling_seconds(shop, cluster)),
        )
        for cluster in shop.expertise
    )


def help_for(
    shop: Shop, known: Sequence[StaffedExpertise], expertise_id: str, *, language: str | None = None
) -> tuple[Offer, ...]:
    """Who could help an expertise now."""
    target = next(field for field in known if field.expertise_id == expertise_id)
    cluster = next(found for found in shop.expertise if found.id == expertise_id)
    agents = sorted(shop.agents.values(), key=lambda agent: agent.id)
    estimates = shop.profiles.estimates([agent.id for agent in agents], Topic(expertise_id=expertise_id))
    return offers(
        target, known, agents, estimates, seconds=handling_seconds(shop, cluster), language=language
    )
