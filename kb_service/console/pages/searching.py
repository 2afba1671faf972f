"""Search by keyword or sentence: passages of documents, and cases by the ids that customers and chats go by."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.highlighting import highlighted
from kb_service.console.rendering import page
from kb_service.models import Scope
from kb_service.routes.context import Wired, audiences_of, in_thread
from kb_service.wire.base import Text

router = APIRouter(prefix="/console/search", route_class=PageRoute, include_in_schema=False)
Wanted = Literal["all", "product", "policy", "resolution", "faq"]
KINDS: tuple[Wanted, ...] = ("all", "product", "policy", "resolution", "faq")
HITS = 20


@router.get("")
async def search(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    q: Annotated[Text, Query(max_length=1000)] = "",
    kind: Annotated[Wanted, Query()] = "all",
) -> Response:
    workspace, asked = guest.principal.workspace, q.strip()
    scope = Scope(audiences=audiences_of(guest.principal), kinds=() if kind == "all" else (kind,))
    hits = await in_thread(wired, wired.answering.search, workspace, asked, scope, HITS) if asked else ()
    cases = await in_thread(wired, wired.agent_desk.found, workspace, asked) if asked else ()
    return page(
        request,
        "desk/search.html",
        q=q,
        kind=kind,
        kinds=KINDS,
        hits=[(hit, highlighted(hit.text, asked)) for hit in hits],
        cases=cases,
        zone=place,
    )
