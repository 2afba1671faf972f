"""When an endpoint is given up, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from structlog.stdlib import get_logger

from kb_service.delivery.answers import Answer
from kb_service.store import Claim, Store, Unit, Webhook
from kb_service.store.outbox import LONGEST_PAUSE

log = get_logger(__name__)

FAILING = timedelta(days=5)
"""How long an endpoint may fail, with nothing arriving in between."""
ACTOR = "courier"
GONE: Mapping[str, str] = {"zh": "对方返回 410 Gone。", "en": "the endpoint answered 410 Gone"}
FAILED: Mapping[str, str] = {
    "zh": "连续五天投递失败，期间没有一次成功。",
    "en": "nothing arrived there for five days, and every attempt failed",
}
Outcome = Literal["disabled", "spared", "lease_lost"]


def long_failing(webhook: Webhook, now: datetime) -> bool:
    """Whether a webhook that fails at `now` has failed for five days without a longer pause in between."""
    if webhook.failing_since is None or webhook.failed_at is None:
        return False
    return now - webhook.failing_since >= FAILING and now - webhook.failed_at <= LONGEST_PAUSE


def disable(store: Store, claim: Claim, answer: Answer, reason: Mapping[str, str]) -> Outcome:
    """Give an endpoint up after an attempt, in one transaction with everything that tells of it.

    What waits for it is cancelled and stays listed, to be replayed once it is enabled again. `spared` when something
    arrived there meanwhile, so that it has not failed throughout.
    """
    with store.writing(claim.workspace) as unit:
        webhook = unit.webhooks.get(claim.webhook.id)
        if webhook is None or webhook.state != "active":
            return "lease_lost"
        if reason is FAILED and not long_failing(webhook, unit.now):
            return "spared"
        if not unit.outbox.give_up(claim, answer.status, answer.error, answer.response):
            return "lease_lost"
        waiting = unit.webhooks.waiting(webhook.id)
        unit.webhooks.disable(webhook.id, reason["en"])
        _tell(unit, webhook, reason, waiting)
    log.warning(
        "webhook_disabled",
        workspace=claim.workspace,
        webhook=webhook.id,
        reason=reason["en"],
        cancelled=waiting,
        error=answer.error,
    )
    return "disabled"


def _tell(unit: Unit, webhook: Webhook, reason: Mapping[str, str], waiting: int) -> None:
    """Leave it in the audit log, and tell the endpoints that hear of alerts, whatever they filter by."""
    since = webhook.failing_since
    detail: dict[str, Any] = {
        "reason": reason["en"],
        "failing_since": None if since is None else since.isoformat(),
        "cancelled": waiting,
    }
    unit.audit.append(ACTOR, "webhook.disabled", webhook.id, detail)
    others = [
        other.id
        for other in unit.webhooks.all()
        if other.id != webhook.id and other.state == "active" and "alert.opened" in other.types
    ]
    data = {
        "webhook_id": webhook.id,
        "host": urlsplit(webhook.url).hostname or "",
        "evidence": dict(reason),
        "failing_since": detail["failing_since"],
        "cancelled": waiting,
    }
    unit.outbox.add("webhook.disabled", data, unit.now, others)
