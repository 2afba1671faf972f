"""Which problem each event belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import func, select, update

from graph.models import Match
from kb_service.store import tables
from kb_service.store.event_rows import assignment_of
from kb_service.store.repository import Insert, Repository, chunks, dialect_insert
from kb_service.store.values import Assignment

_assignments = tables.assignments


class Assignments(Repository):
    """First assignments are facts; the current one follows merges, splits and pending decisions."""

    table = _assignments

    def put(self, event_id: str, problem_id: str | None, match: Match) -> None:
        """Notes that `match` put the event into `problem_id`, which it may have opened; None for none.

        While the match is pending the assignment is provisional; the first that is not pending stays as
        `first_problem_id`.
        """
        self.put_many([(event_id, problem_id, match)])

    def put_many(self, decisions: Sequence[tuple[str, str | None, Match]]) -> None:
        """Notes many decisions at once, each as (event id, problem id, match)."""
        rows = {event_id: self._row(event_id, problem_id, match) for event_id, problem_id, match in decisions}
        if not rows:
            return
        self._write(_decide(self._scope.connection.dialect.name), list(rows.values()))
        for event_id in rows:
            self._log("event", event_id)

    def _row(self, event_id: str, problem_id: str | None, match: Match) -> dict[str, Any]:
        return {
            "workspace": self.workspace,
            "event_id": event_id,
            "problem_id": problem_id,
            "first_problem_id": None if match.pending else problem_id,
            "match_problem_id": match.problem_id,
            "reason": match.reason,
            "score": float(match.score),
            "runner_up": float(match.runner_up),
            "pending": match.pending,
            "at": self._scope.now,
        }

    def reassign(self, event_ids: Sequence[str], problem_id: str) -> int:
        """Moves events to another problem, as a split does; how many were moved."""
        moved = 0
        for some in chunks(event_ids):
            statement = update(_assignments).where(self._mine(), _assignments.c.event_id.in_(some))
            moved += self._write(statement.values(problem_id=problem_id, pending=False)).rowcount
            for event_id in some:
                self._log("event", event_id)
        return moved

    def settle(self, event_id: str, problem_id: str, match: Match) -> None:
        """Notes where a message that waited belongs after all; every process hears that it may join there."""
        self.put(event_id, problem_id, match)
        self._log("event_placed", event_id)

    def of_first(self, problem_id: str) -> frozenset[str]:
        """The events that were a problem's at first, wherever they are now."""
        first = self._mine(), _assignments.c.first_problem_id == problem_id
        return frozenset(self._read(select(_assignments.c.event_id).where(*first)).scalars())

    def of(self, problem_id: str) -> frozenset[str]:
        """The events that are a problem's now, whichever they were at first."""
        now = self._mine(), _assignments.c.problem_id == problem_id
        return frozenset(self._read(select(_assignments.c.event_id).where(*now)).scalars())

    def waiting(self, case_id: str) -> tuple[str, ...]:
        """The events of a case whose assignment is provisional, in the order they arrived in."""
        events = tables.events
        of_case = select(events.c.id, events.c.sequence).where(
            self._mine(events), events.c.case_id == case_id
        )
        # Ordered here: asked for the order, SQLite walks through all events of the workspace.
        placed = {row.id: row.sequence for row in self._read(of_case)}
        found: list[str] = []
        for some in chunks(placed):
            waits = self._mine(), _assignments.c.event_id.in_(some), _assignments.c.pending.is_(True)
            found += self._read(select(_assignments.c.event_id).where(*waits)).scalars()
        return tuple(sorted(found, key=placed.__getitem__))

    def get(self, event_id: str) -> Assignment | None:
        row = self._read(
            select(_assignments).where(self._mine(), _assignments.c.event_id == event_id)
        ).first()
        return None if row is None else assignment_of(row)

    def pending(self, limit: int = 1000) -> tuple[Assignment, ...]:
        """Provisional assignments, the longest waiting first."""
        statement = (
            select(_assignments)
            .where(self._mine(), _assignments.c.pending.is_(True))
            .order_by(_assignments.c.at, _assignments.c.event_id)
            .limit(limit)
        )
        return tuple(map(assignment_of, self._read(statement)))


@cache
def _decide(dialect: str) -> Insert:
    """The upsert of a decision, which leaves the first one that stood."""
    statement = dialect_insert(dialect, _assignments)
    decided: dict[str, Any] = {
        name: statement.excluded[name]
        for name in ("problem_id", "match_problem_id", "reason", "score", "runner_up", "pending", "at")
    }
    decided["first_problem_id"] = func.coalesce(
        _assignments.c.first_problem_id, statement.excluded.first_problem_id
    )
    return statement.on_conflict_do_update(index_elements=["workspace", "event_id"], set_=decided)
