"""Webhooks and their deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, ConfigDict, Field, UrlConstraints

from kb_service.wire.base import Id, Moment, Request, Response

WEBHOOK_EXAMPLE: dict[str, Any] = {
    "url": "https://example.com/hooks/support",
    "types": ["alert.opened", "problem.regressed"],
    "filter": {"product": [], "expertise": []},
    "format": "standard",
}

MessageType = Literal[
    "alert.opened",
    "alert.escalated",
    "problem.resolved",
    "problem.regressed",
    "proposal.created",
    "gap.found",
    "traffic.surge",
    "followup.due",
]


class WebhookFilter(Request):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    product: Annotated[list[Id], Field(max_length=1000)] = []
    expertise: Annotated[list[Id], Field(max_length=1000)] = []


class WebhookIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [WEBHOOK_EXAMPLE]})

    url: Annotated[AnyHttpUrl, UrlConstraints(max_length=2000)]
    types: Annotated[list[MessageType], Field(min_length=1, max_length=8)]
    filter: WebhookFilter = WebhookFilter()
    format: Literal["standard"] = "standard"


class WebhookOut(Response):
    id: str
    url: str
    types: list[str]
    filter: WebhookFilter
    format: str
    state: Literal["active", "disabled"]
    disabled_reason: str | None = None
    created_at: Moment
    secret: str | None = None
    """Shown once: when the webhook is created or its secret rotated."""


class DeliveryOut(Response):
    id: str
    message_id: str
    type: str
    state: Literal["pending", "delivered", "exhausted", "cancelled"]
    attempts: int
    next_at: Moment | None
    status: int | None
    error: str | None
    created_at: Moment
    delivered_at: Moment | None
