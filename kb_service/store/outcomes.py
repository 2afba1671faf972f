"""How agents' resolutions ended, put together from the events around each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, null, or_, select

from kb_service.store import tables
from kb_service.store.values import GivenReply, Outcome

REOPENED_WITHIN = timedelta(hours=72)
"""A customer who comes back about the same problem within this time was not helped."""

LIKED = 3.0
"""A rating from which a reply counts as accepted."""

_events = tables.events
_assignments = tables.assignments
_cases = tables.cases
_problems = tables.problems


@dataclass
class _Around:
    """What else happened in one case."""

    ratings: list[tuple[datetime, float]] = field(default_factory=list)
    failures: list[datetime] = field(default_factory=list)
    messages: list[tuple[datetime, str]] = field(default_factory=list)
    products: dict[str, None] = field(default_factory=dict)


def outcomes(
    connection: Connection,
    workspace: str,
    since: datetime | None,
    until: datetime | None = None,
    *,
    replies: bool = True,
) -> Iterator[Outcome]:
    """One outcome per resolution that names its agent, by event time; with `until` only by what was known then.

    Without `replies` what customers were sent is not read, which is most of it.

    Reopened: within 72 h of it the case saw a follow-up or a resolution that says "not resolved", or a
    message of the customer about the same problem. Rating: that of the resolution, else the case's next.
    """
    around = _around(connection, workspace, since, until)
    nothing = _Around()
    for row in connection.execute(_resolutions(workspace, since, until, replies)):
        near = around.get(row.case_id, nothing) if row.case_id is not None else nothing
        yield Outcome(
            event_id=row.id,
            case_id=row.case_id,
            agent_id=row.agent_id,
            problem_id=row.problem_id,
            intent_id=row.intent_id,
            resolved=row.resolved,
            reopened=_reopened(row, near),
            seconds=row.handling_seconds,
            rating=row.rating if row.rating is not None else _rating_after(row.at, near),
            at=row.at,
            reply=row.reply,
            products=tuple(dict.fromkeys([*(row.products or ()), *near.products])),
        )


def accepted_replies(
    connection: Connection, workspace: str, case_ids: Collection[str]
) -> Iterator[GivenReply]:
    """The replies with which some cases were resolved, by event time, without those that did not help.

    A reply did not help when its resolution says so, when it was reopened as `outcomes` has it, or when the
    customer's next rating is poor. Cases that are not resolved or closed now give none.
    """
    around = _around(connection, workspace, case_ids=case_ids)
    nothing = _Around()
    for row in connection.execute(_replies(workspace, case_ids)):
        near = around.get(row.case_id, nothing)
        rating = row.rating if row.rating is not None else _rating_after(row.at, near)
        if not _reopened(row, near) and (rating is None or rating >= LIKED):
            yield GivenReply(row.id, row.case_id, row.at, row.reply)


def _replies(workspace: str, case_ids: Collection[str]) -> Any:
    source = _events.join(
        _cases, and_(_cases.c.workspace == _events.c.workspace, _cases.c.id == _events.c.case_id)
    )
    columns = [_events.c[name] for name in ("id", "case_id", "at", "reply", "rating")]
    return (
        select(*columns, _cases.c.problem_id)
        .select_from(source)
        .where(
            _events.c.workspace == workspace,
            _events.c.case_id.in_(list(case_ids)),
            _events.c.type == "resolution",
            _events.c.reply.is_not(None),
            _events.c.resolved.is_not(False),
            _cases.c.state.in_(("resolved", "closed")),
        )
        .order_by(_events.c.at, _events.c.sequence)
    )


def _resolutions(workspace: str, since: datetime | None, until: datetime | None, replies: bool) -> Any:
    problem_id = func.coalesce(_assignments.c.problem_id, _cases.c.problem_id)
    source = (
        _events.outerjoin(
            _assignments,
            and_(_assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id),
        )
        .outerjoin(_cases, and_(_cases.c.workspace == _events.c.workspace, _cases.c.id == _events.c.case_id))
        .outerjoin(
            _problems, and_(_problems.c.workspace == _events.c.workspace, _problems.c.id == problem_id)
        )
    )
    columns = [_events.c[name] for name in ("id", "case_id", "agent_id", "resolved", "handling_seconds")]
    statement = (
        select(
            *columns,
            _events.c.rating,
            _events.c.at,
            (_events.c.reply if replies else null()).label("reply"),
            _events.c.products,
            problem_id.label("problem_id"),
            _problems.c.intent_id,
        )
        .select_from(source)
        .where(
            _events.c.workspace == workspace, _events.c.type == "resolution", _events.c.agent_id.is_not(None)
        )
        .order_by(_events.c.at, _events.c.sequence)
    )
    return statement.where(*_within(since, until))


def _within(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Events from `since` on and up to `until`, where these are given."""
    bounds = [] if since is None else [_events.c.at >= since]
    return bounds if until is None else [*bounds, _events.c.at <= until]


def _around(
    connection: Connection,
    workspace: str,
    since: datetime | None = None,
    until: datetime | None = None,
    case_ids: Collection[str] | None = None,
) -> dict[str, _Around]:
    """The ratings, failures and problem messages of every case, or of some, each list by event time."""
    source = _events.outerjoin(
        _assignments,
        and_(_assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id),
    )
    spoken = and_(
        _events.c.type == "message", _events.c.role == "customer", _assignments.c.problem_id.is_not(None)
    )
    failed = and_(_events.c.type.in_(("followup", "resolution")), _events.c.resolved.is_(False))
    rated = and_(_events.c.type == "rating", _events.c.rating.is_not(None))
    statement = (
        select(
            *(_events.c[name] for name in ("case_id", "type", "at", "rating", "products")),
            _assignments.c.problem_id,
        )
        .select_from(source)
        .where(
            _events.c.workspace == workspace,
            _events.c.case_id.is_not(None),
            or_(spoken, failed, rated),
        )
        .order_by(_events.c.at, _events.c.sequence)
    )
    statement = statement.where(*_within(since, until))
    if case_ids is not None:
        statement = statement.where(_events.c.case_id.in_(list(case_ids)))
    found: dict[str, _Around] = defaultdict(_Around)
    for row in connection.execute(statement):
        if row.type == "message":
            found[row.case_id].messages.append((row.at, row.problem_id))
            found[row.case_id].products.update(dict.fromkeys(row.products or ()))
        elif row.type == "rating":
            found[row.case_id].ratings.append((row.at, row.rating))
        else:
            found[row.case_id].failures.append(row.at)
    return found


def _reopened(row: Any, near: _Around) -> bool:
    end = row.at + REOPENED_WITHIN
    if any(row.at < at <= end for at in near.failures):
        return True
    return any(row.at < at <= end and problem == row.problem_id for at, problem in near.messages)


def _rating_after(at: datetime, near: _Around) -> float | None:
    return next((rating for rated_at, rating in near.ratings if rated_at >= at), None)
