"""A message into the outbox for whoever listens, and into the log in any case, so that it can be replayed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from kb_service.delivery.listening import listeners
from kb_service.store import Unit


def announce(
    unit: Unit,
    type: str,
    data: Mapping[str, Any],
    at: datetime,
    *,
    products: Collection[str] = (),
    expertise: str | None = None,
    quotes: Collection[str] = (),
    told_in: str | None = None,
) -> str:
    """Tell that something happened at `at` about these products and this expertise; the message's id.

    Those that listen to the type `told_in` as well are left out: there it stands too. It is stored where nobody
    listens too: a webhook that is disabled now, or made later, can be given it.
    """
    webhooks = unit.webhooks.all()
    to = listeners(webhooks, type, products=products, expertise=expertise)
    if told_in is not None:
        there = listeners(webhooks, told_in, products=products, expertise=expertise)
        to = [webhook_id for webhook_id in to if webhook_id not in there]
    return unit.outbox.add(type, data, at, to, quotes)
