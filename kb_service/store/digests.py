"""Digests on their way by mail: one per day and address."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, func, or_, select, update

from graph.models import AlertKind
from kb_service.store import tables
from kb_service.store.ids import new_id
from kb_service.store.repository import Repository, page_of
from kb_service.store.values import Page

_digests = tables.digests
LEASE = timedelta(minutes=5)
"""How long a worker may take over those that it claimed: connecting, and a mail to each."""


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """A day's digest to one address. `day` is that of the shop's calendar (ISO 8601).

    `content` names what happened by ids and numbers, and quotes nobody: an erasure has nothing to look for here.
    `attempt` counts the attempts made; `lease` is the present worker's.
    """

    id: str
    day: str
    address: str
    language: Literal["zh", "en"]
    content: Mapping[str, Any]
    state: Literal["pending", "delivered", "exhausted"]
    attempt: int
    created_at: datetime
    next_at: datetime | None
    last_error: str | None
    finished_at: datetime | None
    lease: str | None = None


class OpenedAlert(NamedTuple):
    """An alert that was opened in a span, and what it is about."""

    id: str
    at: datetime
    kind: AlertKind
    problem_id: str


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened within a span, as ids and moments, the earliest first, and how much stands open now."""

    alerts: tuple[OpenedAlert, ...]
    problems: tuple[tuple[str, datetime], ...]
    resolved: tuple[tuple[str, datetime], ...]
    proposals: tuple[tuple[str, datetime], ...]
    gaps: tuple[tuple[str, datetime], ...]
    disabled: tuple[tuple[str, datetime], ...]
    open_alerts: int
    open_proposals: int


class Digests(Repository):
    table = _digests

    def happened(self, since: datetime, until: datetime) -> Happened:
        """What was opened, resolved or disabled from `since` to before `until`; candidates are no problems yet."""
        problems = (tables.problems.c.opened_at, tables.problems.c.state != "candidate")
        resolved = (tables.problems.c.resolved_at, tables.problems.c.state == "resolved")
        disabled = (tables.webhooks.c.failed_at, tables.webhooks.c.state == "disabled")
        return Happened(
            alerts=self._alerts(since, until),
            problems=self._within(since, until, *problems),
            resolved=self._within(since, until, *resolved),
            proposals=self._within(since, until, tables.proposals.c.opened_at),
            gaps=self._within(since, until, tables.told_gaps.c.told_at),
            disabled=self._within(since, until, *disabled),
            open_alerts=self._open(tables.alerts),
            open_proposals=self._open(tables.proposals),
        )

    def _alerts(self, since: datetime, until: datetime) -> tuple[OpenedAlert, ...]:
        alerts = tables.alerts.c
        span = (alerts.opened_at >= since, alerts.opened_at < until)
        statement = select(alerts.id, alerts.opened_at, alerts.kind, alerts.problem_id)
        rows = self._read(
            statement.where(self._mine(tables.alerts), *span).order_by(alerts.opened_at, alerts.id)
        )
        return tuple(OpenedAlert(row.id, row.opened_at, row.kind, row.problem_id) for row in rows)

    def _within(
        self, since: datetime, until: datetime, at: Column[Any], *conditions: ColumnElement[bool]
    ) -> tuple[tuple[str, datetime], ...]:
        table = at.table
        span = (at >= since, at < until, *conditions)
        statement = (
            select(table.c.id, at.label("moment")).where(self._mine(table), *span).order_by(at, table.c.id)
        )
        return tuple((row.id, row.moment) for row in self._read(statement))

    def _open(self, table: Table) -> int:
        statement = select(func.count()).select_from(table).where(self._mine(table), table.c.state == "open")
        return int(self._read(statement).scalar_one())

    def add(self, day: str, addresses: Collection[str], language: str, content: Mapping[str, Any]) -> None:
        """Puts a day's digest in line for each address, due at once; an address that has it already keeps that."""
        rows = [
            {
                "workspace": self.workspace,
                "id": new_id("dig_", self._scope.now),
                "day": day,
                "address": address,
                "language": language,
                "content": dict(content),
                "state": "pending",
                "attempt": 0,
                "created_at": self._scope.now,
                "next_at": self._scope.now,
            }
            for address in dict.fromkeys(addresses)
        ]
        if rows:
            self._write(self._insert().on_conflict_do_nothing(), rows)

    def since(self, at: datetime) -> tuple[StoredDigest, ...]:
        """The digests made at or after `at`, the earliest first."""
        statement = select(_digests).where(self._mine(), _digests.c.created_at >= at)
        return tuple(map(_digest, self._read(statement.order_by(_digests.c.created_at, _digests.c.id))))

    def page(self, cursor: str | None = None, limit: int = 50) -> Page[StoredDigest]:
        """Digests, newest first."""
        statement = select(_digests).where(self._mine())
        rows, next_cursor = self._page(statement, [_digests.c.id], cursor, limit, descending=True)
        return page_of(map(_digest, rows), next_cursor)

    def due(self) -> bool:
        """Whether a digest is due, one whose lease was lost included."""
        return self._read(select(_digests.c.id).where(*self._free()).limit(1)).first() is not None

    def claim(self, limit: int) -> tuple[StoredDigest, ...]:
        """Claims at most `limit` digests that are due, the longest due first, until the lease ends."""
        now = self._scope.now
        order = (_digests.c.next_at, _digests.c.id)
        due = select(_digests.c.id).where(*self._free()).order_by(*order)
        ids = list(self._read(due.limit(limit)).scalars())
        if not ids:
            return ()
        mine = (self._mine(), _digests.c.id.in_(ids))
        lease = new_id("lease_", now)
        self._write(update(_digests).where(*mine).values(lease=lease, lease_until=now + LEASE))
        return tuple(map(_digest, self._read(select(_digests).where(*mine).order_by(*order))))

    def finish(
        self,
        digest: StoredDigest,
        state: Literal["pending", "delivered", "exhausted"],
        *,
        next_at: datetime | None = None,
        error: str | None = None,
    ) -> bool:
        """Notes what became of an attempt; False when its lease was lost to another worker: nothing changes then."""
        held = (_digests.c.id == digest.id, _digests.c.lease == digest.lease, _digests.c.state == "pending")
        values = {
            "state": state,
            "attempt": digest.attempt + 1,
            "next_at": next_at,
            "last_error": error,
            "lease": None,
            "lease_until": None,
            "finished_at": None if state == "pending" else self._scope.now,
        }
        return self._write(update(_digests).where(self._mine(), *held).values(values)).rowcount == 1

    def _free(self) -> tuple[ColumnElement[bool], ...]:
        """Due, and not under way with another worker."""
        now = self._scope.now
        unleased = or_(_digests.c.lease_until.is_(None), _digests.c.lease_until <= now)
        return self._mine(), _digests.c.state == "pending", _digests.c.next_at <= now, unleased


def _digest(row: Any) -> StoredDigest:
    return StoredDigest(
        id=row.id,
        day=row.day,
        address=row.address,
        language=row.language,
        content=row.content,
        state=row.state,
        attempt=row.attempt,
        created_at=row.created_at,
        next_at=row.next_at,
        last_error=row.last_error,
        finished_at=row.finished_at,
        lease=row.lease,
    )
