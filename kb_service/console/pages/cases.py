"""One case: what was said on every channel, what it comes to, and who does what with it."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response

from graph.models import Event
from kb_service.accounts import Visitor
from kb_service.console.access import HANDLES
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.pages.desk import following
from kb_service.console.rendering import fragment, language_of, page
from kb_service.console.suggestions import WrittenReply, suggested, urgency
from kb_service.console.taken_back import GIVEN, QUEUED, REOPENED, TAKEN, Undoes, left_with, over, way_back
from kb_service.errors import Conflict, InvalidRequest
from kb_service.models import CaseDetail
from kb_service.people.takers import STANDINGS
from kb_service.people.waiting import question_of
from kb_service.replying.placeholders import blanks
from kb_service.routes.context import Wired, in_thread
from kb_service.services import Services
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/cases", route_class=PageRoute, include_in_schema=False)
OVER = frozenset({"resolved", "closed"})
TURNS = 20
"""What a case shows of a conversation at once, from its end."""
Agent = Annotated[Text, Form(max_length=200)]
Written = Annotated[Text, Form(max_length=4000)]
Left = Annotated[Text, Form(max_length=201)]
"""With whom a step that is taken back left a case, see `left_with`; empty where no step is taken back."""
Undone = Annotated[Undoes, Form()]


@router.get("/{id}")
async def case(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    suggest: Annotated[bool, Query()] = False,
) -> Response:
    return await case_page(request, wired, guest, place, id, suggest=suggest)


async def case_page(
    request: Request,
    wired: Services,
    guest: Visitor,
    place: tzinfo,
    id: str,
    *,
    suggest: bool = False,
    draft: WrittenReply | None = None,
) -> Response:
    """A case with what may be replied. Replies are suggested to who may send one, while the customer waits for it or
    when they are asked for; that is logged like any other request for them. `draft` is one that could not be sent."""
    found = await in_thread(
        wired, wired.agent_desk.case, guest.principal.workspace, id,
        language=language_of(request), agent_name=guest.member.name,
    )  # fmt: skip
    may_answer = guest.may(HANDLES) and found.detail.case.state not in OVER
    wanted = may_answer and (suggest or draft is not None or not found.answered)
    reply = await suggested(wired, guest, found.question, found.facts) if wanted and found.question else None
    turns, before = _turns(found.detail, None)
    return page(
        request,
        "desk/case.html",
        status=200 if draft is None else 422,
        found=found,
        detail=found.detail,
        case=found.detail.case,
        turns=turns,
        before=before,
        reply=reply,
        draft=draft,
        handles=guest.may(HANDLES),
        may_answer=may_answer,
        urgency=urgency(found.understanding),
        blanks=blanks,
        standings=STANDINGS,
        mark=len(found.detail.events),
        zone=place,
    )


@router.get("/{id}/turns")
async def turns(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    before: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """What was said before a place of the conversation: for the page of its case, or as a page of its own."""
    detail = await in_thread(wired, wired.casework.case, guest.principal.workspace, id)
    team = await in_thread(wired, wired.agent_desk.names, guest.principal.workspace)
    shown, earlier = _turns(detail, before)
    given: dict[str, Any] = {
        "case": detail.case,
        "problem": detail.problem,
        "asked": question_of(detail.case, detail.events).text,
        "turns": shown,
        "before": earlier,
        "names": team,
        "zone": place,
    }
    if "hx-request" in request.headers:
        return fragment(request, "desk/earlier.html", **given)
    return page(request, "desk/turns.html", **given)


@router.get("/{id}/news")
async def news(
    request: Request, wired: Wired, guest: Guest, id: Id, seen: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """Whether something happened in a case since the page that shows it was made; nothing where not."""
    case, events = await in_thread(wired, wired.casework.happened, guest.principal.workspace, id)
    if events <= seen:
        return Response(status_code=204)
    return fragment(request, "desk/news.html", case=case, count=events - seen)


@router.get("/{id}/experts")
async def experts(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """Who is worth asking about a case: for the page of the case, or as a page of its own."""
    found = await in_thread(
        wired, wired.consulting.consult, guest.principal, id, None, None, language=language_of(request)
    )
    given: dict[str, Any] = {
        "case": found.case,
        "problem": found.problem,
        "asked": question_of(found.case, found.events).text,
        "experts": found.experts,
    }
    if "hx-request" in request.headers:
        return fragment(request, "desk/asked_experts.html", **given)
    return page(request, "desk/experts.html", **given)


@router.post("/{id}/consult")
async def consult(
    request: Request, wired: Wired, guest: Guest, id: Id, agent_id: Agent = "", note: Written = ""
) -> Response:
    """Ask a colleague; the case stays with its owner."""
    if not agent_id:
        raise InvalidRequest.of("agent_id", "is required")
    await in_thread(
        wired, wired.consulting.consult, guest.principal, id, agent_id, note.strip() or None,
        language=language_of(request),
    )  # fmt: skip
    team = await in_thread(wired, wired.agent_desk.names, guest.principal.workspace)
    return done("{name} was asked.", to=f"/console/cases/{id}", name=team.get(agent_id, agent_id))


@router.post("/{id}/take")
async def take(wired: Wired, guest: Guest, id: Id, left: Left = "", undoes: Undone = "") -> Response:
    """Give a case to the visitor, whoever had it; as a step taken back (`left`), only while nobody else did more."""
    page, mine = f"/console/cases/{id}", guest.member.agent_id
    if mine is None:
        raise Conflict("You are no agent of this shop, so no case can be yours; hand it over to one.")
    before = await in_thread(wired, wired.casework.case, guest.principal.workspace, id)
    await in_thread(wired, wired.assigning.give, guest.principal, id, mine, over=over(left))
    if before.case.state in OVER:  # Who had it before it was resolved cannot have it back resolved.
        return done(TAKEN[undoes] if undoes else REOPENED, to=page)
    return done(TAKEN[undoes], to=page, **way_back(id, before.case.agent_id, mine, mine, undoes))


@router.post("/{id}/handover")
async def hand_over(
    wired: Wired,
    guest: Guest,
    id: Id,
    reason: Written = "",
    agent_id: Agent = "",
    left: Left = "",
    undoes: Undone = "",
) -> Response:
    """Hand a case to a colleague, or back to the queue. As a step taken back (`left`), only while nobody else did
    more."""
    before = await in_thread(wired, wired.casework.case, guest.principal.workspace, id)
    page, note = f"/console/cases/{id}", reason.strip() or None
    back = way_back(id, before.case.agent_id, agent_id or None, guest.member.agent_id, undoes)
    if agent_id:
        await in_thread(
            wired, wired.assigning.give, guest.principal, id, agent_id, note=note, over=over(left)
        )
        team = await in_thread(wired, wired.agent_desk.names, guest.principal.workspace)
        return done(GIVEN[undoes], to=page, name=team.get(agent_id, agent_id), **back)
    await in_thread(wired, wired.casework.handover, guest.principal, id, note, over=over(left))
    return done(QUEUED[undoes], to=page, **back)


@router.post("/{id}/resolve")
async def resolve(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """Record that a case is resolved, and go on to the next."""
    return await resolved(request, wired, guest, id)


async def resolved(request: Request, wired: Services, guest: Visitor, id: str) -> Response:
    """Resolve a case by what an agent last wrote in it, and go on to the next one."""
    detail = await in_thread(wired, wired.casework.case, guest.principal.workspace, id)
    written = _last_written(detail.events)
    after = await in_thread(
        wired, wired.casework.resolve_case, guest.principal, id,
        resolved=True, agent_id=guest.member.agent_id, reply=written, handling_seconds=None, by_owner=False,
    )  # fmt: skip
    back: dict[str, Any] = {}
    if guest.member.agent_id:
        fields = {"left": left_with(after.case.agent_id), "undoes": "resolution"}
        back = {"undo": f"/console/cases/{id}/take", "fields": fields}
    onward = await following(request, wired, guest, id)
    if onward is None:
        return done("Resolved. Nothing else waits.", to="/console/desk", **back)
    return done("Resolved. This is the next case.", to=f"/console/cases/{onward}", **back)


def _last_written(events: tuple[Event, ...]) -> str | None:
    """What an agent wrote last, after the last resolution: that is what resolved the case."""
    for event in reversed(events):
        if event.type == "resolution":
            return None
        if event.type == "message" and event.role == "agent" and event.text:
            return event.text
    return None


def _turns(detail: CaseDetail, before: int | None) -> tuple[tuple[Event, ...], int]:
    """The events before a place, by default before the end, and how many come before those."""
    end = len(detail.events) if before is None else min(before, len(detail.events))
    begin = max(0, end - TURNS)
    return detail.events[begin:end], begin
