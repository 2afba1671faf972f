"""Surges of traffic."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, Table

from kb_service.store.columns import Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

surges = Table(
    "surges",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("expertise_id", Words),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("observed", Integer, nullable=False),
    Column("expected", Float, nullable=False),
    Column("window_minutes", Integer, nullable=False),
    Column("p_value", Float, nullable=False),
    Column("lift", Float, nullable=False),
    Column("told", Boolean, nullable=False),
    Index("ix_surges_opened", "workspace", "opened_at", "id"),
)
