"""The values of this room: what a source becomes on its way to a searchable passage."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:  # a parser's process has no use for numpy, and starts sooner without
    import numpy as np
    from numpy.typing import NDArray

Kind: TypeAlias = Literal["product", "policy", "resolution", "faq"]
Audience: TypeAlias = Literal["public", "internal"]
Status: TypeAlias = Literal["draft", "approved"]
Role: TypeAlias = Literal["heading", "prose", "row", "field", "question", "reply"]
FieldValue: TypeAlias = str | int | float | bool | None
Vectors: TypeAlias = "NDArray[np.float32]"
"""Unit-length float32 rows, shape (n, dimension)."""

KINDS: tuple[Kind, ...] = ("product", "policy", "resolution", "faq")


@dataclass(frozen=True, slots=True)
class Block:
    """A run of an extract's text that belongs together, as character offsets `[start, end)`.

    Blocks are ordered, do not overlap, and `section` is the path of headings above them. A `heading`
    block is the heading itself. A `row` is one table row rendered with its headers; a `field` is one
    attribute of a product; `question` and `reply` are the two halves of a resolution or an FAQ.
    """

    role: Role
    start: int
    end: int
    section: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extract:
    """What a reader got from one source: clean text, its blocks, and the attributes it carried.

    `attributes` uses the names of `Document`'s fields (`title`, `valid_from`, `products`, ...), still as
    the plain values that the source held; `documents.compose` validates them.
    """

    text: str
    blocks: tuple[Block, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One source text of a shop, normalised and validated.

    Offsets of passages and citations refer to `text`. The validity interval is half open:
    `valid_from <= at < valid_to`; None leaves that side open. Empty `products`, `regions`, `tiers` or
    `channels` mean that the document is not limited to any. `supersedes` holds external ids.
    """

    external_id: str
    kind: Kind
    title: str
    text: str
    blocks: tuple[Block, ...]
    language: str
    audience: Audience = "public"
    status: Status = "approved"
    url: str | None = None
    products: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    supersedes: tuple[str, ...] = ()
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    metadata: Mapping[str, FieldValue] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """A digest of everything above: equal exactly when nothing changed."""
        parts = [repr(getattr(self, name)) for name in _PLAIN]
        parts += [repr(sorted(self.fields.items())), repr(sorted(self.metadata.items()))]
        return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


_PLAIN = tuple(name for name in Document.__slots__ if name not in ("fields", "metadata"))


@dataclass(frozen=True, slots=True)
class Passage:
    """A contiguous span of one Document: the only thing embedded for search.

    `text` is `document.text[start:end]`. `context` is the title and section path, put before the text
    when it is embedded or indexed so that a short span keeps its subject.
    """

    id: str
    external_id: str
    version: int
    ordinal: int
    role: Role
    text: str
    start: int
    end: int
    section: tuple[str, ...]
    context: str


def passage_id(workspace: str, external_id: str, version: int, ordinal: int) -> str:
    """A stable id of 32 hex digits; equal texts of different documents stay distinct."""
    key = "\x1f".join((workspace, external_id, str(version), str(ordinal)))
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
