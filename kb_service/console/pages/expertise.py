"""Who knows what: the clusters of intents, problems and people, what leads to each, and what people decide of them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response

from kb_service.console.guard import Guest, PageRoute
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.console.typed import Typed, overtaken, refused, typed
from kb_service.errors import InvalidRequest, not_whole
from kb_service.people.profile_views import ClusterDetail
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id

HOME = "/console/administration/expertise"
router = APIRouter(prefix=HOME, route_class=PageRoute, include_in_schema=False)
MOST_SHOWN = 200
PROBLEMS_SHOWN = 50
OFFERED = 200
"""Intents and agents that can be chosen; the ids of others are typed."""
OVER = "over"
"""The field of a form that tells which name stood when it was made."""
Kind = Literal["intent", "problem", "agent"]
PINS: dict[Kind, str] = {"intent": "intent_ids", "problem": "problem_ids", "agent": "agent_ids"}


@router.get("")
async def clusters(request: Request, wired: Wired, guest: Guest) -> Response:
    found = await in_thread(wired, wired.clustering.all, guest.principal.workspace)
    return page(
        request, "administration/clusters.html", clusters=found[:MOST_SHOWN], more=len(found) - MOST_SHOWN
    )


@router.get("/{id}")
async def cluster(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    return await _cluster(request, wired, guest, id, Typed())


@router.post("/{id}/name")
async def name(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """Name a cluster, or with an empty name leave that to the shop's own words."""
    form = await typed(request)
    if OVER not in form.fields:
        raise not_whole()
    given = " ".join(form.text("name").split())
    if len(given) > 100:
        error = InvalidRequest.of("name", "must have at most {max_length} characters", max_length=100)
        return await _cluster(request, wired, guest, id, refused(request, form, error), status=422)
    detail = await in_thread(wired, wired.clustering.one, guest.principal.workspace, id)
    before = (detail.pin.name if detail.pin else None) or ""
    if form.text(OVER) != before:
        return await _cluster(request, wired, guest, id, overtaken(request, form), status=409)
    await in_thread(wired, wired.clustering.pin, guest.principal, id, {"name": given or None})
    return done(
        "The name was kept.",
        to=f"{HOME}/{id}",
        undo=f"{HOME}/{id}/name",
        fields={"name": before, OVER: given},
    )


@router.post("/{id}/pin")
async def pin(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """Pin an intent, a problem or an agent to a cluster."""
    form = await typed(request)
    kind, chosen = _kind(form), form.text("chosen")
    try:
        if not chosen:
            raise InvalidRequest.of("chosen", "is required")
        known = _pinned(await in_thread(wired, wired.clustering.one, guest.principal.workspace, id), kind)
        changes = {PINS[kind]: [*known, chosen]}
        await in_thread(wired, wired.clustering.pin, guest.principal, id, changes)
    except InvalidRequest as error:
        faulty = refused(request, form, error)
        said = next(iter(faulty.faults.values()))
        return await _cluster(
            request, wired, guest, id, Typed(form.fields, {f"chosen-{kind}": said}), status=422
        )
    return done(
        "{id} was pinned.",
        to=f"{HOME}/{id}",
        undo=f"{HOME}/{id}/unpin",
        fields={"kind": kind, "chosen": chosen},
        id=chosen,
    )


@router.post("/{id}/unpin")
async def unpin(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """Leave it to the shop's own words and to learning again where something belongs."""
    form = await typed(request)
    kind, chosen = _kind(form), form.text("chosen")
    detail = await in_thread(wired, wired.clustering.one, guest.principal.workspace, id)
    aliases = {item.id: set(item.aliases) for item, _ in detail.problems}
    kept = [item for item in _pinned(detail, kind) if item != chosen and item not in aliases.get(chosen, ())]
    after = await in_thread(wired, wired.clustering.pin, guest.principal, id, {PINS[kind]: kept})
    there = bool(after.intents or after.problems or after.members or after.pin)
    return done(
        "The pin of {id} was taken back.",
        to=f"{HOME}/{id}" if there else HOME,
        undo=f"{HOME}/{id}/pin",
        fields={"kind": kind, "chosen": chosen},
        id=chosen,
    )


def _kind(form: Typed) -> Kind:
    given = form.text("kind")
    for kind in PINS:
        if kind == given:
            return kind
    raise InvalidRequest.of("kind", "must be one of {expected}", expected=", ".join(PINS))


def _pinned(detail: ClusterDetail, kind: Kind) -> tuple[str, ...]:
    if detail.pin is None:
        return ()
    return {
        "intent": detail.pin.intent_ids,
        "problem": detail.pin.problem_ids,
        "agent": detail.pin.agent_ids,
    }[kind]


async def _cluster(
    request: Request, wired: Wired, guest: Guest, id: str, form: Typed, *, status: int = 200
) -> Response:
    workspace = guest.principal.workspace
    detail = await in_thread(wired, wired.clustering.one, workspace, id)
    intents = await in_thread(wired, wired.taxonomy.intents, workspace, None, OFFERED)
    agents = await in_thread(wired, wired.team.agents, workspace, None, OFFERED)
    here = detail.expertise
    return page(
        request,
        "administration/cluster.html",
        status=status,
        detail=detail,
        problems=detail.problems[:PROBLEMS_SHOWN],
        form=form,
        intents=[item for item in intents.items if item.id not in here.intent_ids],
        agents=[item for item in agents.items if item.id not in here.agent_ids],
    )
