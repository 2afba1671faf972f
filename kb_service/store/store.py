"""The one relational store: opened by URL, worked with in units."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from kb_service.errors import NotFound
from kb_service.store import tables
from kb_service.store.backends import open_backend, overload_told
from kb_service.store.dumps import pour
from kb_service.store.ids import utc_now
from kb_service.store.ledger import Ledger
from kb_service.store.migrating import bring_up_to_date, current_revision, migrate
from kb_service.store.outbox import OutboxWorker
from kb_service.store.repository import Scope
from kb_service.store.unit import AdminUnit, Unit
from kb_service.store.values import ApiKey

Clock = Callable[[], datetime]


class Store:
    """The truth of the service, in SQLite or PostgreSQL. Thread-safe; every call blocks its thread.

    `url` is `sqlite:///file` or `postgresql://...`. `clock` gives the wall time that rows are stamped with.
    `lock_seconds` is the longest wait for another writer or a connection; `Overloaded` after it.
    """

    def __init__(self, url: str, *, clock: Clock = utc_now, lock_seconds: float = 30.0) -> None:
        self._backend = open_backend(url, lock_seconds)
        self._clock = clock
        self._here = threading.local()

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._backend.dialect

    def migrate(self) -> None:
        """Creates the tables or brings them up to date; safe when several processes start at once."""
        with overload_told():
            migrate(self._backend)

    def close(self) -> None:
        self._backend.close()

    def ping(self) -> None:
        """Returns when the store answers; raises `Overloaded` when it cannot be reached."""
        with overload_told(), self._backend.reading() as connection:
            connection.execute(select(1))

    @contextmanager
    def reading(self, workspace: str) -> Iterator[Unit]:
        """A unit that sees one snapshot, writes nothing and never waits for a writer.

        Raises `NotFound` when there is no such workspace.
        """
        with overload_told(), self._backend.reading() as connection:
            # Also begins the snapshot, so that it is that of the entry and not of the first question.
            if not _exists(connection, workspace):
                raise _unknown(workspace)
            yield Unit(Scope(connection, workspace, self._clock(), None))

    @contextmanager
    def writing(self, workspace: str) -> Iterator[Unit]:
        """A unit that holds the workspace's lock from its begin to its commit.

        Leaving the block commits; an exception rolls everything back. Raises `NotFound` when there is no such
        workspace, `Overloaded` when the lock cannot be had in time.
        """
        with self._once(), overload_told():
            with self._backend.writing() as connection:
                if not self._backend.lock_workspace(connection, workspace):
                    raise _unknown(workspace)
                ledger = Ledger(connection, workspace)
                unit = Unit(Scope(connection, workspace, self._clock(), ledger))
                yield unit
                ledger.flush()
            if unit.erased:
                self._backend.checkpoint()

    @contextmanager
    def administration(self, *, writing: bool = True) -> Iterator[AdminUnit]:
        """Workspaces and keys, across workspaces; `writing=False` takes no lock."""
        if writing:
            with self._once(), overload_told(), self._backend.writing() as connection:
                yield AdminUnit(connection, self._clock())
        else:
            with overload_told(), self._backend.reading() as connection:
                yield AdminUnit(connection, self._clock())

    def authenticate(self, secret: str) -> ApiKey | None:
        """The key that `secret` belongs to; None when it is unknown or revoked."""
        with self.administration(writing=False) as unit:
            return unit.keys.find(secret)

    def position(self, workspace: str) -> int:
        """The end of the workspace's change log: what a follower polls."""
        with overload_told(), self._backend.reading() as connection:
            position = connection.scalar(
                select(tables.workspaces.c.position).where(tables.workspaces.c.id == workspace)
            )
        if position is None:
            raise _unknown(workspace)
        return int(position)

    def outbox_worker(self) -> OutboxWorker:
        return OutboxWorker(self._backend)

    def checkpoint(self) -> None:
        """Folds SQLite's log into the file and empties it, as far as readers allow."""
        with overload_told():
            self._backend.checkpoint()

    def copy(self, to: Path) -> str:
        """All of it as one file that is not there yet, of one moment, while others read and write; the revision of
        its tables. Raises ServiceError where the database's own programs are needed and missing."""
        with overload_told():
            with self._backend.reading() as connection:
                revision = current_revision(connection)
            self._backend.copy(to)
        return str(revision)

    def replace(self, dump: Path) -> None:
        """Puts a dump in the place of a PostgreSQL store and brings it up to date: all of that or nothing. Raises
        ServiceError."""
        with overload_told(), self._backend.migrating() as connection:
            pour(connection, dump)
            bring_up_to_date(connection)

    @contextmanager
    def _once(self) -> Iterator[None]:
        """Refuses a writing unit inside another of the same thread, which would wait for itself."""
        if getattr(self._here, "writes", False):
            raise RuntimeError("a writing unit is open in this thread: use that one")
        self._here.writes = True
        try:
            yield
        finally:
            self._here.writes = False


def _exists(connection: Connection, workspace: str) -> bool:
    statement = select(tables.workspaces.c.id).where(tables.workspaces.c.id == workspace)
    return connection.execute(statement).first() is not None


def _unknown(workspace: str) -> NotFound:
    return NotFound("there is no workspace {workspace!r}", workspace=workspace)
