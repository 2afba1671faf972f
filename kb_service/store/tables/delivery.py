"""Webhooks, the outbox and digests by mail."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, Table, text

from kb_service.store.columns import Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

webhooks = Table(
    "webhooks",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("url", Words, nullable=False),
    Column("types", Json, nullable=False),
    Column("filter", Json, nullable=False),
    Column("format", Words, nullable=False),
    Column("secrets", Json, nullable=False),
    Column("state", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_reason", Words),
    Column("language", Words),
    Column("signing_secret", Words),
    Column("failing_since", Moment),
    Column("failed_at", Moment),
)

messages = Table(
    "messages",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("type", Words, nullable=False),
    Column("data", Json, nullable=False),
    Column("quotes", Json, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_messages_at", "workspace", "at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    workspace_key(),
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
    Column("response", Words),
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

digests = Table(
    "digests",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("day", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("language", Words, nullable=False),
    Column("content", Json, nullable=False),
    Column("state", Words, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("next_at", Moment),
    Column("lease", Words),
    Column("lease_until", Moment),
    Column("last_error", Words),
    Column("finished_at", Moment),
    Index("ix_digests_day", "workspace", "day", "address", unique=True),
)
