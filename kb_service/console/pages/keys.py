"""The keys of programs: made, shown once, revoked."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.console.typed import Typed, refused, typed
from kb_service.errors import InvalidRequest
from kb_service.models import KEY_ROLES
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id

HOME = "/console/administration/keys"
router = APIRouter(prefix=HOME, route_class=PageRoute, include_in_schema=False)
MOST_REVOKED = 50
"""Revoked keys that are still listed, the newest."""


@router.get("")
async def keys(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    return await _keys(request, wired, guest, place, Typed())


@router.post("")
async def create(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    """A new key, shown here once."""
    form = await typed(request)
    try:
        secret, _ = await in_thread(
            wired, wired.keyring.create, guest.principal, form.text("label"), form.all("roles")
        )
    except InvalidRequest as error:
        return await _keys(request, wired, guest, place, refused(request, form, error), status=422)
    return await _keys(request, wired, guest, place, Typed(), secret=secret)


@router.get("/{id}/revoke")
async def ask(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """Whether the key shall really end: that is not taken back."""
    key = await in_thread(wired, wired.keyring.one, guest.principal.workspace, id)
    return page(request, "administration/revoke.html", key=key, roles=KEY_ROLES, zone=place)


@router.post("/{id}/revoke")
async def revoke(wired: Wired, guest: Guest, id: Id) -> Response:
    key = await in_thread(wired, wired.keyring.revoke, guest.principal, id)
    return done("The key {label} was revoked.", to=HOME, label=key.label or key.prefix)


async def _keys(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    form: Typed,
    *,
    secret: str | None = None,
    status: int = 200,
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.keyring.all, workspace)
    members = await in_thread(wired, wired.accounts.members, workspace)
    return page(
        request,
        "administration/keys.html",
        status=status,
        valid=[key for key in found if key.revoked_at is None],
        revoked=[key for key in found if key.revoked_at is not None][:MOST_REVOKED],
        names={member.id: member.name for member in members},
        roles=KEY_ROLES,
        form=form,
        secret=secret,
        zone=place,
    )
