"""Documents that wait to be published or were just removed; how often each document was shown, by hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
OUTCOMES = ("accepted", "edited", "rejected", "resolved", "reopened")
COUNTED = timedelta(days=90)
"""How far before the newest exposure counts begin: no page tells of use of longer ago."""
AT_ONCE = 1000


def upgrade() -> None:
    op.create_table(
        "held_documents",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("owner", Words(), nullable=False),
        sa.Column("purpose", Words(), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("ends_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_held_documents_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_held_documents"),
    )
    op.create_index("ix_held_documents_owner", "held_documents", ["workspace", "owner", "made_at"])
    op.create_table(
        "document_uses",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("external_id", Words(), nullable=False),
        sa.Column("hour", Moment(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("shown", *OUTCOMES)),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_document_uses_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "external_id", "hour", name="pk_document_uses"),
    )
    _count_the_past()


def _count_the_past() -> None:
    """What was shown and said before this revision, counted as it is from now on."""
    connection = op.get_bind()
    counts: Counter[tuple[str, str, datetime, str]] = Counter()
    exposures = sa.table(
        "exposures",
        _column("workspace"),
        _column("id"),
        sa.column("at", Moment()),
        sa.column("answers", Json),
    )
    newest = connection.execute(sa.select(sa.func.max(exposures.c.at, type_=Moment()))).scalar()
    if newest is None:
        return
    since = _hour(newest - COUNTED)
    shown = sa.select(exposures.c.workspace, exposures.c.at, exposures.c.answers)
    for row in _some_at_a_time(connection, shown.where(exposures.c.at >= since)):
        for external_id in {answer["external_id"] for answer in row.answers}:
            counts[row.workspace, external_id, _hour(row.at), "shown"] += 1
    feedback = sa.table(
        "feedback",
        *map(_column, ("workspace", "exposure_id", "answer_id", "outcome")),
        sa.column("at", Moment()),
    )
    told = sa.select(
        feedback.c.workspace, feedback.c.at, feedback.c.answer_id, feedback.c.outcome, exposures.c.answers
    ).join_from(
        feedback,
        exposures,
        (exposures.c.workspace == feedback.c.workspace) & (exposures.c.id == feedback.c.exposure_id),
    )
    counted = feedback.c.outcome.in_(OUTCOMES), feedback.c.at >= since
    for judged in _some_at_a_time(connection, told.where(*counted)):
        named = {a["external_id"] for a in judged.answers if a["answer_id"] == judged.answer_id}
        for external_id in named:
            counts[judged.workspace, external_id, _hour(judged.at), judged.outcome] += 1
    _write(connection, counts)


def _some_at_a_time(connection: Any, statement: Any) -> Iterator[Any]:
    """Rows of a statement; of a long past never all in memory."""
    yield from connection.execute(statement.execution_options(yield_per=AT_ONCE))


def _write(connection: Any, counts: Counter[tuple[str, str, datetime, str]]) -> None:
    names = ("shown", *OUTCOMES)
    uses = sa.table(
        "document_uses",
        _column("workspace"),
        _column("external_id"),
        sa.column("hour", Moment()),
        *(sa.column(name, sa.Integer()) for name in names),
    )
    rows: dict[tuple[str, str, datetime], dict[str, Any]] = {}
    for (workspace, external_id, hour, name), times in counts.items():
        key = {"workspace": workspace, "external_id": external_id, "hour": hour}
        row = rows.setdefault((workspace, external_id, hour), key | dict.fromkeys(names, 0))
        row[name] = times
    if rows:
        connection.execute(sa.insert(uses), list(rows.values()))


def _column(name: str) -> Any:
    return sa.column(name, Words())


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def downgrade() -> None:
    op.drop_table("document_uses")
    op.drop_table("held_documents")
