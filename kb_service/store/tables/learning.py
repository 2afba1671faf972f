"""What a shop's own calibration is learned from, and what came of it."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, Table

from kb_service.store.columns import Blob, Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

reviews = Table(
    "reviews",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("exposure_id", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", Words, nullable=False),
    Column("text", Words),
    Column("citations", Json, nullable=False),
    Column("verdict", Words),
    Column("note", Words),
    Column("reviewer", Words),
    Column("decided_at", Moment),
    Column("proposal_id", Words),
    Column("withheld", Json, nullable=False),
    Index("ix_reviews_at", "workspace", "at", "id"),
    Index("ix_reviews_state", "workspace", "state", "at"),
    Index("ix_reviews_exposure", "workspace", "exposure_id"),
    Index("ix_reviews_verdict", "workspace", "verdict"),
)

calibrations = Table(
    "calibrations",
    metadata,
    workspace_key(),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("model_id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("fitted_at", Moment, nullable=False),
    Column("counts", Json, nullable=False),
    Column("constants", Json),
    Index("ix_calibrations_id", "workspace", "id", unique=True),
    Index("ix_calibrations_model", "workspace", "model_id", "ordinal"),
)

precedents = Table(
    "precedents",
    metadata,
    workspace_key(),
    Column("calibration_id", Words, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("question_id", Words, nullable=False),
    Column("question", Words, nullable=False),
    Column("vector", Blob, nullable=False),
    Column("answers", Json, nullable=False),
)

rank_moves = Table(
    "rank_moves",
    metadata,
    workspace_key(),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", Words, nullable=False),
    Column("scope", Words, nullable=False),
    Column("subject_id", Words, nullable=False),
    Column("external_id", Words, nullable=False),
    Column("step", Float, nullable=False),
    Column("boost", Float, nullable=False),
    Column("actor", Words, nullable=False),
    Column("withdraws", Words),
    Column("agents", Integer, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("contributions", Json, nullable=False),
    Index("ix_rank_moves_id", "workspace", "id", unique=True),
    Index("ix_rank_moves_withdraws", "workspace", "withdraws"),
)

jobs = Table(
    "jobs",
    metadata,
    workspace_key(),
    Column("name", Words, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("seen", Integer),
)
