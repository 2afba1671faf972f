"""Where messages go, and what became of each on its way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, Text, and_, cast, delete, func, insert, select, update

from kb_service.store import tables
from kb_service.store.ids import new_id
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import Delivery, Page, Webhook, WebhookSecret

_webhooks = tables.webhooks
_deliveries = tables.deliveries
_messages = tables.messages


class Webhooks(Repository):
    """The secrets lie in the store as they are: a signature needs the secret itself, so a hash would not do.

    Whoever reads the store can sign in the shop's name; protect its file or server accordingly. A rotated
    secret carries the time until which it still signs.
    """

    table = _webhooks

    def get(self, id: str) -> Webhook | None:
        row = self._read(select(_webhooks).where(self._mine(), _webhooks.c.id == id)).first()
        return None if row is None else webhook_of(row)

    def put(self, webhook: Webhook) -> bool:
        """Stores a webhook, over the one of the same id; True when it is new.

        Storing it as disabled cancels what is pending for it. What was noted of its failures stays: see `forgive`.
        """
        known = self._read(select(_webhooks.c.id).where(self._mine(), _webhooks.c.id == webhook.id)).first()
        self._upsert(
            {
                "workspace": self.workspace,
                "id": webhook.id,
                "url": webhook.url,
                "types": list(webhook.types),
                "filter": {name: list(values) for name, values in webhook.filter.items()},
                "format": webhook.format,
                "secrets": [
                    {"secret": one.secret, "expires_at": one.expires_at and one.expires_at.isoformat()}
                    for one in webhook.secrets
                ],
                "state": webhook.state,
                "created_at": webhook.created_at,
                "disabled_reason": webhook.disabled_reason,
                "language": webhook.language,
                "signing_secret": webhook.signing_secret,
            }
        )
        if webhook.state == "disabled":
            self._write(cancellation(self.workspace, webhook.id, self._scope.now))
        return known is None

    def remove(self, id: str) -> bool:
        """Removes a webhook and its deliveries; False when there was none."""
        return self._write(delete(_webhooks).where(self._mine(), _webhooks.c.id == id)).rowcount > 0

    def all(self) -> tuple[Webhook, ...]:
        """Every webhook, by id."""
        rows = self._read(select(_webhooks).where(self._mine()).order_by(_webhooks.c.id))
        return tuple(map(webhook_of, rows))

    def page(self, cursor: str | None = None, limit: int = 50) -> Page[Webhook]:
        statement = select(_webhooks).where(self._mine())
        rows, next_cursor = self._page(statement, [_webhooks.c.id], cursor, limit)
        return page_of(map(webhook_of, rows), next_cursor)

    def disable(self, id: str, reason: str) -> bool:
        """Stops a webhook and cancels what is pending for it; False when there is none."""
        statement = update(_webhooks).where(self._mine(), _webhooks.c.id == id)
        if self._write(statement.values(state="disabled", disabled_reason=reason)).rowcount == 0:
            return False
        self._write(cancellation(self.workspace, id, self._scope.now))
        return True

    def forgive(self, id: str) -> None:
        """Forgets what was noted of a webhook's failures: five failing days are counted anew."""
        statement = update(_webhooks).where(self._mine(), _webhooks.c.id == id)
        self._write(statement.values(failing_since=None, failed_at=None))

    def deliveries(
        self, webhook_id: str, cursor: str | None = None, limit: int = 50, *, state: str | None = None
    ) -> Page[Delivery]:
        """A webhook's deliveries, or those in one state, newest first."""
        statement = self._with_messages().where(_deliveries.c.webhook_id == webhook_id)
        if state is not None:
            statement = statement.where(_deliveries.c.state == state)
        rows, next_cursor = self._page(statement, [_deliveries.c.id], cursor, limit, descending=True)
        return page_of(map(_delivery, rows), next_cursor)

    def deliveries_about(
        self, id: str, types: Collection[str], since: datetime, limit: int = 50
    ) -> tuple[Delivery, ...]:
        """The deliveries of messages of some types that name an id, of what happened from `since` on; the newest
        first, to every webhook. A message about several alerts names each of them."""
        statement = self._with_messages().where(
            _messages.c.workspace == self.workspace,
            _messages.c.at >= since,
            _messages.c.type.in_(sorted(types)),
            cast(_messages.c.data, Text).contains(f'"{id}"', autoescape=True),
        )
        rows = self._read(statement.order_by(_deliveries.c.id.desc()).limit(limit))
        return tuple(map(_delivery, rows))

    def delivery(self, webhook_id: str, delivery_id: str) -> Delivery | None:
        row = self._read(
            self._with_messages().where(
                _deliveries.c.webhook_id == webhook_id, _deliveries.c.id == delivery_id
            )
        ).first()
        return None if row is None else _delivery(row)

    def replay(self, webhook_id: str, delivery_id: str) -> Delivery | None:
        """Sends the message of a delivery again, as a new delivery under the same message id.

        None when there is no such delivery.
        """
        old = self.delivery(webhook_id, delivery_id)
        if old is None:
            return None
        row = delivery_row(self.workspace, old.message_id, webhook_id, self._scope.now)
        self._write(insert(_deliveries), [row])
        return self.delivery(webhook_id, str(row["id"]))

    def waiting(self, id: str) -> int:
        """How many deliveries are pending for a webhook."""
        pending = (_deliveries.c.webhook_id == id, _deliveries.c.state == "pending")
        statement = select(func.count()).select_from(_deliveries).where(self._mine(_deliveries), *pending)
        return int(self._read(statement).scalar_one())

    def states_of(self, webhook_id: str, message_ids: Collection[str]) -> dict[str, set[str]]:
        """The states of a webhook's deliveries of some messages, by message; a message without any is left out."""
        found: dict[str, set[str]] = defaultdict(set)
        for some in chunks(message_ids):
            statement = select(_deliveries.c.message_id, _deliveries.c.state).where(
                self._mine(_deliveries),
                _deliveries.c.webhook_id == webhook_id,
                _deliveries.c.message_id.in_(some),
            )
            for row in self._read(statement):
                found[row.message_id].add(row.state)
        return dict(found)

    def queue(self, webhook_id: str, message_ids: Sequence[str]) -> None:
        """Puts stored messages in line for a webhook, each as a new delivery under its own id, in the order given."""
        now, tick = self._scope.now, timedelta(microseconds=1)
        rows = [
            delivery_row(self.workspace, message_id, webhook_id, now) | {"next_at": now - place * tick}
            for place, message_id in zip(range(len(message_ids), 0, -1), message_ids, strict=True)
        ]
        for some in chunks(rows):
            self._write(insert(_deliveries), some)

    def _with_messages(self) -> Select[Any]:
        source = _deliveries.join(
            _messages,
            and_(
                _messages.c.workspace == _deliveries.c.workspace, _messages.c.id == _deliveries.c.message_id
            ),
        )
        return (
            select(_deliveries, _messages.c.type, _messages.c.data)
            .select_from(source)
            .where(self._mine(_deliveries))
        )


def delivery_row(workspace: str, message_id: str, webhook_id: str, now: datetime) -> dict[str, Any]:
    """A delivery whose first attempt is due at once."""
    return {
        "workspace": workspace,
        "id": new_id("dlv_", now),
        "message_id": message_id,
        "webhook_id": webhook_id,
        "state": "pending",
        "attempt": 0,
        "created_at": now,
        "next_at": now,
    }


def cancellation(workspace: str, webhook_id: str, now: datetime) -> Any:
    """The statement that cancels what is pending for a webhook."""
    return (
        update(_deliveries)
        .where(
            _deliveries.c.workspace == workspace,
            _deliveries.c.webhook_id == webhook_id,
            _deliveries.c.state == "pending",
        )
        .values(state="cancelled", next_at=None, lease=None, lease_until=None, finished_at=now)
    )


def webhook_of(row: Any) -> Webhook:
    return Webhook(
        id=row.id,
        url=row.url,
        types=tuple(row.types),
        secrets=tuple(
            WebhookSecret(
                one["secret"],
                None if one["expires_at"] is None else datetime.fromisoformat(one["expires_at"]),
            )
            for one in row.secrets
        ),
        created_at=row.created_at,
        filter={name: tuple(values) for name, values in row.filter.items()},
        format=row.format,
        state=row.state,
        disabled_reason=row.disabled_reason,
        language=row.language,
        signing_secret=row.signing_secret,
        failing_since=row.failing_since,
        failed_at=row.failed_at,
    )


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        message_id=row.message_id,
        webhook_id=row.webhook_id,
        type=row.type,
        data=row.data,
        state=row.state,
        attempt=row.attempt,
        created_at=row.created_at,
        next_at=row.next_at,
        last_status=row.last_status,
        last_error=row.last_error,
        finished_at=row.finished_at,
        response=row.response,
    )
