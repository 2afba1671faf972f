"""What every repository stands on: one connection, one workspace, and the ledger of a writing unit."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Connection, CursorResult, Executable, Select, Table, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from kb_service.errors import InvalidRequest
from kb_service.store.ledger import Ledger
from kb_service.store.values import ChangeKind, Page

T = TypeVar("T")
Insert: TypeAlias = sqlite.Insert | postgresql.Insert

BOUND = 500
"""Values in one IN clause: far below what either database allows, and few enough to plan well."""
_LARGEST = 2**63 - 1
"""The largest number that a column holds."""


class ReadOnlyUnit(RuntimeError):
    """A write was tried in a unit that was opened for reading."""


class Scope:
    """What the repositories of one unit share. `ledger` is None in a unit opened for reading."""

    def __init__(self, connection: Connection, workspace: str, now: datetime, ledger: Ledger | None) -> None:
        self.connection = connection
        self.workspace = workspace
        self.now = now
        self._ledger = ledger

    @property
    def ledger(self) -> Ledger:
        if self._ledger is None:
            raise ReadOnlyUnit("this unit was opened for reading: open it with Store.writing")
        return self._ledger

    @property
    def writable(self) -> bool:
        return self._ledger is not None


class Repository:
    """Base of the repositories: every statement is bound to the unit's workspace."""

    table: Table

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.workspace = scope.workspace

    def _mine(self, table: Table | None = None) -> ColumnElement[bool]:
        """The condition that keeps a statement inside the workspace."""
        source = self.table if table is None else table
        return source.c.workspace == self.workspace

    def _read(self, statement: Executable) -> CursorResult[Any]:
        return self._scope.connection.execute(statement)

    def _write(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Executes a change; `rows` makes it one executemany. An empty `rows` must not be given."""
        _ = self._scope.ledger
        if rows is None:
            return self._scope.connection.execute(statement)
        return self._scope.connection.execute(statement, rows)

    def _log(self, kind: ChangeKind, id: str, version: int = 0) -> None:
        self._scope.ledger.record(kind, id, version)

    def _insert(self, table: Table | None = None) -> Insert:
        """An INSERT that knows ON CONFLICT, in the dialect of the connection."""
        return dialect_insert(self._scope.connection.dialect.name, self.table if table is None else table)

    def _upsert(self, row: Mapping[str, Any], table: Table | None = None) -> None:
        self._upsert_many([row], table)

    def _upsert_many(self, rows: Sequence[Mapping[str, Any]], table: Table | None = None) -> None:
        """Inserts each row, or overwrites the row of the same primary key with all that is given."""
        if not rows:
            return
        source = self.table if table is None else table
        self._write(_upsert(self._scope.connection.dialect.name, source, tuple(rows[0])), rows)

    def _page(
        self,
        statement: Select[Any],
        order: Sequence[ColumnElement[Any]],
        cursor: str | None,
        limit: int,
        *,
        descending: bool = False,
    ) -> tuple[Sequence[Any], str | None]:
        """One page of `statement` ordered by `order`, which must be unique; the rows and the next cursor.

        The last columns of a row's mapping named as in `order` make the cursor.
        """
        names = [str(column.key) for column in order]
        if cursor is not None:
            after = tuple_(*order)
            values = _decode_cursor(cursor, order)
            statement = statement.where(after < values if descending else after > values)
        ordering = [column.desc() if descending else column.asc() for column in order]
        rows = self._read(statement.order_by(*ordering).limit(limit + 1)).all()
        if len(rows) <= limit:
            return rows, None
        last = rows[limit - 1]
        return rows[:limit], _encode_cursor([getattr(last, name) for name in names])


def dialect_insert(dialect: str, table: Table) -> Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...]) -> Insert:
    """Built once per shape: naming the excluded columns costs more than the statement's execution."""
    keys = [column.name for column in table.primary_key]
    statement = dialect_insert(dialect, table)
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def page_of(rows: Iterable[T], next_cursor: str | None) -> Page[T]:
    return Page(items=tuple(rows), next_cursor=next_cursor)


def chunks(values: Iterable[T], size: int = BOUND) -> Iterator[list[T]]:
    """`values` in lists of at most `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


def _encode_cursor(values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _decode_cursor(cursor: str, order: Sequence[ColumnElement[Any]]) -> tuple[Any, ...]:
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(plain, list) or len(plain) != len(order):
            raise ValueError("wrong length")
        return tuple(
            _cursor_value(value, column.type.python_type) for value, column in zip(plain, order, strict=True)
        )
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise InvalidRequest.of(
            "cursor", "is not a cursor of this list; take next_cursor of the page before, or leave it out"
        ) from error


def _cursor_value(value: Any, kind: type[Any]) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("naive time")
        return moment.astimezone(UTC)
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}")
    if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        raise OverflowError("beyond 64 bits")
    return value
