"""What a coarse shop's night finds: problems of one theme, and problems that hold two, by who is near to whom among all
that was lately said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from graph.kinship import Said, Themes, kin, strayed, themes
from graph.models import Problem
from graph.recurrence import Observation
from graph.regrouping import Entities, contradict, may_be_kin, survivor
from kb_service.recurring.regrouping import reader_of
from kb_service.replicas.replica import Replica
from kb_service.store import Find, Store

HEARD = 20_000
"""Latest events whose messages are compared, each with all others: half a minute for so many."""


@dataclass(frozen=True, slots=True)
class Kin:
    """`old` is of one theme with `into`, which survives: two of `many` problems that are."""

    old: str
    into: str
    many: int


@dataclass(frozen=True, slots=True)
class Stray:
    """Messages of a problem that are of another theme than most of it: `parts` are the events that stay and those that
    go, `anchors` the most typical of either."""

    problem_id: str
    parts: tuple[frozenset[str], frozenset[str]]
    anchors: tuple[str, str]

    @property
    def evidence(self) -> dict[str, Any]:
        return {"theme": True, "kept": len(self.parts[0]), "gone": len(self.parts[1])}


@dataclass(frozen=True, slots=True)
class ByTheme:
    """What is of one theme, those of the largest first, and what is of two, the largest part first."""

    kin: tuple[Kin, ...]
    strays: tuple[Stray, ...]


def found_by_theme(
    store: Store,
    replica: Replica,
    problems: Mapping[str, Problem],
    said_apart: Collection[frozenset[str]],
    since: datetime,
) -> ByTheme:
    """What would go into what, and what would leave. Problems that have been quiet since `since`, an event time, are
    left out, and those of `said_apart` are kept apart."""
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

    heard = _heard(store, replica, {id for id, problem in problems.items() if problem.active_at >= since})
    said = list(heard.values())
    about = themes(said, reads=replica.reads)
    return ByTheme(_kin(kin(said, about, apart=apart), problems), _strays(heard, about))


def _kin(groups: Iterable[Sequence[str]], problems: Mapping[str, Problem]) -> tuple[Kin, ...]:
    found = []
    for group in groups:
        into = reduce(lambda one, other: survivor(one, other)[0], (problems[id] for id in group))
        found += [Kin(id, into.id, len(group)) for id in group if id != into.id]
    return tuple(sorted(found, key=lambda item: (-item.many, item.into, item.old)))


def _strays(heard: Mapping[str, Said], about: Themes) -> tuple[Stray, ...]:
    ids = list(heard)
    events: dict[str, set[str]] = {}
    for id, message in heard.items():
        events.setdefault(message.problem_id, set()).add(id)
    found = []
    for item in strayed(list(heard.values()), about):
        gone = frozenset(ids[place] for place in item.gone)
        stay, strange = (ids[place] for place in item.anchors)
        parts = frozenset(events[item.problem_id] - gone), gone
        found.append(Stray(item.problem_id, parts, (stay, strange)))
    return tuple(sorted(found, key=lambda stray: (-len(stray.parts[1]), stray.problem_id, stray.anchors)))


def _heard(store: Store, replica: Replica, lately: Collection[str]) -> dict[str, Said]:
    """The messages of problems, by event."""
    read = reader_of(replica)
    heard = {}
    with store.reading(replica.workspace) as unit:
        for message in unit.events.messages(max(0, replica.sequence - HEARD)):
            problem_id = message.assignment.problem_id if message.assignment is not None else None
            if problem_id in lately and problem_id is not None and (said := read(message)) is not None:
                event = message.event
                voter = Observation(event.at, event.customer_id, event.id, event.conversation_id).voter
                heard[event.id] = Said(problem_id, said.utterance, said.entities, voter)
    return heard


def due_kin(
    found: Sequence[Kin], before: Iterable[Find], problems: Iterable[Problem]
) -> tuple[list[Kin], list[Kin]]:
    """What to merge now, being of one theme as it was the night before, and what was not so then."""
    now = _now(problems)
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


def due_strays(
    found: Sequence[Stray], before: Iterable[Find], problems: Iterable[Problem]
) -> tuple[list[Stray], list[Stray]]:
    """What to part now, having been of two themes the night before, and what was not so then."""
    now = _now(problems)
    seen = {
        (now.get(find.problem_id, find.problem_id), find.anchors) for find in before if find.kind == "stray"
    }
    due: list[Stray] = []
    fresh: list[Stray] = []
    for item in found:
        stay, gone = item.parts
        again = any(id == item.problem_id and one in stay and other in gone for id, (one, other) in seen)
        (due if again else fresh).append(item)
    return due, fresh


def kept_finds(left: Iterable[Kin | Stray]) -> list[Find]:
    """What was found and not done, for the next night."""
    return [
        Find("kin", item.into, item.old, 0.0)
        if isinstance(item, Kin)
        else Find("stray", item.problem_id, item.anchors[1], 0.0, item.anchors)
        for item in left
    ]


def _now(problems: Iterable[Problem]) -> dict[str, str]:
    """What problems are called now, by every id that they had."""
    return {id: problem.id for problem in problems for id in (problem.id, *problem.aliases)}
