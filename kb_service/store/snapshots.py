"""Documents as rows and as the JSON snapshot that an old version is kept as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.models import Block, Document, Passage

_LISTS = ("products", "regions", "tiers", "channels", "supersedes")
_PLAIN = ("external_id", "kind", "title", "text", "language", "audience", "status", "url")
_MAPS = ("fields", "metadata")


def document_row(document: Document) -> dict[str, Any]:
    """The columns of `documents` that come from the document itself."""
    row: dict[str, Any] = {name: getattr(document, name) for name in _PLAIN}
    row.update({name: list(getattr(document, name)) for name in _LISTS})
    row.update({name: dict(getattr(document, name)) for name in _MAPS})
    row["blocks"] = [[block.role, block.start, block.end, list(block.section)] for block in document.blocks]
    row["valid_from"] = document.valid_from
    row["valid_to"] = document.valid_to
    return row


def document_of(row: Any) -> Document:
    """The document of a row of `documents`, or of anything with the same attributes."""
    return Document(
        external_id=row.external_id,
        kind=row.kind,
        title=row.title,
        text=row.text,
        blocks=_blocks(row.blocks),
        language=row.language,
        audience=row.audience,
        status=row.status,
        url=row.url,
        products=tuple(row.products),
        regions=tuple(row.regions),
        tiers=tuple(row.tiers),
        channels=tuple(row.channels),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        supersedes=tuple(row.supersedes),
        fields=row.fields,
        metadata=row.metadata,
    )


def document_json(document: Document) -> dict[str, Any]:
    """The snapshot of an old version: the same columns, times as ISO 8601."""
    row = document_row(document)
    for name in ("valid_from", "valid_to"):
        row[name] = None if row[name] is None else row[name].isoformat()
    return row


def document_from_json(snapshot: dict[str, Any]) -> Document:
    plain: dict[str, Any] = {name: snapshot[name] for name in _PLAIN}
    plain.update({name: tuple(snapshot[name]) for name in _LISTS})
    plain.update({name: snapshot[name] for name in _MAPS})
    for name in ("valid_from", "valid_to"):
        plain[name] = None if snapshot[name] is None else datetime.fromisoformat(snapshot[name])
    return Document(blocks=_blocks(snapshot["blocks"]), **plain)


def _blocks(rows: Iterable[Sequence[Any]]) -> tuple[Block, ...]:
    return tuple(Block(role, start, end, tuple(section)) for role, start, end, section in rows)


def passage_row(workspace: str, passage: Passage) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "id": passage.id,
        "external_id": passage.external_id,
        "version": passage.version,
        "ordinal": passage.ordinal,
        "role": passage.role,
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "section": list(passage.section),
        "context": passage.context,
    }


def passage_of(row: Any) -> Passage:
    return Passage(
        id=row.id,
        external_id=row.external_id,
        version=row.version,
        ordinal=row.ordinal,
        role=row.role,
        text=row.text,
        start=row.start,
        end=row.end,
        section=tuple(row.section),
        context=row.context,
    )


def vector_bytes(vector: NDArray[Any], half: bool = False) -> bytes:
    """Little-endian float32, or float16 where `half`: half the room, enough for comparing messages."""
    return np.asarray(vector, dtype="<f2" if half else "<f4").tobytes()


def vector_of(data: bytes, half: bool = False) -> NDArray[np.float32]:
    """Float32 again; read-only, without a copy, when it was stored as float32."""
    if half:
        return np.frombuffer(data, dtype="<f2").astype(np.float32)
    return np.frombuffer(data, dtype="<f4")
