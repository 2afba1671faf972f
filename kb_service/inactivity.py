"""Cases whose agent leaves the customer without a word: found, and taken back to those that wait.

How long an agent may take is a person's timer: it goes by the wall clock. Only what was active within three days of
it is looked at, so that a history that is being recorded moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from graph.models import Agent, Case, Event
from graph.understanding import small_talk
from kb_service.recording import digest_id
from kb_service.store import Decision, Store, Unit, new_id
from kb_service.waiting import RELEASED

LIVE = timedelta(hours=72)

Cause: TypeAlias = Literal["inactive", "offline"]


@dataclass(frozen=True, slots=True)
class Idle:
    """A case to be taken from its agent, and why."""

    case: Case
    agent_id: str
    cause: Cause
    silent_since: datetime


def release_idle(store: Store, workspace: str, actor: str) -> tuple[str, ...]:
    """Take every case whose agent is inactive, or went away with the customer unanswered, back to those that wait;
    their ids. Committed when this returns; a case that changed meanwhile is left alone."""
    with store.reading(workspace) as unit:
        found = idle_cases(unit)
    if not found:
        return ()
    released = []
    with store.writing(workspace) as unit:
        for item in found:
            if unit.cases.get(item.case.id) == item.case:
                _release(unit, item, actor)
                released.append(item.case.id)
    return tuple(released)


def idle_cases(unit: Unit) -> list[Idle]:
    """The assigned cases whose customers have waited too long for their agent, by the clock of the unit."""
    limit = timedelta(minutes=unit.rules.get().inactive_minutes)
    agents = {agent.id: agent for agent in unit.agents.all()}
    away = _Away(unit, agents)
    found = []
    for case in unit.cases.assigned(unit.now - LIVE):
        if case.agent_id is None:
            continue
        gone = away.is_away(case.agent_id)
        given = case.assigned_at or case.active_at
        if not gone and unit.now - given < limit:
            continue
        since = silent_since(_words(unit, case), given)
        if since is None:
            continue
        if gone:
            found.append(Idle(case, case.agent_id, "offline", since))
        elif unit.now - max(since, _consulted(unit, case)) >= limit:
            found.append(Idle(case, case.agent_id, "inactive", since))
    return found


def silent_since(events: Sequence[Event], given: datetime) -> datetime | None:
    """Since when a customer waits for the agent who was given the case at `given`; None when nothing is owed.

    Thanks after an answer want no reply.
    """
    answered = max(
        (event.at for event in events if event.type == "resolution" or _by_agent(event)), default=None
    )
    if answered is None or answered < given:
        return given
    owed = [
        event.at
        for event in events
        if event.at > answered
        and _by_customer(event)
        and not small_talk(event.text or "", event.language or "und")
    ]
    return min(owed, default=None)


class _Away:
    """Tells whether an agent is gone. Who is busy is there, and only takes nothing new."""

    def __init__(self, unit: Unit, agents: Mapping[str, Agent]) -> None:
        self._unit = unit
        self._agents = agents
        self._known: dict[str, bool] = {}

    def is_away(self, agent_id: str) -> bool:
        if agent_id not in self._known:
            self._known[agent_id] = self._look(agent_id)
        return self._known[agent_id]

    def _look(self, agent_id: str) -> bool:
        agent = self._agents.get(agent_id)
        if agent is None:
            return True
        if agent.online:
            return False
        told = self._unit.events.latest_state(agent_id)
        return told is None or told.event.state != "busy"


def _words(unit: Unit, case: Case) -> list[Event]:
    return [stored.event for stored in unit.events.of_case(case.id)]


def _consulted(unit: Unit, case: Case) -> datetime:
    """When the agent asked somebody else about the case, which is work on it too; else when it was opened."""
    asked = [item.at for item in unit.decisions.of_case(case.id) if item.kind == "consultation"]
    return max(asked, default=case.opened_at)


def _by_agent(event: Event) -> bool:
    return event.type == "message" and event.role == "agent"


def _by_customer(event: Event) -> bool:
    return event.type == "message" and event.role == "customer"


def _release(unit: Unit, item: Idle, actor: str) -> None:
    """The case waits again; that it left its agent is an event like any other transfer."""
    case = item.case
    unit.cases.put(replace(case, state="waiting", agent_id=None, assigned_at=None))
    unit.events.add(
        Event(
            id=digest_id("ev", case.id, "released", item.agent_id, unit.now.isoformat()),
            type="transfer",
            at=unit.now,
            role="agent",
            conversation_id=case.conversation_ids[-1] if case.conversation_ids else None,
            customer_id=case.customer_id,
            from_agent=item.agent_id,
            reason=RELEASED + item.cause,
        ),
        case.id,
    )
    features = {"silent_since": item.silent_since.isoformat()}
    unit.decisions.add_many(
        [
            Decision(
                id=new_id("dec_", unit.now),
                at=unit.now,
                kind="reassignment",
                case_id=case.id,
                actor=actor,
                reason=item.cause,
                previous_agent_id=item.agent_id,
                features=features,
            )
        ]
    )
    unit.audit.append(actor, "case.released", case.id, {"agent": item.agent_id, "cause": item.cause})
