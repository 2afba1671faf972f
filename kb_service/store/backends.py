"""The two databases: how each connects, locks, and says that it is busy."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kb_service.errors import InvalidRequest, Overloaded
from kb_service.store.columns import dump_json
from kb_service.store.copying import copy_sqlite
from kb_service.store.dumps import BEHIND, dump_postgres
from kb_service.store.tables import workspaces

MIGRATION_LOCK = 7_303_014_402_196_431
"""The advisory lock of PostgreSQL under which one process migrates; any fixed number does."""


class Backend(Protocol):
    """A database behind the store. A connection comes with its transaction begun; leaving the block commits,
    an exception rolls back. `dialect` is its name.
    """

    dialect: str

    def reading(self) -> AbstractContextManager[Connection]: ...
    def writing(self) -> AbstractContextManager[Connection]: ...
    def migrating(self) -> AbstractContextManager[Connection]: ...
    def lock_workspace(self, connection: Connection, workspace: str) -> bool: ...
    def checkpoint(self) -> None: ...
    def copy(self, to: Path) -> None: ...
    def close(self) -> None: ...


def open_backend(url: str, lock_seconds: float) -> Backend:
    """The backend of a URL: `sqlite:///file`, `postgresql://...` or `postgres://...`."""
    # SQLAlchemy dropped the short name that hosting providers still hand out.
    if url.startswith("postgres://"):
        url = "postgresql" + url.removeprefix("postgres")
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return SqliteBackend(parsed, lock_seconds)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return PostgresBackend(parsed, lock_seconds)
    raise InvalidRequest.of("database_url", "must begin with sqlite:/// or postgresql://")


@contextmanager
def overload_told() -> Iterator[None]:
    """Turns "busy", "locked", "disk full" and "not reachable" of either database into `Overloaded`, and the
    refusal of a value by a column into the ValueError or TypeError that it is.
    """
    try:
        yield
    except PoolTimeout as error:
        raise Overloaded("the store has no free connection; try again", retry_after=2) from error
    except DBAPIError as error:
        if _is_busy(error.orig):
            raise busy() from error
        if _is_out_of_room(error.orig):
            raise Overloaded(
                "the store cannot write, its disk is full or failing; try again once that is mended",
                retry_after=30,
            ) from error
        if error.connection_invalidated or _is_unreachable(error.orig):
            raise Overloaded("the store cannot be reached; try again", retry_after=5) from error
        raise
    except StatementError as error:
        # A value that a column does not take, such as a naive time, is told as what it is.
        raise (error.orig or error) from None


def busy() -> Overloaded:
    return Overloaded("the store is busy with another write; try again", retry_after=2)


def _is_busy(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    # lock_not_available, deadlock_detected, serialization_failure, query_canceled
    return getattr(error, "sqlstate", None) in ("55P03", "40P01", "40001", "57014")


def _is_out_of_room(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        faults = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        return error.sqlite_errorcode & 0xFF in faults
    # disk_full, io_error
    return getattr(error, "sqlstate", None) in ("53100", "58030")


def _is_unreachable(error: BaseException | None) -> bool:
    """Connection failures carry no state of their own, or one of class 08 or 57P."""
    if type(error).__module__.partition(".")[0] != "psycopg" or type(error).__name__ != "OperationalError":
        return False
    state = getattr(error, "sqlstate", None)
    return state is None or state.startswith(("08", "57P", "53"))


class SqliteBackend:
    """One file in WAL mode. Readers see the snapshot of their begin and never wait.

    One connection writes. A lock of this process queues its threads in front of it, so that they wait for
    each other without polling; `busy_timeout` waits for other processes. `synchronous=FULL` makes a commit
    survive a loss of power. `secure_delete` overwrites what is deleted, so that an erasure leaves no text
    in free pages.
    """

    dialect = "sqlite"

    def __init__(self, url: URL, lock_seconds: float) -> None:
        if not url.database or url.database == ":memory:":
            raise InvalidRequest.of("database_url", "SQLite needs a file: sqlite:///path/to/kb.sqlite3")
        self.path = Path(url.database)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_seconds = lock_seconds
        self._lock = threading.Lock()
        self._readers = self._engine(url, "BEGIN", query_only=True, pool_size=8, max_overflow=56)
        self._writers = self._engine(url, "BEGIN IMMEDIATE", query_only=False, pool_size=1, max_overflow=0)

    def _engine(self, url: URL, begin: str, *, query_only: bool, pool_size: int, max_overflow: int) -> Engine:
        engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            json_serializer=dump_json,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=self._lock_seconds,
            connect_args={"timeout": self._lock_seconds, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def connected(connection: Any, _record: Any) -> None:
            # The driver's own BEGIN comes only before the first write, which would break snapshots.
            connection.isolation_level = None
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA cache_size=-16000")
            connection.execute(f"PRAGMA query_only={'ON' if query_only else 'OFF'}")

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if not self._lock.acquire(timeout=self._lock_seconds):
            raise busy()
        try:
            with self._writers.connect() as connection, connection.begin():
                yield connection
        finally:
            self._lock.release()

    def lock_workspace(self, connection: Connection, workspace: str) -> bool:
        """BEGIN IMMEDIATE holds the only writing lock there is; this asks whether the workspace exists."""
        statement = select(workspaces.c.id).where(workspaces.c.id == workspace)
        return connection.execute(statement).first() is not None

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        self._use_wal()
        with self.writing() as connection:
            yield connection

    def _use_wal(self) -> None:
        """Switches the file to WAL for good. Two processes that do so at once may find it locked: wait."""
        deadline = time.monotonic() + self._lock_seconds
        connection = self._writers.raw_connection()
        try:
            cursor = connection.cursor()
            while True:
                try:
                    cursor.execute("PRAGMA journal_mode=WAL")
                    return
                except sqlite3.OperationalError as error:
                    if not _is_busy(error) or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
        finally:
            connection.close()

    def checkpoint(self) -> None:
        """Folds the log into the file and empties it; does what readers allow, and never fails for them."""
        with self._lock:
            connection = self._writers.raw_connection()
            try:
                cursor = connection.cursor()
                # A long reader must not hold up every writer for the usual wait.
                cursor.execute("PRAGMA busy_timeout=500")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                cursor.execute(f"PRAGMA busy_timeout={int(self._lock_seconds * 1000)}")
            finally:
                connection.close()

    def copy(self, to: Path) -> None:
        """One snapshot as a file of its own, while others read and write."""
        copy_sqlite(self.path, to)

    def close(self) -> None:
        self._readers.dispose()
        self._writers.dispose()


class PostgresBackend:
    """PostgreSQL through psycopg 3. The row of the workspace is the lock of its writers.

    Readers run REPEATABLE READ, which is a snapshot there; writers READ COMMITTED, so that what they read
    after the wait for the lock is what the writer before them committed.
    """

    dialect = "postgresql"

    def __init__(self, url: URL, lock_seconds: float) -> None:
        self._lock_seconds = lock_seconds
        self._engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            json_serializer=dump_json,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=20,
            pool_timeout=lock_seconds,
            pool_recycle=1800,
            connect_args={"application_name": BEHIND, "connect_timeout": 10},
        )
        self._readers = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            milliseconds = max(1, int(self._lock_seconds * 1000))
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
            yield connection

    def lock_workspace(self, connection: Connection, workspace: str) -> bool:
        """Waits for the workspace's other writer; False when there is no such workspace."""
        statement = select(workspaces.c.id).where(workspaces.c.id == workspace).with_for_update()
        return connection.execute(statement).first() is not None

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            yield connection

    def checkpoint(self) -> None:
        """Nothing to do: the server writes and vacuums by itself."""

    def copy(self, to: Path) -> None:
        """One snapshot as a dump, while others read and write. Raises ServiceError without PostgreSQL's programs."""
        dump_postgres(self._engine.url, to)

    def close(self) -> None:
        self._engine.dispose()
