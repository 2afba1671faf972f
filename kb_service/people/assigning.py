"""Waiting cases to people: many at one moment, one by hand, and the queue that they stand in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from graph.assignment import Patience, Placement, assign
from graph.models import Agent, Priority, Problem, Rules
from graph.permissions import granted
from ingest.redaction import redact
from kb_service.casework import case_detail
from kb_service.errors import InvalidRequest
from kb_service.lookups import found_case, still_with
from kb_service.messages import Language
from kb_service.metrics.lately import Lately
from kb_service.models import Assignment, CaseDetail, Principal, QueuedCase
from kb_service.paging import page_by
from kb_service.people.explaining import Circumstances, features_of
from kb_service.people.inactivity import Idle, release_idle
from kb_service.people.recent_work import RecentWork, recent_work
from kb_service.people.standing_queue import StandingQueue, standing_queue
from kb_service.people.waiting import WaitingCase, waiting_cases
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.routing import LANGUAGES, Placed, Routing
from kb_service.store import Decision, DecisionKind, Page, Store, Unit, new_id
from kb_service.trials.treatment import treated

MOST_AT_ONCE = 500
"""Waiting cases that one call looks at: of more, those that wait longest and the newest."""
QUEUE_KEPT = timedelta(seconds=5)
"""How long a queue in which nothing happened is told again as it was."""
PLACE_KEPT = timedelta(seconds=30)
"""How long a case of the queue in which nothing happened keeps its priority, whatever happens in others: to place one
takes a match and half a dozen queries, and a desk asks every few seconds."""
PLACED_AT_ONCE = 20
"""Cases that one look at the queue places again for their age alone, the oldest first, so that nobody waits for all;
none keeps its priority for longer than PLACE_KEPT_MOST."""
PLACE_KEPT_MOST = timedelta(minutes=2)
DECISIONS_KEPT = timedelta(days=400)
"""How long a decision about a case that is over can be explained: a year and some."""


@dataclass(frozen=True, slots=True)
class _Placing:
    """A waiting case with its route and what it asks of an agent."""

    waiting: WaitingCase
    placed: Placed


@dataclass(frozen=True, slots=True)
class _Queue:
    """The waiting cases as they stood at one position of the change log, for desks that ask every few seconds."""

    position: int
    at: datetime
    items: tuple[QueuedCase, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A case at its place in the queue, and all that it was placed by but the time."""

    at: datetime
    waiting: WaitingCase
    rules: Rules
    queued: QueuedCase


class Assigning:
    """Gives the waiting cases of every workspace to the people who are there."""

    def __init__(
        self, store: Store, replicas: Replicas, routing: Routing, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._routing = routing
        self._clock = clock
        self._queues: dict[tuple[str, Language], _Queue] = {}
        self._kept: dict[tuple[str, Language], Mapping[str, _Kept]] = {}
        self._standing: Lately[StandingQueue] = Lately(clock)

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
        placing = {item.waiting.case.id: item for item in self._place(replica, now, language)}
        if at is None:
            self._remember(replica, list(placing.values()), now)
        if not placing:
            return []
        with self._store.writing(caller.workspace) as unit:
            made, decisions = _decide(unit, caller, placing, now, language, patience)
            _write(unit, caller, made, decisions)
        self._replicas.follow(caller.workspace)
        return made

    def _place(self, replica: Replica, now: datetime, language: Language) -> list[_Placing]:
        return [self._placing(replica, item, now, language) for item in self._waiting(replica)]

    def _remember(self, replica: Replica, placing: Sequence[_Placing], now: datetime) -> None:
        """Cases that were placed to be given have their place in the queue of every language too: a desk that looks
        next places only those that came since."""
        rules = replica.shop.rules
        for language in LANGUAGES:
            self._kept[replica.workspace, language] = {
                item.waiting.case.id: _Kept(
                    now,
                    item.waiting,
                    rules,
                    replace(_queued(replica, item), priority=item.placed.told[language]),
                )
                for item in placing
            }

    def _waiting(self, replica: Replica) -> list[WaitingCase]:
        with self._store.reading(replica.workspace) as unit:
            return waiting_cases(unit, replica.problems, MOST_AT_ONCE)

    def _placing(self, replica: Replica, item: WaitingCase, now: datetime, language: Language) -> _Placing:
        placed = self._routing.place(
            treated(replica, item.question, now, customer_id=item.case.customer_id),
            replace(item.question, reader=language),
            item.known,
            at=now,
        )
        return _Placing(item, placed)

    def night(self, workspace: str) -> int:
        """Forget what was decided long ago about cases that are over; how many decisions went."""
        with self._store.writing(workspace) as unit:
            return unit.decisions.purge(unit.now - DECISIONS_KEPT)

    # --- the queue

    def queue(
        self, workspace: str, cursor: str | None, limit: int, *, language: Language = "en"
    ) -> Page[QueuedCase]:
        """The waiting cases in the order in which they are to be taken, each with its priority and the reasons."""
        items = self._queued(workspace, language)
        return page_by(items, lambda item: (-_pressing(item.priority), item.case.id), cursor, limit)

    def standing(self, workspace: str, *, language: Language = "en") -> StandingQueue:
        """Where cases wait and which are about to miss their first reply, of those that the queue looks at: now, or
        while that takes longer than anybody waits at the moment that it tells, of a minute ago or so."""
        return self._standing.of(
            (workspace, language),
            lambda: self._stands(workspace, language),
            (self._store.position(workspace), self._clock()),
        )

    def _stands(self, workspace: str, language: Language) -> StandingQueue:
        expertise_of = self._replicas.at_hand(workspace).fields_by_problem()
        items = self._queued(workspace, language)
        with self._store.reading(workspace) as unit:
            total = unit.cases.counts().get("waiting", 0)
        return standing_queue(items, expertise_of, self._clock(), total)

    def _queued(self, workspace: str, language: Language) -> tuple[QueuedCase, ...]:
        # A waiting case is of the problem that it was recorded with, whether or not the matcher is there yet.
        replica = self._replicas.at_hand(workspace)
        seen, now = self._store.position(workspace), self._clock()
        key = (workspace, language)
        known = self._queues.get(key)
        if known is None or known.position != seen or not now - known.at < QUEUE_KEPT:
            known = self._queues[key] = _Queue(seen, now, self._placed_again(replica, now, language))
        return known.items

    def _placed_again(self, replica: Replica, now: datetime, language: Language) -> tuple[QueuedCase, ...]:
        """The queue, of which only the cases are placed in which something happened, or none of late."""
        waiting = self._waiting(replica)
        key, rules = (replica.workspace, language), replica.shop.rules
        known = self._kept.get(key, {})
        made: dict[str, _Kept] = {}
        for item in waiting:
            kept = known.get(item.case.id)
            if kept is not None and kept.waiting == item and kept.rules == rules:
                made[item.case.id] = kept
        aged = sorted((kept.at, id) for id, kept in made.items() if now - kept.at >= PLACE_KEPT)
        for place, (at, id) in enumerate(aged):
            if place < PLACED_AT_ONCE or now - at >= PLACE_KEPT_MOST:
                del made[id]
        for item in waiting:
            if item.case.id not in made:
                queued = _queued(replica, self._placing(replica, item, now, language))
                made[item.case.id] = _Kept(now, item, rules, queued)
        self._kept[key] = made
        return tuple(kept.queued for kept in made.values())

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
        ahead = self._ahead(replica, case_id)
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

    def _ahead(self, replica: Replica, case_id: str) -> int:
        """How many waiting cases are to be taken before this one; 0 when it does not wait."""
        scores = {item.case.id: _pressing(item.priority) for item in self._queued(replica.workspace, "en")}
        return sum(score > scores[case_id] for score in scores.values()) if case_id in scores else 0


def _pressing(priority: Priority) -> float:
    """What cases are ordered by, also those beyond 100."""
    return max(float(priority.score), priority.total)


def _queued(replica: Replica, item: _Placing) -> QueuedCase:
    case, placed = item.waiting.case, item.placed
    problem: Problem | None = replica.problems.get(case.problem_id or "")
    route, asked = placed.route, item.waiting.question.text
    return QueuedCase(case, problem, route.priority, placed.need.waiting_since, route.sla, asked)


# --- under the lock


def _decide(
    unit: Unit,
    caller: Principal,
    placing: Mapping[str, _Placing],
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
    items: Sequence[_Placing],
    agents: Sequence[Agent],
    recent: RecentWork,
    now: datetime,
    language: Language,
    patience: Patience | None,
) -> list[Placement]:
    """The best assignment of all cases; none goes back to who left it unanswered while another can take it."""
    needs = {item.placed.need.case_id: item.placed.need for item in items}
    estimates = {item.placed.need.case_id: item.placed.estimates for item in items}
    deal = partial(
        assign,
        now=now,
        estimates=estimates,
        recent=recent.cases,
        online_seconds=recent.online_seconds,
        language=language,
    )
    found = list(deal(list(needs.values()), agents, patience=patience))
    avoided = {item.placed.need.case_id: item.waiting.avoid for item in items if item.waiting.avoid}
    for place, placement in enumerate(found):
        if placement.choice is None or placement.choice.agent.id != avoided.get(placement.case_id):
            continue
        elsewhere = [item for item in found if item is not placement]
        given = Counter(item.choice.agent.id for item in elsewhere if item.choice is not None)
        others = [
            replace(agent, load=agent.load + given[agent.id])
            for agent in agents
            if agent.id != avoided[placement.case_id]
        ]
        (other,) = deal([needs[placement.case_id]], others)
        if other.choice is not None:
            found[place] = other
    return found


def _decision(
    unit: Unit,
    caller: Principal,
    item: _Placing,
    placement: Placement,
    around: Circumstances,
    latest: Decision | None,
) -> Decision:
    expertise = item.placed.route.expertise
    kind: DecisionKind = "assignment"
    previous = None
    if latest is not None and latest.kind == "reassignment":
        kind, previous = "reassignment", latest.previous_agent_id
    return Decision(
        id=new_id("dec_", unit.now),
        at=unit.now,
        kind=kind,
        case_id=placement.case_id,
        actor=caller.key_id,
        reason=placement.reason,
        agent_id=placement.choice.agent.id if placement.choice is not None else None,
        previous_agent_id=previous,
        expertise_id=expertise.expertise.id if expertise is not None else None,
        experiment_id=item.placed.way.assigned_by,
        arm=item.placed.way.assignment_arm,
        features=features_of(item.placed, placement.choice, around, avoided=item.waiting.avoid),
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
