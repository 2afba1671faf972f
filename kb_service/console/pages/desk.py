"""The agent's desk: the queue, one case with suggested replies, and an answer for any message."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from graph.models import Event
from kb_service.accounts import Visitor
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.errors import ServiceError
from kb_service.ids import digest_id
from kb_service.messages import Language
from kb_service.models import CaseDetail, Question, Reply, Turn
from kb_service.routes.context import Wired, in_thread
from kb_service.security import AGENT
from kb_service.services import Services
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console", route_class=PageRoute, include_in_schema=False)
PAGE = 50
MOST_TURNS = 20
"""The last turns of a case that its question is understood by."""
View = Literal["waiting", "mine", "assigned", "bot", "resolved"]
VIEWS: tuple[View, ...] = ("waiting", "mine", "assigned", "bot", "resolved")


@router.get("/desk")
async def desk(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    view: Annotated[View, Query()] = "waiting",
    cursor: Annotated[Text | None, Query(max_length=500)] = None,
) -> Response:
    workspace = guest.principal.workspace
    shared: dict[str, Any] = {
        "view": view,
        "views": VIEWS,
        "zone": place,
        "now": wired.clock(),
    }
    if view == "waiting":
        queue = await in_thread(
            wired, wired.assigning.queue, workspace, cursor, PAGE, language=language_of(request)
        )
        return page(
            request, "desk/desk.html", queued=queue.items, cases=(), next_cursor=queue.next_cursor, **shared
        )
    filters = {"agent_id": guest.member.agent_id or "-"} if view == "mine" else {"state": view}
    found = await in_thread(wired, wired.casework.cases, workspace, cursor, PAGE, **filters)
    return page(
        request, "desk/desk.html", queued=(), cases=found.items, next_cursor=found.next_cursor, **shared
    )


@router.get("/cases/{id}")
async def case(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """A case with what may be replied: asking for suggestions is logged like any other request for them."""
    workspace = guest.principal.workspace
    detail = await in_thread(wired, wired.casework.case, workspace, id)
    question = _question(detail, language_of(request))
    reply = await _suggested(wired, guest, question) if question is not None else None
    return page(
        request,
        "desk/case.html",
        detail=detail,
        case=detail.case,
        reply=reply,
        zone=place,
        may_answer=guest.may(AGENT),
    )


@router.post("/cases/{id}/take")
async def take(wired: Wired, guest: Guest, id: Id) -> Response:
    await in_thread(wired, wired.assigning.give, guest.principal, id, guest.member.agent_id or "")
    return RedirectResponse(f"/console/cases/{id}", status_code=303)


@router.post("/cases/{id}/handover")
async def hand_over(
    wired: Wired, guest: Guest, id: Id, reason: Annotated[Text, Form(max_length=4000)] = ""
) -> Response:
    await in_thread(wired, wired.casework.handover, guest.principal, id, reason or None)
    return RedirectResponse(f"/console/cases/{id}", status_code=303)


@router.post("/cases/{id}/resolve")
async def resolve(wired: Wired, guest: Guest, id: Id) -> Response:
    await in_thread(
        wired, wired.casework.resolve_case, guest.principal, id,
        resolved=True, agent_id=guest.member.agent_id, reply=None, handling_seconds=None,
    )  # fmt: skip
    return RedirectResponse("/console/desk", status_code=303)


@router.post("/cases/{id}/reply")
async def reply(
    wired: Wired,
    guest: Guest,
    id: Id,
    text: Annotated[Text, Form(min_length=1, max_length=20_000)],
    exposure_id: Annotated[Text, Form(max_length=200)] = "",
    answer_id: Annotated[Text, Form(max_length=200)] = "",
    shown: Annotated[Text, Form(max_length=20_000)] = "",
) -> Response:
    """Record a reply that was sent, and whether the suggestion that it began as was taken as it stood."""
    workspace = guest.principal.workspace
    detail = await in_thread(wired, wired.casework.case, workspace, id)
    written = text.replace("\r\n", "\n")
    event = Event(
        id=digest_id("ev", id, guest.member.id, written, wired.clock().isoformat()),
        type="message",
        at=wired.clock(),
        role="agent",
        conversation_id=detail.case.conversation_ids[-1] if detail.case.conversation_ids else None,
        customer_id=detail.case.customer_id,
        agent_id=guest.member.agent_id,
        text=written,
    )
    (recorded,) = await in_thread(wired, wired.casework.record, workspace, [event], case_id=id)
    if isinstance(recorded, ServiceError):
        raise recorded
    if exposure_id and answer_id:
        as_shown = written.strip() == shown.replace("\r\n", "\n").strip()
        outcome: Literal["accepted", "edited"] = "accepted" if as_shown else "edited"
        await _judge(wired, guest, exposure_id, answer_id, outcome, written)
    return RedirectResponse(f"/console/cases/{id}", status_code=303)


@router.post("/cases/{id}/reject")
async def reject(
    wired: Wired,
    guest: Guest,
    id: Id,
    exposure_id: Annotated[Text, Form(max_length=200)],
    answer_id: Annotated[Text, Form(max_length=200)],
) -> Response:
    """Say that a suggestion does not help."""
    await _judge(wired, guest, exposure_id, answer_id, "rejected", None)
    return RedirectResponse(f"/console/cases/{id}", status_code=303)


@router.get("/ask")
async def ask(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    q: Annotated[Text, Query(max_length=4000)] = "",
) -> Response:
    """Suggested replies for a pasted message."""
    asked = Question(q, reader=language_of(request)) if q.strip() else None
    found = await _suggested(wired, guest, asked) if asked is not None else None
    return page(request, "desk/ask.html", q=q, reply=found, zone=place)


@router.get("/documents/{external_id:path}")
async def document(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    external_id: Id,
    start: Annotated[int, Query(ge=0)] = 0,
    end: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """A document with the cited passage marked."""
    found = await in_thread(wired, wired.knowledge.get, guest.principal.workspace, external_id)
    text = found.text
    begin, stop = min(start, len(text)), min(max(end, start), len(text))
    return page(
        request,
        "knowledge/document.html",
        document=found,
        before=text[:begin],
        cited=text[begin:stop],
        after=text[stop:],
        zone=place,
    )


async def _suggested(wired: Services, guest: Visitor, question: Question) -> Reply:
    limit = wired.settings.max_query_chars
    if len(question.text) > limit:
        question = Question(question.text[:limit], reader=question.reader)
    found: Reply = await in_thread(wired, wired.answering.suggest, guest.principal.workspace, question)
    return found


async def _judge(
    wired: Services,
    guest: Visitor,
    exposure_id: str,
    answer_id: str,
    outcome: Literal["accepted", "edited", "rejected"],
    final_text: str | None,
) -> None:
    await in_thread(
        wired, wired.feedback.record, guest.principal.workspace,
        exposure_id=exposure_id, answer_id=answer_id, outcome=outcome, final_text=final_text,
        agent_id=guest.member.agent_id or guest.member.id, rating=None,
    )  # fmt: skip


def _question(detail: CaseDetail, reader: Language) -> Question | None:
    """What the customer last wrote, after the turns before it; None where they wrote nothing."""
    spoken = [event for event in detail.events if event.type == "message" and event.text]
    last = next((event for event in reversed(spoken) if event.role == "customer"), None)
    if last is None:
        return None
    before = spoken[: spoken.index(last)][-MOST_TURNS:]
    return Question(
        text=last.text or "",
        turns=tuple(Turn(event.role, event.text or "", event.at) for event in before),
        conversation_id=last.conversation_id,
        customer=next((event.customer for event in reversed(detail.events) if event.customer), None),
        channel=last.channel,
        products=last.products,
        reader=reader,
    )
