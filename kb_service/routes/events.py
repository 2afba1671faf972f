"""What happened, as the shop reports it; and the cases that it adds up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from graph.models import CaseState
from kb_service import problem_details
from kb_service.errors import InvalidRequest, ServiceError
from kb_service.lines import Line
from kb_service.models import EventResult
from kb_service.problem_details import KNOWN
from kb_service.routes.batches import LINES_OUT, BatchResponse
from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.wire.base import Id, Page
from kb_service.wire.cases import CaseDetailOut, ConsultIn, HandoverIn, ListedCaseOut, ResolveIn
from kb_service.wire.decisions import DecisionOut, DecisionsOut
from kb_service.wire.events import EVENT_EXAMPLE, EventIn, EventOut, EventRecordOut
from kb_service.wire.problems import OwnerIn

router = APIRouter(prefix="/v1", tags=["events"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["events"], route_class=IdempotentRoute)
HANDED_OVER, RESOLVED = HandoverIn(), ResolveIn()
"""Bodies that may be left out."""
NDJSON = {"application/x-ndjson": {"schema": {"type": "string"}, "example": EVENT_EXAMPLE}}


@once.post("/events", summary="Record one event")
async def event(wired: Wired, caller: Caller, body: EventIn) -> EventOut:
    (result,) = await in_thread(wired, wired.casework.record, caller.workspace, [body.value()])
    if isinstance(result, ServiceError):
        raise result
    return EventOut.model_validate(result)


@router.post(
    "/events:batch",
    summary="Record events, one JSON object a line; one result line each",
    openapi_extra={"requestBody": {"required": True, "content": NDJSON}},
    response_class=Response,
    responses={200: LINES_OUT},
)
async def events(request: Request, wired: Wired, caller: Caller, lang: Lang) -> Response:
    async def work(lines: Sequence[Line]) -> list[dict[str, Any]]:
        parsed = [_event(line) for line in lines]
        good = [item.value() for item in parsed if isinstance(item, EventIn)]
        recorded: Iterator[EventResult | Exception]
        try:
            recorded = iter(await in_thread(wired, wired.casework.record, caller.workspace, good))
        except KNOWN as error:
            # The transaction of these lines failed; those before and after stand on their own.
            recorded = iter([error] * len(good))
        results: list[dict[str, Any]] = []
        for line, item in zip(lines, parsed, strict=True):
            outcome = next(recorded) if isinstance(item, EventIn) else item
            if isinstance(outcome, Exception):
                name = line.value.get("id") if line.value else None
                details = problem_details.details(outcome, lang)
                results.append(
                    {"id": name if isinstance(name, str) else None, "status": "refused", "error": details}
                )
            else:
                results.append(EventOut.model_validate(outcome).model_dump(mode="json", exclude={"error"}))
        return results

    return BatchResponse(work, max_line_bytes=wired.settings.max_line_bytes)


def _event(line: Line) -> EventIn | ServiceError:
    if line.error is not None:
        return line.error
    try:
        return EventIn.model_validate(line.value)
    except ValidationError as error:
        return problem_details.invalid(error.errors())


@router.get("/events/{id}", summary="One event, with its problem as it stands now")
async def one_event(wired: Wired, caller: Caller, id: Id) -> EventRecordOut:
    return EventRecordOut.model_validate(await in_thread(wired, wired.casework.event, caller.workspace, id))


@router.get("/cases", summary="Cases, the latest active first; or the queue, the most pressing first")
async def cases(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    state: CaseState | None = None,
    agent_id: Annotated[Id | None, Query()] = None,
    consulted_by: Annotated[Id | None, Query()] = None,
    sort: Literal["active", "priority"] = "active",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ListedCaseOut]:
    if sort == "priority":
        if state != "waiting" or agent_id is not None or consulted_by is not None:
            raise InvalidRequest.of(
                "sort", "priority is that of waiting cases; send state=waiting and no agent"
            )
        queue = await in_thread(
            wired, wired.waiting_queue.page, caller.workspace, cursor, limit, language=lang
        )
        queued = [ListedCaseOut.queued(item, lang) for item in queue.items]
        return Page[ListedCaseOut](items=queued, next_cursor=queue.next_cursor)
    filters = {"state": state, "agent_id": agent_id, "consulted_by": consulted_by}
    page = await in_thread(wired, wired.casework.cases, caller.workspace, cursor, limit, **filters)
    return Page[ListedCaseOut](
        items=[ListedCaseOut.of(case, problem, lang) for case, problem in page.items],
        next_cursor=page.next_cursor,
    )


@router.get("/cases/{id}", summary="One case with its events")
async def case(wired: Wired, caller: Caller, lang: Lang, id: Id) -> CaseDetailOut:
    found = await in_thread(wired, wired.casework.case, caller.workspace, id)
    return CaseDetailOut.of_detail(found, lang)


@router.get("/cases/{id}/decisions", summary="What was decided about a case, why, and why not otherwise")
async def decisions(wired: Wired, caller: Caller, lang: Lang, id: Id) -> DecisionsOut:
    found, names = await in_thread(wired, wired.casework.decisions, caller.workspace, id)
    return DecisionsOut(items=[DecisionOut.of(item, lang, names) for item in found])


@once.post("/cases/{id}/assign", summary="Give a case to an agent by hand")
async def assign(wired: Wired, caller: Caller, lang: Lang, id: Id, body: OwnerIn) -> CaseDetailOut:
    found = await in_thread(wired, wired.assigning.give, caller, id, body.agent_id)
    return CaseDetailOut.of_detail(found, lang)


@once.post(
    "/cases/{id}/consult",
    summary="Ask another agent, without losing the first owner; with nobody named, learn whom to ask",
)
async def consult(wired: Wired, caller: Caller, lang: Lang, id: Id, body: ConsultIn) -> CaseDetailOut:
    found = await in_thread(
        wired, wired.consulting.consult, caller, id, body.agent_id, body.note, language=lang
    )
    return CaseDetailOut.of_detail(found, lang)


@once.post("/cases/{id}/handover", summary="Hand a case to people: it waits for an agent")
async def handover(
    wired: Wired, caller: Caller, lang: Lang, id: Id, body: HandoverIn = HANDED_OVER
) -> CaseDetailOut:
    found = await in_thread(wired, wired.casework.handover, caller, id, body.reason)
    return CaseDetailOut.of_detail(found, lang)


@once.post("/cases/{id}/resolve", summary="Close a case as resolved or not")
async def resolve(
    wired: Wired, caller: Caller, lang: Lang, id: Id, body: ResolveIn = RESOLVED
) -> CaseDetailOut:
    found = await in_thread(wired, wired.casework.resolve_case, caller, id, **body.model_dump())
    return CaseDetailOut.of_detail(found, lang)
