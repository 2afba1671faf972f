"""What each person's work was worth, part by part, and trials of two ways side by side."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from graph.board import POINTS, STEPS, WEIGHTS, Part, PartName, Standings
from graph.experiments import State
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id, Text
from kb_service.wire.board import BoardLineOut
from kb_service.wire.experiments import ExperimentReportOut
from kb_service.wire.people import ProfileOut

router = APIRouter(prefix="/console/traffic", route_class=PageRoute, include_in_schema=False)
SPANS = (7, 28, 90)
PAGE = 50
PARTS: tuple[PartName, ...] = tuple(WEIGHTS)
Days = Annotated[Literal["7", "28", "90"], Query()]
STATES: tuple[State, ...] = ("running", "draft", "concluded", "stopped_by_guard", "stopped")


@router.get("/people")
async def people(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    days: Days = "28",
    start: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """The board: who has a value by value, then who has too few cases for one."""
    workspace = guest.principal.workspace
    report = await in_thread(wired, wired.measuring.board_lately, workspace, int(days))
    told = [line for line in report.people if line.value is not None]
    shown = told[start : start + PAGE]
    return page(
        request,
        "traffic/people.html",
        lines=[(line, {part.name: part for part in line.parts}) for line in shown],
        few=[line for line in report.people if line.value is None][:PAGE],
        few_more=max(0, len(report.people) - len(told) - PAGE),
        more=start + PAGE if start + PAGE < len(told) else None,
        parts=PARTS,
        weights=WEIGHTS,
        span=report.span,
        days=int(days),
        spans=SPANS,
        points=POINTS,
        steps=STEPS,
        zone=place,
    )


@router.get("/people/{id}")
async def person(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id, days: Days = "28"
) -> Response:
    """One person: every part in words, and what they are good at by expertise and by problem."""
    workspace, language = guest.principal.workspace, language_of(request)
    profile = await in_thread(wired, wired.team.profile, workspace, id)
    report = await in_thread(wired, wired.measuring.board_lately, workspace, int(days))
    line = next((item for item in report.people if item.person.id == id), None)
    return page(
        request,
        "traffic/person.html",
        profile=ProfileOut.of(profile, language),
        line=BoardLineOut.of(line, report.labels, language) if line is not None else None,
        parts=_parts(line),
        weights=WEIGHTS,
        span=report.span,
        days=int(days),
        spans=SPANS,
        zone=place,
    )


def _parts(line: Standings | None) -> dict[PartName, Part]:
    return {part.name: part for part in line.parts} if line is not None else {}


@router.get("/trials")
async def trials(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    state: Annotated[State | Literal[""], Query()] = "",
    cursor: Annotated[Text | None, Query(max_length=500)] = None,
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


@router.get("/trials/{id}")
async def trial(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """One trial with its figures so far, which hold however often they are looked at."""
    report = await in_thread(wired, wired.experiments.report, guest.principal.workspace, id)
    return page(
        request,
        "traffic/trial.html",
        trial=ExperimentReportOut.of_report(report, language_of(request)),
        zone=place,
    )
