"""A PostgreSQL store as a dump, by the database's own programs: made, looked at, and put in the place of a store."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url

from kb_service.errors import ServiceError
from kb_service.store import tables
from kb_service.store.copying import check_store

_DUMPED_TABLE = re.compile(r"^\d+; \d+ \d+ TABLE \S+ (\S+) ", re.MULTILINE)
"""A table in the list of what a dump holds."""
_COPY = re.compile(rb"COPY [^\n]* FROM stdin;\n")
"""Where the rows of a table begin."""
_COPIED = re.compile(r"^COPY [^\n]* FROM stdin;\n(.*?)^\\\.$", re.MULTILINE | re.DOTALL)
"""The rows of a table in a dump."""
BEHIND = "kb-service"
"""What the service calls itself to PostgreSQL."""


def check_dump(path: Path, revision: str) -> None:
    """Raises ServiceError where a dump of PostgreSQL cannot be read to its end, is no store of this service, or not at
    the revision said of it. It asks no database."""
    listed = _read_dump(path, "--list")
    there = {found[1] for found in _DUMPED_TABLE.finditer(listed)}
    found: list[str] = []
    if "alembic_version" in there:
        rows = _read_dump(path, "--data-only", "--table=alembic_version", "--file=-")
        copied = _COPIED.search(rows)
        found = copied[1].split() if copied is not None else []
    check_store(there, found, revision)
    _read_dump(path, f"--file={os.devnull}")


def dump_postgres(url: URL, to: Path) -> None:
    """One snapshot of a PostgreSQL store by `pg_dump`. Raises ServiceError with what to run instead."""
    # The password goes by the environment: what a program is called with, everybody on the machine can read.
    environment = {**os.environ, **({"PGPASSWORD": url.password} if url.password else {})}
    database = [f"--dbname={_plain(url, password=False)}", "--no-password"]
    arguments = [*database, "--format=custom", "--no-owner", "--no-privileges", f"--file={to}"]
    done = _called("pg_dump", arguments, environment)
    if done.returncode:
        raise _failed("pg_dump", _reason(done.stderr))


def pour(connection: Connection, dump: Path) -> None:
    """Put a dump in the place of a store, within the transaction of a connection. Raises ServiceError.

    Every table of this service goes first, also one that came after the dump was made and refers to what it holds.
    """
    there = sql.SQL(", ").join(map(sql.Identifier, [*tables.metadata.tables, "alembic_version"]))
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    try:
        with raw.cursor() as cursor, _statements(dump) as lines:
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(there))
            _run_all(cursor, lines)
            # A dump sets the path by which names are looked up, and more; what follows stands on the server's own.
            cursor.execute("RESET ALL")
    except psycopg.Error as error:
        raise ServiceError(
            "The store in the backup cannot be put into the database, which is as it was ({reason}).",
            reason=str(error).strip().partition("\n")[0],
        ) from error


@contextmanager
def _statements(dump: Path) -> Iterator[Iterable[bytes]]:
    """The lines of SQL that bring a dump back. Raises ServiceError where it ends badly."""
    arguments = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-", str(dump)]
    with tempfile.TemporaryFile() as faults:
        called = [_program("pg_restore"), *arguments]
        with subprocess.Popen(called, stdout=subprocess.PIPE, stderr=faults) as process:
            assert process.stdout is not None
            yield process.stdout
        if process.returncode:
            faults.seek(0)
            raise _damaged(_reason(faults.read().decode("utf-8", "replace")))


def _run_all(cursor: psycopg.Cursor[tuple[object, ...]], lines: Iterable[bytes]) -> None:
    """Run SQL as `pg_restore` writes it: statements, and between them the rows of each table."""
    statements: list[bytes] = []
    rows = iter(lines)
    for line in rows:
        if _COPY.fullmatch(line):
            _run(cursor, statements)
            statements = []
            with cursor.copy(line) as copy:
                for row in rows:
                    if row == b"\\.\n":
                        break
                    copy.write(row)
        elif not line.startswith(b"\\"):  # What only `psql` understands: no part of what is brought back.
            statements.append(line)
    _run(cursor, statements)


def _run(cursor: psycopg.Cursor[tuple[object, ...]], statements: Sequence[bytes]) -> None:
    cursor.execute(b"".join(statements), prepare=False)


def _read_dump(path: Path, *arguments: str) -> str:
    """What `pg_restore` makes of a dump without any database. Raises ServiceError."""
    done = _called("pg_restore", [*arguments, str(path)], os.environ)
    if done.returncode:
        raise _damaged(_reason(done.stderr))
    return done.stdout


def _damaged(reason: str) -> ServiceError:
    """What is told of a dump that cannot be read: a later version of the programs may be needed for it."""
    if "unsupported version" in reason:
        return _failed("pg_restore", reason)
    return ServiceError("The store in the backup is damaged ({reason}).", reason=reason)


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


def _called(
    name: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """One of PostgreSQL's own programs, run to its end. Raises ServiceError where there is none."""
    called = [_program(name), *arguments]
    return subprocess.run(
        called, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
    )


def _program(name: str) -> str:
    """Where one of PostgreSQL's own programs lies. Raises ServiceError where there is none."""
    program = shutil.which(name)
    if program is None:
        raise ServiceError(
            "{program} is not installed here. Install PostgreSQL's client programs, or run it where the database is: "
            "{instead}",
            program=name,
            instead=_instead(name),
        )
    return program


def _reason(told: str) -> str:
    return told.strip().partition("\n")[0] or "it gave no reason"


def _failed(program: str, reason: str) -> ServiceError:
    return ServiceError(
        "{program} failed ({reason}). Mend that, or run it where the database is: {instead}",
        program=program,
        reason=reason,
        instead=_instead(program),
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
