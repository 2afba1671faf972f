"""Waiting cases to people, many at one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from graph.assignment import assign
from graph.models import Case
from kb_service.models import Assignment, Principal, Question
from kb_service.replicas import Replicas
from kb_service.routing import Placed, Routing
from kb_service.store import Store, Unit


class Assigning:
    """Gives the waiting cases of every workspace to the people who are there."""

    def __init__(
        self, store: Store, replicas: Replicas, routing: Routing, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._routing = routing
        self._clock = clock

    def assign_waiting(self, caller: Principal, at: datetime | None) -> list[Assignment]:
        """Assign the waiting cases to available agents, the most pressing first; committed when this returns."""
        now = at or self._clock()
        replica = self._replicas.settled(caller.workspace)
        with self._store.reading(caller.workspace) as unit:
            cases = unit.cases.waiting()
            questions = {case.id: _last_words(unit, case) for case in cases}
        placed: dict[str, Placed] = {}
        for case in cases:
            question = questions[case.id]
            if question.text:
                waiting = self._routing.place(replica, question)
                placed[case.id] = replace(waiting, need=replace(waiting.need, case_id=case.id))
        placements = assign(
            [item.need for item in placed.values()],
            tuple(replica.shop.agents.values()),
            now=now,
            estimates={case_id: item.estimates for case_id, item in placed.items()},
            recent=replica.shop.recent,
        )
        made = [
            Assignment(item.case_id, item.choice, item.reason, placed[item.case_id].route.priority)
            for item in placements
        ]
        return self._commit_assignments(caller, made)

    def _commit_assignments(self, caller: Principal, made: Sequence[Assignment]) -> list[Assignment]:
        """What was written of the plan: a case that somebody took meanwhile is theirs and is left out."""
        kept: list[Assignment] = []
        with self._store.writing(caller.workspace) as unit:
            for item in made:
                case = unit.cases.get(item.case_id)
                if case is None or case.state != "waiting":
                    continue
                kept.append(item)
                if item.agent is None:
                    continue
                agent = item.agent
                unit.cases.put(replace(case, state="assigned", agent_id=agent.agent.id))
                detail = {
                    "agent": agent.agent.id,
                    "score": round(agent.score, 4),
                    "reasons": [reason.code for reason in agent.reasons],
                    "priority": item.priority.score,
                }
                unit.audit.append(caller.key_id, "case.assigned", case.id, detail)
        self._replicas.follow(caller.workspace)
        return kept


def _last_words(unit: Unit, case: Case) -> Question:
    """The case as a question: the customer's last message."""
    events = [stored.event for stored in unit.events.of_case(case.id)]
    spoken = [
        event for event in events if event.type == "message" and event.role == "customer" and event.text
    ]
    last = spoken[-1] if spoken else None
    known = next((event.customer for event in reversed(spoken) if event.customer is not None), None)
    return Question(
        text=last.text or "" if last else "",
        conversation_id=case.conversation_ids[-1] if case.conversation_ids else None,
        customer=known,
        products=last.products if last else (),
    )
