"""What comes in and what will: the forecast beside what came, hours and expertise, surges and who could help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from graph.hindsight import Hindsight
from kb_service.accounts import Visitor
from kb_service.console.charts.hours import Course, HeatCell, course, heat, ticks
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.messages import Language
from kb_service.routes.context import Wired, in_thread
from kb_service.services import Services
from kb_service.traffic.desk import HelpNeeded
from kb_service.traffic.heatmaps import Heatmap, HeatRow
from kb_service.traffic.surging import WHOLE_SHOP
from kb_service.wire.base import Text
from kb_service.wire.traffic import ForecastOut, HelpOut, OutlookOut, SurgeOut, TrainingOut
from kb_service.wire.unsorted import UNSORTED

router = APIRouter(prefix="/console/traffic", route_class=PageRoute, include_in_schema=False)
HOURS = 48
PAST_DAYS = 7
"""Days whose forecasts are told beside what came."""
MOST_SURGES = 5
MOST_OFFERS = 5
MOST_TRAINED = 8
MOST_ROWS = 24
By = Literal["expertise", "product", "channel"]
DIMENSIONS: tuple[By, ...] = ("expertise", "channel", "product")
Weekday = Literal["", "1", "2", "3", "4", "5", "6", "7"]
WEEKDAYS: tuple[Weekday, ...] = ("1", "2", "3", "4", "5", "6", "7")
PARTS = {"forecast": "traffic/_forecast.html", "heat": "traffic/_heat.html"}
"""What a script may ask for alone, by the id of the element that it replaces."""


@dataclass(frozen=True, slots=True)
class PastDay:
    """One day of the shop: what came, what was expected of it, and in how many hours the band held."""

    weekday: str
    date: str
    came: int
    expected: int
    held: int
    tried: int


@dataclass(frozen=True, slots=True)
class HeatGroup:
    """A row of the picture of hours: an expertise, a channel or a product. `query` shows its week."""

    key: str | None
    name: str
    query: str
    cells: Sequence[HeatCell]
    cases: int


@dataclass(frozen=True, slots=True)
class Week:
    """The hours of the week of one group or of the whole shop."""

    name: str
    cells: Sequence[Sequence[HeatCell]]
    cases: int
    messages: int
    customers: int


@router.get("")
async def traffic(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    by: Annotated[By, Query()] = DIMENSIONS[0],
    key: Annotated[Text, Query(max_length=200)] = "",
    expertise: Annotated[Text, Query(max_length=200)] = "",
    day: Annotated[Weekday, Query()] = "",
    shade: Annotated[Literal["all", "row"], Query()] = "all",
) -> Response:
    """The page, or the one part of it that a script asks for."""
    workspace, language = guest.principal.workspace, language_of(request)
    part = request.headers.get("hx-target", "")
    names = await in_thread(wired, wired.traffic.names, workspace)
    chosen = {"by": by, "day": day, "shade": shade, "expertise": expertise if expertise in names else ""}
    given: dict[str, Any] = {**chosen, "key": key, "names": names, "zone": place, "weekdays": WEEKDAYS}
    if part != "heat":
        given |= await _ahead(wired, workspace, chosen["expertise"], names, language, place)
    if part != "forecast":
        found = await in_thread(wired, wired.traffic.heatmap_lately, workspace, by)
        given |= _picture(found, chosen, key, language)
    if part not in PARTS:
        given |= await _people(wired, guest, names, language)
    return page(request, PARTS.get(part, "traffic/traffic.html"), **given)


def first_view(wired: Services, workspace: str) -> None:
    """Make what the page asks for when nothing was chosen on it."""
    wired.traffic.heatmap_lately(workspace, DIMENSIONS[0])
    wired.traffic.forecast(workspace, HOURS)
    wired.traffic.hindsight(workspace, PAST_DAYS)
    wired.traffic.help(workspace, None, None)
    wired.traffic.training(workspace)


# --- the forecast beside what came


async def _ahead(
    wired: Services,
    workspace: str,
    expertise: str,
    names: Mapping[str, str],
    language: Language,
    place: tzinfo,
) -> dict[str, Any]:
    forecast = await in_thread(wired, wired.traffic.forecast, workspace, HOURS, None)
    judged = await in_thread(wired, wired.traffic.hindsight, workspace, PAST_DAYS, expertise or None)
    told = ForecastOut.of(forecast, dict(names), language)
    of = (item for item in told.expertise if item.expertise is not None and item.expertise.id == expertise)
    ahead = next(of, told.total)
    shown = told.basis != "no_history"
    moments = [datetime.fromtimestamp(int(hour) * 3600, UTC) for hour in judged.hours] + list(forecast.hours)
    told_hours = judged.hours[judged.told]
    told_from, told_to = (
        _bounds(int(told_hours[0]), int(told_hours[-1]) + 1) if len(told_hours) else (None, None)
    )
    return {
        "ahead": ahead,
        "judged": judged,
        "told_from": told_from,
        "told_to": told_to,
        "unheard": len(judged.hours) - judged.tried,
        "course": _course(judged, ahead) if shown else None,
        "ticks": ticks(moments, place, every=24),
        "days": _past_days(judged, place),
        "unusual": [at for at in told.unusual_days if moments and at >= moments[0].astimezone(place).date()],
        "live": abs((wired.clock() - forecast.hours[0]).total_seconds()) < 7200,
    }


def _bounds(*hours: int) -> tuple[datetime, ...]:
    return tuple(datetime.fromtimestamp(hour * 3600, UTC) for hour in hours)


def _course(judged: Hindsight, ahead: OutlookOut) -> Course:
    came = np.where(judged.told, judged.came, np.nan)
    return course(
        came.tolist(),
        [*judged.mean.tolist(), *(hour.expected for hour in ahead.hours)],
        [*judged.low.tolist(), *(hour.low_80 for hour in ahead.hours)],
        [*judged.high.tolist(), *(hour.high_80 for hour in ahead.hours)],
    )


def _past_days(judged: Hindsight, place: tzinfo) -> list[PastDay]:
    """The hours of hindsight by day of the shop, the latest first."""
    dates = [datetime.fromtimestamp(int(hour) * 3600, place).date() for hour in judged.hours]
    found = []
    for date in sorted(set(dates), reverse=True):
        of_day = np.array([other == date for other in dates])
        tried = int(judged.told[of_day].sum())
        found.append(
            PastDay(
                weekday=str(date.isoweekday()),
                date=f"{date:%m-%d}",
                came=int(judged.came[of_day].sum()),
                expected=round(float(judged.mean[of_day].sum())),
                held=tried - int(judged.outside[of_day].sum()),
                tried=tried,
            )
        )
    return found


# --- hours and groups


def _picture(found: Heatmap, chosen: Mapping[str, str], key: str, language: Language) -> dict[str, Any]:
    days = slice(None) if not chosen["day"] else slice(int(chosen["day"]) - 1, int(chosen["day"]))
    shown = found.rows[:MOST_ROWS]
    often = found.counted[days].sum(0).tolist()
    rows = heat(
        [row.cases[days].sum(0).tolist() for row in shown],
        [often] * len(shown),
        each=chosen["shade"] == "row",
    )
    unnamed = UNSORTED[found.by][language]
    plain = {name: value for name, value in chosen.items() if value}
    groups = [
        HeatGroup(
            row.key,
            row.name or unnamed,
            urlencode({**plain, "key": row.key or ""}),
            cells,
            int(row.cases[days].sum()) if chosen["day"] else row.distinct_cases,
        )
        for row, cells in zip(shown, rows, strict=True)
    ]
    one = next((row for row in found.rows if key and row.key == key), None)
    return {
        "dimensions": DIMENSIONS,
        "groups": groups,
        "left_out": len(found.rows) - len(shown),
        "week": _week(one or found.total, found, (one and one.name) or WHOLE_SHOP[language]),
        "key": one.key if one is not None else "",
        "back": urlencode(plain),
        "since": found.since,
        "until": found.until,
    }


def _week(row: HeatRow, found: Heatmap, name: str) -> Week:
    return Week(
        name,
        heat(row.cases.tolist(), found.counted.tolist()),
        row.distinct_cases,
        int(row.messages.sum()),
        row.distinct_customers,
    )


# --- surges, help and training


async def _people(
    wired: Services, guest: Visitor, names: Mapping[str, str], language: Language
) -> dict[str, Any]:
    workspace = guest.principal.workspace
    surges = await in_thread(
        wired, wired.traffic.surges, workspace, None, MOST_SURGES, since=None, expertise=None, open=None
    )
    help = await in_thread(wired, wired.traffic.help, workspace, None, None, None)
    trainings, fields, people = await in_thread(wired, wired.traffic.training, workspace)
    return {
        "surges": [SurgeOut.of(item, dict(names), language) for item in surges.items],
        "help": [_help(item, names, language) for item in help],
        "training": [TrainingOut.of(item, fields, people, language) for item in trainings[:MOST_TRAINED]],
        "most_offers": MOST_OFFERS,
    }


def _help(item: HelpNeeded, names: Mapping[str, str], language: Language) -> dict[str, Any]:
    """Who could help, each with the fields by name that would lend them."""
    told = HelpOut.of(item, dict(names), language)
    agents = [
        {"text": agent.text, "lent_by": [names.get(id, id) for id in agent.lent_by]} for agent in told.agents
    ]
    return {**dict(told), "agents": agents}
