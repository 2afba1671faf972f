"""Weights of the priority that escalations taught, and what people did with them."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from kb_service.store.columns import Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

priority_weights = Table(
    "priority_weights",
    metadata,
    workspace_key(),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", Words, nullable=False),
    Column("weights", Json, nullable=False),
    Column("before", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("actor", Words, nullable=False),
    Column("of_id", Words),
    Index("ix_priority_weights_id", "workspace", "id", unique=True),
)
