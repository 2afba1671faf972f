"""The shop's knowledge for editors: documents, what is missing, what contradicts, what grew stale."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from ingest.models import Kind
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.models import NewDocument, Refused
from kb_service.problem_details import invalid
from kb_service.routes.context import Wired, in_thread
from kb_service.security import EDITOR
from kb_service.wire.base import Id, Text
from kb_service.wire.care import ConflictOut, StaleOut
from kb_service.wire.gaps import GapOut
from kb_service.wire.knowledge import DocumentIn

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute, include_in_schema=False)
PAGE = 50
KINDS: tuple[Kind, ...] = ("policy", "product", "faq", "resolution")
Cursor = Annotated[Text | None, Query(max_length=500)]


@router.get("")
async def documents(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    kind: Annotated[Kind | Literal[""], Query()] = "",
    cursor: Cursor = None,
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(
        wired, wired.knowledge.page, workspace, cursor, PAGE, kind=kind or None, language=None, audience=None
    )
    return page(
        request,
        "knowledge/documents.html",
        documents=found.items,
        kinds=KINDS,
        kind=kind,
        next_cursor=found.next_cursor,
        zone=place,
    )


@router.get("/gaps")
async def gaps(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, cursor: Cursor = None
) -> Response:
    """Questions without a good answer, with the article that would give one where customers accepted a reply."""
    workspace = guest.principal.workspace
    found = await in_thread(
        wired, wired.gaps.page, workspace, cursor, PAGE, since=None, language=None, state="open"
    )
    language = language_of(request)
    return page(
        request,
        "knowledge/gaps.html",
        gaps=[GapOut.of(view, language) for view in found.items],
        next_cursor=found.next_cursor,
        zone=place,
        may_publish=guest.may(EDITOR),
    )


@router.post("/gaps/{id}/publish")
async def publish(
    wired: Wired,
    guest: Guest,
    id: Id,
    title: Annotated[Text, Form(min_length=1, max_length=500)],
    body: Annotated[Text, Form(min_length=1, max_length=100_000)],
    language: Annotated[Literal["zh", "en"], Form()],
) -> Response:
    """Put the article of a gap, as a person wrote it, among the approved documents."""
    given: dict[str, Any] = {
        "kind": "faq",
        "title": title,
        "language": language,
        "fields": {"question": title, "reply": body.replace("\r\n", "\n")},
    }
    try:
        document = DocumentIn.model_validate(given)
    except ValidationError as error:
        raise invalid(error.errors()) from error
    new = NewDocument(id, document.attributes())
    (outcome,) = await in_thread(wired, wired.knowledge.put_many, guest.principal, [new])
    if isinstance(outcome, Refused):
        raise outcome.error
    return RedirectResponse(f"/console/documents/{id}", status_code=303)


@router.get("/conflicts")
async def conflicts(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, cursor: Cursor = None
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(
        wired, wired.conflicts.page, workspace, cursor, PAGE, as_of=None, upcoming=True, document_id=None
    )
    return page(
        request,
        "knowledge/conflicts.html",
        conflicts=[ConflictOut.model_validate(item) for item in found.items],
        next_cursor=found.next_cursor,
        zone=place,
    )


@router.get("/stale")
async def stale(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, cursor: Cursor = None
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.stale.page, workspace, cursor, PAGE, reason=None)
    return page(
        request,
        "knowledge/stale.html",
        documents=[StaleOut.model_validate(item) for item in found.items],
        next_cursor=found.next_cursor,
        zone=place,
    )
