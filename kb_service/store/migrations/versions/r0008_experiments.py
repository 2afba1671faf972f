"""Trials of two ways side by side, and in which arm each exposure was made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("treatment", Json, nullable=False),
        sa.Column("salt", Words(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("metric", Words(), nullable=False),
        sa.Column("guards", Json, nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.Column("alpha", sa.Float(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("starts_at", Moment()),
        sa.Column("ends_at", Moment()),
        sa.Column("started_at", Moment()),
        sa.Column("stopped_at", Moment()),
        sa.Column("ending", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_experiments_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_experiments"),
    )
    op.create_index("ix_experiments_created", "experiments", ["workspace", "created_at", "id"])
    op.add_column("exposures", sa.Column("arms", Json))


def downgrade() -> None:
    op.drop_column("exposures", "arms")
    op.drop_table("experiments")
