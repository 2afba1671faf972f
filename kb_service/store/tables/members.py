"""People who use the console, and how they sign in."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table

from kb_service.store.columns import Json, Moment, Words
from kb_service.store.tables.schema import metadata

members = Table(
    "members",
    metadata,
    Column("id", Words, primary_key=True),
    Column("workspace", Words, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("name", Words, nullable=False),
    Column("roles", Json, nullable=False),
    Column("agent_id", Words),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
    # Who opens workspaces for this installation; it opens nobody's shop.
    Column("operator", Boolean),
    Index("ix_members_workspace", "workspace"),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("hash", Words, primary_key=True),
    Column("workspace", Words, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("member_id", Words, ForeignKey("members.id", ondelete="CASCADE")),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("ix_sign_in_links_workspace", "workspace"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", Words, primary_key=True),
    Column("member_id", Words, ForeignKey("members.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("ix_sessions_member", "member_id"),
)
