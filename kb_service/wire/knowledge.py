"""Documents in and out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from kb_service.wire.base import Id, Moment, Request, Response, Scalar, Text

DOCUMENT_EXAMPLE: dict[str, Any] = {
    "kind": "policy",
    "title": "Returns",
    "markdown": "# Returns\n\nUnworn clothing may be returned within 30 days of delivery.",
    "language": "en",
    "regions": ["US"],
    "valid_from": "2026-03-01",
}

Many = Annotated[list[Id], Field(max_length=1000)]
OneOrMany = Annotated[Many, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class DocumentIn(Request):
    """Values are checked as a whole by `ingest.documents.compose`, which names the field and the remedy."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [DOCUMENT_EXAMPLE]})

    kind: str
    title: Text | None = None
    text: Text | None = None
    html: Text | None = None
    markdown: Text | None = None
    language: str | None = None
    audience: str | None = None
    status: str | None = None
    url: Text | None = None
    products: Many | None = None
    regions: Many | None = None
    tiers: Many | None = None
    channels: Many | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    supersedes: OneOrMany | None = None
    fields: dict[str, Scalar] | None = None
    metadata: dict[str, Scalar] | None = None

    def attributes(self) -> dict[str, object]:
        """The attributes that were given, under the names of `ingest.models.Document`."""
        return self.model_dump(exclude_none=True)


class DocumentLineIn(DocumentIn):
    external_id: Id


class DocumentStatusOut(Response):
    external_id: str
    status: Literal["created", "updated", "unchanged", "refused"]
    version: int | None = None
    passages: int | None = None
    error: dict[str, Any] | None = None


class DocumentHeadOut(Response):
    external_id: str
    kind: str
    title: str
    language: str
    audience: str
    status: str
    url: str | None
    products: list[str]
    regions: list[str]
    tiers: list[str]
    channels: list[str]
    valid_from: Moment | None
    valid_to: Moment | None
    supersedes: list[str]
    version: int
    created_at: Moment
    updated_at: Moment


class DocumentOut(DocumentHeadOut):
    """`withheld_by` is the review that keeps the document out of automatic answers."""

    text: str
    withheld_by: str | None
    fields: dict[str, Scalar]
    metadata: dict[str, Scalar]


class VersionOut(Response):
    version: int
    title: str
    text: str
    valid_from: Moment | None
    valid_to: Moment | None
    created_at: Moment


class UploadOut(Response):
    """What one file became: a result for each document, and the records that could not be read."""

    items: list[DocumentStatusOut]


class ErasureOut(Response):
    """How many records of the customer were erased, by kind."""

    customer_id: str
    erased: dict[str, int]


class AuditOut(Response):
    id: Annotated[str, BeforeValidator(str)]
    at: Moment
    actor: str
    action: str
    object: str
    detail: dict[str, Any]
