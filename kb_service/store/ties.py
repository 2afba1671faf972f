"""Which problems belong together and which apart, as people and splits have said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import select

from kb_service.store import tables
from kb_service.store.repository import Repository

TieKind: TypeAlias = Literal["together", "apart"]

_ties = tables.problem_ties


@dataclass(frozen=True, slots=True)
class ProblemTie:
    """What was said of two problems, by the ids that they had then; `first` comes before `second` as text."""

    first: str
    second: str
    kind: TieKind
    actor: str
    at: datetime


class ProblemTies(Repository):
    """One tie for two ids: what was said last holds."""

    table = _ties

    def put(self, one: str, other: str, kind: TieKind, actor: str) -> None:
        """Notes what was said of two ids, over what was said of them before. Nothing for an id with itself."""
        if one == other:
            return
        first, second = sorted((one, other))
        self._upsert(
            {
                "workspace": self.workspace,
                "first": first,
                "second": second,
                "kind": kind,
                "actor": actor,
                "at": self._scope.now,
            }
        )

    def all(self) -> tuple[ProblemTie, ...]:
        rows = self._read(select(_ties).where(self._mine()).order_by(_ties.c.first, _ties.c.second))
        return tuple(ProblemTie(row.first, row.second, row.kind, row.actor, row.at) for row in rows)
