"""A SQLite store as one file, by its online backup; and what any store must hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from kb_service.errors import ServiceError

NEEDED = frozenset({"alembic_version", "workspaces", "documents"})
"""Tables without which a file is no store of this service."""
MEMBERS_SINCE = "0015"
"""The revision at which members came."""


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
    found: list[str] = []
    try:
        with closing(sqlite3.connect(path)) as connection:
            there = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            tables = {str(name) for (name,) in there}
            if "alembic_version" in tables:
                found = [
                    str(name) for (name,) in connection.execute("SELECT version_num FROM alembic_version")
                ]
    except sqlite3.Error as error:
        raise ServiceError("The store in the backup is damaged ({reason}).", reason=str(error)) from error
    check_store(tables, found, revision)


def check_store(tables: Collection[str], found: list[str], revision: str) -> None:
    """Raises ServiceError unless tables are those of a store of this service, whose revisions `found` are the one said
    of it."""
    needed = NEEDED | {"members"} if revision >= MEMBERS_SINCE else NEEDED
    missing = sorted(needed.difference(tables))
    if missing or found != [revision]:
        raise ServiceError(
            "What lies in the backup is no store of this service at revision {revision} ({reason}); take another one.",
            revision=revision,
            reason=f"without {', '.join(missing)}" if missing else f"at {found}",
        )


def _quoted(path: Path) -> str:
    return quote(str(path.resolve()))
