"""A document in its form: written, saved as a version, removed, and each of these taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response

from ingest.errors import IngestError
from ingest.models import KINDS, FieldValue, Kind
from kb_service.console.document_forms import FAULTS, LANGUAGES, blank, draft_of, faults_of, given, values_of
from kb_service.console.document_undo import way_back
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page
from kb_service.errors import NotFound, ServiceError
from kb_service.ids import digest_id
from kb_service.problem_details import details, status_of
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute, include_in_schema=False)


@router.get("/new")
async def new(
    request: Request, guest: Guest, place: ShopZone, kind: Annotated[Kind, Query()] = "policy"
) -> Response:
    return _form(request, blank(kind))


@router.get("/edit/{external_id:path}")
async def edit(request: Request, wired: Wired, guest: Guest, place: ShopZone, external_id: Id) -> Response:
    stored, text = await in_thread(wired, wired.editing.opened, guest.principal.workspace, external_id)
    values = values_of(stored.document, text, stored.version, place)
    return _form(request, values, source=stored.source)


@router.post("/save")
async def save(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    """Put what the form holds. What cannot be saved comes back as it was typed, with what is wrong beside it."""
    values = given(await request.form())
    workspace = guest.principal.workspace
    before = await in_thread(wired, _fields_before, wired, workspace, values)
    made = digest_id("doc", guest.member.id, values["title"], wired.clock().isoformat())
    draft, unread = draft_of(values, before, made)
    found = await in_thread(wired, wired.editing.faults, workspace, draft, place)
    if faults := unread | faults_of(found):
        return _form(request, values, faults=faults)
    try:
        status = await in_thread(wired, wired.editing.save, guest.principal, draft, place)
    except (IngestError, ServiceError) as error:
        return _form(request, values, faults=faults_of([error]), error=error)
    to = f"/console/documents/{quote(status.external_id)}"
    undo, fields = way_back(status)
    if status.status == "created":
        return done("Created.", to=to, undo=undo, fields=fields)
    if status.status == "unchanged":
        return done("Nothing was different, so nothing was saved.", to=to)
    return done("Saved as version {number}.", to=to, undo=undo, fields=fields, number=status.version)


@router.post("/remove/{external_id:path}")
async def remove(wired: Wired, guest: Guest, external_id: Id, over: Annotated[int, Form(ge=1)]) -> Response:
    """Remove a document while the version stands that was looked at."""
    held = await in_thread(wired, wired.editing.remove, guest.principal, external_id, over=over)
    return done(
        "{id} was removed. Within an hour it can be put back as a new version, without its earlier ones.",
        to="/console/knowledge",
        undo="/console/knowledge/bring-back",
        fields={"held": held},
        id=external_id,
    )


@router.post("/bring-back")
async def bring_back(wired: Wired, guest: Guest, held: Annotated[Id, Form()]) -> Response:
    """Put a removed document back, by the id under which it waits."""
    status = await in_thread(wired, wired.editing.bring_back, guest.principal, held)
    return done(
        "It is back, as version {number}.",
        to=f"/console/documents/{quote(status.external_id)}",
        number=status.version,
    )


@router.post("/restore/{external_id:path}")
async def restore(
    wired: Wired,
    guest: Guest,
    external_id: Id,
    version: Annotated[int, Form(ge=1)],
    over: Annotated[int, Form(ge=1)],
    to: Annotated[Text, Form(max_length=300)] = "",
) -> Response:
    """Put an earlier version as the newest, to take a change back or to go back further, while the version stands that
    was looked at."""
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
    faults: Collection[str] = (),
    error: Exception | None = None,
) -> Response:
    told = details(error, language_of(request)) if error is not None and not faults else None
    return page(
        request,
        "knowledge/edit.html",
        status=status_of(error) if error is not None else 422 if faults else 200,
        values=values,
        kinds=KINDS,
        languages=[code for code in dict.fromkeys((*LANGUAGES, values["language"])) if code],
        faults=[name for name in FAULTS if name in faults],
        told=told,
        source=source.rpartition("/")[2] if source else None,
    )
