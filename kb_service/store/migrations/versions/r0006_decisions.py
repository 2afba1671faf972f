"""Decisions of routing and assignment with their features, and expertise as it was learned and pinned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Counter, Json, Moment, Words

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _keys(table: str) -> tuple[sa.ForeignKeyConstraint, sa.PrimaryKeyConstraint]:
    return (
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name=f"fk_{table}_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name=f"pk_{table}"),
    )


def upgrade() -> None:
    op.add_column("cases", sa.Column("assigned_at", Moment()))
    op.create_table(
        "decisions",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("ordinal", Counter, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("case_id", Words(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("agent_id", Words()),
        sa.Column("previous_agent_id", Words()),
        sa.Column("expertise_id", Words()),
        sa.Column("note", Words()),
        sa.Column("experiment_id", Words()),
        sa.Column("arm", Words()),
        sa.Column("propensity", sa.Float()),
        sa.Column("features", Json, nullable=False),
        *_keys("decisions"),
    )
    op.create_index("ix_decisions_ordinal", "decisions", ["workspace", "ordinal"], unique=True)
    op.create_index("ix_decisions_case", "decisions", ["workspace", "case_id", "ordinal"])
    op.create_index("ix_decisions_at", "decisions", ["workspace", "at", "id"])
    op.create_index("ix_decisions_agent", "decisions", ["workspace", "agent_id", "kind", "at"])
    lists = ("intent_ids", "problem_ids", "agent_ids")
    op.create_table(
        "expertise",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        *(sa.Column(name, Json, nullable=False) for name in lists),
        sa.Column("outcomes", sa.Integer(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        *_keys("expertise"),
    )
    op.create_table(
        "expertise_pins",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("name", Words()),
        *(sa.Column(name, Json, nullable=False) for name in lists),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("pinned_at", Moment(), nullable=False),
        *_keys("expertise_pins"),
    )


def downgrade() -> None:
    op.drop_table("expertise_pins")
    op.drop_table("expertise")
    op.drop_table("decisions")
    op.drop_column("cases", "assigned_at")
