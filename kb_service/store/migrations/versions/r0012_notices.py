"""What product teams were told and are yet to be told about alerts, and follow-ups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Moment, Words

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("problems", sa.Column("silenced_rate", sa.Float()))
    op.add_column("problems", sa.Column("parent_id", Words()))
    op.add_column("problems", sa.Column("confirmed_at", Moment()))
    op.create_index("ix_problems_parent", "problems", ["workspace", "parent_id"])
    op.create_table(
        "notices",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("alert_id", Words(), nullable=False),
        sa.Column("group_by", Words(), nullable=False),
        sa.Column("group_value", Words(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("due_at", Moment()),
        sa.Column("told_at", Moment()),
        sa.Column("last_told_at", Moment()),
        sa.Column("told_customers", sa.Integer(), nullable=False),
        sa.Column("inhibited_by", Words()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_notices_workspace", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace", "alert_id"],
            ["alerts.workspace", "alerts.id"],
            name="fk_notices_workspace_alert_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace", "alert_id", name="pk_notices"),
    )
    op.create_index("ix_notices_due", "notices", ["workspace", "due_at"])
    op.create_index("ix_notices_group", "notices", ["workspace", "group_by", "group_value", "told_at"])
    _follow_ups()


def _follow_ups() -> None:
    op.create_table(
        "follow_ups",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("problem_id", Words(), nullable=False),
        sa.Column("channel", Words()),
        sa.Column("resolved_at", Moment(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("closed_at", Moment()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_follow_ups_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_follow_ups"),
    )
    op.create_index("ix_follow_ups_sent", "follow_ups", ["workspace", "sent_at", "id"])
    op.create_index("ix_follow_ups_state", "follow_ups", ["workspace", "state"])
    op.create_index("ix_follow_ups_problem", "follow_ups", ["workspace", "problem_id", "resolved_at"])
    op.create_table(
        "follow_up_cases",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("follow_up_id", Words(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("case_id", Words()),
        sa.Column("conversation_id", Words()),
        sa.Column("customer_id", Words()),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("answered_at", Moment()),
        sa.Column("solved", sa.Boolean()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_follow_up_cases_workspace", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace", "follow_up_id"],
            ["follow_ups.workspace", "follow_ups.id"],
            name="fk_follow_up_cases_workspace_follow_up_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace", "follow_up_id", "ordinal", name="pk_follow_up_cases"),
    )
    for name in ("case", "conversation", "customer"):
        op.create_index(f"ix_follow_up_cases_{name}", "follow_up_cases", ["workspace", f"{name}_id"])


def downgrade() -> None:
    op.drop_table("follow_up_cases")
    op.drop_table("follow_ups")
    op.drop_table("notices")
    op.drop_index("ix_problems_parent", "problems")
    for column in ("confirmed_at", "parent_id", "silenced_rate"):
        op.drop_column("problems", column)
