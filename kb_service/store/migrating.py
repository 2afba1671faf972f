"""Bringing the tables up to date, one process at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from kb_service.store import migrations
from kb_service.store.backends import Backend
from kb_service.store.migrations import HEAD

if TYPE_CHECKING:
    from alembic.config import Config


class NewerStore(RuntimeError):
    """The store was migrated by a later version of this software."""


def migrate(backend: Backend) -> None:
    """Runs the missing revisions in one transaction, under a lock that keeps other processes waiting.

    Alembic is imported only when there is something to do.
    """
    with backend.migrating() as connection:
        bring_up_to_date(connection)


def bring_up_to_date(connection: Connection) -> None:
    """Runs the missing revisions within a transaction. Raises NewerStore for tables of a later version."""
    current = current_revision(connection)
    if current == HEAD:
        return
    from alembic import command

    config = _config()
    if current is not None and current not in known_revisions():
        raise NewerStore(
            f"the store is at revision {current}, which this version does not know: "
            "install the version that wrote it, or a later one"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def known_revisions() -> frozenset[str]:
    """The revisions from which this version brings a store up to date."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return frozenset(str(script.revision) for script in scripts)


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def current_revision(connection: Connection) -> str | None:
    """The revision that the tables stand at; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)
