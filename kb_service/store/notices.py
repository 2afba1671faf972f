"""How far the telling of each alert has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select

from graph.notices import Group, GroupTold, Notice
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks

_notices = tables.notices
_alerts = tables.alerts
_PLAIN = (
    "alert_id",
    "state",
    "reason",
    "due_at",
    "told_at",
    "last_told_at",
    "told_customers",
    "inhibited_by",
    "acknowledged",
)
_BY_TURN = ("first_of_group", "gathered", "interval")
"""How alerts of a group are told that others of it wait for."""


class Notices(Repository):
    """One for each alert since there are notices; it goes with its alert."""

    table = _notices

    def get(self, alert_id: str) -> Notice | None:
        return self.of_alerts([alert_id]).get(alert_id)

    def put(self, notice: Notice) -> None:
        """Stores a notice, over the one of the same alert."""
        row: dict[str, Any] = {name: getattr(notice, name) for name in _PLAIN}
        group = {"group_by": notice.group.by, "group_value": notice.group.value}
        self._upsert({"workspace": self.workspace, **row, **group})

    def of_alerts(self, alert_ids: Collection[str]) -> dict[str, Notice]:
        """The notices of some alerts, by the alert's id."""
        found: dict[str, Notice] = {}
        for some in chunks(dict.fromkeys(alert_ids)):
            statement = select(_notices).where(self._mine(), _notices.c.alert_id.in_(some))
            found.update((row.alert_id, _notice(row)) for row in self._read(statement))
        return found

    def due(self, now: datetime, limit: int) -> tuple[Notice, ...]:
        """Those to be looked at by `now`, the longest due first."""
        statement = select(_notices).where(self._mine(), _notices.c.due_at <= now)
        rows = self._read(statement.order_by(_notices.c.due_at, _notices.c.alert_id).limit(limit))
        return tuple(map(_notice, rows))

    def group_told(self, group: Group) -> GroupTold | None:
        """When alerts of a group were told last in its turn; what the digest told does not count."""
        statement = (
            select(_notices.c.told_at, _notices.c.reason)
            .where(
                self._mine(),
                _notices.c.group_by == group.by,
                _notices.c.group_value == group.value,
                _notices.c.told_at.is_not(None),
                _notices.c.reason.in_(_BY_TURN),
            )
            .order_by(_notices.c.told_at.desc(), _notices.c.alert_id)
            .limit(1)
        )
        row = self._read(statement).first()
        return None if row is None else GroupTold(row.told_at, row.reason)

    def speaking(self, problem_ids: Iterable[str], since: datetime) -> str | None:
        """The latest told alert of some problems that was told after `since` and is not resolved."""
        source = _notices.join(
            _alerts, and_(_alerts.c.workspace == _notices.c.workspace, _alerts.c.id == _notices.c.alert_id)
        )
        statement = (
            select(_notices.c.alert_id)
            .select_from(source)
            .where(
                self._mine(),
                _alerts.c.problem_id.in_(list(problem_ids)),
                _alerts.c.state != "resolved",
                _notices.c.last_told_at > since,
            )
            .order_by(_notices.c.last_told_at.desc(), _notices.c.alert_id)
            .limit(1)
        )
        found: str | None = self._read(statement).scalar()
        return found

    def behind(self, alert_ids: Collection[str], limit: int) -> tuple[str, ...]:
        """The alerts that some alerts speak for, or spoke for."""
        found: list[str] = []
        for some in chunks(dict.fromkeys(alert_ids)):
            statement = select(_notices.c.alert_id).where(self._mine(), _notices.c.inhibited_by.in_(some))
            found += self._read(statement.order_by(_notices.c.alert_id).limit(limit)).scalars()
        return tuple(found[:limit])

    def newest_told(self, problem_id: str) -> str | None:
        """The alert of a problem that was opened last of those that were told."""
        source = _notices.join(
            _alerts, and_(_alerts.c.workspace == _notices.c.workspace, _alerts.c.id == _notices.c.alert_id)
        )
        statement = (
            select(_notices.c.alert_id)
            .select_from(source)
            .where(self._mine(), _alerts.c.problem_id == problem_id, _notices.c.told_at.is_not(None))
            .order_by(_alerts.c.opened_at.desc(), _alerts.c.id.desc())
            .limit(1)
        )
        found: str | None = self._read(statement).scalar()
        return found


def _notice(row: Any) -> Notice:
    plain: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    plain["acknowledged"] = bool(row.acknowledged)  # nothing in those of an earlier version
    return Notice(group=Group(row.group_by, row.group_value), **plain)
