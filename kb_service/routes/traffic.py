"""What came in, what will, and who could help."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.wire.base import Page, Text, When
from kb_service.wire.traffic import ForecastOut, HeatmapOut, HelpOut, SurgeOut, TrainingOut
from kb_service.wire.zones import Zone

router = APIRouter(prefix="/v1/traffic", tags=["traffic"], route_class=GuardedRoute)
At = Annotated[When | None, Query(description="The present moment; the clock's by default.")]
Expertise = Annotated[Text | None, Query(max_length=200)]


@router.get("/heatmap", summary="Customers' messages and cases by hour of the week or of each day")
async def heatmap(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    by: Literal["expertise", "product", "channel"] = "expertise",
    since: Annotated[When | None, Query(alias="from")] = None,
    until: Annotated[When | None, Query(alias="to")] = None,
    timezone: Zone | None = None,
    per: Annotated[Literal["week", "day"], Query(description="Days of the week, or the dates of the span.")] = "week",
) -> HeatmapOut:  # fmt: skip
    found = await in_thread(
        wired, wired.traffic.heatmap, caller.workspace, by,
        since=since, until=until, timezone=timezone, dated=per == "day",
    )  # fmt: skip
    return HeatmapOut.of(found, lang)


@router.get("/forecast", summary="Cases in the hours to come, with intervals, and how many people they need")
async def forecast(
    wired: Wired, caller: Caller, lang: Lang, hours: Annotated[int, Query(ge=1, le=336)] = 48, at: At = None
) -> ForecastOut:
    found = await in_thread(wired, wired.traffic.forecast, caller.workspace, hours, at)
    names = await in_thread(wired, wired.traffic.names, caller.workspace)
    return ForecastOut.of(found, names, lang)


@router.get("/surges", summary="Times at which more came in than was likely, the latest first")
async def surges(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    since: When | None = None,
    expertise: Expertise = None,
    state: Literal["open", "closed"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SurgeOut]:
    page = await in_thread(
        wired, wired.traffic.surges, caller.workspace, cursor, limit,
        since=since, expertise=expertise, open=None if state is None else state == "open",
    )  # fmt: skip
    names = await in_thread(wired, wired.traffic.names, caller.workspace)
    items = [SurgeOut.of(item, names, lang) for item in page.items]
    return Page[SurgeOut](items=items, next_cursor=page.next_cursor)


@router.get("/help", summary="Who could help where more comes in than the people there can take")
async def help(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    expertise: Expertise = None,
    language: Annotated[Text | None, Query(max_length=8, description="One that helpers must speak.")] = None,
    at: At = None,
) -> Page[HelpOut]:
    found = await in_thread(wired, wired.traffic.help, caller.workspace, expertise, language, at)
    names = await in_thread(wired, wired.traffic.names, caller.workspace)
    return Page[HelpOut](items=[HelpOut.of(item, names, lang) for item in found])


@router.get("/training", summary="Where training would pay, in cases resolved besides")
async def training(wired: Wired, caller: Caller, lang: Lang, at: At = None) -> Page[TrainingOut]:
    found, names, agents = await in_thread(wired, wired.traffic.training, caller.workspace, at)
    return Page[TrainingOut](items=[TrainingOut.of(item, names, agents, lang) for item in found])
