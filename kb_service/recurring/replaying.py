"""A history of events through the very code that records them live: which problems and alerts it would have given."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from graph.models import Alert, Event, Problem
from kb_service.models import Progress
from kb_service.nightly import night_before
from kb_service.recording import HeardEvent
from kb_service.recurring.event_files import BadLine
from kb_service.recurring.scratch import BEGINNING, Scratch

NIGHTLY = ("regroup",)
"""What is done each night that bears on problems."""
GROUP = 1024
"""Events of one transaction."""
MOST_FAULTS = 100
"""Lines that are told of; all are counted."""
PAGE = 200

AHEAD = 2
"""Groups that are read before their turn."""

Source: TypeAlias = Iterable[tuple[int, Event | BadLine | None]]
Group: TypeAlias = list[tuple[int, Event]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a history: problems by their customers, most first; alerts in order of time."""

    events: int
    duplicates: int
    refused: int
    faults: tuple[BadLine, ...]
    begin: datetime | None
    end: datetime | None
    seconds: float
    problems: tuple[Problem, ...]
    alerts: tuple[Alert, ...]

    @property
    def candidates(self) -> int:
        """Problems of too few customers for anybody to hear of them."""
        return sum(problem.state == "candidate" for problem in self.problems)

    def figures(self, limit: int | None = None) -> dict[str, Any]:
        """The same as plain JSON, with the first `limit` problems and alerts."""
        names = {problem.id: dict(problem.names) for problem in self.problems}
        return {
            "events": self.events,
            "duplicates": self.duplicates,
            "refused": self.refused,
            "errors": [{"line": fault.number, "message": fault.message} for fault in self.faults],
            "from": _iso(self.begin),
            "to": _iso(self.end),
            "seconds": round(self.seconds, 2),
            "problems": {
                "total": len(self.problems),
                "candidates": self.candidates,
                "items": [_problem(problem) for problem in self.problems[:limit]],
            },
            "alerts": {
                "total": len(self.alerts),
                "by_kind": dict(Counter(alert.kind for alert in self.alerts)),
                "items": [_alert(alert, names.get(alert.problem_id, {})) for alert in self.alerts[:limit]],
            },
        }


@dataclass
class _Tally:
    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[BadLine] = field(default_factory=list)
    refused: int = 0
    begin: datetime | None = None
    end: datetime | None = None

    def fault(self, bad: BadLine) -> None:
        self.refused += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(bad)

    def span(self, event: Event) -> None:
        self.begin = event.at if self.begin is None else min(self.begin, event.at)
        self.end = event.at if self.end is None else max(self.end, event.at)


def replay(
    into: Scratch, source: Source, *, nights: bool = True, lines: int = 0, progress: Progress | None = None
) -> Replayed:
    """Record events in order of arrival, each when the clock shows its own time; then tell what came of them.

    With `nights` problems are merged and split each night that passes. `lines` is how many there will be, as far as
    that is known. Lines that hold no event are counted and told; an event whose id came before changes nothing, as
    live.
    """
    begun = time.perf_counter()
    tally = _Tally()
    casework = into.services.casework
    hour = into.services.settings.night_hour
    for group, heard in _heard(into, _groups(source, tally, hour)):
        night = night_before(group[0][1].at.astimezone(UTC), hour)
        if nights and BEGINNING < into.clock() < night:
            into.clock.reach(night)
            into.services.nightly.look(NIGHTLY)
        into.clock.reach(max(event.at for _, event in group))
        tally.statuses.update(result.status for result in casework.record_heard(into.workspace, heard))
        if progress is not None:
            done = group[-1][0]
            progress(done, max(lines, done), "events")
    return _outcome(into, tally, time.perf_counter() - begun)


def _groups(source: Source, tally: _Tally, hour: int) -> Iterator[Group]:
    """Events that are recorded together: at most GROUP, and none from beyond the next night."""
    group: Group = []
    night: datetime | None = None
    for number, item in source:
        if isinstance(item, BadLine):
            tally.fault(item)
        elif item is not None:
            tally.span(item)
            reached = night_before(item.at.astimezone(UTC), hour)
            if group and night is not None and reached > night:
                yield group
                group = []
            night = reached if night is None else max(night, reached)
            group.append((number, item))
            if len(group) == GROUP:
                yield group
                group = []
    if group:
        yield group


def _heard(into: Scratch, groups: Iterator[Group]) -> Iterator[tuple[Group, list[HeardEvent]]]:
    """Each group as the encoder reads it; while one is recorded the next is read, on another core where there is."""

    def hear(group: Group) -> tuple[Group, list[HeardEvent]]:
        return group, into.services.casework.hear(into.workspace, [event for _, event in group])

    with ThreadPoolExecutor(1, thread_name_prefix="replay") as pool:
        ahead: deque[Future[tuple[Group, list[HeardEvent]]]] = deque()
        for group in groups:
            ahead.append(pool.submit(hear, group))
            if len(ahead) > AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _outcome(into: Scratch, tally: _Tally, seconds: float) -> Replayed:
    with into.store.reading(into.workspace) as unit:
        problems = unit.problems.all()
        alerts: list[Alert] = []
        cursor: str | None = None
        while True:
            page = unit.alerts.page(cursor, PAGE)
            alerts += page.items
            if (cursor := page.next_cursor) is None:
                break
    return Replayed(
        events=tally.statuses["accepted"],
        duplicates=tally.statuses["duplicate"],
        refused=tally.refused,
        faults=tuple(tally.faults),
        begin=tally.begin,
        end=tally.end,
        seconds=seconds,
        problems=tuple(
            sorted(problems, key=lambda item: (item.state == "candidate", -item.customers, item.id))
        ),
        alerts=tuple(sorted(alerts, key=lambda alert: (alert.opened_at, alert.id))),
    )


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "id": problem.id,
        "names": dict(problem.names),
        "state": problem.state,
        "customers": problem.customers,
        "events": problem.events,
        "opened_at": _iso(problem.opened_at),
        "active_at": _iso(problem.active_at),
        "products": list(problem.products),
    }


def _alert(alert: Alert, names: dict[str, str]) -> dict[str, Any]:
    said = alert.evidence
    return {
        "id": alert.id,
        "kind": alert.kind,
        "opened_at": _iso(alert.opened_at),
        "problem": {"id": alert.problem_id, "names": names},
        "observed": said.observed,
        "expected": said.expected,
        "customers": said.customers,
        "window_minutes": said.window_minutes,
        "p_value": said.p_value,
        "evidence": dict(said.words),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
