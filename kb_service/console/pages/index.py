"""What serves the shop's answers and in which state it is, for administrators; and the index made anew."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from kb_service.background import BackgroundWork
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.rounds import WorkspaceRounds
from kb_service.routes.context import Wired, in_thread
from kb_service.services import Services

router = APIRouter(prefix="/console/administration/index", route_class=PageRoute, include_in_schema=False)
HERE = "/console/administration/index"
MOVES = 5
"""The latest moves of the ranking that are listed."""


@dataclass(frozen=True, slots=True)
class Work:
    """Work beside requests: whether it is alive, and of rounds when the last ended, how long it took, and what went
    wrong in this shop."""

    name: str
    alive: bool
    every: float | None = None
    last: datetime | None = None
    seconds: float | None = None
    error: str | None = None


@router.get("")
async def index(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    told = await _state(wired, guest.principal.workspace)
    return page(request, "administration/index.html", **told, zone=place)


@router.get("/state")
async def state(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    """The part of the page that asks for itself again now and then."""
    told = await _state(wired, guest.principal.workspace)
    return page(request, "administration/_index.html", **told, zone=place)


@router.post("/rebuild")
async def rebuild(wired: Wired, guest: Guest) -> Response:
    await in_thread(wired, wired.upkeep.rebuild, guest.principal)
    return done("The index is being made anew; everything goes on meanwhile.", to=HERE)


async def _state(wired: Services, workspace: str) -> dict[str, Any]:
    moves = await in_thread(wired, wired.learning.moves, workspace, None, MOVES)
    now = wired.clock()
    return {
        "condition": await in_thread(wired, wired.upkeep.condition, workspace),
        "run": wired.upkeep.rebuilding(workspace),
        "jobs": await in_thread(wired, wired.nightly.standing, workspace),
        "works": [_work(item, workspace, now) for item in wired.background],
        "moves": moves.items,
        "now": now,
    }


def _work(item: BackgroundWork, workspace: str, now: datetime) -> Work:
    if not isinstance(item, WorkspaceRounds):
        return Work(item.name, item.alive)
    last = item.last
    if last is None:
        return Work(item.name, item.alive, item.every)
    ago = timedelta(seconds=time.monotonic() - last.ended)
    return Work(item.name, item.alive, item.every, now - ago, last.seconds, last.failed.get(workspace))
