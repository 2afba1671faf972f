"""What comes in and what will: hours of the week, the forecast with its band, surges and who could help."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from kb_service.console.charts import band, shades, ticks
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Text
from kb_service.wire.traffic import ForecastOut, HeatmapOut, HelpOut, SurgeOut

router = APIRouter(prefix="/console/traffic", route_class=PageRoute, include_in_schema=False)
HOURS = 48
MOST_SURGES = 10
By = Literal["expertise", "product", "channel"]
DIMENSIONS: tuple[By, ...] = ("expertise", "channel", "product")


@router.get("")
async def traffic(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    by: Annotated[By, Query()] = "expertise",
    key: Annotated[Text, Query(max_length=200)] = "",
) -> Response:
    workspace, language = guest.principal.workspace, language_of(request)
    found = await in_thread(
        wired, wired.traffic.heatmap, workspace, by, since=None, until=None, timezone=None, dated=False
    )
    forecast = await in_thread(wired, wired.traffic.forecast, workspace, HOURS, None)
    names = await in_thread(wired, wired.traffic.names, workspace)
    surges = await in_thread(
        wired, wired.traffic.surges, workspace, None, MOST_SURGES, since=None, expertise=None, open=None
    )
    help = await in_thread(wired, wired.traffic.help, workspace, None, None, None)
    heatmap = HeatmapOut.of(found, language)
    ahead = ForecastOut.of(forecast, names, language)
    row = next((item for item in heatmap.rows if key and item.key == key), heatmap.total)
    hours = ahead.total.hours
    return page(
        request,
        "traffic/traffic.html",
        by=by,
        dimensions=DIMENSIONS,
        heatmap=heatmap,
        row=row,
        grid=shades(row.cells),
        forecast=ahead,
        band=band([h.low_80 for h in hours], [h.expected for h in hours], [h.high_80 for h in hours]),
        ticks=ticks([hour.at for hour in hours], place),
        surges=[SurgeOut.of(item, names, language) for item in surges.items],
        help=[HelpOut.of(item, names, language) for item in help],
        zone=place,
    )
