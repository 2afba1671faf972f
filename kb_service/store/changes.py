"""The change log that everything derived follows."""

from __future__ import annotations

from sqlalchemy import select

from kb_service.store import tables
from kb_service.store.repository import Repository
from kb_service.store.values import Change, ChangeKind

_changes = tables.changes


class Changes(Repository):
    """Append-only entries of kind, id and version; never content. Positions start at 1 and have no gaps."""

    table = _changes

    def position(self) -> int:
        """The position of the last entry; 0 before the first."""
        if self._scope.writable:
            self._scope.ledger.flush()
        statement = select(tables.workspaces.c.position).where(tables.workspaces.c.id == self.workspace)
        return int(self._read(statement).scalar_one())

    def since(self, position: int, limit: int = 1000) -> list[Change]:
        """The entries after `position`, oldest first, at most `limit`."""
        if self._scope.writable:
            self._scope.ledger.flush()
        statement = (
            select(_changes.c.position, _changes.c.kind, _changes.c.id, _changes.c.version)
            .where(self._mine(), _changes.c.position > position)
            .order_by(_changes.c.position)
            .limit(limit)
        )
        return [Change(row.position, row.kind, row.id, row.version) for row in self._read(statement)]

    def record(self, kind: ChangeKind, id: str, version: int = 0) -> None:
        """Notes a change of the open unit; the repositories do this by themselves."""
        self._log(kind, id, version)
