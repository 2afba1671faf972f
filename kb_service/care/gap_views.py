"""Gaps as people look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from graph.drafting import DraftArticle
from graph.gaps import Gap, GapReason
from graph.models import Problem
from ingest.models import Kind


@dataclass(frozen=True, slots=True)
class GapDocument:
    """The best document for a gap's questions, with the probability that it answers them."""

    document_id: str
    title: str
    kind: Kind
    confidence: float


GapState: TypeAlias = Literal["open", "answered", "dismissed"]


@dataclass(frozen=True, slots=True)
class GapView:
    """A gap as people look at it. `cases` are the latest first; `draft` is None where nobody accepted a reply."""

    id: str
    gap: Gap
    names: Mapping[str, str]
    reason: GapReason
    problem: Problem | None
    cases: tuple[str, ...]
    best: GapDocument | None
    answered_by: GapDocument | None
    draft: DraftArticle | None
    told_at: datetime | None
    dismissed_at: datetime | None = None
    dismissed_by: str | None = None

    @property
    def state(self) -> GapState:
        if self.dismissed_at is not None:
            return "dismissed"
        return "open" if self.answered_by is None else "answered"


@dataclass(frozen=True, slots=True)
class GapQuestion:
    """One question of a gap, masked, why it got no good answer, and the case that it came up in."""

    text: str
    at: datetime
    reason: GapReason
    customer_id: str | None
    case_id: str | None


@dataclass(frozen=True, slots=True)
class GapDetail:
    """A gap with all its questions, the latest first. `note` is why it was dismissed."""

    view: GapView
    questions: tuple[GapQuestion, ...]
    note: str | None
