"""The store as one file, and back: SQLite by its online backup, PostgreSQL by its own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg
from sqlalchemy.engine import URL, make_url

from kb_service.errors import ServiceError

NEEDED = frozenset({"alembic_version", "workspaces", "documents"})
"""Tables without which a file is no store of this service."""
MEMBERS_SINCE = "0015"
"""The revision at which members came."""
BEHIND = "kb-service"
"""What the service calls itself to PostgreSQL."""


def sqlite_file(url: str) -> Path:
    """The file of a SQLite store by its URL."""
    return Path(str(make_url(url).database))


def copy_sqlite(path: Path, to: Path) -> None:
    """One snapshot of a SQLite store as a single file, while others read and write it.

    All pages go in one step: writers go on in their log, and the copy is what was committed when it began.
    """
    with (
        closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target, pages=-1)
        target.execute("PRAGMA journal_mode=DELETE")


def check_sqlite(path: Path) -> None:
    """Raises ServiceError where a SQLite file is damaged."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise ServiceError("The store in the backup is damaged ({reason}).", reason=str(error)) from error
    if found != ("ok",):
        raise ServiceError("The store in the backup is damaged ({reason}).", reason=str(found and found[0]))


def check_tables(path: Path, revision: str) -> None:
    """Raises ServiceError where a SQLite file is no store of this service, or not at the revision said of it."""
    found: list[object] = []
    try:
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            needed = NEEDED | {"members"} if revision >= MEMBERS_SINCE else NEEDED
            missing = sorted(needed.difference(name for (name,) in tables))
            if not missing:
                found = [name for (name,) in connection.execute("SELECT version_num FROM alembic_version")]
    except sqlite3.Error as error:
        raise ServiceError("The store in the backup is damaged ({reason}).", reason=str(error)) from error
    if missing or found != [revision]:
        raise ServiceError(
            "What lies in the backup is no store of this service at revision {revision} ({reason}); take another one.",
            revision=revision,
            reason=f"without {', '.join(missing)}" if missing else f"at {found}",
        )


def dump_postgres(url: URL, to: Path) -> None:
    """One snapshot of a PostgreSQL store by `pg_dump`. Raises ServiceError with what to run instead."""
    _run(url, ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}"])


def restore_postgres(url: str, dump: Path) -> None:
    """Replace a PostgreSQL store by a dump, all of it or nothing. Raises ServiceError."""
    arguments = [
        "--clean",
        "--if-exists",
        "--no-owner",
        "--no-privileges",
        "--single-transaction",
        "--exit-on-error",
    ]
    _run(_parsed(url), ["pg_restore", *arguments, str(dump)])


def postgres_in_use(url: str) -> int:
    """How many connections of this service a PostgreSQL store has."""
    with psycopg.connect(_plain(_parsed(url), password=True)) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = %s AND pid <> pg_backend_pid()",
            (BEHIND,),
        ).fetchone()
    return int(row[0]) if row else 0


def postgres_filled(url: str) -> bool:
    """Whether a PostgreSQL store holds a workspace."""
    with psycopg.connect(_plain(_parsed(url), password=True)) as connection:
        there = connection.execute("SELECT to_regclass('workspaces')").fetchone()
        if there is None or there[0] is None:
            return False
        return connection.execute("SELECT 1 FROM workspaces LIMIT 1").fetchone() is not None


def _run(url: URL, command: list[str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise ServiceError(
            "{program} is not installed here. Install PostgreSQL's client programs, or run it where the database is: "
            "{instead}",
            program=command[0],
            instead=_instead(command[0]),
        )
    # The password goes by the environment: what a program is called with, everybody on the machine can read.
    environment = {**os.environ, **({"PGPASSWORD": url.password} if url.password else {})}
    called = [program, f"--dbname={_plain(url, password=False)}", "--no-password", *command[1:]]
    done = subprocess.run(called, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise ServiceError(
            "{program} failed ({reason}). Mend that, or run it where the database is: {instead}",
            program=command[0],
            reason=reason[0] if reason else str(done.returncode),
            instead=_instead(command[0]),
        )


def _instead(program: str) -> str:
    return {
        "pg_dump": "pg_dump --format=custom --file=kb.pgdump DATABASE",
        "pg_restore": "pg_restore --clean --if-exists --single-transaction --dbname=DATABASE kb.pgdump",
    }[program]


def _parsed(url: str) -> URL:
    return make_url("postgresql" + url.removeprefix("postgres") if url.startswith("postgres://") else url)


def _plain(url: URL, *, password: bool) -> str:
    """As PostgreSQL's own programs take it."""
    plain = url.set(drivername="postgresql")
    if not password:
        plain = URL.create(
            plain.drivername, plain.username, None, plain.host, plain.port, plain.database, plain.query
        )
    return plain.render_as_string(hide_password=False)


def _quoted(path: Path) -> str:
    return quote(str(path.resolve()))
