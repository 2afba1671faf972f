"""Surges of traffic as they were found. They hold counts and no word of anybody's, so erasures leave them alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from graph.surges import Surge
from kb_service.store import tables
from kb_service.store.repository import Repository, page_of
from kb_service.store.values import Page

_surges = tables.surges
_SURGE = (
    "expertise_id",
    "opened_at",
    "observed",
    "expected",
    "window_minutes",
    "p_value",
    "lift",
    "closed_at",
)


@dataclass(frozen=True, slots=True)
class StoredSurge:
    """A surge under its id. `told` says whether it was delivered, not only stored."""

    id: str
    surge: Surge
    told: bool


class Surges(Repository):
    table = _surges

    def put(self, stored: StoredSurge) -> None:
        """Stores a surge, over the one of the same id."""
        row = {name: getattr(stored.surge, name) for name in _SURGE}
        self._upsert({"workspace": self.workspace, "id": stored.id, "told": stored.told, **row})

    def open(self) -> tuple[StoredSurge, ...]:
        """The surges that have not ended, the earliest first."""
        statement = select(_surges).where(self._mine(), _surges.c.closed_at.is_(None))
        return tuple(map(_stored, self._read(statement.order_by(_surges.c.opened_at, _surges.c.id))))

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        *,
        since: datetime | None = None,
        expertise_id: str | None = None,
        open: bool | None = None,
    ) -> Page[StoredSurge]:
        """Those opened at or after `since`, the latest first; with `open` only those that go on, or that ended."""
        statement = select(_surges).where(self._mine())
        if since is not None:
            statement = statement.where(_surges.c.opened_at >= since)
        if expertise_id is not None:
            statement = statement.where(_surges.c.expertise_id == expertise_id)
        if open is not None:
            ended = _surges.c.closed_at
            statement = statement.where(ended.is_(None) if open else ended.is_not(None))
        order = (_surges.c.opened_at, _surges.c.id)
        rows, following = self._page(statement, order, cursor, limit, descending=True)
        return page_of(map(_stored, rows), following)


def _stored(row: Any) -> StoredSurge:
    values: dict[str, Any] = {name: getattr(row, name) for name in _SURGE}
    return StoredSurge(row.id, Surge(**values), row.told)
