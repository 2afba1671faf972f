"""How support does over a span, and what each person's work was worth."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from graph.support_metrics import Dimension
from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.wire.base import When
from kb_service.wire.board import BoardOut
from kb_service.wire.metrics import SupportMetricsOut

router = APIRouter(prefix="/v1", tags=["metrics"], route_class=GuardedRoute)
From = Annotated[When | None, Query(alias="from", description="Event time from which on cases count.")]
To = Annotated[When | None, Query(alias="to", description="Event time up to which, without, cases count.")]
By = Annotated[
    list[Dimension] | None, Query(max_length=5, description="Dimensions whose groups are told as well.")
]


@router.get("/metrics/support", summary="How well support serves over a span, beside the span before")
async def support_metrics(
    wired: Wired, caller: Caller, lang: Lang, begin: From = None, end: To = None, by: By = None
) -> SupportMetricsOut:
    report = await in_thread(wired, wired.measuring.support, caller.workspace, begin, end, by or ())
    return SupportMetricsOut.of(report, lang)


@router.get("/agents:board", summary="What each person's work was worth over a span, part by part")
async def agents_board(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    begin: From = None,
    end: To = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> BoardOut:
    report, page = await in_thread(
        wired, wired.measuring.board_page, caller.workspace, begin, end, cursor, limit
    )
    return BoardOut.of(report, page, lang)
