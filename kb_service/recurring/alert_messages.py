"""What webhooks are told of alerts: one message for those of a group, and what came with an alert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graph.models import Alert, Problem, Proposal
from graph.notices import Notice
from kb_service.delivery.announcing import announce
from kb_service.delivery.listening import listeners
from kb_service.delivery.messages import alert_data, problem_data, proposal_data
from kb_service.recurring.concerned import customers_since_opening, owner_of
from kb_service.store import Unit, Webhook

MOST_ALSO = 20
"""Alerts of a group that one message tells beside the first; their whole number is told too."""
ALSO_EXAMPLES = 1
ALSO_PROPOSED = ("id", "kind", "title")


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """An alert that is told now, and why once more where it was told before; with it the proposal that it brought."""

    alert: Alert
    problem: Problem
    notice: Notice
    again: dict[str, Any] | None = None
    proposal: Proposal | None = None

    @property
    def customers(self) -> int:
        return max(self.alert.evidence.customers, self.notice.told_customers)


class AlertMessages:
    """Puts one transaction's messages into the outbox. The caller holds the workspace's lock."""

    def __init__(self, unit: Unit, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._webhooks: tuple[Webhook, ...] | None = None

    def tell(self, type: str, told: Sequence[ToldAlert]) -> None:
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

    def _together(self, told: Sequence[ToldAlert]) -> dict[str, Any]:
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

    def _data(self, told: ToldAlert) -> dict[str, Any]:
        data = alert_data(told.alert, told.problem, owner_of(self._unit, told.problem))
        if told.proposal is not None:
            data["proposal"] = proposal_data(told.proposal)
        return data if told.again is None else {**data, "escalation": told.again}

    def _behind(self, told: Sequence[ToldAlert]) -> list[ToldAlert]:
        """The alerts that some speak for now, those of most customers first."""
        ids = self._unit.notices.behind([item.alert.id for item in told], MOST_ALSO)
        found = []
        for id, notice in self._unit.notices.of_alerts(ids).items():
            alert = self._unit.alerts.get(id) if notice.state == "inhibited" else None
            problem = self._unit.problems.get(alert.problem_id) if alert is not None else None
            if alert is not None and problem is not None:
                found.append(ToldAlert(alert, problem, notice))
        return sorted(found, key=lambda item: -item.customers)

    def tell_rest(self, problem: Problem, alert: Alert, proposal: Proposal | None) -> None:
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
