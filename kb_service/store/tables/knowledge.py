"""What the shop knows: its documents, its taxonomy, its people."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table

from kb_service.store.columns import Blob, Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

documents = Table(
    "documents",
    metadata,
    workspace_key(),
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
    workspace_key(),
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
    workspace_key(),
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
    workspace_key(),
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
    workspace_key(),
    Column("path", Words, primary_key=True),
    Column("digest", Words, nullable=False),
    Column("external_ids", Json, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

held_documents = Table(
    "held_documents",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("purpose", Words, nullable=False),
    Column("content", Json, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Index("ix_held_documents_owner", "workspace", "owner", "made_at"),
)

document_looks = Table(
    "document_looks",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("external_id", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("actor", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Index("ix_document_looks_until", "workspace", "until"),
)

document_uses = Table(
    "document_uses",
    metadata,
    workspace_key(),
    Column("external_id", Words, primary_key=True),
    Column("hour", Moment, primary_key=True),
    Column("shown", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("edited", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("resolved", Integer, nullable=False),
    Column("reopened", Integer, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    workspace_key(),
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
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("languages", Json, nullable=False),
    Column("skills", Json, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("online", Boolean, nullable=False),
    Column("pool", Words, nullable=False),
    Column("permissions", Json, nullable=False),
)

rules = Table(
    "rules",
    metadata,
    workspace_key(),
    Column("data", Json, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
