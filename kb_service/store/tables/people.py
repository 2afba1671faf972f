"""Who was given what and why, and the expertise that was learned and pinned."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, Table

from kb_service.store.columns import Counter, Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

decisions = Table(
    "decisions",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("ordinal", Counter, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", Words, nullable=False),
    Column("case_id", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("agent_id", Words),
    Column("previous_agent_id", Words),
    Column("expertise_id", Words),
    Column("note", Words),
    Column("experiment_id", Words),
    Column("arm", Words),
    Column("propensity", Float),
    Column("features", Json, nullable=False),
    Index("ix_decisions_ordinal", "workspace", "ordinal", unique=True),
    Index("ix_decisions_case", "workspace", "case_id", "ordinal"),
    Index("ix_decisions_at", "workspace", "at", "id"),
    Index("ix_decisions_agent", "workspace", "agent_id", "kind", "at"),
)

expertise = Table(
    "expertise",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("intent_ids", Json, nullable=False),
    Column("problem_ids", Json, nullable=False),
    Column("agent_ids", Json, nullable=False),
    Column("outcomes", Integer, nullable=False),
    Column("made_at", Moment, nullable=False),
)

expertise_pins = Table(
    "expertise_pins",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("name", Words),
    Column("intent_ids", Json, nullable=False),
    Column("problem_ids", Json, nullable=False),
    Column("agent_ids", Json, nullable=False),
    Column("actor", Words, nullable=False),
    Column("pinned_at", Moment, nullable=False),
)
