"""Documents with their versions, passages and vectors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, delete, func, insert, select, update

from ingest.bilingual import shared_space
from ingest.models import Document, Passage
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.snapshots import (
    document_from_json,
    document_json,
    document_of,
    document_row,
    passage_of,
    passage_row,
    vector_bytes,
    vector_of,
)
from kb_service.store.values import Head, Page, StoredDocument, StoredPassage, Written

_documents = tables.documents
_versions = tables.document_versions
_passages = tables.passages
_vectors = tables.passage_vectors
_STREAM = 2000


class Documents(Repository):
    """What the shop has written. One row per document, the versions before it as snapshots."""

    table = _documents

    def head(self, external_id: str) -> Head | None:
        """What is known of the current version without reading its text."""
        return next(iter(self._heads([external_id])), None)

    def heads(self, external_ids: Collection[str] | None = None) -> dict[str, Head]:
        """The heads of all documents, or of those named, by external id."""
        return {head.external_id: head for head in self._heads(external_ids)}

    def _heads(self, external_ids: Collection[str] | None) -> Iterator[Head]:
        columns = _documents.c
        statement = select(
            columns.external_id, columns.version, columns.content_hash, columns.updated_at, columns.source
        )
        for row in self._among(statement, external_ids):
            yield Head(row.external_id, row.version, row.content_hash, row.updated_at, row.source)

    def next_version(self, external_id: str) -> int:
        """The number that the next `put` gives: one more than the latest, also when that was removed.

        Passage ids come from it, so a document that comes back must not repeat the ids of its past.
        """
        return self.next_versions([external_id])[external_id]

    def next_versions(self, external_ids: Collection[str]) -> dict[str, int]:
        """`next_version` of many at once."""
        found = {head.external_id: head.version + 1 for head in self._heads(external_ids)}
        return found | self._first_versions([name for name in external_ids if name not in found])

    def _first_versions(self, absent: Sequence[str]) -> dict[str, int]:
        """The numbers of the first versions of documents that are not there, but may have been."""
        removed = tables.changes
        past: dict[str, int] = {}
        for some in chunks(absent):
            statement = select(removed.c.id, func.max(removed.c.version).label("latest")).where(
                self._mine(removed), removed.c.kind == "document_removed", removed.c.id.in_(some)
            )
            past |= {row.id: int(row.latest or 0) for row in self._read(statement.group_by(removed.c.id))}
        if self._scope.writable:
            noted = {name: self._scope.ledger.noted("document_removed", name) or 0 for name in absent}
            past = {name: max(past.get(name, 0), noted[name]) for name in absent}
        return {name: past.get(name, 0) + 1 for name in absent}

    def get(self, external_id: str) -> StoredDocument | None:
        return next(self.all([external_id]), None)

    def all(self, external_ids: Collection[str] | None = None) -> Iterator[StoredDocument]:
        """Every current document, or those named, in the order of external ids."""
        for row in self._among(select(_documents), external_ids):
            yield _stored(row)

    def of_kind(self, kind: str) -> Iterator[StoredDocument]:
        """Every current document of one kind, in the order of external ids."""
        for row in self._among(select(_documents).where(_documents.c.kind == kind), None):
            yield _stored(row)

    def _among(self, statement: Select[Any], external_ids: Collection[str] | None) -> Iterator[Any]:
        statement = statement.where(self._mine()).order_by(_documents.c.external_id)
        if external_ids is None:
            yield from self._read(statement.execution_options(yield_per=_STREAM))
            return
        for some in chunks(sorted(set(external_ids))):
            yield from self._read(statement.where(_documents.c.external_id.in_(some)))

    def put(
        self,
        document: Document,
        passages: Sequence[Passage],
        vectors: NDArray[Any] | None = None,
        model_id: str | None = None,
        source: str | None = None,
    ) -> int:
        """Stores one new or changed document; its version. See `put_many`."""
        return self.put_many([Written(document, passages, vectors, source)], model_id)[0]

    def put_many(self, written: Sequence[Written], model_id: str | None = None) -> list[int]:
        """Stores new or changed documents of distinct ids with their passages and, where given, their vectors, which
        come from `model_id`; their versions.

        Every passage carries its document's external id and `next_version`, and there are as many vectors as passages
        (ValueError otherwise): ids of passages were made from both. The version before is kept as a snapshot, its
        passages and vectors go.
        """
        current = {
            stored.document.external_id: stored
            for stored in self.all([item.document.external_id for item in written])
        }
        versions = self._first_versions(
            [id for item in written if (id := item.document.external_id) not in current]
        )
        versions |= {external_id: stored.version + 1 for external_id, stored in current.items()}
        fresh: list[dict[str, Any]] = []
        for item in written:
            external_id = item.document.external_id
            _check_passages(item.document, item.passages, versions[external_id])
            if item.vectors is not None and len(item.vectors) != len(item.passages):
                raise ValueError(
                    f"{len(item.passages)} passages of {external_id!r} need as many vectors, not {len(item.vectors)}"
                )
            row = document_row(item.document) | {
                "version": versions[external_id],
                "content_hash": item.document.content_hash,
                "source": item.source,
                "updated_at": self._scope.now,
            }
            if external_id in current:
                self._supersede(current[external_id], row)
            else:
                fresh.append(row | {"workspace": self.workspace, "created_at": self._scope.now})
        if fresh:
            self._write(insert(_documents), fresh)
        if passages := [
            passage_row(self.workspace, passage) for item in written for passage in item.passages
        ]:
            self._write(insert(_passages), passages)
        if embedded := [item for item in written if item.vectors is not None]:
            ids = [passage.id for item in embedded for passage in item.passages]
            self.put_vectors(ids, np.concatenate([item.vectors for item in embedded]), model_id)
        for item in written:
            self._log("document", item.document.external_id, versions[item.document.external_id])
        return [versions[item.document.external_id] for item in written]

    def _supersede(self, current: StoredDocument, row: dict[str, Any]) -> None:
        """Keeps the current version as a snapshot, puts `row` in its place and takes its passages away."""
        external_id = current.document.external_id
        snapshot = {
            "workspace": self.workspace,
            "external_id": external_id,
            "version": current.version,
            "snapshot": document_json(current.document),
            "source": current.source,
            "created_at": current.created_at,
            "updated_at": current.updated_at,
        }
        self._write(insert(_versions), [snapshot])
        self._write(
            update(_documents).where(self._mine(), _documents.c.external_id == external_id).values(row)
        )
        self._write(delete(_passages).where(self._mine(_passages), _passages.c.external_id == external_id))

    def assign(self, external_id: str, source: str) -> None:
        """Notes that a document now comes from `source`; no new version, since what it says is the same."""
        mine = (self._mine(), _documents.c.external_id == external_id)
        self._write(update(_documents).where(*mine).values(source=source))

    def remove(self, external_id: str) -> bool:
        """Removes a document with its versions, passages and vectors; False when there was none."""
        head = self.head(external_id)
        if head is None:
            return False
        self._write(delete(_documents).where(self._mine(), _documents.c.external_id == external_id))
        self._log("document_removed", external_id, head.version)
        return True

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        kind: str | None = None,
        language: str | None = None,
        audience: str | None = None,
        status: str | None = None,
    ) -> Page[StoredDocument]:
        """Current documents by external id, as far as they meet the conditions given."""
        statement = select(_documents).where(self._mine())
        wanted = {"kind": kind, "language": language, "audience": audience, "status": status}
        for name, value in wanted.items():
            if value is not None:
                statement = statement.where(_documents.c[name] == value)
        rows, next_cursor = self._page(statement, [_documents.c.external_id], cursor, limit)
        return page_of(map(_stored, rows), next_cursor)

    def versions(self, external_id: str) -> tuple[StoredDocument, ...]:
        """All versions, the current one first; empty when there is no such document."""
        current = self.get(external_id)
        if current is None:
            return ()
        rows = self._read(
            select(_versions)
            .where(self._mine(_versions), _versions.c.external_id == external_id)
            .order_by(_versions.c.version.desc())
        )
        return (current, *map(_snapshot, rows))

    def version(self, external_id: str, version: int) -> StoredDocument | None:
        current = self.get(external_id)
        if current is None or current.version == version:
            return current
        row = self._read(
            select(_versions).where(
                self._mine(_versions),
                _versions.c.external_id == external_id,
                _versions.c.version == version,
            )
        ).first()
        return None if row is None else _snapshot(row)

    def count(self, kind: str | None = None) -> int:
        statement = select(func.count()).select_from(_documents).where(self._mine())
        if kind is not None:
            statement = statement.where(_documents.c.kind == kind)
        return int(self._read(statement).scalar_one())

    def passage_count(self) -> int:
        statement = select(func.count()).select_from(_passages).where(self._mine(_passages))
        return int(self._read(statement).scalar_one())

    def passages(
        self, external_ids: Collection[str] | None = None, model_id: str | None = None
    ) -> Iterator[StoredPassage]:
        """Passages of all documents or of those named, by document and ordinal.

        With `model_id` each comes with that model's vector, where it has one, else with that of another model of
        the same space, so that search by meaning goes on while a change of lexicon is being embedded.
        """
        statement = select(_passages).where(self._mine(_passages))
        statement = statement.order_by(_passages.c.external_id, _passages.c.ordinal)
        if external_ids is None:
            yield from self._joined(self._read(statement.execution_options(yield_per=_STREAM)), model_id)
            return
        for some in chunks(sorted(set(external_ids))):
            yield from self._joined(self._read(statement.where(_passages.c.external_id.in_(some))), model_id)

    def passages_by_id(
        self, passage_ids: Collection[str], model_id: str | None = None
    ) -> dict[str, StoredPassage]:
        statement = select(_passages).where(self._mine(_passages))
        found: dict[str, StoredPassage] = {}
        for some in chunks(sorted(set(passage_ids))):
            for stored in self._joined(self._read(statement.where(_passages.c.id.in_(some))), model_id):
                found[stored.passage.id] = stored
        return found

    def _joined(self, rows: Iterable[Any], model_id: str | None) -> Iterator[StoredPassage]:
        """Passages with their vectors, looked up by key in pieces.

        A join leaves the way to the planner, and PostgreSQL, before it has statistics of what was just
        ingested, compares every passage with every vector.
        """
        for some in chunks(rows):
            vectors = {} if model_id is None else self._vectors([row.id for row in some], model_id)
            for row in some:
                yield StoredPassage(passage_of(row), vectors.get(row.id))

    def _vectors(self, passage_ids: Sequence[str], model_id: str) -> dict[str, NDArray[np.float32]]:
        """The model's vectors; of what it has still to embed, those of another model in its space, if any."""
        found = self._vectors_where(passage_ids, _vectors.c.model_id == model_id)
        missing = [passage_id for passage_id in passage_ids if passage_id not in found]
        space = shared_space(model_id)
        if missing and space is not None:
            found |= self._vectors_where(missing, _vectors.c.model_id.startswith(space, autoescape=True))
        return found

    def _vectors_where(
        self, passage_ids: Sequence[str], of_model: ColumnElement[bool]
    ) -> dict[str, NDArray[np.float32]]:
        statement = select(_vectors.c.passage_id, _vectors.c.vector).order_by(_vectors.c.model_id)
        statement = statement.where(self._mine(_vectors), of_model, _vectors.c.passage_id.in_(passage_ids))
        return {row.passage_id: vector_of(row.vector) for row in self._read(statement)}

    def put_vectors(self, passage_ids: Sequence[str], vectors: NDArray[Any], model_id: str | None) -> None:
        """Stores one vector per passage; a second model's stand beside the first's."""
        if model_id is None:
            raise ValueError("vectors need the id of the model they came from")
        if vectors.ndim != 2 or len(vectors) != len(passage_ids):
            raise ValueError(f"{len(passage_ids)} passages need as many vectors, not shape {vectors.shape}")
        self._upsert_many(
            [
                {
                    "workspace": self.workspace,
                    "passage_id": passage_id,
                    "model_id": model_id,
                    "dimension": vectors.shape[1],
                    "vector": vector_bytes(vector),
                }
                for passage_id, vector in zip(passage_ids, vectors, strict=True)
            ],
            _vectors,
        )

    def drop_vectors(self, model_id: str) -> int:
        """Removes every vector of a model that is no longer used; how many there were."""
        statement = delete(_vectors).where(self._mine(_vectors), _vectors.c.model_id == model_id)
        return self._write(statement).rowcount

    def count_without_vectors(self, model_id: str) -> int:
        """How many passages `model_id` has still to embed."""
        embedded = select(func.count()).select_from(_vectors)
        done = self._read(embedded.where(self._mine(_vectors), _vectors.c.model_id == model_id)).scalar_one()
        return max(0, self.passage_count() - int(done))

    def without_vectors(self, model_id: str, limit: int) -> tuple[Passage, ...]:
        """Up to `limit` passages that `model_id` has still to embed."""
        ids = select(_passages.c.id).where(self._mine(_passages))
        ids = ids.order_by(_passages.c.external_id, _passages.c.ordinal)
        done = select(_vectors.c.passage_id).where(self._mine(_vectors), _vectors.c.model_id == model_id)
        embedded = set(self._read(done).scalars())
        waiting = list(islice((id for id in self._read(ids).scalars() if id not in embedded), limit))
        found = self.passages_by_id(waiting)
        return tuple(found[id].passage for id in waiting)


def _check_passages(document: Document, passages: Sequence[Passage], version: int) -> None:
    for passage in passages:
        if (passage.external_id, passage.version) != (document.external_id, version):
            raise ValueError(
                f"passage {passage.id} is of {passage.external_id!r} version {passage.version}, "
                f"not of {document.external_id!r} version {version}: split with next_version()"
            )


def _stored(row: Any) -> StoredDocument:
    return StoredDocument(document_of(row), row.version, row.created_at, row.updated_at, row.source)


def _snapshot(row: Any) -> StoredDocument:
    document = document_from_json(row.snapshot)
    return StoredDocument(document, row.version, row.created_at, row.updated_at, row.source)
