"""Which webhooks hear of what."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kb_service.store import Webhook


def listeners(
    webhooks: Sequence[Webhook], type: str, *, products: Collection[str], expertise: str | None
) -> list[str]:
    """The ids of the active webhooks that want this type of message about these products and this expertise."""
    return [
        webhook.id
        for webhook in webhooks
        if webhook.state == "active" and hears(webhook, type, products=products, expertise=expertise)
    ]


def hears(webhook: Webhook, type: str, *, products: Collection[str], expertise: str | None) -> bool:
    """Whether a webhook wants this type of message about these products and this expertise."""
    wanted, experts = webhook.filter.get("product"), webhook.filter.get("expertise")
    return (
        type in webhook.types
        and (not wanted or not set(wanted).isdisjoint(products))
        and (not experts or expertise in experts)
    )
