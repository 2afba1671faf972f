"""Telling product teams of alerts: at once, together with others of the group, later, again, or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from structlog.stdlib import get_logger

from graph.lifecycle import awakened
from graph.models import Agent, Alert, Problem, Proposal, Rules
from graph.notices import (
    INHIBITS,
    NO_PARENT,
    STALE,
    Escalation,
    Group,
    Notice,
    Parent,
    escalation_words,
    first_look,
    group_of,
    look_after,
    look_before,
)
from graph.parents import ancestors
from kb_service.delivery.announcing import announce
from kb_service.delivery.listening import listeners
from kb_service.delivery.messages import alert_data, problem_data, proposal_data
from kb_service.recurring.steps import ACTOR, taken
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store, Unit, Webhook
from kb_service.timezones import zone

log = get_logger(__name__)

ROUND_SECONDS = 5.0
TOGETHER = 200
"""Notices looked at in one round of a workspace."""
MOST_ALSO = 20
"""Alerts of a group that one message tells beside the first; their whole number is told too."""
ALSO_EXAMPLES = 1


@dataclass(frozen=True, slots=True)
class _Told:
    """An alert that is told now, and why once more where it was told before."""

    alert: Alert
    problem: Problem
    notice: Notice
    again: dict[str, Any] | None = None


class Notifying:
    """One transaction's telling. The caller holds the workspace's lock."""

    def __init__(self, unit: Unit, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._rules: Rules = unit.rules.get()
        self._webhooks: tuple[Webhook, ...] | None = None

    def opened(self, problem: Problem, alert: Alert, proposal: Proposal) -> Notice:
        """Tell an alert that has just been stored, or note when it is to be told. What opened long ago is not."""
        notice = first_look(
            alert,
            problem,
            self._rules,
            now=self._now,
            zone=zone(self._rules.timezone),
            last=self._unit.notices.group_told(group_of(alert)),
            parent=self._parent(problem),
        )
        self._unit.notices.put(notice)
        detail = {"kind": alert.kind, "problem": problem.id, "telling": notice.reason}
        self._unit.audit.append(ACTOR, "alert.opened", alert.id, detail)
        self._note(None, notice)
        if notice.state == "told":
            self._tell("alert.opened", [_Told(alert, problem, notice)])
        if alert.opened_at > self._now - STALE:
            self._tell_rest(problem, alert, proposal)
        return notice

    def due(self) -> int:
        """Look at what is due; how many alerts were told."""
        opened: dict[Group, list[_Told]] = defaultdict(list)
        again: dict[tuple[Group, Escalation], list[_Told]] = defaultdict(list)
        for notice in self._unit.notices.due(self._now, TOGETHER):
            alert = self._unit.alerts.get(notice.alert_id)
            problem = self._awake(alert.problem_id) if alert is not None else None
            if alert is None or problem is None:
                continue
            if notice.told_at is None:
                found = self._before(notice, alert, problem)
                if found.state == "told":
                    opened[found.group].append(_Told(alert, problem, found))
            elif (told := self._after(notice, alert, problem)) is not None:
                again[notice.group, told[0]].append(told[1])
        for items in opened.values():
            self._tell("alert.opened", items)
        for items in again.values():
            self._tell("alert.escalated", items)
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
            parent=self._parent(problem),
        )
        self._unit.notices.put(found)
        self._note(notice, found)
        return found

    def _after(self, notice: Notice, alert: Alert, problem: Problem) -> tuple[Escalation, _Told] | None:
        customers = self._customers(alert)
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
        return look.escalation, _Told(alert, problem, look.notice, again)

    def _customers(self, alert: Alert) -> int:
        """The distinct customers in the alert's own window, up to the latest event; 0 where only bursts count."""
        if alert.kind not in ("burst", "growth"):
            return 0
        until = self._unit.events.latest_at() or self._now
        since = until - timedelta(minutes=alert.evidence.window_minutes)
        seen = self._unit.problems.observations(alert.problem_id, since)
        return len({item.voter for item in seen if since < item.at <= until})

    def _parent(self, problem: Problem) -> Parent:
        """What stands above a problem, and the alert that speaks for it now."""
        if problem.parent_id is None:
            return NO_PARENT
        above = ancestors(problem.id, self._unit.problems.parent_of)
        speaking = self._unit.notices.speaking(above, self._now - INHIBITS)
        parent = self._unit.problems.get(problem.parent_id)
        resolved = parent is not None and parent.state == "resolved"
        return Parent(speaking, parent.resolved_at if parent is not None and resolved else None)

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

    # --- messages

    def _tell(self, type: str, told: Sequence[_Told]) -> None:
        """One message to each webhook with all that it wants to hear of these alerts of one group."""
        wanted: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for webhook in self._hooks():
            places = tuple(
                place
                for place, item in enumerate(told)
                if listeners([webhook], type, products=item.alert.products, expertise=item.alert.expertise_id)
            )
            if places:
                wanted[places].append(webhook.id)
        if not wanted:  # stored all the same: whoever listens later may have it replayed
            wanted[tuple(range(len(told)))] = []
        for places, webhook_ids in wanted.items():
            items = [told[place] for place in places]
            at = items[0].alert.opened_at if type == "alert.opened" else self._now
            quotes = self._unit.alerts.quoted_events([item.alert.id for item in items])
            self._unit.outbox.add(type, self._together(items), at, webhook_ids, quotes)

    def _together(self, told: Sequence[_Told]) -> dict[str, Any]:
        """The first alert, the others beside it, and what they have in common."""
        first, group = self._data(told[0]), told[0].notice.group
        also = [self._data(item) for item in told[1 : MOST_ALSO + 1]]
        for data in also:
            data["examples"] = data["examples"][:ALSO_EXAMPLES]
        shared = {"by": group.by, "value": group.value, "alerts": len(told)}
        return {**first, "also": also, "group": shared}

    def _data(self, told: _Told) -> dict[str, Any]:
        data = alert_data(told.alert, told.problem, owner_of(self._unit, told.problem))
        return data if told.again is None else {**data, "escalation": told.again}

    def _tell_rest(self, problem: Problem, alert: Alert, proposal: Proposal) -> None:
        """The proposal that came with an alert; and that a problem is back, where it is."""
        kinds = {"proposal.created": proposal_data(proposal)}
        if alert.kind == "regression":
            owner = owner_of(self._unit, problem)
            kinds["problem.regressed"] = problem_data(problem, alert.opened_at, owner)
        for type, data in kinds.items():
            announce(
                self._unit,
                type,
                data,
                alert.opened_at,
                products=alert.products,
                expertise=alert.expertise_id,
                quotes=self._unit.alerts.quoted_events([alert.id]),
            )

    def _hooks(self) -> tuple[Webhook, ...]:
        if self._webhooks is None:
            self._webhooks = self._unit.webhooks.all()
        return self._webhooks


def owner_of(unit: Unit, problem: Problem) -> Agent | None:
    """The agent who owns a problem, None where nobody does or they have left."""
    return unit.agents.get(problem.owner_id) if problem.owner_id is not None else None


class NoticeRounds(WorkspaceRounds):
    """Tells what waits for its group, for the digest or for its parent, and what nobody has taken up."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        super().__init__("notices", store, seconds=ROUND_SECONDS)
        self._clock = clock

    def look(self, workspace: str) -> int:
        """Tell what is due; how many alerts. A round costs one query while nothing is."""
        now = self._clock()
        with self._store.reading(workspace) as unit:
            due = unit.notices.next_due()
        if due is None or due > now:
            return 0
        with self._store.writing(workspace) as unit:
            told = Notifying(unit, now).due()
        if told:
            log.info("alerts_told", workspace=workspace, alerts=told)
        return told
