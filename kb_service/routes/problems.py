"""What keeps going wrong: problems, alerts, and the graph they hang in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic_core import to_json

from graph.models import AlertKind, AlertState, ProblemState
from kb_service.models import ProblemView
from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.services import Services
from kb_service.wire.base import NO_NOTE, NOTHING, EmptyIn, Id, NoteIn, Page, Text, When
from kb_service.wire.cases import CaseOut
from kb_service.wire.problems import (
    AlertOut,
    FollowUpSummary,
    MergeIn,
    NamesIn,
    ParentIn,
    ProblemDetailOut,
    ProblemOut,
    ProblemOwnerIn,
    SilenceIn,
    SplitIn,
    UnmergeIn,
)

router = APIRouter(prefix="/v1", tags=["problems"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["problems"], route_class=IdempotentRoute)


def _out(view: ProblemView, lang: Lang) -> ProblemOut:
    return ProblemOut.of(view.problem, lang, emerging=view.emerging, evergreen=view.evergreen)


@router.get("/problems", summary="Problems, the latest active first")
async def problems(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    state: ProblemState | None = None,
    emerging: bool | None = None,
    evergreen: bool | None = None,
    q: Annotated[Text | None, Query(max_length=500)] = None,
    owner: Annotated[Text | None, Query(max_length=200, description="An agent's id.")] = None,
    sort: Literal["active", "opened", "customers", "events"] = "active",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ProblemOut]:
    page = await in_thread(
        wired, wired.problems.problems, caller.workspace, cursor, limit,
        state=state, emerging=emerging, evergreen=evergreen, q=q, owner_id=owner, sort=sort,
    )  # fmt: skip
    return Page[ProblemOut](items=[_out(view, lang) for view in page.items], next_cursor=page.next_cursor)


@router.get("/problems/{id}", summary="One problem with its evidence; a merged id answers with the survivor")
async def problem(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ProblemDetailOut:
    detail = await in_thread(wired, wired.problems.problem, caller.workspace, id)
    return ProblemDetailOut(
        **_out(detail.view, lang).model_dump(),
        evidence=detail.evidence.get(lang, ""),
        counts=list(detail.counts),
        examples=list(detail.examples),
        answers=list(detail.answers),
        policies=list(detail.policies),
        resolutions=list(detail.resolutions),
        alerts=list(detail.alerts),
        followup=FollowUpSummary.model_validate(detail.follow_up) if detail.follow_up else None,
    )


@router.get("/problems/{id}/cases", summary="The cases of a problem")
async def problem_cases(
    wired: Wired, caller: Caller, lang: Lang, id: Id, cursor: Cursor = None, limit: Limit = 50
) -> Page[CaseOut]:
    page = await in_thread(wired, wired.casework.cases_of_problem, caller.workspace, id, cursor, limit)
    return Page[CaseOut](
        items=[CaseOut.of(case, found, lang) for case, found in page.items], next_cursor=page.next_cursor
    )


@router.get(
    "/problems/{id}/graph",
    response_model=dict[str, Any],
    summary="What surrounds a problem, as node-link JSON",
)
async def problem_graph(
    wired: Wired, caller: Caller, id: Id, hops: Annotated[int, Query(ge=1, le=3)] = 2
) -> Response:
    return await in_thread(wired, _graph, wired, caller.workspace, id, hops)


@router.get("/graph", response_model=dict[str, Any], summary="The whole problem graph, as node-link JSON")
async def whole_graph(wired: Wired, caller: Caller) -> Response:
    return await in_thread(wired, _graph, wired, caller.workspace, None, 0)


def _graph(wired: Services, workspace: str, problem_id: str | None, hops: int) -> Response:
    """Exported and encoded on one worker thread: a large graph takes a second of work."""
    return Response(to_json(wired.problems.graph(workspace, problem_id, hops)), media_type="application/json")


@once.post("/problems/{id}/acknowledge", summary="Somebody is on it")
async def acknowledge(wired: Wired, caller: Caller, lang: Lang, id: Id, body: NoteIn = NO_NOTE) -> ProblemOut:
    view = await in_thread(wired, wired.problems.act, caller, id, "acknowledge", note=body.note)
    return _out(view, lang)


@once.post("/problems/{id}/resolve", summary="It is mended; customers who return make it regress")
async def resolve(wired: Wired, caller: Caller, lang: Lang, id: Id, body: NoteIn = NO_NOTE) -> ProblemOut:
    view = await in_thread(wired, wired.problems.act, caller, id, "resolve", note=body.note)
    return _out(view, lang)


@once.post("/problems/{id}/reopen", summary="It is not mended after all")
async def reopen(wired: Wired, caller: Caller, lang: Lang, id: Id, body: EmptyIn = NOTHING) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.act, caller, id, "reopen"), lang)


@once.post("/problems/{id}/rename", summary="Give it the name that people use")
async def rename(wired: Wired, caller: Caller, lang: Lang, id: Id, body: NamesIn) -> ProblemOut:
    names = {lang: body.name} if isinstance(body.name, str) else dict(body.name)
    return _out(await in_thread(wired, wired.problems.rename, caller, id, names), lang)


@once.post("/problems/{id}/silence", summary="No alerts until a time, a number of customers or an escalation")
async def silence(wired: Wired, caller: Caller, lang: Lang, id: Id, body: SilenceIn) -> ProblemOut:
    view = await in_thread(
        wired, wired.problems.act, caller, id, "silence",
        until=body.until, count=body.count, escalation=body.escalation,
    )  # fmt: skip
    return _out(view, lang)


@once.post(
    "/problems/{id}/parent", summary="It comes with another one, whose alerts speak for it; or with none"
)
async def place(wired: Wired, caller: Caller, lang: Lang, id: Id, body: ParentIn) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.place, caller, id, body.problem_id), lang)


@once.post("/problems/{id}/assign", summary="Give it an owner, or none")
async def assign(wired: Wired, caller: Caller, lang: Lang, id: Id, body: ProblemOwnerIn) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.own, caller, id, body.agent_id), lang)


@once.post("/problems/{id}/merge", summary="It is the same as another; that one survives")
async def merge(wired: Wired, caller: Caller, lang: Lang, id: Id, body: MergeIn) -> ProblemOut:
    return _out(await in_thread(wired, wired.regrouping.merge, caller, id, body.into), lang)


@once.post("/problems/{id}/split", summary="Some of its cases are another problem")
async def split(wired: Wired, caller: Caller, lang: Lang, id: Id, body: SplitIn) -> ProblemOut:
    return _out(await in_thread(wired, wired.regrouping.split, caller, id, body.case_ids), lang)


@once.post("/problems/{id}/unmerge", summary="Take a merge back: an alias is a problem of its own again")
async def unmerge(wired: Wired, caller: Caller, lang: Lang, id: Id, body: UnmergeIn) -> ProblemOut:
    return _out(await in_thread(wired, wired.regrouping.unmerge, caller, id, body.alias), lang)


@router.get("/alerts", summary="Alerts, the newest first")
async def alerts(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    kind: AlertKind | None = None,
    state: AlertState | None = None,
    since: When | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AlertOut]:
    page = await in_thread(
        wired, wired.problems.alerts, caller.workspace, cursor, limit, kind=kind, state=state, since=since
    )
    return Page[AlertOut](
        items=[AlertOut.of(view, lang) for view in page.items], next_cursor=page.next_cursor
    )


@router.get("/alerts/{id}", summary="One alert with its evidence")
async def alert(wired: Wired, caller: Caller, lang: Lang, id: Id) -> AlertOut:
    return AlertOut.of(await in_thread(wired, wired.problems.alert, caller.workspace, id), lang)
