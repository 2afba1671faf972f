"""What happened to each customer, for learning from what escalated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import and_, func, select

from kb_service.store import tables
from kb_service.store.event_rows import messages_query, stored_message
from kb_service.store.repository import Repository
from kb_service.store.values import StoredMessage

_events = tables.events
_cases = tables.cases
_decisions = tables.decisions
_STREAM = 1000


class Escalations(Repository):
    """Reads only: events and decisions are written where they arise."""

    table = _events

    def begin(self, since: datetime, most: int) -> datetime:
        """From when on at most so many events lie in cases: `since`, or later where there are more."""
        statement = (
            select(_events.c.at)
            .where(self._mine(), _events.c.at >= since, _events.c.case_id.is_not(None))
            .order_by(_events.c.at.desc())
            .offset(most)
            .limit(1)
        )
        beyond: datetime | None = self._read(statement).scalar()
        return since if beyond is None else beyond + timedelta(microseconds=1)

    def by_customer(self, since: datetime) -> Iterator[tuple[StoredMessage, ...]]:
        """All that happened in each customer's cases from `since` on, oldest first; a case without one stands alone.

        Messages come with their vectors and assignments.
        """
        who = func.coalesce(_cases.c.customer_id, _cases.c.id)
        same = and_(_cases.c.workspace == _events.c.workspace, _cases.c.id == _events.c.case_id)
        statement = (
            messages_query()
            .join(_cases, same)
            .add_columns(who.label("who"))
            .where(self._mine(), _events.c.at >= since, _events.c.type != "agent_state")
            .order_by(who, _events.c.at, _events.c.sequence)
        )
        rows = self._read(statement.execution_options(yield_per=_STREAM))
        for _, told in groupby(rows, key=lambda row: row.who):
            yield tuple(map(stored_message, told))

    def interventions(self, since: datetime) -> dict[str, tuple[tuple[datetime, str], ...]]:
        """When each case was handed to people or an expert was asked, from `since` on, oldest first: (time, kind)."""
        statement = (
            select(_decisions.c.case_id, _decisions.c.at, _decisions.c.kind)
            .where(
                self._mine(_decisions),
                _decisions.c.kind.in_(("handover", "consultation")),
                _decisions.c.at >= since,
            )
            .order_by(_decisions.c.at, _decisions.c.id)
        )
        found: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for row in self._read(statement):
            found[row.case_id].append((row.at, row.kind))
        return {case_id: tuple(told) for case_id, told in found.items()}
