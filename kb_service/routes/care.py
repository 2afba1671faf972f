"""What needs care among the shop's documents: those that contradict one another, and those out of date."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from graph.staleness import StaleCode
from kb_service.routes.context import Caller, Cursor, GuardedRoute, Limit, Wired, in_thread
from kb_service.wire.base import Page, Text, When
from kb_service.wire.care import ConflictOut, StaleOut

router = APIRouter(prefix="/v1", tags=["knowledge"], route_class=GuardedRoute)


@router.get("/conflicts", summary="Valid documents that contradict one another, the surest first")
async def conflicts(
    wired: Wired,
    caller: Caller,
    as_of: Annotated[When | None, Query(description="The moment at which both are valid; now by default.")] = None,
    upcoming: Annotated[bool, Query(description="Those too that begin later.")] = False,
    document_id: Annotated[Text | None, Query(max_length=200)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ConflictOut]:  # fmt: skip
    page = await in_thread(
        wired, wired.conflicts.page, caller.workspace, cursor, limit,
        as_of=as_of, upcoming=upcoming, document_id=document_id,
    )  # fmt: skip
    return Page[ConflictOut].model_validate(page)


@router.get("/stale", summary="Documents that need a look, and why, the most pressing first")
async def stale(
    wired: Wired,
    caller: Caller,
    reason: StaleCode | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[StaleOut]:
    page = await in_thread(wired, wired.stale.page, caller.workspace, cursor, limit, reason=reason)
    return Page[StaleOut].model_validate(page)
