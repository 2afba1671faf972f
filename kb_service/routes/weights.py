"""Weights of the priority that escalations taught, and putting them in force."""

from __future__ import annotations

from fastapi import APIRouter

from kb_service.routes.context import Caller, GuardedRoute, Wired, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.wire.weights import WeightsEntryOut, WeightsOut

router = APIRouter(prefix="/v1", tags=["problems"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["problems"], route_class=IdempotentRoute)
SHOWN = 100
"""Entries that are listed, the newest."""


@router.get("/rules/weights", summary="The priority's points by factor, and what escalations teach of them")
async def weights(wired: Wired, caller: Caller) -> WeightsOut:
    in_force = await in_thread(wired, wired.prioritising.in_force, caller.workspace)
    entries = await in_thread(wired, wired.prioritising.history, caller.workspace, SHOWN)
    return WeightsOut(in_force=in_force, items=[WeightsEntryOut.of(entry) for entry in entries])


@once.post("/rules/weights/rollback", summary="Take the last application of learned weights back")
async def roll_back(wired: Wired, caller: Caller) -> WeightsEntryOut:
    entry = await in_thread(wired, wired.prioritising.roll_back, caller.workspace, actor=caller.key_id)
    return WeightsEntryOut.of(entry)


@once.post("/rules/weights/{id}/apply", summary="Put a proposal's weights into the rules")
async def apply(wired: Wired, caller: Caller, id: str) -> WeightsEntryOut:
    entry = await in_thread(wired, wired.prioritising.apply, caller.workspace, id, actor=caller.key_id)
    return WeightsEntryOut.of(entry)
