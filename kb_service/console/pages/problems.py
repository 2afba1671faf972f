"""What keeps going wrong, for product teams: the board, one problem, and what is done about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from graph.models import ProblemState
from kb_service.console.charts import sparkline
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import page
from kb_service.routes.context import Wired, in_thread
from kb_service.security import PRODUCT
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/problems", route_class=PageRoute, include_in_schema=False)
PAGE = 50
ALERTS = 20
"""The latest alerts of a problem that its page tells."""
STATES: tuple[ProblemState, ...] = (
    "open", "regressed", "acknowledged", "silenced", "candidate", "resolved",
)  # fmt: skip
Kind = Literal["", "emerging", "evergreen"]
Step = Literal["acknowledge", "resolve", "reopen", "silence"]
SILENCES = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


@router.get("")
async def board(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    state: Annotated[ProblemState | Literal[""], Query()] = "",
    kind: Annotated[Kind, Query()] = "",
    q: Annotated[Text, Query(max_length=500)] = "",
    cursor: Annotated[Text | None, Query(max_length=500)] = None,
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(
        wired, wired.problems.problems, workspace, cursor, PAGE,
        state=state or None, emerging=True if kind == "emerging" else None,
        evergreen=True if kind == "evergreen" else None, q=q or None, sort="active",
    )  # fmt: skip
    more = urlencode({"state": state, "kind": kind, "q": q, "cursor": found.next_cursor or ""})
    return page(
        request,
        "problems/problems.html",
        views=found.items,
        more=f"/console/problems?{more}" if found.next_cursor else None,
        states=STATES,
        state=state,
        kind=kind,
        q=q,
        zone=place,
    )


@router.get("/{id}")
async def problem(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    workspace = guest.principal.workspace
    detail = await in_thread(wired, wired.problems.problem, workspace, id)
    alerts = await in_thread(
        wired, wired.problems.alerts, workspace, None, ALERTS, problem_id=detail.view.problem.id
    )
    return page(
        request,
        "problems/problem.html",
        detail=detail,
        problem=detail.view.problem,
        alerts=[view.alert for view in alerts.items],
        line=sparkline(detail.counts, place),
        steps=_steps(detail.view.problem.state) if guest.may(PRODUCT) else (),
        zone=place,
    )


@router.post("/{id}/{action}")
async def act(
    wired: Wired,
    guest: Guest,
    id: Id,
    action: Step,
    span: Annotated[Literal["day", "week"], Form()] = "day",
) -> Response:
    given: dict[str, datetime] = {}
    if action == "silence":
        given["until"] = wired.clock() + SILENCES[span]
    await in_thread(wired, wired.problems.act, guest.principal, id, action, **given)
    return RedirectResponse(f"/console/problems/{id}", status_code=303)


def _steps(state: ProblemState) -> tuple[Step, ...]:
    """What a person may do next, the likeliest first."""
    match state:
        case "resolved":
            return ("reopen",)
        case "acknowledged":
            return ("resolve", "silence")
        case "silenced":
            return ("reopen", "resolve")
        case _:
            return ("acknowledge", "resolve", "silence")
