"""What should change because of an alert or a gap."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from graph.models import Proposal
from kb_service.store import tables
from kb_service.store.repository import Repository, page_of
from kb_service.store.values import Page

_proposals = tables.proposals
_PLAIN = ("id", "kind", "state", "opened_at", "draft", "problem_id", "alert_id")


class Proposals(Repository):
    table = _proposals

    def get(self, id: str) -> Proposal | None:
        row = self._read(select(_proposals).where(self._mine(), _proposals.c.id == id)).first()
        return None if row is None else _proposal(row)

    def put(self, proposal: Proposal) -> None:
        """Stores a proposal, over the one of the same id."""
        row: dict[str, Any] = {name: getattr(proposal, name) for name in _PLAIN}
        row["workspace"] = self.workspace
        row["title"] = dict(proposal.title)
        row["evidence"] = dict(proposal.evidence)
        self._upsert(row)

    def open_for(self, problem_id: str, kind: str) -> Proposal | None:
        """The latest open proposal of one kind about a problem."""
        statement = select(_proposals).where(
            self._mine(),
            _proposals.c.problem_id == problem_id,
            _proposals.c.kind == kind,
            _proposals.c.state == "open",
        )
        latest = statement.order_by(_proposals.c.opened_at.desc(), _proposals.c.id.desc()).limit(1)
        row = self._read(latest).first()
        return None if row is None else _proposal(row)

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        state: str | None = None,
        kind: str | None = None,
    ) -> Page[Proposal]:
        """Proposals that meet the conditions given, the latest opened first."""
        statement = select(_proposals).where(self._mine())
        if state is not None:
            statement = statement.where(_proposals.c.state == state)
        if kind is not None:
            statement = statement.where(_proposals.c.kind == kind)
        order = [_proposals.c.opened_at, _proposals.c.id]
        rows, next_cursor = self._page(statement, order, cursor, limit, descending=True)
        return page_of(map(_proposal, rows), next_cursor)


def _proposal(row: Any) -> Proposal:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Proposal(title=row.title, evidence=row.evidence, **plain)
