"""File to passages and vectors: what the shop knows, put, changed and removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from graph.errors import GraphError
from ingest.collections import SourceFile, Walk, walk
from ingest.documents import compose, from_text
from ingest.embedding import BatchingEmbedder
from ingest.errors import IngestError
from ingest.models import Document, Vectors
from ingest.pipeline import Prepared, embed, prepare
from ingest.sandbox import ParserPool
from kb_service.errors import InvalidRequest, NotFound, ServiceError
from kb_service.models import Principal, Progress
from kb_service.replicas import Replicas
from kb_service.store import Page, Store, StoredDocument, Unit

EMPTY: Mapping[str, str] = {}
GROUP = 64
"""Documents per transaction: enough to encode in full batches, few enough to lose little to a crash."""


PASSAGES = 256
"""Passages per transaction where documents stay as they are."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document as a request or a file describes it, not yet checked."""

    external_id: str
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DocumentStatus:
    """What became of one document that was put."""

    external_id: str
    status: Literal["created", "updated", "unchanged"]
    version: int
    passages: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that was not taken, and why; nothing of it was stored."""

    external_id: str | None
    error: ServiceError | IngestError | GraphError


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file, or one record of it, that could not be read; the others were."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one `kb ingest` did: documents by outcome, files skipped as unchanged, and what failed."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    files: int = 0
    files_unchanged: int = 0
    passages: int = 0
    problems: tuple[FileProblem, ...] = ()


Outcome = DocumentStatus | Refused


class Knowledge:
    """Documents in and out of one store; passages are embedded before the transaction that commits them."""

    def __init__(
        self, store: Store, embedder: BatchingEmbedder, parsers: ParserPool, replicas: Replicas | None
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._parsers = parsers
        self._replicas = replicas

    # --- putting

    def put_many(self, caller: Principal, new: Sequence[NewDocument]) -> list[Outcome]:
        """Create or change documents in order, each all or nothing; searchable when this returns."""
        checked = [self._checked(item) for item in new]
        outcomes = self._commit(caller.workspace, checked, actor=caller.key_id)
        self._follow(caller.workspace)
        return outcomes

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
        read = self._parsers.read(name, data, options={"records": True, **templates} if records else {})
        given = dict(attributes)
        single = len(read.extracts) == 1 and not records
        if not single:
            given.pop("external_id", None)
        checked: list[Document | Refused] = []
        for number, extract in enumerate(read.extracts, 1):
            defaults = {"kind": "policy", "external_id": name if single else f"{name}#{number}"}
            checked.append(self._composed(extract, {**defaults, **extract.attributes, **given}))
        checked += [Refused(None, problem.error) for problem in read.problems]
        outcomes = self._commit(caller.workspace, checked, actor=caller.key_id)
        self._follow(caller.workspace)
        return outcomes

    def _checked(self, new: NewDocument) -> Document | Refused:
        try:
            return from_text({**new.attributes, "external_id": new.external_id}, read=self._read_body)
        except IngestError as error:
            return Refused(new.external_id, error)

    def _read_body(self, name: str, data: bytes) -> Any:
        return self._parsers.read(name, data)

    def _composed(self, extract: Any, attributes: Mapping[str, object], **named: Any) -> Document | Refused:
        try:
            return compose(extract, attributes, **named)
        except IngestError as error:
            return Refused(str(attributes.get("external_id", "")) or None, error)

    def _commit(
        self, workspace: str, checked: Sequence[Document | Refused], *, actor: str, source: str | None = None
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for group in _groups(checked):
            documents = [item for item in group if isinstance(item, Document)]
            written = iter(self._write(workspace, documents, actor=actor, source=source))
            outcomes += [next(written) if isinstance(item, Document) else item for item in group]
        return outcomes

    def _write(
        self, workspace: str, documents: Sequence[Document], *, actor: str, source: str | None
    ) -> list[DocumentStatus]:
        """One transaction for documents of distinct ids, embedded before it begins."""
        with self._store.reading(workspace) as unit:
            versions = {item.external_id: unit.documents.next_version(item.external_id) for item in documents}
            known = {item.external_id: unit.documents.head(item.external_id) for item in documents}
        prepared = [
            prepare(item, workspace=workspace, version=versions[item.external_id]) for item in documents
        ]
        fresh = [
            item
            for item in prepared
            if (head := known[item.document.external_id]) is None
            or head.content_hash != item.document.content_hash
        ]
        passages = [passage for item in fresh for passage in item.passages]
        vectors = embed(passages, self._embedder)
        offsets: dict[str, Vectors] = {}
        start = 0
        for item in fresh:
            offsets[item.document.external_id] = vectors[start : start + len(item.passages)]
            start += len(item.passages)
        with self._store.writing(workspace) as unit:
            return [
                self._put(unit, item, offsets.get(item.document.external_id), actor=actor, source=source)
                for item in prepared
            ]

    def _put(
        self, unit: Unit, item: Prepared, vectors: Vectors | None, *, actor: str, source: str | None
    ) -> DocumentStatus:
        document = item.document
        head = unit.documents.head(document.external_id)
        if head is not None and head.content_hash == document.content_hash:
            if source is not None and head.source != source:
                # A file was renamed, or holds what was put by hand before: now it is the file's.
                unit.documents.assign(document.external_id, source)
            return DocumentStatus(document.external_id, "unchanged", head.version, len(item.passages))
        version = unit.documents.next_version(document.external_id)
        passages = item.passages
        if vectors is None or any(passage.version != version for passage in passages):
            # Another writer was faster: the ids change with the version, the texts and vectors do not.
            passages = prepare(document, workspace=unit.workspace, version=version).passages
            vectors = embed(passages, self._embedder) if vectors is None else vectors
        unit.documents.put(document, passages, vectors, self._embedder.model_id, source)
        action = "document.created" if head is None else "document.updated"
        unit.audit.append(actor, action, document.external_id, {"version": version})
        status: Literal["created", "updated"] = "created" if head is None else "updated"
        return DocumentStatus(document.external_id, status, version, len(passages))

    # --- files

    def ingest(
        self, workspace: str, paths: Sequence[Path], *, progress: Progress | None = None
    ) -> IngestReport:
        """Bring the workspace in line with these files and folders.

        Unchanged files are not read again; documents of files that are gone are removed; what cannot be
        read is reported and stops nothing.
        """
        found = walk(paths)
        problems = [FileProblem(str(item.path), item.error.code, str(item.error)) for item in found.problems]
        counts = {"created": 0, "updated": 0, "unchanged": 0, "passages": 0}
        skipped = removed = 0
        known = self._known(workspace, found.files)
        # Before anything is read: a new file must not take over the ids of an unchanged one.
        seen = {external_id: file.name for file in found.files for external_id in known.get(file.path, ())}
        for number, file in enumerate(found.files):
            if progress is not None:
                progress(number, len(found.files), file.name)
            if file.path in known:
                skipped += 1
                counts["unchanged"] += len(known[file.path])
                continue
            outcomes, dropped = self._ingest_file(workspace, file, seen)
            removed += dropped
            for outcome in outcomes:
                if isinstance(outcome, Refused):
                    problems.append(_problem(file, outcome))
                else:
                    counts[outcome.status] += 1
                    counts["passages"] += outcome.passages if outcome.status != "unchanged" else 0
        removed += self._remove_gone(workspace, found)
        if progress is not None:
            progress(len(found.files), len(found.files), "")
        self._follow(workspace)
        return IngestReport(
            **counts,
            removed=removed,
            files=len(found.files),
            files_unchanged=skipped,
            problems=tuple(problems),
        )

    def _known(self, workspace: str, files: Sequence[SourceFile]) -> dict[Path, tuple[str, ...]]:
        """The documents of the files whose content and options have not changed since they were read."""
        with self._store.reading(workspace) as unit:
            sources = {file.path: unit.sources.get(str(file.path)) for file in files}
        return {
            file.path: source.external_ids
            for file in files
            if (source := sources[file.path]) is not None and source.digest == file.digest
        }

    def _ingest_file(
        self, workspace: str, file: SourceFile, seen: dict[str, str]
    ) -> tuple[list[Outcome], int]:
        """What became of the file's documents, and how many it no longer holds and were removed."""
        try:
            read = self._parsers.read(file.name, file.path.read_bytes(), options=file.options)
        except IngestError as error:
            return [Refused(None, error)], 0
        except OSError as error:
            fault = InvalidRequest.of(file.name, "cannot be read: {reason}", reason=error.strerror)
            return [Refused(None, fault)], 0
        checked: list[Document | Refused] = [Refused(None, problem.error) for problem in read.problems]
        for extract in read.extracts:
            document = self._composed(extract, file.combine(extract), timezone=file.timezone)
            checked.append(_unless_seen(document, seen, file.name))
        outcomes = self._commit(workspace, checked, actor="ingest", source=str(file.path))
        return outcomes, self._remember(workspace, file, outcomes)

    def _remember(self, workspace: str, file: SourceFile, outcomes: Sequence[Outcome]) -> int:
        """Record the file as read, and remove documents that it held before and holds no more."""
        held = tuple(item.external_id for item in outcomes if isinstance(item, DocumentStatus))
        failed = any(isinstance(item, Refused) for item in outcomes)
        with self._store.writing(workspace) as unit:
            before = unit.sources.get(str(file.path))
            gone = [name for name in (before.external_ids if before else ()) if name not in held]
            removed = 0 if failed else _remove_of(unit, str(file.path), gone)
            # A file with problems is read again next time, so that they are reported until they are mended;
            # what it held before stays its own until then.
            kept = (*held, *gone) if failed else held
            unit.sources.put(str(file.path), "" if failed else file.digest, kept)
        return removed

    def _remove_gone(self, workspace: str, found: Walk) -> int:
        """Remove the documents of files that are gone; a file that cannot be read now is not gone."""
        removed = 0
        with self._store.writing(workspace) as unit:
            gone = [
                source
                for root in found.roots
                for source in unit.sources.under(str(root))
                if not found.holds(Path(source.path))
            ]
            for source in gone:
                removed += _remove_of(unit, source.path, source.external_ids)
                unit.sources.remove(source.path)
        return removed

    # --- reading and removing

    def page(self, workspace: str, cursor: str | None, limit: int, **filters: Any) -> Page[DocumentRecord]:
        with self._store.reading(workspace) as unit:
            page = unit.documents.page(cursor, limit, **filters)
        return Page(tuple(DocumentRecord.of(item) for item in page.items), page.next_cursor)

    def get(self, workspace: str, external_id: str) -> DocumentRecord:
        with self._store.reading(workspace) as unit:
            stored = unit.documents.get(external_id)
        if stored is None:
            raise _no_document(external_id)
        return DocumentRecord.of(stored)

    def versions(self, workspace: str, external_id: str) -> list[DocumentRecord]:
        with self._store.reading(workspace) as unit:
            versions = unit.documents.versions(external_id)
        if not versions:
            raise _no_document(external_id)
        return [DocumentRecord.of(item) for item in versions]

    def remove(self, caller: Principal, external_id: str) -> None:
        """Remove a document from store, indexes and graph; it is in no answer once this returns."""
        with self._store.writing(caller.workspace) as unit:
            if not unit.documents.remove(external_id):
                raise _no_document(external_id)
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

    def __init__(self, document: Document, stored: StoredDocument) -> None:
        self._document = document
        self.version = stored.version
        self.created_at = stored.created_at
        self.updated_at = stored.updated_at

    @classmethod
    def of(cls, stored: StoredDocument) -> DocumentRecord:
        return cls(stored.document, stored)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._document, name)


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


def _unless_seen(item: Document | Refused, seen: dict[str, str], name: str) -> Document | Refused:
    if isinstance(item, Refused):
        return item
    if item.external_id in seen:
        return Refused(
            item.external_id,
            InvalidRequest.of(
                "external_id",
                "{id} is already used by {other}; give each document an id of its own",
                id=item.external_id,
                other=seen[item.external_id],
            ),
        )
    seen[item.external_id] = name
    return item


def _remove_of(unit: Unit, path: str, external_ids: Sequence[str]) -> int:
    """Remove those documents that still come from this file; how many that were."""
    removed = 0
    for external_id in external_ids:
        head = unit.documents.head(external_id)
        if head is not None and head.source == path:
            unit.documents.remove(external_id)
            unit.audit.append("ingest", "document.removed", external_id, {})
            removed += 1
    return removed


def _problem(file: SourceFile, refused: Refused) -> FileProblem:
    where = f"{file.name} ({refused.external_id})" if refused.external_id else file.name
    return FileProblem(where, refused.error.code, str(refused.error))


def _no_document(external_id: str) -> NotFound:
    return NotFound("There is no document {external_id} in this workspace.", external_id=external_id)
