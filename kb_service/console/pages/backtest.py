"""Rules tried on the past, alert by alert: what was raised, what would have been, and when."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from graph.rules import Rules
from kb_service.console.backtest_closeup import Closeup, Which, alerts_in, problems_in
from kb_service.console.charts.bins import parts_of
from kb_service.console.charts.timelines import timeline
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.console.rule_faults import REFUSED, RulesRefused, refusal
from kb_service.console.rule_fields import GROUPS
from kb_service.console.rule_form import Shown, rules_of, sheet_of, sheet_read
from kb_service.console.rule_runs import RunSeen, begun, looked_at
from kb_service.console.typed import midnight
from kb_service.errors import InvalidRequest
from kb_service.recurring.backtesting import LONGEST, Backtest, Trial
from kb_service.routes.context import Wired, in_thread
from kb_service.services import Services
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/backtest", route_class=PageRoute, include_in_schema=False)
HERE = "/console/backtest"
DAYS = 30
TRIED = next(group for group in GROUPS if group.name == "alerts").fields


@router.get("")
async def backtest(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    run: Annotated[Id | None, Query()] = None,
    problem: Annotated[Text, Query(max_length=200)] = "",
    begin: Annotated[datetime | None, Query()] = None,
    end: Annotated[datetime | None, Query()] = None,
    show: Annotated[Which, Query()] = "all",
    number: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    present = await in_thread(wired, wired.rulebook.rules, guest.principal.workspace)
    seen = await _asked_for(request, wired, guest, run)
    drawn: dict[str, Any] = {}
    if seen is not None and seen.outcome is not None:
        closeup = Closeup.at(HERE, seen.id, seen.outcome, problem=problem, begin=begin, end=end, show=show)
        drawn = await _drawn(request, wired, guest, closeup, place, number)
    return await _page(request, wired, guest, place, present, run=seen, drawn=drawn)


@router.post("")
async def begin_run(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    since: Annotated[Text, Form(max_length=10)] = "",
    until: Annotated[Text, Form(max_length=10)] = "",
) -> Response:
    """Start a run, or go to the one that is going for the same span and rules."""
    present = await in_thread(wired, wired.rulebook.rules, guest.principal.workspace)
    sheet = {**sheet_of(present), **_given(sheet_read(await request.form()))}
    try:
        wanted = rules_of(sheet, present)
        trial = Trial(*_span(since, until, place), lambda _: wanted)
        bearing = [item.name for item in TRIED]
        started = await in_thread(
            wired, begun, wired, guest, trial, present, f"backtest {since} {until}", bearing
        )
    except REFUSED as error:
        filled = {"since": since, "until": until}
        return await _page(request, wired, guest, place, present, sheet, filled, refusal(error))
    return RedirectResponse(f"{HERE}?run={started.id}#result", status_code=303)


@router.get("/runs/{id}")
async def progress(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """How far a run is; when it is over, or gone, the whole page is asked for again and tells what to do."""
    seen = await looked_at(wired, guest, id, language_of(request))
    response = page(request, "problems/_run.html", run=seen)
    if seen.state != "going":
        response.headers["HX-Refresh"] = "true"
    return response


def _given(sheet: dict[str, Shown]) -> dict[str, Shown]:
    return {item.name: sheet[item.name] for item in TRIED if item.name in sheet}


def _span(since: str, until: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Whole days of the shop. Raises InvalidRequest for what is no span that can be tried."""
    begin, end = midnight("since", since, zone), midnight("until", until, zone, days=1)
    if begin >= end:
        last = (end - timedelta(days=1)).date().isoformat()
        raise InvalidRequest.of("since", "must be before {end}, the end of the span", end=last)
    if end - begin > LONGEST:
        raise InvalidRequest.of("since", "must be at most {days} days before the end", days=LONGEST.days)
    return begin, end


async def _asked_for(request: Request, wired: Services, guest: Guest, id: str | None) -> RunSeen | None:
    """A run by its id, else the one that the visitor began last."""
    language = language_of(request)
    if id is not None:
        return await looked_at(wired, guest, id, language)
    latest = await in_thread(wired, wired.backtest_runs.latest, guest.principal.workspace, guest.member.id)
    return RunSeen.of(latest, language) if latest is not None else None


async def _drawn(
    request: Request, wired: Services, guest: Guest, closeup: Closeup, zone: tzinfo, number: int
) -> dict[str, Any]:
    """What the page shows of a run's outcome: the chart of what is looked at, and a page of its alerts."""
    found, chosen = closeup.found, closeup.problem
    counts = found.messages
    if chosen is not None:
        counts = await in_thread(
            wired,
            wired.backtesting.messages,
            guest.principal.workspace,
            chosen.id,
            closeup.begin,
            closeup.end,
        )
    return {
        "found": found,
        "closeup": closeup,
        "chart": timeline(
            found,
            counts,
            closeup.begin,
            closeup.end,
            zone,
            problem_id=chosen.id if chosen is not None else None,
        ),
        "parts": parts_of(closeup.begin, closeup.end, zone),
        "alerts": alerts_in(closeup, number),
        "problems": problems_in(found, language_of(request)),
        "compared": found.tried != found.rules,
        "tried": _tried(found),
    }


def _tried(found: Backtest) -> list[tuple[str, Shown, Shown]]:
    """The rules that were other than those in force, as the form shows both."""
    before, after = sheet_of(found.rules), sheet_of(found.tried)
    return [
        (item.name, before[item.name], after[item.name])
        for item in TRIED
        if getattr(found.rules, item.name) != getattr(found.tried, item.name)
    ]


async def _page(
    request: Request,
    wired: Services,
    guest: Guest,
    place: tzinfo,
    present: Rules,
    sheet: dict[str, Shown] | None = None,
    filled: dict[str, str] | None = None,
    refused: RulesRefused | None = None,
    *,
    run: RunSeen | None = None,
    drawn: dict[str, Any] | None = None,
) -> Response:
    outcome = run.outcome if run is not None else None
    return page(
        request,
        "problems/backtest.html",
        run=run,
        fields=TRIED,
        sheet=sheet or sheet_of(outcome.tried if outcome is not None else present),
        in_force=sheet_of(present),
        filled=filled or await _days(wired, guest, place, outcome),
        zone=place,
        **(refused or RulesRefused()).told(language_of(request)),
        **({"found": None} | (drawn or {})),
    )


async def _days(wired: Services, guest: Guest, place: tzinfo, outcome: Backtest | None) -> dict[str, str]:
    """The days that the form begins with: those of what is shown, else the last ones of the shop."""
    if outcome is not None:
        begin, end = outcome.begin, outcome.end - timedelta(seconds=1)
    else:
        begin, end = await in_thread(wired, wired.backtesting.span, guest.principal.workspace, DAYS)
    return {
        "since": begin.astimezone(place).date().isoformat(),
        "until": end.astimezone(place).date().isoformat(),
    }
