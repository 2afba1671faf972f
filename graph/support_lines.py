"""The lines of a support team: first answers, experts, the product team; which one a case asks for, and why.

A case begins with those who give first answers. It asks for the next line where it is too much for one: the matter is
sensitive, complex or contested, whoever had it passed it on, or their answers did not hold twice. A line that nobody in
the shop has is asked of nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from graph.case_history import STAYS
from graph.models import Agent, Event
from graph.permissions import level_of, supervises
from graph.waits import move_of

FIRST_ANSWERS, EXPERTS, PRODUCT_TEAM = 1, 2, 3
"""The lines, by the level of an agent's permissions: none or level-1, level-2, level-3 and above."""
LINES: Mapping[int, str] = {FIRST_ANSWERS: "first_answers", EXPERTS: "experts", PRODUCT_TEAM: "product_team"}
"""The lines by name."""
LOOKED_BACK = timedelta(days=7)
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
    """A case was handed over at `at`: by an agent, or by a bot for a `cause`."""

    at: datetime
    cause: str
    by: str | None = None


def line_of(agent: Agent) -> int:
    """The line that an agent stands in; a supervisor, who stands in for each, in the last."""
    return int(min(max(level_of(agent), FIRST_ANSWERS), PRODUCT_TEAM))


def line_asked(
    events: Sequence[Event],
    passed: Iterable[PassedOn],
    agents: Mapping[str, Agent],
    now: datetime,
    *,
    sensitive: bool = False,
) -> Asked:
    """What a case with these events, oldest first, and these hand-overs asks for now; `agents` by id."""
    since = now - LOOKED_BACK
    asked = [Asked(EXPERTS, "sensitive")] if sensitive else []
    asked += _handed_on(passed, events, agents, since)
    unheld = Counter(_line(agents, agent_id) for agent_id in _not_held(events, since))
    asked += [Asked(line + 1, "not_held") for line, times in unheld.items() if times >= UNHELD]
    furthest = max(asked, key=lambda item: item.line, default=Asked())
    reach = min(furthest.line, _last_line(agents.values()))
    return replace(furthest, line=reach) if reach > FIRST_ANSWERS else Asked()


def _handed_on(
    passed: Iterable[PassedOn], events: Sequence[Event], agents: Mapping[str, Agent], since: datetime
) -> Iterator[Asked]:
    """What the hand-overs ask for: those to the queue, and those that another system told of."""
    for item in passed:
        if item.at >= since and item.by is not None:
            yield Asked(_line(agents, item.by) + 1, "passed_on")
        elif item.at >= since and item.cause in _TOO_MUCH:
            yield Asked(EXPERTS, _TOO_MUCH[item.cause])
    for event in events:
        if event.at >= since and event.given_up and event.from_agent is not None:
            yield Asked(_line(agents, event.from_agent) + 1, "passed_on")


def _not_held(events: Sequence[Event], since: datetime) -> Iterator[str]:
    """Who resolved the case each time that its customer came back for more soon after."""
    resolved: Event | None = None
    for event in events:
        if event.type == "resolution":
            resolved = event if event.resolved is not False and event.at >= since else None
        elif resolved is not None and move_of(event) == "asks":
            if resolved.agent_id is not None and event.at - resolved.at <= STAYS:
                yield resolved.agent_id
            resolved = None


def _line(agents: Mapping[str, Agent], agent_id: str) -> int:
    """The line of somebody, who may be gone since."""
    agent = agents.get(agent_id)
    return FIRST_ANSWERS if agent is None else line_of(agent)


def _last_line(agents: Iterable[Agent]) -> int:
    """The furthest line that somebody stands in, supervisors apart: they stand in for all."""
    lines = [line_of(agent) for agent in agents if not supervises(agent)]
    return max(lines, default=FIRST_ANSWERS)
