"""The shop's knowledge for editors: its documents, what contradicts, what grew stale."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response

from ingest.models import Audience, Kind, Status
from kb_service.care.conflict_watch import Conflict, ConflictSide
from kb_service.care.library import Order, ShelfFilter, Validity
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.console.use_chart import judged, share_accepted
from kb_service.console.ways_back import way_back
from kb_service.routes.context import Wired, in_thread
from kb_service.security import EDITOR
from kb_service.wire.base import Id, Text
from kb_service.wire.care import StaleOut

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute, include_in_schema=False)
PAGE = 50
KINDS: tuple[Kind, ...] = ("policy", "product", "faq", "resolution")
VALIDITIES: tuple[Validity, ...] = ("valid", "upcoming", "expired", "superseded")
ORDERS: tuple[Order, ...] = ("changed", "title", "ends")
Cursor = Annotated[Text | None, Query(max_length=500)]


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
        conflicts=[(item, sides(item)) for item in found.items],
        complete=wired.conflicts.complete(workspace),
        next_cursor=found.next_cursor,
        zone=place,
        now=wired.clock(),
        may_edit=guest.may(EDITOR),
    )


@router.post("/conflicts/settle")
async def settle(
    wired: Wired,
    guest: Guest,
    keep: Annotated[Id, Form()],
    other: Annotated[Id, Form()],
    how: Annotated[Literal["end", "supersede"], Form()],
) -> Response:
    """Keep one of two documents that contradict one another: the other ends now, or is superseded where both apply."""
    back = "/console/knowledge/conflicts"
    if how == "end":
        status = await in_thread(wired, wired.editing.end, guest.principal, other, wired.clock())
    else:
        status = await in_thread(wired, wired.editing.supersede, guest.principal, keep, other)
    undo, fields = way_back(status)
    fields["to"] = back
    if how == "end":
        return done(
            "{other} does not hold any more; {keep} does.",
            to=back, undo=undo, fields=fields, keep=keep, other=other,
        )  # fmt: skip
    return done(
        "{keep} holds in place of {other}, wherever both apply.",
        to=back, undo=undo, fields=fields, keep=keep, other=other,
    )  # fmt: skip


@router.get("/stale")
async def stale(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, cursor: Cursor = None
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.stale.lately, workspace, cursor, PAGE)
    return page(
        request,
        "knowledge/stale.html",
        documents=[StaleOut.model_validate(item) for item in found.items],
        looked_at=wired.stale.looked_at(workspace),
        next_cursor=found.next_cursor,
        zone=place,
        may_edit=guest.may(EDITOR),
    )


def sides(conflict: Conflict) -> list[tuple[tuple[str, bool], ...]]:
    """The two statements of a conflict in pieces, the quantities marked in which they differ."""
    return [_pieces(side) for side in conflict.documents]


def _pieces(side: ConflictSide) -> tuple[tuple[str, bool], ...]:
    if side.value is None:
        return ((side.quote, False),)
    start, end = side.value
    return (side.quote[:start], False), (side.quote[start:end], True), (side.quote[end:], False)
