"""The judged questions that a calibration was fitted on, so that they speak of questions like them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Blob, Json, Words

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "precedents",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("calibration_id", Words(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("question_id", Words(), nullable=False),
        sa.Column("question", Words(), nullable=False),
        sa.Column("vector", Blob(), nullable=False),
        sa.Column("answers", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_precedents_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "calibration_id", "ordinal", name="pk_precedents"),
    )


def downgrade() -> None:
    op.drop_table("precedents")
