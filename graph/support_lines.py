"""The lines of a support team: first answers, experts, the product team; which one a case asks for, and why.

A case begins with those who give first answers. It asks for the next line where it is too much for one: the matter is
sensitive, complex or contested, whoever had it passed it on, or their answers did not hold twice. A line that nobody in
the shop stands in is asked of nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, TypeAlias

from graph.case_history import STAYS
from graph.models import Agent, Event
from graph.permissions import level_of, supervises
from graph.waits import move_of

FIRST_ANSWERS, EXPERTS, PRODUCT_TEAM = 1, 2, 3
"""The lines, by the level of an agent's permissions: none or level-1, level-2, level-3 and above."""
LINES: Mapping[int, str] = {FIRST_ANSWERS: "first_answers", EXPERTS: "experts", PRODUCT_TEAM: "product_team"}
"""The lines by name."""
LOOKED_BACK = timedelta(days=30)
"""What happened longer ago asks for nothing: a conversation may go on for years."""
UNHELD = 2
"""So many answers of a line that did not hold ask for the next one."""

Cause: TypeAlias = Literal["first", "sensitive", "complexity", "conflict", "passed_on", "not_held"]
_TOO_MUCH: Mapping[str, Cause] = {
    "sensitive": "sensitive",
    "complexity": "complexity",
    "conflict": "conflict",
}
"""Causes of a bot's hand-over that ask for experts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The line that a case asks for, and why that one."""

    line: int = FIRST_ANSWERS
    cause: Cause = "first"


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A case was handed over at `at`: by an agent, or by a bot for a `cause`; `to` somebody, or to those that wait."""

    at: datetime
    cause: str
    by: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a case, with the problem that its message joined."""

    event: Event
    problem_id: str | None = None


def left_by(events: Sequence[Event], passed: Iterable[PassedOn]) -> frozenset[str]:
    """Who had a case and passed it on to those that wait, or left its customer without a word and has not answered
    since."""
    left = {item.by: None for item in passed if item.by is not None and item.to is None}
    for event in events:
        if event.released and event.from_agent is not None:
            left[event.from_agent] = None
        elif event.type == "message" and event.role == "agent":
            left.pop(event.agent_id or "", None)
    return frozenset(left)


def line_of(agent: Agent) -> int:
    """The line that an agent stands in; a supervisor, who stands in for each, in the last."""
    return _line_by(agent.permissions)


def line_asked(
    happened: Sequence[Happened],
    passed: Iterable[PassedOn],
    agents: Mapping[str, Agent],
    now: datetime,
    *,
    sensitive: bool = False,
) -> Asked:
    """What a case asks for now, after what happened in it, oldest first, and its hand-overs; `agents` by id."""
    since = max(now - LOOKED_BACK, _begin(happened))
    asked = [Asked(EXPERTS, "sensitive")] if sensitive else []
    asked += _handed_on([*passed, *_transfers(happened)], agents, since)
    unheld = Counter(_line(agents, agent_id) for agent_id in _not_held(happened, since))
    asked += [Asked(line + 1, "not_held") for line, times in unheld.items() if times >= UNHELD]
    furthest = max(asked, key=lambda item: item.line, default=Asked())
    if furthest.line == FIRST_ANSWERS:
        return Asked()
    reach = min(furthest.line, _last_line(agents.values()))
    return replace(furthest, line=reach) if reach > FIRST_ANSWERS else Asked()


def _begin(happened: Sequence[Happened]) -> datetime:
    """When the present matter began: with the first that the customer asked after an answer that stayed, or ever."""
    begin, resolved = _EVER, None
    for item in happened:
        event = item.event
        if event.type == "resolution":
            resolved = event.at if event.resolved is not False else None
        elif resolved is not None and move_of(event) == "asks":
            begin = event.at if event.at - resolved > STAYS else begin
            resolved = None
    return begin


def _transfers(happened: Sequence[Happened]) -> Iterator[PassedOn]:
    """The hand-overs that another system told of."""
    for item in happened:
        if (event := item.event).passed_on:
            yield PassedOn(event.at, "transfer", event.from_agent, event.to_agent)


def _handed_on(passed: Iterable[PassedOn], agents: Mapping[str, Agent], since: datetime) -> Iterator[Asked]:
    """What the hand-overs ask for. To somebody they ask for the line of theirs where it is a further one; a supervisor
    who puts a case back deals it out."""
    for item in passed:
        if item.at < since:
            continue
        if item.by is None:
            if item.cause in _TOO_MUCH:
                yield Asked(EXPERTS, _TOO_MUCH[item.cause])
        elif item.to is None:
            agent = agents.get(item.by)
            if agent is None or not supervises(agent):
                yield Asked(_line(agents, item.by) + 1, "passed_on")
        elif (line := _line(agents, item.to)) > _line(agents, item.by):
            yield Asked(line, "passed_on")


def _not_held(happened: Sequence[Happened], since: datetime) -> Iterator[str]:
    """Who resolved the case each time that its customer came back with the same problem soon after."""
    resolved: Event | None = None
    about: str | None = None
    settled: str | None = None
    for item in happened:
        event = item.event
        if event.type == "resolution":
            resolved = event if event.resolved is not False and event.at >= since else None
            settled = about
        elif move_of(event) == "asks":
            again = event.type == "followup" or (item.problem_id is not None and item.problem_id == settled)
            if resolved is not None and again and event.at - resolved.at <= STAYS:
                if resolved.agent_id is not None:
                    yield resolved.agent_id
                resolved = None
            about = item.problem_id or about


def _line(agents: Mapping[str, Agent], agent_id: str) -> int:
    """The line of somebody, who may be gone since."""
    agent = agents.get(agent_id)
    return FIRST_ANSWERS if agent is None else line_of(agent)


def _last_line(agents: Iterable[Agent]) -> int:
    """The furthest line that somebody stands in, supervisors apart: they stand in for all."""
    return max((line_of(agent) for agent in agents if not supervises(agent)), default=FIRST_ANSWERS)


@lru_cache(maxsize=4096)
def _line_by(permissions: tuple[str, ...]) -> int:
    return int(min(max(level_of(permissions), FIRST_ANSWERS), PRODUCT_TEAM))


_EVER = datetime.min.replace(tzinfo=UTC)
