"""The shop's own taxonomy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Text, cast, delete, func, or_, select

from graph.models import Intent
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import Page

_intents = tables.intents


class Intents(Repository):
    table = _intents

    def get(self, id: str) -> Intent | None:
        row = self._read(select(_intents).where(self._mine(), _intents.c.id == id)).first()
        return None if row is None else _intent(row)

    def put(self, intent: Intent) -> bool:
        """Stores an intent, over the one of the same id; True when it is new."""
        return self.put_many([intent]) == {intent.id}

    def put_many(self, intents: Iterable[Intent]) -> set[str]:
        """Stores many, the last of an id winning; the ids that are new."""
        latest = {intent.id: intent for intent in intents}
        known: set[str] = set()
        for some in chunks(latest):
            known.update(
                self._read(select(_intents.c.id).where(self._mine(), _intents.c.id.in_(some))).scalars()
            )
        self._upsert_many([self._row(intent) for intent in latest.values()])
        for id in latest:
            self._log("intent", id)
        return latest.keys() - known

    def remove(self, id: str) -> bool:
        if self._write(delete(_intents).where(self._mine(), _intents.c.id == id)).rowcount == 0:
            return False
        self._log("intent_removed", id)
        return True

    def all(self) -> tuple[Intent, ...]:
        """Every intent, by id."""
        return tuple(map(_intent, self._read(select(_intents).where(self._mine()).order_by(_intents.c.id))))

    def page(self, cursor: str | None = None, limit: int = 50, *, q: str | None = None) -> Page[Intent]:
        """Intents by id; with `q` those whose id, label, expertise, description or examples hold it."""
        statement = select(_intents).where(self._mine())
        if q:
            # Escaped as in JSON, in which the examples lie; they are not escaped beyond that.
            quoted = json.dumps(q.lower(), ensure_ascii=False)[1:-1]
            plain = (_intents.c.id, _intents.c.label, _intents.c.expertise, _intents.c.description)
            statement = statement.where(
                or_(
                    *(func.lower(column).contains(q.lower(), autoescape=True) for column in plain),
                    func.lower(cast(_intents.c.examples, Text)).contains(quoted, autoescape=True),
                )
            )
        rows, next_cursor = self._page(statement, [_intents.c.id], cursor, limit)
        return page_of(map(_intent, rows), next_cursor)

    def _row(self, intent: Intent) -> dict[str, Any]:
        return {
            "workspace": self.workspace,
            "id": intent.id,
            "label": intent.label,
            "examples": list(intent.examples),
            "expertise": intent.expertise,
            "description": intent.description,
            "sensitive": intent.sensitive,
        }


def _intent(row: Any) -> Intent:
    return Intent(
        id=row.id,
        label=row.label,
        examples=tuple(row.examples),
        expertise=row.expertise,
        description=row.description,
        sensitive=row.sensitive,
    )
