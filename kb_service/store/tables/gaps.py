"""Gaps in what the shop knows that were told to somebody."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from kb_service.store.columns import Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

told_gaps = Table(
    "told_gaps",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("problem_id", Words),
    Column("names", Json, nullable=False),
    Column("exposure_ids", Json, nullable=False),
    Column("quotes", Json, nullable=False),
    Column("told_at", Moment, nullable=False),
    Column("message_ids", Json, nullable=False),
    Column("proposal_id", Words),
    Index("ix_told_gaps_told", "workspace", "told_at"),
)
