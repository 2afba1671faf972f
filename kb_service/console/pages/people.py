"""What each person's work was worth, part by part, and what they are good at."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from graph.board import POINTS, STEPS, WEIGHTS, BoardLine, Part, PartName
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.routes.context import Wired, in_thread
from kb_service.services import Services
from kb_service.wire.base import Id
from kb_service.wire.board import BoardLineOut
from kb_service.wire.people import ProfileOut

router = APIRouter(prefix="/console/traffic", route_class=PageRoute, include_in_schema=False)
SPANS = (7, 28, 90)
PAGE = 50
PARTS: tuple[PartName, ...] = tuple(WEIGHTS)
Days = Annotated[Literal["7", "28", "90"], Query()]
FIRST: Literal["28"] = "28"


@router.get("/people")
async def people(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    days: Days = FIRST,
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
    request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id, days: Days = FIRST
) -> Response:
    """One person: every part in words, and what they are good at by expertise and by problem."""
    workspace, language = guest.principal.workspace, language_of(request)
    profile = await in_thread(wired, wired.team.profile, workspace, id)
    fields = await in_thread(wired, wired.clustering.names, workspace)
    report = await in_thread(wired, wired.measuring.board_lately, workspace, int(days))
    line = next((item for item in report.people if item.person.id == id), None)
    return page(
        request,
        "traffic/person.html",
        profile=ProfileOut.of(profile, language),
        fields=fields,
        line=BoardLineOut.of(line, report.labels, language) if line is not None else None,
        parts=_parts(line),
        weights=WEIGHTS,
        span=report.span,
        days=int(days),
        spans=SPANS,
        zone=place,
    )


def first_view(wired: Services, workspace: str) -> None:
    """Make what the page asks for when nothing was chosen on it."""
    wired.measuring.board_lately(workspace, int(FIRST))


def _parts(line: BoardLine | None) -> dict[PartName, Part]:
    return {part.name: part for part in line.parts} if line is not None else {}
