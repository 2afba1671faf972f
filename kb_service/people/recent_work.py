"""How much work each agent was given lately, and how long each was there to take it: what fairness looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.board import present_seconds
from kb_service.store import Unit

LATELY = timedelta(days=7)
"""A week evens out shifts and weekends; a day does not (docs/benchmarks.md, who takes which case)."""
FRESH = timedelta(minutes=1)
BEFORE = timedelta(days=1)
"""How long before it somebody may have come who was still there when it began."""


@dataclass(frozen=True, slots=True)
class RecentWork:
    """The week before `until`, the latest event. `cases` and `online_seconds` are by agent id; the latter is None where
    nobody told of anybody."""

    cases: Mapping[str, int]
    online_seconds: Mapping[str, float] | None = None
    until: datetime | None = None


def lately(unit: Unit, known: RecentWork | None) -> RecentWork:
    """What is `known` while that is of the last minute of event time, which is as good for a suggestion; else anew."""
    end = unit.events.latest_at()
    if known is not None and known.until is not None and end is not None and end - known.until < FRESH:
        return known
    return recent_work(unit)


def recent_work(unit: Unit) -> RecentWork:
    """What each agent was given within a week of the latest event."""
    end = unit.events.latest_at()
    if end is None:
        return RecentWork({})
    begin = end - LATELY
    # The latest event is within the span.
    told = unit.workload.states(begin - BEFORE, end + timedelta(microseconds=1))
    there = {agent_id: present_seconds(states, begin, end) for agent_id, states in told.items()}
    return RecentWork(unit.agents.recent(begin), there or None, end)
