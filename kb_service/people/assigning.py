"""Waiting cases to people: many at one moment, and one by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from graph.assignment import Patience, Placement, assign
from graph.models import Agent
from graph.permissions import granted
from ingest.redaction import redact
from kb_service.casework import case_detail
from kb_service.errors import InvalidRequest
from kb_service.lookups import found_case, still_with
from kb_service.messages import Language
from kb_service.models import Assignment, CaseDetail, Principal
from kb_service.people.explaining import Circumstances, features_of
from kb_service.people.inactivity import Idle, release_idle
from kb_service.people.recent_work import RecentWork, recent_work
from kb_service.people.waiting_queue import Placing, WaitingQueue
from kb_service.replicas.replicas import Replicas
from kb_service.store import Decision, DecisionKind, Store, Unit, new_id

DECISIONS_KEPT = timedelta(days=400)
"""How long a decision about a case that is over can be explained: a year and some."""


class Assigning:
    """Gives the waiting cases of every workspace to the people who are there."""

    def __init__(
        self, store: Store, replicas: Replicas, queue: WaitingQueue, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._queue = queue
        self._clock = clock

    def assign_waiting(
        self,
        caller: Principal,
        at: datetime | None = None,
        *,
        language: Language = "en",
        patience: Patience | None = None,
        idle: Sequence[Idle] | None = None,
    ) -> list[Assignment]:
        """Assign the waiting cases to available agents, the most pressing first; committed when this returns.

        Cases whose agent left the customer without a word join them first. What each case needs is read beforehand;
        who gets what is decided under the workspace's lock from the agents as they are then, so that calls at the same
        moment, from any process, neither give a case twice nor anybody more than they can hold. Calling again
        changes nothing until somebody is free. `at` is the moment for service levels and fairness, now by default.
        With `patience` a case also waits while somebody much better will soon have room: for who calls often. `idle`
        are the cases left without a word, for who has looked for them already.
        """
        now = at or self._clock()
        if release_idle(self._store, caller.workspace, caller.key_id, idle):
            self._replicas.follow(caller.workspace)
        replica = self._replicas.settled(caller.workspace)
        placing = {item.waiting.case.id: item for item in self._queue.place(replica, now, language)}
        if at is None:
            self._queue.remember(replica, list(placing.values()), now)
        if not placing:
            return []
        with self._store.writing(caller.workspace) as unit:
            made, decisions = _decide(unit, caller, placing, now, language, patience)
            _write(unit, caller, made, decisions)
        self._replicas.follow(caller.workspace)
        return made

    def night(self, workspace: str) -> int:
        """Forget what was decided long ago about cases that are over; how many decisions went."""
        with self._store.writing(workspace) as unit:
            return unit.decisions.purge(unit.now - DECISIONS_KEPT)

    def give(
        self,
        caller: Principal,
        case_id: str,
        agent_id: str,
        *,
        note: str | None = None,
        over: str | None = None,
    ) -> CaseDetail:
        """Give a case to an agent by hand, whoever had it; `note` is why, kept masked. With `over` only while it is
        still with that agent, by "" with nobody; else Conflict: for who takes a step back.

        One that waits may be taken before those that come first; that is told in the decision and the audit.
        """
        replica = self._replicas.settled(caller.workspace)
        ahead = self._queue.ahead(replica, case_id)
        with self._store.writing(caller.workspace) as unit:
            case = found_case(unit, case_id)
            still_with(case, over)
            if unit.agents.get(agent_id) is None:
                raise InvalidRequest.of("agent_id", "there is no agent {id}", id=agent_id)
            given = replace(case, state="assigned", agent_id=agent_id, resolved_at=None, assigned_at=unit.now)
            unit.cases.put(given)
            written = redact(note).text if note else None
            detail: dict[str, Any] = {"agent": agent_id} | ({"reason": written} if written else {})
            if ahead and case.state == "waiting":
                detail["out_of_turn"] = ahead
            unit.audit.append(caller.key_id, "case.assigned", case_id, detail)
            unit.decisions.add_many(
                [
                    Decision(
                        id=new_id("dec_", unit.now),
                        at=unit.now,
                        kind="manual",
                        case_id=case_id,
                        actor=caller.key_id,
                        reason="out_of_turn" if "out_of_turn" in detail else "by_hand",
                        agent_id=agent_id,
                        previous_agent_id=case.agent_id if case.agent_id != agent_id else None,
                        note=written,
                        features={"ahead": ahead} if "out_of_turn" in detail else {},
                    )
                ]
            )
            found = case_detail(unit, given)
        self._replicas.follow(caller.workspace)
        return found


# --- under the lock


def _decide(
    unit: Unit,
    caller: Principal,
    placing: Mapping[str, Placing],
    now: datetime,
    language: Language,
    patience: Patience | None,
) -> tuple[list[Assignment], list[Decision]]:
    """Who gets what of the cases that still wait, and what that was decided by."""
    still = {
        id: item for id, item in placing.items() if (case := unit.cases.get(id)) and case.state == "waiting"
    }
    grants = [grant for item in still.values() for grant in item.placed.grants]
    agents = [granted(agent, grants) for agent in unit.agents.all()]
    recent = recent_work(unit)
    placements = _plan(list(still.values()), agents, recent, now, language, patience)
    given = Counter(item.choice.agent.id for item in placements if item.choice is not None)
    left = {agent.id: agent.capacity - agent.load - given[agent.id] for agent in agents}
    around = Circumstances(agents, recent, left, len(still), now)
    before = unit.decisions.latest(list(still))
    made, decisions = [], []
    for placement in placements:
        item = still[placement.case_id]
        made.append(
            Assignment(placement.case_id, placement.choice, placement.reason, item.placed.route.priority)
        )
        latest = before.get(placement.case_id)
        unchanged = latest is not None and latest.reason == placement.reason and latest.agent_id is None
        if placement.choice is None and unchanged:
            continue  # It waits for the same reason as at the last look.
        decisions.append(_decision(unit, caller, item, placement, around, latest))
    return made, decisions


def _plan(
    items: Sequence[Placing],
    agents: Sequence[Agent],
    recent: RecentWork,
    now: datetime,
    language: Language,
    patience: Patience | None,
) -> list[Placement]:
    """The best assignment of all cases."""
    return list(
        assign(
            [item.placed.need for item in items],
            agents,
            now=now,
            estimates={item.placed.need.case_id: item.placed.estimates for item in items},
            recent=recent.cases,
            online_seconds=recent.online_seconds,
            patience=patience,
            language=language,
        )
    )


def _decision(
    unit: Unit,
    caller: Principal,
    item: Placing,
    placement: Placement,
    around: Circumstances,
    latest: Decision | None,
) -> Decision:
    expertise = item.placed.route.expertise
    kind: DecisionKind = "assignment"
    before = latest if latest is not None and latest.agent_id is None else None
    if before is not None and before.kind == "reassignment":
        kind = "reassignment"
    return Decision(
        id=new_id("dec_", unit.now),
        at=unit.now,
        kind=kind,
        case_id=placement.case_id,
        actor=caller.key_id,
        reason=placement.reason,
        agent_id=placement.choice.agent.id if placement.choice is not None else None,
        previous_agent_id=before.previous_agent_id if before is not None else None,
        expertise_id=expertise.expertise.id if expertise is not None else None,
        experiment_id=item.placed.way.assigned_by,
        arm=item.placed.way.assignment_arm,
        features=features_of(item.placed, placement.choice, around),
    )


def _write(unit: Unit, caller: Principal, made: Sequence[Assignment], decisions: Sequence[Decision]) -> None:
    for item in made:
        if item.agent is None:
            continue
        case = found_case(unit, item.case_id)
        agent = item.agent
        unit.cases.put(replace(case, state="assigned", agent_id=agent.agent.id, assigned_at=unit.now))
        detail = {
            "agent": agent.agent.id,
            "score": round(agent.score, 4),
            "reasons": [reason.code for reason in agent.reasons],
            "priority": item.priority.score,
        }
        unit.audit.append(caller.key_id, "case.assigned", case.id, detail)
    unit.decisions.add_many(decisions)
