"""Cases as figures read them: what happened in each, what was shown in it, and who was asked to take it."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, or_, select

from graph.case_history import CaseHistory, Step, StepKind
from graph.models import Speaker
from graph.small_talk import small_talk
from kb_service.store import tables
from kb_service.store.event_rows import passed_on
from kb_service.store.feedback import feedback_of
from kb_service.store.repository import Repository, chunks
from kb_service.store.values import Feedback

_events = tables.events
_assignments = tables.assignments
_cases = tables.cases
_conversations = tables.case_conversations
_exposures = tables.exposures
_feedback = tables.feedback
_decisions = tables.decisions
_TOLD = ("message", "resolution", "rating", "followup")
_STREAM = 2000


@dataclass(frozen=True, slots=True)
class ShownRow:
    """An exposure without what it says. `case_id` is that of its conversation, as far as there is one, `channel`
    that case's first; `offered` tells whether any answer was shown."""

    id: str
    at: datetime
    route: str
    action: str
    reason: str
    offered: bool
    language: str | None
    conversation_id: str | None
    case_id: str | None
    problem_id: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A case that was recorded as handed to people, and why."""

    case_id: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class SaidReply:
    """What a customer was answered in a case, by a bot or a person. Of an answer that the service gave, `external_id`
    names its document and `text` is None; of any other it is what was written."""

    case_id: str
    at: datetime
    by: Speaker
    text: str | None = None
    external_id: str | None = None


class Histories(Repository):
    """Reads only: cases, events, exposures and decisions are written where they arise."""

    table = _cases

    def opened(self, begin: datetime, end: datetime) -> Generator[CaseHistory]:
        """The cases that opened from `begin` up to, without, `end`, each with all that has happened in it. Whoever may
        stop before the last one closes it: PostgreSQL holds the rest ready."""
        # No case is active before it opens: the index on activity finds those that opened since.
        within = and_(_cases.c.active_at >= begin, _cases.c.opened_at >= begin, _cases.c.opened_at < end)
        return self._histories(within)

    def of_cases(self, case_ids: Collection[str]) -> Iterator[CaseHistory]:
        """Some cases, each with all that has happened in it."""
        for some in chunks(sorted(set(case_ids))):
            yield from self._histories(_cases.c.id.in_(some))

    def contacts(
        self, begin: datetime, end: datetime
    ) -> Iterator[tuple[str, str | None, str | None, datetime]]:
        """Case, customer, problem and time of every case with both that opened from `begin` up to `end`, included."""
        statement = select(_cases.c.id, _cases.c.customer_id, _cases.c.problem_id, _cases.c.opened_at).where(
            self._mine(),
            _cases.c.active_at >= begin,
            _cases.c.opened_at >= begin,
            _cases.c.opened_at <= end,
            _cases.c.customer_id.is_not(None),
            _cases.c.problem_id.is_not(None),
        )
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            yield row.id, row.customer_id, row.problem_id, row.opened_at

    def shown(self, begin: datetime, end: datetime) -> Iterator[ShownRow]:
        """What was shown from `begin` up to `end`, oldest first; without the questions of erased customers."""
        of_conversation = and_(
            _conversations.c.workspace == _exposures.c.workspace,
            _conversations.c.conversation_id == _exposures.c.conversation_id,
        )
        case_id = func.coalesce(_exposures.c.case_id, _conversations.c.case_id)
        of_case = and_(_cases.c.workspace == _exposures.c.workspace, _cases.c.id == case_id)
        names = ("id", "at", "route", "action", "reason", "conversation_id")
        statement = (
            select(
                *(_exposures.c[name] for name in names),
                (cast(_exposures.c.answers, Text) != "[]").label("offered"),
                func.coalesce(_cases.c.language, _exposures.c.language).label("language"),
                _cases.c.id.label("case_id"),
                func.coalesce(_cases.c.problem_id, _exposures.c.problem_id).label("problem_id"),
                _cases.c.channels,
            )
            .select_from(_exposures.outerjoin(_conversations, of_conversation).outerjoin(_cases, of_case))
            .where(
                self._mine(_exposures),
                _exposures.c.at >= begin,
                _exposures.c.at < end,
                _exposures.c.query.is_not(None),
            )
            .order_by(_exposures.c.at, _exposures.c.id)
        )
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            yield ShownRow(
                **{name: getattr(row, name) for name in names},
                offered=bool(row.offered),
                language=row.language,
                case_id=row.case_id,
                problem_id=row.problem_id,
                channel=row.channels[0] if row.channels else None,
            )

    def feedback(self, begin: datetime, end: datetime) -> dict[str, tuple[Feedback, ...]]:
        """What was said of the suggestions shown from `begin` up to `end`, by exposure, oldest first."""
        of_exposure = and_(
            _exposures.c.workspace == _feedback.c.workspace, _exposures.c.id == _feedback.c.exposure_id
        )
        statement = (
            select(_feedback)
            .join(_exposures, of_exposure)
            .where(
                self._mine(_feedback),
                _exposures.c.at >= begin,
                _exposures.c.at < end,
                _exposures.c.route == "suggestions",
                _exposures.c.query.is_not(None),
            )
            .order_by(_feedback.c.at, _feedback.c.id)
        )
        found: dict[str, list[Feedback]] = {}
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            found.setdefault(row.exposure_id, []).append(feedback_of(row))
        return {exposure_id: tuple(given) for exposure_id, given in found.items()}

    def handed_over(self, begin: datetime, end: datetime) -> tuple[HandedOver, ...]:
        """The hand-overs that were recorded from `begin` up to `end`, oldest first, of cases that still stand."""
        statement = (
            select(_decisions.c.case_id, _decisions.c.at, _decisions.c.reason)
            .join(
                _cases,
                and_(_cases.c.workspace == _decisions.c.workspace, _cases.c.id == _decisions.c.case_id),
            )
            .where(
                self._mine(_decisions),
                _decisions.c.kind == "handover",
                _decisions.c.at >= begin,
                _decisions.c.at < end,
            )
            .order_by(_decisions.c.at, _decisions.c.id)
        )
        return tuple(HandedOver(row.case_id, row.at, row.reason) for row in self._read(statement))

    def bands(self, begin: datetime, end: datetime) -> dict[str, str]:
        """The band of priority that was recorded first of each case from `begin` up to `end`, by case."""
        band = _decisions.c.features["priority"]["band"].as_string()
        statement = (
            select(_decisions.c.case_id, band.label("band"))
            .where(self._mine(_decisions), _decisions.c.at >= begin, _decisions.c.at < end, band.is_not(None))
            .order_by(_decisions.c.at.desc(), _decisions.c.id.desc())
        )
        return {row.case_id: row.band for row in self._read(statement)}

    def replies(self, begin: datetime, end: datetime) -> Iterator[SaidReply]:
        """What was written to customers from `begin` up to `end`, oldest first: replies that resolved, bots too."""
        resolved = and_(_events.c.type == "resolution", _events.c.reply.is_not(None))
        spoken = and_(_events.c.type == "message", _events.c.role == "bot", _events.c.text.is_not(None))
        names = ("case_id", "at", "type", "role", "agent_id", "reply", "text")
        statement = (
            select(*(_events.c[name] for name in names))
            .where(
                self._mine(_events),
                _events.c.case_id.is_not(None),
                _events.c.at >= begin,
                _events.c.at < end,
                or_(resolved, spoken),
            )
            .order_by(_events.c.at, _events.c.sequence)
        )
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            by: Speaker = "agent" if row.agent_id is not None else "bot" if row.role == "bot" else "agent"
            yield SaidReply(row.case_id, row.at, by, row.reply if row.type == "resolution" else row.text)

    def sent(self, begin: datetime, end: datetime) -> Iterator[SaidReply]:
        """The documents of the answers that were sent from `begin` up to `end`, oldest first: by the bot, and those of
        suggestions that agents used."""
        of_conversation = and_(
            _conversations.c.workspace == _exposures.c.workspace,
            _conversations.c.conversation_id == _exposures.c.conversation_id,
        )
        case_id = func.coalesce(_exposures.c.case_id, _conversations.c.case_id)
        used = and_(
            _feedback.c.workspace == _exposures.c.workspace,
            _feedback.c.exposure_id == _exposures.c.id,
            _feedback.c.outcome.in_(("accepted", "edited", "resolved")),
        )
        by_bot = and_(_exposures.c.route == "answers", _exposures.c.action == "answer")
        statement = (
            select(
                case_id.label("case_id"),
                _exposures.c.at,
                _exposures.c.route,
                _exposures.c.answers,
                _feedback.c.answer_id,
            )
            .select_from(_exposures.outerjoin(_conversations, of_conversation).outerjoin(_feedback, used))
            .where(
                self._mine(_exposures),
                _exposures.c.at >= begin,
                _exposures.c.at < end,
                case_id.is_not(None),
                or_(by_bot, _feedback.c.answer_id.is_not(None)),
            )
            .order_by(_exposures.c.at, _exposures.c.id)
        )
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            shown = [
                answer["external_id"]
                for answer in row.answers
                if row.answer_id is None or answer["answer_id"] == row.answer_id
            ]
            if shown:
                by: Speaker = "bot" if row.route == "answers" else "agent"
                yield SaidReply(row.case_id, row.at, by, external_id=shown[0])

    def _histories(self, condition: ColumnElement[bool]) -> Generator[CaseHistory]:
        """The cases that meet a condition on `cases`, by id."""
        columns = [_cases.c[name] for name in ("id", "opened_at", "customer_id", "problem_id", "language")]
        found = {row.id: row for row in self._read(select(*columns).where(self._mine(), condition))}
        rows = self._read(self._steps(condition).execution_options(yield_per=_STREAM))
        try:
            for case_id, told in groupby(rows, key=lambda row: row.case_id):
                yield _history(found[case_id], list(told))
        finally:
            rows.close()

    def _steps(self, condition: ColumnElement[bool]) -> Select[Any]:
        """The events of some cases, case by case, oldest first."""
        decided = and_(
            _assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id
        )
        # Asked for by a list of ids, the events are found case by case, not by a walk through all there are.
        wanted = select(_cases.c.id).where(self._mine(), condition)
        names = ("case_id", "type", "at", "role", "channel", "agent_id", "from_agent", "resolved", "rating")
        return (
            select(
                *(_events.c[name] for name in names),
                _events.c.to_agent,
                _events.c.handling_seconds,
                _events.c.customer["tier"].as_string().label("tier"),
                _assignments.c.problem_id.label("about"),
                # Thanks and greetings are of no problem; all else that is of none is short.
                case((_assignments.c.reason == "not_a_problem", _events.c.text)).label("unplaced"),
                _events.c.language,
            )
            .select_from(_events.outerjoin(_assignments, decided))
            .where(
                self._mine(_events),
                _events.c.case_id.in_(wanted),
                # That a case was taken from an agent who did not answer is no step of it.
                or_(_events.c.type.in_(_TOLD), passed_on()),
            )
            .order_by(_events.c.case_id, _events.c.at, _events.c.sequence)
        )


def _history(case: Any, rows: list[Any]) -> CaseHistory:
    return CaseHistory(
        id=case.id,
        opened_at=case.opened_at,
        customer_id=case.customer_id,
        problem_id=case.problem_id,
        steps=tuple(_steps_of(rows)),
        channel=next((row.channel for row in rows if row.channel is not None), None),
        language=case.language,
        tier=next((row.tier for row in reversed(rows) if row.tier is not None), None),
    )


def _steps_of(rows: Iterable[Any]) -> Iterator[Step]:
    met = False
    for row in rows:
        if row.type == "message":
            met = met or row.role == "agent"
            courtesy = bool(row.unplaced) and small_talk(row.unplaced, row.language or "und")
            said_by = row.agent_id if row.role == "agent" else None
            yield Step("message", row.at, row.role, row.about, courtesy=courtesy, agent=said_by)
        elif row.type == "resolution":
            by: Speaker = "agent" if row.agent_id is not None else row.role
            met = met or by == "agent"
            kind: StepKind = "unresolved" if row.resolved is False else "resolved"
            yield Step(kind, row.at, by, rating=row.rating, seconds=row.handling_seconds, agent=row.agent_id)
        elif row.type == "transfer":
            # What nobody hands on was handed over by the machine.
            passed = met or row.from_agent is not None
            met = met or passed
            yield Step(
                "transfer" if passed else "handover",
                row.at,
                "agent" if passed else "bot",
                from_agent=row.from_agent,
                to_agent=row.to_agent,
            )
        elif row.type == "rating" and row.rating is not None:
            yield Step("rating", row.at, rating=row.rating)
        elif row.type == "followup" and row.resolved is False:
            yield Step("unresolved", row.at)
