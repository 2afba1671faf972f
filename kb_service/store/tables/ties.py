"""What belongs together or apart, and what was merged and split."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKeyConstraint, Index, Integer, Table

from kb_service.store.columns import Json, Moment, Words
from kb_service.store.tables.schema import metadata, workspace_key

problem_ties = Table(
    "problem_ties",
    metadata,
    workspace_key(),
    Column("first", Words, primary_key=True),
    Column("second", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("at", Moment, nullable=False),
)

regroupings = Table(
    "regroupings",
    metadata,
    workspace_key(),
    Column("id", Words, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("problem_id", Words, nullable=False),
    Column("other_id", Words, nullable=False),
    Column("margin", Float),
    Column("kept", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("undone_at", Moment),
    Column("undone_by", Words),
    Index("ix_regroupings_other", "workspace", "other_id", "at"),
    Index("ix_regroupings_at", "workspace", "at", "id"),
)

regrouped_events = Table(
    "regrouped_events",
    metadata,
    workspace_key(),
    Column("regrouping_id", Words, primary_key=True),
    Column("event_id", Words, primary_key=True),
    ForeignKeyConstraint(
        ["workspace", "regrouping_id"], ["regroupings.workspace", "regroupings.id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(["workspace", "event_id"], ["events.workspace", "events.id"], ondelete="CASCADE"),
    Index("ix_regrouped_events_event", "workspace", "event_id"),
)

regrouping_finds = Table(
    "regrouping_finds",
    metadata,
    workspace_key(),
    Column("kind", Words, primary_key=True),
    Column("problem_id", Words, primary_key=True),
    Column("other_id", Words, primary_key=True),
    Column("nights", Integer, nullable=False),
    Column("margin", Float, nullable=False),
    Column("anchors", Json, nullable=False),
    Column("at", Moment, nullable=False),
)
