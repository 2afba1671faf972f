"""Questions to customers whether a problem is solved."""

from __future__ import annotations

from fastapi import APIRouter

from graph.confirmation import FollowUpState
from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.wire.base import Page
from kb_service.wire.followups import FollowUpOut

router = APIRouter(prefix="/v1", tags=["problems"], route_class=GuardedRoute)


@router.get("/followups", summary="Questions to customers whether a problem is solved, the latest first")
async def follow_ups(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    state: FollowUpState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[FollowUpOut]:
    page = await in_thread(wired, wired.following_up.page, caller.workspace, cursor, limit, state=state)
    return Page[FollowUpOut](
        items=[FollowUpOut.of(item, lang) for item in page.items], next_cursor=page.next_cursor
    )
