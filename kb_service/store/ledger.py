"""What a writing unit allocates under the workspace's lock: log positions, event sequences, the watermark."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from kb_service.store import tables
from kb_service.store.values import ChangeKind


class Ledger:
    """Counters of one workspace, read when its lock was taken and written before the commit.

    Changes are kept back until `flush`, which numbers them without gaps: the lock is held until the commit,
    so positions appear in commit order and a follower never skips one. Several changes of one kind and id
    in a unit become one entry, at the place of the last: an entry says "look again", not what happened.
    """

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._connection = connection
        self._workspace = workspace
        row = connection.execute(
            select(
                tables.workspaces.c.position,
                tables.workspaces.c.event_sequence,
                tables.workspaces.c.watermark,
            ).where(tables.workspaces.c.id == workspace)
        ).one()
        self.position: int = row.position
        self._sequence: int = row.event_sequence
        self.watermark: datetime | None = row.watermark
        self._changes: dict[tuple[ChangeKind, str], int] = {}
        self._dirty = False

    def record(self, kind: ChangeKind, id: str, version: int) -> None:
        self._changes.pop((kind, id), None)
        self._changes[kind, id] = version

    def noted(self, kind: ChangeKind, id: str) -> int | None:
        """The version of a change that is still kept back."""
        return self._changes.get((kind, id))

    def next_sequence(self) -> int:
        self._sequence += 1
        self._dirty = True
        return self._sequence

    def saw(self, at: datetime) -> None:
        """Moves the watermark forward; it never goes back."""
        if at.tzinfo is None:
            raise ValueError(f"{at!r} has no timezone: give an aware datetime")
        if self.watermark is None or at > self.watermark:
            self.watermark = at
            self._dirty = True

    def flush(self) -> None:
        """Writes what was kept back into the open transaction."""
        if self._changes:
            entries = [
                {
                    "workspace": self._workspace,
                    "position": position,
                    "kind": kind,
                    "id": id,
                    "version": version,
                }
                for position, ((kind, id), version) in enumerate(self._changes.items(), self.position + 1)
            ]
            self._connection.execute(insert(tables.changes), entries)
            self.position += len(entries)
            self._changes.clear()
            self._dirty = True
        if self._dirty:
            self._connection.execute(
                update(tables.workspaces)
                .where(tables.workspaces.c.id == self._workspace)
                .values(position=self.position, event_sequence=self._sequence, watermark=self.watermark)
            )
            self._dirty = False
