"""Files as they would be stored: read, masked and split, and held until somebody publishes or discards them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from pathlib import PurePath
from typing import Any, Literal, TypeAlias

from ingest.errors import IngestError, InvalidDocument
from ingest.models import Document, Passage
from ingest.personal_data import PersonalData
from ingest.pipeline import prepare
from ingest.redaction import MASKS, redact, redact_document
from kb_service.editing import gone
from kb_service.errors import InvalidRequest, PayloadTooLarge
from kb_service.knowledge import Knowledge
from kb_service.models import Outcome, Principal
from kb_service.store import Head, HeldDocuments, Store, new_id
from kb_service.store.snapshots import document_from_json, document_json

HELD = timedelta(hours=2)
MOST_FILES = 20
MOST_CHARACTERS = 4_000_000
"""Characters of text that one upload may hold: more is not read through by anybody, and belongs to `kb ingest`."""
MOST_DOCUMENTS = 500
"""Documents, and rows that are none, of one upload; more belong to `kb ingest`."""
PAGE = 40
"""Documents of a preview that are looked at together: their passages are made anew whenever somebody does."""
TABLES = frozenset({".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson"})
"""Extensions of files whose rows may be documents of their own."""
Warning: TypeAlias = Literal["expired", "not_yet", "language", "twice", "personal", "masked"]


@dataclass(frozen=True, slots=True)
class NewFile:
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """One document of a file. `key` names it among all of its upload; `standing` is what publishing it would do.

    `warnings` are what an editor should look at; `personal` counts what looks like personal data by kind: masked in
    a resolution, and as it stands in all else.
    """

    key: str
    document: Document
    passages: tuple[Passage, ...]
    standing: Literal["new", "changed", "same"]
    version: int | None
    warnings: tuple[Warning, ...]
    personal: Mapping[PersonalData, int]


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or one of its rows, that cannot be a document. `reason` is English, as the readers speak; `field` names
    the attribute at fault, where there is one."""

    external_id: str | None
    code: str
    field: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class FileView:
    """What became of one file: those of its documents that are on the page, and what of it could not be read."""

    name: str
    size: int
    documents: tuple[FoundDocument, ...]
    refused: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class PreviewView:
    id: str
    files: tuple[FileView, ...]
    ends_at: datetime
    count: int
    """Documents on all pages."""
    page: int
    pages: int

    @property
    def documents(self) -> tuple[FoundDocument, ...]:
        return tuple(item for file in self.files for item in file.documents)


class Previews:
    """What waits lies in the store, outside every search, so that any replica can publish it."""

    def __init__(self, store: Store, knowledge: Knowledge, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._knowledge = knowledge
        self._clock = clock

    def read(
        self,
        caller: Principal,
        files: Sequence[NewFile],
        attributes: Mapping[str, object],
        *,
        templates: Mapping[str, str] | None = None,
        zone: tzinfo,
    ) -> str:
        """Read files without storing a document; the id under which the preview waits.

        With `templates` each row of a table is a document, see `Knowledge.upload`.

        Raises InvalidRequest without any file or beyond `MOST_FILES`, PayloadTooLarge beyond `MOST_CHARACTERS` or
        `MOST_DOCUMENTS`.
        """
        if not files:
            raise InvalidRequest.of("file", "choose at least one file")
        if len(files) > MOST_FILES:
            raise InvalidRequest.of("file", "choose at most {most} files at once", most=MOST_FILES)
        found: list[dict[str, Any]] = []
        left = MOST_DOCUMENTS
        for file in files:
            found.append(self._read(file, attributes, templates, zone, left))
            left -= len(found[-1]["documents"]) + len(found[-1]["refused"])
        characters = sum(len(item["text"]) for file in found for item in file["documents"])
        if characters > MOST_CHARACTERS:
            raise PayloadTooLarge(
                "These files hold {characters} characters; at most {most} are shown at once. Upload fewer.",
                characters=f"{characters:,}",
                most=f"{MOST_CHARACTERS:,}",
            )
        id = new_id("held_", self._clock())
        with self._store.writing(caller.workspace) as unit:
            now = unit.now
            unit.held.put(HeldDocuments(id, caller.key_id, "preview", {"files": found}, now, now + HELD))
        return id

    def _read(
        self,
        file: NewFile,
        attributes: Mapping[str, object],
        templates: Mapping[str, str] | None,
        zone: tzinfo,
        most: int,
    ) -> dict[str, Any]:
        """A file as it is held: documents without the personal data that is masked in them."""
        documents: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        records = templates is not None and PurePath(file.name).suffix.lower() in TABLES
        try:
            checked = self._knowledge.read_file(
                file.name,
                file.data,
                attributes,
                records=records,
                templates=(templates or {}) if records else {},
                timezone=zone,
                most=most,
            )
        except IngestError as error:
            checked = []
            refused.append(_told(error, None))
        for item in checked:
            if isinstance(item, Document):
                documents.append(document_json(redact_document(item)))
            else:
                refused.append(_told(item.error, item.external_id))
        return {"name": file.name, "size": len(file.data), "documents": documents, "refused": refused}

    def view(self, caller: Principal, id: str, page: int = 1) -> PreviewView:
        """A page of what waits under an id, against what the store holds now. Raises NotFound."""
        held = self._held(caller, id)
        names = Counter(item["external_id"] for _, item in _items(held))
        count = names.total()
        pages = max(1, -(-count // PAGE))
        page = min(page, pages)
        documents = {key: document_from_json(item) for key, item in _on_page(held, page)}
        with self._store.reading(caller.workspace) as unit:
            heads = unit.documents.heads({document.external_id for document in documents.values()})
        files = []
        for number, file in enumerate(held.content["files"]):
            keys = [key for key in documents if key.startswith(f"{number}.")]
            found = tuple(self._found(caller.workspace, key, documents[key], heads, names) for key in keys)
            refused = tuple(Unread(**item) for item in file["refused"]) if page == 1 else ()
            if found or refused or not count:
                files.append(FileView(file["name"], file["size"], found, refused))
        return PreviewView(id, tuple(files), held.ends_at, count, page, pages)

    def _found(
        self,
        workspace: str,
        key: str,
        document: Document,
        heads: Mapping[str, Head],
        names: Mapping[str, int],
    ) -> FoundDocument:
        head = heads.get(document.external_id)
        now = self._clock()
        personal = _personal(document)
        wrong: dict[Warning, bool] = {
            "twice": names[document.external_id] > 1,
            "expired": document.valid_to is not None and document.valid_to <= now,
            "not_yet": document.valid_from is not None and document.valid_from > now,
            "language": document.language == "und",
            "masked": document.kind == "resolution" and bool(personal),
            "personal": document.kind != "resolution" and bool(personal),
        }
        same = head is not None and head.content_hash == document.content_hash
        return FoundDocument(
            key=key,
            document=document,
            passages=prepare(document, workspace=workspace, version=0).passages,
            standing="new" if head is None else "same" if same else "changed",
            version=head.version if head is not None else None,
            warnings=tuple(name for name, holds in wrong.items() if holds),
            personal=personal,
        )

    def publish(
        self, caller: Principal, id: str, keys: Collection[str], *, besides: int | None = None
    ) -> list[Outcome]:
        """Put the chosen documents of a preview, and let go of the rest; with `besides`, a page, those of all other
        pages too. Raises NotFound, InvalidRequest."""
        held = self._held(caller, id)
        wanted = set(keys)
        if besides is not None:
            wanted |= {key for key, _ in _items(held)} - {key for key, _ in _on_page(held, besides)}
        chosen = [document_from_json(item) for key, item in _items(held) if key in wanted]
        if not chosen:
            raise InvalidRequest.of("document", "choose at least one document")
        outcomes = self._knowledge.put_checked(caller, chosen)
        self.discard(caller, id)
        return outcomes

    def discard(self, caller: Principal, id: str) -> None:
        """Let go of what waits; nothing of it was stored among the documents."""
        with self._store.writing(caller.workspace) as unit:
            unit.held.remove(id, caller.key_id)

    def _held(self, caller: Principal, id: str) -> HeldDocuments:
        with self._store.reading(caller.workspace) as unit:
            held = unit.held.get(id, caller.key_id)
        if held is None or held.purpose != "preview":
            raise gone()
        return held


def _items(held: HeldDocuments) -> Iterator[tuple[str, dict[str, Any]]]:
    """The documents of a preview as they are held, by their keys."""
    for number, file in enumerate(held.content["files"]):
        for place, item in enumerate(file["documents"]):
            yield f"{number}.{place}", item


def _on_page(held: HeldDocuments, page: int) -> Iterator[tuple[str, dict[str, Any]]]:
    return islice(_items(held), (page - 1) * PAGE, page * PAGE)


def _told(error: Exception, external_id: str | None) -> dict[str, str | None]:
    """An `Unread` as it is held."""
    found = error.field if isinstance(error, InvalidDocument) else None
    reason = error.message if isinstance(error, InvalidDocument) else str(error)
    code = str(getattr(error, "code", "ingest_error"))
    return {"external_id": external_id, "code": code, "field": found, "reason": reason}


def _personal(document: Document) -> dict[PersonalData, int]:
    if document.kind == "resolution":
        counts = {kind: document.text.count(mask) for kind, mask in MASKS.items()}
        return {kind: count for kind, count in counts.items() if count}
    return dict(Counter(finding.type for finding in redact(document.text).findings))
