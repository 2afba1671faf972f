"""Searches in, hits out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from kb_service.models import Scope
from kb_service.wire.base import Id, Request, Response, Text, When, Whole


class FiltersIn(Request):
    kind: Annotated[list[Literal["product", "policy", "resolution", "faq"]], Field(max_length=4)] = []
    language: Annotated[list[Annotated[str, Field(max_length=8)]], Field(max_length=20)] = []
    product: Annotated[list[Id], Field(max_length=200)] = []
    document_id: Annotated[list[Id], Field(max_length=1000)] = []


class SearchIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "query": "退货要多久到账",
                    "limit": 5,
                    "filters": {"kind": ["policy", "faq"]},
                    "as_of": "2026-11-11T00:00:00+08:00",
                }
            ]
        },
    )

    query: Annotated[Text, Field(min_length=1, pattern=r"\S")]
    limit: Annotated[Whole, Field(ge=1, le=100)] = 10
    filters: FiltersIn = FiltersIn()
    as_of: When | None = None

    def scope(self, audiences: tuple[Literal["public", "internal"], ...]) -> Scope:
        return Scope(
            audiences=audiences,
            kinds=tuple(self.filters.kind),
            languages=tuple(self.filters.language),
            products=tuple(self.filters.product),
            document_ids=tuple(self.filters.document_id),
            as_of=self.as_of,
        )


class HitOut(Response):
    """`document_id` and `external_id` are the same id: the one that the shop gave the document."""

    document_id: str
    external_id: str
    title: str
    passage: str
    section: list[str]
    start: int
    end: int
    score: float
    dense: float
    lexical: float
    graph: float


class HitsOut(Response):
    hits: list[HitOut]
