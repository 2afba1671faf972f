"""Problems that are one, or two, or come under another: chosen, looked at before, done, and taken back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.recurring.regrouping_previews import CHOSEN_FROM
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/problems/{id}", route_class=PageRoute, include_in_schema=False)
Sought = Annotated[Text, Query(max_length=500)]


@router.get("/merge")
async def choose_merge(
    request: Request,
    wired: Wired,
    guest: Guest,
    id: Id,
    q: Sought = "",
    into: Annotated[Text, Query(max_length=200)] = "",
) -> Response:
    """Which problem it is the same as; with `into` what merging them would do."""
    workspace = guest.principal.workspace
    detail = await in_thread(wired, wired.problems.problem, workspace, id)
    if into:
        preview = await in_thread(wired, wired.regrouping_previews.merge, workspace, id, into)
        return page(
            request, "problems/merge.html", problem=detail.view.problem, preview=preview, choices=(), q=q
        )
    choices = await in_thread(wired, wired.regrouping_previews.choices, workspace, id, q.strip() or None)
    return page(
        request, "problems/merge.html", problem=detail.view.problem, preview=None, choices=choices, q=q
    )


@router.post("/merge")
async def merge(wired: Wired, guest: Guest, id: Id, into: Annotated[Id, Form()]) -> Response:
    view = await in_thread(wired, wired.regrouping.merge, guest.principal, id, into)
    address = f"/console/problems/{view.problem.id}"
    return done("The two problems are one now.", to=address, undo=f"{address}/unmerge", fields={"alias": id})


@router.post("/unmerge")
async def unmerge(wired: Wired, guest: Guest, id: Id, alias: Annotated[Id, Form()]) -> Response:
    """Take a merge back: the problem that was merged is one of its own again."""
    view = await in_thread(wired, wired.regrouping.unmerge, guest.principal, id, alias)
    return done(
        "The merge is taken back: this is a problem of its own again, and no night will merge the two.",
        to=f"/console/problems/{view.problem.id}",
        undo=f"/console/problems/{view.problem.id}/merge",
        fields={"into": id},
    )


@router.get("/split")
async def choose_split(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    q: Sought = "",
    case: Annotated[list[Id] | None, Query(max_length=CHOSEN_FROM)] = None,
) -> Response:
    """Which cases are another problem; with some of them chosen what that would make."""
    workspace = guest.principal.workspace
    detail = await in_thread(wired, wired.problems.problem, workspace, id)
    chosen = case or []
    preview = (
        await in_thread(wired, wired.regrouping_previews.split, workspace, id, chosen) if chosen else None
    )
    cases = await in_thread(wired, wired.regrouping_previews.cases, workspace, id, q.strip() or None)
    return page(
        request,
        "problems/split.html",
        problem=detail.view.problem,
        preview=preview,
        cases=cases,
        chosen=chosen,
        q=q,
        most=CHOSEN_FROM,
        zone=place,
    )


@router.post("/split")
async def split(
    wired: Wired, guest: Guest, id: Id, case: Annotated[list[Id], Form(min_length=1, max_length=CHOSEN_FROM)]
) -> Response:
    view = await in_thread(wired, wired.regrouping.split, guest.principal, id, case)
    address = f"/console/problems/{view.problem.id}"
    return done(
        "These cases are a problem of their own now.",
        to=address,
        undo=f"{address}/merge",
        fields={"into": id},
    )


@router.get("/parent")
async def choose_parent(request: Request, wired: Wired, guest: Guest, id: Id, q: Sought = "") -> Response:
    """Which problem it comes under, whose alerts then speak for it."""
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.problem_board.one, workspace, id)
    choices = await in_thread(wired, wired.regrouping_previews.choices, workspace, id, q.strip() or None)
    return page(
        request,
        "problems/parent.html",
        problem=found.detail.view.problem,
        parent=found.parent,
        choices=choices,
        q=q,
    )


@router.post("/parent")
async def place(
    wired: Wired, guest: Guest, id: Id, parent: Annotated[Text, Form(max_length=200)] = ""
) -> Response:
    """Let a problem come under another one, or with nothing under none."""
    view = await in_thread(wired, wired.problems.place, guest.principal, id, parent or None)
    address = f"/console/problems/{view.problem.id}"
    above = view.before.parent_id if view.before is not None else None
    undo, fields = f"{address}/parent", {"parent": above or ""}
    if parent:
        return done("The problem comes under another one now.", to=address, undo=undo, fields=fields)
    return done("The problem comes under no other one now.", to=address, undo=undo, fields=fields)
