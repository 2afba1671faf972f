"""Documents out of date that somebody looked at and found right: who, for which reasons, and until when that holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository

_looks = tables.document_looks
_NAMES = ("id", "external_id", "version", "reasons", "actor", "at", "until")


@dataclass(frozen=True, slots=True)
class Look:
    """`version` of a document is still right, says `actor`; `reasons` are what spoke against it then."""

    id: str
    external_id: str
    version: int
    reasons: tuple[str, ...]
    actor: str
    at: datetime
    until: datetime


class Looks(Repository):
    """A later look at a document goes before an earlier one; each is at a version, and says nothing of others."""

    table = _looks

    def add(self, look: Look) -> None:
        row: dict[str, Any] = {name: getattr(look, name) for name in _NAMES}
        self._write(insert(_looks), [row | {"workspace": self.workspace, "reasons": list(look.reasons)}])

    def get(self, id: str) -> Look | None:
        row = self._read(select(_looks).where(self._mine(), _looks.c.id == id)).first()
        return None if row is None else _look(row)

    def in_force(self, at: datetime) -> dict[str, Look]:
        """The latest look at each document that still holds at a moment, by external id."""
        statement = select(_looks).where(self._mine(), _looks.c.until > at)
        rows = self._read(statement.order_by(_looks.c.at, _looks.c.id))
        return {row.external_id: _look(row) for row in rows}

    def remove(self, id: str) -> bool:
        """Takes a look back; False when it is not there any more."""
        return self._write(delete(_looks).where(self._mine(), _looks.c.id == id)).rowcount == 1

    def sweep(self) -> int:
        """Removes those that have ended; how many there were."""
        return self._write(delete(_looks).where(self._mine(), _looks.c.until <= self._scope.now)).rowcount


def _look(row: Any) -> Look:
    plain = {name: getattr(row, name) for name in _NAMES}
    return Look(**{**plain, "reasons": tuple(row.reasons)})
