"""Gaps that were told, so that each is told once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_gaps",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("problem_id", Words()),
        sa.Column("names", Json, nullable=False),
        sa.Column("exposure_ids", Json, nullable=False),
        sa.Column("quotes", Json, nullable=False),
        sa.Column("told_at", Moment(), nullable=False),
        sa.Column("message_ids", Json, nullable=False),
        sa.Column("proposal_id", Words()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_told_gaps_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_told_gaps"),
    )
    op.create_index("ix_told_gaps_told", "told_gaps", ["workspace", "told_at"])


def downgrade() -> None:
    op.drop_table("told_gaps")
