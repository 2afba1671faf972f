"""Workspaces and what a shop knows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Blob, Counter, Json, Moment, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _administration()
    _knowledge()


def downgrade() -> None:
    for table in (
        "passage_vectors",
        "passages",
        "document_versions",
        "sources",
        "rules",
        "intents",
        "documents",
        "agents",
        "idempotency",
        "changes",
        "audit",
        "api_keys",
        "workspaces",
    ):
        op.drop_table(table)


def _administration() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("languages", Json, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("position", Counter, nullable=False),
        sa.Column("event_sequence", Counter, nullable=False),
        sa.Column("watermark", Moment()),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", Words(), nullable=False),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("hash", Words(), nullable=False),
        sa.Column("prefix", Words(), nullable=False),
        sa.Column("label", Words(), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("revoked_at", Moment()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_api_keys_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
    )
    op.create_index("ix_api_keys_workspace", "api_keys", ["workspace"])
    op.create_table(
        "audit",
        sa.Column("id", Counter, autoincrement=True, nullable=False),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("action", Words(), nullable=False),
        sa.Column("object", Words(), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_audit_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_workspace", "audit", ["workspace", "id"])
    op.create_table(
        "changes",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("position", Counter, autoincrement=False, nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_changes_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "position", name="pk_changes"),
    )
    op.create_index(
        "ix_changes_removed",
        "changes",
        ["workspace", "id"],
        sqlite_where=sa.text("kind = 'document_removed'"),
        postgresql_where=sa.text("kind = 'document_removed'"),
    )
    op.create_table(
        "idempotency",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("key", Words(), nullable=False),
        sa.Column("route", Words(), nullable=False),
        sa.Column("body_hash", Words(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", Blob(), nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_idempotency_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "key", "route", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["workspace", "at"])


def _knowledge() -> None:
    op.create_table(
        "agents",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("languages", Json, nullable=False),
        sa.Column("skills", Json, nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("pool", Words(), nullable=False),
        sa.Column("permissions", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_agents_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_agents"),
    )
    op.create_table(
        "documents",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("external_id", Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("title", Words(), nullable=False),
        sa.Column("text", Words(), nullable=False),
        sa.Column("blocks", Json, nullable=False),
        sa.Column("language", Words(), nullable=False),
        sa.Column("audience", Words(), nullable=False),
        sa.Column("status", Words(), nullable=False),
        sa.Column("url", Words()),
        sa.Column("products", Json, nullable=False),
        sa.Column("regions", Json, nullable=False),
        sa.Column("tiers", Json, nullable=False),
        sa.Column("channels", Json, nullable=False),
        sa.Column("valid_from", Moment()),
        sa.Column("valid_to", Moment()),
        sa.Column("supersedes", Json, nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("metadata", Json, nullable=False),
        sa.Column("source", Words()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_documents_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "external_id", name="pk_documents"),
    )
    op.create_table(
        "intents",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("label", Words(), nullable=False),
        sa.Column("examples", Json, nullable=False),
        sa.Column("expertise", Words()),
        sa.Column("description", Words()),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_intents_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_intents"),
    )
    op.create_table(
        "rules",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_rules_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", name="pk_rules"),
    )
    op.create_table(
        "sources",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("path", Words(), nullable=False),
        sa.Column("digest", Words(), nullable=False),
        sa.Column("external_ids", Json, nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_sources_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "path", name="pk_sources"),
    )
    op.create_table(
        "document_versions",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("external_id", Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("snapshot", Json, nullable=False),
        sa.Column("source", Words()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "external_id"],
            ["documents.workspace", "documents.external_id"],
            name="fk_document_versions_workspace_external_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_document_versions_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "external_id", "version", name="pk_document_versions"),
    )
    op.create_table(
        "passages",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("external_id", Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("role", Words(), nullable=False),
        sa.Column("text", Words(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("section", Json, nullable=False),
        sa.Column("context", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "external_id"],
            ["documents.workspace", "documents.external_id"],
            name="fk_passages_workspace_external_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_passages_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_passages"),
    )
    op.create_index("ix_passages_document", "passages", ["workspace", "external_id", "ordinal"])
    op.create_table(
        "passage_vectors",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("passage_id", Words(), nullable=False),
        sa.Column("model_id", Words(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("vector", Blob(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "passage_id"],
            ["passages.workspace", "passages.id"],
            name="fk_passage_vectors_workspace_passage_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_passage_vectors_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "passage_id", "model_id", name="pk_passage_vectors"),
    )
