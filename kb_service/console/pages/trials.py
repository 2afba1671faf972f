"""Two ways side by side: the trials of a shop, and what each has shown so far."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from graph.experiments import State
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.wire.base import Id
from kb_service.wire.experiments import ExperimentReportOut

router = APIRouter(prefix="/console/traffic/trials", route_class=PageRoute, include_in_schema=False)
PAGE = 50
STATES: tuple[State, ...] = ("running", "draft", "concluded", "stopped_by_guard", "stopped")


@router.get("")
async def trials(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    state: Annotated[State | Literal[""], Query()] = "",
    cursor: Cursor = None,
) -> Response:
    found = await in_thread(
        wired, wired.experiments.page, guest.principal.workspace, cursor, PAGE, state=state or None
    )
    return page(
        request,
        "traffic/trials.html",
        trials=found.items,
        next_cursor=found.next_cursor,
        states=STATES,
        state=state,
        zone=place,
    )


@router.get("/{id}")
async def trial(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """One trial with its figures so far, which hold however often they are looked at."""
    report = await in_thread(wired, wired.experiments.report, guest.principal.workspace, id)
    return page(
        request,
        "traffic/trial.html",
        trial=ExperimentReportOut.of_report(report, language_of(request)),
        fields=await in_thread(wired, wired.clustering.names, guest.principal.workspace),
        zone=place,
    )
