"""Trials of two ways side by side."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, Table

from kb_service.store.columns import Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

experiments = Table(
    "experiments",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("treatment", Json, nullable=False),
    Column("salt", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("share", Float, nullable=False),
    Column("metric", Words, nullable=False),
    Column("guards", Json, nullable=False),
    Column("minimum", Integer, nullable=False),
    Column("maximum", Integer, nullable=False),
    Column("alpha", Float, nullable=False),
    Column("state", Words, nullable=False),
    Column("starts_at", Moment),
    Column("ends_at", Moment),
    Column("started_at", Moment),
    Column("stopped_at", Moment),
    Column("ending", Json, nullable=False),
    Index("ix_experiments_created", "workspace", "created_at", "id"),
)
