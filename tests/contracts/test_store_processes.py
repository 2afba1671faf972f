"""Several processes on one store: waiting for each other, dying in the middle, starting at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, make_url, text

from kb_service.store import Store, tables
from kb_service.store.migrating import NewerStore, current_revision
from kb_service.store.migrations import HEAD
from tests.contracts.store_samples import an_intent

WRITER = """
import sys, time
from graph.models import Intent
from kb_service.store import Store
store = Store(sys.argv[1])
with store.writing("shop") as unit:
    unit.intents.put(Intent("theirs", "", ()))
    unit.changes.position()
    print("written", flush=True)
    time.sleep(float(sys.argv[2]))
print("committed", flush=True)
"""

MIGRATOR = """
import sys
from kb_service.store import Store
print("ready", flush=True)
sys.stdin.readline()
Store(sys.argv[1]).migrate()
"""


@contextmanager
def process(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", script, *arguments]
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": root},
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def said(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    return started.stdout.readline().strip()


def test_a_writer_waits_for_one_of_another_process(store: Store, store_url: str) -> None:
    with process(WRITER, store_url, "0.7") as other:
        assert said(other) == "written"
        begin = time.monotonic()
        with store.writing("shop") as unit:
            assert time.monotonic() - begin > 0.3
            assert unit.intents.get("theirs") is not None
            unit.intents.put(an_intent())
        assert said(other) == "committed"
    assert store.position("shop") == 2


def test_a_process_that_dies_in_the_middle_leaves_nothing(store: Store, store_url: str) -> None:
    with store.writing("shop") as unit:
        unit.intents.put(an_intent())
    with process(WRITER, store_url, "60") as other:
        assert said(other) == "written"
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=20)
    with store.writing("shop") as unit:
        assert unit.intents.all() == (an_intent(),)
        assert unit.changes.position() == 1
        unit.intents.put(an_intent("mine"))
    assert store.position("shop") == 2


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'kb.sqlite3'}"
        return
    server = make_url(request.getfixturevalue("postgres_server"))
    name = f"{server.database}_empty"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server.set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def unmigrated(empty_url: str, migrating: None) -> Iterator[Store]:
    """A store over a database without tables."""
    with closing(Store(empty_url)) as store:
        yield store


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    with process(MIGRATOR, empty_url) as one, process(MIGRATOR, empty_url) as two:
        for started in (one, two):
            assert said(started) == "ready"
        for started in (one, two):
            assert started.stdin is not None
            started.stdin.write("go\n")
            started.stdin.flush()
        assert [started.wait(timeout=60) for started in (one, two)] == [0, 0]
    with connected(empty_url) as connection:
        assert current_revision(connection) == HEAD
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [HEAD]


def test_a_store_that_is_up_to_date_starts_quickly(unmigrated: Store) -> None:
    store = unmigrated
    store.migrate()
    times = []
    for _ in range(3):
        begin = time.monotonic()
        store.migrate()
        times.append(time.monotonic() - begin)
    assert min(times) < 0.1


def test_the_migrations_make_the_tables_of_the_code(empty_url: str, unmigrated: Store) -> None:
    unmigrated.migrate()
    with connected(empty_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        if connection.dialect.name == "postgresql":
            collations = connection.execute(
                text(
                    "SELECT DISTINCT collation_name FROM information_schema.columns WHERE "
                    "table_schema = 'public' AND table_name <> 'alembic_version' AND data_type LIKE 'char%'"
                )
            )
            assert set(collations.scalars()) == {"C"}, "ids must sort as on SQLite"


def test_a_store_of_a_newer_version_is_left_alone(empty_url: str, unmigrated: Store) -> None:
    unmigrated.migrate()
    with connected(empty_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
    with pytest.raises(NewerStore, match="9999"):
        unmigrated.migrate()
    with connected(empty_url) as connection:
        assert current_revision(connection) == "9999"


def test_an_older_store_is_brought_up_to_date(empty_url: str, unmigrated: Store) -> None:
    with connected(empty_url) as connection:
        assert current_revision(connection) is None
    store = unmigrated
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create("shop")
    later = ["named_ids", "document_looks", "held_documents", "document_uses"]
    later += ["sessions", "sign_in_links", "members"]
    later += ["problem_ties", "regrouped_events", "regrouping_finds", "regroupings"]
    later += ["follow_up_cases", "follow_ups", "notices"]
    later += ["surges", "priority_weights", "decisions", "expertise", "expertise_pins", "experiments"]
    later += ["told_gaps", "rank_moves", "jobs", "calibrations", "precedents", "reviews"]
    later += ["digests", "deliveries", "messages", "webhooks"]
    later += ["alert_examples", "alerts", "proposals", "problem_aliases"]
    later += [
        "problems",
        "feedback",
        "exposures",
        "case_conversations",
        "cases",
        "event_vectors",
        "assignments",
    ]
    with connected(empty_url) as connection:
        for name in [*later, "events"]:
            connection.execute(text(f"DROP TABLE {name}"))
        for column in ("used_at", "made_by"):
            connection.execute(text(f"ALTER TABLE api_keys DROP COLUMN {column}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        connection.commit()
    store.migrate()
    with store.writing("shop") as unit:
        assert unit.events.count() == 0
