"""Trials of two ways side by side."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graph.experiments import State
from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.wire.base import Id, Page
from kb_service.wire.experiments import ExperimentIn, ExperimentOut, ExperimentReportOut

router = APIRouter(prefix="/v1", tags=["experiments"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["experiments"], route_class=IdempotentRoute)


@router.get("/experiments", summary="Trials of two ways side by side, the latest made first")
async def experiments(
    wired: Wired,
    caller: Caller,
    state: State | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ExperimentOut]:
    page = await in_thread(wired, wired.experiments.page, caller.workspace, cursor, limit, state=state)
    items = [ExperimentOut.of(item) for item in page.items]
    return Page[ExperimentOut](items=items, next_cursor=page.next_cursor)


@router.get("/experiments/{id}", summary="One trial, with figures that hold at every look")
async def experiment(wired: Wired, caller: Caller, language: Lang, id: Id) -> ExperimentReportOut:
    report = await in_thread(wired, wired.experiments.report, caller.workspace, id)
    return ExperimentReportOut.of_report(report, language)


@router.put(
    "/experiments/{id}",
    summary="Create, change or start a trial; it is in force when this returns",
    responses={201: {"model": ExperimentReportOut, "description": "The trial is new."}},
)
async def put_experiment(
    wired: Wired, caller: Caller, language: Lang, id: Id, body: ExperimentIn, response: Response
) -> ExperimentReportOut:
    report, created = await in_thread(wired, wired.experiments.put, caller, body.plan(id))
    response.status_code = 201 if created else 200
    return ExperimentReportOut.of_report(report, language)


@once.post("/experiments/{id}/stop", summary="End a trial: everybody is served as the shop stands")
async def stop_experiment(wired: Wired, caller: Caller, language: Lang, id: Id) -> ExperimentReportOut:
    report = await in_thread(wired, wired.experiments.stop, caller, id)
    return ExperimentReportOut.of_report(report, language)
