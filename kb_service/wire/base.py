"""What all shapes share: strict requests, responses read from the service's values, and common parts."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from graph.models import Customer

Item = TypeVar("Item")
FAULT = "fault"
"""The type of the findings that `fault` makes."""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
SURROGATE = re.compile("[\ud800-\udfff]")
"""Halves of a character, which JSON can spell and UTF-8 cannot."""
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
LOST_PLUS = re.compile(r"(.+T.+) (\d\d:?\d\d)")
"""A time whose `+` became a blank, as it does in a query string that was not encoded."""


def fault(field: str, template: str, **params: Any) -> PydanticCustomError:
    """What a validator raises: the field at fault, below the place where it stands, and words to translate.

    `field` is empty where the place itself is at fault.
    """
    # Handing over our own words as pydantic's context keeps them apart from its own English.
    return PydanticCustomError(FAULT, "{template}", {"field": field, "template": template, "params": params})


def _storable(value: str) -> str:
    if "\x00" in value:
        raise fault("", "must not contain NUL characters")
    if SURROGATE.search(value):
        raise fault("", "holds a character that is not valid Unicode")
    return value


def _iso(value: Any) -> Any:
    """Only ISO 8601 texts are times on the wire: a bare number would be taken for seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or "-" not in value.strip()[1:]:
        raise fault("", "must be an ISO 8601 time with offset, such as 2026-11-11T00:00:00+08:00")
    lost = LOST_PLUS.fullmatch(value)
    return f"{lost[1]}+{lost[2]}" if lost else value


def calculable(value: datetime) -> bool:
    """Whether a moment, with its offset, lies where all that is reckoned with it does too."""
    try:
        return EARLIEST <= value.astimezone(UTC) < LATEST
    except OverflowError:
        return False


def _calculable(value: datetime) -> datetime:
    if not calculable(value):
        raise fault("", "must lie between the years 1970 and 2200")
    return value


def _iso_day(value: Any) -> Any:
    """Only ISO 8601 texts are days on the wire: `11.11` would be taken for seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and ISO_DAY.fullmatch(value)):
        return value
    raise fault("", "must be a date with its year, such as 2026-11-11")


def _no_text(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise fault("", "must be a whole number")
    return value


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise fault("", "must be a finite number")
    if value is None or isinstance(value, bool | int | float):
        return value
    raise fault("", "must be text, a number, true, false or null")


Text = Annotated[str, AfterValidator(_storable)]
Id = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
Message = Annotated[str, Field(max_length=100_000), AfterValidator(_storable)]
"""What somebody wrote; longer texts are documents, not messages."""
Moment = AwareDatetime
When = Annotated[AwareDatetime, BeforeValidator(_iso), AfterValidator(_calculable)]
"""A time in a request."""
Day = Annotated[date, BeforeValidator(_iso_day)]
"""A date in a request."""
Channel = Annotated[str, Field(max_length=40), AfterValidator(_storable)]
Scalar = Annotated[str | int | float | bool | None, BeforeValidator(_scalar)]
Flag = Annotated[bool, Strict()]
"""true or false in a body; "false" and 0 are neither."""
Whole = Annotated[int, BeforeValidator(_no_text)]
"""A whole number in a body; 3.0 is one, "3" and true are none."""
Number = Annotated[float, Strict()]
"""A number in a body; "3.5" and true are none."""
Count = Annotated[Whole, Field(ge=0, le=1_000_000_000)]
Amount = Annotated[Number, Field(ge=0, le=1e12)]


class Request(BaseModel):
    """Unknown fields are refused, so that a misspelt one is never silently ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class EmptyIn(Request):
    """A body that holds nothing, and may be left out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class NoteIn(Request):
    """A body that may be left out: why somebody does it, kept in the audit with personal data masked."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"note": "The carrier delivers again since this morning."}]},
    )

    note: Annotated[Text, Field(max_length=2_000)] | None = None


NOTHING = EmptyIn()
NO_NOTE = NoteIn()


class Response(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(Response, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = None


class CustomerIn(Request):
    id: Id
    tier: Annotated[Text, Field(max_length=40)] | None = None
    orders: Count | None = None
    spend: Amount | None = None
    recency_days: Annotated[Number, Field(ge=0, le=1_000_000)] | None = None

    def value(self) -> Customer:
        return Customer(**self.model_dump())


class WhyOut(Response):
    code: str
    text: str
    weight: float | None = None


class IntentScoreOut(Response):
    id: str
    label: str
    probability: Annotated[float, AfterValidator(lambda value: round(value, 4))]


class ContributionOut(Response):
    factor: str
    points: float
    evidence: str


class PriorityOut(Response):
    score: int
    band: Literal["low", "normal", "high", "urgent"]
    contributions: list[ContributionOut]
    total: float


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
