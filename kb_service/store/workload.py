"""What people do beside resolving: when they are there, what they pass on, and whom they help."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select

from kb_service.store import tables
from kb_service.store.event_rows import passed_on
from kb_service.store.repository import Repository, chunks

_events = tables.events
_cases = tables.cases
_decisions = tables.decisions


class Workload(Repository):
    """Reads only: events and decisions are written where they arise."""

    table = _events

    def states(self, begin: datetime, end: datetime) -> dict[str, tuple[tuple[datetime, str], ...]]:
        """What was told from `begin` up to `end` of each agent's being there, oldest first: (time, state)."""
        statement = (
            select(_events.c.agent_id, _events.c.at, _events.c.state)
            .where(*self._told("agent_state", begin, end), _events.c.agent_id.is_not(None))
            .order_by(_events.c.at, _events.c.sequence)
        )
        found: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for row in self._read(statement):
            found[row.agent_id].append((row.at, row.state))
        return {agent_id: tuple(told) for agent_id, told in found.items()}

    def latest_states(self, agent_ids: Collection[str]) -> dict[str, str]:
        """What was told last, by event time, of each of some agents' being there."""
        place = (
            func.row_number()
            .over(partition_by=_events.c.agent_id, order_by=(_events.c.at.desc(), _events.c.sequence.desc()))
            .label("place")
        )
        found: dict[str, str] = {}
        for some in chunks(sorted(set(agent_ids))):
            told = (
                select(_events.c.agent_id, _events.c.state, place)
                .where(self._mine(), _events.c.type == "agent_state", _events.c.agent_id.in_(some))
                .subquery()
            )
            latest = self._read(select(told.c.agent_id, told.c.state).where(told.c.place == 1))
            found.update((row.agent_id, row.state) for row in latest)
        return found

    def last_words(self, case_ids: Collection[str]) -> dict[str, tuple[datetime | None, datetime | None]]:
        """When each of some cases last asked for somebody, and when a person last answered or ended it."""
        kind, role, at = _events.c.type, _events.c.role, _events.c.at
        asks = or_(
            and_(kind == "message", role == "customer"),
            kind == "transfer",
            and_(kind == "followup", _events.c.resolved.is_(False)),
        )
        answers = or_(and_(kind == "message", role == "agent"), kind == "resolution")
        found: dict[str, tuple[datetime | None, datetime | None]] = {}
        for some in chunks(sorted(set(case_ids))):
            statement = (
                select(
                    _events.c.case_id,
                    func.max(case((asks, at))).label("asked_at"),
                    func.max(case((answers, at))).label("answered_at"),
                )
                .where(self._mine(), _events.c.case_id.in_(some))
                .group_by(_events.c.case_id)
            )
            found.update((row.case_id, (row.asked_at, row.answered_at)) for row in self._read(statement))
        return found

    def passed_on(self, begin: datetime, end: datetime) -> dict[str, int]:
        """The cases that each agent gave to somebody else from `begin` up to `end`, by agent."""
        statement = (
            select(_events.c.from_agent, func.count(_events.c.case_id.distinct()).label("cases"))
            .where(*self._told("transfer", begin, end), passed_on(), _events.c.from_agent.is_not(None))
            .group_by(_events.c.from_agent)
        )
        return {str(row.from_agent): int(row.cases) for row in self._read(statement)}

    def passing(self, problem_id: str, begin: datetime, end: datetime) -> tuple[int, int]:
        """The cases of a problem that opened from `begin` up to `end`, included, and how many of them one person gave
        to another."""
        within = (
            self._mine(_cases),
            _cases.c.problem_id == problem_id,
            _cases.c.opened_at >= begin,
            _cases.c.opened_at <= end,
        )
        given = exists().where(
            _events.c.workspace == _cases.c.workspace,
            _events.c.case_id == _cases.c.id,
            passed_on(),
            _events.c.from_agent.is_not(None),
        )
        total = self._read(select(func.count()).select_from(_cases).where(*within)).scalar()
        moved = self._read(select(func.count()).select_from(_cases).where(*within, given)).scalar()
        return int(total or 0), int(moved or 0)

    def consultations(self, begin: datetime, end: datetime) -> dict[str, int]:
        """The cases of others that each agent was asked about from `begin` up to `end`, by agent.

        A case counts once however often it was asked about, and no more when its customer was erased.
        """
        statement = (
            select(_decisions.c.agent_id, _decisions.c.case_id)
            .join(
                _cases,
                and_(_cases.c.workspace == _decisions.c.workspace, _cases.c.id == _decisions.c.case_id),
            )
            .where(
                self._mine(_decisions),
                _decisions.c.kind == "consultation",
                _decisions.c.agent_id.is_not(None),
                _decisions.c.at >= begin,
                _decisions.c.at < end,
            )
            .distinct()
        )
        return dict(Counter(str(row.agent_id) for row in self._read(statement)))

    def _told(self, type: str, begin: datetime, end: datetime) -> tuple[Any, ...]:
        return self._mine(), _events.c.type == type, _events.c.at >= begin, _events.c.at < end
