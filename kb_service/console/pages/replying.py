"""What an agent does with a suggested reply: send it, as it stands or altered, or say that it does not help."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from graph.models import Event
from kb_service.accounts import Visitor
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.pages.answers import Draft, rejected, used
from kb_service.console.pages.cases import case_page, resolved
from kb_service.console.rendering import fragment
from kb_service.errors import ServiceError
from kb_service.ids import digest_id
from kb_service.routes.context import Wired, in_thread
from kb_service.services import Services
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/cases", route_class=PageRoute, include_in_schema=False)
Named = Annotated[Text, Form(max_length=200)]
Names = Annotated[tuple[Text, ...], Form(max_length=50)]


@router.post("/{id}/reply")
async def reply(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    text: Annotated[Text, Form(min_length=1, max_length=20_000)],
    exposure_id: Named = "",
    answer_id: Named = "",
    shown: Annotated[Text, Form(max_length=20_000)] = "",
    blank: Names = (),
    value: Names = (),
    then: Annotated[Literal["stay", "resolve"], Form()] = "stay",
) -> Response:
    """Record a reply that is sent, and whether the suggestion that it began as was taken as it stood. One with a
    placeholder left is not sent: the page comes back with it."""
    draft = Draft.of(text, exposure_id, answer_id, shown, blank, value)
    if draft.missing or not draft.written:
        return await case_page(request, wired, guest, place, id, draft=draft)
    await _send(wired, guest, id, draft.written)
    await used(wired, guest, draft)
    if then == "resolve":
        return await resolved(request, wired, guest, id)
    return done("The reply is kept with the case.", to=f"/console/cases/{id}")


@router.post("/{id}/reject")
async def reject(
    request: Request, wired: Wired, guest: Guest, id: Id, exposure_id: Named, answer_id: Named
) -> Response:
    """Say that a suggestion does not help."""
    await rejected(wired, guest, exposure_id, answer_id)
    if "hx-request" in request.headers:
        return fragment(request, "desk/noted.html")
    return done("Noted: it does not help.", to=f"/console/cases/{id}")


async def _send(wired: Services, guest: Visitor, case_id: str, written: str) -> None:
    detail = await in_thread(wired, wired.casework.case, guest.principal.workspace, case_id)
    now = wired.clock()
    event = Event(
        id=digest_id("ev", case_id, guest.member.id, written, now.isoformat()),
        type="message",
        at=now,
        role="agent",
        conversation_id=detail.case.conversation_ids[-1] if detail.case.conversation_ids else None,
        customer_id=detail.case.customer_id,
        channel=next((item.channel for item in reversed(detail.events) if item.channel), None),
        agent_id=guest.member.agent_id,
        text=written,
    )
    workspace = guest.principal.workspace
    (recorded,) = await in_thread(wired, wired.casework.record, workspace, [event], case_id=case_id)
    if isinstance(recorded, ServiceError):
        raise recorded
