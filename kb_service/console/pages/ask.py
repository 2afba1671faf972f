"""An answer for any message: suggested replies to what was pasted, to copy wherever it is needed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.pages.answers import BLANKS, Draft, rejected, suggested, urgency, used
from kb_service.console.rendering import fragment, language_of, page
from kb_service.models import Question
from kb_service.people.known_facts import AGENT
from kb_service.replying.placeholders import blanks
from kb_service.routes.context import Wired
from kb_service.wire.base import Text

router = APIRouter(prefix="/console/ask", route_class=PageRoute, include_in_schema=False)
Named = Annotated[Text, Form(max_length=200)]
Names = Annotated[tuple[Text, ...], Form(max_length=50)]


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
        "desk/ask.html",
        q=q,
        reply=found,
        urgency=urgency(found.understanding) if found is not None else "low",
        blanks=blanks,
        known_blanks=BLANKS,
        zone=place,
    )


@router.post("/used")
async def copied(
    request: Request,
    wired: Wired,
    guest: Guest,
    text: Annotated[Text, Form(min_length=1, max_length=20_000)],
    exposure_id: Named,
    answer_id: Named,
    shown: Annotated[Text, Form(max_length=20_000)] = "",
    blank: Names = (),
    value: Names = (),
) -> Response:
    """A suggestion was copied to be sent elsewhere: that it was used, as it stood or altered, teaches."""
    await used(wired, guest, Draft.of(text, exposure_id, answer_id, shown, blank, value))
    if "hx-request" in request.headers:
        return Response(status_code=204)
    return done("Noted: it was used.", to="/console/ask")


@router.post("/reject")
async def reject(
    request: Request, wired: Wired, guest: Guest, exposure_id: Named, answer_id: Named
) -> Response:
    """A suggestion does not help."""
    await rejected(wired, guest, exposure_id, answer_id)
    if "hx-request" in request.headers:
        return fragment(request, "desk/noted.html")
    return done("Noted: it does not help.", to="/console/ask")
