"""When product teams are told of alerts: at once, together with others of the group, later, again, or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from graph.lifecycle import awakened
from graph.models import Alert, Problem, Proposal
from graph.notices import (
    BURST_LOOK,
    GOES_ON,
    INHIBITS,
    NO_PARENT,
    SAME,
    STALE,
    Earlier,
    Escalation,
    Group,
    Leader,
    Notice,
    Parent,
    escalation_words,
    first_look,
    group_of,
    look_after,
    look_before,
)
from graph.parents import ancestors
from graph.rules import Rules
from kb_service.recurring.alert_messages import AlertMessages, ToldAlert
from kb_service.recurring.concerned import affected
from kb_service.recurring.steps import ACTOR, taken
from kb_service.store import Unit
from kb_service.timezones import zone


class Notifying:
    """One transaction's telling. The caller holds the workspace's lock."""

    def __init__(self, unit: Unit, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._rules: Rules = unit.rules.get()
        self._messages = AlertMessages(unit, now)

    def opened(
        self, problem: Problem, alert: Alert, proposal: Proposal | None, leader: Leader | None = None
    ) -> Notice:
        """Tell an alert that has just been stored, or note when it is to be told. What opened long ago is not.
        `proposal` is the one that came with it, None where it stood before; `leader` is the alert of the incident that
        it belongs to."""
        group = leader.group if leader is not None else group_of(alert)
        parent = self._parent(problem)
        if parent.alert_id is None and leader is not None and leader.leads:
            parent = self._speaking(leader.alert_id)
        notice = first_look(
            alert,
            problem,
            self._rules,
            now=self._now,
            zone=zone(self._rules.timezone),
            last=self._unit.notices.group_told(group),
            parent=parent,
            earlier=self._earlier(alert),
            group=group,
        )
        self._unit.notices.put(notice)
        detail: dict[str, Any] = {"kind": alert.kind, "problem": problem.id, "telling": notice.reason}
        if leader is not None:
            detail["incident"] = {"alert": leader.alert_id, "shares": list(leader.shares)}
        self._unit.audit.append(ACTOR, "alert.opened", alert.id, detail)
        self._note(None, notice)
        if notice.state == "told":
            self._messages.tell("alert.opened", [ToldAlert(alert, problem, notice, proposal=proposal)])
        if alert.opened_at > self._now - STALE:
            self._messages.tell_rest(problem, alert, proposal)
        return notice

    def due(self, alert_ids: Collection[str], customers: Mapping[str, int]) -> int:
        """Look at the notices of some alerts that are still due; how many alerts were told. `customers` as
        `recounted` gives them."""
        opened: dict[Group, list[ToldAlert]] = defaultdict(list)
        again: dict[tuple[Group, Escalation], list[ToldAlert]] = defaultdict(list)
        notices = self._unit.notices.of_alerts(alert_ids)
        for notice in (notices[alert_id] for alert_id in alert_ids if alert_id in notices):
            if notice.due_at is None or notice.due_at > self._now:
                continue
            alert = self._unit.alerts.get(notice.alert_id)
            problem = self._awake(alert.problem_id) if alert is not None else None
            if alert is None or problem is None:
                continue
            if notice.told_at is None:
                found = self._before(notice, alert, problem)
                if found.state == "told":
                    item = ToldAlert(alert, problem, found, proposal=self._proposal(alert))
                    opened[found.group].append(item)
            elif (told := self._after(notice, alert, problem, customers.get(alert.id, 0))) is not None:
                again[notice.group, told[0]].append(told[1])
        for items in opened.values():
            self._messages.tell("alert.opened", items)
        for items in again.values():
            self._messages.tell("alert.escalated", items)
        return sum(map(len, opened.values())) + sum(map(len, again.values()))

    def _awake(self, problem_id: str) -> Problem | None:
        """A problem, which wakes where its silence is over."""
        problem = self._unit.problems.get(problem_id)
        if problem is None or (awake := awakened(problem, self._now)) == problem:
            return problem
        self._unit.problems.put(taken(self._unit, problem, awake, self._now, expertise_id=None))
        return awake

    def _before(self, notice: Notice, alert: Alert, problem: Problem) -> Notice:
        found = look_before(
            notice,
            alert,
            problem,
            self._rules,
            now=self._now,
            zone=zone(self._rules.timezone),
            last=self._unit.notices.group_told(notice.group),
            parent=self._above(notice, alert, problem),
            earlier=self._earlier(alert) if notice.reason == "told_already" else None,
        )
        self._unit.notices.put(found)
        self._note(notice, found)
        return found

    def _after(
        self, notice: Notice, alert: Alert, problem: Problem, customers: int
    ) -> tuple[Escalation, ToldAlert] | None:
        look = look_after(
            notice,
            alert,
            problem,
            self._rules,
            now=self._now,
            customers=customers,
            newest=self._unit.notices.newest_told(problem.id) == alert.id,
        )
        self._unit.notices.put(look.notice)
        if look.escalation is None:
            return None
        detail = {"reason": look.escalation, "problem": problem.id, "customers": customers}
        self._unit.audit.append(ACTOR, "alert.escalated", alert.id, detail)
        minutes = alert.evidence.window_minutes
        words = escalation_words(look.escalation, notice, customers, minutes)
        told = notice.told_customers
        again = {"reason": look.escalation, "customers": customers, "told_customers": told, "words": words}
        return look.escalation, ToldAlert(alert, problem, look.notice, again)

    def _parent(self, problem: Problem) -> Parent:
        """What stands above a problem, and the alert that speaks for it now."""
        if problem.parent_id is None:
            return NO_PARENT
        above = ancestors(problem.id, self._unit.problems.parent_of)
        speaking = self._unit.notices.speaking(above, self._now - INHIBITS)
        parent = self._unit.problems.get(problem.parent_id)
        resolved = parent is not None and parent.state == "resolved"
        return Parent(speaking, parent.resolved_at if parent is not None and resolved else None)

    def _above(self, notice: Notice, alert: Alert, problem: Problem) -> Parent:
        """What speaks for an alert that was not told yet: its problem's parent, or what led its incident, as long as
        that has as many customers."""
        parent = self._parent(problem)
        if parent != NO_PARENT or notice.state != "inhibited" or notice.inhibited_by is None:
            return parent
        leader = self._unit.alerts.get(notice.inhibited_by)
        if leader is None or affected(self._unit, leader) < affected(self._unit, alert):
            return NO_PARENT
        return self._speaking(leader.id)

    def _speaking(self, alert_id: str) -> Parent:
        """An alert that others of its incident come after, while it was told lately and is not resolved."""
        alert, notice = self._unit.alerts.get(alert_id), self._unit.notices.get(alert_id)
        if alert is None or notice is None or notice.last_told_at is None:
            return NO_PARENT
        if alert.state != "resolved":
            # A look longer, so that a leader that is told again then takes along what it speaks for.
            lately = notice.last_told_at > self._now - INHIBITS - BURST_LOOK
            return Parent(alert_id) if lately else NO_PARENT
        problem = self._unit.problems.get(alert.problem_id)
        return Parent(None, problem.resolved_at if problem is not None else None)

    def _earlier(self, alert: Alert) -> Earlier | None:
        """What was told of a burst's problem shortly before it, as a recurrence or a regression."""
        told_id = self._unit.notices.newest_told(alert.problem_id) if alert.kind == "burst" else None
        told = self._unit.alerts.get(told_id) if told_id is not None else None
        if told is None or told.kind not in ("recurrence", "regression"):
            return None
        if not timedelta(0) <= alert.opened_at - told.opened_at <= SAME:
            return None
        since = told.opened_at - timedelta(minutes=told.evidence.window_minutes)
        latest = self._unit.events.latest_at() or alert.opened_at
        until = min(max(latest, alert.opened_at), alert.opened_at + GOES_ON)
        together = self._unit.problems.customers_between(alert.problem_id, since, until)
        return Earlier(told.evidence.customers, together)

    def _note(self, before: Notice | None, notice: Notice) -> None:
        """Put into the audit what became of an alert's first telling."""
        if before is not None and before.state == notice.state:
            return
        group = {"by": notice.group.by, "value": notice.group.value}
        if notice.state == "told":
            detail = {"reason": notice.reason, "group": group}
            self._unit.audit.append(ACTOR, "alert.told", notice.alert_id, detail)
        elif notice.state == "inhibited":
            self._unit.audit.append(ACTOR, "alert.inhibited", notice.alert_id, {"by": notice.inhibited_by})
        elif notice.state == "over":
            self._unit.audit.append(ACTOR, "alert.not_told", notice.alert_id, {"reason": notice.reason})

    def _proposal(self, alert: Alert) -> Proposal | None:
        """The proposal that an alert led to, while nobody has decided on it; a later alert may have refreshed it."""
        found = self._unit.proposals.get(alert.proposal_id) if alert.proposal_id is not None else None
        return found if found is not None and found.state == "open" else None
