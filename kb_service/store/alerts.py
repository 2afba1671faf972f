"""Dated claims that a problem recurs or grows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from graph.models import Alert, Evidence
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import Page

_alerts = tables.alerts
_examples = tables.alert_examples


class Alerts(Repository):
    """An alert's examples are kept with the events they quote, so that an erasure finds exactly those."""

    table = _alerts

    def get(self, id: str) -> Alert | None:
        row = self._read(select(_alerts).where(self._mine(), _alerts.c.id == id)).first()
        return None if row is None else self._with_examples([row])[0]

    def put(self, alert: Alert, example_ids: Sequence[str] | None = None) -> None:
        """Stores an alert, over the one of the same id.

        `example_ids` are the events that `alert.examples` quote, in the same order; give them whenever there
        are new examples. Without it, examples that stood there before keep their events.
        """
        if example_ids is not None and len(example_ids) != len(alert.examples):
            raise ValueError(f"{len(alert.examples)} examples need as many event ids, not {len(example_ids)}")
        known = {text: event_id for text, event_id in self._quoted(alert.id) if event_id is not None}
        self._upsert(
            {
                "workspace": self.workspace,
                "id": alert.id,
                "kind": alert.kind,
                "state": alert.state,
                "opened_at": alert.opened_at,
                "problem_id": alert.problem_id,
                "evidence": asdict(alert.evidence),
                "products": list(alert.products),
                "expertise_id": alert.expertise_id,
                "proposal_id": alert.proposal_id,
            }
        )
        self._write(delete(_examples).where(self._mine(_examples), _examples.c.alert_id == alert.id))
        event_ids: Sequence[str | None] = example_ids or [known.get(text) for text in alert.examples]
        rows = [
            {
                "workspace": self.workspace,
                "alert_id": alert.id,
                "ordinal": ordinal,
                "event_id": event_id,
                "text": text,
            }
            for ordinal, (text, event_id) in enumerate(zip(alert.examples, event_ids, strict=True))
        ]
        if rows:
            self._write(insert(_examples), rows)
        self._log("alert", alert.id)

    def _quoted(self, alert_id: str) -> list[tuple[str, str | None]]:
        statement = select(_examples.c.text, _examples.c.event_id).where(
            self._mine(_examples), _examples.c.alert_id == alert_id
        )
        return [(row.text, row.event_id) for row in self._read(statement)]

    def quoted_events(self, alert_ids: Collection[str]) -> tuple[str, ...]:
        """The events that some alerts quote."""
        found: dict[str, None] = {}
        for some in chunks(dict.fromkeys(alert_ids)):
            statement = select(_examples.c.event_id).where(
                self._mine(_examples), _examples.c.alert_id.in_(some), _examples.c.event_id.is_not(None)
            )
            order = (_examples.c.alert_id, _examples.c.ordinal)
            found.update(dict.fromkeys(self._read(statement.order_by(*order)).scalars()))
        return tuple(found)

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        kind: str | None = None,
        state: str | None = None,
        since: datetime | None = None,
        problem_id: str | None = None,
    ) -> Page[Alert]:
        """Alerts that meet the conditions given, the latest opened first."""
        statement = select(_alerts).where(self._mine())
        wanted = {"kind": kind, "state": state, "problem_id": problem_id}
        for name, value in wanted.items():
            if value is not None:
                statement = statement.where(_alerts.c[name] == value)
        if since is not None:
            statement = statement.where(_alerts.c.opened_at >= since)
        order = [_alerts.c.opened_at, _alerts.c.id]
        rows, next_cursor = self._page(statement, order, cursor, limit, descending=True)
        return page_of(self._with_examples(rows), next_cursor)

    def of_problem(
        self, problem_id: str, since: datetime | None = None, *, quoted: bool = True
    ) -> tuple[Alert, ...]:
        """The alerts of a problem that were opened from `since` on, the latest first; `quoted` with the messages
        that they quote, which is one statement more."""
        statement = select(_alerts).where(self._mine(), _alerts.c.problem_id == problem_id)
        if since is not None:
            statement = statement.where(_alerts.c.opened_at >= since)
        found = self._read(statement.order_by(_alerts.c.opened_at.desc(), _alerts.c.id.desc()))
        return self._with_examples(found) if quoted else tuple(_alert(row, ()) for row in found)

    def of_problems(self, problem_ids: Collection[str], since: datetime) -> dict[str, tuple[Alert, ...]]:
        """The alerts of each of some problems that were opened from `since` on, the latest first, without the messages
        that they quote; without the problems that have none."""
        found: dict[str, list[Alert]] = defaultdict(list)
        for some in chunks(sorted(set(problem_ids))):
            theirs = self._mine(), _alerts.c.problem_id.in_(some), _alerts.c.opened_at >= since
            newest = select(_alerts).where(*theirs).order_by(_alerts.c.opened_at.desc(), _alerts.c.id.desc())
            for row in self._read(newest):
                found[row.problem_id].append(_alert(row, ()))
        return {problem_id: tuple(alerts) for problem_id, alerts in found.items()}

    def newest_of(self, problem_ids: Collection[str]) -> dict[str, Alert]:
        """The alert that was opened last of each of some problems, without the messages that it quotes."""
        found: dict[str, Alert] = {}
        newest = (_alerts.c.opened_at.desc(), _alerts.c.id.desc())
        for some in chunks(dict.fromkeys(problem_ids)):
            place = func.row_number().over(partition_by=_alerts.c.problem_id, order_by=newest).label("place")
            theirs = select(_alerts, place).where(self._mine(), _alerts.c.problem_id.in_(some)).subquery()
            for row in self._read(select(theirs).where(theirs.c.place == 1)):
                found[row.problem_id] = _alert(row, ())
        return found

    def some(self, ids: Collection[str]) -> tuple[Alert, ...]:
        """The alerts of these ids, the latest opened first."""
        found: list[Any] = []
        for some in chunks(sorted(set(ids))):
            found += self._read(select(_alerts).where(self._mine(), _alerts.c.id.in_(some)))
        return self._with_examples(sorted(found, key=lambda row: (row.opened_at, row.id), reverse=True))

    def all(self) -> tuple[Alert, ...]:
        """Every alert, the earliest opened first."""
        rows = self._read(select(_alerts).where(self._mine()).order_by(_alerts.c.opened_at, _alerts.c.id))
        return self._with_examples(rows)

    def count(self) -> int:
        return int(self._read(select(func.count()).select_from(_alerts).where(self._mine())).scalar_one())

    def _with_examples(self, rows: Iterable[Any]) -> tuple[Alert, ...]:
        found = list(rows)
        examples: dict[str, list[str]] = defaultdict(list)
        for some in chunks(row.id for row in found):
            statement = select(_examples.c.alert_id, _examples.c.text).where(
                self._mine(_examples), _examples.c.alert_id.in_(some)
            )
            for row in self._read(statement.order_by(_examples.c.ordinal)):
                examples[row.alert_id].append(row.text)
        return tuple(_alert(row, tuple(examples.get(row.id, ()))) for row in found)


def _alert(row: Any, examples: tuple[str, ...]) -> Alert:
    return Alert(
        id=row.id,
        kind=row.kind,
        state=row.state,
        opened_at=row.opened_at,
        problem_id=row.problem_id,
        evidence=_evidence(row),
        examples=examples,
        products=tuple(row.products),
        expertise_id=row.expertise_id,
        proposal_id=row.proposal_id,
    )


def _evidence(row: Any) -> Evidence:
    """The evidence of an alert; one stored by an earlier version expected something also without a history."""
    evidence = Evidence(**row.evidence)
    unknown = row.kind == "recurrence" and evidence.p_value is None
    return replace(evidence, expected=None) if unknown else evidence
