"""Event to case, problem and alert: what happened to customers, recorded; and the erasure of a customer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from graph.models import Case, Event, Problem, Utterance
from graph.understanding import Gazetteer, small_talk
from ingest import language
from ingest.redaction import redact
from kb_service.errors import Conflict, InvalidRequest, NotFound, ServiceError
from kb_service.ids import digest_id
from kb_service.lookups import found_case, found_problem, still_with
from kb_service.models import (
    CaseDetail,
    EventResult,
    Handoff,
    Principal,
)
from kb_service.observability import Metrics
from kb_service.people.explaining import route_features
from kb_service.recording import HeardEvent, Recording, duplicate
from kb_service.recurring.raising import recount
from kb_service.replicas.replicas import Replicas
from kb_service.routing import Routing
from kb_service.store import Decision, Page, Store, Unit, new_id
from kb_service.understanding.reading import Reader

AHEAD = timedelta(minutes=5)
"""How far ahead of the wall clock an event may be dated."""
EXAMPLES = 8
OVER = frozenset({"resolved", "closed"})
RULES = "handover_rules"
"""Who hands a case over when a rule of the service does."""


class Casework:
    """Events and cases of every workspace."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        reader: Reader,
        routing: Routing,
        *,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._routing = routing
        self._clock = clock
        self._metrics = metrics

    # --- events

    def record(
        self, workspace: str, events: Sequence[Event], *, case_id: str | None = None
    ) -> list[EventResult | ServiceError]:
        """Record events in order of arrival, committed when this returns. One result an event, in order.

        With `case_id` all are events of that case, however long it has been quiet.
        """
        now = self._clock()
        refused = {place: error for place, event in enumerate(events) if (error := _too_early(event, now))}
        heard = self.hear(workspace, [event for place, event in enumerate(events) if place not in refused])
        if case_id is not None:
            heard = [replace(item, case_id=case_id) for item in heard]
        recorded = iter(self.record_heard(workspace, heard))
        results: list[EventResult | ServiceError] = [
            refused[place] if place in refused else next(recorded) for place in range(len(events))
        ]
        self._count(results)
        return results

    def _count(self, results: Sequence[EventResult | ServiceError]) -> None:
        for result in results:
            status = result.status if isinstance(result, EventResult) else "refused"
            self._metrics.events.labels(status).inc()

    def hear(self, workspace: str, events: Sequence[Event]) -> list[HeardEvent]:
        """Mask personal data, and prepare customers' messages for comparison in one encoder call; stores nothing."""
        replica = self._replicas.settled(workspace)
        masked = [masked_event(event) for event in events]
        spoken = [event for event in masked if _is_spoken(event)]
        utterances = iter(self._reader.masked([event.text or "" for event in spoken]))
        gazetteer = replica.shop.gazetteer
        return [
            _heard(event, next(utterances), gazetteer) if _is_spoken(event) else HeardEvent(event, None, ())
            for event in masked
        ]

    def record_heard(self, workspace: str, heard: Sequence[HeardEvent]) -> list[EventResult]:
        """Record what was heard, in order of arrival, committed when this returns."""
        return self._recorded(workspace, lambda unit: heard) if heard else []

    def _recorded(self, workspace: str, taken: Callable[[Unit], Sequence[HeardEvent]]) -> list[EventResult]:
        """Record what is `taken` under the workspace's lock, as things stand then; committed when this returns."""
        now = self._clock()
        replica = self._replicas.settled(workspace)
        with replica.lock:
            begun = False
            try:
                with self._store.writing(workspace) as unit:
                    heard = taken(unit)
                    if not heard:
                        return []
                    begun = True
                    replica.catch_up(unit)
                    recording = Recording(unit, replica, now)
                    results = recording.record(heard)
                    sequence = unit.events.last_sequence()
            except BaseException:
                if begun:
                    replica.reset()
                raise
            replica.recorded(sequence)
            replica.follow()
        for kind in recording.raised:
            self._metrics.alerts.labels(kind).inc()
        return results

    def event(self, workspace: str, event_id: str) -> dict[str, Any]:
        """One event as it was recorded, with its problem as it stands now."""
        with self._store.reading(workspace) as unit:
            stored = unit.events.get(event_id)
            if stored is None:
                raise NotFound("There is no event {id} in this workspace.", id=event_id)
            known = duplicate(unit, event_id, ())
        event = stored.event
        said = ("text", "language", "resolved", "rating")
        fields = ("type", "role", "at", "conversation_id", "customer_id", "channel", *said)
        return {
            "id": event.id,
            "status": "accepted",
            "problem": known.problem,
            "pending": known.pending,
            "case_id": stored.case_id,
            "products": list(event.products),
            **{name: getattr(event, name) for name in fields},
        }

    # --- cases

    def cases(
        self, workspace: str, cursor: str | None, limit: int, **filters: Any
    ) -> Page[tuple[Case, Problem | None]]:
        with self._store.reading(workspace) as unit:
            page = unit.cases.page(cursor, limit, **filters)
            return Page(tuple((case, _problem_of(unit, case)) for case in page.items), page.next_cursor)

    def cases_of_problem(
        self, workspace: str, problem_id: str, cursor: str | None, limit: int
    ) -> Page[tuple[Case, Problem | None]]:
        with self._store.reading(workspace) as unit:
            problem = found_problem(unit, problem_id)
            page = unit.cases.of_problem(problem.id, cursor, limit)
        return Page(tuple((case, problem) for case in page.items), page.next_cursor)

    def case(self, workspace: str, case_id: str) -> CaseDetail:
        with self._store.reading(workspace) as unit:
            return case_detail(unit, found_case(unit, case_id))

    def happened(self, workspace: str, case_id: str) -> tuple[Case, int]:
        """A case and how many events it has. Raises NotFound."""
        with self._store.reading(workspace) as unit:
            return found_case(unit, case_id), unit.events.count_of_case(case_id)

    def decisions(self, workspace: str, case_id: str) -> tuple[tuple[Decision, ...], Mapping[str, str]]:
        """What was decided about a case, oldest first, and the names of all agents by id."""
        with self._store.reading(workspace) as unit:
            found_case(unit, case_id)
            names = {agent.id: agent.name for agent in unit.agents.all()}
            return unit.decisions.of_case(case_id), names

    def handover(
        self, caller: Principal, case_id: str, reason: str | None, *, over: str | None = None
    ) -> CaseDetail:
        """Hand a case to people: it waits until an agent has it. With `over` only while it is still with that agent,
        by "" with nobody; else Conflict: for who takes a step back."""

        written = redact(reason or "").text
        with self._store.writing(caller.workspace) as unit:
            case = found_case(unit, case_id)
            still_with(case, over)
            if case.state in OVER:
                raise Conflict(
                    "The case {id} is {state}; a new message reopens it.", id=case.id, state=case.state
                )
            waiting = replace(case, state="waiting", agent_id=None, assigned_at=None)
            unit.cases.put(waiting)
            unit.audit.append(caller.key_id, "case.handed_over", case_id, {"reason": written})
            unit.decisions.add_many([_handed_over(unit, case, actor=caller.key_id, note=written or None)])
            found = case_detail(unit, waiting)
        self._replicas.follow(caller.workspace)
        return found

    def resolve_case(
        self,
        caller: Principal,
        case_id: str,
        *,
        resolved: bool,
        agent_id: str | None,
        reply: str | None,
        handling_seconds: float | None,
        by_owner: bool = True,
    ) -> CaseDetail:
        """Record the resolution of a case as the event that it is. One that is resolved or closed is not resolved
        again. Where no agent is named its owner resolved it, unless `by_owner` says that nobody is to be credited."""
        now = self._clock()

        def taken(unit: Unit) -> list[HeardEvent]:
            case = found_case(unit, case_id)
            if resolved and case.state in OVER:
                return []
            by = agent_id or (case.agent_id if by_owner else None)
            event = Event(
                id=digest_id("ev", case.id, "resolution", now.isoformat()),
                type="resolution",
                at=now,
                role="agent",
                conversation_id=_latest_conversation(case),
                customer_id=case.customer_id,
                agent_id=by,
                reply=reply,
                handling_seconds=handling_seconds,
                resolved=resolved,
            )
            return _audited(unit, caller, "case.resolved", case, event, {"solved": resolved})

        self._count(self._recorded(caller.workspace, taken))
        return self.case(caller.workspace, case_id)

    def reply(
        self, caller: Principal, case_id: str, text: str, *, agent_id: str | None, form: str
    ) -> CaseDetail:
        """Keep what somebody wrote to the customer with its case, which is `agent_id`'s from then on. Who is no agent
        of the shop takes none: it stays whose it is, or waits for an agent. `form` tells one writing of it from every
        other: the same words of the same form are kept once, however often they are sent."""
        now = self._clock()

        def taken(unit: Unit) -> list[HeardEvent]:
            case = found_case(unit, case_id)
            said = reversed(unit.events.of_case(case.id))
            event = Event(
                id=digest_id("ev", case.id, caller.key_id, form, text),
                type="message",
                at=now,
                role="agent",
                conversation_id=_latest_conversation(case),
                customer_id=case.customer_id,
                channel=next((item.event.channel for item in said if item.event.channel), None),
                agent_id=agent_id,
                text=text,
            )
            return _audited(unit, caller, "case.replied", case, event, {})

        self._count(self._recorded(caller.workspace, taken))
        return self.case(caller.workspace, case_id)

    def wait(self, workspace: str, case_id: str, handoff: Handoff | None = None) -> None:
        """A recorded hand-over makes its case wait for a person; what it was decided by is kept with it."""
        with self._store.writing(workspace) as unit:
            case = unit.cases.get(case_id)
            if case is not None and case.state == "bot":
                unit.cases.put(replace(case, state="waiting"))
                decided = _handed_over(unit, case, actor=RULES)
                if handoff is not None:
                    first = handoff.route.expertise
                    decided = replace(
                        decided,
                        reason=handoff.trigger,
                        expertise_id=first.expertise.id if first is not None else None,
                        features=route_features(handoff.route),
                    )
                unit.decisions.add_many([decided])
        self._replicas.follow(workspace)

    # --- people's data

    def erase_customer(self, caller: Principal, customer_id: str) -> dict[str, int]:
        """Leave nothing of a customer in store, vectors, graph or outbox; tell how much there was.

        The audit keeps a digest of the id: enough to prove an erasure to somebody who knows the id.
        """
        replica = self._replicas.settled(caller.workspace)
        digest = hashlib.sha256(f"{caller.workspace}\x1f{customer_id}".encode()).hexdigest()[:16]
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                erasure = unit.erase_customer(customer_id)
                for problem_id in erasure.problem_ids:
                    recount(unit, problem_id)
                for problem_id in erasure.unnamed_problem_ids:
                    self._name_again(unit, problem_id)
                unit.audit.append(caller.key_id, "customer.erased", digest, {"counts": dict(erasure.counts)})
            replica.reset()
        self._reader.forget()
        return dict(erasure.counts)

    def _name_again(self, unit: Unit, problem_id: str) -> None:
        """A name that quoted the customer is made anew from what others wrote."""
        problem = found_problem(unit, problem_id)
        rest = [
            item.event.text for item in unit.events.of_problem(problem_id, limit=EXAMPLES) if item.event.text
        ]
        names = self._routing.name(rest) if rest else {"en": problem.id, "zh": problem.id}
        unit.problems.put(replace(problem, names=names))


def _audited(
    unit: Unit, caller: Principal, action: str, case: Case, event: Event, detail: Mapping[str, Any]
) -> list[HeardEvent]:
    """What somebody did in a case, to be recorded, and told in the audit unless it was recorded before: for whom it
    counts, and whose the case was if another's. None of the words."""
    if not unit.events.existing([event.id]):
        others = case.agent_id if case.agent_id != event.agent_id else None
        who = {"agent": event.agent_id, "owner": others}
        told = {name: value for name, value in who.items() if value is not None}
        unit.audit.append(caller.key_id, action, case.id, {**told, **detail})
    return [HeardEvent(masked_event(event), None, (), case_id=case.id, gives=event.agent_id is not None)]


def _latest_conversation(case: Case) -> str | None:
    return case.conversation_ids[-1] if case.conversation_ids else None


def masked_event(event: Event) -> Event:
    """The event with personal data masked in every text, and the language of its message known."""
    text = redact(event.text).text if event.text is not None else None
    return replace(
        event,
        text=text,
        reply=redact(event.reply).text if event.reply is not None else None,
        reason=redact(event.reason).text if event.reason is not None else None,
        language=event.language or (language.identify(text) if text else None),
    )


def _heard(event: Event, utterance: Utterance, gazetteer: Gazetteer) -> HeardEvent:
    text = event.text or ""
    entities = tuple(gazetteer.entities(text, event.at))
    # Compared as it will be kept: a process that reads it back from the store compares by the very same numbers.
    kept = replace(utterance, vector=utterance.vector.astype(np.float16).astype(np.float32))
    return HeardEvent(event, kept, entities, small_talk(text, utterance.language))


def _is_spoken(event: Event) -> bool:
    return event.type == "message" and event.role == "customer" and bool(event.text)


def _too_early(event: Event, now: datetime) -> InvalidRequest | None:
    if event.at <= now + AHEAD:
        return None
    return InvalidRequest.of(
        "at",
        "{at} is more than 5 minutes ahead of the clock; send it when it has happened",
        at=event.at.isoformat(),
    )


def _problem_of(unit: Unit, case: Case) -> Problem | None:
    return unit.problems.get(case.problem_id) if case.problem_id is not None else None


def case_detail(unit: Unit, case: Case) -> CaseDetail:
    """A case with all that happened in it, and whom its owner asked."""
    events = tuple(stored.event for stored in unit.events.of_case(case.id))
    asked = tuple(item for item in unit.decisions.of_case(case.id) if item.kind == "consultation")
    return CaseDetail(case, _problem_of(unit, case), events, asked)


def _handed_over(unit: Unit, case: Case, *, actor: str, note: str | None = None) -> Decision:
    return Decision(
        id=new_id("dec_", unit.now),
        at=unit.now,
        kind="handover",
        case_id=case.id,
        actor=actor,
        reason="handed_over",
        previous_agent_id=case.agent_id,
        note=note,
    )
