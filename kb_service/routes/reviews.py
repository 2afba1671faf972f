"""Reviews: the sample of automatic answers, and the edited suggestions, that people look at."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from kb_service.routes.context import Caller, Cursor, GuardedRoute, Limit, Wired, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.wire.base import Id, Page
from kb_service.wire.reviews import ReviewOut, VerdictIn

router = APIRouter(prefix="/v1", tags=["reviews"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["reviews"], route_class=IdempotentRoute)


@router.get("/reviews", summary="Automatic answers of the sample and edited suggestions, the latest first")
async def reviews(
    wired: Wired,
    caller: Caller,
    state: Literal["pending", "done"] | None = None,
    kind: Literal["answer", "edit"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ReviewOut]:
    page = await in_thread(
        wired, wired.reviewing.page, caller.workspace, cursor, limit, state=state, kind=kind
    )
    return Page[ReviewOut].model_validate(page)


@once.post(
    "/reviews/{id}", summary="Say whether an automatic answer, or a suggestion that was edited, was right"
)
async def judge(wired: Wired, caller: Caller, id: Id, body: VerdictIn) -> ReviewOut:
    return ReviewOut.model_validate(
        await in_thread(wired, wired.reviewing.judge, caller, id, body.verdict, body.note, body.replaces)
    )
