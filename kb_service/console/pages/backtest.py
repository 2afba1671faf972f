"""Rules tried on the past, alert by alert: what was raised, what would have been, and when."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from graph.models import Rules
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page, said
from kb_service.console.rule_form import (
    FIELDS,
    GROUPS,
    Faults,
    Faulty,
    Shown,
    rules_of,
    said_place,
    sheet_of,
    sheet_read,
    told,
)
from kb_service.console.timelines import parts_of, rows_of, timeline
from kb_service.console.typed import bounded
from kb_service.errors import Conflict, InvalidRequest, NotFound, ServiceError
from kb_service.long_runs import Run
from kb_service.problem_details import details
from kb_service.recurring.backtesting import LONGEST, Backtest, Trial
from kb_service.recurring.rulebook import edition
from kb_service.routes.context import Wired, in_thread
from kb_service.services import Services
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/backtest", route_class=PageRoute, include_in_schema=False)
HERE = "/console/backtest"
DAYS = 30
PAGE = 100
MOST_PROBLEMS = 100
"""Problems that one may choose among, those with the most alerts."""
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
    show: Annotated[Text, Query(pattern="^(all|changed)$")] = "all",
    number: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    workspace = guest.principal.workspace
    present = await in_thread(wired, wired.rulebook.rules, workspace)
    held: Run[Backtest] | None = None
    gone: ServiceError | None = None
    if run is not None:
        try:
            held = await in_thread(wired, wired.backtest_runs.of, workspace, run)
        except NotFound as error:
            gone = error
    else:
        held = await in_thread(wired, wired.backtest_runs.latest, workspace, guest.member.id)
    drawn: dict[str, Any] = {}
    if held is not None and held.outcome is not None:
        drawn = await _drawn(wired, workspace, held, place, problem, begin, end, show, number)
        language = language_of(request)
        drawn["problems"].sort(key=lambda item: (item.names.get(language) or item.id).casefold())
    return await _page(request, wired, guest, place, present, held, refused=gone, drawn=drawn)


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
    filled = {"since": since, "until": until}
    try:
        wanted = rules_of(sheet, present)
        started = await in_thread(wired, _begin, wired, guest, present, wanted, place, since, until)
    except Faulty as error:
        return await _page(request, wired, guest, place, present, None, sheet, filled, faults=error.faults)
    except InvalidRequest as error:
        return await _page(
            request, wired, guest, place, present, None, sheet, filled, faults=told(error.fields)
        )
    except Conflict as error:
        return await _page(request, wired, guest, place, present, None, sheet, filled, refused=error)
    return RedirectResponse(f"{HERE}?run={started.id}#result", status_code=303)


@router.get("/runs/{id}")
async def progress(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """How far a run is; when it is over the whole page is asked for again."""
    try:
        run = await in_thread(wired, wired.backtest_runs.of, guest.principal.workspace, id)
    except NotFound as error:
        # Whoever asks each second is to stop asking: the page itself tells what to do.
        response = page(request, "administration/_gone.html", why=error.detail(language_of(request)))
        response.headers["HX-Refresh"] = "true"
        return response
    response = page(request, "problems/_run.html", run=run, why="")
    if run.state != "going":
        response.headers["HX-Refresh"] = "true"
    return response


def _given(sheet: dict[str, Shown]) -> dict[str, Shown]:
    return {item.name: sheet[item.name] for item in TRIED if item.name in sheet}


def _begin(
    wired: Services, guest: Guest, present: Rules, wanted: Rules, zone: tzinfo, since: str, until: str
) -> Run[Backtest]:
    workspace = guest.principal.workspace
    first, last = _day("since", since), _day("until", until)
    begin = bounded("since", datetime.combine(first, time(), zone))
    end = bounded("until", datetime.combine(last, time(), zone)) + timedelta(days=1)
    if begin >= end:
        raise InvalidRequest.of("since", "must be before {end}, the end of the span", end=last.isoformat())
    if end - begin > LONGEST:
        raise InvalidRequest.of("since", "must be at most {days} days before the end", days=LONGEST.days)
    trial = Trial(begin, end, lambda _: wanted)
    asked = {item.name: asdict(wanted)[item.name] for item in TRIED}
    key = f"backtest {since} {until} {edition(present)} {json.dumps(asked, sort_keys=True)}"
    return wired.backtest_runs.begin(
        workspace,
        guest.member.id,
        key,
        lambda heard: wired.backtesting.run(workspace, trial, heard),
        position=wired.backtesting.position(workspace),
    )


def _day(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest.of(field, "must be a date with its year, such as 2026-11-11") from None


async def _drawn(
    wired: Services,
    workspace: str,
    run: Run[Backtest],
    zone: tzinfo,
    problem: str,
    begin: datetime | None,
    end: datetime | None,
    show: str,
    number: int,
) -> dict[str, Any]:
    """What the page shows of a run's outcome: the chart of the chosen part, and a page of its alerts."""
    found = run.outcome
    assert found is not None
    first = max(found.begin, begin) if begin is not None and begin.tzinfo else found.begin
    last = min(found.end, end) if end is not None and end.tzinfo else found.end
    if not first < last:
        first, last = found.begin, found.end
    chosen = found.problems.get(problem)
    counts = found.messages
    if chosen is not None:
        counts = await in_thread(wired, wired.backtesting.messages, workspace, chosen.id, first, last)
    drawn = timeline(found, counts, first, last, zone, problem_id=chosen.id if chosen else None)
    rows = [
        row
        for row in rows_of(found)
        if (chosen is None or row.problem_id == chosen.id)
        and any(at is not None and first <= at < last for at in (row.then, row.now))
    ]
    outcomes = Counter(row.outcome for row in rows)
    if show == "changed":
        rows = [row for row in rows if row.outcome != "same"]
    pages = max(1, -(-len(rows) // PAGE))
    number = min(number, pages)
    alerts = Counter(
        item.problem_id for some in (found.as_it_was, found.present, found.proposed) for item in some.alerts
    )

    def link(anchor: str = "result", **other: object) -> str:
        held = {"run": run.id, "problem": chosen.id if chosen else "", "begin": "", "end": "", "show": show}
        if (first, last) != (found.begin, found.end):
            held |= {"begin": first.isoformat(), "end": last.isoformat()}
        held |= {
            name: value.isoformat() if isinstance(value, datetime) else str(value)
            for name, value in other.items()
        }
        return f"{HERE}?{urlencode({name: value for name, value in held.items() if value})}#{anchor}"

    length = last - first
    return {
        "found": found,
        "chart": drawn,
        "chosen": chosen,
        "rows": rows[(number - 1) * PAGE : number * PAGE],
        "many": len(rows),
        "number": number,
        "pages": pages,
        "outcomes": outcomes,
        "show": show,
        "compared": found.tried != found.rules,
        "parts": parts_of(first, last, zone),
        "zoomed": (first, last) != (found.begin, found.end),
        "before": (max(found.begin, first - length), first) if first > found.begin else None,
        "after": (last, min(found.end, last + length)) if last < found.end else None,
        "problems": [
            found.problems[id] for id, _ in alerts.most_common(MOST_PROBLEMS) if id in found.problems
        ],
        "link": link,
        "tried": [
            (item.name, sheet_of(found.rules)[item.name], sheet_of(found.tried)[item.name])
            for item in TRIED
            if getattr(found.rules, item.name) != getattr(found.tried, item.name)
        ],
    }


async def _page(
    request: Request,
    wired: Services,
    guest: Guest,
    place: tzinfo,
    present: Rules,
    run: Run[Backtest] | None,
    sheet: dict[str, Shown] | None = None,
    filled: dict[str, str] | None = None,
    *,
    faults: Faults | None = None,
    refused: ServiceError | None = None,
    drawn: dict[str, Any] | None = None,
) -> Response:
    language = language_of(request)
    if filled is None:
        begin, end = await in_thread(wired, wired.backtesting.span, guest.principal.workspace, DAYS)
        if run is not None and run.outcome is not None:
            begin, end = run.outcome.begin, run.outcome.end - timedelta(seconds=1)
        filled = {
            "since": begin.astimezone(place).date().isoformat(),
            "until": end.astimezone(place).date().isoformat(),
        }
    if sheet is None:
        sheet = sheet_of(run.outcome.tried if run is not None and run.outcome is not None else present)

    def where(name: str, within: str) -> str:
        return (
            said_place(FIELDS[name], within, lambda text: said(text, language)) if name in FIELDS else within
        )

    why = details(run.error, language)["detail"] if run is not None and run.error is not None else ""
    return page(
        request,
        "problems/backtest.html",
        status=422 if faults else 409 if isinstance(refused, Conflict) else 200,
        run=run,
        why=why,
        fields=TRIED,
        sheet=sheet,
        in_force=sheet_of(present),
        filled=filled,
        faults=faults or {},
        where=where,
        refused=refused.detail(language) if refused is not None else "",
        zone=place,
        **({"found": None} | (drawn or {})),
    )
