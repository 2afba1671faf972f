"""What should change: looked at, accepted, dismissed."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from graph.models import ProposalKind
from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.wire.base import NO_NOTE, Id, NoteIn, Page
from kb_service.wire.proposals import AcceptIn, ProposalDetailOut, ProposalOut

router = APIRouter(prefix="/v1", tags=["problems"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["problems"], route_class=IdempotentRoute)
PLAINLY = AcceptIn()
"""The body that may be left out."""


@router.get("/proposals", summary="What should change, and why")
async def proposals(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    state: Literal["open", "accepted", "dismissed"] | None = None,
    kind: ProposalKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ProposalOut]:
    page = await in_thread(
        wired, wired.proposals.page, caller.workspace, cursor, limit, state=state, kind=kind
    )
    return Page[ProposalOut](
        items=[ProposalOut.of(item, lang) for item in page.items], next_cursor=page.next_cursor
    )


@router.get("/proposals/{id}", summary="One proposal, with its problem, its trial and its effect")
async def proposal(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ProposalDetailOut:
    return ProposalDetailOut.of_detail(
        await in_thread(wired, wired.proposals.one, caller.workspace, id), lang
    )


@once.post(
    "/proposals/{id}/accept", summary="It will be done; a routing rule at once, or as a trial, if asked"
)
async def accept(wired: Wired, caller: Caller, lang: Lang, id: Id, body: AcceptIn = PLAINLY) -> ProposalOut:
    accepted = await in_thread(wired, wired.proposals.accept, caller, id, apply=body.apply, trial=body.trial)
    return ProposalOut.of(accepted, lang)


@once.post("/proposals/{id}/dismiss", summary="It will not be done")
async def dismiss(wired: Wired, caller: Caller, lang: Lang, id: Id, body: NoteIn = NO_NOTE) -> ProposalOut:
    return ProposalOut.of(await in_thread(wired, wired.proposals.dismiss, caller, id, body.note), lang)
