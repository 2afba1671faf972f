"""Where cases wait: the queue by expertise, by band of priority and by service tier, and what is due next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from kb_service.models import QueuedCase

Divided: TypeAlias = Literal["expertise", "band", "tier"]
DIVIDED: tuple[Divided, ...] = ("expertise", "band", "tier")
SOON = 0.75
"""The share of the time for a first reply after which a case is about to miss it."""
MOST_PRESSING = 20
DueState: TypeAlias = Literal["missed", "soon", "in_time"]


@dataclass(frozen=True, slots=True)
class WaitingPart:
    """Some of the waiting cases: how many, how long the oldest waits (seconds), how many have missed their first reply
    or are about to, and how many were not solved by when that was due."""

    key: str | None
    waiting: int
    oldest_seconds: float
    missed: int
    soon: int
    unsolved: int


@dataclass(frozen=True, slots=True)
class StandingQueue:
    """The queue at `at`: all of it, its parts, and the cases whose first reply is due next, the latest missed first.

    `total` counts every case that waits, of which the queue looks at so many at most.
    """

    at: datetime
    total: int
    whole: WaitingPart
    parts: Mapping[Divided, tuple[WaitingPart, ...]]
    pressing: tuple[tuple[QueuedCase, DueState], ...]


def standing_queue(
    queued: Sequence[QueuedCase], expertise_of: Mapping[str, str], at: datetime, total: int
) -> StandingQueue:
    """The queue as it stands; parts of most missed cases first, bands and tiers from the fastest on."""
    keys: Mapping[Divided, Callable[[QueuedCase], str | None]] = {
        "expertise": lambda item: expertise_of.get(item.case.problem_id or ""),
        "band": lambda item: item.priority.band,
        "tier": lambda item: str(item.sla.tier),
    }
    due = sorted(queued, key=lambda item: (item.sla.first_response_due, item.case.id))
    pressing = [(item, due_state(item, at)) for item in due]
    return StandingQueue(
        at=at,
        total=total,
        whole=_part(None, queued, at),
        parts={name: _parts(queued, key, at, name) for name, key in keys.items()},
        pressing=tuple(found for found in pressing if found[1] != "in_time")[:MOST_PRESSING],
    )


def due_state(item: QueuedCase, at: datetime) -> DueState:
    """Whether the time for a first reply is over, nearly, or not."""
    begin = item.waiting_since or item.case.opened_at
    used = (at - begin) / (item.sla.first_response_due - begin)
    return "missed" if used > 1 else "soon" if used >= SOON else "in_time"


def _parts(
    queued: Sequence[QueuedCase], key: Callable[[QueuedCase], str | None], at: datetime, by: Divided
) -> tuple[WaitingPart, ...]:
    found: defaultdict[str | None, list[QueuedCase]] = defaultdict(list)
    for item in queued:
        found[key(item)].append(item)
    parts = [_part(name, items, at) for name, items in found.items()]
    if by == "expertise":
        return tuple(sorted(parts, key=lambda part: (-part.missed, -part.waiting, part.key or "")))
    # A band and a tier both say how fast: the most urgent first.
    tier = {part.key: min(item.sla.tier for item in found[part.key]) for part in parts}
    return tuple(sorted(parts, key=lambda part: (tier[part.key], part.key or "")))


def _part(key: str | None, items: Sequence[QueuedCase], at: datetime) -> WaitingPart:
    states = [due_state(item, at) for item in items]
    since = min((item.waiting_since or item.case.opened_at for item in items), default=at)
    return WaitingPart(
        key=key,
        waiting=len(items),
        oldest_seconds=max(0.0, (at - since).total_seconds()),
        missed=states.count("missed"),
        soon=states.count("soon"),
        unsolved=sum(item.sla.resolve_due < at for item in items),
    )
