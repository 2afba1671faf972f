"""Documents out of date: why each needs a look, and what people looked at and found right."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response

from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page, when
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.security import EDITOR
from kb_service.wire.base import Id

router = APIRouter(prefix="/console/knowledge/stale", route_class=PageRoute, include_in_schema=False)
PAGE = 50
SPANS = (30, 90, 180, 365)
"""Days after which a document that is still right may need another look."""
VIEWS = ("open", "looked")
LIST = "/console/knowledge/stale"
Days = Literal["30", "90", "180", "365"]


@router.get("")
async def stale(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    view: Annotated[Literal["open", "looked"], Query()] = "open",
    cursor: Cursor = None,
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.stale.lately, workspace, cursor, PAGE)
    return page(
        request,
        "knowledge/stale.html",
        view=view,
        views=VIEWS,
        documents=found.page.items,
        looked=found.looked[:PAGE],
        counts={"open": found.waiting, "looked": len(found.looked)},
        spans=SPANS,
        looked_at=wired.stale.looked_at(workspace),
        next_cursor=found.page.next_cursor,
        zone=place,
        may_edit=guest.may(EDITOR),
    )


@router.post("/look")
async def look(
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    document: Annotated[Id, Form()],
    over: Annotated[int, Form(ge=1)],
    days: Annotated[Days, Form()],
    to: Annotated[Literal["", "document"], Form()] = "",
) -> Response:
    """Somebody looked at a version of a document, and it is still right."""
    span = timedelta(days=int(days))
    made = await in_thread(wired, wired.stale.look, guest.principal, document, over, span)
    return done(
        "Marked as looked at: {id} comes back on {when}, or earlier if it changes or something else speaks against it.",
        to=f"/console/documents/{quote(document)}" if to else LIST,
        undo=f"{LIST}/unlook",
        fields={"look": made.id},
        id=document,
        when=when(made.until, place)[:10],
    )


@router.post("/unlook")
async def unlook(wired: Wired, guest: Guest, look: Annotated[Id, Form()]) -> Response:
    """Take a look back: the document stands in the list again."""
    taken = await in_thread(wired, wired.stale.take_look_back, guest.principal, look)
    return done("{id} needs a look again.", to=LIST, id=taken.external_id)
