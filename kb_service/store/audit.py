"""Who did what, in the order it happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository, page_of
from kb_service.store.values import AuditEntry, Page

_audit = tables.audit


class AuditLog(Repository):
    """Append-only. What an entry says of a customer goes with their erasure; the entry itself stays."""

    table = _audit

    def append(
        self,
        actor: str,
        action: str,
        object: str,
        detail: Mapping[str, Any],
        at: datetime | None = None,
    ) -> None:
        """Notes that `actor` did `action` to `object`, at the unit's time unless `at` says otherwise."""
        entry = {
            "workspace": self.workspace,
            "at": at or self._scope.now,
            "actor": actor,
            "action": action,
            "object": object,
            "detail": dict(detail),
        }
        self._write(insert(_audit), [entry])

    def of_actions(self, actions: Collection[str]) -> tuple[AuditEntry, ...]:
        """Every entry of some actions, oldest first."""
        statement = select(_audit).where(self._mine(), _audit.c.action.in_(sorted(actions)))
        return tuple(map(_entry, self._read(statement.order_by(_audit.c.id))))

    def page(self, cursor: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        """Entries, newest first."""
        statement = select(_audit).where(self._mine())
        rows, next_cursor = self._page(statement, [_audit.c.id], cursor, limit, descending=True)
        return page_of(map(_entry, rows), next_cursor)


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor, row.action, row.object, row.detail)
