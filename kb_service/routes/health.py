"""Is the process alive, can it serve, and what is it doing: for orchestrators of machines, not for people."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from kb_service.routes.context import Caller, GuardedRoute, Wired, in_thread

router = APIRouter(tags=["operations"], route_class=GuardedRoute)


@router.get("/health/live", summary="The process runs")
async def live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/health/ready", summary="The process can serve, or what it is still loading")
async def ready(wired: Wired) -> JSONResponse:
    report: dict[str, Any] = await in_thread(wired, wired.replicas.readiness)
    status = 200 if report["status"] == "ready" else 503
    return JSONResponse(report, status, headers={} if status == 200 else {"Retry-After": "1"})


@router.get(
    "/metrics",
    summary="Metrics in Prometheus text format",
    response_class=PlainTextResponse,
    response_model=None,
)
async def metrics(wired: Wired, caller: Caller) -> Response:
    text = await in_thread(wired, wired.metrics.render)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
