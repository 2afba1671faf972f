"""What was promised and what was kept: where cases wait now, and how support did over a span beside the one before."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from graph.profiles import SHOWN_FROM
from graph.support_metrics import Dimension, Metric
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import fragment, language_of, page
from kb_service.metrics.measuring import SupportReport
from kb_service.people.standing_queue import DIVIDED
from kb_service.routes.context import Wired, in_thread
from kb_service.services import Services
from kb_service.wire.unsorted import UNSORTED

router = APIRouter(prefix="/console/traffic", route_class=PageRoute, include_in_schema=False)
SPANS = (7, 28)
GROUPED: tuple[Dimension, ...] = ("expertise",)
MOST_PARTS = 12
MOST_GROUPS = 20
Unit = Literal["share", "seconds", "stars"]
Figures = tuple[tuple[Metric, Unit, Literal["higher", "lower"]], ...]
FIGURES: Figures = (
    ("first_response.within_level", "share", "higher"),
    ("resolved_within_level", "share", "higher"),
    ("first_response.median", "seconds", "lower"),
    ("first_response.p90", "seconds", "lower"),
    ("human_response.median", "seconds", "lower"),
    ("first_contact_resolution", "share", "higher"),
    ("resolved", "share", "higher"),
    ("reopened", "share", "lower"),
    ("deflection", "share", "higher"),
    ("containment", "share", "higher"),
    ("satisfaction.mean", "stars", "higher"),
    ("satisfaction.satisfied", "share", "higher"),
    ("acceptance.rate", "share", "higher"),
    ("handling_seconds.median", "seconds", "lower"),
    ("handovers", "share", "lower"),
)
"""What the page tells, each with its unit and with which side is the better one."""
BY_GROUP: Figures = tuple(
    item
    for item in FIGURES
    if item[0]
    in (
        "first_response.within_level",
        "resolved_within_level",
        "first_contact_resolution",
        "deflection",
        "satisfaction.mean",
        "acceptance.rate",
    )
)


@router.get("/service")
async def service_levels(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    days: Annotated[Literal["7", "28"], Query()] = "7",
) -> Response:
    """The page, or where cases wait alone for a script that asks for it."""
    workspace, language = guest.principal.workspace, language_of(request)
    queue = await in_thread(wired, wired.waiting_queue.standing, workspace, language=language)
    given: dict[str, Any] = {
        "queue": queue,
        "divided": DIVIDED,
        "most_parts": MOST_PARTS,
        "names": await in_thread(wired, wired.traffic.names, workspace),
        "unsorted": UNSORTED["expertise"][language],
        "zone": place,
    }
    if request.headers.get("hx-target") == "waiting":
        return fragment(request, "traffic/_waiting_live.html", **given)
    report = await in_thread(wired, wired.measuring.support_lately, workspace, int(days), GROUPED)
    return page(
        request,
        "traffic/service.html",
        report=report,
        days=int(days),
        spans=SPANS,
        figures=FIGURES,
        by_group=BY_GROUP,
        groups=_groups(report, given["unsorted"]),
        least=round(SHOWN_FROM),
        **given,
    )


def first_view(wired: Services, workspace: str) -> None:
    """Make what the page asks for when nothing was chosen on it."""
    wired.measuring.support_lately(workspace, SPANS[0], GROUPED)


def _groups(report: SupportReport, unsorted: str) -> list[tuple[str, Any]]:
    return [
        (report.labels.get(group.key or "", group.key or unsorted), group.metrics)
        for group in report.groups["expertise"][:MOST_GROUPS]
    ]
