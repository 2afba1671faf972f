"""Messages that wait between joining a problem and opening one: tried again until they find their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from graph.models import Entity, Event, Match, Problem, Utterance
from graph.naming import name_problem
from kb_service.ids import digest_id
from kb_service.recurring.raising import Raising, recount
from kb_service.replicas.problem_memory import stored_utterance
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.store import Store, StoredMessage, Unit
from kb_service.understanding.reading import nameable

PATIENCE = timedelta(hours=36)
"""How long a message waits (wall clock): it is tried on two nights at least. Then it joins what it is nearest to if
that is plainly ahead, or opens a problem of its own, which a night may merge."""
AHEAD, EVEN = 0.2, 0.5
"""P(same) above the runner-up's, and by itself, with which the nearest problem is plainly ahead. On the four streams of
`graph.regrouping.MERGE` this costs up to .007 of BCubed precision and gains .003 to .032 of recall over opening a
problem for each message that waited so long."""
TRIED = 500
"""Messages tried in one night, the longest waiting first."""


class Placing:
    """Tries the messages that wait, one transaction each."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._replicas = replicas
        self._clock = clock

    def retry(self, workspace: str) -> int:
        """How many found their place."""
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            waiting = unit.assignments.pending(TRIED)
        now = self._clock()
        return sum(
            self._try(workspace, replica, item.event_id, now - item.at >= PATIENCE, now) for item in waiting
        )

    def _try(self, workspace: str, replica: Replica, event_id: str, give_up: bool, now: datetime) -> bool:
        with replica.lock:
            try:
                with self._store.writing(workspace) as unit:
                    replica.catch_up(unit)
                    problem_id = place(unit, replica, event_id, give_up=give_up)
                    if problem_id is not None:
                        Raising(unit, replica, now).watch(problem_id)
            except BaseException:
                replica.reset()
                raise
            replica.follow()
        return problem_id is not None


def place(
    unit: Unit, replica: Replica, event_id: str, *, give_up: bool = False, spoken_of: str | None = None
) -> str | None:
    """Try a message that waits: the problem that it is placed in by now, None while it waits on.

    It joins what it is near enough to, or the problem `spoken_of` that the rest of its case plainly is about if that
    is the nearest; it opens one when none is near. With `give_up` it waits no longer. What its case said after it
    without a word of its own follows. The caller looks at that problem's counts, and rebuilds the replica if the
    transaction fails.
    """
    message = unit.events.message(event_id)
    assignment = message.assignment if message is not None else None
    if message is None or assignment is None or not assignment.match.pending or message.vector is None:
        return None
    if message.model_id != replica.model_id:
        return None
    utterance = stored_utterance(message, replica.model_id)
    entities = replica.shop.gazetteer.entities(message.event.text or "", message.event.at)
    match = replica.matcher.match(utterance, entities, message.event.at)
    spoken = match.problem_id == spoken_of
    ahead = give_up and match.score >= max(EVEN, match.runner_up + AHEAD)
    if match.pending and (spoken or ahead):
        match = replace(match, reason="joined", pending=False)
    elif match.reason == "new" or (match.pending and give_up):
        opened = open_problem(unit.workspace, replica, message.event, utterance, entities)
        unit.problems.put(opened)
        match = Match(opened.id, "new", match.score, match.runner_up)
    if match.problem_id is None or match.pending:
        return None
    unit.assignments.settle(event_id, match.problem_id, match)
    replica.join_late(match.problem_id, utterance, entities, message.event)
    if assignment.problem_id is not None and assignment.problem_id != match.problem_id:
        _take_along(unit, message, assignment.problem_id, match.problem_id)
    return match.problem_id


def open_problem(
    workspace: str, replica: Replica, event: Event, utterance: Utterance, entities: Sequence[Entity]
) -> Problem:
    """A problem that a message opens: a candidate, under an id and a name that are made of the message."""
    named = [entity.value for entity in entities if entity.type == "sku"]
    return Problem(
        id=digest_id("p", workspace, event.id),
        names=name_problem(nameable([replace(utterance, text=event.text or "")])),
        state="candidate",
        opened_at=event.at,
        active_at=event.at,
        episode_at=event.at,
        intent_id=replica.intent_of(utterance),
        products=tuple(dict.fromkeys([*event.products, *named])),
    )


def _take_along(unit: Unit, message: StoredMessage, before: str, now: str) -> None:
    """Move what a case said after a message that had only provisionally been of a problem, and the case itself."""
    if message.case_id is not None:
        followed = []
        stays = False
        for stored in unit.events.of_case(message.case_id):
            assignment = unit.assignments.get(stored.event.id)
            if assignment is None or assignment.problem_id != before:
                continue
            if assignment.match.reason == "same_case" and stored.sequence > message.sequence:
                followed.append(stored.event.id)
            else:
                stays = True
        case = unit.cases.get(message.case_id)
        if not stays:
            unit.assignments.reassign(followed, now)
            if case is not None and case.problem_id == before:
                unit.cases.put(replace(case, problem_id=now))
    if unit.problems.get(before) is not None:
        recount(unit, before)
