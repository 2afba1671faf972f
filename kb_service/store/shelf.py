"""Documents as a list shows them: without their texts, searched by title and id, in an order that people choose."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import JSON, Select, String, and_, cast, column, func, literal, or_, select

from ingest.models import Audience, Kind, Status
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import Page

Validity: TypeAlias = Literal["valid", "upcoming", "expired", "superseded"]
Order: TypeAlias = Literal["changed", "title", "ends"]
_documents = tables.documents
_NAMES = (
    "external_id",
    "kind",
    "title",
    "language",
    "audience",
    "status",
    "valid_from",
    "valid_to",
    "version",
    "updated_at",
)
_ORDERS = {
    "changed": (_documents.c.updated_at, _documents.c.external_id),
    "title": (_documents.c.title, _documents.c.external_id),
    "ends": (_documents.c.valid_to, _documents.c.external_id),
}


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """One current document without its text. `updated_at` is when this version came."""

    external_id: str
    kind: Kind
    title: str
    language: str
    audience: Audience
    status: Status
    valid_from: datetime | None
    valid_to: datetime | None
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ShelfFilter:
    """What a list is narrowed to; None and an empty `words` narrow nothing. `words` stand in the title or the id."""

    words: str = ""
    kind: str | None = None
    language: str | None = None
    audience: str | None = None
    status: str | None = None
    validity: Validity | None = None


class Shelf(Repository):
    table = _documents

    def page(
        self,
        wanted: ShelfFilter,
        *,
        at: datetime,
        superseded: Collection[str],
        order: Order = "changed",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ShelfEntry]:
        """One page of the current documents; `superseded` are those that others hold in place of at `at`.

        By `changed` the newest come first, by `title` they go by title, by `ends` those come first whose end is
        nearest, and those without an end are left out.
        """
        statement = self._narrowed(select(*(_documents.c[name] for name in _NAMES)), wanted, at, superseded)
        if order == "ends":
            statement = statement.where(_documents.c.valid_to.is_not(None))
        rows, next_cursor = self._page(
            statement, _ORDERS[order], cursor, limit, descending=order == "changed"
        )
        return page_of(map(_entry, rows), next_cursor)

    def count(self, wanted: ShelfFilter, *, at: datetime, superseded: Collection[str]) -> int:
        """How many documents there are in all that a list of pages shows."""
        statement = select(func.count()).select_from(_documents)
        return int(self._read(self._narrowed(statement, wanted, at, superseded)).scalar_one())

    def history(self, external_id: str) -> tuple[tuple[int, datetime], ...]:
        """The versions of a document with when each came, the newest first; none of one that is not there."""
        versions = tables.document_versions
        current = self._read(
            select(_documents.c.version, _documents.c.updated_at).where(
                self._mine(), _documents.c.external_id == external_id
            )
        )
        earlier = self._read(
            select(versions.c.version, versions.c.updated_at)
            .where(self._mine(versions), versions.c.external_id == external_id)
            .order_by(versions.c.version.desc())
        )
        return tuple((row.version, row.updated_at) for rows in (current, earlier) for row in rows)

    def entries(self, external_ids: Collection[str]) -> dict[str, ShelfEntry]:
        """The documents with these ids, as far as there are any."""
        columns = [_documents.c[name] for name in _NAMES]
        found: dict[str, ShelfEntry] = {}
        for some in chunks(sorted(set(external_ids))):
            rows = self._read(select(*columns).where(self._mine(), _documents.c.external_id.in_(some)))
            found |= {row.external_id: _entry(row) for row in rows}
        return found

    def _narrowed(
        self, statement: Select[Any], wanted: ShelfFilter, at: datetime, superseded: Collection[str]
    ) -> Select[Any]:
        columns = _documents.c
        statement = statement.where(self._mine())
        for word in wanted.words.split():
            named = columns.title.icontains(word, autoescape=True)
            statement = statement.where(or_(named, columns.external_id.icontains(word, autoescape=True)))
        for name in ("kind", "language", "audience", "status"):
            value = getattr(wanted, name)
            if value is not None:
                statement = statement.where(columns[name] == value)
        replaced = self._all_of(superseded)
        begun = or_(columns.valid_from.is_(None), columns.valid_from <= at)
        lasts = or_(columns.valid_to.is_(None), columns.valid_to > at)
        match wanted.validity:
            case "valid":
                return statement.where(begun, lasts, columns.external_id.not_in(replaced))
            case "upcoming":
                return statement.where(columns.valid_from > at)
            case "expired":
                return statement.where(columns.valid_to <= at)
            case "superseded":
                return statement.where(and_(begun, lasts), columns.external_id.in_(replaced))
        return statement

    def _all_of(self, ids: Collection[str]) -> Select[Any]:
        """Any number of ids as one bound value: a statement takes some ten thousands of those, and a catalogue has
        more."""
        listed = literal(json.dumps(sorted(ids)), String)
        if self._scope.connection.dialect.name == "sqlite":
            return select(func.json_each(listed).table_valued(column("value", String)).c.value)
        each = func.json_array_elements_text(cast(listed, JSON))
        return select(each.table_valued(column("value", String)).render_derived().c.value)


def _entry(row: Any) -> ShelfEntry:
    return ShelfEntry(**{name: getattr(row, name) for name in _NAMES})
