"""Claims: what a document states of a quantity or a permission, ready to be compared with what another states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

Aspect: TypeAlias = Literal["quantity", "permission"]

SAME = 0.035
"""Relative difference up to which two quantities are the same: twelve months of thirty days are a year."""
FURTHEST = 16.0
"""Factor from which two quantities are hardly the same thing told differently: two hours and a year."""
DEADLINES = frozenset({"within", "most", "plain"})
"""Bounds that say the same of a time: "15 days", "within 15 days", "up to 15 days"."""
THRESHOLDS = frozenset({"from", "plain"})


@dataclass(frozen=True, slots=True)
class Realm:
    """For whom and when a document holds; empty sets mean no limit. The interval is half open, None is no limit."""

    regions: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    audience: str = "public"
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    supersedes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """A document as far as comparing needs it."""

    id: str
    kind: str
    language: str
    realm: Realm


@dataclass(frozen=True, slots=True)
class Topic:
    """What a statement is about. Terms are the same in all languages; `words` are those of its own."""

    matters: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    goods: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity in the unit of its dimension, and what it bounds (see `ingest.quantities`)."""

    dimension: str
    low: float
    high: float
    bound: str

    def contradicts(self, other: Measure) -> bool:
        """Whether both cannot hold of the same thing: one dimension, bounds of one kind, no value in common."""
        if self.dimension != other.dimension or not _one_kind(self, other):
            return False
        small, large = sorted((self, other), key=lambda measure: measure.low)
        return small.high * (1 + SAME) < large.low <= small.high * FURTHEST

    def equals(self, other: Measure) -> bool:
        """The same value, whatever it bounds."""
        return (
            self.dimension == other.dimension
            and abs(self.low - other.low) <= SAME * max(self.low, other.low)
            and abs(self.high - other.high) <= SAME * max(self.high, other.high)
        )


def _one_kind(one: Measure, other: Measure) -> bool:
    bounds = {one.bound, other.bound}
    if len(bounds) == 1:
        return True
    timed = one.dimension in ("time", "working_time")
    return bounds <= DEADLINES if timed else bounds <= THRESHOLDS


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of one document, ready to be compared. `id` is unique and the same whenever it is read anew."""

    id: str
    source: Source
    own: Topic
    around: Topic
    measure: Measure | None = None
    permits: bool | None = None
    acts: frozenset[str] = frozenset()
    """What is permitted or prohibited, among the matters."""
    qualified: bool = False
    """Whether an "if", "until" or "except" limits the permission or prohibition."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two claims that cannot both hold, in the order of their sources' ids. `score`, 0 to 1, is how sure the
    comparison is of that; `shared` is what both are about. Both sources are valid from `since` to `until`."""

    one: Claim
    other: Claim
    aspect: Aspect
    score: float
    shared: tuple[str, ...]
    since: datetime | None
    until: datetime | None
