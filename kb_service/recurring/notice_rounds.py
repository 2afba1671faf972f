"""In the background: telling what waits for its group, for the digest or for its parent, and telling again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from graph.notices import Group, Notice
from kb_service.recurring.notifying import Notifying
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store, Unit

log = get_logger(__name__)

ROUND_SECONDS = 5.0
TOGETHER = 200
"""Notices looked at in one round of a workspace."""
FAILED = timedelta(minutes=1)
"""What could not be told waits so long, and lets others be told before it."""


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
