"""The people who answer: who they are, what they can take, and who is here now."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from graph.models import Agent
from kb_service.console.guard import Guest, PageRoute
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.console.typed import Typed, checked, new_id, outdated, overtaken, refused, stamped, typed
from kb_service.errors import Conflict, InvalidRequest, changed_meanwhile
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.wire.base import Id
from kb_service.wire.people import AgentIn

ROOT = "/console/administration"
HOME = f"{ROOT}/agents"
router = APIRouter(prefix=ROOT, route_class=PageRoute, include_in_schema=False)
PAGE = 50


@router.get("/agents")
async def agents(request: Request, wired: Wired, guest: Guest, cursor: Cursor = None) -> Response:
    found = await in_thread(wired, wired.team.agents, guest.principal.workspace, cursor, PAGE)
    fields = await in_thread(wired, wired.clustering.names, guest.principal.workspace)
    return page(
        request,
        "administration/agents.html",
        agents=found.items,
        fields=fields,
        next_cursor=found.next_cursor,
    )


@router.get("/new/agent")
async def new(request: Request, wired: Wired, guest: Guest) -> Response:
    return await _form(request, wired, guest, Typed({"capacity": ("5",), "languages": ("zh, en",)}), None)


@router.post("/agents")
async def create(request: Request, wired: Wired, guest: Guest) -> Response:
    return await _save(request, wired, guest, await typed(request), None)


@router.get("/agents/{id}")
async def agent(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    found = await in_thread(wired, wired.team.agent, guest.principal.workspace, id)
    return await _form(request, wired, guest, stamped(_held(found)), found)


@router.post("/agents/{id}")
async def change(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    form = await typed(request)
    found = await in_thread(wired, wired.team.agent, guest.principal.workspace, id)
    return await _save(request, wired, guest, form, found)


@router.post("/agents/{id}/online")
async def present(wired: Wired, guest: Guest, id: Id, online: Annotated[bool, Form()]) -> Response:
    """Say for an agent that they are here, or gone."""
    found = await in_thread(wired, wired.team.agent, guest.principal.workspace, id)
    await in_thread(wired, wired.team.put_agent, guest.principal, replace(found, online=online), over=found)
    return RedirectResponse(HOME, status_code=303)


@router.post("/agents/{id}/remove")
async def remove(wired: Wired, guest: Guest, id: Id) -> Response:
    found = await in_thread(wired, wired.team.agent, guest.principal.workspace, id)
    await in_thread(wired, wired.team.remove_agent, guest.principal, id)
    return done("The agent {name} was removed.", to=HOME, undo=f"{HOME}/{id}/restore", name=found.name)


@router.post("/agents/{id}/restore")
async def restore(wired: Wired, guest: Guest, id: Id) -> Response:
    found = await in_thread(wired, wired.team.restore_agent, guest.principal, id)
    return done("The agent {name} is back, and offline.", to=f"{HOME}/{id}", name=found.name)


async def _save(request: Request, wired: Wired, guest: Guest, form: Typed, known: Agent | None) -> Response:
    try:
        agent_id = known.id if known else new_id(form.text("id"))
        if known is None and await in_thread(wired, wired.team.known, guest.principal.workspace, agent_id):
            raise InvalidRequest.of("id", "there is an agent {id} already", id=agent_id)
        made = checked(
            lambda: AgentIn.model_validate(
                {
                    "name": form.text("name"),
                    "languages": form.words("languages"),
                    "skills": form.words("skills"),
                    "capacity": form.whole("capacity"),
                    "online": bool(form.text("online")),
                    "pool": form.text("pool") or "core",
                    "permissions": form.words("permissions"),
                }
            )
        ).value(agent_id)
    except InvalidRequest as error:
        return await _form(request, wired, guest, refused(request, form, error), known, status=422)
    try:
        if known is not None and outdated(form, _held(known)):
            raise changed_meanwhile()
        await in_thread(wired, wired.team.put_agent, guest.principal, made, over=known)
    except Conflict:
        return await _form(request, wired, guest, overtaken(request, form), known, status=409)
    return done("The agent {name} was saved.", to=HOME, name=made.name)


def _held(agent: Agent) -> Typed:
    return Typed(
        {
            "name": (agent.name,),
            "languages": (", ".join(agent.languages),),
            "skills": (", ".join(agent.skills),),
            "capacity": (str(agent.capacity),),
            "online": ("1",) if agent.online else (),
            "pool": (agent.pool,),
            "permissions": (", ".join(agent.permissions),),
        }
    )


async def _form(
    request: Request, wired: Wired, guest: Guest, form: Typed, agent: Agent | None, *, status: int = 200
) -> Response:
    clusters = await in_thread(wired, wired.clustering.all, guest.principal.workspace)
    return page(
        request,
        "administration/agent.html",
        status=status,
        form=form,
        agent=agent,
        clusters=clusters,
        pools=("core", "flex"),
    )
