"""Gaps that were told: which, when, and whose words were quoted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, update

from kb_service.store import tables
from kb_service.store.quotes import ERASED, without
from kb_service.store.repository import Repository
from kb_service.store.values import ToldGap

_told = tables.told_gaps
_PLAIN = ("id", "problem_id", "told_at", "proposal_id")
_LISTS = ("exposure_ids", "quotes", "message_ids")


class ToldGaps(Repository):
    table = _told

    def put(self, gap: ToldGap) -> None:
        """Stores a gap as told, over the one of the same id."""
        row: dict[str, Any] = {name: getattr(gap, name) for name in _PLAIN}
        lists = {name: list(getattr(gap, name)) for name in _LISTS}
        self._upsert(row | lists | {"workspace": self.workspace, "names": dict(gap.names)})

    def since(self, at: datetime) -> tuple[ToldGap, ...]:
        """The gaps told at or after `at`, the earliest first."""
        statement = select(_told).where(self._mine(), _told.c.told_at >= at)
        return tuple(map(_gap, self._read(statement.order_by(_told.c.told_at, _told.c.id))))

    def get(self, id: str) -> ToldGap | None:
        row = self._read(select(_told).where(self._mine(), _told.c.id == id)).first()
        return None if row is None else _gap(row)

    def forget(self, ids: Collection[str]) -> int:
        """Takes the words of some exposures and events out of every gap that quotes them; how many there were.

        A name may hold a piece of any of its questions, so it goes as a whole, from the message and the proposal
        too, and with it their examples and draft: both can be made again from what others asked.
        """
        gone = set(ids)
        rows = [row for row in self._read(select(_told).where(self._mine())) if gone & set(row.quotes)]
        for row in rows:
            names = set(row.names.values())
            for message_id in row.message_ids:
                self._blank_message(message_id, names)
            self._blank_proposal(row.proposal_id, names)
            rest = {
                "names": {},
                "exposure_ids": [id for id in row.exposure_ids if id not in gone],
                "quotes": [id for id in row.quotes if id not in gone],
            }
            self._change(_told, row.id, rest)
        return len(rows)

    def _blank_message(self, id: str, names: Collection[str]) -> None:
        table = tables.messages
        for row in self._read(select(table.c.data).where(self._mine(table), table.c.id == id)).all():
            data = without(row.data, names)
            if "examples" in data:
                data["examples"] = []
            self._change(table, id, {"data": data, "quotes": []})

    def _blank_proposal(self, id: str | None, names: Collection[str]) -> None:
        table = tables.proposals
        for row in self._read(select(table.c.title).where(self._mine(table), table.c.id == id)).all():
            self._change(table, id, {"title": without(row.title, names), "draft": ERASED})

    def _change(self, table: Table, id: str | None, values: Mapping[str, Any]) -> None:
        self._write(update(table).where(self._mine(table), table.c.id == id).values(**values))


def _gap(row: Any) -> ToldGap:
    plain: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    lists: dict[str, Any] = {name: tuple(getattr(row, name)) for name in _LISTS}
    return ToldGap(names=row.names, **plain, **lists)
