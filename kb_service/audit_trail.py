"""What was done by whom, newest first, with the problems that it was about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from graph.models import Problem
from kb_service.store import AuditEntry, Store

__all__ = ["AuditEntry", "AuditTrail", "Wanted"]

ABOUT = ("problem", "into", "new", "alias", "parent", "before")
"""Parts of an entry's detail that name a problem."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page of the trail is narrowed to: some actors, an action or with `webhook.` all on webhooks, objects whose
    id holds a text, from `since` to before `until`."""

    actors: Collection[str] | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trail:
    """A page of entries; `problems` are those that they name, by the id that they name them by."""

    entries: tuple[AuditEntry, ...]
    next_cursor: str | None
    problems: Mapping[str, Problem]


class AuditTrail:
    """The audit of every workspace, for people to read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, workspace: str, cursor: str | None, limit: int, wanted: Wanted) -> Trail:
        with self._store.reading(workspace) as unit:
            page = unit.audit.page(
                cursor,
                limit,
                actors=wanted.actors,
                action=wanted.action,
                object=wanted.object,
                since=wanted.since,
                until=wanted.until,
            )
            named = {id for entry in page.items for id in _problems_of(entry)}
            found = {problem.id: problem for problem in unit.problems.some(named)}
        return Trail(page.items, page.next_cursor, found)


def _problems_of(entry: AuditEntry) -> Iterator[str]:
    if entry.action.startswith("problem."):
        yield entry.object
    for name in ABOUT:
        value = entry.detail.get(name)
        if isinstance(value, str) and value.startswith("p_"):
            yield value
