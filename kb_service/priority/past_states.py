"""What a problem was at a moment in the past, as far as what is stored tells."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from graph.lifecycle import EVERGREEN_CUSTOMERS, EVERGREEN_FOR
from graph.models import Alert, ProblemState
from graph.recurrence import Observation
from graph.rules import Rules
from kb_service.store import StoredMessage, Unit
from kb_service.understanding.contact_history import surged

REGRESSED_FOR = timedelta(days=7)
"""So long a problem that came back counts as regressed: when it was closed again is not kept."""


class Visit(NamedTuple):
    """A customer's message about a problem; `voter` is who counts (see `graph.recurrence.Observation`)."""

    problem_id: str
    at: datetime
    voter: tuple[str, str]

    @classmethod
    def of(cls, item: StoredMessage) -> Visit | None:
        """None for a message that is about no problem, or not surely."""
        problem_id = _problem_of(item)
        if problem_id is None:
            return None
        event = item.event
        said = Observation(event.at, event.customer_id, event.id, event.conversation_id)
        return cls(problem_id, event.at, said.voter)


class PastStates:
    """Told from who had come by then and which alerts stood. What people did with a problem is not known."""

    def __init__(self, unit: Unit, rules: Rules, visits: Iterable[Visit]) -> None:
        """`visits` are those of all customers in the time that may be asked about."""
        self._rules = rules
        self._visits: defaultdict[str, list[tuple[datetime, tuple[str, str]]]] = defaultdict(list)
        for visit in visits:
            self._visits[visit.problem_id].append((visit.at, visit.voter))
        self._alerts: dict[str, tuple[Alert, ...]] = {}
        for problem_id, came in self._visits.items():
            came.sort()
            self._alerts[problem_id] = unit.alerts.of_problem(problem_id) if len(came) > 1 else ()

    def at(self, item: StoredMessage) -> tuple[ProblemState | None, bool]:
        """The state of a message's problem when it was written, and whether a burst was going on.

        (None, False) for the first message of a problem, which nobody knew before.
        """
        problem_id = _problem_of(item)
        if problem_id is None:
            return None, False
        at = item.event.at
        alerts = [alert for alert in self._alerts.get(problem_id, ()) if alert.opened_at <= at]
        before = self._before(problem_id, at)
        if not before:
            return None, False
        surging = any(surged(alert, at) for alert in alerts)
        if any(alert.kind == "regression" and at - alert.opened_at <= REGRESSED_FOR for alert in alerts):
            return "regressed", surging
        return ("open" if before >= self._rules.promote_customers else "candidate"), surging

    def evergreen(self, item: StoredMessage) -> bool:
        """Whether the problem had been asked for long by many when the message was written; see `graph.lifecycle`."""
        visits = self._visits.get(_problem_of(item) or "", [])
        at = item.event.at
        if not visits or at - visits[0][0] < EVERGREEN_FOR:
            return False
        known: set[tuple[str, str]] = set()
        for came, who in visits:
            if came > at or len(known) >= EVERGREEN_CUSTOMERS:
                break
            known.add(who)
        return len(known) >= EVERGREEN_CUSTOMERS

    def _before(self, problem_id: str, at: datetime) -> int:
        """How many customers had come by then, in the window within which they make a problem."""
        visits = self._visits[problem_id]
        since = at - timedelta(hours=self._rules.promote_window_hours)
        first = bisect_left(visits, since, key=lambda visit: visit[0])
        last = bisect_left(visits, at, key=lambda visit: visit[0])
        return len({who for _, who in visits[first:last]})


def _problem_of(item: StoredMessage) -> str | None:
    assigned = item.assignment
    return assigned.problem_id if assigned is not None and not assigned.match.pending else None
