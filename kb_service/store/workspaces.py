"""The shops of one store."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select

from kb_service.errors import Conflict, InvalidRequest
from kb_service.store import tables
from kb_service.store.values import Workspace, WorkspaceFigures

_workspaces = tables.workspaces
# Also the name of a folder of derived indexes, hence no slash, no leading dot, and a bounded length.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Workspaces:
    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def create(
        self, id: str, *, name: str | None = None, languages: Iterable[str] = ("zh", "en")
    ) -> Workspace:
        """Opens a workspace; `languages` are those in which it wants names and evidence.

        Raises `InvalidRequest` for an id that is not made of letters, digits, `.`, `_` and `-`, and
        `Conflict` when it exists.
        """
        if not _ID.fullmatch(id):
            raise InvalidRequest.of(
                "id", "must be 1 to 64 letters, digits, '.', '_' or '-' and begin with a letter or digit"
            )
        if self.get(id) is not None:
            raise Conflict("there is a workspace {workspace!r} already", workspace=id)
        workspace = Workspace(id, name or id, tuple(languages), self._now)
        row = {
            "id": id,
            "name": workspace.name,
            "languages": list(workspace.languages),
            "created_at": self._now,
            "position": 0,
            "event_sequence": 0,
        }
        self._connection.execute(insert(_workspaces), [row])
        return workspace

    def get(self, id: str) -> Workspace | None:
        row = self._connection.execute(select(_workspaces).where(_workspaces.c.id == id)).first()
        return None if row is None else _workspace(row)

    def figures(self, id: str) -> WorkspaceFigures:
        """How much a workspace holds, counted now."""
        events = tables.events
        of_it = events.c.workspace == id
        oldest, newest = self._connection.execute(
            select(func.min(events.c.at), func.max(events.c.at)).where(of_it)
        ).one()
        return WorkspaceFigures(
            documents=self._count(tables.documents, id),
            passages=self._count(tables.passages, id),
            cases=self._count(tables.cases, id),
            events=self._count(events, id),
            problems=self._count(tables.problems, id, tables.problems.c.state != "candidate"),
            members=self._count(tables.members, id, tables.members.c.ended_at.is_(None)),
            keys=self._count(tables.api_keys, id, tables.api_keys.c.revoked_at.is_(None)),
            oldest_event=oldest,
            newest_event=newest,
        )

    def open_to_first(self) -> frozenset[str]:
        """The workspaces that nobody can sign in to yet."""
        here = select(tables.members.c.workspace).where(tables.members.c.ended_at.is_(None))
        rows = self._connection.execute(select(_workspaces.c.id).where(_workspaces.c.id.not_in(here)))
        return frozenset(rows.scalars())

    def _count(self, table: Table, id: str, *conditions: ColumnElement[bool]) -> int:
        statement = select(func.count()).select_from(table).where(table.c.workspace == id, *conditions)
        return int(self._connection.scalar(statement) or 0)

    def list(self) -> tuple[Workspace, ...]:
        """Every workspace, by id."""
        rows = self._connection.execute(select(_workspaces).order_by(_workspaces.c.id))
        return tuple(map(_workspace, rows))


def _workspace(row: Any) -> Workspace:
    return Workspace(row.id, row.name, tuple(row.languages), row.created_at, row.position, row.watermark)
