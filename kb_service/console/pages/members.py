"""Who may sign in: members with their roles, links and sessions."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from kb_service.accounts import Membership
from kb_service.console.guard import Guest, PageRoute, ShopZone, sign_in_link
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.console.typed import Typed, outdated, overtaken, refused, stamped, typed
from kb_service.errors import InvalidRequest, NotFound
from kb_service.models import KEY_ROLES
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id

HOME = "/console/administration"
router = APIRouter(prefix=HOME, route_class=PageRoute, include_in_schema=False)
OFFERED = tuple(role for role in KEY_ROLES if role != "bot")
"""The roles of people: programs have keys."""
NOBODY = Typed()


@router.get("")
async def members(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    return await _members(request, wired, guest, place, NOBODY)


@router.post("/members")
async def invite(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    """Invite somebody; their link is shown here once."""
    form = await typed(request)
    try:
        member, token = await in_thread(
            wired, wired.accounts.invite, guest.principal.workspace, form.text("name"), form.all("roles"),
            agent_id=form.some("agent_id"), by=guest.principal,
        )  # fmt: skip
    except InvalidRequest as error:
        return await _members(request, wired, guest, place, refused(request, form, error), status=422)
    return await _members(request, wired, guest, place, NOBODY, link=(member.name, token))


@router.get("/members/{id}")
async def member(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    return await _member(request, wired, guest, place, id)


@router.post("/members/{id}")
async def change(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    form = await typed(request)
    known = await _existing(wired, guest.principal.workspace, id)
    if outdated(form, _held(known)):
        return await _member(request, wired, guest, place, id, overtaken(request, form), status=409)
    try:
        changed = await in_thread(
            wired, wired.accounts.change, guest.principal.workspace, id, name=form.text("name"),
            roles=form.all("roles"), agent_id=form.some("agent_id"), by=guest.principal,
            over=known.member,
        )  # fmt: skip
    except InvalidRequest as error:
        return await _member(request, wired, guest, place, id, refused(request, form, error), status=422)
    return done("{name} was changed.", to=HOME, name=changed.name)


@router.post("/members/{id}/link")
async def link(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    workspace = guest.principal.workspace
    token = await in_thread(wired, wired.accounts.new_link, workspace, id, by=guest.principal)
    return await _member(request, wired, guest, place, id, token=token)


@router.post("/members/{id}/sessions")
async def sign_out(wired: Wired, guest: Guest, id: Id) -> Response:
    """Sign a member out everywhere."""
    workspace = guest.principal.workspace
    ended = await in_thread(wired, wired.accounts.sign_out_everywhere, workspace, id, by=guest.principal)
    return done("Signed out everywhere: {count} sessions ended.", to=f"{HOME}/members/{id}", count=ended)


@router.post("/members/{id}/end")
async def end(wired: Wired, guest: Guest, id: Id) -> Response:
    workspace = guest.principal.workspace
    found = await _existing(wired, workspace, id)
    await in_thread(wired, wired.accounts.end, workspace, id, by=guest.principal)
    return done(
        "{name} may sign in no more.", to=HOME, undo=f"{HOME}/members/{id}/resume", name=found.member.name
    )


@router.post("/members/{id}/resume")
async def resume(wired: Wired, guest: Guest, id: Id) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.accounts.resume, workspace, id, by=guest.principal)
    return done("{name} is a member again and needs a new link.", to=f"{HOME}/members/{id}", name=found.name)


async def _existing(wired: Wired, workspace: str, id: str) -> Membership:
    known = await in_thread(wired, wired.accounts.memberships, workspace)
    found = next((item for item in known if item.member.id == id), None)
    if found is None:
        raise NotFound("There is no member {id} in this workspace.", id=id)
    return found


async def _members(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    form: Typed,
    *,
    link: tuple[str, str] | None = None,
    status: int = 200,
) -> Response:
    workspace = guest.principal.workspace
    known = await in_thread(wired, wired.accounts.memberships, workspace)
    agents = await in_thread(wired, wired.team.agents, workspace, None, 200)
    return page(
        request,
        "administration/members.html",
        status=status,
        members=known,
        agents=agents.items,
        roles=OFFERED,
        all_roles=KEY_ROLES,
        form=form,
        zone=place,
        invited=link and link[0],
        link=link and sign_in_link(request, link[1]),
    )


async def _member(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: str,
    form: Typed | None = None,
    *,
    token: str | None = None,
    status: int = 200,
) -> Response:
    workspace = guest.principal.workspace
    found = await _existing(wired, workspace, id)
    agents = await in_thread(wired, wired.team.agents, workspace, None, 200)
    member = found.member
    return page(
        request,
        "administration/member.html",
        status=status,
        found=found,
        agents=agents.items,
        roles=[role for role in KEY_ROLES if role in OFFERED or role in member.roles],
        form=form or stamped(_held(found)),
        zone=place,
        link=token and sign_in_link(request, token),
    )


def _held(membership: Membership) -> Typed:
    member = membership.member
    roles = tuple(sorted(member.roles))
    return Typed({"name": (member.name,), "roles": roles, "agent_id": (member.agent_id or "",)})
