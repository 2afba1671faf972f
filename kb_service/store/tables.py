"""Every table of the store. All but `workspaces` and `api_keys` carry the workspace first in their key.

`migrations/` creates what stands here; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    text,
)

from kb_service.store.columns import Blob, Counter, Json, Moment, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _workspace() -> Column[str]:
    return Column("workspace", Words, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)


workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("languages", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("position", Counter, nullable=False),
    Column("event_sequence", Counter, nullable=False),
    Column("watermark", Moment),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Words, primary_key=True),
    Column("workspace", Words, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("hash", Words, nullable=False, unique=True),
    Column("prefix", Words, nullable=False),
    Column("label", Words, nullable=False),
    Column("roles", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

changes = Table(
    "changes",
    metadata,
    _workspace(),
    Column("position", Counter, primary_key=True, autoincrement=False),
    Column("kind", Words, nullable=False),
    Column("id", Words, nullable=False),
    Column("version", Integer, nullable=False),
    # The last version of a removed document is looked up here, so that its number is not given again.
    Index(
        "ix_changes_removed",
        "workspace",
        "id",
        sqlite_where=text("kind = 'document_removed'"),
        postgresql_where=text("kind = 'document_removed'"),
    ),
)

documents = Table(
    "documents",
    metadata,
    _workspace(),
    Column("external_id", Words, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content_hash", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("blocks", Json, nullable=False),
    Column("language", Words, nullable=False),
    Column("audience", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("url", Words),
    Column("products", Json, nullable=False),
    Column("regions", Json, nullable=False),
    Column("tiers", Json, nullable=False),
    Column("channels", Json, nullable=False),
    Column("valid_from", Moment),
    Column("valid_to", Moment),
    Column("supersedes", Json, nullable=False),
    Column("fields", Json, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("source", Words),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

document_versions = Table(
    "document_versions",
    metadata,
    _workspace(),
    Column("external_id", Words, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("snapshot", Json, nullable=False),
    Column("source", Words),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    ForeignKeyConstraint(
        ["workspace", "external_id"], ["documents.workspace", "documents.external_id"], ondelete="CASCADE"
    ),
)

passages = Table(
    "passages",
    metadata,
    _workspace(),
    Column("id", Words, primary_key=True),
    Column("external_id", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("role", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("section", Json, nullable=False),
    Column("context", Words, nullable=False),
    ForeignKeyConstraint(
        ["workspace", "external_id"], ["documents.workspace", "documents.external_id"], ondelete="CASCADE"
    ),
    Index("ix_passages_document", "workspace", "external_id", "ordinal"),
)

passage_vectors = Table(
    "passage_vectors",
    metadata,
    _workspace(),
    Column("passage_id", Words, primary_key=True),
    Column("model_id", Words, primary_key=True),
    Column("dimension", Integer, nullable=False),
    Column("vector", Blob, nullable=False),
    ForeignKeyConstraint(
        ["workspace", "passage_id"], ["passages.workspace", "passages.id"], ondelete="CASCADE"
    ),
)

sources = Table(
    "sources",
    metadata,
    _workspace(),
    Column("path", Words, primary_key=True),
    Column("digest", Words, nullable=False),
    Column("external_ids", Json, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    _workspace(),
    Column("id", Words, primary_key=True),
    Column("label", Words, nullable=False),
    Column("examples", Json, nullable=False),
    Column("expertise", Words),
    Column("description", Words),
    Column("sensitive", Boolean, nullable=False),
)

agents = Table(
    "agents",
    metadata,
    _workspace(),
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("languages", Json, nullable=False),
    Column("skills", Json, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("online", Boolean, nullable=False),
    Column("pool", Words, nullable=False),
    Column("permissions", Json, nullable=False),
)

events = Table(
    "events",
    metadata,
    _workspace(),
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
    _workspace(),
    Column("event_id", Words, primary_key=True),
    Column("model_id", Words, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("vector", Blob, nullable=False),
    ForeignKeyConstraint(["workspace", "event_id"], ["events.workspace", "events.id"], ondelete="CASCADE"),
)

assignments = Table(
    "assignments",
    metadata,
    _workspace(),
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
    _workspace(),
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
    Index("ix_cases_active", "workspace", "active_at", "id"),
    Index("ix_cases_state", "workspace", "state", "active_at"),
    Index("ix_cases_customer", "workspace", "customer_id", "active_at"),
    Index("ix_cases_problem", "workspace", "problem_id", "active_at"),
    Index("ix_cases_agent", "workspace", "agent_id", "state"),
)

case_conversations = Table(
    "case_conversations",
    metadata,
    _workspace(),
    Column("conversation_id", Words, primary_key=True),
    Column("case_id", Words, nullable=False),
    ForeignKeyConstraint(["workspace", "case_id"], ["cases.workspace", "cases.id"], ondelete="CASCADE"),
    Index("ix_case_conversations_case", "workspace", "case_id"),
)

problems = Table(
    "problems",
    metadata,
    _workspace(),
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
    _workspace(),
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
    _workspace(),
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
    _workspace(),
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
    _workspace(),
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

rules = Table(
    "rules",
    metadata,
    _workspace(),
    Column("data", Json, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    _workspace(),
    Column("id", Words, primary_key=True),
    Column("url", Words, nullable=False),
    Column("types", Json, nullable=False),
    Column("filter", Json, nullable=False),
    Column("format", Words, nullable=False),
    Column("secrets", Json, nullable=False),
    Column("state", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_reason", Words),
)

messages = Table(
    "messages",
    metadata,
    _workspace(),
    Column("id", Words, primary_key=True),
    Column("type", Words, nullable=False),
    Column("data", Json, nullable=False),
    Column("quotes", Json, nullable=False),
    Column("at", Moment, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    _workspace(),
    Column("id", Words, primary_key=True),
    Column("message_id", Words, nullable=False),
    Column("webhook_id", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("next_at", Moment),
    Column("lease", Words),
    Column("lease_until", Moment),
    Column("last_status", Integer),
    Column("last_error", Words),
    Column("finished_at", Moment),
    ForeignKeyConstraint(
        ["workspace", "message_id"], ["messages.workspace", "messages.id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["workspace", "webhook_id"], ["webhooks.workspace", "webhooks.id"], ondelete="CASCADE"
    ),
    Index("ix_deliveries_webhook", "workspace", "webhook_id", "id"),
    Index("ix_deliveries_message", "workspace", "message_id"),
    Index(
        "ix_deliveries_due",
        "next_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
)

exposures = Table(
    "exposures",
    metadata,
    _workspace(),
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
    Index("ix_exposures_at", "workspace", "at", "id"),
    Index("ix_exposures_customer", "workspace", "customer_id"),
    Index("ix_exposures_conversation", "workspace", "conversation_id"),
    Index("ix_exposures_case", "workspace", "case_id"),
)

feedback = Table(
    "feedback",
    metadata,
    _workspace(),
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

idempotency = Table(
    "idempotency",
    metadata,
    _workspace(),
    Column("key", Words, primary_key=True),
    Column("route", Words, primary_key=True),
    Column("body_hash", Words, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Blob, nullable=False),
    Column("headers", Json, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_idempotency_at", "workspace", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("workspace", Words, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("object", Words, nullable=False),
    Column("detail", Json, nullable=False),
    Index("ix_audit_workspace", "workspace", "id"),
)
