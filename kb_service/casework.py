"""Event to problem, alert, proposal: what happened to customers, and what keeps happening."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from graph import lifecycle
from graph.lifecycle import Action
from graph.models import Alert, Case, Event, Problem, Proposal, Rules, Utterance
from graph.priority import check_weights
from graph.understanding import Gazetteer, small_talk
from ingest import language
from ingest.redaction import redact
from kb_service.delivery.endpoints import listeners
from kb_service.delivery.messages import problem_data
from kb_service.errors import Conflict, InvalidRequest, NotFound, ServiceError
from kb_service.models import (
    CaseDetail,
    EventResult,
    HourOfProblem,
    LinkedDocument,
    Principal,
    ProblemDetail,
    ProblemView,
)
from kb_service.observability import Metrics
from kb_service.reading import Reader
from kb_service.recording import HeardEvent, Recording, digest_id, duplicate, lead_alerts
from kb_service.replica import Replica
from kb_service.replicas import Replicas
from kb_service.routing import Routing
from kb_service.store import Page, Store, Unit

AHEAD = timedelta(minutes=5)
"""How far ahead of the wall clock an event may be dated."""
COUNTS = timedelta(days=14)
"""The span of a problem's counts by hour."""
EVERGREEN_DAYS = 14
EVERGREEN_CUSTOMERS = 10
"""A question asked for this many days by this many customers is a documentation matter."""
EMERGING = timedelta(days=7)
"""A problem younger than this, by event time, is emerging."""
EXAMPLES = 8


class Casework:
    """Events, cases, problems, alerts, proposals and rules of every workspace."""

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
        replica = self._replicas.settled(workspace)
        refused = {place: error for place, event in enumerate(events) if (error := _too_early(event, now))}
        heard = self._hear(replica, [event for place, event in enumerate(events) if place not in refused])
        if case_id is not None:
            heard = [replace(item, case_id=case_id) for item in heard]
        recorded = iter(self._commit(workspace, replica, heard, now))
        results: list[EventResult | ServiceError] = [
            refused[place] if place in refused else next(recorded) for place in range(len(events))
        ]
        for result in results:
            status = result.status if isinstance(result, EventResult) else "refused"
            self._metrics.events.labels(status).inc()
        return results

    def _hear(self, replica: Replica, events: Sequence[Event]) -> list[HeardEvent]:
        """Mask personal data, and prepare customers' messages for comparison in one encoder call."""
        masked = [masked_event(event) for event in events]
        spoken = [event for event in masked if _is_spoken(event)]
        utterances = iter(self._reader.masked([event.text or "" for event in spoken]))
        gazetteer = replica.shop.gazetteer
        return [
            _heard(event, next(utterances), gazetteer) if _is_spoken(event) else HeardEvent(event, None, ())
            for event in masked
        ]

    def _commit(
        self, workspace: str, replica: Replica, heard: Sequence[HeardEvent], now: datetime
    ) -> list[EventResult]:
        if not heard:
            return []
        with replica.lock:
            try:
                with self._store.writing(workspace) as unit:
                    replica.catch_up(unit)
                    results = Recording(unit, replica, now).record(heard)
                    sequence = unit.events.last_sequence()
            except BaseException:
                replica.reset()
                raise
            replica.recorded(sequence)
            replica.follow()
        for result in results:
            for _ in result.alerts:
                self._metrics.alerts.labels("recurrence").inc()
        return results

    def event(self, workspace: str, event_id: str) -> dict[str, Any]:
        """One event as it was recorded, with its problem as it stands now."""
        with self._store.reading(workspace) as unit:
            stored = unit.events.get(event_id)
            if stored is None:
                raise NotFound("There is no event {id} in this workspace.", id=event_id)
            known = duplicate(unit, event_id, ())
        event = stored.event
        fields = ("type", "role", "at", "conversation_id", "customer_id", "channel", "text", "language")
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
            problem = _problem(unit, problem_id)
            page = unit.cases.of_problem(problem.id, cursor, limit)
        return Page(tuple((case, problem) for case in page.items), page.next_cursor)

    def case(self, workspace: str, case_id: str) -> CaseDetail:
        with self._store.reading(workspace) as unit:
            return _detail(unit, _case(unit, case_id))

    def assign(self, caller: Principal, case_id: str, agent_id: str) -> CaseDetail:
        """Give a case to an agent, whoever had it."""

        def change(unit: Unit, case: Case) -> Case:
            if unit.agents.get(agent_id) is None:
                raise InvalidRequest.of("agent_id", "there is no agent {id}", id=agent_id)
            return replace(case, state="assigned", agent_id=agent_id, resolved_at=None)

        return self._change_case(caller, case_id, "case.assigned", {"agent": agent_id}, change)

    def consult(self, caller: Principal, case_id: str, agent_id: str, note: str | None) -> CaseDetail:
        """Ask another agent; the case stays with its owner."""

        def change(unit: Unit, case: Case) -> Case:
            if unit.agents.get(agent_id) is None:
                raise InvalidRequest.of("agent_id", "there is no agent {id}", id=agent_id)
            if agent_id == case.agent_id:
                raise InvalidRequest.of("agent_id", "this agent owns the case already; consult another")
            return case

        detail = {"agent": agent_id, "note": redact(note or "").text}
        return self._change_case(caller, case_id, "case.consulted", detail, change)

    def handover(self, caller: Principal, case_id: str, reason: str | None) -> CaseDetail:
        """Hand a case to people: it waits until an agent has it."""

        def change(unit: Unit, case: Case) -> Case:
            if case.state in ("resolved", "closed"):
                raise Conflict("The case {id} is {state}; a new message reopens it.", id=case.id, state=case.state)
            return replace(case, state="waiting", agent_id=None)

        return self._change_case(caller, case_id, "case.handed_over", {"reason": redact(reason or "").text}, change)

    def resolve_case(
        self,
        caller: Principal,
        case_id: str,
        *,
        resolved: bool,
        agent_id: str | None,
        reply: str | None,
        handling_seconds: float | None,
    ) -> CaseDetail:
        """Record the resolution of a case as the event that it is."""
        with self._store.reading(caller.workspace) as unit:
            case = _case(unit, case_id)
        event = Event(
            id=digest_id("ev", case.id, "resolution", self._clock().isoformat()),
            type="resolution",
            at=self._clock(),
            role="agent",
            conversation_id=case.conversation_ids[-1] if case.conversation_ids else None,
            customer_id=case.customer_id,
            agent_id=agent_id or case.agent_id,
            reply=reply,
            handling_seconds=handling_seconds,
            resolved=resolved,
        )
        self.record(caller.workspace, [event], case_id=case.id)
        return self.case(caller.workspace, case_id)

    def wait(self, workspace: str, case_id: str) -> None:
        """A recorded hand-over makes its case wait for a person."""
        with self._store.writing(workspace) as unit:
            case = unit.cases.get(case_id)
            if case is not None and case.state == "bot":
                unit.cases.put(replace(case, state="waiting"))
        self._replicas.follow(workspace)

    def _change_case(
        self,
        caller: Principal,
        case_id: str,
        action: str,
        detail: dict[str, Any],
        change: Callable[[Unit, Case], Case],
    ) -> CaseDetail:
        with self._store.writing(caller.workspace) as unit:
            case = change(unit, _case(unit, case_id))
            unit.cases.put(case)
            unit.audit.append(caller.key_id, action, case_id, detail)
            found = _detail(unit, case)
        self._replicas.follow(caller.workspace)
        return found

    # --- problems

    def problems(
        self,
        workspace: str,
        cursor: str | None,
        limit: int,
        *,
        emerging: bool | None,
        evergreen: bool | None,
        **filters: Any,
    ) -> Page[ProblemView]:
        """A stretch of the problems; a page may hold fewer than `limit` where an axis is asked for."""
        self._wake(workspace)
        with self._store.reading(workspace) as unit:
            watermark = unit.events.latest_at() or self._clock()
            page = unit.problems.page(cursor, limit, **filters)
        views = [_view(item, watermark) for item in page.items]
        kept = [
            view
            for view in views
            if emerging in (None, view.emerging) and evergreen in (None, view.evergreen)
        ]
        return Page(tuple(kept), page.next_cursor)

    def problem(self, workspace: str, problem_id: str) -> ProblemDetail:
        """One problem with its evidence, its counts over the last fortnight of event time, and what it hangs on."""
        self._wake(workspace)
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            problem = _problem(unit, problem_id)
            watermark = unit.events.latest_at() or self._clock()
            counts = unit.events.counts_by_hour(problem.id, watermark - COUNTS)
            recent = unit.events.of_problem(problem.id, limit=EXAMPLES)
            alerts = unit.alerts.of_problem(problem.id)
        linked = replica.answers_of(problem)
        newest = max(alerts, key=lambda alert: alert.opened_at, default=None)
        return ProblemDetail(
            view=_view(problem, watermark),
            evidence=newest.evidence.words if newest else _counted(problem),
            counts=tuple(HourOfProblem(item.hour, item.events, item.customers) for item in counts),
            examples=tuple(item.event.text for item in recent if item.event.text),
            answers=tuple(item for item in linked if item.kind in ("faq", "product")),
            policies=_of_kind(linked, "policy"),
            resolutions=_of_kind(linked, "resolution"),
            alerts=tuple(alert.id for alert in alerts),
        )

    def graph(self, workspace: str, problem_id: str | None, hops: int) -> dict[str, Any]:
        replica = self._replicas.settled(workspace)
        if problem_id is None:
            return replica.graph.node_link(at=None)
        with self._store.reading(workspace) as unit:
            problem = _problem(unit, problem_id)
        return replica.graph.subgraph(problem.id, hops, at=None)

    def act(self, caller: Principal, problem_id: str, action: Action, **arguments: Any) -> ProblemView:
        """Acknowledge, resolve, reopen or silence a problem; its alerts follow."""
        return self._change_problem(caller, problem_id, action, **arguments)

    def rename(self, caller: Principal, problem_id: str, names: dict[str, str]) -> ProblemView:
        return self._change_problem(caller, problem_id, "rename", names=names)

    def own(self, caller: Principal, problem_id: str, agent_id: str) -> ProblemView:
        with self._store.reading(caller.workspace) as unit:
            _problem(unit, problem_id)
            if unit.agents.get(agent_id) is None:
                raise InvalidRequest.of("agent_id", "there is no agent {id}", id=agent_id)
        return self._change_problem(caller, problem_id, "assign", agent_id=agent_id)

    def _change_problem(self, caller: Principal, problem_id: str, action: Action, **given: Any) -> ProblemView:
        now = self._clock()
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                before = _problem(unit, problem_id)
                problem = lifecycle.transition(before, action, now, **given)
                unit.problems.put(problem)
                lead_alerts(unit, problem, before if action == "reopen" else None)
                unit.audit.append(caller.key_id, f"problem.{action}", problem.id, {"before": before.state})
                if action == "resolve" and before.state != "resolved":
                    _announce(unit, "problem.resolved", problem, now)
                watermark = unit.events.latest_at() or now
            replica.follow()
        return _view(problem, watermark)

    def _wake(self, workspace: str) -> None:
        """Open the problems whose silence has ended by time: nobody else tells."""
        now = self._clock()
        replica = self._replicas.settled(workspace)
        over = [known for known in list(replica.problems.values()) if lifecycle.awakened(known, now) != known]
        if not over:
            return
        with replica.lock:
            with self._store.writing(workspace) as unit:
                for known in over:
                    problem = unit.problems.get(known.id)
                    if problem is not None and (open_again := lifecycle.awakened(problem, now)) != problem:
                        unit.problems.put(open_again)
                        lead_alerts(unit, open_again)
            replica.follow()

    def merge(self, caller: Principal, problem_id: str, into: str) -> ProblemView:
        """Put one problem's cases, alerts and id under another that survives."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                old, survivor = _problem(unit, problem_id), _problem(unit, into)
                if old.id == survivor.id:
                    raise InvalidRequest.of("into", "names the same problem; name another one")
                unit.problems.merge_alias(old.id, survivor.id)
                unit.audit.append(caller.key_id, "problem.merge", old.id, {"into": survivor.id})
                self._recount(unit, survivor.id)
                problem = _problem(unit, survivor.id)
                lead_alerts(unit, problem)
                watermark = unit.events.latest_at() or self._clock()
            replica.follow()
        return _view(problem, watermark)

    def split(self, caller: Principal, problem_id: str, case_ids: Sequence[str]) -> ProblemView:
        """Make a new problem of some of a problem's cases; returns the new one."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                old = _problem(unit, problem_id)
                new = self._split_off(unit, old, case_ids)
                unit.audit.append(caller.key_id, "problem.split", old.id, {"new": new.id, "cases": len(case_ids)})
                self._recount(unit, old.id)
                self._recount(unit, new.id)
                problem = _problem(unit, new.id)
                watermark = unit.events.latest_at() or self._clock()
            replica.reset()
        return _view(problem, watermark)

    def _split_off(self, unit: Unit, old: Problem, case_ids: Sequence[str]) -> Problem:
        cases = [_case(unit, case_id) for case_id in dict.fromkeys(case_ids)]
        strangers = [case.id for case in cases if case.problem_id != old.id]
        if strangers:
            raise InvalidRequest.of("case_ids", "{id} is not a case of this problem", id=strangers[0])
        events = [stored.event for case in cases for stored in unit.events.of_case(case.id)]
        theirs = {item.event_id for item in unit.problems.observations(old.id)}
        moved = [event for event in events if event.id in theirs]
        if len(moved) in (0, len(theirs)):
            raise InvalidRequest.of(
                "case_ids", "must be some of the cases that speak of this problem, not all and not none"
            )
        first = min(moved, key=lambda event: event.at)
        new = replace(
            old,
            id=_unused_id(unit, old.id, first.id),
            names=self._routing.name([event.text for event in moved if event.text]) or old.names,
            named_by_person=False,
            aliases=(),
            opened_at=first.at,
            episode_at=max(first.at, old.episode_at) if old.episode_at > old.opened_at else first.at,
        )
        unit.problems.put(new)
        unit.assignments.reassign([event.id for event in moved], new.id)
        for case in cases:
            unit.cases.put(replace(case, problem_id=new.id))
        return new

    def _recount(self, unit: Unit, problem_id: str) -> None:
        problem = _problem(unit, problem_id)
        seen = unit.problems.observations(problem.id)
        begin = lifecycle.episode_begin(problem)
        episode = {item.customer_id or item.event_id for item in seen if begin is None or item.at >= begin}
        moments = [item.at for item in seen]
        opened_at = min([problem.opened_at, *moments])
        unit.problems.put(
            replace(
                problem,
                events=len(seen),
                customers=len(episode),
                opened_at=opened_at,
                episode_at=opened_at if begin is None else problem.episode_at,
                active_at=max([problem.active_at, *moments]),
            )
        )

    # --- alerts, proposals, rules

    def alerts(
        self, workspace: str, cursor: str | None, limit: int, **filters: Any
    ) -> Page[tuple[Alert, Problem]]:
        self._wake(workspace)
        with self._store.reading(workspace) as unit:
            page = unit.alerts.page(cursor, limit, **filters)
            items = tuple((alert, _problem(unit, alert.problem_id)) for alert in page.items)
        return Page(items, page.next_cursor)

    def alert(self, workspace: str, alert_id: str) -> tuple[Alert, Problem]:
        self._wake(workspace)
        with self._store.reading(workspace) as unit:
            alert = unit.alerts.get(alert_id)
            if alert is None:
                raise NotFound("There is no alert {id} in this workspace.", id=alert_id)
            return alert, _problem(unit, alert.problem_id)

    def proposals(self, workspace: str, cursor: str | None, limit: int, **filters: Any) -> Page[Proposal]:
        with self._store.reading(workspace) as unit:
            return unit.proposals.page(cursor, limit, **filters)

    def decide(self, caller: Principal, proposal_id: str, state: Literal["accepted", "dismissed"]) -> Proposal:
        with self._store.writing(caller.workspace) as unit:
            proposal = unit.proposals.get(proposal_id)
            if proposal is None:
                raise NotFound("There is no proposal {id} in this workspace.", id=proposal_id)
            if proposal.state not in ("open", state):
                raise Conflict("The proposal {id} was {state} before.", id=proposal_id, state=proposal.state)
            proposal = replace(proposal, state=state)
            unit.proposals.put(proposal)
            unit.audit.append(caller.key_id, f"proposal.{state}", proposal_id, {})
        return proposal

    def rules(self, workspace: str) -> Rules:
        with self._store.reading(workspace) as unit:
            return unit.rules.get()

    def put_rules(self, caller: Principal, rules: Rules) -> Rules:
        """Set a workspace's rules. Raises InvalidValue for a weight of a factor that does not exist."""
        check_weights(rules)
        with self._store.writing(caller.workspace) as unit:
            unit.rules.put(rules)
            unit.audit.append(caller.key_id, "rules.changed", "rules", {})
        self._replicas.follow(caller.workspace)
        return rules

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
                    self._recount(unit, problem_id)
                for problem_id in erasure.unnamed_problem_ids:
                    self._name_again(unit, problem_id)
                unit.audit.append(caller.key_id, "customer.erased", digest, {"counts": dict(erasure.counts)})
            replica.reset()
        self._reader.forget()
        return dict(erasure.counts)

    def _name_again(self, unit: Unit, problem_id: str) -> None:
        """A name that quoted the customer is made anew from what others wrote."""
        problem = _problem(unit, problem_id)
        rest = [item.event.text for item in unit.events.of_problem(problem_id, limit=EXAMPLES) if item.event.text]
        names = self._routing.name(rest) if rest else {"en": problem.id, "zh": problem.id}
        unit.problems.put(replace(problem, names=names))


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
    return HeardEvent(event, utterance, entities, small_talk(text, utterance.language))


def _is_spoken(event: Event) -> bool:
    return event.type == "message" and event.role == "customer" and bool(event.text)


def _too_early(event: Event, now: datetime) -> InvalidRequest | None:
    if event.at <= now + AHEAD:
        return None
    return InvalidRequest.of(
        "at", "{at} is more than 5 minutes ahead of the clock; send it when it has happened", at=event.at.isoformat()
    )


def _view(problem: Problem, watermark: datetime) -> ProblemView:
    """Emerging and evergreen are separate axes: the first is new, the second has been asked for long by many."""
    span = problem.active_at - problem.opened_at
    return ProblemView(
        problem,
        emerging=problem.opened_at > watermark - EMERGING,
        evergreen=span >= timedelta(days=EVERGREEN_DAYS) and problem.customers >= EVERGREEN_CUSTOMERS,
    )


def _counted(problem: Problem) -> dict[str, str]:
    return {
        "zh": f"{problem.customers} 位顾客,共 {problem.events} 条消息;尚未触发预警。",
        "en": f"{problem.customers} customers, {problem.events} messages; no alert so far.",
    }


def _of_kind(linked: Sequence[LinkedDocument], kind: str) -> tuple[LinkedDocument, ...]:
    return tuple(item for item in linked if item.kind == kind)


def _announce(unit: Unit, type: str, problem: Problem, at: datetime) -> None:
    to = listeners(unit.webhooks.all(), type, products=problem.products, expertise=problem.expertise_id)
    if to:
        unit.outbox.add(type, problem_data(problem, at), at, to)


def _unused_id(unit: Unit, old_id: str, event_id: str) -> str:
    """An id for what is split off, from content; another one when the same was split off and merged before."""
    rounds = 0
    while unit.problems.get(found := digest_id("p", unit.workspace, old_id, event_id, f"split{rounds or ''}")):
        rounds += 1
    return found


def _problem(unit: Unit, problem_id: str) -> Problem:
    problem = unit.problems.get(problem_id)
    if problem is None:
        raise NotFound("There is no problem {id} in this workspace.", id=problem_id)
    return problem


def _problem_of(unit: Unit, case: Case) -> Problem | None:
    return unit.problems.get(case.problem_id) if case.problem_id is not None else None


def _case(unit: Unit, case_id: str) -> Case:
    case = unit.cases.get(case_id)
    if case is None:
        raise NotFound("There is no case {id} in this workspace.", id=case_id)
    return case


def _detail(unit: Unit, case: Case) -> CaseDetail:
    events = tuple(stored.event for stored in unit.events.of_case(case.id))
    return CaseDetail(case, _problem_of(unit, case), events)
