"""File to passages and vectors: what the shop knows, put, changed and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

import numpy as np

from ingest.documents import compose, from_text
from ingest.embedding import BatchingEmbedder
from ingest.errors import IngestError
from ingest.models import Document, Vectors
from ingest.pipeline import Prepared, embed, prepare
from ingest.sandbox import ParserPool
from kb_service.errors import Conflict, NotFound, PayloadTooLarge, ServiceError
from kb_service.file_ingest import FileIngest
from kb_service.models import (
    DocumentStatus,
    IngestReport,
    NewDocument,
    Outcome,
    Principal,
    Progress,
    Refused,
)
from kb_service.replicas.replicas import Replicas
from kb_service.search.source import SourceDocument
from kb_service.store import Done, Head, Page, Store, StoredDocument, Unit, Written

EMPTY: Mapping[str, str] = {}
NOTHING_KNOWN: Mapping[str, int | None] = {}
GROUP = 256
"""Documents per transaction: enough to encode in full batches, few enough to lose little to a crash."""


@dataclass(frozen=True, slots=True)
class _Writing:
    """One document on its way into a transaction, the file that it comes from, and what the store holds of it."""

    prepared: Prepared
    vectors: Vectors | None
    head: Head | None
    version: int
    source: str | None

    @property
    def changes(self) -> bool:
        return self.head is None or self.head.content_hash != self.prepared.document.content_hash

    @property
    def moved(self) -> bool:
        """Whether a file was renamed, or holds what was put by hand before: now it is the file's."""
        return self.head is not None and self.source is not None and self.head.source != self.source

    @property
    def outcome(self) -> DocumentStatus:
        name, passages = self.prepared.document.external_id, len(self.prepared.passages)
        if self.head is None:
            return DocumentStatus(name, "created", self.version, passages)
        if self.changes:
            return DocumentStatus(name, "updated", self.version, passages)
        return DocumentStatus(name, "unchanged", self.head.version, passages)


class Knowledge:
    """Documents in and out of one store; passages are embedded before the transaction that commits them."""

    def __init__(
        self, store: Store, embedder: BatchingEmbedder, parsers: ParserPool, replicas: Replicas | None
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._parsers = parsers
        self._replicas = replicas
        self._files = FileIngest(store, parsers, self.commit)

    # --- putting

    def put_many(self, caller: Principal, new: Sequence[NewDocument]) -> list[Outcome]:
        """Create or change documents in order, each all or nothing; searchable when this returns."""
        return self.put_checked(caller, [self._checked(item) for item in new])

    def upload(
        self,
        caller: Principal,
        name: str,
        data: bytes,
        attributes: Mapping[str, object],
        *,
        records: bool = False,
        templates: Mapping[str, str] = EMPTY,
    ) -> list[Outcome]:
        """Read a file in the parser's process and put what it holds.

        With `records` each row is a document, made by `templates` over its columns as in a collection.toml.
        """
        checked = self.read_file(name, data, attributes, records=records, templates=templates)
        return self.put_checked(caller, checked)

    def read_file(
        self,
        name: str,
        data: bytes,
        attributes: Mapping[str, object],
        *,
        records: bool = False,
        templates: Mapping[str, str] = EMPTY,
        timezone: tzinfo = UTC,
        most: int | None = None,
    ) -> list[Document | Refused]:
        """The documents that a file holds, and what of it cannot be one; nothing is stored. See `upload`.

        Raises what the parser raises of the file as a whole, PayloadTooLarge for more than `most` of them.
        """
        read = self._parsers.read(name, data, options={"records": True, **templates} if records else {})
        if most is not None and len(read.extracts) + len(read.problems) > most:
            raise PayloadTooLarge(
                "These files hold more than {most} documents, which is more than anybody looks through. "
                "Upload fewer, or load them with `kb ingest`.",
                most=most,
            )
        given = dict(attributes)
        single = len(read.extracts) == 1 and not records
        if not single:
            given.pop("external_id", None)
        checked: list[Document | Refused] = []
        for number, extract in enumerate(read.extracts, 1):
            defaults = {"kind": "policy", "external_id": name if single else f"{name}#{number}"}
            checked.append(self._composed(extract, {**defaults, **extract.attributes, **given}, timezone))
        checked += [Refused(None, problem.error) for problem in read.problems]
        return checked

    def read_rows(self, name: str, data: bytes) -> list[Mapping[str, str]]:
        """The rows of a table as they stand, each with its cells by column. Raises what the parser raises."""
        read = self._parsers.read(name, data, options={"records": True, "rows": True})
        return [row for extract in read.extracts if isinstance(row := extract.attributes["cells"], Mapping)]

    def put_checked(self, caller: Principal, checked: Sequence[Document | Refused]) -> list[Outcome]:
        """Commit in groups; where the store refuses one, its documents are told as refused and no others."""
        outcomes: list[Outcome] = []
        for group in _groups(checked):
            try:
                outcomes += self.commit(caller.workspace, group, actor=caller.key_id)
            except ServiceError as error:
                outcomes += [
                    Refused(item.external_id, error) if isinstance(item, Document) else item for item in group
                ]
        self._follow(caller.workspace)
        return outcomes

    def put_known(
        self, caller: Principal, documents: Sequence[Document], over: Mapping[str, int | None]
    ) -> tuple[list[Outcome], list[str]]:
        """`put_checked` of documents with distinct ids, each over the version that the caller knows, None for none.

        Gives the ids beside of those that somebody wrote or removed meanwhile: of these nothing is written.
        """
        outcomes: list[Outcome] = []
        overtaken: list[str] = []
        for group in _groups(documents):
            left = [item for item in group if isinstance(item, Document)]
            while left:
                with self._store.reading(caller.workspace) as unit:
                    heads = unit.documents.heads([item.external_id for item in left])
                ahead = [item.external_id for item in left if _overtaken(item, heads, over)]
                overtaken += ahead
                left = [item for item in left if item.external_id not in ahead]
                standing = {name: head.version for name, head in heads.items()}
                known = {item.external_id: standing.get(item.external_id) for item in left}
                try:
                    outcomes += self.commit(caller.workspace, left, actor=caller.key_id, over=known)
                except Conflict:
                    continue  # Somebody was faster between the look and the write: look again.
                except ServiceError as error:
                    outcomes += [Refused(item.external_id, error) for item in left]
                break
        self._follow(caller.workspace)
        return outcomes, overtaken

    def put_over(
        self,
        caller: Principal,
        document: Document | NewDocument,
        over: int | None,
        *,
        also: Callable[[Unit], None] | None = None,
    ) -> DocumentStatus:
        """Put a document over the version that the caller knows, None where they know of none.

        `also` is called in the transaction that writes it.
        Raises Conflict where another version stands when it is written, and what the document is refused for.
        """
        checked = self._checked(document) if isinstance(document, NewDocument) else document
        if isinstance(checked, Refused):
            raise checked.error
        (outcome,) = self.commit(
            caller.workspace,
            [checked],
            actor=caller.key_id,
            over={checked.external_id: over},
            finish=None if also is None else lambda unit, _: also(unit),
        )
        self._follow(caller.workspace)
        assert isinstance(outcome, DocumentStatus)
        return outcome

    def put_all_over(
        self,
        caller: Principal,
        documents: Mapping[str, tuple[Document, int]],
        finish: Callable[[Unit, Sequence[DocumentStatus]], None],
    ) -> None:
        """Put some documents, all or none, each over the version that the caller knows; `finish` is called with what
        became of them in the transaction. Raises Conflict where another version of one stands."""

        def done(unit: Unit, outcomes: Sequence[Outcome]) -> None:
            finish(unit, [item for item in outcomes if isinstance(item, DocumentStatus)])

        over = {name: version for name, (_, version) in documents.items()}
        written = [document for document, _ in documents.values()]
        self.commit(caller.workspace, written, actor=caller.key_id, over=over, finish=done)
        self._follow(caller.workspace)

    def sketched(self, workspace: str, new: NewDocument) -> SourceDocument:
        """A document as an index would hold it, with its passages and their vectors, of which nothing is stored.

        Raises what it would be refused for.
        """
        checked = self._checked(new)
        if isinstance(checked, Refused):
            raise checked.error
        prepared = prepare(checked, workspace=workspace, version=1)
        vectors = self._embedded([prepared])[prepared.document.external_id]
        embedded = np.ones(len(prepared.passages), dtype=np.bool_)
        return SourceDocument(prepared.document, 1, prepared.passages, vectors, embedded)

    def _checked(self, new: NewDocument) -> Document | Refused:
        try:
            return from_text({**new.attributes, "external_id": new.external_id}, read=self._read_body)
        except IngestError as error:
            return Refused(new.external_id, error)

    def _read_body(self, name: str, data: bytes) -> Any:
        return self._parsers.read(name, data)

    def _composed(
        self, extract: Any, attributes: Mapping[str, object], timezone: tzinfo
    ) -> Document | Refused:
        try:
            return compose(extract, attributes, timezone=timezone)
        except IngestError as error:
            return Refused(str(attributes.get("external_id", "")) or None, error)

    def commit(
        self,
        workspace: str,
        checked: Sequence[Document | Refused],
        *,
        actor: str,
        sources: Mapping[str, str] = EMPTY,
        finish: Callable[[Unit, Sequence[Outcome]], None] | None = None,
        over: Mapping[str, int | None] = NOTHING_KNOWN,
    ) -> list[Outcome]:
        """Write what was checked, in order, in as few transactions as its ids allow.

        `sources` names the file that a document comes from, by external id. `finish` is called with all outcomes
        inside the last transaction, so that what it writes stands or falls with the documents. `over` are the
        versions that documents are written over, None for none; raises Conflict where another one stands.
        """
        outcomes: list[Outcome] = []
        groups = list(_groups(checked)) or [[]]
        for group in groups:
            outcomes += self._write(
                workspace, group, outcomes, actor, sources, finish if group is groups[-1] else None, over
            )
        return outcomes

    def _write(
        self,
        workspace: str,
        group: Sequence[Document | Refused],
        earlier: Sequence[Outcome],
        actor: str,
        sources: Mapping[str, str],
        finish: Callable[[Unit, Sequence[Outcome]], None] | None,
        over: Mapping[str, int | None],
    ) -> list[Outcome]:
        """One transaction for documents of distinct ids, embedded before it begins."""
        documents = [item for item in group if isinstance(item, Document)]
        ids = [item.external_id for item in documents]
        with self._store.reading(workspace) as unit:
            versions, heads = unit.documents.next_versions(ids), unit.documents.heads(ids)
        prepared = {
            item.external_id: prepare(item, workspace=workspace, version=versions[item.external_id])
            for item in documents
        }
        vectors = self._embedded([item for item in prepared.values() if _is_new(item, heads)])
        with self._store.writing(workspace) as unit:
            versions, heads = unit.documents.next_versions(ids), unit.documents.heads(ids)
            for name in over.keys() & set(ids):
                check_over(heads.get(name), over[name])
            outcomes: list[Outcome] = []
            changed: list[_Writing] = []
            for item in group:
                if isinstance(item, Document):
                    name = item.external_id
                    writing = _Writing(
                        prepared[name], vectors.get(name), heads.get(name), versions[name], sources.get(name)
                    )
                    outcomes.append(writing.outcome)
                    if writing.changes:
                        changed.append(writing)
                    elif writing.moved:
                        unit.documents.assign(name, sources[name])
                else:
                    outcomes.append(item)
            self._put(unit, changed, actor=actor)
            if finish is not None:
                finish(unit, [*earlier, *outcomes])
        return outcomes

    def _embedded(self, fresh: Sequence[Prepared]) -> dict[str, Vectors]:
        """The vectors of each document's passages, by external id, encoded together."""
        vectors = embed([passage for item in fresh for passage in item.passages], self._embedder)
        found: dict[str, Vectors] = {}
        start = 0
        for item in fresh:
            found[item.document.external_id] = vectors[start : start + len(item.passages)]
            start += len(item.passages)
        return found

    def _put(self, unit: Unit, changed: Sequence[_Writing], *, actor: str) -> None:
        """Write what is new or says something else than before, and note it in the audit."""
        written = [self._written(item, unit.workspace) for item in changed]
        unit.documents.put_many(written, self._embedder.model_id)
        done = [
            Done(f"document.{item.outcome.status}", item.outcome.external_id, {"version": item.version})
            for item in changed
        ]
        unit.audit.append_many(actor, done)

    def _written(self, item: _Writing, workspace: str) -> Written:
        document, passages, vectors = item.prepared.document, item.prepared.passages, item.vectors
        if vectors is None or any(passage.version != item.version for passage in passages):
            # Another writer was faster: the ids change with the version, the texts and vectors do not.
            passages = prepare(document, workspace=workspace, version=item.version).passages
            vectors = embed(passages, self._embedder) if vectors is None else vectors
        return Written(document, passages, vectors, item.source)

    def ingest(
        self, workspace: str, paths: Sequence[Path], *, progress: Progress | None = None
    ) -> IngestReport:
        """Bring the workspace in line with files and folders; see `file_ingest.FileIngest`."""
        report = self._files.ingest(workspace, paths, progress=progress)
        self._follow(workspace)
        return report

    # --- reading and removing

    def page(self, workspace: str, cursor: str | None, limit: int, **filters: Any) -> Page[DocumentRecord]:
        with self._store.reading(workspace) as unit:
            page = unit.documents.page(cursor, limit, **filters)
        return Page(tuple(DocumentRecord.of(item) for item in page.items), page.next_cursor)

    def get(self, workspace: str, external_id: str) -> DocumentRecord:
        with self._store.reading(workspace) as unit:
            stored = unit.documents.get(external_id)
            withheld = unit.reviews.withheld() if stored is not None else {}
        if stored is None:
            raise _no_document(external_id)
        return DocumentRecord.of(stored, withheld.get(external_id))

    def version(self, workspace: str, external_id: str, number: int) -> DocumentRecord:
        """A document as it was in one of its versions. Raises NotFound for one that there is not."""
        with self._store.reading(workspace) as unit:
            stored = unit.documents.version(external_id, number)
        if stored is None:
            raise _no_document(external_id)
        return DocumentRecord.of(stored)

    def versions(self, workspace: str, external_id: str) -> list[DocumentRecord]:
        with self._store.reading(workspace) as unit:
            versions = unit.documents.versions(external_id)
        if not versions:
            raise _no_document(external_id)
        return [DocumentRecord.of(replace(item, created_at=item.updated_at)) for item in versions]

    def remove(
        self,
        caller: Principal,
        external_id: str,
        *,
        over: int | None = None,
        keep: Callable[[Unit, StoredDocument], None] | None = None,
    ) -> None:
        """Remove a document from store, indexes and graph; it is in no answer once this returns.

        With `over` only while that version stands. `keep` is called with the document in the transaction that
        removes it. Raises NotFound, Conflict.
        """
        with self._store.writing(caller.workspace) as unit:
            stored = unit.documents.get(external_id)
            if stored is None:
                raise _no_document(external_id)
            if over is not None:
                check_over(unit.documents.head(external_id), over)
            if keep is not None:
                keep(unit, stored)
            unit.documents.remove(external_id)
            unit.audit.append(caller.key_id, "document.removed", external_id, {})
        self._follow(caller.workspace)

    def audit(self, workspace: str, cursor: str | None, limit: int) -> Page[Any]:
        with self._store.reading(workspace) as unit:
            return unit.audit.page(cursor, limit)

    def _follow(self, workspace: str) -> None:
        if self._replicas is not None:
            self._replicas.follow(workspace)


class DocumentRecord:
    """A stored document, its attributes and its versions' data under one roof, for reading."""

    def __init__(self, document: Document, stored: StoredDocument, withheld_by: str | None) -> None:
        self._document = document
        self.withheld_by = withheld_by
        """The review that keeps it out of automatic answers."""
        self.version = stored.version
        self.created_at = stored.created_at
        self.updated_at = stored.updated_at

    @classmethod
    def of(cls, stored: StoredDocument, withheld_by: str | None = None) -> DocumentRecord:
        return cls(stored.document, stored, withheld_by)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._document, name)


def _overtaken(document: Document, heads: Mapping[str, Head], over: Mapping[str, int | None]) -> bool:
    """Whether another version stands than the one that is known, unless it says the very same."""
    head = heads.get(document.external_id)
    if head is not None and head.content_hash == document.content_hash:
        return False
    return (head.version if head is not None else None) != over.get(document.external_id)


def check_over(head: Head | None, over: int | None) -> None:
    """Raises Conflict where another version stands than the one that somebody knows, None for none."""
    if (head.version if head is not None else None) != over:
        raise Conflict("Somebody changed this document meanwhile; look at it before you change it.")


def _groups(items: Sequence[Document | Refused]) -> Iterator[list[Document | Refused]]:
    """Runs of at most GROUP items in which no external id occurs twice, so that order is kept."""
    group: list[Document | Refused] = []
    ids: set[str] = set()
    for item in items:
        name = item.external_id if isinstance(item, Document) else None
        if len(group) == GROUP or (name is not None and name in ids):
            yield group
            group, ids = [], set()
        group.append(item)
        if name is not None:
            ids.add(name)
    if group:
        yield group


def _is_new(item: Prepared, heads: Mapping[str, Head]) -> bool:
    head = heads.get(item.document.external_id)
    return head is None or head.content_hash != item.document.content_hash


def _no_document(external_id: str) -> NotFound:
    return NotFound("There is no document {external_id} in this workspace.", external_id=external_id)
