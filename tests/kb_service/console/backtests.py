"""Backtests as a service would hand them over: alerts by the hour from `BEGIN` on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from graph.backtests import Raised, changes, summarised
from graph.models import AlertKind, Evidence, Problem
from graph.rules import Rules
from kb_service.recurring.backtesting import Alerts, Backtest

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
SAID = Evidence(3, None, 3, 60, None, {})


def alert(hours: float, problem: str = "p1", kind: AlertKind = "recurrence", **more: object) -> Raised:
    at = BEGIN + timedelta(hours=hours)
    return replace(Raised(problem, kind, at, SAID, timedelta(0)), **more)  # type: ignore[arg-type]


def backtest(
    was: Sequence[Raised], present: Sequence[Raised], tried: Sequence[Raised] | None = None, days: int = 30
) -> Backtest:
    end = BEGIN + timedelta(days=days)

    def told(found: Sequence[Raised]) -> Alerts:
        return Alerts(tuple(found), summarised(found, BEGIN, end))

    ids = {item.problem_id for item in (*was, *present, *(tried or ()))}
    proposed = list(present if tried is None else tried)
    return Backtest(
        begin=BEGIN,
        end=end,
        events=0,
        as_it_was=told(was),
        present=told(present),
        proposed=told(proposed),
        changes=tuple(changes(list(present), proposed)),
        problems={id: Problem(id, {}, "open", BEGIN, BEGIN, BEGIN) for id in ids},
        suggestion=None,
        messages={BEGIN + timedelta(hours=5): 4, BEGIN + timedelta(hours=20): 2},
        rules=Rules(),
        tried=Rules() if tried is None else Rules(recurrence_customers=5),
    )
