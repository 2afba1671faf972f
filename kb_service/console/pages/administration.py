"""For administrators: who may sign in, keys, and what was changed by whom."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import page
from kb_service.models import KEY_ROLES
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/administration", route_class=PageRoute, include_in_schema=False)
PAGE = 50
Roles = Annotated[list[Text], Form(default_factory=list, max_length=10)]


@router.get("")
async def members(request: Request, wired: Wired, guest: Guest) -> Response:
    return await _members(request, wired, guest, None)


@router.post("/members")
async def invite(
    request: Request,
    wired: Wired,
    guest: Guest,
    roles: Roles,
    name: Annotated[Text, Form(max_length=200)] = "",
    agent_id: Annotated[Text, Form(max_length=200)] = "",
) -> Response:
    """Invite somebody; their link is shown here once."""
    _, token = await in_thread(
        wired, wired.accounts.invite, guest.principal.workspace, name, roles,
        agent_id=agent_id or None, by=guest.principal,
    )  # fmt: skip
    return await _members(request, wired, guest, token)


@router.post("/members/{id}/link")
async def link(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    token = await in_thread(wired, wired.accounts.new_link, guest.principal.workspace, id, by=guest.principal)
    return await _members(request, wired, guest, token)


@router.post("/members/{id}/end")
async def end(wired: Wired, guest: Guest, id: Id) -> Response:
    await in_thread(wired, wired.accounts.end, guest.principal.workspace, id, by=guest.principal)
    return RedirectResponse("/console/administration", status_code=303)


@router.get("/audit")
async def audit(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    cursor: Annotated[Text | None, Query(max_length=500)] = None,
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.knowledge.audit, workspace, cursor, PAGE)
    known = await in_thread(wired, wired.accounts.members, workspace)
    return page(
        request,
        "administration/audit.html",
        entries=found.items,
        names={member.id: member.name for member in known},
        next_cursor=found.next_cursor,
        zone=place,
    )


async def _members(request: Request, wired: Wired, guest: Guest, token: str | None) -> Response:
    workspace = guest.principal.workspace
    known = await in_thread(wired, wired.accounts.members, workspace)
    agents = await in_thread(wired, wired.team.agents, workspace, None, 200)
    return page(
        request,
        "administration/members.html",
        members=[member for member in known if member.ended_at is None],
        agents=agents.items,
        roles=KEY_ROLES,
        link=f"{request.url.scheme}://{request.url.netloc}/console/sign-in?token={token}" if token else None,
    )
