"""What an agent does with a suggested reply: send it, as it stands or altered, or say that it does not help."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.pages.cases import case_page, resolved
from kb_service.console.suggestions import Named, SentReply, rejected, rejection_told, unrejected, used
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Id

router = APIRouter(prefix="/console/cases", route_class=PageRoute, include_in_schema=False)


@router.post("/{id}/reply")
async def reply(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    draft: SentReply,
    then: Annotated[Literal["stay", "resolve"], Form()] = "stay",
    nonce: Named = "",
) -> Response:
    """Record a reply that is sent, and whether the suggestion that it began as was taken as it stood. One with a
    placeholder left, or an unsure one that nobody read, is not sent: the page comes back with it. `nonce` is the
    form's: pressed twice, it sends once."""
    if draft.held_back:
        return await case_page(request, wired, guest, place, id, draft=draft)
    told = await in_thread(
        wired, wired.casework.reply, guest.principal, id, draft.written,
        agent_id=guest.member.agent_id, form=nonce or wired.clock().isoformat(),
    )  # fmt: skip
    await used(wired, guest, draft)
    if then == "resolve":
        return await resolved(request, wired, guest, id)
    if told.case.state == "waiting":
        return done("The reply is kept with the case, which waits for an agent.", to=f"/console/cases/{id}")
    return done("The reply is kept with the case.", to=f"/console/cases/{id}")


@router.post("/{id}/reject")
async def reject(
    request: Request, wired: Wired, guest: Guest, id: Id, exposure_id: Named, answer_id: Named
) -> Response:
    """Say that a suggestion does not help."""
    await rejected(wired, guest, exposure_id, answer_id)
    return rejection_told(request, f"/console/cases/{id}", exposure_id, answer_id, None)


@router.post("/{id}/unreject")
async def unreject(
    request: Request, wired: Wired, guest: Guest, id: Id, exposure_id: Named, answer_id: Named
) -> Response:
    """Take back that a suggestion does not help."""
    back = await unrejected(wired, guest, exposure_id, answer_id)
    return rejection_told(request, f"/console/cases/{id}", exposure_id, answer_id, back)
