"""What keeps going wrong: problems, alerts, proposals, the rules behind them, and the graph they hang in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic_core import to_json

from graph.models import AlertKind, AlertState, ProblemState
from kb_service.models import ProblemView
from kb_service.routes.context import Caller, GuardedRoute, Lang, Wired, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.services import Services
from kb_service.wire.base import Id, Page, Text, When
from kb_service.wire.cases import CaseOut
from kb_service.wire.problems import (
    AlertOut,
    MergeIn,
    NamesIn,
    OwnerIn,
    ProblemDetailOut,
    ProblemOut,
    ProposalOut,
    RulesShape,
    SilenceIn,
    SplitIn,
)

router = APIRouter(prefix="/v1", tags=["problems"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["problems"], route_class=IdempotentRoute)
Cursor = Annotated[Text | None, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=200)]


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
    sort: Literal["active", "opened", "customers", "events"] = "active",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ProblemOut]:
    page = await in_thread(
        wired, wired.problems.problems, caller.workspace, cursor, limit,
        state=state, emerging=emerging, evergreen=evergreen, q=q, sort=sort,
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
async def acknowledge(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.act, caller, id, "acknowledge"), lang)


@once.post("/problems/{id}/resolve", summary="It is mended; customers who return make it regress")
async def resolve(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.act, caller, id, "resolve"), lang)


@once.post("/problems/{id}/reopen", summary="It is not mended after all")
async def reopen(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.act, caller, id, "reopen"), lang)


@once.post("/problems/{id}/rename", summary="Give it the name that people use")
async def rename(wired: Wired, caller: Caller, lang: Lang, id: Id, body: NamesIn) -> ProblemOut:
    names = {lang: body.name} if isinstance(body.name, str) else dict(body.name)
    return _out(await in_thread(wired, wired.problems.rename, caller, id, names), lang)


@once.post("/problems/{id}/silence", summary="No alerts until a time or a number of further customers")
async def silence(wired: Wired, caller: Caller, lang: Lang, id: Id, body: SilenceIn) -> ProblemOut:
    silenced = wired.problems.act
    return _out(
        await in_thread(wired, silenced, caller, id, "silence", until=body.until, count=body.count), lang
    )


@once.post("/problems/{id}/assign", summary="Give it an owner")
async def assign(wired: Wired, caller: Caller, lang: Lang, id: Id, body: OwnerIn) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.own, caller, id, body.agent_id), lang)


@once.post("/problems/{id}/merge", summary="It is the same as another; that one survives")
async def merge(wired: Wired, caller: Caller, lang: Lang, id: Id, body: MergeIn) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.merge, caller, id, body.into), lang)


@once.post("/problems/{id}/split", summary="Some of its cases are another problem")
async def split(wired: Wired, caller: Caller, lang: Lang, id: Id, body: SplitIn) -> ProblemOut:
    return _out(await in_thread(wired, wired.problems.split, caller, id, body.case_ids), lang)


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
        items=[AlertOut.of(alert, found, lang) for alert, found in page.items], next_cursor=page.next_cursor
    )


@router.get("/alerts/{id}", summary="One alert with its evidence")
async def alert(wired: Wired, caller: Caller, lang: Lang, id: Id) -> AlertOut:
    found, of = await in_thread(wired, wired.problems.alert, caller.workspace, id)
    return AlertOut.of(found, of, lang)


@router.get("/proposals", summary="What should change, and why")
async def proposals(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    state: Literal["open", "accepted", "dismissed"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ProposalOut]:
    page = await in_thread(wired, wired.problems.proposals, caller.workspace, cursor, limit, state=state)
    return Page[ProposalOut](
        items=[ProposalOut.of(item, lang) for item in page.items], next_cursor=page.next_cursor
    )


@once.post("/proposals/{id}/accept", summary="It will be done")
async def accept(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ProposalOut:
    return ProposalOut.of(await in_thread(wired, wired.problems.decide, caller, id, "accepted"), lang)


@once.post("/proposals/{id}/dismiss", summary="It will not be done")
async def dismiss(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ProposalOut:
    return ProposalOut.of(await in_thread(wired, wired.problems.decide, caller, id, "dismissed"), lang)


@router.get("/rules", summary="The shop's rules, with the product's defaults where it set none")
async def rules(wired: Wired, caller: Caller) -> RulesShape:
    return RulesShape.of(await in_thread(wired, wired.problems.rules, caller.workspace))


@router.put("/rules", summary="Set the shop's rules as a whole")
async def put_rules(wired: Wired, caller: Caller, body: RulesShape) -> RulesShape:
    return RulesShape.of(await in_thread(wired, wired.problems.put_rules, caller, body.value()))
