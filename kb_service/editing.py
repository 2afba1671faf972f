"""What editors do with documents by hand: write, change, end, remove, and take any of it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Literal, TypeAlias

from ingest.document_faults import faults
from ingest.documents import compose
from ingest.editing import body_of, edited
from ingest.errors import IngestError
from ingest.models import Document, Extract, FieldValue
from ingest.redaction import redact_document
from kb_service.errors import Conflict, FieldError, InvalidRequest, NotFound
from kb_service.knowledge import Knowledge
from kb_service.models import DocumentStatus, NewDocument, Principal
from kb_service.store import HeldDocuments, Store, StoredDocument, Unit, new_id
from kb_service.store.snapshots import document_from_json, document_json

HELD = timedelta(hours=1)
"""How long a removed document can be brought back, and settled conflicts be taken back."""
Settlement: TypeAlias = Literal["end", "supersede"]


@dataclass(frozen=True, slots=True)
class EditedDocument:
    """A document as its form has it. `text` is without what its fields put there; `fields` hold question and reply.

    `version` is the one that was opened, None for a document that is new.
    """

    external_id: str
    attributes: Mapping[str, object]
    text: str
    fields: Mapping[str, FieldValue]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A document that was removed and can still be brought back by who removed it, by the id `held`."""

    held: str
    external_id: str
    title: str
    removed_at: datetime
    ends_at: datetime


class Editing:
    """Over the knowledge of every workspace. Each change is a new version, so that each can be taken back."""

    def __init__(self, store: Store, knowledge: Knowledge, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._knowledge = knowledge
        self._clock = clock

    def opened(self, workspace: str, external_id: str) -> tuple[StoredDocument, str]:
        """A document and the text of its form. Raises NotFound."""
        stored = self._stored(workspace, external_id)
        return stored, body_of(stored.document).text

    def save(self, caller: Principal, draft: EditedDocument, zone: tzinfo) -> DocumentStatus:
        """Put what a form holds; headings, rows and sections of an edited text stay what they were.

        Days are days in `zone`. Raises IngestError with the field at fault, Conflict when the document was changed
        or removed since it was opened, InvalidRequest for a new one under an id that is taken.
        """
        extract, attributes = _written(self._before(caller.workspace, draft), draft)
        return self._knowledge.put_over(caller, compose(extract, attributes, timezone=zone), draft.version)

    def faults(
        self, workspace: str, draft: EditedDocument, zone: tzinfo
    ) -> tuple[IngestError | InvalidRequest, ...]:
        """Everything that `save` would refuse in a draft; empty where nothing is wrong with what was written."""
        with self._store.reading(workspace) as unit:
            stored = unit.documents.get(draft.external_id) if draft.external_id else None
        taken = (_taken(draft.external_id),) if draft.version is None and stored is not None else ()
        return (*taken, *faults(*_written(None if taken else stored, draft), timezone=zone))

    def _before(self, workspace: str, draft: EditedDocument) -> StoredDocument | None:
        with self._store.reading(workspace) as unit:
            stored = unit.documents.get(draft.external_id) if draft.external_id else None
        if draft.version is None and stored is not None:
            raise _taken(draft.external_id)
        if draft.version is not None and (stored is None or stored.version != draft.version):
            raise Conflict("Somebody changed this document meanwhile; look at it before you save yours.")
        return stored

    def publish(
        self,
        caller: Principal,
        new: NewDocument,
        over: int | None,
        *,
        also: Callable[[Unit], None] | None = None,
    ) -> DocumentStatus:
        """Put what somebody wrote over the version that they knew, None for none; `also` is done with it.

        Raises Conflict.
        """
        return self._knowledge.put_over(caller, new, over, also=also)

    def standing(self, workspace: str, external_id: str) -> int | None:
        """The version that stands under an id now; None where there is no document."""
        with self._store.reading(workspace) as unit:
            head = unit.documents.head(external_id)
        return head.version if head is not None else None

    def restore(self, caller: Principal, external_id: str, number: int, *, over: int) -> DocumentStatus:
        """Put an earlier version of a document as its newest, over the version that the caller knows.

        Raises NotFound, Conflict where another one stands.
        """
        with self._store.reading(caller.workspace) as unit:
            head = unit.documents.head(external_id)
            stored = unit.documents.version(external_id, number)
        if stored is None or head is None:
            raise _no_document(external_id)
        return self._knowledge.put_over(caller, stored.document, over)

    def settle(
        self, caller: Principal, keep: Mapping[str, int], others: Mapping[str, int], how: Settlement
    ) -> str | None:
        """Let some documents hold and others no more, all at once: with `end` the others end now (one that would only
        begin then becomes a draft), with `supersede` those that are kept hold in their place wherever both apply.

        Both are versions by id, those that were looked at. Gives the id under which it can be taken back; None where
        nothing was changed. Raises NotFound, Conflict where another version of any stands.
        """
        stored = {name: self._stored(caller.workspace, name) for name in (*keep, *others)}
        for name, version in (*keep.items(), *others.items()):
            if stored[name].version != version:
                raise Conflict("Somebody changed this document meanwhile; look at it before you change it.")
        now = self._clock()
        if how == "end":
            changed = {name: _ended(stored[name].document, now) for name in others}
        else:
            changed = {name: _before_others(stored[name].document, others) for name in keep}
        id = new_id("held_", now)
        written: list[DocumentStatus] = []

        def note(unit: Unit, statuses: Sequence[DocumentStatus]) -> None:
            written.extend(item for item in statuses if item.status == "updated")
            content = {"changed": {item.external_id: item.version for item in written}}
            if written:
                unit.held.put(HeldDocuments(id, caller.key_id, "settled", content, unit.now, unit.now + HELD))

        wanted = {name: (document, stored[name].version) for name, document in changed.items()}
        self._knowledge.put_all_over(caller, wanted, note)
        return id if written else None

    def unsettle(self, caller: Principal, id: str) -> tuple[str, ...]:
        """Take a settlement back: its documents say what they said before, as new versions. Gives their ids.

        Raises NotFound, Conflict where somebody changed one of them since.
        """
        with self._store.reading(caller.workspace) as unit:
            held = unit.held.get(id, caller.key_id)
            if held is None or held.purpose != "settled":
                raise gone()
            versions: Mapping[str, int] = held.content["changed"]
            earlier = {name: unit.documents.version(name, version - 1) for name, version in versions.items()}
        wanted = {
            name: (stored.document, versions[name]) for name, stored in earlier.items() if stored is not None
        }
        if len(wanted) < len(versions):
            raise Conflict("Somebody changed this document meanwhile; look at it before you change it.")

        def forget(unit: Unit, _: Sequence[DocumentStatus]) -> None:
            unit.held.remove(id, caller.key_id)

        self._knowledge.put_all_over(caller, wanted, forget)
        return tuple(wanted)

    def remove(
        self,
        caller: Principal,
        external_id: str,
        *,
        over: int,
        also: Callable[[Unit], None] | None = None,
    ) -> str:
        """Remove a document at once, while the version stands that the caller knows; `also` is done with it.

        Gives the id under which its last version waits to be brought back. Raises NotFound, Conflict.
        """
        id = new_id("held_", self._clock())

        def keep(unit: Unit, stored: StoredDocument) -> None:
            content = {"document": document_json(redact_document(stored.document))}
            now = unit.now
            unit.held.put(HeldDocuments(id, caller.key_id, "removed", content, now, now + HELD))
            if also is not None:
                also(unit)

        self._knowledge.remove(caller, external_id, over=over, keep=keep)
        return id

    def removed(self, caller: Principal) -> tuple[Removed, ...]:
        """What somebody removed and can still bring back, the latest first; nothing that came again under its id."""
        with self._store.reading(caller.workspace) as unit:
            waiting = unit.held.of_owner(caller.key_id, "removed")
            found = [(item, document_from_json(item.content["document"])) for item in waiting]
            return tuple(
                Removed(item.id, document.external_id, document.title, item.made_at, item.ends_at)
                for item, document in found
                if unit.documents.head(document.external_id) is None
            )

    def bring_back(self, caller: Principal, id: str) -> DocumentStatus:
        """Put what was removed as a new version; the versions before it are gone. Raises NotFound, Conflict."""
        with self._store.reading(caller.workspace) as unit:
            held = unit.held.get(id, caller.key_id)
            if held is None or held.purpose != "removed":
                raise gone()
            document = document_from_json(held.content["document"])
            taken = unit.documents.head(document.external_id) is not None
        if taken:
            raise Conflict("There is a document {id} already.", id=document.external_id)
        status = self._knowledge.put_over(caller, document, None)
        with self._store.writing(caller.workspace) as unit:
            unit.held.remove(id, caller.key_id)
        return status

    def _stored(self, workspace: str, external_id: str) -> StoredDocument:
        with self._store.reading(workspace) as unit:
            stored = unit.documents.get(external_id)
        if stored is None:
            raise _no_document(external_id)
        return stored


def _ended(document: Document, at: datetime) -> Document:
    if document.valid_to is not None and document.valid_to <= at:
        return document
    never = document.valid_from is not None and document.valid_from >= at
    return replace(document, status="draft") if never else replace(document, valid_to=at)


def _before_others(document: Document, others: Mapping[str, int]) -> Document:
    return replace(document, supersedes=tuple(dict.fromkeys((*document.supersedes, *others))))


def _written(stored: StoredDocument | None, draft: EditedDocument) -> tuple[Extract, dict[str, object]]:
    """What a form makes of a document, as `compose` takes it: the text with its blocks, and the attributes."""
    attributes = {**draft.attributes, "external_id": draft.external_id, "fields": dict(draft.fields)}
    if stored is None:
        return edited(_empty(draft.external_id), draft.text), attributes
    return edited(stored.document, draft.text), {**attributes, "metadata": dict(stored.document.metadata)}


def _taken(external_id: str) -> InvalidRequest:
    text = "There is a document {id} already."
    return InvalidRequest(
        text, fields=(FieldError("external_id", text, {"id": external_id}),), id=external_id
    )


def _empty(external_id: str) -> Document:
    return Document(external_id, "policy", "", "", (), "und")


def _no_document(external_id: str) -> NotFound:
    return NotFound("There is no document {external_id} in this workspace.", external_id=external_id)


def gone() -> NotFound:
    """What somebody began is no longer kept."""
    return NotFound("What waited here was published, discarded or kept too long; start again.")
