"""By which ids of orders, parcels and products an event can be found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ingest.identifiers import one_spelling, written_ids
from kb_service.store.columns import Json, Words

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
AT_ONCE = 1000


def upgrade() -> None:
    op.create_table(
        "named_ids",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("event_id", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_named_ids_workspace", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace", "event_id"],
            ["events.workspace", "events.id"],
            name="fk_named_ids_workspace_event_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace", "id", "event_id", name="pk_named_ids"),
    )
    op.create_index("ix_named_ids_event", "named_ids", ["workspace", "event_id"])
    _name_the_past()


def _name_the_past() -> None:
    """What the events before this revision named: in their words as they are kept, masked, and as their products."""
    connection = op.get_bind()
    plain = ("workspace", "id", "text", "reply", "case_id")
    events = sa.table("events", *(sa.column(name, Words()) for name in plain), sa.column("products", Json))
    names = sa.table("named_ids", *(sa.column(name, Words()) for name in ("workspace", "id", "event_id")))
    statement = sa.select(events).where(events.c.case_id.is_not(None))
    read = connection.execute(statement.execution_options(yield_per=AT_ONCE))
    for some in read.partitions(AT_ONCE):
        rows = [
            {"workspace": row.workspace, "id": id, "event_id": row.id}
            for row in some
            for id in dict.fromkeys(
                (*written_ids(f"{row.text or ''}\n{row.reply or ''}"), *map(one_spelling, row.products))
            )
            if id
        ]
        if rows:
            connection.execute(sa.insert(names), rows)


def downgrade() -> None:
    op.drop_table("named_ids")
