"""Problems merged and split, by people and by the night, and each step taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from graph.exemplars import Instance
from graph.models import Event, Problem
from graph.regrouping import affinities, merge_margin
from kb_service.errors import InvalidRequest
from kb_service.lookups import found_case, found_problem
from kb_service.models import Principal, ProblemView
from kb_service.recurring import moves
from kb_service.recurring.moves import Why
from kb_service.recurring.problems import view_of
from kb_service.recurring.raising import Raising
from kb_service.replicas.problem_memory import stored_utterance
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.routing import Routing
from kb_service.store import Store, StoredMessage, Unit


class Regrouping:
    """What people say of problems that are one, or two. Their word is kept: no night undoes it, see
    `kb_service.recurring.nightly_regrouping`, which learns from it too."""

    def __init__(
        self, store: Store, replicas: Replicas, routing: Routing, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._routing = routing
        self._clock = clock

    def merge(self, caller: Principal, problem_id: str, into: str) -> ProblemView:
        """Put one problem's cases, alerts and id under another that survives."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                old, survivor = found_problem(unit, problem_id), found_problem(unit, into)
                if old.id == survivor.id:
                    raise InvalidRequest.of("into", "names the same problem; name another one")
                why = Why(caller.key_id, margin=margin_of(replica, old.id, survivor.id))
                moves.merge(unit, old, survivor, why)
            replica.follow()
            look_again(self._store, replica, survivor.id, self._clock())
            with self._store.reading(caller.workspace) as unit:
                [problem] = unit.problems.counted_in_all([found_problem(unit, survivor.id)])
                watermark = unit.events.latest_at() or self._clock()
        return view_of(problem, watermark, replica)

    def split(self, caller: Principal, problem_id: str, case_ids: Sequence[str]) -> ProblemView:
        """Make a new problem of some of a problem's cases; returns the new one."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                old = found_problem(unit, problem_id)
                moved = events_of_cases(unit, old, case_ids)
                event_ids = [event.id for event in moved]
                problem = moves.split(unit, old, event_ids, case_ids, self._routing.name, Why(caller.key_id))
                [problem] = unit.problems.counted_in_all([problem])
                watermark = unit.events.latest_at() or self._clock()
            replica.reset()
        return view_of(problem, watermark, replica)

    def unmerge(self, caller: Principal, problem_id: str, alias: str) -> ProblemView:
        """Take a merge back: the alias is a problem of its own again, as it was; returns it."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                survivor = found_problem(unit, problem_id)
                problem = moves.unmerge(
                    unit, survivor, alias, reader_of(replica), self._routing.name, replica.reads, Why(caller.key_id)
                )  # fmt: skip
                [problem] = unit.problems.counted_in_all([problem])
                watermark = unit.events.latest_at() or self._clock()
            replica.reset()
        return view_of(problem, watermark, replica)


def look_again(store: Store, replica: Replica, problem_id: str, now: datetime) -> None:
    """See what a merged problem's counts say: together its customers may be enough for people to hear of it. The caller
    holds the replica's lock."""
    try:
        with store.writing(replica.workspace) as unit:
            replica.catch_up(unit)
            Raising(unit, replica, now).watch(problem_id)
    except BaseException:
        replica.reset()
        raise
    replica.follow()


def margin_of(replica: Replica, one: str, other: str) -> float | None:
    """By how much two problems pass what a night asks of a merge, in log-odds; None where one has no messages."""
    if one not in replica.matcher or other not in replica.matcher:
        return None
    there = affinities(replica.matcher, one).get(other)
    back = affinities(replica.matcher, other).get(one)
    return merge_margin(there.probability if there else 0.0, back.probability if back else 0.0)


def reader_of(replica: Replica) -> Callable[[StoredMessage], Instance | None]:
    """What makes a stored message comparable; None for one that says nothing of its own, or was read by another
    model."""

    def read(message: StoredMessage) -> Instance | None:
        assignment = message.assignment
        if message.vector is None or message.model_id != replica.model_id:
            return None
        if assignment is None or assignment.match.reason == "same_case":
            return None
        event = message.event
        entities = replica.shop.gazetteer.entities(event.text or "", event.at)
        return Instance(stored_utterance(message, replica.model_id), tuple(entities), event.at, event.id)

    return read


def events_of_cases(unit: Unit, old: Problem, case_ids: Sequence[str]) -> list[Event]:
    """What some of a problem's cases say of it."""
    cases = [found_case(unit, case_id) for case_id in dict.fromkeys(case_ids)]
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
    return moved
