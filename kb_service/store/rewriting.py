"""Changing texts in rows that stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Table, select, update

from kb_service.store.repository import Repository, Scope
from kb_service.store.values import ChangeKind

STREAM = 500
"""Rows fetched at once."""


class Rewriter(Repository):
    """Rewrites rows of any table; `counts` tells how many of each were changed."""

    def __init__(self, scope: Scope, counts: Counter[str]) -> None:
        super().__init__(scope)
        self._counts = counts

    def _rewrite(
        self,
        table: Table,
        columns: tuple[str, ...],
        cleaned: Callable[[Any, str], Any],
        kind: ChangeKind | None = None,
        condition: ColumnElement[bool] | None = None,
        *,
        beside: tuple[str, ...] = (),
    ) -> set[Any]:
        """Puts `cleaned(row, column)` in place of each of `columns`; the ids of the rows that changed.

        `cleaned` may look at the columns `beside` too. `kind` logs each change.
        """
        names = dict.fromkeys(("id", *columns, *beside))
        statement = select(*(table.c[name] for name in names)).where(self._mine(table))
        if condition is not None:
            statement = statement.where(condition)
        changed: dict[Any, dict[str, Any]] = {}
        for row in self._read(statement.execution_options(yield_per=STREAM)):
            new = {name: cleaned(row, name) for name in columns}
            new = {name: value for name, value in new.items() if value != getattr(row, name)}
            if new:
                changed[row.id] = new
        for id, new in changed.items():
            self._write(update(table).where(self._mine(table), table.c.id == id).values(new))
            if kind is not None:
                self._log(kind, id)
        self._counts[table.name] += len(changed)
        return set(changed)
