"""What all shapes share: strict requests, responses read from the service's values, and common parts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from graph.models import Customer

Item = TypeVar("Item")


def _no_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain NUL characters")
    return value


Text = Annotated[str, AfterValidator(_no_nul)]
Id = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
Moment = AwareDatetime
Channel = Annotated[str, Field(max_length=40), AfterValidator(_no_nul)]


class Request(BaseModel):
    """Unknown fields are refused, so that a misspelt one is never silently ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Response(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(Response, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = None


class CustomerIn(Request):
    id: Id
    tier: Annotated[Text, Field(max_length=40)] | None = None
    orders: Annotated[int, Field(ge=0)] | None = None
    spend: Annotated[float, Field(ge=0)] | None = None
    recency_days: Annotated[float, Field(ge=0)] | None = None

    def value(self) -> Customer:
        return Customer(**self.model_dump())


class WhyOut(Response):
    code: str
    text: str
    weight: float | None = None


class IntentScoreOut(Response):
    id: str
    label: str
    probability: float


class ContributionOut(Response):
    factor: str
    points: float
    evidence: str


class PriorityOut(Response):
    score: int
    band: Literal["low", "normal", "high", "urgent"]
    contributions: list[ContributionOut]


class ProblemRef(Response):
    id: str
    name: str
    state: str


class ReasonOut(Response):
    code: str
    text: str


class Span(Response):
    start: int
    end: int


class Dated(Response):
    at: datetime
