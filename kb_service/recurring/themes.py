"""What a coarse shop's night finds: problems of one theme, by who is near to whom among all that was lately said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from graph.kinship import Said, kin
from graph.models import Problem
from graph.regrouping import Entities, contradict, may_be_kin, survivor
from kb_service.recurring.regrouping import reader_of
from kb_service.replicas.replica import Replica
from kb_service.store import Find, Store

HEARD = 20_000
"""Latest events whose messages are compared, each with all others: a quarter of a minute for so many."""


@dataclass(frozen=True, slots=True)
class Kin:
    """`old` is of one theme with `into`, which survives: two of `many` problems that are."""

    old: str
    into: str
    many: int


def found_kin(
    store: Store,
    replica: Replica,
    problems: Mapping[str, Problem],
    said_apart: Collection[frozenset[str]],
    since: datetime,
) -> list[Kin]:
    """What would go into what, those of the largest themes first. Problems that have been quiet since `since`, an event
    time, are left out, and those of `said_apart` are kept apart."""
    named: dict[str, Entities] = {}

    def entities(problem_id: str) -> Entities:
        if problem_id not in named:
            with replica.lock:
                named[problem_id] = replica.matcher.entities(problem_id)
        return named[problem_id]

    def apart(one: str, other: str) -> bool:
        return (
            frozenset((one, other)) in said_apart
            or not may_be_kin(problems[one], problems[other])
            or contradict(entities(one), entities(other))
        )

    lately = {id for id, problem in problems.items() if problem.active_at >= since}
    groups = kin(_heard(store, replica, lately), reads=replica.reads, apart=apart)
    found = []
    for group in groups:
        into = reduce(lambda one, other: survivor(one, other)[0], (problems[id] for id in group))
        found += [Kin(id, into.id, len(group)) for id in group if id != into.id]
    return sorted(found, key=lambda item: (-item.many, item.into, item.old))


def _heard(store: Store, replica: Replica, lately: Collection[str]) -> list[Said]:
    read = reader_of(replica)
    heard = []
    with store.reading(replica.workspace) as unit:
        for message in unit.events.messages(max(0, replica.sequence - HEARD)):
            problem_id = message.assignment.problem_id if message.assignment is not None else None
            if problem_id in lately and problem_id is not None and (said := read(message)) is not None:
                heard.append(Said(problem_id, said.utterance, said.entities))
    return heard


def due_kin(
    found: Sequence[Kin], before: Iterable[Find], problems: Iterable[Problem]
) -> tuple[list[Kin], list[Kin]]:
    """What to merge now, being of one theme as it was the night before, and what was not so then."""
    now = {id: problem.id for problem in problems for id in (problem.id, *problem.aliases)}
    theme: dict[str, str] = {}
    for find in before:
        if find.kind == "kin":
            theme |= {now.get(id, id): find.problem_id for id in (find.problem_id, find.other_id)}
    due: list[Kin] = []
    fresh: list[Kin] = []
    for item in found:
        again = item.old in theme and theme[item.old] == theme.get(item.into)
        (due if again else fresh).append(item)
    return due, fresh


def kept_kin(left: Iterable[Kin]) -> list[Find]:
    """What was found and not done, for the next night."""
    return [Find("kin", item.into, item.old, 0.0) for item in left]
