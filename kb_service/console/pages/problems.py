"""What keeps going wrong, for product teams: the board, one problem, and the steps of its life, each with its undo."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from graph.models import ProblemState
from kb_service.console.charts.days import bars, small_bars
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page, rest_of
from kb_service.console.typed import bounded
from kb_service.errors import InvalidRequest
from kb_service.models import ProblemView
from kb_service.recurring.problem_board import DAYS_OF_GROWTH, BoardSort, BoardView, for_reader
from kb_service.recurring.quoting import for_reader as quotes
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.security import PRODUCT
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/problems", route_class=PageRoute, include_in_schema=False)
PAGE = 40
DOCUMENTS = 2
"""Documents that answer a problem, of a row of the board."""
AGENTS = 200
"""Agents that one may be chosen from as an owner."""
VIEWS: tuple[BoardView, ...] = ("standing", "emerging", "evergreen", "resolved", "candidates", "all")
SORTS: tuple[BoardSort, ...] = ("active", "customers", "growth", "opened")
STATES: tuple[ProblemState, ...] = ("open", "regressed", "acknowledged", "silenced")
"""States by which problems that stand are told apart; the others have a view of their own."""
Step = Literal["acknowledge", "resolve", "reopen", "silence"]
Span = Literal["day", "week", "time", "customers", "worse"]
SPANS: tuple[Span, ...] = ("day", "week", "time", "customers", "worse")
SILENCES = {"day": timedelta(days=1), "week": timedelta(weeks=1)}
MOST_CUSTOMERS = 1_000_000
"""Further customers after which a silence may end at the latest, as on the wire."""
Name = Annotated[Text, Form(max_length=200)]


@router.get("")
async def board(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    view: Annotated[BoardView, Query()] = "standing",
    state: Annotated[ProblemState | Literal[""], Query()] = "",
    q: Annotated[Text, Query(max_length=500)] = "",
    sort: Annotated[BoardSort, Query()] = "active",
    cursor: Cursor = None,
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(
        wired,
        wired.problem_board.board,
        workspace,
        view,
        cursor,
        PAGE,
        state=state or None,
        q=q.strip() or None,
        sort=sort,
    )
    return page(
        request,
        "problems/problems.html",
        rows=[
            (row, small_bars(row.days.counts), for_reader(row.documents, language_of(request))[:DOCUMENTS])
            for row in found.rows
        ],
        counts=found.counts,
        complete=found.complete,
        more=rest_of("/console/problems", found.next_cursor, view=view, state=state, q=q, sort=sort),
        views=VIEWS,
        view=view,
        states=STATES,
        state=state,
        q=q,
        sorts=SORTS,
        sort=sort,
        days=DAYS_OF_GROWTH,
        zone=place,
    )


@router.get("/{id}")
async def problem(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    workspace, may = guest.principal.workspace, guest.may(PRODUCT)
    found = await in_thread(wired, wired.problem_board.one, workspace, id)
    agents = await in_thread(wired, wired.team.agents, workspace, None, AGENTS) if may else None
    return page(
        request,
        "problems/problem.html",
        found=found,
        detail=found.detail,
        examples=quotes(found.detail.examples, language_of(request)),
        linked=for_reader(
            (*found.detail.answers, *found.detail.policies, *found.detail.resolutions), language_of(request)
        ),
        problem=found.detail.view.problem,
        bars=bars(found.days.first, found.days.counts),
        most=max(found.days.counts, default=0),
        steps=_steps(found.detail.view.problem.state) if may else (),
        agents=agents.items if agents is not None else (),
        spans=SPANS,
        zone=place,
    )


@router.post("/{id}/assign")
async def assign(
    wired: Wired, guest: Guest, id: Id, agent_id: Annotated[Text, Form(max_length=200)] = ""
) -> Response:
    view = await in_thread(wired, wired.problems.own, guest.principal, id, agent_id or None)
    return done("The owner is changed.", **_back(view))


@router.post("/{id}/rename")
async def rename(wired: Wired, guest: Guest, id: Id, zh: Name = "", en: Name = "") -> Response:
    """Give a problem other names; a field that is left empty changes nothing."""
    before = (await in_thread(wired, wired.problems.problem, guest.principal.workspace, id)).view.problem
    given = {"zh": zh.strip(), "en": en.strip()}
    names = {
        language: name for language, name in given.items() if name and name != before.names.get(language)
    }
    if not names:
        return done("The name is as it was.", to=f"/console/problems/{before.id}")
    view = await in_thread(wired, wired.problems.rename, guest.principal, id, names)
    before = view.before or before
    kept = {**before.names, "by_person": "yes" if before.named_by_person else "", "step": str(view.step)}
    address = _address(view)
    return done("The problem is renamed.", to=address, undo=f"{address}/unname", fields=kept)


@router.post("/{id}/unname")
async def unname(
    wired: Wired,
    guest: Guest,
    id: Id,
    step: Annotated[int, Form(ge=1)],
    zh: Name = "",
    en: Name = "",
    by_person: Annotated[Text, Form(max_length=3)] = "",
) -> Response:
    """Give a problem the names back that it had before a step."""
    names = {language: name for language, name in (("zh", zh), ("en", en)) if name.strip()}
    view = await in_thread(
        wired, wired.problems.unname, guest.principal, id, step, names, by_person=bool(by_person)
    )
    return done("Taken back.", to=_address(view))


@router.post("/{id}/undo")
async def undo(wired: Wired, guest: Guest, id: Id, step: Annotated[int, Form(ge=1)]) -> Response:
    """Take back what was last done to a problem."""
    view = await in_thread(wired, wired.problems.undo, guest.principal, id, step)
    return done("Taken back.", to=_address(view))


@router.post("/{id}/{action}")
async def act(
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    action: Step,
    span: Annotated[Span, Form()] = "day",
    until: Annotated[Text, Form(max_length=40)] = "",
    count: Annotated[Text, Form(max_length=9)] = "",
) -> Response:
    given = _silence(span, until, count, wired.clock(), place) if action == "silence" else {}
    view = await in_thread(wired, wired.problems.act, guest.principal, id, action, **given)
    match action:
        case "acknowledge":
            return done("The problem is acknowledged.", **_back(view))
        case "resolve":
            return done("The problem is marked as resolved.", **_back(view))
        case "reopen":
            return done("The problem is open again.", **_back(view))
        case "silence":
            return done("The problem is silent.", **_back(view))


def _back(view: ProblemView) -> dict[str, Any]:
    """Where what was done is told, the problem's page, and what takes it back where something was done."""
    address = _address(view)
    if view.step is None:
        return {"to": address}
    return {"to": address, "undo": f"{address}/undo", "fields": {"step": str(view.step)}}


def _address(view: ProblemView) -> str:
    return f"/console/problems/{view.problem.id}"


def _silence(span: Span, until: str, count: str, now: datetime, place: tzinfo) -> dict[str, Any]:
    """What ends a silence, as `Problems.act` takes it; a time is one on the shop's clocks."""
    if span == "worse":
        return {"escalation": True}
    if span == "customers":
        if not count.isdecimal() or int(count) < 1:
            raise InvalidRequest.of("count", "must be a whole number")
        if int(count) > MOST_CUSTOMERS:
            raise InvalidRequest.of("count", "must be at most {le}", le=MOST_CUSTOMERS)
        return {"count": int(count)}
    if span != "time":
        return {"until": now + SILENCES[span]}
    try:
        moment = datetime.fromisoformat(until).replace(tzinfo=place)
    except ValueError as error:
        raise InvalidRequest.of("until", "is required") from error
    return {"until": bounded("until", moment)}


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
