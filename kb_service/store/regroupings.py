"""Merges and splits as they were done, with what undoes them; and what a night found and left to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import delete, insert, literal, select, update

from graph.models import Problem
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks

RegroupingKind: TypeAlias = Literal["merge", "split"]

_regroupings = tables.regroupings
_moved = tables.regrouped_events
_finds = tables.regrouping_finds
_assignments = tables.assignments
_NAMES = (
    "id", "at", "kind", "actor", "problem_id", "other_id", "margin", "kept", "evidence", "undone_at", "undone_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredRegrouping:
    """A merge of `other_id` into `problem_id`, or a split of `other_id` from it.

    `margin` is by how much the evidence passed what a night asks, in log-odds; negative where people decided
    against it, None where nobody looked. `kept` is what the merged problem was, see `kept_problem`; `evidence` are
    numbers. One that was undone says when and by whom.
    """

    id: str
    at: datetime
    kind: RegroupingKind
    actor: str
    problem_id: str
    other_id: str
    margin: float | None
    kept: Mapping[str, Any]
    evidence: Mapping[str, Any]
    undone_at: datetime | None = None
    undone_by: str | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """What a night found worth doing: two problems to merge, or one to split (`other_id` is empty).

    `anchors` are the most typical messages of the two parts of a split, by event id; `nights` how many nights running
    it was found.
    """

    kind: RegroupingKind
    problem_id: str
    other_id: str
    margin: float
    anchors: tuple[str, ...] = ()
    nights: int = 1


class Regroupings(Repository):
    table = _regroupings

    def add(self, entry: StoredRegrouping, moved: Sequence[str] = ()) -> None:
        """Appends an entry with the events that went over to the other problem."""
        row: dict[str, Any] = {name: getattr(entry, name) for name in _NAMES}
        row |= {"kept": dict(entry.kept), "evidence": dict(entry.evidence), "workspace": self.workspace}
        self._write(insert(_regroupings), [row])
        of = {"workspace": self.workspace, "regrouping_id": entry.id}
        for some in chunks(dict.fromkeys(moved)):
            self._write(insert(_moved), [{**of, "event_id": event_id} for event_id in some])

    def add_merge(self, entry: StoredRegrouping) -> None:
        """Appends the entry of a merge that is about to be done: all events of `other_id` go over."""
        self.add(entry)
        theirs = select(literal(self.workspace), literal(entry.id), _assignments.c.event_id).where(
            self._mine(_assignments), _assignments.c.problem_id == entry.other_id
        )
        self._write(insert(_moved).from_select(["workspace", "regrouping_id", "event_id"], theirs))

    def standing(self, kind: RegroupingKind, other_id: str) -> StoredRegrouping | None:
        """The latest merge or split of an id that nobody has undone."""
        statement = select(_regroupings).where(
            self._mine(),
            _regroupings.c.kind == kind,
            _regroupings.c.other_id == other_id,
            _regroupings.c.undone_at.is_(None),
        )
        latest = statement.order_by(_regroupings.c.at.desc(), _regroupings.c.id.desc()).limit(1)
        row = self._read(latest).first()
        return None if row is None else _entry(row)

    def latest(self, limit: int = 500) -> tuple[StoredRegrouping, ...]:
        """What was done, the latest first."""
        statement = select(_regroupings).where(self._mine())
        newest = statement.order_by(_regroupings.c.at.desc(), _regroupings.c.id.desc()).limit(limit)
        return tuple(map(_entry, self._read(newest)))

    def undo(self, id: str, actor: str) -> None:
        """Notes that an entry was undone."""
        mine = self._mine(), _regroupings.c.id == id
        self._write(update(_regroupings).where(*mine).values(undone_at=self._scope.now, undone_by=actor))

    def moved(self, id: str) -> frozenset[str]:
        """The events that went over with an entry; without those that were erased."""
        statement = select(_moved.c.event_id).where(self._mine(_moved), _moved.c.regrouping_id == id)
        return frozenset(self._read(statement).scalars())

    def forget(self, event_ids: Sequence[str]) -> int:
        """Forgets events that are erased, the names of problems that they had a share in, and what was found by
        them; how many rows were changed."""
        changed = 0
        touched: set[str] = set()
        for some in chunks(event_ids):
            theirs = self._mine(_moved), _moved.c.event_id.in_(some)
            touched.update(self._read(select(_moved.c.regrouping_id).where(*theirs)).scalars())
            changed += self._write(delete(_moved).where(*theirs)).rowcount
        for some in chunks(sorted(touched)):
            for entry in map(
                _entry,
                self._read(select(_regroupings).where(self._mine(), _regroupings.c.id.in_(some))).all(),
            ):
                problem = entry.kept.get("problem")
                if problem and problem["names"] and not problem["named_by_person"]:
                    kept = {**entry.kept, "problem": {**problem, "names": {}}}
                    mine = self._mine(), _regroupings.c.id == entry.id
                    self._write(update(_regroupings).where(*mine).values(kept=kept))
                    changed += 1
        gone = set(event_ids)
        for find in self.finds():
            if gone.intersection(find.anchors):
                changed += self._write(
                    delete(_finds).where(
                        self._mine(_finds),
                        _finds.c.kind == find.kind,
                        _finds.c.problem_id == find.problem_id,
                        _finds.c.other_id == find.other_id,
                    )
                ).rowcount
        return changed

    # --- what a night left to the next

    def finds(self) -> tuple[Find, ...]:
        """What the last night found and did not do."""
        order = _finds.c.kind, _finds.c.problem_id, _finds.c.other_id
        rows = self._read(select(_finds).where(self._mine(_finds)).order_by(*order))
        return tuple(
            Find(row.kind, row.problem_id, row.other_id, row.margin, tuple(row.anchors), row.nights)
            for row in rows
        )

    def replace_finds(self, finds: Sequence[Find]) -> None:
        """Keeps what this night found in place of what the last one did."""
        self._write(delete(_finds).where(self._mine(_finds)))
        rows = [
            {name.name: getattr(find, name.name) for name in fields(Find)}
            | {"workspace": self.workspace, "anchors": list(find.anchors), "at": self._scope.now}
            for find in finds
        ]
        if rows:
            self._write(insert(_finds), rows)


def kept_problem(problem: Problem) -> dict[str, Any]:
    """A problem as plain JSON, without its aliases."""
    row: dict[str, Any] = {
        item.name: getattr(problem, item.name) for item in fields(Problem) if item.name != "aliases"
    }
    row["names"], row["products"] = dict(problem.names), list(problem.products)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def problem_kept(row: Mapping[str, Any]) -> Problem:
    """The problem of `kept_problem`. A field that a newer version brought takes its default."""
    known = {item.name for item in fields(Problem)}
    values: dict[str, Any] = {
        name: datetime.fromisoformat(value) if _is_moment(name) and value is not None else value
        for name, value in row.items()
        if name in known
    }
    return Problem(**values | {"products": tuple(values["products"])})


def _is_moment(name: str) -> bool:
    return name.endswith(("_at", "_until"))


def _entry(row: Any) -> StoredRegrouping:
    return StoredRegrouping(**{name: getattr(row, name) for name in _NAMES})
