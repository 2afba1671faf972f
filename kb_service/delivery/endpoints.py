"""The webhooks of a shop: who hears of what, with which secret, and what became of each delivery."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from kb_service.delivery.addresses import Network, permitted
from kb_service.delivery.formats import FORMATS
from kb_service.delivery.messages import new_secret
from kb_service.delivery.resending import Resent, resend
from kb_service.errors import Conflict, InvalidRequest, NotFound, changed_meanwhile
from kb_service.models import Principal
from kb_service.store import Delivery, Page, Store, Unit, Webhook, WebhookSecret

ABOUT_ALERTS = ("alert.opened", "alert.escalated", "proposal.created")
"""The types of messages that name an alert."""
ROTATION = timedelta(hours=24)
"""How long the secret before the present one still signs."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook without its secrets; `secret` is there only when it was just made. `signed` tells whether a chat
    platform's signing secret is set, `failing_since` since when every attempt has failed."""

    id: str
    url: str
    types: tuple[str, ...]
    filter: Mapping[str, tuple[str, ...]]
    format: str
    language: Literal["zh", "en"]
    signed: bool
    state: str
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One attempt series of one message to one webhook."""

    id: str
    message_id: str
    type: str
    state: str
    attempts: int
    next_at: datetime | None
    status: int | None
    error: str | None
    response: str | None
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryToEndpoint:
    """A delivery and where it went: the webhook's id, its address without a key, and whether it is active now."""

    record: DeliveryRecord
    webhook_id: str
    address: str
    active: bool


class Endpoints:
    """Webhooks of every workspace, over the store."""

    def __init__(self, store: Store, allow: Sequence[Network]) -> None:
        self._store = store
        self._allow = allow

    def page(self, workspace: str, cursor: str | None, limit: int) -> Page[Endpoint]:
        with self._store.reading(workspace) as unit:
            page = unit.webhooks.page(cursor, limit)
        return Page(tuple(_shown(item) for item in page.items), page.next_cursor)

    def get(self, workspace: str, webhook_id: str) -> Endpoint:
        with self._store.reading(workspace) as unit:
            return _shown(_existing(unit, webhook_id))

    def known(self, workspace: str, webhook_id: str) -> bool:
        with self._store.reading(workspace) as unit:
            return unit.webhooks.get(webhook_id) is not None

    def put(
        self,
        caller: Principal,
        webhook_id: str,
        *,
        url: str,
        types: tuple[str, ...],
        filter: Mapping[str, tuple[str, ...]],
        format: str,
        language: Literal["zh", "en"] | None = None,
        signing_secret: str | None = None,
        over: Endpoint | None = None,
    ) -> Endpoint:
        """Create a webhook, its secret shown once; or change one, which also enables it again. With `over` only while
        it is set as it was then: raises Conflict.

        `signing_secret` is the chat platform's: None keeps the one that is set, an empty text takes it away, and so
        does another format.
        """
        self._check_literal(url)
        with self._store.writing(caller.workspace) as unit:
            known = unit.webhooks.get(webhook_id)
            if over is not None and (known is None or _settings(_shown(known)) != _settings(over)):
                raise changed_meanwhile()
            secret = new_secret() if known is None else None
            webhook = Webhook(
                id=webhook_id,
                url=url,
                types=types,
                filter=filter,
                format=format,
                secrets=known.secrets if known else (WebhookSecret(secret or "", None),),
                state="active",
                created_at=known.created_at if known else unit.now,
                disabled_reason=None,
                language=language,
                signing_secret=_signing_secret(known, format, signing_secret),
            )
            unit.webhooks.put(webhook)
            unit.webhooks.forgive(webhook_id)
            action = "webhook.created" if known is None else "webhook.changed"
            said = _without_password(url) if format == "standard" else _without_key(url)
            unit.audit.append(caller.key_id, action, webhook_id, {"url": said, "types": list(types)})
        return _shown(webhook, secret)

    def enable(self, caller: Principal, webhook_id: str) -> Endpoint:
        """Let a webhook that was given up hear again as it stands; its five failing days are counted anew."""
        with self._store.writing(caller.workspace) as unit:
            webhook = replace(_existing(unit, webhook_id), state="active", disabled_reason=None)
            unit.webhooks.put(webhook)
            unit.webhooks.forgive(webhook_id)
            unit.audit.append(caller.key_id, "webhook.enabled", webhook_id, {})
        return _shown(replace(webhook, failing_since=None))

    def remove(self, caller: Principal, webhook_id: str) -> None:
        with self._store.writing(caller.workspace) as unit:
            if not unit.webhooks.remove(webhook_id):
                raise _no_webhook(webhook_id)
            unit.audit.append(caller.key_id, "webhook.removed", webhook_id, {})

    def rotate(self, caller: Principal, webhook_id: str) -> Endpoint:
        """A new secret; the one before it keeps signing for a day."""
        secret = new_secret()
        with self._store.writing(caller.workspace) as unit:
            webhook = _existing(unit, webhook_id)
            still = [
                item for item in webhook.secrets if item.expires_at is None or item.expires_at > unit.now
            ]
            older = tuple(
                item if item.expires_at is not None else replace(item, expires_at=unit.now + ROTATION)
                for item in still
            )
            webhook = replace(webhook, secrets=(WebhookSecret(secret, None), *older))
            unit.webhooks.put(webhook)
            unit.audit.append(caller.key_id, "webhook.rotated", webhook_id, {})
        return _shown(webhook, secret)

    def test(self, caller: Principal, webhook_id: str) -> DeliveryRecord:
        """Put a test message into the outbox for this webhook alone."""
        with self._store.writing(caller.workspace) as unit:
            active(unit, webhook_id)
            message_id = unit.outbox.add("webhook.test", {"webhook_id": webhook_id}, unit.now, [webhook_id])
            page = unit.webhooks.deliveries(webhook_id, None, 50)
            delivery = next(item for item in page.items if item.message_id == message_id)
        return _record(delivery)

    def deliveries(
        self, workspace: str, webhook_id: str, cursor: str | None, limit: int, state: str | None = None
    ) -> Page[DeliveryRecord]:
        with self._store.reading(workspace) as unit:
            _existing(unit, webhook_id)
            page = unit.webhooks.deliveries(webhook_id, cursor, limit, state=state)
        return Page(tuple(_record(item) for item in page.items), page.next_cursor)

    def about_alert(
        self, workspace: str, alert_id: str, opened_at: datetime
    ) -> tuple[DeliveryToEndpoint, ...]:
        """The deliveries that told of an alert, the newest first, each with where it went."""
        with self._store.reading(workspace) as unit:
            found = unit.webhooks.deliveries_about(alert_id, ABOUT_ALERTS, opened_at)
            known = {webhook.id: webhook for webhook in unit.webhooks.all()} if found else {}
        return tuple(
            DeliveryToEndpoint(
                _record(item), item.webhook_id, _without_key(webhook.url), webhook.state == "active"
            )
            for item in found
            if (webhook := known.get(item.webhook_id)) is not None
        )

    def replay(self, caller: Principal, webhook_id: str, delivery_id: str) -> DeliveryRecord:
        """Send a message again, under its own id, so that a receiver can tell that it is the same."""
        with self._store.writing(caller.workspace) as unit:
            active(unit, webhook_id)
            delivery = unit.webhooks.replay(webhook_id, delivery_id)
            if delivery is None:
                raise NotFound("There is no delivery {id} of this webhook.", id=delivery_id)
            unit.audit.append(caller.key_id, "webhook.replayed", webhook_id, {"delivery": delivery_id})
        return _record(delivery)

    def resend(
        self,
        caller: Principal,
        webhook_id: str,
        *,
        since: datetime,
        until: datetime | None,
        types: Collection[str],
        undelivered: bool,
    ) -> Resent:
        """Send again what a webhook should have heard of in a span; see `resending.resend`."""
        if until is not None and until <= since:
            raise InvalidRequest.of("until", "must be after `since`")
        with self._store.writing(caller.workspace) as unit:
            webhook = active(unit, webhook_id)
            resent = resend(unit, webhook, since=since, until=until, types=types, undelivered=undelivered)
            span = {"since": since.isoformat(), "until": until and until.isoformat(), "types": sorted(types)}
            unit.audit.append(
                caller.key_id, "webhook.replayed", webhook_id, {**span, "queued": resent.queued}
            )
        return resent

    def _check_literal(self, url: str) -> None:
        """Refuse at once what is plainly not public; names are checked when they are resolved to be called."""
        host = urlsplit(url).hostname or ""
        try:
            address = ip_address(host)
        except ValueError:
            return
        if not permitted(address, self._allow):
            raise InvalidRequest.of(
                "url", "the address {host} is not public; KB_WEBHOOK_ALLOW may name its network", host=host
            )


def _existing(unit: Unit, webhook_id: str) -> Webhook:
    webhook = unit.webhooks.get(webhook_id)
    if webhook is None:
        raise _no_webhook(webhook_id)
    return webhook


def active(unit: Unit, webhook_id: str) -> Webhook:
    """The webhook. Raises Conflict while it is disabled: what it is sent would wait for ever."""
    webhook = _existing(unit, webhook_id)
    if webhook.state != "active":
        raise Conflict(
            "The webhook {id} is disabled ({reason}); PUT it again to enable it.",
            id=webhook_id,
            reason=webhook.disabled_reason or "-",
        )
    return webhook


def _no_webhook(webhook_id: str) -> NotFound:
    return NotFound("There is no webhook {id} in this workspace.", id=webhook_id)


def _settings(endpoint: Endpoint) -> tuple[object, ...]:
    """What people set of a webhook, as far as it is shown."""
    return (endpoint.url, endpoint.types, dict(endpoint.filter), endpoint.format, endpoint.language)


def _shown(webhook: Webhook, secret: str | None = None) -> Endpoint:
    return Endpoint(
        id=webhook.id,
        url=webhook.url,
        types=webhook.types,
        filter=webhook.filter,
        format=webhook.format,
        language=webhook.language or FORMATS[webhook.format].language,
        signed=bool(webhook.signing_secret),
        state=webhook.state,
        disabled_reason=webhook.disabled_reason,
        failing_since=webhook.failing_since,
        created_at=webhook.created_at,
        secret=secret,
    )


def _signing_secret(known: Webhook | None, format: str, given: str | None) -> str | None:
    if given is not None:
        return given or None
    return known.signing_secret if known is not None and known.format == format else None


def _without_password(url: str) -> str:
    """An address without who signs in there, as the audit keeps it for good."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _without_key(url: str) -> str:
    """The address of a chat platform without the key in its path or query, by which anybody may write there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}/…"


def _record(delivery: Delivery) -> DeliveryRecord:
    return DeliveryRecord(
        id=delivery.id,
        message_id=delivery.message_id,
        type=delivery.type,
        state=delivery.state,
        attempts=delivery.attempt,
        next_at=delivery.next_at,
        status=delivery.last_status,
        error=delivery.last_error,
        response=delivery.response,
        created_at=delivery.created_at,
        delivered_at=delivery.finished_at if delivery.state == "delivered" else None,
    )
