"""Questions in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from kb_service.messages import Language
from kb_service.models import Question, Turn
from kb_service.wire.base import (
    Amount,
    Channel,
    CustomerIn,
    Id,
    Message,
    Request,
    Scalar,
    Text,
    When,
    Whole,
    fault,
)

QUESTION_EXAMPLE: dict[str, Any] = {
    "query": "上周买的手机屏幕碎了,我要退货",
    "conversation_id": "c-123",
    "customer": {"id": "u-9", "tier": "silver", "orders": 4, "spend": 5230.0, "recency_days": 7},
    "channel": "app",
    "locale": "zh-CN",
    "region": "CN",
    "as_of": "2026-11-11T00:00:00+08:00",
    "context": {"order.status": "已发货"},
    "limit": 3,
}


class TurnIn(Request):
    role: Literal["customer", "agent", "bot"]
    text: Message
    at: When | None = None


class QuestionIn(Request):
    """`query` or `turns` is required; the last customer's turn stands in for a missing query."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [QUESTION_EXAMPLE]})

    query: Text | None = None
    turns: Annotated[list[TurnIn], Field(max_length=200)] = []
    conversation_id: Id | None = None
    customer: CustomerIn | None = None
    channel: Channel | None = None
    locale: Annotated[Text, Field(max_length=35)] | None = None
    products: Annotated[list[Id], Field(max_length=50)] = []
    region: Annotated[Text, Field(max_length=40)] | None = None
    as_of: When | None = None
    context: Annotated[dict[Annotated[Text, Field(max_length=100)], Scalar], Field(max_length=200)] = {}
    intent: Id | None = None
    event_id: Id | None = None
    limit: Annotated[Whole, Field(ge=1, le=20)] = 3
    order_value: Amount | None = None

    @model_validator(mode="after")
    def has_a_question(self) -> QuestionIn:
        if not self.text.strip():
            raise fault("query", "is required: send the customer's words here, or a customer's turn in turns")
        return self

    @property
    def text(self) -> str:
        if self.query is not None and self.query.strip():
            return self.query
        return next((turn.text for turn in reversed(self.turns) if turn.role == "customer"), "")

    def value(self, reader: Language | None = None) -> Question:
        """The question; `reader` is the language of reasons, where the caller asked for one."""
        return Question(
            text=self.text,
            turns=tuple(Turn(turn.role, turn.text, turn.at) for turn in self.turns),
            conversation_id=self.conversation_id,
            customer=self.customer.value() if self.customer else None,
            channel=self.channel,
            locale=self.locale,
            products=tuple(self.products),
            region=(self.region or "").strip() or None,
            as_of=self.as_of,
            context={key: str(value) for key, value in self.context.items() if value is not None},
            intent=self.intent,
            event_id=self.event_id,
            limit=self.limit,
            order_value=self.order_value,
            reader=reader,
        )
