"""Customers' conversations and tickets, across channels."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from graph.models import Case
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import Page

_cases = tables.cases
_conversations = tables.case_conversations
_decisions = tables.decisions
_events = tables.events
_OVER = ("resolved", "closed")


class Cases(Repository):
    table = _cases

    def get(self, id: str) -> Case | None:
        row = self._read(select(_cases).where(self._mine(), _cases.c.id == id)).first()
        return None if row is None else _case(row)

    def put(self, case: Case) -> None:
        """Stores a case, over the one of the same id. Its conversations lead to it from then on."""
        self.put_many([case])

    def put_many(self, cases: Collection[Case]) -> None:
        """Stores many of distinct ids, as `put` does."""
        self._upsert_many(
            [
                {
                    "workspace": self.workspace,
                    "id": case.id,
                    "customer_id": case.customer_id,
                    "conversation_ids": list(case.conversation_ids),
                    "channels": list(case.channels),
                    "state": case.state,
                    "opened_at": case.opened_at,
                    "active_at": case.active_at,
                    "problem_id": case.problem_id,
                    "agent_id": case.agent_id,
                    "language": case.language,
                    "resolved_at": case.resolved_at,
                    "assigned_at": case.assigned_at,
                }
                for case in cases
            ]
        )
        # The same conversation twice, and the last case has it, as one put after the other leaves it.
        led = {conversation: case.id for case in cases for conversation in case.conversation_ids}
        self._upsert_many(
            [
                {"workspace": self.workspace, "conversation_id": conversation, "case_id": case_id}
                for conversation, case_id in led.items()
            ],
            _conversations,
        )
        for case in cases:
            self._log("case", case.id)

    def open_for(
        self,
        conversation_id: str | None,
        customer_id: str | None,
        at: datetime,
        window_hours: float = 72.0,
    ) -> Case | None:
        """The case that an event at `at` belongs to, or None when a new one should open.

        The case of the same conversation, in whatever state; else the customer's case that is neither
        resolved nor closed and was active within `window_hours` of `at`, the latest active first.
        """
        if conversation_id is not None:
            found = self._of_conversation(conversation_id)
            if found is not None:
                return found
        if customer_id is None:
            return None
        window = timedelta(hours=window_hours)
        row = self._read(
            select(_cases)
            .where(
                self._mine(),
                _cases.c.customer_id == customer_id,
                _cases.c.state.not_in(_OVER),
                _cases.c.active_at >= at - window,
                _cases.c.opened_at <= at + window,
            )
            .order_by(_cases.c.active_at.desc(), _cases.c.id.desc())
            .limit(1)
        ).first()
        return None if row is None else _case(row)

    def _of_conversation(self, conversation_id: str) -> Case | None:
        source = _cases.join(
            _conversations,
            and_(_conversations.c.workspace == _cases.c.workspace, _conversations.c.case_id == _cases.c.id),
        )
        row = self._read(
            select(_cases)
            .select_from(source)
            .where(self._mine(_conversations), _conversations.c.conversation_id == conversation_id)
        ).first()
        return None if row is None else _case(row)

    def of_conversations(self, conversation_ids: Collection[str]) -> dict[str, str]:
        """The id of the case of each of some conversations, where there is one."""
        found: dict[str, str] = {}
        for some in chunks(sorted(set(conversation_ids))):
            statement = select(_conversations.c.conversation_id, _conversations.c.case_id).where(
                self._mine(_conversations), _conversations.c.conversation_id.in_(some)
            )
            found.update((row.conversation_id, row.case_id) for row in self._read(statement))
        return found

    def cases_of_conversations(self, conversation_ids: Collection[str]) -> dict[str, Case]:
        """The case of each of some conversations, in whatever state, where there is one."""
        source = _cases.join(
            _conversations,
            and_(_conversations.c.workspace == _cases.c.workspace, _conversations.c.case_id == _cases.c.id),
        )
        found: dict[str, Case] = {}
        for some in chunks(sorted(set(conversation_ids))):
            statement = (
                select(_cases, _conversations.c.conversation_id.label("conversation"))
                .select_from(source)
                .where(self._mine(_conversations), _conversations.c.conversation_id.in_(some))
            )
            found.update((row.conversation, _case(row)) for row in self._read(statement))
        return found

    def naming(self, ids: Collection[str], limit: int = 20) -> tuple[Case, ...]:
        """The cases whose events name any of some orders, parcels or products, the latest that did first, at most
        `limit`; the ids in one spelling (`ingest.identifiers`)."""
        named = tables.named_ids
        naming = select(named.c.event_id).where(self._mine(named), named.c.id.in_(sorted(set(ids))))
        latest = func.max(_events.c.at)
        # Written so that a database without statistics begins with the ids: SQLite would otherwise walk through all
        # events of the workspace, which their index of cases has in the order that they are grouped by.
        case_id = _events.c.case_id.concat("")
        statement = (
            select(case_id)
            .where(self._mine(_events), _events.c.id.in_(naming), case_id.is_not(None))
            .group_by(case_id)
            .order_by(latest.desc(), case_id.desc())
            .limit(limit)
        )
        found = list(self._read(statement).scalars())
        rows = self._read(select(_cases).where(self._mine(), _cases.c.id.in_(found))) if found else ()
        cases = {row.id: _case(row) for row in rows}
        return tuple(cases[id] for id in found if id in cases)

    def open_of_customers(
        self, customer_ids: Collection[str], begin: datetime, end: datetime
    ) -> tuple[Case, ...]:
        """The cases of some customers that are neither resolved nor closed, were active from `begin` on and opened
        until `end`."""
        found: list[Case] = []
        for some in chunks(sorted(set(customer_ids))):
            statement = select(_cases).where(
                self._mine(),
                _cases.c.customer_id.in_(some),
                _cases.c.state.not_in(_OVER),
                _cases.c.active_at >= begin,
                _cases.c.opened_at <= end,
            )
            found += map(_case, self._read(statement))
        return tuple(found)

    def over(self, case_ids: Collection[str]) -> set[str]:
        """Those of some cases that are resolved or closed now: one that came back is not."""
        found: set[str] = set()
        for some in chunks(sorted(set(case_ids))):
            statement = select(_cases.c.id).where(
                self._mine(), _cases.c.id.in_(some), _cases.c.state.in_(_OVER)
            )
            found.update(self._read(statement).scalars())
        return found

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        state: str | None = None,
        agent_id: str | None = None,
        consulted_by: str | None = None,
        states: Collection[str] = (),
    ) -> Page[Case]:
        """Cases that meet the conditions given, the latest active first.

        `consulted_by` is an agent who was asked about the case without owning it; of `states` any one will do.
        """
        conditions = []
        if state is not None:
            conditions.append(_cases.c.state == state)
        if states:
            conditions.append(_cases.c.state.in_(sorted(states)))
        if agent_id is not None:
            conditions.append(_cases.c.agent_id == agent_id)
        if consulted_by is not None:
            conditions.append(_asked(consulted_by))
        return self._latest(cursor, limit, *conditions)

    def counts(self) -> dict[str, int]:
        """How many cases are in each state that any is in."""
        counted = select(_cases.c.state, func.count().label("cases"))
        statement = counted.where(self._mine()).group_by(_cases.c.state)
        return {row.state: int(row.cases) for row in self._read(statement)}

    def count_of_agent(self, agent_id: str, states: Collection[str]) -> tuple[int, int]:
        """How many cases in any of `states` an agent has, and about how many they were asked."""
        theirs = self._mine(), _cases.c.state.in_(sorted(states))
        counted = [
            self._read(select(func.count()).select_from(_cases).where(*theirs, condition)).scalar_one()
            for condition in (_cases.c.agent_id == agent_id, _asked(agent_id))
        ]
        return int(counted[0]), int(counted[1])

    def of_problem(self, problem_id: str, cursor: str | None = None, limit: int = 50) -> Page[Case]:
        """The cases of a problem, the latest active first."""
        return self._latest(cursor, limit, _cases.c.problem_id == problem_id)

    def latest_of_problems(self, problem_ids: Collection[str], limit: int) -> dict[str, tuple[str, ...]]:
        """The ids of the cases of each of some problems, the latest active first, at most `limit` each; without the
        problems that have none."""
        found: dict[str, list[str]] = {}
        for some in chunks(sorted(set(problem_ids))):
            order = _cases.c.active_at.desc(), _cases.c.id.desc()
            place = func.row_number().over(partition_by=_cases.c.problem_id, order_by=order).label("place")
            ranked = (
                select(_cases.c.id, _cases.c.problem_id, place)
                .where(self._mine(), _cases.c.problem_id.in_(some))
                .subquery()
            )
            statement = select(ranked).where(ranked.c.place <= limit)
            for row in self._read(statement.order_by(ranked.c.problem_id, ranked.c.place)):
                found.setdefault(row.problem_id, []).append(row.id)
        return {problem_id: tuple(ids) for problem_id, ids in found.items()}

    def count_of_problem(self, problem_id: str) -> int:
        """How many cases a problem has."""
        theirs = self._mine(), _cases.c.problem_id == problem_id
        return int(self._read(select(func.count()).select_from(_cases).where(*theirs)).scalar_one())

    def _latest(self, cursor: str | None, limit: int, *conditions: Any) -> Page[Case]:
        statement = select(_cases).where(self._mine(), *conditions)
        order = [_cases.c.active_at, _cases.c.id]
        rows, next_cursor = self._page(statement, order, cursor, limit, descending=True)
        return page_of(map(_case, rows), next_cursor)

    def of_customer(
        self, customer_id: str, since: datetime | None = None, limit: int = 200
    ) -> tuple[Case, ...]:
        """A customer's cases that were active from `since` on, the latest active first, at most `limit`: many
        people may share one id."""
        statement = select(_cases).where(self._mine(), _cases.c.customer_id == customer_id)
        if since is not None:
            statement = statement.where(_cases.c.active_at >= since)
        ordered = statement.order_by(_cases.c.active_at.desc(), _cases.c.id.desc()).limit(limit)
        return tuple(map(_case, self._read(ordered)))

    def of_customers(
        self, customer_ids: Collection[str], since: datetime, limit: int = 200
    ) -> dict[str, tuple[Case, ...]]:
        """The cases of each of some customers that were active from `since` on, the latest active first, at most
        `limit` each: many people may share one id. Without the customers that have none."""
        found: dict[str, list[Case]] = {}
        for some in chunks(sorted(set(customer_ids))):
            order = _cases.c.active_at.desc(), _cases.c.id.desc()
            place = func.row_number().over(partition_by=_cases.c.customer_id, order_by=order).label("place")
            inside = self._mine(), _cases.c.customer_id.in_(some), _cases.c.active_at >= since
            ranked = select(_cases, place).where(*inside).subquery()
            for row in self._read(select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.place)):
                found.setdefault(row.customer_id, []).append(_case(row))
        return {customer_id: tuple(cases) for customer_id, cases in found.items()}

    def waiting(self) -> tuple[Case, ...]:
        """Every case in state `waiting`, the longest waiting first."""
        statement = select(_cases).where(self._mine(), _cases.c.state == "waiting")
        return tuple(map(_case, self._read(statement.order_by(_cases.c.opened_at, _cases.c.id))))

    def assigned(self, since: datetime) -> tuple[Case, ...]:
        """Every assigned case that was active or given to its agent from `since` on, by id."""
        lately = or_(_cases.c.active_at >= since, _cases.c.assigned_at >= since)
        statement = select(_cases).where(self._mine(), _cases.c.state == "assigned", lately)
        return tuple(map(_case, self._read(statement.order_by(_cases.c.id))))


def _asked(agent_id: str) -> ColumnElement[bool]:
    """Whether an agent was consulted about a case."""
    return exists().where(
        _decisions.c.workspace == _cases.c.workspace,
        _decisions.c.case_id == _cases.c.id,
        _decisions.c.kind == "consultation",
        _decisions.c.agent_id == agent_id,
    )


def _case(row: Any) -> Case:
    return Case(
        id=row.id,
        customer_id=row.customer_id,
        conversation_ids=tuple(row.conversation_ids),
        channels=tuple(row.channels),
        state=row.state,
        opened_at=row.opened_at,
        active_at=row.active_at,
        problem_id=row.problem_id,
        agent_id=row.agent_id,
        language=row.language,
        resolved_at=row.resolved_at,
        assigned_at=row.assigned_at,
    )
