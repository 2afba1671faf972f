"""What customers said, and what was made of it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKeyConstraint, Index, Integer, Table

from kb_service.store.columns import Blob, Counter, Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

events = Table(
    "events",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("sequence", Counter, nullable=False),
    Column("type", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("role", Words, nullable=False),
    Column("case_id", Words),
    Column("conversation_id", Words),
    Column("customer_id", Words),
    Column("channel", Words),
    Column("text", Words),
    Column("language", Words),
    Column("products", Json, nullable=False),
    Column("order_value", Float),
    Column("customer", Json),
    Column("agent_id", Words),
    Column("state", Words),
    Column("reply", Words),
    Column("handling_seconds", Float),
    Column("resolved", Boolean),
    Column("rating", Float),
    Column("from_agent", Words),
    Column("to_agent", Words),
    Column("reason", Words),
    Index("ix_events_sequence", "workspace", "sequence", unique=True),
    Index("ix_events_case", "workspace", "case_id", "at"),
    Index("ix_events_conversation", "workspace", "conversation_id", "at"),
    Index("ix_events_customer", "workspace", "customer_id", "at"),
    Index("ix_events_type", "workspace", "type", "at"),
)

event_vectors = Table(
    "event_vectors",
    metadata,
    workspace_key(),
    Column("event_id", Words, primary_key=True),
    Column("model_id", Words, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("vector", Blob, nullable=False),
    ForeignKeyConstraint(["workspace", "event_id"], ["events.workspace", "events.id"], ondelete="CASCADE"),
)

assignments = Table(
    "assignments",
    metadata,
    workspace_key(),
    Column("event_id", Words, primary_key=True),
    Column("problem_id", Words),
    Column("first_problem_id", Words),
    Column("match_problem_id", Words),
    Column("reason", Words, nullable=False),
    Column("score", Float, nullable=False),
    Column("runner_up", Float, nullable=False),
    Column("pending", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    ForeignKeyConstraint(["workspace", "event_id"], ["events.workspace", "events.id"], ondelete="CASCADE"),
    Index("ix_assignments_problem", "workspace", "problem_id"),
    Index("ix_assignments_pending", "workspace", "pending"),
)

cases = Table(
    "cases",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("customer_id", Words),
    Column("conversation_ids", Json, nullable=False),
    Column("channels", Json, nullable=False),
    Column("state", Words, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("active_at", Moment, nullable=False),
    Column("problem_id", Words),
    Column("agent_id", Words),
    Column("language", Words),
    Column("resolved_at", Moment),
    Column("assigned_at", Moment),
    Index("ix_cases_active", "workspace", "active_at", "id"),
    Index("ix_cases_state", "workspace", "state", "active_at"),
    Index("ix_cases_customer", "workspace", "customer_id", "active_at"),
    Index("ix_cases_problem", "workspace", "problem_id", "active_at"),
    Index("ix_cases_agent", "workspace", "agent_id", "state"),
)

case_conversations = Table(
    "case_conversations",
    metadata,
    workspace_key(),
    Column("conversation_id", Words, primary_key=True),
    Column("case_id", Words, nullable=False),
    ForeignKeyConstraint(["workspace", "case_id"], ["cases.workspace", "cases.id"], ondelete="CASCADE"),
    Index("ix_case_conversations_case", "workspace", "case_id"),
)

problems = Table(
    "problems",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("names", Json, nullable=False),
    Column("folded_names", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("active_at", Moment, nullable=False),
    Column("episode_at", Moment, nullable=False),
    Column("intent_id", Words),
    Column("products", Json, nullable=False),
    Column("events", Integer, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("owner_id", Words),
    Column("expertise_id", Words),
    Column("resolved_at", Moment),
    Column("silenced_until", Moment),
    Column("silenced_count", Integer),
    Column("named_by_person", Boolean, nullable=False),
    Index("ix_problems_active", "workspace", "active_at", "id"),
    Index("ix_problems_state", "workspace", "state"),
)

problem_aliases = Table(
    "problem_aliases",
    metadata,
    workspace_key(),
    Column("alias", Words, primary_key=True),
    Column("problem_id", Words, nullable=False),
    ForeignKeyConstraint(
        ["workspace", "problem_id"], ["problems.workspace", "problems.id"], ondelete="CASCADE"
    ),
    Index("ix_problem_aliases_problem", "workspace", "problem_id"),
)

alerts = Table(
    "alerts",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("problem_id", Words, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("products", Json, nullable=False),
    Column("expertise_id", Words),
    Column("proposal_id", Words),
    Index("ix_alerts_opened", "workspace", "opened_at", "id"),
    Index("ix_alerts_problem", "workspace", "problem_id"),
)

alert_examples = Table(
    "alert_examples",
    metadata,
    workspace_key(),
    Column("alert_id", Words, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("event_id", Words),
    Column("text", Words, nullable=False),
    ForeignKeyConstraint(["workspace", "alert_id"], ["alerts.workspace", "alerts.id"], ondelete="CASCADE"),
    Index("ix_alert_examples_event", "workspace", "event_id"),
)

proposals = Table(
    "proposals",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("title", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("draft", Words, nullable=False),
    Column("problem_id", Words),
    Column("alert_id", Words),
    Index("ix_proposals_opened", "workspace", "opened_at", "id"),
    Index("ix_proposals_problem", "workspace", "problem_id"),
)

exposures = Table(
    "exposures",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("route", Words, nullable=False),
    Column("query", Words),
    Column("language", Words),
    Column("action", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("answers", Json, nullable=False),
    Column("conversation_id", Words),
    Column("customer_id", Words),
    Column("case_id", Words),
    Column("event_id", Words),
    Column("problem_id", Words),
    Column("intent_id", Words),
    Column("agent_id", Words),
    Column("model_id", Words),
    Column("calibration_id", Words),
    Column("features", Json),
    Column("threshold", Float),
    Column("arms", Json),
    Index("ix_exposures_at", "workspace", "at", "id"),
    Index("ix_exposures_customer", "workspace", "customer_id"),
    Index("ix_exposures_conversation", "workspace", "conversation_id"),
    Index("ix_exposures_case", "workspace", "case_id"),
)

feedback = Table(
    "feedback",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("exposure_id", Words, nullable=False),
    Column("answer_id", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("final_text", Words),
    Column("agent_id", Words),
    Column("rating", Float),
    Index("ix_feedback_answer", "workspace", "answer_id", "at"),
    Index("ix_feedback_exposure", "workspace", "exposure_id"),
)
