"""Files as they would be stored: read, masked and split, and held until somebody publishes or discards them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from pathlib import PurePath
from typing import Any

from ingest.errors import IngestError, InvalidDocument
from ingest.models import Document
from ingest.personal_data import PersonalData
from ingest.pipeline import prepare
from ingest.redaction import MASKS, redact, redact_document
from kb_service.editing import gone
from kb_service.errors import Conflict, InvalidRequest, PayloadTooLarge
from kb_service.knowledge import Knowledge
from kb_service.models import Principal
from kb_service.store import Head, HeldDocuments, Store, Unit, new_id
from kb_service.store.snapshots import document_from_json, document_json
from kb_service.upload_tables import NUMBER, Table, TableReading, is_table, stem_of
from kb_service.upload_views import (
    FileView,
    FoundDocument,
    NewFile,
    PublishedUpload,
    Unread,
    UploadPreview,
    Warning,
)

HELD = timedelta(hours=2)
MOST_FILES = 20
MOST_CHARACTERS = 4_000_000
"""Characters of text that one upload may hold: more is not read through by anybody, and belongs to `kb ingest`."""
MOST_DOCUMENTS = 500
"""Documents, and rows that are none, of one upload; more belong to `kb ingest`."""
PAGE = 40
"""Documents of a preview that are looked at together: their passages are made anew whenever somebody does."""
RECORDS = frozenset({".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson"})
"""Extensions of files whose rows may be documents of their own."""


class UploadPreviews:
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
            content = {
                "files": found,
                "known": _known(unit, found),
                "edition": 1,
                "attributes": dict(attributes),
            }
            unit.held.put(HeldDocuments(id, caller.key_id, "preview", content, now, now + HELD))
        return id

    def read_table(
        self, caller: Principal, id: str, edition: int, number: int, reading: TableReading, zone: tzinfo
    ) -> None:
        """Read a table that waits as one document, or as one for each row.

        Raises NotFound, Conflict where it was read otherwise since, InvalidRequest for columns that there are not,
        PayloadTooLarge beyond `MOST_DOCUMENTS`.
        """
        held = self._held(caller, id, edition)
        files = list(held.content["files"])
        if not 0 <= number < len(files) or files[number].get("table") is None:
            raise gone()
        file = files[number]
        table = Table.of(file["table"])
        lacking = {reading.id, reading.title, reading.question, *reading.text} - {*table.columns, NUMBER, ""}
        if reading.reading == "rows" and lacking:
            raise InvalidRequest.of("columns", "there is no column {name}", name=sorted(lacking)[0])
        others = sum(len(item["documents"]) for place, item in enumerate(files) if place != number)
        read = file["whole"]
        if reading.reading == "rows":
            data = table.written(numbered=reading.id == NUMBER)
            templates = reading.templates(stem_of(file["name"]))
            given = held.content["attributes"]
            read = self._documents("table.csv", data, given, templates, zone, MOST_DOCUMENTS - others)
        files[number] = {**file, **read, "reading": reading.content()}
        with self._store.writing(caller.workspace) as unit:
            content = {"files": files, "known": _known(unit, files), "edition": edition + 1}
            _put_again(unit, held, {**held.content, **content})

    def _read(
        self,
        file: NewFile,
        attributes: Mapping[str, object],
        templates: Mapping[str, str] | None,
        zone: tzinfo,
        most: int,
    ) -> dict[str, Any]:
        """A file as it is held: documents without the personal data that is masked in them."""
        name = file.name
        if PurePath(name).suffix.lower() not in RECORDS:
            templates = None
        found = {"name": name, "size": len(file.data)}
        found |= self._documents(name, file.data, attributes, templates, zone, most)
        if not is_table(name):
            return found
        whole = found
        if templates is not None:
            whole = self._documents(name, file.data, attributes, None, zone, most)
        return found | {
            "whole": {part: whole[part] for part in ("documents", "refused")},
            "table": self._table(name, file.data, attributes),
            "reading": TableReading("one" if templates is None else "rows").content(),
        }

    def _documents(
        self,
        name: str,
        data: bytes,
        attributes: Mapping[str, object],
        templates: Mapping[str, str] | None,
        zone: tzinfo,
        most: int,
    ) -> dict[str, Any]:
        """The documents of a file, by `templates` one for each row, and what of it is none."""
        documents: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        records = templates is not None
        try:
            checked = self._knowledge.read_file(
                name, data, attributes, records=records, templates=templates or {}, timezone=zone, most=most
            )
        except IngestError as error:
            checked = []
            refused.append(_told(error, None))
        for item in checked:
            if isinstance(item, Document):
                documents.append(document_json(redact_document(item)))
            else:
                refused.append(_told(item.error, item.external_id))
        return {"documents": documents, "refused": refused}

    def _table(self, name: str, data: bytes, attributes: Mapping[str, object]) -> dict[str, Any] | None:
        """The rows of a file as they are held, to be read otherwise; None of a table that has too many or none."""
        try:
            rows = self._knowledge.read_rows(name, data)
        except IngestError:
            return None
        if not rows or len(rows) > MOST_DOCUMENTS:
            return None
        # Where a row may become a resolution, nothing is held that would be masked in one.
        kinds = {row.get("kind", "").strip().lower() for row in rows}
        masked = attributes.get("kind", "resolution" if "resolution" in kinds else None) == "resolution"
        table = Table.of_rows(rows, masked=masked)
        return table.content() if table.characters <= MOST_CHARACTERS else None

    def view(self, caller: Principal, id: str, page: int = 1) -> UploadPreview:
        """A page of what waits under an id, against what the store holds now. Raises NotFound."""
        held = self._held(caller, id)
        names = Counter(item["external_id"] for _, item in _items(held))
        count = names.total()
        pages = max(1, -(-count // PAGE))
        page = min(page, pages)
        documents = {key: document_from_json(item) for key, item in _on_page(held, page)}
        known = held.content["known"]
        with self._store.reading(caller.workspace) as unit:
            heads = unit.documents.heads({document.external_id for document in documents.values()})
            texts = {
                name: stored.document.text
                for name in {document.external_id for document in documents.values()}
                if (head := heads.get(name)) is not None
                and head.version != known.get(name)
                and (stored := unit.documents.get(name)) is not None
            }
        files = []
        for number, file in enumerate(held.content["files"]):
            keys = [key for key in documents if key.startswith(f"{number}.")]
            found = tuple(
                self._found(caller.workspace, key, documents[key], heads, names, known, texts) for key in keys
            )
            refused = tuple(Unread(**item) for item in file["refused"]) if page == 1 else ()
            if found or refused or not count:
                files.append(_file_view(number, file, found, refused))
        edition = held.content["edition"]
        return UploadPreview(id, tuple(files), held.ends_at, count, page, pages, edition)

    def _found(
        self,
        workspace: str,
        key: str,
        document: Document,
        heads: Mapping[str, Head],
        names: Mapping[str, int],
        known: Mapping[str, int | None],
        texts: Mapping[str, str],
    ) -> FoundDocument:
        name = document.external_id
        head = heads.get(name)
        now = self._clock()
        personal = _personal(document)
        wrong: dict[Warning, bool] = {
            "twice": names[name] > 1,
            "expired": document.valid_to is not None and document.valid_to <= now,
            "not_yet": document.valid_from is not None and document.valid_from > now,
            "language": document.language == "und",
            "masked": document.kind == "resolution" and bool(personal),
            "personal": document.kind != "resolution" and bool(personal),
        }
        same = head is not None and head.content_hash == document.content_hash
        version = head.version if head is not None else None
        return FoundDocument(
            key=key,
            document=document,
            passages=prepare(document, workspace=workspace, version=0).passages,
            standing="new" if head is None else "same" if same else "changed",
            version=version,
            warnings=tuple(name for name, holds in wrong.items() if holds),
            personal=personal,
            overtaken=not same and version != known.get(name),
            standing_text=texts.get(name),
        )

    def publish(
        self,
        caller: Principal,
        id: str,
        edition: int,
        keys: Collection[str],
        *,
        besides: int | None = None,
        over: Mapping[str, int | None],
    ) -> PublishedUpload:
        """Put the chosen documents of a preview, and let go of the rest; with `besides`, a page, those of all other
        pages too. Of documents with the same id the last one is put.

        Each is put over the version that stood when its file was read, or by key over that of `over`, which somebody
        looked at since. Raises NotFound, Conflict where a table was read otherwise since, InvalidRequest.
        """
        held = self._held(caller, id, edition)
        wanted = set(keys)
        if besides is not None:
            wanted |= {key for key, _ in _items(held)} - {key for key, _ in _on_page(held, besides)}
        chosen = {item["external_id"]: (key, item) for key, item in _items(held) if key in wanted}
        if not chosen:
            raise InvalidRequest.of("document", "choose at least one document")
        known = held.content["known"]
        versions = {name: over.get(key, known.get(name)) for name, (key, _) in chosen.items()}
        documents = [document_from_json(item) for _, item in chosen.values()]
        outcomes, overtaken = self._knowledge.put_known(caller, documents, versions)
        if not overtaken:
            self.discard(caller, id)
            return PublishedUpload(tuple(outcomes), ())
        files = [_kept(file, set(overtaken)) for file in held.content["files"]]
        with self._store.writing(caller.workspace) as unit:
            _put_again(unit, held, {**held.content, "files": files, "edition": edition + 1})
        return PublishedUpload(tuple(outcomes), tuple(overtaken))

    def discard(self, caller: Principal, id: str) -> None:
        """Let go of what waits; nothing of it was stored among the documents."""
        with self._store.writing(caller.workspace) as unit:
            unit.held.remove(id, caller.key_id)

    def _held(self, caller: Principal, id: str, edition: int | None = None) -> HeldDocuments:
        with self._store.reading(caller.workspace) as unit:
            held = unit.held.get(id, caller.key_id)
        if held is None or held.purpose != "preview" or "edition" not in held.content:
            raise gone()
        if edition is not None and held.content["edition"] != edition:
            raise Conflict("This preview was read otherwise meanwhile; look at it before you go on.")
        return held


def _file_view(
    number: int, file: Mapping[str, Any], found: tuple[FoundDocument, ...], refused: tuple[Unread, ...]
) -> FileView:
    plain = (number, file["name"], file["size"], found, refused)
    if file.get("table") is None:
        return FileView(*plain)
    table, reading = Table.of(file["table"]), TableReading.of(file["reading"])
    if not reading.title:
        reading = replace(table.guessed(), reading=reading.reading)
    return FileView(*plain, table.columns, len(table.rows), reading)


def _known(unit: Unit, files: Sequence[Mapping[str, Any]]) -> dict[str, int | None]:
    """The versions that stand of all documents of some files, None for none."""
    names = {item["external_id"] for file in files for item in file["documents"]}
    heads = unit.documents.heads(names)
    return {name: heads[name].version if name in heads else None for name in sorted(names)}


def _put_again(unit: Unit, held: HeldDocuments, content: Mapping[str, Any]) -> None:
    """Put what waits anew, until when it did. Raises NotFound where it does not wait any more."""
    if not unit.held.remove(held.id, held.owner):
        raise gone()
    unit.held.put(replace(held, content=content))


def _kept(file: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A file with some of its documents alone, which is read no other way any more."""
    documents = [item for item in file["documents"] if item["external_id"] in names]
    return {**file, "documents": documents, "refused": [], "table": None}


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
