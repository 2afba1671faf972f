"""The transactional outbox: a message commits with the facts that it tells, a worker carries it out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from kb_service.store import tables
from kb_service.store.backends import Backend, overload_told
from kb_service.store.ids import new_id
from kb_service.store.repository import Repository
from kb_service.store.values import Claim, Message
from kb_service.store.webhooks import delivery_row, webhook_of

_messages = tables.messages
_deliveries = tables.deliveries
_webhooks = tables.webhooks

LONGEST_PAUSE = timedelta(hours=36)
"""Failures of a webhook further apart than this are no longer one spell of failing: nothing was tried in between."""


class Outbox(Repository):
    table = _messages

    def add(
        self,
        type: str,
        data: Mapping[str, Any],
        at: datetime,
        webhook_ids: Collection[str],
        quotes: Collection[str] = (),
    ) -> str:
        """Writes a message with one delivery per webhook, due at once when the unit commits; its id.

        `at` is when the thing happened. `quotes` names the events whose texts `data` quotes, so that an
        erasure finds them. Without webhooks the message is stored and goes nowhere.
        """
        id = new_id("msg_", self._scope.now)
        message = {
            "workspace": self.workspace,
            "id": id,
            "type": type,
            "data": dict(data),
            "quotes": list(quotes),
            "at": at,
        }
        self._write(insert(_messages), [message])
        rows = [
            delivery_row(self.workspace, id, webhook_id, self._scope.now)
            for webhook_id in dict.fromkeys(webhook_ids)
        ]
        if rows:
            self._write(insert(_deliveries), rows)
        return id

    def message(self, id: str) -> Message | None:
        row = self._read(select(_messages).where(self._mine(), _messages.c.id == id)).first()
        return None if row is None else Message(row.id, row.type, row.data, row.at)

    def messages(
        self, since: datetime, until: datetime | None, types: Collection[str] | None, limit: int
    ) -> tuple[Message, ...]:
        """At most `limit` messages of some types, or of any, about what happened from `since` to before `until`,
        oldest first."""
        statement = select(_messages).where(self._mine(), _messages.c.at >= since)
        if until is not None:
            statement = statement.where(_messages.c.at < until)
        if types is not None:
            statement = statement.where(_messages.c.type.in_(list(types)))
        rows = self._read(statement.order_by(_messages.c.at, _messages.c.id).limit(limit))
        return tuple(Message(row.id, row.type, row.data, row.at) for row in rows)

    def give_up(
        self, claim: Claim, status: int | None = None, error: str | None = None, response: str | None = None
    ) -> bool:
        """Notes the last failed attempt of a delivery, in the open transaction. False when the lease was lost."""
        if claim.workspace != self.workspace:
            return False
        ended = {"state": "exhausted", "finished_at": self._scope.now}
        answer = {"last_status": status, "last_error": error, "response": response}
        held = _end(self._scope.connection, claim, **ended, **answer)
        if held:
            self._write(_failure(claim, self._scope.now))
        return held

    def counts(self) -> dict[str, int]:
        """Deliveries of the workspace by state."""
        return _counts(self._scope.connection, self.workspace)


class OutboxWorker:
    """Claims due deliveries of every workspace and notes what became of them.

    Each call is a short transaction of its own. A claim is a lease: until it ends no other worker, thread or
    process gets the same delivery; after a crash it is claimed again. Delivery is thus at least once, and
    receivers tell repeats by the message id.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def due(
        self, now: datetime, limit: int = 32, *, per_webhook: int = 4, lease_seconds: float = 60.0
    ) -> list[Claim]:
        """Claims at most `limit` deliveries that are due, the longest due first.

        A webhook never has more than `per_webhook` of them under way, and one that fails only one, so that dead
        endpoints with a backlog leave room for the others. The lease must outlast an attempt.
        """
        at = self.next_due(now)
        if at is None or at > now:
            return []
        until = now + timedelta(seconds=lease_seconds)
        with self._writing() as connection:
            keys = _claimable(connection, now, limit, per_webhook)
            if not keys:
                return []
            lease = new_id("lease_", now)
            connection.execute(
                update(_deliveries)
                .where(tuple_(_deliveries.c.workspace, _deliveries.c.id).in_(keys))
                .values(lease=lease, lease_until=until)
            )
            return _claims(connection, keys, lease, until)

    def succeeded(self, claim: Claim, now: datetime, status: int, response: str | None = None) -> bool:
        """Notes a delivery, with which its webhook is not failing any more. False when the lease was lost to another
        worker; nothing changes then."""
        answer = {"last_status": status, "last_error": None, "response": response}
        with self._writing() as connection:
            ended = _end(connection, claim, state="delivered", finished_at=now, **answer)
            if ended:
                well = _of_webhook(claim).where(_webhooks.c.failing_since.is_not(None))
                connection.execute(well.values(failing_since=None, failed_at=None))
            return ended

    def failed(
        self,
        claim: Claim,
        now: datetime,
        next_at: datetime,
        status: int | None = None,
        error: str | None = None,
        response: str | None = None,
    ) -> bool:
        """Notes a failed attempt, to be tried again at `next_at`. False when the lease was lost."""
        return self._fail(
            claim, now, next_at=next_at, last_status=status, last_error=error, response=response
        )

    def exhausted(
        self,
        claim: Claim,
        now: datetime,
        status: int | None = None,
        error: str | None = None,
        response: str | None = None,
    ) -> bool:
        """Notes the last failed attempt. False when the lease was lost."""
        ended = {"state": "exhausted", "finished_at": now}
        return self._fail(claim, now, **ended, last_status=status, last_error=error, response=response)

    def next_due(self, now: datetime) -> datetime | None:
        """When something will be due, a lost lease included; `now` when something is, None without any."""
        free_at = func.coalesce(_deliveries.c.lease_until, _deliveries.c.next_at)
        with overload_told(), self._backend.reading() as connection:
            at: datetime | None = connection.scalar(
                select(func.min(free_at)).where(_deliveries.c.state == "pending")
            )
        return None if at is None else max(at, now)

    def counts(self) -> dict[str, int]:
        """Deliveries of all workspaces by state."""
        with overload_told(), self._backend.reading() as connection:
            return _counts(connection, None)

    def _fail(self, claim: Claim, now: datetime, **values: Any) -> bool:
        with self._writing() as connection:
            ended = _end(connection, claim, **values)
            if ended:
                connection.execute(_failure(claim, now))
            return ended

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with overload_told(), self._backend.writing() as connection:
            yield connection


def _free(now: datetime) -> ColumnElement[bool]:
    """Due, and not under way with another worker."""
    unleased = or_(_deliveries.c.lease_until.is_(None), _deliveries.c.lease_until <= now)
    return and_(_deliveries.c.state == "pending", _deliveries.c.next_at <= now, unleased)


def _claimable(connection: Connection, now: datetime, limit: int, per_webhook: int) -> list[tuple[str, str]]:
    """Locks up to `limit` free deliveries and gives their keys.

    Webhooks take turns: first those with the fewest under way, then the longest due.
    """
    webhook = (_deliveries.c.workspace, _deliveries.c.webhook_id)
    place = func.row_number().over(partition_by=webhook, order_by=(_deliveries.c.next_at, _deliveries.c.id))
    free = (
        select(*webhook, _deliveries.c.id, _deliveries.c.next_at, place.label("place"))
        .where(_free(now))
        .subquery()
    )
    under_way = (
        select(*webhook, func.count().label("number"))
        .where(_deliveries.c.state == "pending", _deliveries.c.lease_until > now)
        .group_by(*webhook)
        .subquery()
    )
    active = and_(
        _webhooks.c.workspace == free.c.workspace,
        _webhooks.c.id == free.c.webhook_id,
        _webhooks.c.state == "active",
    )
    same = and_(under_way.c.workspace == free.c.workspace, under_way.c.webhook_id == free.c.webhook_id)
    turn = free.c.place + func.coalesce(under_way.c.number, 0)
    wanted = connection.execute(
        select(free.c.workspace, free.c.id)
        .select_from(free.join(_webhooks, active).outerjoin(under_way, same))
        .where(turn <= case((_webhooks.c.failing_since.is_(None), per_webhook), else_=1))
        .order_by(turn, free.c.next_at, free.c.id)
        .limit(limit)
    ).all()
    if not wanted:
        return []
    # Asked again under the row lock: another worker may have claimed some in between, or hold them now.
    key = (_deliveries.c.workspace, _deliveries.c.id)
    locked = connection.execute(
        select(*key)
        .where(tuple_(*key).in_([tuple(row) for row in wanted]), _free(now))
        .with_for_update(skip_locked=True)
    )
    return [(row.workspace, row.id) for row in locked]


def _claims(
    connection: Connection, keys: Sequence[tuple[str, str]], lease: str, until: datetime
) -> list[Claim]:
    source = _deliveries.join(
        _messages,
        and_(_messages.c.workspace == _deliveries.c.workspace, _messages.c.id == _deliveries.c.message_id),
    )
    deliveries = connection.execute(
        select(_deliveries, _messages.c.type, _messages.c.data, _messages.c.at)
        .select_from(source)
        .where(tuple_(_deliveries.c.workspace, _deliveries.c.id).in_(list(keys)))
        .order_by(_deliveries.c.next_at, _deliveries.c.id)
    ).all()
    targets = {(row.workspace, row.webhook_id) for row in deliveries}
    rows = connection.execute(
        select(_webhooks).where(tuple_(_webhooks.c.workspace, _webhooks.c.id).in_(sorted(targets)))
    )
    webhooks = {(row.workspace, row.id): webhook_of(row) for row in rows}
    return [
        Claim(
            workspace=row.workspace,
            delivery_id=row.id,
            message_id=row.message_id,
            type=row.type,
            data=row.data,
            at=row.at,
            webhook=webhooks[row.workspace, row.webhook_id],
            attempt=row.attempt + 1,
            lease=lease,
            lease_until=until,
        )
        for row in deliveries
    ]


def _end(connection: Connection, claim: Claim, **values: Any) -> bool:
    """Gives the lease back with what became of the attempt; False when it was not held any more."""
    ended = {"next_at": None, "lease": None, "lease_until": None, "attempt": claim.attempt} | values
    changed = connection.execute(
        update(_deliveries)
        .where(
            _deliveries.c.workspace == claim.workspace,
            _deliveries.c.id == claim.delivery_id,
            _deliveries.c.state == "pending",
            _deliveries.c.lease == claim.lease,
        )
        .values(ended)
    )
    return changed.rowcount == 1


def _of_webhook(claim: Claim) -> Update:
    return update(_webhooks).where(
        _webhooks.c.workspace == claim.workspace, _webhooks.c.id == claim.webhook.id
    )


def _failure(claim: Claim, now: datetime) -> Update:
    """Notes that a webhook failed at `now`. Where the failure before it is too long ago, failing begins anew."""
    anew = or_(
        _webhooks.c.failing_since.is_(None),
        _webhooks.c.failed_at.is_(None),
        _webhooks.c.failed_at < now - LONGEST_PAUSE,
    )
    since = case((anew, literal(now, _webhooks.c.failing_since.type)), else_=_webhooks.c.failing_since)
    return _of_webhook(claim).values(failing_since=since, failed_at=now)


def _counts(connection: Connection, workspace: str | None) -> dict[str, int]:
    statement = select(_deliveries.c.state, func.count().label("number")).group_by(_deliveries.c.state)
    if workspace is not None:
        statement = statement.where(_deliveries.c.workspace == workspace)
    return {row.state: row.number for row in connection.execute(statement)}
