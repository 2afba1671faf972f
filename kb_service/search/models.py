"""The values of a search: what is asked, within which limits, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ingest.models import Audience, Kind, Role

Vector: TypeAlias = NDArray[np.float32]
"""One unit-length vector, shape (dimension,)."""
Rows: TypeAlias = NDArray[np.int64]
"""Row numbers of passages; one row is one passage, in all parts of an index alike."""
Scores: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
"""One truth value a row (or a document, where said)."""


Reason: TypeAlias = Literal["kind", "case"]
"""Why a document stands behind others whose words fit less: it is about another kind of product, or told of another
case's figures."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search may see. Empty tuples do not narrow; `audiences` always does.

    `products`: documents about one of these. `applies_to`: documents about one of these, and those that are
    limited to no product (a general policy applies to every product). `region`, `tier`, `channel` describe
    the request: a document limited to some of them is seen when it names the request's. A request without
    a region takes the workspace's default region; where there is none, documents of every region are seen.
    A request without a tier or a channel sees only documents that are limited to none, unless `any_scope`,
    which is for people who look after the knowledge rather than for answers; so is `any_state`, which also
    sees drafts and documents that are not valid at the governing date or superseded.
    """

    kinds: tuple[Kind, ...] = ()
    languages: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    applies_to: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    audiences: tuple[Audience, ...] = ("public",)
    region: str | None = None
    tier: str | None = None
    channel: str | None = None
    any_scope: bool = False
    any_state: bool = False


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One question to an index.

    `vector` is the question's unit-length vector of the index's model, or None to search by words alone.
    `at` is the governing date, timezone-aware. `prior` maps external ids to 0..1, how strongly the problem
    graph ties a document to the question; such documents are candidates even where no word matches. `learned` is what
    feedback adds to the evidence of documents, in log-odds; it makes no candidates. `weights` are terms that are
    searched beside those of `text`, and terms of it that count less, each with what it counts (0..1, where a plain
    term counts 1). `matters` is how likely the question has each of the shop's intents, by id.
    `named` is the question whole, where the names of products were left out of `text` (see `kb_service.search.apart`):
    their codes speak for a document by half of what they would. `at_home` is for customers: without a region they are
    taken to be where most documents are for (see `kb_service.search.scopes`).
    """

    text: str
    language: str
    vector: Vector | None
    at: datetime
    limit: int = 10
    filters: Filters = field(default_factory=Filters)
    prior: Mapping[str, float] = field(default_factory=dict)
    learned: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    matters: Mapping[str, float] = field(default_factory=dict)
    named: str = ""
    at_home: bool = False

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at: has no time zone; give a timezone-aware moment")
        if self.limit < 1:
            raise ValueError(f"limit: {self.limit} is too small; ask for at least 1")


@dataclass(frozen=True, slots=True)
class Hit:
    """One document that was found, by its best passage. Never stored.

    `text` is the document's text from `start` to `end` and what an answer quotes: where a customer's question
    was matched to the question of a resolution or an FAQ, this is its reply, and `matched_role` and
    `matched_text` tell what was matched. `score` is the fused score in 0..1 by which hits are ordered;
    `dense` the cosine of the matched passage, `lexical` its BM25 score, `coverage` the share of the
    question's information (idf mass) found in it, `graph` what the prior added to the score, `learned` what feedback
    did; `evidence` is the log-odds that the score was taken from. `row` is the passage's place in the index that
    found it, -1 where none did.
    """

    passage_id: str
    external_id: str
    version: int
    title: str
    kind: Kind
    language: str
    role: Role
    text: str
    section: tuple[str, ...]
    start: int
    end: int
    score: float
    dense: float
    lexical: float
    graph: float
    coverage: float
    url: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    products: tuple[str, ...] = ()
    audience: Audience = "public"
    matched_role: Role = "prose"
    matched_text: str = ""
    learned: float = 0.0
    evidence: float = 0.0
    row: int = field(default=-1, compare=False)
