"""One document: what it says and how it is used; its form, its versions, and taking a change back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response

from ingest.editing import body_of
from ingest.errors import IngestError
from ingest.models import KINDS, Document, FieldValue, Kind
from kb_service.accounts import Visitor
from kb_service.care.library import SPAN
from kb_service.console.differences import differences
from kb_service.console.document_forms import blank, draft_of, fault_of, given, values_of
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.pages.knowledge import sides
from kb_service.console.rendering import language_of, page
from kb_service.console.use_chart import HEIGHT, WIDTH, share_accepted, use_chart
from kb_service.console.ways_back import way_back
from kb_service.editing import Draft, Removed
from kb_service.errors import NotFound, ServiceError
from kb_service.ids import digest_id
from kb_service.knowledge import DocumentRecord
from kb_service.problem_details import details, status_of
from kb_service.routes.context import Wired, in_thread
from kb_service.security import EDITOR
from kb_service.services import Services
from kb_service.wire.base import Id, Text
from kb_service.wire.care import StaleReasonOut

router = APIRouter(prefix="/console", route_class=PageRoute, include_in_schema=False)
LONGEST_SHOWN = 24_000
"""Characters of a text that are shown at first; a reader may ask for all of it."""
MOST_PASSAGES = 80
COMPARED: tuple[str, ...] = (
    "title",
    "kind",
    "language",
    "audience",
    "status",
    "url",
    "products",
    "regions",
    "tiers",
)
COMPARED += ("channels", "valid_from", "valid_to", "supersedes")


@router.get("/documents/{external_id:path}")
async def document(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    external_id: Id,
    start: Annotated[int, Query(ge=0)] = 0,
    end: Annotated[int, Query(ge=0)] = 0,
    whole: bool = False,
    older: Annotated[int, Query(ge=0)] = 0,
    newer: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """A document with the cited passage marked; `older` and `newer` are versions to compare."""
    workspace = guest.principal.workspace
    language = language_of(request)
    try:
        found = await in_thread(wired, wired.library.about, workspace, external_id, language)
    except NotFound as error:
        removed = await in_thread(wired, _removed, wired, guest, external_id)
        if removed is None:
            raise
        told = details(error, language)
        return page(request, "knowledge/gone.html", status=404, told=told, removed=removed, zone=place)
    text = found.stored.document.text
    begin, stop = min(start, len(text)), min(max(end, start), len(text))
    first, last = (0, len(text)) if whole else _window(len(text), begin, stop)
    cited = text[begin:stop]
    compared = None
    if older and newer:
        one = await in_thread(wired, wired.knowledge.version, workspace, external_id, older)
        other = await in_thread(wired, wired.knowledge.version, workspace, external_id, newer)
        compared = (one, other, _changed(one, other), differences(one.text, other.text))
    chart = use_chart(found.use, wired.clock(), SPAN.days, place)
    return page(
        request,
        "knowledge/document.html",
        detail=found,
        document=found.stored.document,
        shows_text=bool(cited or body_of(found.stored.document).text or not _dialogue(found.stored.document)),
        before=text[first:begin],
        cited=cited,
        after=text[stop:last],
        cut=(first, len(text) - last),
        compared=compared,
        conflicts=[(item, sides(item)) for item in found.conflicts],
        stale=[StaleReasonOut.model_validate(reason) for reason in found.stale],
        chart=chart,
        size=(WIDTH, HEIGHT),
        share=share_accepted(chart.total),
        passages=found.passages[:MOST_PASSAGES],
        zone=place,
        now=wired.clock(),
        may_edit=guest.may(EDITOR),
    )


def _removed(wired: Services, guest: Visitor, external_id: str) -> Removed | None:
    """The document, where the visitor removed it and can still bring it back."""
    waiting = wired.editing.removed(guest.principal) if guest.may(EDITOR) else ()
    return next((item for item in waiting if item.external_id == external_id), None)


def _dialogue(document: Document) -> bool:
    """Whether a document has a question and a reply, which are shown apart."""
    return bool(document.fields.get("question") and document.fields.get("reply"))


def _window(length: int, begin: int, stop: int) -> tuple[int, int]:
    """What of a long text is shown: its begin or, where a passage is cited further down, what stands around it."""
    if stop <= LONGEST_SHOWN:
        return 0, min(length, max(LONGEST_SHOWN, stop))
    first = max(0, begin - LONGEST_SHOWN // 2)
    return first, min(length, max(stop, first + LONGEST_SHOWN))


def _changed(one: DocumentRecord, other: DocumentRecord) -> list[tuple[str, Any, Any]]:
    """The attributes in which two versions differ, besides their text."""
    pairs = [(name, getattr(one, name), getattr(other, name)) for name in COMPARED]
    names = [name for name in {**one.fields, **other.fields} if name not in ("question", "reply")]
    pairs += [(name, one.fields.get(name), other.fields.get(name)) for name in names]
    return [pair for pair in pairs if pair[1] != pair[2]]


@router.get("/knowledge/new")
async def new(
    request: Request, guest: Guest, place: ShopZone, kind: Annotated[Kind, Query()] = "policy"
) -> Response:
    return _form(request, blank(kind))


@router.get("/knowledge/edit/{external_id:path}")
async def edit(request: Request, wired: Wired, guest: Guest, place: ShopZone, external_id: Id) -> Response:
    stored, text = await in_thread(wired, wired.editing.opened, guest.principal.workspace, external_id)
    values = values_of(stored.document, text, stored.version, place)
    return _form(request, values, source=stored.source)


@router.post("/knowledge/save")
async def save(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    """Put what the form holds. What cannot be saved comes back as it was typed, with what is wrong beside it."""
    values = given(await request.form())
    try:
        before = await in_thread(wired, _fields_before, wired, guest.principal.workspace, values)
        made = digest_id("doc", guest.member.id, values["title"], wired.clock().isoformat())
        draft: Draft = draft_of(values, before, made)
        status = await in_thread(wired, wired.editing.save, guest.principal, draft, place)
    except (IngestError, ServiceError) as error:
        return _form(request, values, error=error)
    to = f"/console/documents/{quote(status.external_id)}"
    undo, fields = way_back(status)
    if status.status == "created":
        return done("Created.", to=to, undo=undo, fields=fields)
    if status.status == "unchanged":
        return done("Nothing was different, so nothing was saved.", to=to)
    return done("Saved as version {number}.", to=to, undo=undo, fields=fields, number=status.version)


@router.post("/knowledge/remove/{external_id:path}")
async def remove(
    wired: Wired, guest: Guest, external_id: Id, over: Annotated[int | None, Form(ge=1)] = None
) -> Response:
    """Remove a document; with `over` only while that version stands."""
    held = await in_thread(wired, wired.editing.remove, guest.principal, external_id, over=over)
    return done(
        "{id} was removed. Within an hour it can be put back as a new version, without its earlier ones.",
        to="/console/knowledge",
        undo="/console/knowledge/bring-back",
        fields={"held": held},
        id=external_id,
    )


@router.post("/knowledge/bring-back")
async def bring_back(wired: Wired, guest: Guest, held: Annotated[Id, Form()]) -> Response:
    """Put a removed document back, by the id under which it waits."""
    status = await in_thread(wired, wired.editing.bring_back, guest.principal, held)
    return done(
        "It is back, as version {number}.",
        to=f"/console/documents/{quote(status.external_id)}",
        number=status.version,
    )


@router.post("/knowledge/restore/{external_id:path}")
async def restore(
    wired: Wired,
    guest: Guest,
    external_id: Id,
    version: Annotated[int, Form(ge=1)],
    over: Annotated[int | None, Form(ge=1)] = None,
    to: Annotated[Text, Form(max_length=300)] = "",
) -> Response:
    """Put an earlier version as the newest, to take a change back or to go back further; with `over` only while that
    version stands."""
    status = await in_thread(wired, wired.editing.restore, guest.principal, external_id, version, over=over)
    back = to if to == "/console/knowledge/conflicts" else f"/console/documents/{quote(external_id)}"
    if status.status == "unchanged":
        return done("Nothing was different, so nothing was saved.", to=back)
    undo, fields = way_back(status)
    return done(
        "Version {number} holds again, as version {now}.",
        to=back,
        undo=undo,
        fields=fields,
        number=version,
        now=status.version,
    )


def _fields_before(wired: Any, workspace: str, values: Mapping[str, str]) -> Mapping[str, FieldValue]:
    """The fields that a document has before it is saved; none of one that is new or gone."""
    try:
        stored, _ = wired.editing.opened(workspace, values["external_id"].strip() or "-")
    except NotFound:
        return {}
    fields: Mapping[str, FieldValue] = stored.document.fields
    return fields


def _form(
    request: Request,
    values: Mapping[str, str],
    *,
    source: str | None = None,
    error: Exception | None = None,
) -> Response:
    told = details(error, language_of(request)) if error is not None else None
    return page(
        request,
        "knowledge/edit.html",
        status=status_of(error) if error is not None else 200,
        values=values,
        kinds=KINDS,
        fault=fault_of(error) if error is not None else None,
        told=told,
        source=source.rpartition("/")[2] if source else None,
    )
