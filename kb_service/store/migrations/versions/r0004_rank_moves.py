"""What feedback moved in the ranking, one entry after the other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rank_moves",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("scope", Words(), nullable=False),
        sa.Column("subject_id", Words(), nullable=False),
        sa.Column("external_id", Words(), nullable=False),
        sa.Column("step", sa.Float(), nullable=False),
        sa.Column("boost", sa.Float(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("withdraws", Words()),
        sa.Column("agents", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("contributions", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_rank_moves_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "ordinal", name="pk_rank_moves"),
    )
    op.create_index("ix_rank_moves_id", "rank_moves", ["workspace", "id"], unique=True)
    op.create_index("ix_rank_moves_withdraws", "rank_moves", ["workspace", "withdraws"])


def downgrade() -> None:
    op.drop_table("rank_moves")
