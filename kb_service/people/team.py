"""The people who answer: who they are, and what they are good at."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from graph.models import Agent, Expertise
from graph.profiles import SkillEstimate
from kb_service.errors import Conflict, NotFound, changed_meanwhile
from kb_service.models import Principal
from kb_service.people.profile_views import AgentProfile, ProblemSkill, Skill
from kb_service.replicas.replicas import Replicas
from kb_service.store import Page, Store, Unit

PROBLEMS_SHOWN = 10
"""Problems of a profile: those of which the agent has most cases."""


class Team:
    """Agents of every workspace."""

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
            raise _no_agent(agent_id)
        return agent

    def known(self, workspace: str, agent_id: str) -> bool:
        with self._store.reading(workspace) as unit:
            return unit.agents.get(agent_id) is not None

    def put_agent(self, caller: Principal, agent: Agent, *, over: Agent | None = None) -> bool:
        """Create or change an agent; True when new. With `over` only while they are declared as they were then:
        raises Conflict."""
        with self._store.writing(caller.workspace) as unit:
            before = unit.agents.get(agent.id)
            if over is not None and (before is None or _declared(before) != _declared(over)):
                raise changed_meanwhile()
            if before == agent:
                return False
            created = unit.agents.put(agent)
            unit.audit.append(caller.key_id, "agent.put", agent.id, _told(before, agent))
        self._replicas.follow(caller.workspace)
        return created

    def remove_agent(self, caller: Principal, agent_id: str) -> None:
        """Remove an agent; the audit keeps who they were, so that `restore_agent` can take that back."""
        with self._store.writing(caller.workspace) as unit:
            before = unit.agents.get(agent_id)
            if before is None or not unit.agents.remove(agent_id):
                raise _no_agent(agent_id)
            unit.audit.append(caller.key_id, "agent.removed", agent_id, {"was": _declared(before)})
        self._replicas.follow(caller.workspace)

    def restore_agent(self, caller: Principal, agent_id: str) -> Agent:
        """Take the removal of an agent back; they are offline until they say otherwise.

        Raises Conflict where there is one of that id, NotFound where nobody was removed.
        """
        with self._store.writing(caller.workspace) as unit:
            if unit.agents.get(agent_id) is not None:
                raise Conflict("There is an agent {id} again; they were left as they are.", id=agent_id)
            agent = _removed(unit, agent_id)
            unit.agents.put(agent)
            unit.audit.append(caller.key_id, "agent.restored", agent_id, {"name": agent.name})
        self._replicas.follow(caller.workspace)
        return agent

    def profile(self, workspace: str, agent_id: str) -> AgentProfile:
        """What an agent is good at: overall, by expertise, by problem, and against others on the same problems.

        Figures from twenty cases on.
        """
        agent = self.agent(workspace, agent_id)
        replica = self._replicas.at_hand(workspace)
        shop = replica.shop
        own = [cluster for cluster in shop.expertise if agent_id in cluster.agent_ids]
        problems = [replica.problems[id] for id, _ in shop.peers.problems(agent_id) if id in replica.problems]
        compared = shop.peers.compared(agent_id)
        return AgentProfile(
            agent=agent,
            overall=skill_of(None, shop.profiles.estimate(agent_id)),
            by_expertise=tuple(
                skill_of(cluster, shop.profiles.estimate(agent_id, expertise_id=cluster.id))
                for cluster in own
            ),
            by_problem=tuple(
                ProblemSkill(problem, skill_of(None, shop.profiles.estimate(agent_id, problem_id=problem.id)))
                for problem in problems[:PROBLEMS_SHOWN]
            ),
            compared=compared if compared is not None and compared.shown() else None,
        )


def _no_agent(agent_id: str) -> NotFound:
    return NotFound("There is no agent {id} in this workspace.", id=agent_id)


def _declared(agent: Agent) -> dict[str, Any]:
    """What people say of an agent: not how many cases they have."""
    return {name: value for name, value in asdict(agent).items() if name not in ("id", "load")}


def _told(before: Agent | None, after: Agent) -> dict[str, Any]:
    """What the audit keeps of a change: each field that differs."""
    now = _declared(after)
    if before is None:
        return {"name": after.name}
    was = _declared(before)
    changes = {field: {"from": was[field], "to": now[field]} for field in now if was[field] != now[field]}
    return {"changes": changes}


def _removed(unit: Unit, agent_id: str) -> Agent:
    """The agent as their last removal kept them, offline."""
    for entry in unit.audit.page(limit=200, action="agent.removed", object=agent_id).items:
        was = entry.detail.get("was")
        if entry.object == agent_id and was:
            lists = {name: tuple(was[name]) for name in ("languages", "skills", "permissions")}
            return Agent(**{**was, **lists, "id": agent_id, "online": False})
    raise _no_agent(agent_id)


def skill_of(cluster: Expertise | None, estimate: SkillEstimate) -> Skill:
    """An estimate as people may see it: its figures only from twenty cases on."""
    shown = estimate.shown()
    low, high = estimate.told()
    return Skill(
        expertise_id=cluster.id if cluster else None,
        expertise=cluster.name if cluster else None,
        cases=estimate.cases,
        rate=round(estimate.rate, 4) if shown else None,
        low=round(low, 4) if shown else None,
        high=round(high, 4) if shown else None,
        handling_seconds=round(estimate.seconds, 1) if shown and estimate.seconds is not None else None,
        rating=round(estimate.rating, 2) if shown and estimate.rating is not None else None,
    )
