"""What people say belongs together or apart, and what was regrouped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _ties()
    _regroupings()
    _regrouped_events()
    _finds()


def downgrade() -> None:
    for name in ("regrouping_finds", "regrouped_events", "regroupings", "problem_ties"):
        op.drop_table(name)


def _of_a_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace"], ["workspaces.id"], name=f"fk_{table}_workspace", ondelete="CASCADE"
    )


def _ties() -> None:
    op.create_table(
        "problem_ties",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("first", Words(), nullable=False),
        sa.Column("second", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        _of_a_workspace("problem_ties"),
        sa.PrimaryKeyConstraint("workspace", "first", "second", name="pk_problem_ties"),
    )


def _regroupings() -> None:
    op.create_table(
        "regroupings",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("problem_id", Words(), nullable=False),
        sa.Column("other_id", Words(), nullable=False),
        sa.Column("margin", sa.Float()),
        sa.Column("kept", Json, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("undone_at", Moment()),
        sa.Column("undone_by", Words()),
        _of_a_workspace("regroupings"),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_regroupings"),
    )
    op.create_index("ix_regroupings_other", "regroupings", ["workspace", "other_id", "at"])
    op.create_index("ix_regroupings_at", "regroupings", ["workspace", "at", "id"])


def _regrouped_events() -> None:
    op.create_table(
        "regrouped_events",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("regrouping_id", Words(), nullable=False),
        sa.Column("event_id", Words(), nullable=False),
        _of_a_workspace("regrouped_events"),
        sa.ForeignKeyConstraint(
            ["workspace", "regrouping_id"],
            ["regroupings.workspace", "regroupings.id"],
            name="fk_regrouped_events_workspace_regrouping_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace", "event_id"],
            ["events.workspace", "events.id"],
            name="fk_regrouped_events_workspace_event_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace", "regrouping_id", "event_id", name="pk_regrouped_events"),
    )
    op.create_index("ix_regrouped_events_event", "regrouped_events", ["workspace", "event_id"])


def _finds() -> None:
    op.create_table(
        "regrouping_finds",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("problem_id", Words(), nullable=False),
        sa.Column("other_id", Words(), nullable=False),
        sa.Column("nights", sa.Integer(), nullable=False),
        sa.Column("margin", sa.Float(), nullable=False),
        sa.Column("anchors", Json, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        _of_a_workspace("regrouping_finds"),
        sa.PrimaryKeyConstraint("workspace", "kind", "problem_id", "other_id", name="pk_regrouping_finds"),
    )
