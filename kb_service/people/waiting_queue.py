"""The queue that waiting cases stand in, each at its place: what it needs, and how pressing it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graph.models import Priority, Problem
from graph.rules import Rules
from kb_service.messages import Language
from kb_service.metrics.lately import Lately
from kb_service.models import QueuedCase
from kb_service.paging import page_by
from kb_service.people.standing_queue import StandingQueue, standing_queue
from kb_service.people.waiting import WaitingCase, waiting_cases
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.routing import LANGUAGES, Placed, Routing, Unplaced
from kb_service.store import Page, Store
from kb_service.trials.treatment import treated

MOST_AT_ONCE = 500
"""Waiting cases that one call looks at: of more, those that wait longest and the newest."""
QUEUE_KEPT = timedelta(seconds=5)
"""How long a queue in which nothing happened is told again as it was."""
PLACE_KEPT = timedelta(seconds=30)
"""How long a case of the queue in which nothing happened keeps its priority, whatever happens in others: to place one
takes reading its words and a match, and a desk asks every few seconds."""
PLACED_AT_ONCE = 20
"""Cases that one look at the queue places again for their age alone, the oldest first, so that nobody waits for all;
none keeps its priority for longer than PLACE_KEPT_MOST."""
PLACE_KEPT_MOST = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Placing:
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


class WaitingQueue:
    """The queues of every workspace."""

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

    def page(
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
        anew = [item for item in waiting if item.case.id not in made]
        for placing in self._placing(replica, anew, now, language):
            item = placing.waiting
            made[item.case.id] = _Kept(now, item, rules, _queued(replica, placing))
        self._kept[key] = made
        return tuple(kept.queued for kept in made.values())

    def ahead(self, replica: Replica, case_id: str) -> int:
        """How many waiting cases are to be taken before this one; 0 when it does not wait."""
        scores = {item.case.id: _pressing(item.priority) for item in self._queued(replica.workspace, "en")}
        return sum(score > scores[case_id] for score in scores.values()) if case_id in scores else 0

    def place(self, replica: Replica, now: datetime, language: Language) -> list[Placing]:
        """The waiting cases with what each needs, as of `now`."""
        return self._placing(replica, self._waiting(replica), now, language)

    def remember(self, replica: Replica, placing: Sequence[Placing], now: datetime) -> None:
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

    def _placing(
        self, replica: Replica, items: Sequence[WaitingCase], now: datetime, language: Language
    ) -> list[Placing]:
        unplaced = [
            Unplaced(
                treated(replica, item.question, now, customer_id=item.case.customer_id),
                replace(item.question, reader=language),
                item.known,
            )
            for item in items
        ]
        placed = self._routing.place_all(unplaced, at=now)
        return [Placing(item, one) for item, one in zip(items, placed, strict=True)]


def _pressing(priority: Priority) -> float:
    """What cases are ordered by, also those beyond 100."""
    return max(float(priority.score), priority.total)


def _queued(replica: Replica, item: Placing) -> QueuedCase:
    case, placed = item.waiting.case, item.placed
    problem: Problem | None = replica.problems.get(case.problem_id or "")
    route, asked = placed.route, item.waiting.question.text
    return QueuedCase(case, problem, route.priority, placed.need.waiting_since, route.sla, asked)
