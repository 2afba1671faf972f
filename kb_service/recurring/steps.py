"""What a problem's step from one state to another brings with it: its alerts follow, an owner, the audit's entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from graph import lifecycle
from graph.lifecycle import effective_state
from graph.models import Problem
from graph.notices import woken
from graph.owners import owner_by_rules
from kb_service.store import Unit

ACTOR = "lifecycle"
"""Who takes the steps that nobody takes by hand."""


def taken(
    unit: Unit,
    before: Problem,
    after: Problem,
    now: datetime,
    *,
    expertise_id: str | None,
    actor: str = ACTOR,
) -> Problem:
    """The problem after a step, with the owner that the shop's rules give it when it opens; the caller stores it.

    Its alerts follow its state, questions whether it is resolved end where it is not any more, and what nobody did by
    hand is noted in the audit.
    """
    if before.state == after.state:
        return after
    if actor == ACTOR:
        action, object, detail = _step(before, after, now)
        unit.audit.append(ACTOR, action, object, detail)
        if detail.get("by") == "escalation":
            _tell_again(unit, after, now)
    if before.state == "resolved":
        for follow_up in unit.follow_ups.open(problem_id=after.id):
            unit.follow_ups.put(replace(follow_up, state="reopened", closed_at=now))
    if before.state == "silenced":
        _tell_what_waited(unit, after, now)
    lead_alerts(unit, after)
    opens = before.state == "candidate" and after.state in ("open", "acknowledged")
    return _owned(unit, after, expertise_id) if opens else after


def lead_alerts(unit: Unit, problem: Problem, reopened: Problem | None = None) -> None:
    """Let a problem's alerts follow its state. A resolved one is done with, unless the very resolution of its
    episode is taken back: `reopened` is the problem as it was before that."""
    begin = lifecycle.episode_begin(reopened) if reopened is not None else None
    for alert in unit.alerts.of_problem(problem.id):
        taken_back = reopened is not None and (begin is None or alert.opened_at >= begin)
        state = lifecycle.alert_state(problem.state)
        if (alert.state != "resolved" or taken_back) and alert.state != state:
            unit.alerts.put(replace(alert, state=state))
            if alert.state == "resolved" and (notice := unit.notices.get(alert.id)) and notice.told_at:
                unit.notices.put(replace(notice, state="told", due_at=unit.now))


def _tell_again(unit: Unit, problem: Problem, now: datetime) -> None:
    """What was silenced until it gets worse is told again, since no further alert opens for it."""
    alert_id = unit.notices.newest_told(problem.id)
    notice = unit.notices.get(alert_id) if alert_id is not None else None
    if notice is not None:
        unit.notices.put(woken(notice, now))


def _tell_what_waited(unit: Unit, problem: Problem, now: datetime) -> None:
    """What waited for a silence to end is looked at now that it has ended, however it did."""
    alerts = [alert.id for alert in unit.alerts.of_problem(problem.id, quoted=False)]
    for notice in unit.notices.of_alerts(alerts).values():
        if notice.reason == "silenced" and notice.state in ("waiting", "inhibited"):
            unit.notices.put(replace(notice, due_at=now))


def _step(before: Problem, after: Problem, now: datetime) -> tuple[str, str, dict[str, Any]]:
    """The action, object and detail of the audit's entry."""
    if before.state == "silenced":
        itself = effective_state(before, now) != "silenced"
        by_time = before.silenced_until is not None and now >= before.silenced_until
        cause = "time" if by_time else "customers" if itself else "escalation"
        return "problem.woken", after.id, {"by": cause}
    if before.state == "candidate":
        return "problem.promoted", after.id, {"customers": after.customers}
    return f"problem.{after.state}", after.id, {"before": before.state}


def _owned(unit: Unit, problem: Problem, expertise_id: str | None) -> Problem:
    rules = unit.rules.get()
    if not rules.owners:
        return problem
    given = owner_by_rules(problem, expertise_id, rules, {agent.id for agent in unit.agents.all()})
    if given is None:
        return problem
    unit.audit.append(ACTOR, "problem.owner_given", problem.id, {"owner": given.agent_id, "by": given.reason})
    return replace(problem, owner_id=given.agent_id)
