"""A step of a problem taken back: what the audit keeps of how it stood, and the problem put back to that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from graph.models import Problem
from graph.notices import resumed
from kb_service.errors import Conflict
from kb_service.recurring.raising import recount
from kb_service.recurring.steps import lead_alerts, taken
from kb_service.store import AuditEntry, Unit

FORMER = "former"
_MOMENTS = ("silenced_until", "episode_at", "resolved_at", "confirmed_at")
_PLAIN = ("state", "silenced_count", "silenced_rate", "owner_id")


def former(problem: Problem, now: datetime) -> dict[str, Any]:
    """How a problem stood before a step that is taken at `now`, as plain JSON: no word of a customer's is in it."""
    kept: dict[str, Any] = {name: getattr(problem, name) for name in _PLAIN}
    for name in _MOMENTS:
        moment: datetime | None = getattr(problem, name)
        kept[name] = moment.isoformat() if moment is not None else None
    return {FORMER: {**kept, "taken_at": now.isoformat()}}


def undoable(unit: Unit, object: str, step: int) -> AuditEntry:
    """The entry of a step if nothing was done since to what it was done to. Raises Conflict otherwise."""
    entry = unit.audit.latest_of(object)
    if entry is None or entry.id != step:
        raise Conflict("Something else was done since; look again before you change it.")
    return entry


def put_back(unit: Unit, problem: Problem, step: int, now: datetime, actor: str) -> Problem:
    """Put a problem back to how it stood before its latest step. Its alerts follow; what was let go since it was seen
    to takes its turn again, and customers who were being asked whether it is resolved are asked on."""
    entry = undoable(unit, problem.id, step)
    kept: Mapping[str, Any] | None = entry.detail.get(FORMER)
    if kept is None:
        raise Conflict("This cannot be taken back.")
    stood: dict[str, Any] = {name: kept[name] for name in _PLAIN}
    for name in _MOMENTS:
        stood[name] = datetime.fromisoformat(kept[name]) if kept[name] is not None else None
    restored = replace(problem, **stood)
    restored = taken(unit, problem, restored, now, expertise_id=None, actor=actor)
    unit.problems.put(restored)
    if problem.state == "resolved":
        lead_alerts(unit, restored, problem)
    if restored.state == "resolved":
        _ask_on(unit, restored, datetime.fromisoformat(kept["taken_at"]))
    if restored.state not in ("acknowledged", "resolved"):
        _tell_on(unit, restored, now)
    if restored.episode_at != problem.episode_at:
        recount(unit, restored.id)
    detail = {"step": entry.action, "before": problem.state, "state": restored.state}
    unit.audit.append(actor, "problem.undone", problem.id, detail)
    return unit.problems.get(problem.id) or restored


def _ask_on(unit: Unit, problem: Problem, taken_at: datetime) -> None:
    """Whom the step kept from being asked on are asked on."""
    assert problem.resolved_at is not None
    for follow_up in unit.follow_ups.of_problem(problem.id, problem.resolved_at):
        if follow_up.state == "reopened" and follow_up.closed_at == taken_at:
            unit.follow_ups.put(replace(follow_up, state="open", closed_at=None))


def _tell_on(unit: Unit, problem: Problem, now: datetime) -> None:
    alerts = [alert.id for alert in unit.alerts.of_problem(problem.id, quoted=False)]
    for notice in unit.notices.of_alerts(alerts).values():
        if (again := resumed(notice, now)) != notice:
            unit.notices.put(again)
