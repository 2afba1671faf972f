"""One transaction's worth of events: each finds its case and its problem; full windows raise alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from graph.briefing import substance
from graph.follow_up_turns import follow_up_turn
from graph.models import (
    AlertKind,
    Case,
    CaseState,
    Entity,
    Event,
    Match,
    Problem,
    Utterance,
)
from graph.person_requests import asks_for_person
from kb_service.ids import digest_id
from kb_service.models import EventProblem, EventResult
from kb_service.open_cases import OpenCases
from kb_service.recurring.following_up import Answers, asked_case
from kb_service.recurring.placing import open_problem, place
from kb_service.recurring.raising import Raising
from kb_service.replicas.replica import Replica
from kb_service.store import NewEvent, Unit
from kb_service.traffic.surging import Arrived, Surging

DONE = frozenset({"resolved", "closed", "pending"})
FOUND_BY = frozenset({"order", "parcel", "sku", "product"})
"""Kinds of what a message names that its case is found by."""


@dataclass(frozen=True, slots=True)
class HeardEvent:
    """An event with personal data masked, and for a customer's message what is compared to find its problem."""

    event: Event
    utterance: Utterance | None
    entities: tuple[Entity, ...]
    small_talk: bool = False
    case_id: str | None = None
    """The case that it belongs to, where that is known and not to be found."""
    gives: bool = True
    """Whether what a person writes gives them the case; not where whoever writes is no agent of the shop."""


class Recording:
    """Takes events in order of arrival, then writes everything and tells what became of each.

    The caller holds the workspace's lock and the replica's, and rebuilds the replica if the transaction fails.
    """

    def __init__(self, unit: Unit, replica: Replica, now: datetime) -> None:
        self._unit = unit
        self._replica = replica
        self._now = now
        self._new: list[NewEvent] = []
        self._assignments: list[tuple[str, Match]] = []
        self._cases = OpenCases(unit, ())
        self._problems: dict[str, Problem] = {}
        self._alerts: dict[str, list[str]] = {}
        self.raised: list[AlertKind] = []
        self._results: list[EventResult] = []
        self._last_event: dict[str, int] = {}
        self._states: dict[str, datetime] = {}
        self._spoken_of: tuple[str, str] | None = None
        self._stored = (0, 0)
        """How many of the new events and of the assignments are written."""
        self._raising = Raising(unit, replica, now)

    def record(self, heard: Sequence[HeardEvent]) -> list[EventResult]:
        """Store the events and everything that follows from them; results in the same order."""
        known = self._unit.events.existing([item.event.id for item in heard])
        fresh = [item.event for item in heard if item.event.id not in known and item.case_id is None]
        self._cases = OpenCases(self._unit, fresh)
        for item in heard:
            if item.event.id in known:
                self._results.append(duplicate(self._unit, item.event.id, self._results))
                continue
            known.add(item.event.id)
            self._take(item)
            self._place_waiting()
        self._write()
        self._hear_answers()
        self._look_at_traffic()
        return [
            replace(result, alerts=tuple(self._alerts[result.id])) if result.id in self._alerts else result
            for result in self._results
        ]

    # --- one event

    def _take(self, item: HeardEvent) -> None:
        event = item.event
        self._raising.passes(event.at)
        if event.type == "agent_state" and event.agent_id is not None:
            self._new.append(NewEvent(event))
            self._set_state(event.agent_id, event)
            self._results.append(EventResult(event.id, "accepted"))
            return
        case = self._case(item)
        problem: EventProblem | None = None
        pending = False
        vector = None
        if item.utterance is not None:
            vector = item.utterance.vector.astype(np.float16)
            match, opened = self._place(item, case)
            if match.problem_id is not None:
                if match.reason == "joined" and case.problem_id is not None:
                    self._spoken_of = case.id, match.problem_id
                case = replace(case, problem_id=match.problem_id)
                reason = match.reason
                problem = EventProblem(match.problem_id, opened, reason, match.score, match.runner_up)
                pending = match.pending
                self._last_event[match.problem_id] = len(self._results)
                self._raising.spoke(match.problem_id, event)
            self._assignments.append((event.id, match))
        self._cases.put(case)
        model_id = item.utterance.model_id if item.utterance is not None else None
        self._new.append(NewEvent(event, case.id, vector, model_id, _named(item)))
        self._results.append(EventResult(event.id, "accepted", problem, pending, (), case.id))

    def _set_state(self, agent_id: str, event: Event) -> None:
        """Whether an agent takes new cases, unless something later was told before. Who is busy takes none."""
        told = self._states.get(agent_id)
        if told is None and (stored := self._unit.events.latest_state(agent_id)) is not None:
            told = stored.event.at
        if told is None or event.at >= told:
            self._states[agent_id] = event.at
            self._unit.agents.set_online(agent_id, event.state == "online")

    def _case(self, item: HeardEvent) -> Case:
        event = item.event
        if item.case_id is None:
            case = self._cases.of(event)
        else:
            case = self._cases.held(item.case_id) or self._unit.cases.get(item.case_id)
        if case is None and event.type == "followup":
            asked = asked_case(self._unit, self._replica, event, self._now)
            case = (self._cases.held(asked) or self._unit.cases.get(asked)) if asked is not None else None
        if case is None:
            case = Case(
                id=digest_id("case", self._unit.workspace, event.conversation_id or event.id, event.id),
                customer_id=event.customer_id,
                conversation_ids=(),
                channels=(),
                state="bot",
                opened_at=event.at,
                active_at=event.at,
                language=event.language,
            )
        return advance(case, event, reopens=not item.small_talk, gives=item.gives)

    def _place(self, item: HeardEvent, case: Case) -> tuple[Match, bool]:
        """Which problem a message belongs to, and whether it opened it."""
        assert item.utterance is not None
        event = item.event
        said = event.text or ""
        if item.small_talk or (asks_for_person(said, item.utterance.language) and not substance(said)):
            # A mere call for a person says nothing of what it is about.
            return Match(None, "not_a_problem", 0.0, 0.0), False
        matcher = self._replica.matcher
        match = matcher.match(item.utterance, item.entities, event.at)
        further = match.reason in ("new", "pending") or follow_up_turn(said, item.utterance.language)
        if further and case.problem_id is not None:
            # A further message of one conversation rarely names its subject again.
            return Match(case.problem_id, "same_case", match.score, match.runner_up), False
        opened = False
        if match.reason == "new":
            problem = self._open(item)
            match, opened = replace(match, problem_id=problem.id), True
        if match.problem_id is not None and not match.pending:
            self._replica.join(match.problem_id, item.utterance, item.entities, event)
        return match, opened

    def _open(self, item: HeardEvent) -> Problem:
        event = item.event
        assert item.utterance is not None
        problem = open_problem(self._unit.workspace, self._replica, event, item.utterance, item.entities)
        self._problems[problem.id] = problem
        self._raising.opened(problem)
        return problem

    # --- the transaction

    def _write(self) -> None:
        """Write what was taken since the last time, and what follows from it."""
        events, assignments = self._stored
        self._stored = len(self._new), len(self._assignments)
        self._unit.cases.put_many(self._cases.take_changed())
        self._unit.events.add_many(self._new[events:])
        self._unit.assignments.put_many(
            [(event_id, match.problem_id, match) for event_id, match in self._assignments[assignments:]]
        )
        self._raise_alerts()

    def _raise_alerts(self) -> None:
        for alert in self._raising.finish():
            self.raised.append(alert.kind)
            place = self._last_event.get(alert.problem_id)
            if place is not None:
                self._alerts.setdefault(self._results[place].id, []).append(alert.id)

    def _place_waiting(self) -> None:
        """Try what waits in a case again once something else that it says plainly belongs to a problem: at once, so
        that it makes no difference to the messages that follow whether they come in this transaction."""
        if self._spoken_of is None:
            return
        case_id, spoken_of = self._spoken_of
        self._spoken_of = None
        taken = {new.event.id for new in self._new[self._stored[0] :] if new.case_id == case_id}
        waits = any(match.pending and id in taken for id, match in self._assignments[self._stored[1] :])
        if not waits and not self._unit.assignments.waiting(case_id):
            return
        self._write()
        for event_id in self._unit.assignments.waiting(case_id):
            waited = self._unit.assignments.get(event_id)
            problem_id = place(self._unit, self._replica, event_id, spoken_of=spoken_of)
            if problem_id is not None:
                left = waited.problem_id if waited is not None else None
                raised = self._raising.watch(problem_id, left)
                self.raised += [alert.kind for alert in raised]
                # The message that was taken last placed the one that waited.
                told = self._alerts.setdefault(self._results[-1].id, []) if raised else []
                told += [alert.id for alert in raised]
        self._cases.read_again(self._unit, case_id)

    def _hear_answers(self) -> None:
        """What customers answered to the question whether their problem is solved."""
        follow_ups = [new for new in self._new if new.event.type == "followup"]
        if not follow_ups:
            return
        answers = Answers(self._unit, self._replica, self._now)
        for new in follow_ups:
            case = self._cases.held(new.case_id) if new.case_id is not None else None
            alert = answers.heard(new.event, case)
            if alert is not None:
                self._alerts.setdefault(new.event.id, []).append(alert.id)
                self.raised.append(alert.kind)

    def _look_at_traffic(self) -> None:
        """Whether more comes in than is usual, message by message."""
        problem_of = {event_id: match.problem_id for event_id, match in self._assignments}
        arrived = [
            Arrived(new.event.at, new.case_id or new.event.id, problem_of.get(new.event.id))
            for new in self._new
            if new.event.type == "message" and new.event.role == "customer"
        ]
        if arrived:
            Surging(self._unit, self._replica, self._now).arrived(arrived, self._problems)


def duplicate(unit: Unit, event_id: str, earlier: Sequence[EventResult]) -> EventResult:
    """What is known of an event that was recorded before, perhaps a line above."""
    for result in earlier:
        if result.id == event_id:
            return replace(result, status="duplicate")
    stored = unit.events.get(event_id)
    assignment = unit.assignments.get(event_id)
    case_id = stored.case_id if stored is not None else None
    if assignment is None or assignment.problem_id is None:
        return EventResult(event_id, "duplicate", case_id=case_id)
    match = assignment.match
    problem = EventProblem(
        assignment.problem_id, match.reason == "new", match.reason, match.score, match.runner_up
    )
    return EventResult(event_id, "duplicate", problem, match.pending, case_id=case_id)


def _named(item: HeardEvent) -> tuple[str, ...]:
    """What a message names of orders, parcels and products, as the shop calls them."""
    return tuple(dict.fromkeys(entity.value for entity in item.entities if entity.type in FOUND_BY))


def advance(case: Case, event: Event, *, reopens: bool = True, gives: bool = True) -> Case:
    """The case after an event: who is on it, where it was heard of, and its state.

    A resolved case that its customer brings back is the bot's again, and nobody's; a pending one stays with its
    agent. `reopens` is False for thanks and greetings: they do not bring a resolved case back. Without `gives` the
    words of a person take no case: one that nobody has waits for an agent.
    """
    state: CaseState = case.state
    agent_id = case.agent_id
    resolved_at = case.resolved_at
    assigned_at = case.assigned_at
    if event.type == "resolution":
        done = event.resolved is not False
        state, resolved_at = ("resolved", event.at) if done else ("pending", None)
        agent_id = event.agent_id or agent_id
    elif event.type == "transfer":
        state, agent_id = "assigned", event.to_agent
    elif event.type == "message" and event.role == "agent":
        agent_id = event.agent_id or agent_id
        state = "assigned" if gives or agent_id is not None else "waiting"
    elif reopens and event.type == "message" and event.role == "customer" and state in DONE:
        kept = agent_id is not None and state == "pending"
        state, agent_id, resolved_at = ("assigned" if kept else "bot"), agent_id if kept else None, None
    if agent_id != case.agent_id:
        assigned_at = event.at if agent_id is not None else None
    return replace(
        case,
        state=state,
        agent_id=agent_id,
        assigned_at=assigned_at,
        resolved_at=resolved_at,
        customer_id=case.customer_id or event.customer_id,
        conversation_ids=_with(case.conversation_ids, event.conversation_id),
        channels=_with(case.channels, event.channel),
        opened_at=min(case.opened_at, event.at),
        active_at=max(case.active_at, event.at),
        language=case.language or event.language,
    )


def _with(values: tuple[str, ...], value: str | None) -> tuple[str, ...]:
    return values if value is None or value in values else (*values, value)
