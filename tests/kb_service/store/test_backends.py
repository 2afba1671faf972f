"""What is particular to each database: the file in WAL mode, the URLs, what counts as busy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from kb_service.errors import InvalidRequest, Overloaded
from kb_service.store import Store
from kb_service.store.backends import PostgresBackend, SqliteBackend, open_backend, overload_told
from tests.contracts.store_samples import an_event, an_intent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder that is new" / "kb.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{path}")
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create("shop")
    yield store
    store.close()


@pytest.fixture
def backend(store: Store, path: Path) -> Iterator[SqliteBackend]:
    backend = open_backend(f"sqlite:///{path}", 5)
    assert isinstance(backend, SqliteBackend)
    yield backend
    backend.close()


def pragma(connection: Any, name: str) -> Any:
    return connection.execute(text(f"PRAGMA {name}")).scalar()


def test_the_file_is_in_wal_mode_and_a_commit_is_on_the_disk(backend: SqliteBackend) -> None:
    for block in (backend.reading, backend.writing):
        with block() as connection:
            assert pragma(connection, "journal_mode") == "wal"
            assert pragma(connection, "synchronous") == 2
            assert pragma(connection, "foreign_keys") == 1
            assert pragma(connection, "busy_timeout") == 5000
            assert pragma(connection, "secure_delete") == 1


def test_a_reading_connection_cannot_write(backend: SqliteBackend) -> None:
    with (
        backend.reading() as connection,
        pytest.raises(OperationalError, match="readonly"),
    ):
        connection.execute(text("DELETE FROM workspaces"))


def test_writing_locks_at_its_begin(backend: SqliteBackend, path: Path) -> None:
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with backend.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()


def test_another_program_that_keeps_the_lock_is_told_as_overload(store: Store, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    impatient = Store(f"sqlite:///{path}", lock_seconds=0.2)
    with pytest.raises(Overloaded), impatient.writing("shop"):
        pass
    with impatient.reading("shop") as unit:
        assert unit.intents.all() == ()
    other.execute("ROLLBACK")
    with impatient.writing("shop") as unit:
        unit.intents.put(an_intent())
    impatient.close()
    other.close()


def test_what_is_erased_is_not_left_in_free_pages(store: Store, path: Path) -> None:
    mark = "zebra-marked-text"
    with store.writing("shop") as unit:
        for number in range(300):
            unit.events.add(
                an_event(f"e{number}", text=f"{mark} {number} " + "x" * 500, customer_id="u-31337")
            )
    store.checkpoint()
    assert mark.encode() in path.read_bytes()
    with store.writing("shop") as unit:
        assert len(unit.erase_customer("u-31337").event_ids) == 300
    for file in path.parent.iterdir():
        assert mark.encode() not in file.read_bytes()
        assert b"u-31337" not in file.read_bytes()


def test_an_erasure_does_not_wait_for_a_long_reader(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.events.add(an_event())
    with store.reading("shop") as reader:
        with store.writing("shop") as unit:
            unit.erase_customer("u1")
        assert reader.events.count() == 1
    store.checkpoint()


def test_the_store_closes_its_files(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["kb.sqlite3"]


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:p@host/kb",
        "postgresql://u:p@host/kb",
        "postgresql+psycopg://u:p@host:5432/kb?sslmode=require",
    ],
)
def test_urls_of_postgresql(url: str) -> None:
    backend = open_backend(url, 5)
    assert isinstance(backend, PostgresBackend)
    assert backend.dialect == "postgresql"
    backend.close()


@pytest.mark.parametrize(
    "url", ["mysql://host/kb", "postgresql+asyncpg://host/kb", "sqlite://", "sqlite:///:memory:"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="database_url"):
        open_backend(url, 5)


@pytest.mark.parametrize("url", ["kb.sqlite3", "", "://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="database_url"):
        open_backend(url, 5)


def test_a_server_that_is_not_there_is_told_as_overload(tmp_path: Path) -> None:
    store = Store(f"postgresql://nobody@/kb?host={tmp_path}", lock_seconds=2)
    with pytest.raises(Overloaded, match="cannot be reached"):
        store.ping()
    with pytest.raises(Overloaded), store.reading("shop"):
        pass
    store.close()


def test_other_faults_are_told_as_they_are(backend: SqliteBackend) -> None:
    with (
        pytest.raises(OperationalError, match="no such table"),
        overload_told(),
        backend.reading() as connection,
    ):
        connection.execute(text("SELECT * FROM nowhere"))
    with pytest.raises(KeyError), overload_told():
        raise KeyError
