"""`kb backup` and `kb restore` as people run them: what comes back, what is refused, and what is left alone."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kb_service.backups import restoring
from kb_service.backups.archive import extract, manifest_of, write
from kb_service.backups.occupancy import alone, occupied
from kb_service.store import Store
from tests.kb_service.command_line import CommandLine, command_line


@pytest.fixture
def kb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    with command_line(tmp_path, monkeypatch, capsys) as commands:
        yield commands


@pytest.fixture
def file(kb: CommandLine, tmp_path: Path) -> Path:
    """A backup of an installation with the shop `first`."""
    kb.good("workspaces", "create", "first")
    kb.good("backup", tmp_path / "one.kbbackup")
    return tmp_path / "one.kbbackup"


def names(kb: CommandLine) -> list[str]:
    return kb.good("workspaces", "list").out.split()


def elsewhere(kb: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = kb.data.parent / "elsewhere"
    monkeypatch.setenv("KB_DATA", str(folder))
    return folder


def test_a_backup_is_restored_into_an_empty_folder(
    kb: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(kb, monkeypatch)
    said = kb.good("restore", file).out
    assert "restored" in said
    assert "erase them once more" in said
    assert names(kb) == ["first"]
    assert not (folder / ".restoring").exists()


def test_a_key_works_after_a_restore_as_before(
    kb: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb.good("workspaces", "create", "first")
    key = kb.good("keys", "create", "-w", "first", "--role", "bot", "--json").json
    kb.good("backup", tmp_path / "two.kbbackup")
    elsewhere(kb, monkeypatch)
    kb.good("restore", tmp_path / "two.kbbackup")
    assert key["id"] in kb.good("keys", "list", "-w", "first").out


def test_a_backup_is_of_one_moment_while_others_write(kb: CommandLine, tmp_path: Path, file: Path) -> None:
    """A writer is in the middle of a transaction, and what was committed lies in the log, not yet in the file."""
    with closing(sqlite3.connect(kb.data / "kb.sqlite3", isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint=0")
        same = "name, languages, created_at, position, event_sequence"
        insert = f"INSERT INTO workspaces (id, {same}) SELECT ?, {same} FROM workspaces"
        writer.execute(insert + " LIMIT 1", ("committed",))
        writer.execute("BEGIN IMMEDIATE")
        writer.execute(insert + " LIMIT 1", ("not-committed",))
        copy = tmp_path / "copy.sqlite3"
        store = Store(f"sqlite:///{kb.data / 'kb.sqlite3'}")
        try:
            store.copy(copy)
        finally:
            store.close()
        writer.execute("ROLLBACK")
    with closing(sqlite3.connect(copy)) as reader:
        found = {row[0] for row in reader.execute("SELECT id FROM workspaces")}
        assert found == {"first", "committed"}
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert not copy.with_name("copy.sqlite3-wal").exists()


def test_what_is_there_is_refused_without_force_and_kept_aside_with_it(kb: CommandLine, file: Path) -> None:
    kb.good("workspaces", "create", "second")
    refused = kb("restore", file)
    assert refused.status == 2
    assert "--force" in refused.err
    assert names(kb) == ["first", "second"]
    (kb.data / "derived").mkdir(exist_ok=True)
    (kb.data / "derived" / "index").write_text("of the store before")
    said = kb.good("restore", file, "--force", "--json").json
    assert names(kb) == ["first"]
    assert not (kb.data / "derived").exists()
    aside = Path(said["aside"])
    with closing(sqlite3.connect(aside / "kb.sqlite3")) as old:
        assert old.execute("SELECT count(*) FROM workspaces").fetchone() == (2,)


def test_lexicons_of_the_shops_own_travel_along(kb: CommandLine, tmp_path: Path, file: Path) -> None:
    lexicons = kb.data / "encoder"
    lexicons.mkdir()
    (lexicons / "ab12.npz").write_bytes(b"mine")
    (lexicons / "current.json").write_text('{"taken": []}')
    (lexicons / "half.npz.part").write_bytes(b"half")
    kb.good("backup", tmp_path / "with.kbbackup")
    (lexicons / "ab12.npz").write_bytes(b"changed since")
    aside = Path(kb.good("restore", tmp_path / "with.kbbackup", "--force", "--json").json["aside"])
    assert (lexicons / "ab12.npz").read_bytes() == b"mine"
    assert not (lexicons / "half.npz.part").exists()
    assert (aside / "encoder" / "ab12.npz").read_bytes() == b"changed since"
    kb.good("restore", file, "--force")
    assert not lexicons.exists(), "the backup before has none"


def test_a_restore_is_refused_while_somebody_works_there(kb: CommandLine, file: Path) -> None:
    with occupied(kb.data):
        refused = kb("restore", file, "--force")
    assert refused.status == 2
    assert "in use by another process" in refused.err
    assert names(kb) == ["first"]


def test_nobody_begins_to_work_while_a_backup_is_restored(kb: CommandLine, file: Path) -> None:
    with alone(kb.data):
        refused = kb("workspaces", "list")
    assert refused.status == 2
    assert "being restored" in refused.err


def test_a_damaged_backup_changes_nothing(kb: CommandLine, file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[200] ^= 0xFF
    file.write_bytes(bytes(whole))
    for arguments in (("--force",), ("--check",)):
        refused = kb("restore", file, *arguments)
        assert refused.status == 1
        assert "not a whole backup" in refused.err
    assert names(kb) == ["first"]


def repacked(file: Path, to: Path, **changes: Any) -> Path:
    """The same backup whose manifest says something else."""
    with zipfile.ZipFile(file) as archive:
        said = json.loads(archive.read("manifest.json")) | changes
        store = to.with_suffix(".store")
        store.write_bytes(archive.read("store.sqlite3"))
    wanted = {name: str(said[name]) for name in ("made_at", "version", "dialect", "revision")}
    inside = {"store.pgdump" if wanted["dialect"] == "postgresql" else "store.sqlite3": store}
    write(to, inside, **wanted)
    return to


def test_a_backup_of_a_later_version_is_refused(kb: CommandLine, file: Path, tmp_path: Path) -> None:
    later = repacked(file, tmp_path / "later.kbbackup", revision="9999", version="9.0.0")
    refused = kb("restore", later, "--force")
    assert refused.status == 1
    assert "9.0.0" in refused.err
    assert "install that version" in refused.err
    assert names(kb) == ["first"]


def test_a_backup_of_another_database_is_refused(kb: CommandLine, file: Path, tmp_path: Path) -> None:
    other = repacked(file, tmp_path / "other.kbbackup", dialect="postgresql")
    refused = kb("restore", other, "--force")
    assert refused.status == 2
    assert "KB_DATABASE_URL" in refused.err


def test_an_older_store_is_brought_up_to_date_before_it_serves(
    kb: CommandLine, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command
    from sqlalchemy import create_engine

    from kb_service.store.migrating import _config

    old = tmp_path / "old.sqlite3"
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
        connection.exec_driver_sql(
            "INSERT INTO workspaces (id, name, languages, created_at, position, event_sequence) "
            "VALUES ('ancient', 'Ancient', '[]', '2026-01-01 00:00:00.000000', 0, 0)"
        )
    engine.dispose()
    about = {
        "made_at": "2026-01-01T00:00:00+00:00",
        "version": "0.0.9",
        "dialect": "sqlite",
        "revision": "0014",
    }
    write(tmp_path / "old.kbbackup", {"store.sqlite3": old}, **about)
    folder = elsewhere(kb, monkeypatch)
    kb.good("restore", tmp_path / "old.kbbackup")
    assert names(kb) == ["ancient"]
    assert not (folder / "kb.sqlite3-wal").exists() or (folder / "kb.sqlite3-wal").stat().st_size == 0


@pytest.mark.parametrize("fails", ["check_sqlite", "_migrate", "_keep", "_swap_lexicons"])
def test_whatever_fails_before_the_swap_leaves_the_store_as_it_was(
    kb: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    kb.good("workspaces", "create", "second")

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    with monkeypatch.context() as patch:
        patch.setattr(restoring, fails, failing)
        assert kb("restore", file, "--force").status == 1
    assert names(kb) == ["first", "second"]
    assert [path.name for path in kb.data.iterdir() if "restoring" in path.name] == []


def test_a_store_that_is_damaged_is_replaced_and_kept_as_it_was(kb: CommandLine, file: Path) -> None:
    damaged = b"this is no database, but it is long enough to be looked at" * 30
    (kb.data / "kb.sqlite3").write_bytes(damaged)
    for ending in ("-wal", "-shm"):
        (kb.data / f"kb.sqlite3{ending}").write_bytes(b"its log")
    aside = Path(kb.good("restore", file, "--force", "--json").json["aside"])
    assert names(kb) == ["first"]
    assert (aside / "kb.sqlite3").read_bytes() == damaged


def test_check_says_whether_it_could_be_restored(kb: CommandLine, file: Path) -> None:
    said = kb.good("restore", file, "--check").out
    assert "is whole" in said
    assert kb("restore", file, "--check", "--force").status == 2
    assert kb("restore", file.with_name("nothing"), "--check").status == 2


def test_a_file_that_is_there_is_not_written_over(kb: CommandLine, file: Path) -> None:
    before = file.read_bytes()
    refused = kb("backup", file)
    assert refused.status == 2
    assert "--force" in refused.err
    assert file.read_bytes() == before
    told = kb.good("backup", file, "--force", "--json").json
    assert (told["bytes"], len(told["sha256"])) == (file.stat().st_size, 64)


def test_too_little_room_is_told_before_anything_is_written(
    kb: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import _ntuple_diskusage as usage  # type: ignore[attr-defined]

    kb.good("workspaces", "create", "first")
    monkeypatch.setattr("kb_service.backups.making.shutil.disk_usage", lambda _: usage(10, 10, 0))
    refused = kb("backup", tmp_path / "three.kbbackup")
    assert refused.status == 1
    assert "make room" in refused.err
    assert not (tmp_path / "three.kbbackup").exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("x", "no store of this service"),
        ("only its revision", "without documents, members, workspaces"),
        ("another revision", "no store of this service at revision"),
        ("no database", "damaged"),
    ],
)
def test_a_store_that_is_none_is_not_restored(
    kb: CommandLine, file: Path, tmp_path: Path, wrong: str, said: str
) -> None:
    about, store = manifest_of(file), tmp_path / "store"
    if wrong == "x":
        store.write_bytes(b"x")
    elif wrong == "no database":
        store.write_bytes(b"SQLite format 3\0" + b"x" * 5_000)
    elif wrong == "another revision":
        extract(file, tmp_path / "out")
        (tmp_path / "out" / "store.sqlite3").rename(store)
        with closing(sqlite3.connect(store)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '0015'")
    else:
        with closing(sqlite3.connect(store)) as connection, connection:
            connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (about.revision,))
    told = {name: getattr(about, name) for name in ("made_at", "version", "dialect", "revision")}
    write(tmp_path / "wrong.kbbackup", {"store.sqlite3": store}, **told)
    for how in ("--check", "--force"):
        refused = kb("restore", tmp_path / "wrong.kbbackup", how)
        assert refused.status == 1, how
        assert said in refused.err
    assert names(kb) == ["first"]
