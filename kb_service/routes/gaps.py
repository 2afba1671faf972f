"""What the shop's knowledge does not answer."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.wire.base import Page, Text, When
from kb_service.wire.gaps import GapOut

router = APIRouter(prefix="/v1", tags=["knowledge"], route_class=GuardedRoute)


@router.get("/gaps", summary="Questions without a good answer, grouped, those of most customers first")
async def gaps(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    since: When | None = None,
    language: Annotated[Text | None, Query(max_length=8)] = None,
    state: Literal["open", "answered", "dismissed"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[GapOut]:
    page = await in_thread(
        wired, wired.gaps.page, caller.workspace, cursor, limit, since=since, language=language, state=state
    )
    return Page[GapOut](items=[GapOut.of(view, lang) for view in page.items], next_cursor=page.next_cursor)
