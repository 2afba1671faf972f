"""Telling product teams of alerts: at once, together with others of the group, later, again, or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from structlog.stdlib import get_logger

from graph.incidents import WITHIN
from graph.lifecycle import awakened
from graph.models import Agent, Alert, Problem, Proposal, Rules
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
FAILED = timedelta(minutes=1)
"""What could not be told waits so long, and lets others be told before it."""
MOST_ALSO = 20
"""Alerts of a group that one message tells beside the first; their whole number is told too."""
ALSO_EXAMPLES = 1
ALSO_PROPOSED = ("id", "kind", "title")


@dataclass(frozen=True, slots=True)
class _Told:
    """An alert that is told now, and why once more where it was told before; with it the proposal that it brought."""

    alert: Alert
    problem: Problem
    notice: Notice
    again: dict[str, Any] | None = None
    proposal: Proposal | None = None

    @property
    def customers(self) -> int:
        return max(self.alert.evidence.customers, self.notice.told_customers)


class Notifying:
    """One transaction's telling. The caller holds the workspace's lock."""

    def __init__(self, unit: Unit, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._rules: Rules = unit.rules.get()
        self._webhooks: tuple[Webhook, ...] | None = None

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
            self._tell("alert.opened", [_Told(alert, problem, notice, proposal=proposal)])
        if alert.opened_at > self._now - STALE:
            self._tell_rest(problem, alert, proposal)
        return notice

    def due(self, alert_ids: Collection[str], customers: Mapping[str, int]) -> int:
        """Look at the notices of some alerts that are still due; how many alerts were told. `customers` as
        `recounted` gives them."""
        opened: dict[Group, list[_Told]] = defaultdict(list)
        again: dict[tuple[Group, Escalation], list[_Told]] = defaultdict(list)
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
                    item = _Told(alert, problem, found, proposal=self._proposal(alert))
                    opened[found.group].append(item)
            elif (told := self._after(notice, alert, problem, customers.get(alert.id, 0))) is not None:
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
            parent=self._above(notice, alert, problem),
            earlier=self._earlier(alert) if notice.reason == "told_already" else None,
        )
        self._unit.notices.put(found)
        self._note(notice, found)
        return found

    def _after(
        self, notice: Notice, alert: Alert, problem: Problem, customers: int
    ) -> tuple[Escalation, _Told] | None:
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
            items = sorted((told[place] for place in places), key=lambda item: -item.customers)
            at = items[0].alert.opened_at if type == "alert.opened" else self._now
            quotes = self._unit.alerts.quoted_events([item.alert.id for item in items])
            self._unit.outbox.add(type, self._together(items), at, webhook_ids, quotes)

    def _together(self, told: Sequence[_Told]) -> dict[str, Any]:
        """The alert of most customers, the others and those it speaks for beside it, and what they have in common."""
        first, group = self._data(told[0]), told[0].notice.group
        others = [*told[1:], *self._behind(told)]
        also = [self._data(item) for item in others[:MOST_ALSO]]
        for data in also:
            data["examples"] = data["examples"][:ALSO_EXAMPLES]
            if "proposal" in data:
                data["proposal"] = {name: data["proposal"][name] for name in ALSO_PROPOSED}
        shared = {"by": group.by, "value": group.value, "alerts": 1 + len(others)}
        return {**first, "also": also, "group": shared}

    def _data(self, told: _Told) -> dict[str, Any]:
        data = alert_data(told.alert, told.problem, owner_of(self._unit, told.problem))
        if told.proposal is not None:
            data["proposal"] = proposal_data(told.proposal)
        return data if told.again is None else {**data, "escalation": told.again}

    def _behind(self, told: Sequence[_Told]) -> list[_Told]:
        """The alerts that some speak for now, those of most customers first."""
        ids = self._unit.notices.behind([item.alert.id for item in told], MOST_ALSO)
        found = []
        for id, notice in self._unit.notices.of_alerts(ids).items():
            alert = self._unit.alerts.get(id) if notice.state == "inhibited" else None
            problem = self._unit.problems.get(alert.problem_id) if alert is not None else None
            if alert is not None and problem is not None:
                found.append(_Told(alert, problem, notice))
        return sorted(found, key=lambda item: -item.customers)

    def _proposal(self, alert: Alert) -> Proposal | None:
        """The proposal that an alert led to, while nobody has decided on it; a later alert may have refreshed it."""
        found = self._unit.proposals.get(alert.proposal_id) if alert.proposal_id is not None else None
        return found if found is not None and found.state == "open" else None

    def _tell_rest(self, problem: Problem, alert: Alert, proposal: Proposal | None) -> None:
        """The proposal that came with an alert; and that a problem is back, where it is."""
        kinds: dict[str, dict[str, Any]] = {}
        if proposal is not None:
            kinds["proposal.created"] = proposal_data(proposal)
        if alert.kind == "regression":
            owner = owner_of(self._unit, problem)
            customers = customers_since_opening(self._unit, problem)
            kinds["problem.regressed"] = problem_data(problem, alert.opened_at, customers, owner)
        for type, data in kinds.items():
            announce(
                self._unit,
                type,
                data,
                alert.opened_at,
                products=alert.products,
                expertise=alert.expertise_id,
                quotes=self._unit.alerts.quoted_events([alert.id]),
                told_in="alert.opened" if type == "proposal.created" else None,
            )

    def _hooks(self) -> tuple[Webhook, ...]:
        if self._webhooks is None:
            self._webhooks = self._unit.webhooks.all()
        return self._webhooks


def recounted(unit: Unit, notices: Sequence[Notice], now: datetime) -> dict[str, int]:
    """The distinct customers in the own window of each burst and growth that was told, up to the latest event, by
    alert. A count may take long: it is for a unit that nobody waits for."""
    until = unit.events.latest_at() or now
    found = {}
    for notice in notices:
        alert = unit.alerts.get(notice.alert_id) if notice.told_at is not None else None
        if alert is not None and alert.kind in ("burst", "growth"):
            since = until - timedelta(minutes=alert.evidence.window_minutes)
            found[alert.id] = unit.problems.customers_between(alert.problem_id, since, until)
    return found


def affected(unit: Unit, alert: Alert) -> int:
    """The distinct customers who wrote of an alert's problem within a day of its opening."""
    return unit.problems.customers_between(
        alert.problem_id, alert.opened_at - WITHIN, alert.opened_at + WITHIN
    )


def customers_since_opening(unit: Unit, problem: Problem) -> int:
    """The distinct customers of all of a problem's messages, of this episode and of those before."""
    before = problem.opened_at - timedelta(microseconds=1)
    return unit.problems.customers_between(problem.id, before, problem.active_at)


def owner_of(unit: Unit, problem: Problem) -> Agent | None:
    """The agent who owns a problem, None where nobody does or they have left."""
    return unit.agents.get(problem.owner_id) if problem.owner_id is not None else None


class NoticeRounds(WorkspaceRounds):
    """Tells what waits for its group, for the digest or for its parent, and what nobody has taken up."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        super().__init__("notices", store, seconds=ROUND_SECONDS)
        self._clock = clock

    def look(self, workspace: str) -> int:
        """Tell what is due, each group in a transaction of its own; how many alerts. A round costs one query while
        nothing is."""
        now = self._clock()
        with self._store.reading(workspace) as unit:
            due = unit.notices.due(now, TOGETHER)
            customers = recounted(unit, due, now) if due else {}
        groups: dict[Group, list[str]] = defaultdict(list)
        for notice in due:
            groups[notice.group].append(notice.alert_id)
        told = sum(self._told(workspace, alert_ids, customers, now) for alert_ids in groups.values())
        if told:
            log.info("alerts_told", workspace=workspace, alerts=told)
        return told

    def _told(
        self, workspace: str, alert_ids: Sequence[str], customers: Mapping[str, int], now: datetime
    ) -> int:
        """Tell what is due of a group; where that fails, each of its alerts alone, so that one keeps no other back."""
        try:
            with self._store.writing(workspace) as unit:
                return Notifying(unit, now).due(alert_ids, customers)
        except Exception as error:
            if len(alert_ids) > 1:
                return sum(self._told(workspace, [alert_id], customers, now) for alert_id in alert_ids)
            log.error("notice_failed", workspace=workspace, alert=alert_ids[0], exc_info=error)
        self._put_off(workspace, alert_ids[0], now + FAILED)
        return 0

    def _put_off(self, workspace: str, alert_id: str, until: datetime) -> None:
        try:
            with self._store.writing(workspace) as unit:
                notice = unit.notices.get(alert_id)
                if notice is not None and notice.due_at is not None:
                    unit.notices.put(replace(notice, due_at=max(notice.due_at, until)))
        except Exception as error:
            log.error("notice_not_put_off", workspace=workspace, alert=alert_id, exc_info=error)
