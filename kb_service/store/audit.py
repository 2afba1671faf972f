"""Who did what, in the order it happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository, page_of
from kb_service.store.values import AuditEntry, Page

_audit = tables.audit


class Done(NamedTuple):
    """An action, what it was done to, and what is to be known of it."""

    action: str
    object: str
    detail: Mapping[str, Any]


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
    ) -> int:
        """Notes that `actor` did `action` to `object`, at the unit's time unless `at` says otherwise; its id."""
        entry = self._entry(actor, Done(action, object, detail), at)
        key = self._write(insert(_audit).values(**entry)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def append_many(self, actor: str, done: Sequence[Done]) -> None:
        """Notes what `actor` did to several objects at the unit's time, in this order."""
        if done:
            self._write(insert(_audit), [self._entry(actor, item, None) for item in done])

    def _entry(self, actor: str, done: Done, at: datetime | None) -> dict[str, Any]:
        return {
            "workspace": self.workspace,
            "at": at or self._scope.now,
            "actor": actor,
            "action": done.action,
            "object": done.object,
            "detail": dict(done.detail),
        }

    def latest_of(self, object: str) -> AuditEntry | None:
        """What was done last to an object."""
        statement = select(_audit).where(self._mine(), _audit.c.object == object)
        row = self._read(statement.order_by(_audit.c.id.desc()).limit(1)).first()
        return None if row is None else _entry(row)

    def of_actions(self, actions: Collection[str]) -> tuple[AuditEntry, ...]:
        """Every entry of some actions, oldest first."""
        statement = select(_audit).where(self._mine(), _audit.c.action.in_(sorted(actions)))
        return tuple(map(_entry, self._read(statement.order_by(_audit.c.id))))

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        *,
        actors: Collection[str] | None = None,
        action: str | None = None,
        object: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[AuditEntry]:
        """Entries, newest first: of some actors, of one action or with `webhook.` of all on webhooks, on objects whose
        id holds a text, in capitals or not, from `since` to before `until`."""
        statement = select(_audit).where(self._mine())
        if actors is not None:
            statement = statement.where(_audit.c.actor.in_(sorted(actors)))
        if action is not None:
            of_all = _audit.c.action.startswith(action, autoescape=True)
            statement = statement.where(of_all if action.endswith(".") else _audit.c.action == action)
        if object is not None:
            statement = statement.where(_audit.c.object.icontains(object, autoescape=True))
        if since is not None:
            statement = statement.where(_audit.c.at >= since)
        if until is not None:
            statement = statement.where(_audit.c.at < until)
        rows, next_cursor = self._page(statement, [_audit.c.id], cursor, limit, descending=True)
        return page_of(map(_entry, rows), next_cursor)


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor, row.action, row.object, row.detail)
