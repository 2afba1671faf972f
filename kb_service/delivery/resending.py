"""Messages of the log put in line again for one webhook, each under its own id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kb_service.delivery.listening import hears
from kb_service.errors import InvalidRequest
from kb_service.store import Message, Unit, Webhook

MOST_AT_ONCE = 10_000
"""Messages of a span that one call looks through."""
LOST = frozenset(("exhausted", "cancelled"))


@dataclass(frozen=True, slots=True)
class Resent:
    """Of the messages of a span that are the webhook's: put in line, waiting there already, and left out because
    they were delivered."""

    queued: int
    pending: int
    delivered: int


def resend(
    unit: Unit,
    webhook: Webhook,
    *,
    since: datetime,
    until: datetime | None,
    types: Collection[str],
    undelivered: bool,
) -> Resent:
    """Put in line what a webhook should have heard of from `since` to before `until`, in the order it happened.

    That is what its types and its filter let through now, and what was once on its way to it and got lost. `types`
    narrows it, `undelivered` leaves out what arrived. What waits already is not put in line twice, so that the same
    call again changes nothing until something was delivered.
    """
    found = unit.outbox.messages(since, until, types or None, MOST_AT_ONCE + 1)
    if len(found) > MOST_AT_ONCE:
        raise InvalidRequest.of(
            "since", "the span holds more than {most} messages; take a shorter one", most=MOST_AT_ONCE
        )
    states = unit.webhooks.states_of(webhook.id, [message.id for message in found])
    kept: Counter[str] = Counter()
    queued: list[str] = []
    for message in found:
        theirs = states.get(message.id, set())
        if not _is_for(unit, webhook, message, theirs):
            continue
        if "pending" in theirs:
            kept["pending"] += 1
        elif undelivered and "delivered" in theirs:
            kept["delivered"] += 1
        else:
            queued.append(message.id)
    unit.webhooks.queue(webhook.id, queued)
    return Resent(len(queued), kept["pending"], kept["delivered"])


def _is_for(unit: Unit, webhook: Webhook, message: Message, states: Collection[str]) -> bool:
    if LOST & set(states) or "pending" in states:
        return True
    if message.type not in webhook.types:
        return False
    parts = (_about(unit, data) for data in (message.data, *message.data.get("also", ())))
    return any(
        hears(webhook, message.type, products=products, expertise=expertise) for products, expertise in parts
    )


def _about(unit: Unit, data: Mapping[str, Any]) -> tuple[Collection[str], str | None]:
    """The products and the expertise that a message's data are about: those they name, else those of the alert or
    the problem that they belong to."""
    expertise = data.get("expertise")
    if isinstance(expertise, dict):
        expertise = expertise.get("id")
    if "products" in data or expertise is not None:
        return data.get("products") or (), expertise
    if (alert_id := data.get("alert_id")) and (alert := unit.alerts.get(alert_id)) is not None:
        return alert.products, alert.expertise_id
    if (problem_id := data.get("problem_id")) and (problem := unit.problems.get(problem_id)) is not None:
        return problem.products, problem.expertise_id
    return (), None
