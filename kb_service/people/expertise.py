"""The expertise of every workspace: what leads to each cluster, and what people decide of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from graph.expertise import expertise_id
from graph.models import Agent, Expertise, Intent, Problem
from kb_service.errors import InvalidRequest, NotFound
from kb_service.models import Principal
from kb_service.people.clustering import renew
from kb_service.people.profile_views import ClusterDetail, ClusterMember, Via
from kb_service.people.team import skill_of
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.store import ExpertisePin, Store, Unit

PINNED = ("name", "intent_ids", "problem_ids", "agent_ids")
"""What people decide of a cluster."""


class Clustering:
    """Reads clusters from the replica, so that all see them as routing does; pins go to the store."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._replicas = replicas
        self._clock = clock

    def night(self, workspace: str) -> tuple[Expertise, ...]:
        """Learn the clusters anew from what agents resolved."""
        found = renew(self._store, workspace)
        self._replicas.follow(workspace)
        return found

    def all(self, workspace: str) -> tuple[Expertise, ...]:
        return self._replicas.at_hand(workspace).shop.expertise

    def names(self, workspace: str) -> Mapping[str, str]:
        """What each cluster is called, by id."""
        return {found.id: found.name for found in self.all(workspace)}

    def one(self, workspace: str, cluster_id: str) -> ClusterDetail:
        """One cluster with its intents, problems and agents, and how each came into it."""
        replica = self._replicas.at_hand(workspace)
        found = _found(replica, cluster_id)
        with self._store.reading(workspace) as unit:
            pin = next((pin for pin in unit.expertise.pins() if pin.id == cluster_id), None)
        shop = replica.shop
        pinned = pin or ExpertisePin(cluster_id, None, (), (), (), "", self._clock())
        intents = [shop.intents[id] for id in found.intent_ids if id in shop.intents]
        problems = [replica.problems[id] for id in found.problem_ids if id in replica.problems]
        agents = [shop.agents[id] for id in found.agent_ids if id in shop.agents]
        return ClusterDetail(
            expertise=found,
            intents=tuple((intent, _intent_via(intent, found, pinned)) for intent in intents),
            problems=tuple((problem, _problem_via(problem, found, pinned)) for problem in problems),
            members=tuple(
                ClusterMember(
                    agent,
                    _agent_via(agent, found, pinned),
                    skill_of(found, shop.profiles.estimate(agent.id, expertise_id=found.id)),
                )
                for agent in agents
            ),
            pin=pin,
        )

    def pin(
        self,
        caller: Principal,
        cluster_id: str,
        changes: Mapping[str, Any],
    ) -> ClusterDetail:
        """Decide a cluster's name and what belongs to it; what `changes` leaves out stays as it was decided before,
        and None or an empty list takes it back.

        `changes` may hold name, intent_ids, problem_ids and agent_ids. An intent or a problem belongs to one cluster:
        pinned here, it is pinned nowhere else. A cluster that only pins had made is empty afterwards, and no more.
        """
        replica = self._replicas.settled(caller.workspace)
        with self._store.writing(caller.workspace) as unit:
            before = next((pin for pin in unit.expertise.pins() if pin.id == cluster_id), None)
            kept = {} if before is None else {field: getattr(before, field) for field in PINNED}
            wanted = dict.fromkeys(PINNED) | kept | dict(changes)
            pin = ExpertisePin(
                id=cluster_id,
                name=wanted["name"],
                intent_ids=tuple(sorted(set(wanted["intent_ids"] or ()))),
                problem_ids=_survivors(unit, wanted["problem_ids"] or ()),
                agent_ids=tuple(sorted(set(wanted["agent_ids"] or ()))),
                actor=caller.key_id,
                pinned_at=unit.now,
            )
            _check(unit, pin)
            known = {item.id for item in replica.shop.expertise} | {item.id for item in unit.expertise.pins()}
            if cluster_id not in known:
                _check_new(pin)
            _take_from_others(unit, pin)
            unit.expertise.put_pin(pin)
            detail = {
                "name": pin.name,
                "intents": list(pin.intent_ids),
                "problems": list(pin.problem_ids),
                "agents": list(pin.agent_ids),
            }
            unit.audit.append(caller.key_id, "expertise.pinned", cluster_id, detail)
        self._replicas.follow(caller.workspace)
        if pin.empty and all(item.id != cluster_id for item in replica.shop.expertise):
            return ClusterDetail(Expertise(cluster_id, cluster_id), (), (), (), None)
        return self.one(caller.workspace, cluster_id)

    def unpin(self, caller: Principal, cluster_id: str) -> None:
        """Take back all that people decided of a cluster. Raises NotFound where they decided nothing."""
        with self._store.reading(caller.workspace) as unit:
            decided = any(pin.id == cluster_id for pin in unit.expertise.pins())
        if not decided:
            raise NotFound("There is no expertise {id} in this workspace.", id=cluster_id)
        self.pin(caller, cluster_id, dict.fromkeys(PINNED))


def _found(replica: Replica, cluster_id: str) -> Expertise:
    for cluster in replica.shop.expertise:
        if cluster.id == cluster_id:
            return cluster
    raise NotFound("There is no expertise {id} in this workspace.", id=cluster_id)


def _survivors(unit: Unit, problem_ids: Iterable[str]) -> tuple[str, ...]:
    """The problems as they stand, after merges. Raises InvalidRequest for one that there is not."""
    found = set()
    for problem_id in problem_ids:
        survivor = unit.problems.resolve_id(problem_id)
        if survivor is None:
            raise InvalidRequest.of("problem_ids", "there is no problem {id}", id=problem_id)
        found.add(survivor)
    return tuple(sorted(found))


def _check(unit: Unit, pin: ExpertisePin) -> None:
    for intent_id in pin.intent_ids:
        if unit.intents.get(intent_id) is None:
            raise InvalidRequest.of("intent_ids", "there is no intent {id}", id=intent_id)
    for agent_id in pin.agent_ids:
        if unit.agents.get(agent_id) is None:
            raise InvalidRequest.of("agent_ids", "there is no agent {id}", id=agent_id)


def _check_new(pin: ExpertisePin) -> None:
    """A cluster that only people make needs something in it, and an id that its name could have."""
    if not (pin.intent_ids or pin.problem_ids or pin.agent_ids):
        raise NotFound("There is no expertise {id} in this workspace.", id=pin.id)
    if expertise_id(pin.id) != pin.id:
        raise InvalidRequest.of("id", "must be written {id}", id=expertise_id(pin.id))


def _take_from_others(unit: Unit, pin: ExpertisePin) -> None:
    for other in unit.expertise.pins():
        intents = tuple(id for id in other.intent_ids if id not in pin.intent_ids)
        problems = tuple(id for id in other.problem_ids if id not in pin.problem_ids)
        if other.id != pin.id and (intents != other.intent_ids or problems != other.problem_ids):
            unit.expertise.put_pin(
                ExpertisePin(
                    other.id, other.name, intents, problems, other.agent_ids, other.actor, other.pinned_at
                )
            )


def _intent_via(intent: Intent, cluster: Expertise, pin: ExpertisePin) -> Via:
    if intent.id in pin.intent_ids:
        return "pinned"
    return "declared" if intent.expertise and expertise_id(intent.expertise) == cluster.id else "learned"


def _problem_via(problem: Problem, cluster: Expertise, pin: ExpertisePin) -> Via:
    if {problem.id, *problem.aliases} & set(pin.problem_ids):
        return "pinned"
    return "intent" if problem.intent_id in cluster.intent_ids else "learned"


def _agent_via(agent: Agent, cluster: Expertise, pin: ExpertisePin) -> Via:
    if agent.id in pin.agent_ids:
        return "pinned"
    return "declared" if cluster.id in map(expertise_id, agent.skills) else "learned"
