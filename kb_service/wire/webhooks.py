"""Webhooks and their deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AnyHttpUrl, ConfigDict, Field, SecretStr, UrlConstraints, model_validator

from kb_service.wire.base import Flag, Id, Moment, Request, Response, Text, When, fault

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


Format = Literal["standard", "slack", "feishu", "dingtalk", "wecom"]
Language = Literal["zh", "en"]
DeliveryStateName = Literal["pending", "delivered", "exhausted", "cancelled"]


class WebhookIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [WEBHOOK_EXAMPLE]})

    url: Annotated[AnyHttpUrl, UrlConstraints(max_length=2000)]
    types: Annotated[list[MessageType], Field(min_length=1, max_length=8)]
    filter: WebhookFilter = WebhookFilter()
    format: Format = "standard"
    language: Annotated[
        Language | None, Field(description="Of cards for people; Chinese but for Slack, unless told.")
    ] = None
    signing_secret: Annotated[
        SecretStr | None,
        Field(
            max_length=200,
            description="The chat platform's own (Feishu, DingTalk), never shown again. Left out, the one that is "
            "set stays; an empty text takes it away.",
        ),
    ] = None

    @model_validator(mode="after")
    def signed_where_it_can_be(self) -> Self:
        if self.signing_secret is not None and self.format not in ("feishu", "dingtalk"):
            raise fault("signing_secret", "is for the formats feishu and dingtalk only")
        if self.signing_secret is not None and not self.signing_secret.get_secret_value().isprintable():
            raise fault("signing_secret", "must hold printable characters only")
        return self

    def settings(self) -> dict[str, Any]:
        """What a webhook is put with."""
        secret = self.signing_secret
        return {
            "url": str(self.url),
            "types": tuple(self.types),
            "filter": {"product": tuple(self.filter.product), "expertise": tuple(self.filter.expertise)},
            "format": self.format,
            "language": self.language,
            "signing_secret": None if secret is None else secret.get_secret_value(),
        }


class WebhookOut(Response):
    id: str
    url: str
    types: list[str]
    filter: WebhookFilter
    format: str
    language: Language
    signed: bool
    """Whether a chat platform's signing secret is set."""
    state: Literal["active", "disabled"]
    disabled_reason: str | None = None
    failing_since: Moment | None = None
    """Since when every attempt has failed; null when the last one did not."""
    created_at: Moment
    secret: str | None = None
    """Shown once: when the webhook is created or its secret rotated."""


class DeliveryOut(Response):
    id: str
    message_id: str
    type: str
    state: DeliveryStateName
    attempts: int
    next_at: Moment | None
    status: int | None
    error: str | None
    response: str | None
    """How the endpoint's last answer began, without secrets."""
    created_at: Moment
    delivered_at: Moment | None


class ReplayIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"since": "2026-11-09T00:00:00+08:00", "undelivered": True}]},
    )

    since: When
    until: When | None = None
    types: Annotated[
        list[Annotated[Text, Field(min_length=1, max_length=60)]],
        Field(max_length=20, description="Only these types of messages; all when empty."),
    ] = []
    undelivered: Flag = False
    """Leave out what arrived."""


class ReplayOut(Response):
    queued: int
    pending: int
    """Waiting already, and not put in line twice."""
    delivered: int
    """Left out because they arrived."""
