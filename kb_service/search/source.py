"""Where an index gets its passages: the one seam between search and the store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ingest.models import Document, Passage, Vectors
from kb_service.search.models import Mask

if TYPE_CHECKING:
    from kb_service.store import Unit

_DOCUMENTS_A_READ = 500


class Change(Protocol):
    """One entry of a change log. Only the kinds `document` and `document_removed` concern an index."""

    @property
    def position(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One document as it is now, with its passages in order.

    `vectors` has one unit-length row a passage, shape (n, dimension), of the index's model; `embedded` tells
    which rows the model has embedded already (the others hold zeros and are found by words alone).
    """

    document: Document
    version: int
    passages: tuple[Passage, ...]
    vectors: Vectors
    embedded: Mask


class PassageSource(Protocol):
    """A consistent view of one workspace: all three answer from the same state."""

    def position(self) -> int:
        """The position in the change log that this view reflects."""
        ...

    def changes(self, after: int, limit: int) -> Sequence[Change]:
        """The entries behind position `after`, oldest first, at most `limit`."""
        ...

    def documents(self, external_ids: Collection[str] | None) -> Iterator[SourceDocument]:
        """The documents that exist among `external_ids`, or all; each once, in any order."""
        ...


class UnitSource:
    """A unit of the store as a `PassageSource`, with the vectors of one model."""

    def __init__(self, unit: Unit, *, model_id: str, dimension: int) -> None:
        self._unit = unit
        self._model_id = model_id
        self._dimension = dimension

    def position(self) -> int:
        return self._unit.changes.position()

    def changes(self, after: int, limit: int) -> Sequence[Change]:
        return self._unit.changes.since(after, limit)

    def documents(self, external_ids: Collection[str] | None) -> Iterator[SourceDocument]:
        wanted = list(external_ids) if external_ids is not None else list(self._unit.documents.heads())
        for begin in range(0, len(wanted), _DOCUMENTS_A_READ):
            yield from self._read(wanted[begin : begin + _DOCUMENTS_A_READ])

    def _read(self, external_ids: Collection[str]) -> Iterator[SourceDocument]:
        documents = self._unit.documents
        passages: dict[str, list[Passage]] = {}
        vectors: dict[str, list[Vectors | None]] = {}
        for stored in documents.passages(external_ids, self._model_id):
            passages.setdefault(stored.passage.external_id, []).append(stored.passage)
            vectors.setdefault(stored.passage.external_id, []).append(stored.vector)
        for held in documents.all(external_ids):
            key = held.document.external_id
            matrix, embedded = stack(vectors.get(key, []), self._dimension)
            yield SourceDocument(held.document, held.version, tuple(passages.get(key, ())), matrix, embedded)


def stack(vectors: Sequence[Vectors | None], dimension: int) -> tuple[Vectors, Mask]:
    """Rows of shape (n, dimension), zeros where a vector is None, and which of them are not."""
    matrix = np.zeros((len(vectors), dimension), dtype=np.float32)
    embedded = np.array([vector is not None for vector in vectors], dtype=np.bool_)
    for row, vector in enumerate(vectors):
        if vector is not None:
            matrix[row] = vector
    return matrix, embedded
