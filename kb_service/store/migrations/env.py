"""Run by Alembic. The connection, its transaction and its lock come from `kb_service.store.migrating`."""

from __future__ import annotations

from alembic import context

from kb_service.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
