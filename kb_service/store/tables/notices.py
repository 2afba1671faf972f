"""What product teams were told of alerts and are yet to be told, and the questions whether a resolution holds."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table

from kb_service.store.columns import Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

notices = Table(
    "notices",
    metadata,
    workspace_key(),
    Column("alert_id", Words, primary_key=True),
    Column("group_by", Words, nullable=False),
    Column("group_value", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("due_at", Moment),
    Column("told_at", Moment),
    Column("last_told_at", Moment),
    Column("told_customers", Integer, nullable=False),
    Column("inhibited_by", Words),
    Column("acknowledged", Boolean),
    ForeignKeyConstraint(["workspace", "alert_id"], ["alerts.workspace", "alerts.id"], ondelete="CASCADE"),
    Index("ix_notices_due", "workspace", "due_at"),
    Index("ix_notices_group", "workspace", "group_by", "group_value", "told_at"),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("problem_id", Words, nullable=False),
    Column("channel", Words),
    Column("resolved_at", Moment, nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("state", Words, nullable=False),
    Column("closed_at", Moment),
    Index("ix_follow_ups_sent", "workspace", "sent_at", "id"),
    Index("ix_follow_ups_state", "workspace", "state"),
    Index("ix_follow_ups_problem", "workspace", "problem_id", "resolved_at"),
)

follow_up_cases = Table(
    "follow_up_cases",
    metadata,
    workspace_key(),
    Column("follow_up_id", Words, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("case_id", Words),
    Column("conversation_id", Words),
    Column("customer_id", Words),
    Column("asked", Boolean, nullable=False),
    Column("answered_at", Moment),
    Column("solved", Boolean),
    ForeignKeyConstraint(
        ["workspace", "follow_up_id"], ["follow_ups.workspace", "follow_ups.id"], ondelete="CASCADE"
    ),
    Index("ix_follow_up_cases_case", "workspace", "case_id"),
    Index("ix_follow_up_cases_conversation", "workspace", "conversation_id"),
    Index("ix_follow_up_cases_customer", "workspace", "customer_id"),
)
