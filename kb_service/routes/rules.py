"""The rules behind problems, answers and routing."""

from __future__ import annotations

from fastapi import APIRouter

from kb_service.routes.context import Caller, GuardedRoute, Lang, Wired, in_thread
from kb_service.wire.backtests import BacktestIn, BacktestOut
from kb_service.wire.rules import RulesShape

router = APIRouter(prefix="/v1", tags=["problems"], route_class=GuardedRoute)


@router.get("/rules", summary="The shop's rules, with the product's defaults where it set none")
async def rules(wired: Wired, caller: Caller) -> RulesShape:
    return RulesShape.of(await in_thread(wired, wired.rulebook.rules, caller.workspace))


@router.put("/rules", summary="Set the shop's rules as a whole")
async def put_rules(wired: Wired, caller: Caller, body: RulesShape) -> RulesShape:
    return RulesShape.of(await in_thread(wired, wired.rulebook.put, caller, body.value()))


@router.post("/rules:backtest", summary="What other rules would have raised in a span of the past")
async def backtest(wired: Wired, caller: Caller, lang: Lang, body: BacktestIn) -> BacktestOut:
    found = await in_thread(wired, wired.backtesting.run, caller.workspace, body.value())
    return await in_thread(wired, BacktestOut.of, found, lang, body.limit)
