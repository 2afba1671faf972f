"""What should change, what people decided of it, and what came of that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select

from graph.effects import Effect, Expected
from graph.models import Proposal
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import Page

_proposals = tables.proposals
_PLAIN = (
    "id",
    "kind",
    "state",
    "opened_at",
    "draft",
    "problem_id",
    "alert_id",
    "finding",
    "decided_at",
    "decided_by",
    "experiment_id",
)


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
        row["change"] = None if proposal.change is None else dict(proposal.change)
        row["expected"] = None if proposal.expected is None else _flat(proposal.expected)
        row["effect"] = None if proposal.effect is None else _flat(proposal.effect)
        self._upsert(row)

    def of_ids(self, ids: Iterable[str]) -> dict[str, Proposal]:
        """Some proposals by id; without those that there are none of."""
        found: dict[str, Proposal] = {}
        for some in chunks(sorted(set(ids))):
            rows = self._read(select(_proposals).where(self._mine(), _proposals.c.id.in_(some)))
            found |= {row.id: _proposal(row) for row in rows}
        return found

    def of_finding(self, finding: str) -> Proposal | None:
        """The proposal that was made last of what was found."""
        statement = select(_proposals).where(self._mine(), _proposals.c.finding == finding)
        latest = statement.order_by(_proposals.c.opened_at.desc(), _proposals.c.id.desc()).limit(1)
        row = self._read(latest).first()
        return None if row is None else _proposal(row)

    def accepted(self, since: datetime) -> tuple[Proposal, ...]:
        """Those that were accepted at or after a moment, the earliest first."""
        statement = select(_proposals).where(
            self._mine(), _proposals.c.state == "accepted", _proposals.c.decided_at >= since
        )
        ordered = statement.order_by(_proposals.c.decided_at, _proposals.c.id)
        return tuple(map(_proposal, self._read(ordered)))

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

    def open_of(self, problem_ids: Collection[str], kind: str) -> tuple[Proposal, ...]:
        """The open proposals of one kind about some problems, the latest first."""
        statement = select(_proposals).where(
            self._mine(),
            _proposals.c.problem_id.in_(sorted(problem_ids)),
            _proposals.c.kind == kind,
            _proposals.c.state == "open",
        )
        latest = statement.order_by(_proposals.c.opened_at.desc(), _proposals.c.id.desc())
        return tuple(map(_proposal, self._read(latest)))

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        state: str | None = None,
        kind: str | None = None,
        problem_id: str | None = None,
    ) -> Page[Proposal]:
        """Proposals that meet the conditions given, the latest opened first."""
        statement = select(_proposals).where(self._mine())
        if state is not None:
            statement = statement.where(_proposals.c.state == state)
        if kind is not None:
            statement = statement.where(_proposals.c.kind == kind)
        if problem_id is not None:
            statement = statement.where(_proposals.c.problem_id == problem_id)
        order = [_proposals.c.opened_at, _proposals.c.id]
        rows, next_cursor = self._page(statement, order, cursor, limit, descending=True)
        return page_of(map(_proposal, rows), next_cursor)


def _flat(value: Expected | Effect) -> dict[str, Any]:
    """A value as JSON: its moments as ISO 8601."""
    return {
        name: item.isoformat() if isinstance(item, datetime) else item for name, item in asdict(value).items()
    }


def _effect(stored: Mapping[str, Any]) -> Effect:
    return Effect(**{**stored, "measured_at": datetime.fromisoformat(stored["measured_at"])})


def _proposal(row: Any) -> Proposal:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Proposal(
        title=row.title,
        evidence=row.evidence,
        change=row.change,
        expected=None if row.expected is None else Expected(**row.expected),
        effect=None if row.effect is None else _effect(row.effect),
        **plain,
    )
