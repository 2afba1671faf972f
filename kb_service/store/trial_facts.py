"""What happened in the cases and with the suggestions of a span, a row for each, as trials count it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from graph.experiments import unit_of
from graph.trial_metrics import RESOLVED_WITHIN, STAYS_FOR, CaseFacts, SuggestionFacts
from kb_service.store import tables
from kb_service.store.outcomes import outcomes
from kb_service.store.values import Outcome

_cases = tables.cases
_events = tables.events
_exposures = tables.exposures
_feedback = tables.feedback
_CASE = ("id", "customer_id", "conversation_ids", "opened_at", "state", "agent_id")
WITH_PEOPLE = ("waiting", "assigned", "pending")
"""States of a case that a person has or is waited for."""
_conversations = tables.case_conversations
_QUESTIONS = _exposures.outerjoin(
    _conversations,
    and_(
        _conversations.c.workspace == _exposures.c.workspace,
        _conversations.c.conversation_id == _exposures.c.conversation_id,
    ),
).outerjoin(
    _cases, and_(_cases.c.workspace == _conversations.c.workspace, _cases.c.id == _conversations.c.case_id)
)
_ASKED_BY = func.coalesce(_exposures.c.customer_id, _cases.c.customer_id)
"""Who asked: as the question says, else whose case its conversation belongs to."""
USED = ("accepted", "edited", "resolved")
"""Outcomes of a suggestion that an agent used."""


def case_facts(
    connection: Connection, workspace: str, since: datetime, until: datetime, limit: int
) -> tuple[CaseFacts, ...]:
    """The cases opened from `since` on and before `until`, in order of their opening, with what happened in each.

    Cases of nobody known are left out, and so are those of customers who were erased, since they are gone. Of
    resolutions those count that came before the last of these cases settled.
    """
    opened = and_(_cases.c.workspace == workspace, _cases.c.opened_at >= since, _cases.c.opened_at < until)
    # By the last activity too: an index leads there, and no case was active before it was opened.
    rows = connection.execute(
        select(*(_cases.c[name] for name in _CASE))
        .where(opened, _cases.c.active_at >= since)
        .order_by(_cases.c.opened_at, _cases.c.id)
        .limit(limit)
    ).all()
    if not rows:
        return ()
    # What happened in cases that are not read would be read in vain.
    last = rows[-1].opened_at
    opened = and_(opened, _cases.c.opened_at <= last)
    settled = last + RESOLVED_WITHIN + STAYS_FOR
    inside = {row.id: row for row in connection.execute(_inside(workspace, since, opened))}
    back = _came_back(connection, workspace, since, settled, opened)
    ended = _first_outcomes(outcomes(connection, workspace, since, settled))
    found = []
    for row in rows:
        conversations = row.conversation_ids
        unit = unit_of(row.customer_id, conversations[0] if conversations else None)
        if unit is not None:
            found.append(_facts(unit, row, inside.get(row.id), ended.get(row.id), row.id in back))
    return tuple(found)


def suggestion_facts(
    connection: Connection, workspace: str, since: datetime, until: datetime, limit: int
) -> tuple[SuggestionFacts, ...]:
    """The suggestions of a span of which somebody said what became of them, in order."""
    used = func.max(case((_feedback.c.outcome.in_(USED), 1), else_=0))
    columns = (
        _exposures.c.id,
        _exposures.c.at,
        _exposures.c.conversation_id,
        _ASKED_BY.label("customer_id"),
    )
    of_exposure = and_(
        _feedback.c.workspace == _exposures.c.workspace, _feedback.c.exposure_id == _exposures.c.id
    )
    statement = (
        select(*columns, used.label("used"))
        .select_from(_QUESTIONS.join(_feedback, of_exposure))
        .where(*_asked(workspace, since, until), _exposures.c.route == "suggestions")
        .group_by(*columns[:3], _ASKED_BY)
        .order_by(_exposures.c.at, _exposures.c.id)
        .limit(limit)
    )
    return tuple(
        SuggestionFacts(unit, row.at, bool(row.used))
        for row in connection.execute(statement)
        if (unit := unit_of(row.customer_id, row.conversation_id)) is not None
    )


def seen_units(
    connection: Connection, workspace: str, since: datetime, until: datetime, limit: int
) -> frozenset[str]:
    """The units that asked something or opened a case in a span."""
    asked = (
        select(_ASKED_BY.label("customer_id"), _exposures.c.conversation_id)
        .select_from(_QUESTIONS)
        .where(*_asked(workspace, since, until))
        .order_by(_exposures.c.at)
        .limit(limit)
    )
    came = (
        select(_cases.c.customer_id, _cases.c.conversation_ids)
        .where(
            _cases.c.workspace == workspace,
            _cases.c.active_at >= since,
            _cases.c.opened_at >= since,
            _cases.c.opened_at < until,
        )
        .order_by(_cases.c.opened_at)
        .limit(limit)
    )
    units = {unit_of(row.customer_id, row.conversation_id) for row in connection.execute(asked)}
    units |= {
        unit_of(row.customer_id, next(iter(row.conversation_ids), None)) for row in connection.execute(came)
    }
    return frozenset(unit for unit in units if unit is not None)


def _asked(workspace: str, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return _exposures.c.workspace == workspace, _exposures.c.at >= since, _exposures.c.at < until


@dataclass(frozen=True, slots=True)
class _Ended:
    """The first resolution of a case, told before it settled, that does not say "not resolved"."""

    at: datetime
    reopened: bool


def _first_outcomes(found: Iterable[Outcome]) -> dict[str, _Ended]:
    first: dict[str, _Ended] = {}
    for item in found:
        if item.case_id is not None and item.resolved is not False:
            first.setdefault(item.case_id, _Ended(item.at, item.reopened))
    return first


def _came_back(
    connection: Connection, workspace: str, since: datetime, settled: datetime, opened: ColumnElement[bool]
) -> frozenset[str]:
    """The cases of the span whose customer wrote again between 72 h and 144 h after the opening."""
    said = (
        select(_events.c.case_id, _events.c.at, _cases.c.opened_at)
        .join(_cases, and_(_cases.c.workspace == _events.c.workspace, _cases.c.id == _events.c.case_id))
        .where(
            opened,
            _events.c.workspace == workspace,
            _events.c.type == "message",
            _events.c.role == "customer",
            _events.c.at >= since + RESOLVED_WITHIN,
            _events.c.at <= settled,
        )
    )
    return frozenset(
        row.case_id
        for row in connection.execute(said)
        if RESOLVED_WITHIN < row.at - row.opened_at <= RESOLVED_WITHIN + STAYS_FOR
    )


def _inside(workspace: str, since: datetime, opened: ColumnElement[bool]) -> Any:
    """One row for each case of the span: what its events add up to."""
    kind, role = _events.c.type, _events.c.role
    person = or_(
        and_(kind == "message", role == "agent"),
        and_(kind == "resolution", or_(_events.c.agent_id.is_not(None), role == "agent")),
        kind == "transfer",
    )
    answer = or_(and_(kind == "message", role.in_(("agent", "bot"))), kind == "resolution")
    return (
        select(
            _cases.c.id,
            func.max(case((person, 1), else_=0)).label("person"),
            func.min(case((answer, _events.c.at))).label("first_answer_at"),
            func.sum(case((kind == "resolution", _events.c.handling_seconds))).label("seconds"),
            func.avg(_events.c.rating).label("rating"),
        )
        .join(_events, and_(_events.c.workspace == _cases.c.workspace, _events.c.case_id == _cases.c.id))
        .where(opened, _cases.c.active_at >= since)
        .group_by(_cases.c.id)
    )


def _facts(unit: str, row: Any, inside: Any, ended: _Ended | None, came_back: bool) -> CaseFacts:
    by_person = row.state in WITH_PEOPLE or row.agent_id is not None
    if inside is None:
        return CaseFacts(unit, row.opened_at, by_person)
    return CaseFacts(
        unit=unit,
        opened_at=row.opened_at,
        by_person=by_person or bool(inside.person),
        first_answer_at=inside.first_answer_at,
        resolved_at=ended.at if ended is not None else None,
        reopened=ended is not None and ended.reopened,
        seconds=inside.seconds,
        rating=inside.rating,
        came_back=came_back,
    )
