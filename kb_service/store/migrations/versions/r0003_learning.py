"""What calibration learns from: exposures' features, reviews of automatic answers, calibrations of a shop."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

EXPOSED = ("threshold", "features", "calibration_id", "model_id")


def upgrade() -> None:
    op.add_column("exposures", sa.Column("model_id", Words()))
    op.add_column("exposures", sa.Column("calibration_id", Words()))
    op.add_column("exposures", sa.Column("features", Json))
    op.add_column("exposures", sa.Column("threshold", sa.Float()))
    _reviews()
    _calibrations()
    _jobs()


def downgrade() -> None:
    for table in ("jobs", "calibrations", "reviews"):
        op.drop_table(table)
    for column in EXPOSED:
        op.drop_column("exposures", column)


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("exposure_id", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("text", Words()),
        sa.Column("citations", Json, nullable=False),
        sa.Column("verdict", Words()),
        sa.Column("note", Words()),
        sa.Column("reviewer", Words()),
        sa.Column("decided_at", Moment()),
        sa.Column("proposal_id", Words()),
        sa.Column("withheld", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_reviews_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_at", "reviews", ["workspace", "at", "id"])
    op.create_index("ix_reviews_state", "reviews", ["workspace", "state", "at"])
    op.create_index("ix_reviews_exposure", "reviews", ["workspace", "exposure_id"])
    op.create_index("ix_reviews_verdict", "reviews", ["workspace", "verdict"])


def _calibrations() -> None:
    op.create_table(
        "calibrations",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("model_id", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("source", Words(), nullable=False),
        sa.Column("fitted_at", Moment(), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("constants", Json),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_calibrations_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "ordinal", name="pk_calibrations"),
    )
    op.create_index("ix_calibrations_id", "calibrations", ["workspace", "id"], unique=True)
    op.create_index("ix_calibrations_model", "calibrations", ["workspace", "model_id", "ordinal"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_jobs_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "name", name="pk_jobs"),
    )
