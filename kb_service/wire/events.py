"""Events in; what became of each out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from graph.models import Event
from kb_service.wire.base import (
    Amount,
    Channel,
    CustomerIn,
    Flag,
    Id,
    Message,
    Moment,
    Number,
    Request,
    Response,
    Text,
    When,
    fault,
)

EVENT_EXAMPLE: dict[str, Any] = {
    "id": "m-20261103-17",
    "type": "message",
    "at": "2026-11-03T09:12:00+08:00",
    "conversation_id": "c-123",
    "customer_id": "u-9",
    "channel": "app",
    "text": "包裹三天没有更新了,到底什么时候到?",
    "products": ["SKU-1"],
}


NEEDED: dict[str, tuple[str, ...]] = {
    "agent_state": ("agent_id", "state"),
    "rating": ("rating",),
    "transfer": ("to_agent",),
}
"""The optional fields that an event of a type cannot do without, beside a message's text."""


class EventIn(Request):
    """Which of the optional fields are needed follows from `type`; the error names the one that is missing."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EVENT_EXAMPLE]})

    id: Id
    type: Literal["message", "resolution", "transfer", "rating", "followup", "agent_state"]
    role: Literal["customer", "agent", "bot"] = "customer"
    at: When
    conversation_id: Id | None = None
    customer_id: Id | None = None
    channel: Channel | None = None
    text: Message | None = None
    language: Annotated[Text, Field(max_length=8)] | None = None
    products: Annotated[list[Id], Field(max_length=50)] = []
    order_value: Amount | None = None
    customer: CustomerIn | None = None
    agent_id: Id | None = None
    state: Literal["online", "offline", "busy"] | None = None
    reply: Message | None = None
    handling_seconds: Annotated[Number, Field(ge=0, le=31_536_000)] | None = None
    resolved: Flag | None = None
    rating: Annotated[Number, Field(ge=0, le=5)] | None = None
    from_agent: Id | None = None
    to_agent: Id | None = None
    reason: Annotated[Text, Field(max_length=4000)] | None = None

    @model_validator(mode="after")
    def has_what_its_type_needs(self) -> EventIn:
        if self.type == "message" and not (self.text or "").strip():
            raise fault("text", "is required for an event of type {type}", type=self.type)
        for name in NEEDED.get(self.type, ()):
            if getattr(self, name) is None:
                raise fault(name, "is required for an event of type {type}", type=self.type)
        if self.type != "agent_state" and not (self.conversation_id or self.customer_id or self.customer):
            raise fault("conversation_id", "is required, or customer_id, so that the event finds its case")
        if self.customer and self.customer_id and self.customer.id != self.customer_id:
            raise fault("customer_id", "names another customer than customer.id; send one of them")
        return self

    def value(self) -> Event:
        values = self.model_dump(exclude={"products", "customer"})
        customer = self.customer.value() if self.customer else None
        if customer is not None and self.customer_id is None:
            values["customer_id"] = customer.id
        return Event(**values, products=tuple(self.products), customer=customer)


class EventProblemOut(Response):
    id: str
    new: bool
    reason: str
    score: float
    runner_up: float


class EventOut(Response):
    id: str
    status: Literal["accepted", "duplicate", "refused"]
    problem: EventProblemOut | None = None
    pending: bool = False
    alerts: list[str] = []
    case_id: str | None = None
    error: dict[str, Any] | None = None


class EventRecordOut(EventOut):
    """The event as it was recorded, with its problem as it stands now."""

    type: str
    role: str
    at: Moment
    conversation_id: str | None = None
    customer_id: str | None = None
    channel: str | None = None
    text: str | None = None
    language: str | None = None
    products: list[str] = []
    resolved: Annotated[bool | None, Field(description="What a resolution or a follow-up says.")] = None
    rating: float | None = None
