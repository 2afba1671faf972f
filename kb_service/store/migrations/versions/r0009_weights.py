"""Weights of the priority that were learned from escalations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "priority_weights",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("weights", Json, nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("of_id", Words()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_priority_weights_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "ordinal", name="pk_priority_weights"),
    )
    op.create_index("ix_priority_weights_id", "priority_weights", ["workspace", "id"], unique=True)


def downgrade() -> None:
    op.drop_table("priority_weights")
