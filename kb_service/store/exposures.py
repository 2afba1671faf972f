"""What was asked and what was shown for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select

from kb_service.store import tables
from kb_service.store.repository import Repository, page_of
from kb_service.store.values import Exposure, Page, ShownAnswer

_exposures = tables.exposures
_PLAIN = (
    "id",
    "at",
    "route",
    "query",
    "language",
    "action",
    "reason",
    "confidence",
    "conversation_id",
    "customer_id",
    "case_id",
    "event_id",
    "problem_id",
    "intent_id",
    "agent_id",
)


class Exposures(Repository):
    table = _exposures

    def add_many(self, exposures: Iterable[Exposure]) -> None:
        """Stores a group of exposures; one whose id is stored already is left as it is."""
        rows = []
        for exposure in exposures:
            row: dict[str, Any] = {name: getattr(exposure, name) for name in _PLAIN}
            row["confidence"] = float(exposure.confidence)
            row["answers"] = [asdict(answer) for answer in exposure.answers]
            rows.append(row | {"workspace": self.workspace})
        if rows:
            self._write(self._insert().on_conflict_do_nothing(), rows)

    def get(self, id: str) -> Exposure | None:
        row = self._read(select(_exposures).where(self._mine(), _exposures.c.id == id)).first()
        return None if row is None else _exposure(row)

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        action: str | None = None,
        since: datetime | None = None,
    ) -> Page[Exposure]:
        """Exposures that meet the conditions given, newest first."""
        statement = select(_exposures).where(self._mine())
        if action is not None:
            statement = statement.where(_exposures.c.action == action)
        if since is not None:
            statement = statement.where(_exposures.c.at >= since)
        order = [_exposures.c.at, _exposures.c.id]
        rows, next_cursor = self._page(statement, order, cursor, limit, descending=True)
        return page_of(map(_exposure, rows), next_cursor)


def _exposure(row: Any) -> Exposure:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Exposure(answers=tuple(ShownAnswer(**answer) for answer in row.answers), **plain)
