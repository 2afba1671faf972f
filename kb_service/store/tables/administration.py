"""Workspaces, keys and what each workspace keeps about itself."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, text

from kb_service.store.columns import Blob, Counter, Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

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
    Column("workspace", Words, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("hash", Words, nullable=False, unique=True),
    Column("prefix", Words, nullable=False),
    Column("label", Words, nullable=False),
    Column("roles", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    # To the half minute: what is noted in the background, in groups.
    Column("used_at", Moment),
    # The member who made it; None is the command line.
    Column("made_by", Words),
    Index("ix_api_keys_workspace", "workspace"),
)

changes = Table(
    "changes",
    metadata,
    workspace_key(),
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

idempotency = Table(
    "idempotency",
    metadata,
    workspace_key(),
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
