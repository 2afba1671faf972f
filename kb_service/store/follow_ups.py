"""Customers who are asked whether a resolution holds, and what they answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, func, insert, select

from graph.confirmation import FollowUpState
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import Page

_follow_ups = tables.follow_ups
_asked = tables.follow_up_cases
_problems = tables.problems
_PLAIN = ("id", "problem_id", "channel", "resolved_at", "sent_at", "state", "closed_at")
_CASE = ("case_id", "conversation_id", "customer_id", "asked", "answered_at", "solved")


@dataclass(frozen=True, slots=True)
class AskedCase:
    """A case whose customer is asked; `asked` is False for one who answered without having been on the list.

    `answered_at` is the event time of the latest answer, `solved` what it says, None where it says neither.
    """

    case_id: str | None
    conversation_id: str | None
    customer_id: str | None
    asked: bool = True
    answered_at: datetime | None = None
    solved: bool | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The question whether a problem's resolution holds, to the customers of one channel."""

    id: str
    problem_id: str
    channel: str | None
    resolved_at: datetime
    sent_at: datetime
    state: FollowUpState
    closed_at: datetime | None = None
    cases: tuple[AskedCase, ...] = ()


class FollowUps(Repository):
    table = _follow_ups

    def get(self, id: str) -> FollowUp | None:
        row = self._read(select(_follow_ups).where(self._mine(), _follow_ups.c.id == id)).first()
        return None if row is None else self._with_cases([row])[0]

    def put(self, follow_up: FollowUp) -> None:
        """Stores a follow-up with its cases, over the one of the same id."""
        row: dict[str, Any] = {name: getattr(follow_up, name) for name in _PLAIN}
        self._upsert({"workspace": self.workspace, **row})
        self._write(delete(_asked).where(self._mine(_asked), _asked.c.follow_up_id == follow_up.id))
        rows = [
            {
                "workspace": self.workspace,
                "follow_up_id": follow_up.id,
                "ordinal": ordinal,
                **{name: getattr(case, name) for name in _CASE},
            }
            for ordinal, case in enumerate(follow_up.cases)
        ]
        if rows:
            self._write(insert(_asked), rows)

    def page(
        self, cursor: str | None = None, limit: int = 50, *, state: FollowUpState | None = None
    ) -> Page[FollowUp]:
        """Follow-ups in a state, or all, the latest sent first."""
        statement = select(_follow_ups).where(self._mine())
        if state is not None:
            statement = statement.where(_follow_ups.c.state == state)
        order = (_follow_ups.c.sent_at, _follow_ups.c.id)
        rows, following = self._page(statement, order, cursor, limit, descending=True)
        return page_of(self._with_cases(rows), following)

    def open(self, *, sent_by: datetime | None = None, problem_id: str | None = None) -> tuple[FollowUp, ...]:
        """Those that wait for answers, the earliest sent first: sent by a time, or of one problem, or all."""
        statement = select(_follow_ups).where(self._mine(), _follow_ups.c.state == "open")
        if sent_by is not None:
            statement = statement.where(_follow_ups.c.sent_at <= sent_by)
        if problem_id is not None:
            statement = statement.where(_follow_ups.c.problem_id == problem_id)
        return self._with_cases(self._read(statement.order_by(_follow_ups.c.sent_at, _follow_ups.c.id)))

    def of_problem(self, problem_id: str, resolved_at: datetime) -> tuple[FollowUp, ...]:
        """Those of one resolution of a problem, one a channel."""
        statement = select(_follow_ups).where(
            self._mine(), _follow_ups.c.problem_id == problem_id, _follow_ups.c.resolved_at == resolved_at
        )
        return self._with_cases(self._read(statement.order_by(_follow_ups.c.channel, _follow_ups.c.id)))

    def latest_of(self, problem_id: str) -> tuple[FollowUp, ...]:
        """Those of the latest resolution of a problem that was asked about."""
        latest = select(func.max(_follow_ups.c.resolved_at)).where(
            self._mine(), _follow_ups.c.problem_id == problem_id
        )
        at: datetime | None = self._read(latest).scalar()
        return () if at is None else self.of_problem(problem_id, at)

    def unasked(self, since: datetime, until: datetime) -> tuple[str, ...]:
        """The problems that were resolved after `since` and by `until`, are so still, and were not asked about."""
        asked = exists().where(
            _follow_ups.c.workspace == _problems.c.workspace,
            _follow_ups.c.problem_id == _problems.c.id,
            _follow_ups.c.resolved_at == _problems.c.resolved_at,
        )
        statement = select(_problems.c.id).where(
            self._mine(_problems),
            _problems.c.state == "resolved",
            _problems.c.resolved_at > since,
            _problems.c.resolved_at <= until,
            ~asked,
        )
        return tuple(self._read(statement.order_by(_problems.c.resolved_at, _problems.c.id)).scalars())

    def asked_of(self, conversation_id: str | None, customer_id: str | None) -> FollowUp | None:
        """The open follow-up in which a conversation, else a customer, was asked; the latest sent of several."""
        for column, value in (
            (_asked.c.conversation_id, conversation_id),
            (_asked.c.customer_id, customer_id),
        ):
            if value is None:
                continue
            found = exists().where(
                _asked.c.workspace == _follow_ups.c.workspace,
                _asked.c.follow_up_id == _follow_ups.c.id,
                column == value,
            )
            statement = select(_follow_ups).where(self._mine(), _follow_ups.c.state == "open", found)
            order = (_follow_ups.c.sent_at.desc(), _follow_ups.c.id)
            row = self._read(statement.order_by(*order).limit(1)).first()
            if row is not None:
                return self._with_cases([row])[0]
        return None

    def forget(self, customer_id: str, case_ids: Iterable[str], conversation_ids: Iterable[str]) -> int:
        """Takes a customer out of every follow-up, with their answers; how many places there were."""
        gone = 0
        conditions = [_asked.c.customer_id == customer_id]
        conditions += [_asked.c.case_id.in_(some) for some in chunks(sorted(case_ids))]
        conditions += [
            and_(_asked.c.conversation_id.in_(some), _asked.c.customer_id.is_(None))
            for some in chunks(sorted(conversation_ids))
        ]
        for condition in conditions:
            gone += self._write(delete(_asked).where(self._mine(_asked), condition)).rowcount
        return gone

    def _with_cases(self, rows: Iterable[Any]) -> tuple[FollowUp, ...]:
        found = list(rows)
        cases: dict[str, list[AskedCase]] = defaultdict(list)
        for some in chunks(row.id for row in found):
            statement = select(_asked).where(self._mine(_asked), _asked.c.follow_up_id.in_(some))
            for row in self._read(statement.order_by(_asked.c.follow_up_id, _asked.c.ordinal)):
                cases[row.follow_up_id].append(AskedCase(**{name: getattr(row, name) for name in _CASE}))
        return tuple(
            FollowUp(**{name: getattr(row, name) for name in _PLAIN}, cases=tuple(cases.get(row.id, ())))
            for row in found
        )
