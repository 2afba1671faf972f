"""Cases whose agent leaves the customer without a word: found, and taken back to those that wait.

How long an agent may take is a person's timer: it goes by the wall clock. Only what was active within three days of
it is looked at, so that a history that is being recorded moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from graph.models import RELEASED, Case, Event
from graph.waits import Move, moves_of, waits_since
from kb_service.ids import digest_id
from kb_service.store import Decision, Store, Unit, new_id

LIVE = timedelta(hours=72)

Cause: TypeAlias = Literal["inactive", "offline"]


@dataclass(frozen=True, slots=True)
class Idle:
    """A case to be taken from its agent, and why."""

    case: Case
    agent_id: str
    cause: Cause
    silent_since: datetime


def release_idle(
    store: Store, workspace: str, actor: str, found: Sequence[Idle] | None = None
) -> tuple[str, ...]:
    """Take every case whose agent is inactive, or went away with the customer unanswered, back to those that wait;
    their ids. Committed when this returns; a case that changed meanwhile is left alone. `found` are those cases where
    they are known already."""
    if found is None:
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
    """The assigned cases whose customers have waited too long for their agent, by the clock of the unit.

    The number of queries does not depend on that of the cases, and only unanswered cases are read.
    """
    limit = timedelta(minutes=unit.rules.get().inactive_minutes)
    given = {
        case: case.agent_id for case in unit.cases.assigned(unit.now - LIVE) if case.agent_id is not None
    }
    away = _away(unit, set(given.values()))
    late = [
        case
        for case, agent_id in given.items()
        if agent_id in away or unit.now - (case.assigned_at or case.active_at) >= limit
    ]
    said = unit.workload.last_words([case.id for case in late])
    open_cases = [case for case in late if not _answered(case, *said.get(case.id, (None, None)))]
    events = unit.events.of_each_case([case.id for case in open_cases])
    asked = unit.decisions.consulted([case.id for case in open_cases])
    found = []
    for case in open_cases:
        agent_id = given[case]
        words = [stored.event for stored in events.get(case.id, ())]
        since = silent_since(words, case.assigned_at or case.active_at)
        if since is None:
            continue
        if agent_id in away:
            found.append(Idle(case, agent_id, "offline", since))
        # To ask somebody else about the case is work on it too.
        elif unit.now - max(since, asked.get(case.id, since)) >= limit:
            found.append(Idle(case, agent_id, "inactive", since))
    return found


def _answered(case: Case, asked_at: datetime | None, answered_at: datetime | None) -> bool:
    """Whether the last word is certainly the agent's; else what was said has to be read."""
    given = case.assigned_at or case.active_at
    return answered_at is not None and answered_at >= given and (asked_at is None or answered_at > asked_at)


def silent_since(events: Sequence[Event], given: datetime) -> datetime | None:
    """Since when a customer waits for the agent who was given the case at `given`; None when nothing is owed.

    What the bot says meanwhile is not the agent's answer.
    """
    called: tuple[datetime, Move] = (given, "calls")
    later = [(at, move) for at, move in moves_of(events) if at >= given and move != "bot_answers"]
    return waits_since([called, *later])


def _away(unit: Unit, agent_ids: set[str]) -> set[str]:
    """Those of some agents who are gone. Who is busy is there, and only takes nothing new; of who was never declared
    nobody knows when they are there."""
    offline = {agent.id for agent in unit.agents.all() if not agent.online} & agent_ids
    told = unit.workload.latest_states(offline)
    return {agent_id for agent_id in offline if told.get(agent_id) != "busy"}


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
