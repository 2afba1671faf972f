"""The people who answer: who they are, what they are good at, and the expertise that they form."""

from __future__ import annotations

from graph.models import Agent, Expertise
from graph.profiles import SkillEstimate
from kb_service.errors import NotFound
from kb_service.models import AgentProfile, Principal, Skill
from kb_service.replicas import Replicas
from kb_service.store import Page, Store


class Team:
    """Agents and expertise of every workspace."""

    def __init__(self, store: Store, replicas: Replicas) -> None:
        self._store = store
        self._replicas = replicas

    def agents(self, workspace: str, cursor: str | None, limit: int) -> Page[Agent]:
        with self._store.reading(workspace) as unit:
            return unit.agents.page(cursor, limit)

    def agent(self, workspace: str, agent_id: str) -> Agent:
        with self._store.reading(workspace) as unit:
            agent = unit.agents.get(agent_id)
        if agent is None:
            raise NotFound("There is no agent {id} in this workspace.", id=agent_id)
        return agent

    def put_agent(self, caller: Principal, agent: Agent) -> bool:
        """Create or change an agent; True when new."""
        with self._store.writing(caller.workspace) as unit:
            if unit.agents.get(agent.id) == agent:
                return False
            created = unit.agents.put(agent)
            unit.audit.append(caller.key_id, "agent.put", agent.id, {})
        self._replicas.follow(caller.workspace)
        return created

    def remove_agent(self, caller: Principal, agent_id: str) -> None:
        with self._store.writing(caller.workspace) as unit:
            if not unit.agents.remove(agent_id):
                raise NotFound("There is no agent {id} in this workspace.", id=agent_id)
            unit.audit.append(caller.key_id, "agent.removed", agent_id, {})
        self._replicas.follow(caller.workspace)

    def profile(self, workspace: str, agent_id: str) -> AgentProfile:
        """What an agent is good at, overall and by expertise; figures from twenty cases on."""
        agent = self.agent(workspace, agent_id)
        shop = self._replicas.settled(workspace).shop
        own = [cluster for cluster in shop.expertise if agent_id in cluster.agent_ids]
        return AgentProfile(
            agent=agent,
            overall=_skill(None, shop.profiles.estimate(agent_id)),
            by_expertise=tuple(
                _skill(cluster, shop.profiles.estimate(agent_id, expertise_id=cluster.id)) for cluster in own
            ),
        )

    # --- expertise

    def expertise(self, workspace: str) -> tuple[Expertise, ...]:
        return self._replicas.settled(workspace).shop.expertise

    def one_expertise(self, workspace: str, expertise_id: str) -> Expertise:
        for cluster in self.expertise(workspace):
            if cluster.id == expertise_id:
                return cluster
        raise NotFound("There is no expertise {id} in this workspace.", id=expertise_id)


def _skill(cluster: Expertise | None, estimate: SkillEstimate) -> Skill:
    shown = estimate.shown()
    return Skill(
        expertise_id=cluster.id if cluster else None,
        expertise=cluster.name if cluster else None,
        cases=round(estimate.n),
        rate=round(estimate.rate, 4) if shown else None,
        low=round(estimate.low, 4) if shown else None,
        high=round(estimate.high, 4) if shown else None,
        handling_seconds=round(estimate.seconds, 1) if shown and estimate.seconds is not None else None,
        rating=round(estimate.rating, 2) if shown and estimate.rating is not None else None,
    )
