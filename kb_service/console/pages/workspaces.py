"""One's own workspace, and for an operator the others of the installation."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from kb_service.console.guard import Guest, PageRoute, ShopZone, sign_in_link
from kb_service.console.rendering import page
from kb_service.console.typed import Typed, refused, typed
from kb_service.errors import InvalidRequest
from kb_service.installation import LANGUAGES
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id

HOME = "/console/administration/workspaces"
router = APIRouter(prefix=HOME, route_class=PageRoute, include_in_schema=False)
MOST_SHOWN = 200
FRESH = Typed({"languages": LANGUAGES})


@router.get("")
async def workspaces(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    return await _workspaces(request, wired, guest, place, FRESH)


@router.post("")
async def create(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    """A new workspace; the link of its first administrator is shown here once."""
    form = await typed(request)
    try:
        created, token = await in_thread(
            wired, wired.installation.create, guest, form.text("id"),
            name=form.text("name"), languages=form.all("languages"),
        )  # fmt: skip
    except InvalidRequest as error:
        return await _workspaces(request, wired, guest, place, refused(request, form, error), status=422)
    return await _workspaces(request, wired, guest, place, FRESH, link=(created.id, token))


@router.post("/{id}/link")
async def link(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    token = await in_thread(wired, wired.installation.first_link, guest, id)
    return await _workspaces(request, wired, guest, place, FRESH, link=(id, token))


async def _workspaces(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    form: Typed,
    *,
    link: tuple[str, str] | None = None,
    status: int = 200,
) -> Response:
    own = await in_thread(wired, wired.installation.own, guest.principal.workspace)
    others = await in_thread(wired, wired.installation.all, guest)
    return page(
        request,
        "administration/workspaces.html",
        status=status,
        own=own,
        others=others[:MOST_SHOWN],
        more=len(others) - MOST_SHOWN,
        languages=LANGUAGES,
        form=form,
        zone=place,
        opened=link and link[0],
        link=link and sign_in_link(request, link[1]),
    )
