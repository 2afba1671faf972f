"""Events and their assignments as rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select

from graph.models import Customer, Event, Match
from kb_service.store import tables
from kb_service.store.snapshots import vector_of
from kb_service.store.values import Assignment, StoredEvent, StoredMessage

_events = tables.events
_assignments = tables.assignments
_vectors = tables.event_vectors


def passed_on() -> ColumnElement[bool]:
    """`Event.passed_on` in the database."""
    return and_(_events.c.type == "transfer", _events.c.to_agent.is_not(None))


def of_problem(workspace: str, problem_id: str, *, customers_only: bool = True) -> ColumnElement[bool]:
    """The events assigned to a problem; by default its customers' messages alone.

    Written so that a database without statistics begins with the problem: SQLite would otherwise walk through all
    messages of the workspace, by the index of types or in the order that is asked for.
    """
    theirs = select(_assignments.c.event_id).where(
        _assignments.c.workspace == workspace, _assignments.c.problem_id == problem_id
    )
    inside = and_(_events.c.workspace == workspace, _events.c.id.in_(theirs))
    if not customers_only:
        return inside
    return and_(inside, _events.c.type.concat("") == "message", _events.c.role == "customer")


def arrival() -> ColumnElement[int]:
    """The order of arrival, for a query that is not to follow the index of it (see `of_problem`)."""
    return _events.c.sequence + 0


_PLAIN = (
    "id",
    "type",
    "at",
    "role",
    "conversation_id",
    "customer_id",
    "channel",
    "text",
    "language",
    "order_value",
    "agent_id",
    "state",
    "reply",
    "handling_seconds",
    "resolved",
    "rating",
    "from_agent",
    "to_agent",
    "reason",
)


def event_row(event: Event) -> dict[str, Any]:
    """The columns of `events` that come from the event itself."""
    row: dict[str, Any] = {name: getattr(event, name) for name in _PLAIN}
    row["products"] = list(event.products)
    row["customer"] = None if event.customer is None else asdict(event.customer)
    # An erasure goes by this column, whichever way the shop named the customer.
    if event.customer_id is None and event.customer is not None:
        row["customer_id"] = event.customer.id
    return row


def event_of(row: Any) -> Event:
    return Event(
        id=row.id,
        type=row.type,
        at=row.at,
        role=row.role,
        conversation_id=row.conversation_id,
        customer_id=row.customer_id,
        channel=row.channel,
        text=row.text,
        language=row.language,
        products=tuple(row.products),
        order_value=row.order_value,
        customer=None if row.customer is None else Customer(**row.customer),
        agent_id=row.agent_id,
        state=row.state,
        reply=row.reply,
        handling_seconds=row.handling_seconds,
        resolved=row.resolved,
        rating=row.rating,
        from_agent=row.from_agent,
        to_agent=row.to_agent,
        reason=row.reason,
    )


def stored_event(row: Any) -> StoredEvent:
    return StoredEvent(event_of(row), row.case_id, row.sequence)


def assignment_of(row: Any) -> Assignment:
    """The assignment of a row of `assignments`."""
    match = Match(row.match_problem_id, row.reason, row.score, row.runner_up, row.pending)
    return Assignment(row.event_id, row.problem_id, row.first_problem_id, match, row.at)


def messages_query() -> Select[Any]:
    """Events with their vector and assignment, whose columns are labelled so that names stay apart."""
    source = _events.outerjoin(
        _vectors,
        and_(_vectors.c.workspace == _events.c.workspace, _vectors.c.event_id == _events.c.id),
    ).outerjoin(
        _assignments,
        and_(_assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id),
    )
    decided = [
        _assignments.c.problem_id.label("assigned_problem_id"),
        _assignments.c.first_problem_id,
        _assignments.c.match_problem_id,
        _assignments.c.reason.label("match_reason"),
        _assignments.c.score,
        _assignments.c.runner_up,
        _assignments.c.pending,
        _assignments.c.at.label("assigned_at"),
    ]
    return select(_events, _vectors.c.model_id, _vectors.c.vector, *decided).select_from(source)


def stored_message(row: Any) -> StoredMessage:
    assignment = None
    if row.match_reason is not None:
        match = Match(row.match_problem_id, row.match_reason, row.score, row.runner_up, row.pending)
        assignment = Assignment(row.id, row.assigned_problem_id, row.first_problem_id, match, row.assigned_at)
    return StoredMessage(
        event=event_of(row),
        case_id=row.case_id,
        sequence=row.sequence,
        vector=None if row.vector is None else vector_of(row.vector, half=True),
        model_id=row.model_id,
        assignment=assignment,
    )
