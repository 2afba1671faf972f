"""Which alert speaks for one that has just been raised, since both are of one incident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from graph.entities import Gazetteer
from graph.incidents import BEFORE, WITHIN, Said, Usual, marks, shared
from graph.models import Alert, Event
from graph.notices import Leader
from graph.recurrence import Observation
from kb_service.recurring.concerned import affected
from kb_service.replicas.replica import Replica
from kb_service.store import Unit
from kb_service.understanding.reading import compared_words

MOST_ALERTS = 20
"""Alerts of the day that one is compared with, the latest."""
MOST_MESSAGES = 40
"""Messages of a problem that are compared, the latest."""
_KEPT = frozenset(("campaign", "carrier"))
"""Entities that an incident may be about. Products are a group of their own; orders and parcels are one's own."""


def leader_of(unit: Unit, replica: Replica, alert: Alert) -> Leader | None:
    """The alert that an incident was told by so far; None where this one shares nothing with others of its day."""
    around = _around(unit, alert)
    if not around:
        return None
    gazetteer = replica.shop.gazetteer
    mine = marks(_said(unit, gazetteer, alert.problem_id, alert.opened_at, alert.opened_at))
    if not mine:
        return None
    theirs = {
        other.id: mine & marks(_said(unit, gazetteer, other.problem_id, other.opened_at, alert.opened_at))
        for other in around
    }
    words = frozenset().union(*theirs.values())
    if not words:
        return None
    usual = Usual.of(replica.matcher.kept_before(alert.opened_at - BEFORE), words)
    own = affected(unit, alert)
    found = [
        (customers, leader)
        for other in around
        if (common := shared(mine, theirs[other.id], usual))
        for customers, leader in _leader(unit, other, common, alert.problem_id, own)
    ]
    return max(found, key=lambda item: (item[0], item[1].alert_id), default=(0, None))[1]


def _around(unit: Unit, alert: Alert) -> list[Alert]:
    """The alerts of other problems of the same day, one a problem."""
    found: dict[str, Alert] = {}
    for other in unit.alerts.page(limit=MOST_ALERTS, since=alert.opened_at - WITHIN).items:
        near = other.opened_at <= alert.opened_at + WITHIN
        if near and other.state != "resolved" and other.problem_id != alert.problem_id:
            found.setdefault(other.problem_id, other)
    return list(found.values())


def _said(
    unit: Unit, gazetteer: Gazetteer, problem_id: str, opened_at: datetime, until: datetime
) -> Sequence[Said]:
    """What was written of a problem from a day before its alert on."""
    first, last = min(opened_at, until) - WITHIN, max(opened_at, until)
    stored = unit.events.of_problem(problem_id, limit=MOST_MESSAGES, since=first, until=last)
    return [_words(gazetteer, item.event) for item in stored if item.event.text]


def _words(gazetteer: Gazetteer, event: Event) -> Said:
    """The words of a message without what names its product or is the customer's own."""
    text = event.text or ""
    for entity in reversed(gazetteer.entities(text, event.at)):
        if entity.type not in _KEPT:
            text = f"{text[: entity.start]} {text[entity.end :]}"
    voter = Observation(event.at, event.customer_id, event.id, event.conversation_id).voter
    return Said(voter, frozenset(compared_words(text)))


def _leader(
    unit: Unit, alert: Alert, shares: tuple[str, ...], problem_id: str, own: int
) -> Iterator[tuple[int, Leader]]:
    """An alert as the leader of one that has its `own` customers, or what speaks for it; with its customers."""
    notice = unit.notices.get(alert.id)
    if notice is not None and notice.inhibited_by is not None and notice.state == "inhibited":
        above = unit.alerts.get(notice.inhibited_by)
        if above is not None and above.state != "resolved" and above.problem_id != problem_id:
            alert, notice = above, unit.notices.get(above.id)
    if notice is not None:
        customers = affected(unit, alert)
        yield customers, Leader(alert.id, notice.group, shares, customers >= own)
