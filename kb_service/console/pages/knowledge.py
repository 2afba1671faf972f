"""The shop's documents, found by what they are."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from ingest.models import Audience, Kind, Status
from kb_service.care.library import Order, ShelfFilter, Validity
from kb_service.console.charts.document_use import judged, share_accepted
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import page
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.security import EDITOR
from kb_service.wire.base import Text

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute, include_in_schema=False)
PAGE = 50
KINDS: tuple[Kind, ...] = ("policy", "product", "faq", "resolution")
VALIDITIES: tuple[Validity, ...] = ("valid", "upcoming", "expired", "superseded")
ORDERS: tuple[Order, ...] = ("changed", "title", "ends")


@router.get("")
async def documents(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    q: Annotated[Text, Query(max_length=200)] = "",
    kind: Annotated[Kind | Literal[""], Query()] = "",
    language: Annotated[Text, Query(max_length=8)] = "",
    audience: Annotated[Audience | Literal[""], Query()] = "",
    status: Annotated[Status | Literal["", "removed"], Query()] = "",
    validity: Annotated[Validity | Literal[""], Query()] = "",
    order: Annotated[Order, Query()] = "changed",
    cursor: Cursor = None,
) -> Response:
    if status == "removed" and guest.may(EDITOR):
        waiting = await in_thread(wired, wired.editing.removed, guest.principal)
        return page(request, "knowledge/removed.html", removed=waiting, zone=place)
    wanted = ShelfFilter(
        words=q,
        kind=kind or None,
        language=language or None,
        audience=audience or None,
        status=status if status in ("approved", "draft") else None,
        validity=validity or None,
    )
    found = await in_thread(wired, wired.library.page, guest.principal.workspace, wanted, order, cursor, PAGE)
    chosen = {"q": q, "kind": kind, "language": language, "audience": audience, "status": status}
    chosen |= {"validity": validity, "order": order}
    return page(
        request,
        "knowledge/documents.html",
        found=found,
        rows=[(row, share_accepted(row.use), judged(row.use) if row.use else 0) for row in found.rows],
        kinds=KINDS,
        validities=VALIDITIES,
        orders=ORDERS,
        chosen=chosen,
        narrowed=wanted != ShelfFilter(),
        rest=urlencode({name: value for name, value in chosen.items() if value}),
        zone=place,
        now=wired.clock(),
        may_edit=guest.may(EDITOR),
    )
