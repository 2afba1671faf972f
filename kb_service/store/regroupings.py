"""Merges and splits as they were done, with what undoes them; and what a night found and left to the next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, and_, delete, insert, literal, or_, select, update

from graph.models import Problem
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks

RegroupingKind: TypeAlias = Literal["merge", "split"]
FindKind: TypeAlias = Literal["merge", "split", "kin", "stray"]

_regroupings = tables.regroupings
_moved = tables.regrouped_events
_finds = tables.regrouping_finds
_assignments = tables.assignments
_STREAM = 1000
_NAMES = (
    "id", "at", "kind", "actor", "problem_id", "other_id", "margin", "kept", "evidence", "undone_at", "undone_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredRegrouping:
    """A merge of `other_id` into `problem_id`, or a split of `other_id` from it.

    `margin` is by how much the evidence passed what a night asks, in log-odds; negative where people decided
    against it, None where nobody looked or kinship decided. `kept` is what the merged problem was, see
    `kept_problem`; `evidence` are numbers. One that was undone says when and by whom.
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
    """What a night found worth doing: two problems to merge, or one to split (`other_id` is empty). Two that are "kin"
    are of one theme without being alike; a "stray" is a part of a problem that is of another theme (`other_id` is its
    most typical message).

    `anchors` are the most typical messages of the two parts of a split, by event id; `nights` how many nights running
    it was found.
    """

    kind: FindKind
    problem_id: str
    other_id: str
    margin: float
    anchors: tuple[str, ...] = ()
    nights: int = 1


@dataclass(frozen=True, slots=True)
class PastMerge:
    """A merge that stands: `old` went into `into` when the event of sequence `after` was the last that had come."""

    old: str
    into: str
    after: int


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

    def merged(self, aliases: Collection[str]) -> tuple[StoredRegrouping, ...]:
        """The merges by which some ids became aliases and that nobody has undone, oldest first."""
        found: list[StoredRegrouping] = []
        for some in chunks(dict.fromkeys(aliases)):
            theirs = *self._standing_merges(), _regroupings.c.other_id.in_(some)
            ordered = select(_regroupings).where(*theirs).order_by(_regroupings.c.at, _regroupings.c.id)
            found += map(_entry, self._read(ordered))
        return tuple(found)

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

    def forget(self, event_ids: Sequence[str], problem_ids: Collection[str] = ()) -> int:
        """Forgets events that are erased, the names of problems that they had a share in, `problem_ids` among them,
        and what was found by them; how many rows were changed."""
        changed = 0
        touched: set[str] = set()
        for some in chunks(sorted(problem_ids)):
            theirs = or_(_regroupings.c.problem_id.in_(some), _regroupings.c.other_id.in_(some))
            touched.update(self._read(select(_regroupings.c.id).where(self._mine(), theirs)).scalars())
        for some in chunks(event_ids):
            moved = self._mine(_moved), _moved.c.event_id.in_(some)
            touched.update(self._read(select(_moved.c.regrouping_id).where(*moved)).scalars())
            changed += self._write(delete(_moved).where(*moved)).rowcount
        for some in chunks(sorted(touched)):
            for entry in map(
                _entry,
                self._read(select(_regroupings).where(self._mine(), _regroupings.c.id.in_(some))).all(),
            ):
                kept = {name: _nameless(value) for name, value in entry.kept.items()}
                if kept != entry.kept:
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

    def past_merges(self, after_sequence: int = 0) -> tuple[PastMerge, ...]:
        """The merges that stand, in the order they were done in; `after` is `after_sequence` of those before that."""
        order = _regroupings.c.at.desc(), _regroupings.c.id.desc()
        merges = self._read(select(_regroupings).where(*self._standing_merges()).order_by(*order)).all()
        if not merges:
            return ()
        events = tables.events
        arrived = (
            select(events.c.sequence, _assignments.c.at)
            .join(
                _assignments,
                and_(_assignments.c.workspace == events.c.workspace, _assignments.c.event_id == events.c.id),
            )
            .where(self._mine(events), events.c.sequence > after_sequence)
            .order_by(events.c.sequence.desc())
        )
        found: list[PastMerge] = []
        rows = self._read(arrived.execution_options(yield_per=_STREAM))
        # An event that was placed late was assigned after others that came later: those tell when a merge was done.
        for row in rows:
            while len(found) < len(merges) and row.at <= merges[len(found)].at:
                done = merges[len(found)]
                found.append(PastMerge(done.other_id, done.problem_id, row.sequence))
            if len(found) == len(merges):
                break
        rows.close()
        found += [PastMerge(done.other_id, done.problem_id, after_sequence) for done in merges[len(found) :]]
        return tuple(reversed(found))

    def brought(self, after_sequence: int = 0) -> dict[str, str]:
        """The problem that each merged event was of before the first merge that took it along and stands."""
        events = tables.events
        statement = (
            select(_moved.c.event_id, _regroupings.c.other_id)
            .join(
                _regroupings,
                and_(
                    _regroupings.c.workspace == _moved.c.workspace,
                    _regroupings.c.id == _moved.c.regrouping_id,
                ),
            )
            .where(self._mine(_moved), *self._standing_merges())
            .order_by(_regroupings.c.at.desc(), _regroupings.c.id.desc())
        )
        if after_sequence:
            late = select(events.c.id).where(self._mine(events), events.c.sequence > after_sequence)
            statement = statement.where(_moved.c.event_id.in_(late))
        return {row.event_id: row.other_id for row in self._read(statement)}

    def _standing_merges(self) -> tuple[ColumnElement[bool], ...]:
        return self._mine(), _regroupings.c.kind == "merge", _regroupings.c.undone_at.is_(None)

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


def _nameless(kept: Any) -> Any:
    """A problem that was kept without the name that it had from its messages; anything else as it is."""
    named = isinstance(kept, dict) and kept.get("names") and not kept["named_by_person"]
    return {**kept, "names": {}} if named else kept


def _is_moment(name: str) -> bool:
    return name.endswith(("_at", "_until"))


def _entry(row: Any) -> StoredRegrouping:
    return StoredRegrouping(**{name: getattr(row, name) for name in _NAMES})
