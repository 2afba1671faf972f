"""An answer for any message: suggested replies to what was pasted, to copy wherever it is needed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page
from kb_service.console.suggestions import (
    Named,
    SentReply,
    rejected,
    rejection_told,
    suggested,
    unrejected,
    urgency,
    used,
)
from kb_service.models import Question
from kb_service.people.known_facts import AGENT
from kb_service.replying.placeholders import blanks
from kb_service.routes.context import Wired
from kb_service.wire.base import Text

router = APIRouter(prefix="/console/ask", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def ask(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    q: Annotated[Text, Query(max_length=4000)] = "",
) -> Response:
    """Suggested replies for a pasted message."""
    asked = Question(q, reader=language_of(request)) if q.strip() else None
    facts = dict.fromkeys(AGENT, guest.member.name)
    found = await suggested(wired, guest, asked, facts) if asked is not None else None
    return page(
        request,
        "desk/pasted_message.html",
        q=q,
        reply=found,
        urgency=urgency(found.understanding) if found is not None else "low",
        blanks=blanks,
        zone=place,
    )


@router.post("/used")
async def copied(request: Request, wired: Wired, guest: Guest, draft: SentReply) -> Response:
    """A suggestion was copied to be sent elsewhere: that it was used, as it stood or altered, teaches."""
    await used(wired, guest, draft)
    if "hx-request" in request.headers:
        return Response(status_code=204)
    return done("Noted: it was used.", to="/console/ask")


@router.post("/reject")
async def reject(
    request: Request, wired: Wired, guest: Guest, exposure_id: Named, answer_id: Named
) -> Response:
    """A suggestion does not help."""
    await rejected(wired, guest, exposure_id, answer_id)
    return rejection_told(request, "/console/ask", exposure_id, answer_id, None)


@router.post("/unreject")
async def unreject(
    request: Request, wired: Wired, guest: Guest, exposure_id: Named, answer_id: Named
) -> Response:
    """It may help after all."""
    back = await unrejected(wired, guest, exposure_id, answer_id)
    return rejection_told(request, "/console/ask", exposure_id, answer_id, back)
