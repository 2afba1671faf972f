"""Standard Webhooks 1.0.0: the data itself, signed, for programs."""

from __future__ import annotations

from datetime import datetime

from kb_service.delivery import messages
from kb_service.delivery.formats.told import Format, Outgoing, Told, never_refused
from kb_service.store import Webhook


def write(told: Told, webhook: Webhook, now: datetime) -> Outgoing:
    payload = messages.body(told.type, told.at, told.data)
    return Outgoing(webhook.url, messages.headers(told.message_id, now, payload, webhook.secrets), payload)


FORMAT = Format(write, never_refused, "en")
