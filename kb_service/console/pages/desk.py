"""The queue: the cases of each list, the next one to take, and all keys of the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from graph.models import Case, Priority, Problem
from kb_service.accounts import Visitor
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.readable import shortened
from kb_service.console.rendering import fragment, language_of, page
from kb_service.ids import digest_id
from kb_service.models import QueuedCase
from kb_service.people.agent_desk import ListedCase, View
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.services import Services
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console", route_class=PageRoute, include_in_schema=False)
PAGE = 50
EXCERPT = 160
"""Characters of what was said that a row shows."""
VIEWS: tuple[View, ...] = ("waiting", "mine", "asked", "assigned", "pending", "bot", "resolved")
OWN: frozenset[View] = frozenset({"mine", "asked"})
"""Lists of an agent's own: who is no agent has none."""
Shown = Annotated[View, Query()]


@dataclass(frozen=True, slots=True)
class Span:
    """A time that has passed, as people say it."""

    count: int
    unit: Literal["min", "h", "d"]


@dataclass(frozen=True, slots=True)
class Row:
    """A case of a list, by what its customer said last that tells something; `said` is what was said after that, `by`
    by whom. `priority`, `due` and `late` are known of those that wait."""

    case: Case
    problem: Problem | None
    asked: str
    said: str
    by: str | None
    ago: Span
    priority: Priority | None = None
    due: datetime | None = None
    late: bool = False


@router.get("/desk")
async def desk(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    view: Shown = "waiting",
    cursor: Cursor = None,
) -> Response:
    return page(request, "desk/desk.html", **await _list(request, wired, guest, place, view, cursor))


@router.get("/desk/rows")
async def rows(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    view: Shown = "waiting",
    cursor: Cursor = None,
    seen: Annotated[Text, Query(max_length=200)] = "",
) -> Response:
    """The rows of a list and the counts of all, for a page that shows them already; nothing where they are `seen`."""
    given = await _list(request, wired, guest, place, view, cursor)
    if given["mark"] == seen:
        return Response(status_code=204)
    return fragment(request, "desk/rows.html", **given)


@router.get("/desk/next")
async def next_case(
    request: Request, wired: Wired, guest: Guest, after: Annotated[Id | None, Query()] = None
) -> Response:
    """Go on to the next case: the visitor's own whose customer waits, then the queue."""
    found = await following(request, wired, guest, after)
    if found is None:
        return done("Nothing else waits.", to="/console/desk")
    return RedirectResponse(f"/console/cases/{found}", status_code=303)


@router.get("/shortcuts")
async def shortcuts(request: Request) -> Response:
    """All keys of the keyboard that the console is used by."""
    return page(request, "desk/shortcuts.html")


async def following(request: Request, wired: Services, guest: Visitor, after: str | None) -> str | None:
    """The id of the case to go on with after one; None where no other waits."""
    return await in_thread(
        wired, wired.agent_desk.next_case, guest.principal.workspace, guest.member.agent_id, after,
        language=language_of(request),
    )  # fmt: skip


async def _list(
    request: Request, wired: Services, guest: Visitor, place: tzinfo, view: View, cursor: str | None
) -> Mapping[str, Any]:
    workspace, agent_id = guest.principal.workspace, guest.member.agent_id
    language, now = language_of(request), wired.clock()
    counts = await in_thread(wired, wired.agent_desk.counts, workspace, agent_id)
    names = await in_thread(wired, wired.agent_desk.names, workspace)
    if view == "waiting":
        queue = await in_thread(wired, wired.waiting_queue.page, workspace, cursor, PAGE, language=language)
        found, following = tuple(_queued(item, now) for item in queue.items), queue.next_cursor
    else:
        listed = await in_thread(wired, wired.agent_desk.listed, workspace, view, agent_id, cursor, PAGE)
        found, following = tuple(_listed(item, now) for item in listed.items), listed.next_cursor
    return {
        "view": view,
        "views": [item for item in VIEWS if agent_id is not None or item not in OWN],
        "counts": counts,
        "names": names,
        "rows": found,
        "cursor": cursor,
        "next_cursor": following,
        "mark": digest_id("rows", repr((counts, found, following, language))),
        "zone": place,
    }


def _queued(item: QueuedCase, now: datetime) -> Row:
    since = item.waiting_since or item.case.opened_at
    due = item.sla.first_response_due
    asked = shortened(item.asked, EXCERPT)
    return Row(item.case, item.problem, asked, "", None, _span(since, now), item.priority, due, due < now)


def _listed(item: ListedCase, now: datetime) -> Row:
    after = "" if item.said == item.asked else shortened(item.said, EXCERPT)
    asked = shortened(item.asked, EXCERPT)
    return Row(item.case, item.problem, asked, after, item.by, _span(item.case.active_at, now))


def _span(since: datetime, now: datetime) -> Span:
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 100:
        return Span(minutes, "min")
    return Span(minutes // 60, "h") if minutes < 48 * 60 else Span(minutes // (24 * 60), "d")
