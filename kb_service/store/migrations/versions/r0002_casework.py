"""Events, cases, problems, alerts, and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Blob, Counter, Json, Moment, Words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _casework()
    _problems()
    _delivery()


def downgrade() -> None:
    for table in (
        "deliveries",
        "webhooks",
        "messages",
        "problem_aliases",
        "alert_examples",
        "proposals",
        "problems",
        "alerts",
        "event_vectors",
        "case_conversations",
        "assignments",
        "feedback",
        "exposures",
        "events",
        "cases",
    ):
        op.drop_table(table)


def _casework() -> None:
    op.create_table(
        "cases",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("customer_id", Words()),
        sa.Column("conversation_ids", Json, nullable=False),
        sa.Column("channels", Json, nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("active_at", Moment(), nullable=False),
        sa.Column("problem_id", Words()),
        sa.Column("agent_id", Words()),
        sa.Column("language", Words()),
        sa.Column("resolved_at", Moment()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_cases_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_cases"),
    )
    op.create_index("ix_cases_active", "cases", ["workspace", "active_at", "id"])
    op.create_index("ix_cases_agent", "cases", ["workspace", "agent_id", "state"])
    op.create_index("ix_cases_customer", "cases", ["workspace", "customer_id", "active_at"])
    op.create_index("ix_cases_problem", "cases", ["workspace", "problem_id", "active_at"])
    op.create_index("ix_cases_state", "cases", ["workspace", "state", "active_at"])
    op.create_table(
        "events",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("sequence", Counter, nullable=False),
        sa.Column("type", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("role", Words(), nullable=False),
        sa.Column("case_id", Words()),
        sa.Column("conversation_id", Words()),
        sa.Column("customer_id", Words()),
        sa.Column("channel", Words()),
        sa.Column("text", Words()),
        sa.Column("language", Words()),
        sa.Column("products", Json, nullable=False),
        sa.Column("order_value", sa.Float()),
        sa.Column("customer", Json),
        sa.Column("agent_id", Words()),
        sa.Column("state", Words()),
        sa.Column("reply", Words()),
        sa.Column("handling_seconds", sa.Float()),
        sa.Column("resolved", sa.Boolean()),
        sa.Column("rating", sa.Float()),
        sa.Column("from_agent", Words()),
        sa.Column("to_agent", Words()),
        sa.Column("reason", Words()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_events_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_events"),
    )
    op.create_index("ix_events_case", "events", ["workspace", "case_id", "at"])
    op.create_index("ix_events_conversation", "events", ["workspace", "conversation_id", "at"])
    op.create_index("ix_events_customer", "events", ["workspace", "customer_id", "at"])
    op.create_index("ix_events_sequence", "events", ["workspace", "sequence"], unique=True)
    op.create_index("ix_events_type", "events", ["workspace", "type", "at"])
    op.create_table(
        "exposures",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("route", Words(), nullable=False),
        sa.Column("query", Words()),
        sa.Column("language", Words()),
        sa.Column("action", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("answers", Json, nullable=False),
        sa.Column("conversation_id", Words()),
        sa.Column("customer_id", Words()),
        sa.Column("case_id", Words()),
        sa.Column("event_id", Words()),
        sa.Column("problem_id", Words()),
        sa.Column("intent_id", Words()),
        sa.Column("agent_id", Words()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_exposures_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_exposures"),
    )
    op.create_index("ix_exposures_at", "exposures", ["workspace", "at", "id"])
    op.create_index("ix_exposures_case", "exposures", ["workspace", "case_id"])
    op.create_index("ix_exposures_conversation", "exposures", ["workspace", "conversation_id"])
    op.create_index("ix_exposures_customer", "exposures", ["workspace", "customer_id"])
    op.create_table(
        "feedback",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("exposure_id", Words(), nullable=False),
        sa.Column("answer_id", Words(), nullable=False),
        sa.Column("outcome", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("final_text", Words()),
        sa.Column("agent_id", Words()),
        sa.Column("rating", sa.Float()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_feedback_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_feedback"),
    )
    op.create_index("ix_feedback_answer", "feedback", ["workspace", "answer_id", "at"])
    op.create_index("ix_feedback_exposure", "feedback", ["workspace", "exposure_id"])
    op.create_table(
        "assignments",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("event_id", Words(), nullable=False),
        sa.Column("problem_id", Words()),
        sa.Column("first_problem_id", Words()),
        sa.Column("match_problem_id", Words()),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("runner_up", sa.Float(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "event_id"],
            ["events.workspace", "events.id"],
            name="fk_assignments_workspace_event_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_assignments_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "event_id", name="pk_assignments"),
    )
    op.create_index("ix_assignments_pending", "assignments", ["workspace", "pending"])
    op.create_index("ix_assignments_problem", "assignments", ["workspace", "problem_id"])
    op.create_table(
        "case_conversations",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("conversation_id", Words(), nullable=False),
        sa.Column("case_id", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "case_id"],
            ["cases.workspace", "cases.id"],
            name="fk_case_conversations_workspace_case_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_case_conversations_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "conversation_id", name="pk_case_conversations"),
    )
    op.create_index("ix_case_conversations_case", "case_conversations", ["workspace", "case_id"])
    op.create_table(
        "event_vectors",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("event_id", Words(), nullable=False),
        sa.Column("model_id", Words(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("vector", Blob(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "event_id"],
            ["events.workspace", "events.id"],
            name="fk_event_vectors_workspace_event_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_event_vectors_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "event_id", name="pk_event_vectors"),
    )


def _problems() -> None:
    op.create_table(
        "alerts",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("problem_id", Words(), nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("products", Json, nullable=False),
        sa.Column("expertise_id", Words()),
        sa.Column("proposal_id", Words()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_alerts_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_opened", "alerts", ["workspace", "opened_at", "id"])
    op.create_index("ix_alerts_problem", "alerts", ["workspace", "problem_id"])
    op.create_table(
        "problems",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("names", Json, nullable=False),
        sa.Column("folded_names", Words(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("active_at", Moment(), nullable=False),
        sa.Column("episode_at", Moment(), nullable=False),
        sa.Column("intent_id", Words()),
        sa.Column("products", Json, nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("owner_id", Words()),
        sa.Column("expertise_id", Words()),
        sa.Column("resolved_at", Moment()),
        sa.Column("silenced_until", Moment()),
        sa.Column("silenced_count", sa.Integer()),
        sa.Column("named_by_person", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_problems_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_problems"),
    )
    op.create_index("ix_problems_active", "problems", ["workspace", "active_at", "id"])
    op.create_index("ix_problems_state", "problems", ["workspace", "state"])
    op.create_table(
        "proposals",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("title", Json, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("draft", Words(), nullable=False),
        sa.Column("problem_id", Words()),
        sa.Column("alert_id", Words()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_proposals_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_proposals"),
    )
    op.create_index("ix_proposals_opened", "proposals", ["workspace", "opened_at", "id"])
    op.create_index("ix_proposals_problem", "proposals", ["workspace", "problem_id"])
    op.create_table(
        "alert_examples",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("alert_id", Words(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("event_id", Words()),
        sa.Column("text", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "alert_id"],
            ["alerts.workspace", "alerts.id"],
            name="fk_alert_examples_workspace_alert_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_alert_examples_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "alert_id", "ordinal", name="pk_alert_examples"),
    )
    op.create_index("ix_alert_examples_event", "alert_examples", ["workspace", "event_id"])
    op.create_table(
        "problem_aliases",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("alias", Words(), nullable=False),
        sa.Column("problem_id", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "problem_id"],
            ["problems.workspace", "problems.id"],
            name="fk_problem_aliases_workspace_problem_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_problem_aliases_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "alias", name="pk_problem_aliases"),
    )
    op.create_index("ix_problem_aliases_problem", "problem_aliases", ["workspace", "problem_id"])


def _delivery() -> None:
    op.create_table(
        "messages",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("type", Words(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("quotes", Json, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_messages_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_messages"),
    )
    op.create_table(
        "webhooks",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("url", Words(), nullable=False),
        sa.Column("types", Json, nullable=False),
        sa.Column("filter", Json, nullable=False),
        sa.Column("format", Words(), nullable=False),
        sa.Column("secrets", Json, nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("disabled_reason", Words()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_webhooks_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_webhooks"),
    )
    op.create_table(
        "deliveries",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("message_id", Words(), nullable=False),
        sa.Column("webhook_id", Words(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("next_at", Moment()),
        sa.Column("lease", Words()),
        sa.Column("lease_until", Moment()),
        sa.Column("last_status", sa.Integer()),
        sa.Column("last_error", Words()),
        sa.Column("finished_at", Moment()),
        sa.ForeignKeyConstraint(
            ["workspace", "message_id"],
            ["messages.workspace", "messages.id"],
            name="fk_deliveries_workspace_message_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace", "webhook_id"],
            ["webhooks.workspace", "webhooks.id"],
            name="fk_deliveries_workspace_webhook_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_deliveries_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_deliveries"),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["next_at"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_deliveries_message", "deliveries", ["workspace", "message_id"])
    op.create_index("ix_deliveries_webhook", "deliveries", ["workspace", "webhook_id", "id"])
