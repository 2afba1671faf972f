"""Webhooks and the outbox."""

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
