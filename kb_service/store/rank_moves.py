"""What feedback moved in the ranking, and what was taken back of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, insert, select, update

from graph.learned_ranks import MOST, Contribution, Place
from kb_service.store import tables
from kb_service.store.ids import new_id
from kb_service.store.repository import Repository, page_of
from kb_service.store.values import Page, RankMove

_moves = tables.rank_moves
_PLAIN = (
    "id", "at", "kind", "scope", "subject_id", "external_id", "step", "boost", "actor", "withdraws", "agents",
    "customers",
)  # fmt: skip


class RankMoves(Repository):
    """Append-only: what is withdrawn stays, with an entry that withdraws it."""

    table = _moves

    def add_many(self, moves: Iterable[RankMove]) -> None:
        """Appends entries in their order; they are in force from the commit on. Their ids are new."""
        ordinal = self._last()
        rows: list[dict[str, Any]] = []
        for move in moves:
            ordinal += 1
            row: dict[str, Any] = {name: getattr(move, name) for name in _PLAIN}
            row["contributions"] = [asdict(item) for item in move.contributions]
            rows.append(row | {"workspace": self.workspace, "ordinal": ordinal})
            self._log("ranks", move.id)
        if rows:
            self._write(insert(_moves), rows)

    def get(self, id: str) -> RankMove | None:
        row = self._read(select(_moves).where(self._mine(), _moves.c.id == id)).first()
        return None if row is None else _move(row)

    def page(self, cursor: str | None = None, limit: int = 50) -> Page[RankMove]:
        """All entries, the newest first."""
        rows, following = self._page(
            select(_moves).where(self._mine()), [_moves.c.ordinal], cursor, limit, descending=True
        )
        return page_of(map(_move, rows), following)

    def latest_id(self) -> str | None:
        """The id of the entry that was appended last."""
        statement = select(_moves.c.id).where(self._mine()).order_by(_moves.c.ordinal.desc()).limit(1)
        found: str | None = self._read(statement).scalar()
        return found

    def withdrawn(self, id: str) -> bool:
        """Whether a move was taken back."""
        statement = select(_moves.c.id).where(self._mine(), _moves.c.withdraws == id).limit(1)
        return self._read(statement).first() is not None

    def boosts(self) -> dict[Place, float]:
        """The boost in force of each document for each subject (log-odds); where all was taken back, 0.

        The sum of the steps that stand, in 0 and the largest: without a step that was taken back it is exactly
        what it was before.
        """
        steps: dict[Place, dict[str, float]] = {}
        gone: set[str] = set()
        columns = (
            _moves.c[name] for name in ("id", "scope", "subject_id", "external_id", "step", "withdraws")
        )
        for row in self._read(select(*columns).where(self._mine()).order_by(_moves.c.ordinal)):
            if row.withdraws is not None:
                gone.add(row.withdraws)
            else:
                steps.setdefault(((row.scope, row.subject_id), row.external_id), {})[row.id] = row.step
        return {
            place: boosted(place, (step for id, step in given.items() if id not in gone))
            for place, given in steps.items()
        }

    def taken_back(self) -> dict[Place, datetime]:
        """When a person last took back a move of a document for a subject."""
        columns = (_moves.c[name] for name in ("scope", "subject_id", "external_id", "at"))
        statement = (
            select(*columns).where(self._mine(), _moves.c.kind == "reverted").order_by(_moves.c.ordinal)
        )
        return {((row.scope, row.subject_id), row.external_id): row.at for row in self._read(statement)}

    def withdraw(self, move: RankMove, kind: Literal["reverted", "erased"], actor: str) -> RankMove:
        """Appends the entry that takes a move back, which is returned."""
        place: Place = ((move.scope, move.subject_id), move.external_id)
        entry = RankMove(
            id=new_id("mv_", self._scope.now),
            at=self._scope.now,
            kind=kind,
            scope=move.scope,
            subject_id=move.subject_id,
            external_id=move.external_id,
            step=-move.step,
            boost=self._without(place, move.id),
            actor=actor,
            withdraws=move.id,
        )
        self.add_many([entry])
        return entry

    def forget(self, exposure_ids: Collection[str]) -> int:
        """Withdraws what rests on some exposures and forgets that it did; how many entries there were.

        The next night makes the moves again as far as what others did still tells so.
        """
        gone = set(exposure_ids)
        found = [
            move
            for move in map(_move, self._read(select(_moves).where(self._mine())).all())
            if gone & {item.exposure_id for item in move.contributions}
        ]
        for move in found:
            if not self.withdrawn(move.id):
                self.withdraw(move, "erased", "erasure")
            left = [asdict(item) for item in move.contributions if item.exposure_id not in gone]
            self._write(update(_moves).where(self._mine(), _moves.c.id == move.id).values(contributions=left))
        return len(found)

    def _without(self, place: Place, id: str) -> float:
        (scope, subject_id), external_id = place
        withdrawn = select(_moves.c.withdraws).where(self._mine(), _moves.c.withdraws.is_not(None))
        statement = select(_moves.c.step).where(
            self._mine(),
            _moves.c.scope == scope,
            _moves.c.subject_id == subject_id,
            _moves.c.external_id == external_id,
            _moves.c.withdraws.is_(None),
            _moves.c.id != id,
            _moves.c.id.not_in(withdrawn),
        )
        return boosted(place, self._read(statement).scalars())

    def _last(self) -> int:
        return int(self._read(select(func.max(_moves.c.ordinal)).where(self._mine())).scalar() or 0)


def boosted(place: Place, steps: Iterable[float]) -> float:
    """What some steps come to; the sum does not depend on their order."""
    return min(max(math.fsum(steps), 0.0), MOST[place[0][0]])


def _move(row: Any) -> RankMove:
    plain: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    return RankMove(contributions=tuple(Contribution(**item) for item in row.contributions), **plain)
