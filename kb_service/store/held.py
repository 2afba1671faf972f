"""What waits outside the knowledge for a while: documents read and not yet published, or removed and not yet gone,
and what settled conflicts changed, to take it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import delete, insert, or_, select

from kb_service.store import tables
from kb_service.store.repository import Repository

Purpose: TypeAlias = Literal["preview", "removed", "settled"]
MOST_HELD = 20
"""What one person may have waiting for one purpose; the oldest go first."""
_held = tables.held_documents
_NAMES = ("id", "owner", "purpose", "content", "made_at", "ends_at")


@dataclass(frozen=True, slots=True)
class HeldDocuments:
    """What waits for its `owner`, and until when; nobody else sees it. `content` is plain JSON."""

    id: str
    owner: str
    purpose: Purpose
    content: Mapping[str, Any]
    made_at: datetime
    ends_at: datetime


class Held(Repository):
    """Nothing of it is searched, and none of it stays: what has ended goes with the next that comes, or at night."""

    table = _held

    def put(self, held: HeldDocuments) -> None:
        """Stores what waits; what has ended goes, and the oldest of its owner beyond `MOST_HELD`."""
        theirs = (_held.c.owner == held.owner, _held.c.purpose == held.purpose)
        newest = (
            select(_held.c.id)
            .where(self._mine(), *theirs)
            .order_by(_held.c.made_at.desc(), _held.c.id.desc())
        )
        kept = list(self._read(newest.limit(MOST_HELD - 1)).scalars())
        ended = _held.c.ends_at <= self._scope.now
        beyond = theirs[0] & theirs[1] & _held.c.id.not_in(kept)
        self._write(delete(_held).where(self._mine(), or_(ended, beyond)))
        row: dict[str, Any] = {name: getattr(held, name) for name in _NAMES}
        self._write(insert(_held), [row | {"workspace": self.workspace, "content": dict(held.content)}])

    def get(self, id: str, owner: str) -> HeldDocuments | None:
        """What waits under an id for its owner; None when it never did, was taken or has ended."""
        statement = select(_held).where(self._mine(), _held.c.id == id, _held.c.owner == owner)
        row = self._read(statement.where(_held.c.ends_at > self._scope.now)).first()
        return None if row is None else HeldDocuments(**{name: getattr(row, name) for name in _NAMES})

    def of_owner(self, owner: str, purpose: Purpose) -> list[HeldDocuments]:
        """What waits for somebody for one purpose, the newest first."""
        statement = select(_held).where(self._mine(), _held.c.owner == owner, _held.c.purpose == purpose)
        rows = self._read(
            statement.where(_held.c.ends_at > self._scope.now).order_by(
                _held.c.made_at.desc(), _held.c.id.desc()
            )
        )
        return [HeldDocuments(**{name: getattr(row, name) for name in _NAMES}) for row in rows]

    def remove(self, id: str, owner: str) -> bool:
        """Takes what waits away; False when it is not there any more."""
        mine = (self._mine(), _held.c.id == id, _held.c.owner == owner)
        return self._write(delete(_held).where(*mine)).rowcount == 1

    def sweep(self) -> int:
        """Removes what has ended, whoever's it was; how many there were."""
        ended = _held.c.ends_at <= self._scope.now
        return self._write(delete(_held).where(self._mine(), ended)).rowcount
