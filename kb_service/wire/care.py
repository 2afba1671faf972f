"""What needs care among a shop's documents: conflicts, and what is out of date."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from graph.staleness import StaleCode
from kb_service.wire.base import Moment, Response


class StatementOut(Response):
    """`quote` is the document's text from `start` to `end`."""

    document_id: str
    title: str
    kind: str
    language: str
    url: str | None
    section: list[str]
    quote: str
    start: int
    end: int
    valid_from: Moment | None
    valid_to: Moment | None


class ConflictOut(Response):
    """`score` is how sure the comparison is, 0 to 1, not a probability; both are valid from `since` to `until`."""

    id: str
    aspect: Literal["quantity", "permission"]
    score: float
    matters: list[str]
    difference: Annotated[dict[str, str], Field(description="What differs, in words, by language.")]
    documents: list[StatementOut]
    since: Moment | None
    until: Moment | None


class StaleReasonOut(Response):
    """`text` says it by language; `evidence` holds the figures behind it."""

    code: StaleCode
    text: dict[str, str]
    weight: float
    evidence: dict[str, str | int | float | list[str] | None]


class StaleOut(Response):
    document_id: str
    title: str
    kind: str
    language: str
    url: str | None
    valid_from: Moment | None
    valid_to: Moment | None
    updated_at: Moment
    reasons: list[StaleReasonOut]
