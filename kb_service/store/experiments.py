"""Trials, and what happened to the units that take part in one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select

from graph.experiments import Experiment, Guard, Treatment
from graph.trial_metrics import CaseFacts, SuggestionFacts
from kb_service.store import tables
from kb_service.store.repository import Repository, page_of
from kb_service.store.trial_facts import case_facts, seen_units, suggestion_facts
from kb_service.store.values import Page

_experiments = tables.experiments
_PLAIN = (
    "id",
    "name",
    "salt",
    "created_at",
    "share",
    "metric",
    "minimum",
    "maximum",
    "alpha",
    "state",
    "starts_at",
    "ends_at",
    "started_at",
    "stopped_at",
)


class Experiments(Repository):
    table = _experiments

    def get(self, id: str) -> Experiment | None:
        row = self._read(select(_experiments).where(self._mine(), _experiments.c.id == id)).first()
        return None if row is None else _experiment(row)

    def put(self, experiment: Experiment) -> None:
        """Stores a trial, over the one of the same id; every process hears of it."""
        row: dict[str, Any] = {name: getattr(experiment, name) for name in _PLAIN}
        treatment = experiment.treatment
        row["treatment"] = {
            name: value for name, value in asdict(treatment).items() if name in treatment.touched
        }
        row["guards"] = [asdict(guard) for guard in experiment.guards]
        row["ending"] = dict(experiment.ending)
        self._upsert(row | {"workspace": self.workspace})
        self._log("experiment", experiment.id)

    def running(self) -> tuple[Experiment, ...]:
        """The trials that are started and not over, the first started first."""
        statement = select(_experiments).where(self._mine(), _experiments.c.state == "running")
        ordered = statement.order_by(_experiments.c.started_at, _experiments.c.id)
        return tuple(map(_experiment, self._read(ordered)))

    def page(self, cursor: str | None = None, limit: int = 50, state: str | None = None) -> Page[Experiment]:
        """Trials, the latest made first."""
        statement = select(_experiments).where(self._mine())
        if state is not None:
            statement = statement.where(_experiments.c.state == state)
        order = [_experiments.c.created_at, _experiments.c.id]
        rows, next_cursor = self._page(statement, order, cursor, limit, descending=True)
        return page_of(map(_experiment, rows), next_cursor)

    def cases(self, since: datetime, until: datetime, *, limit: int) -> tuple[CaseFacts, ...]:
        """What happened in the cases opened in a span, the first `limit` of them; see `trial_facts.case_facts`."""
        return case_facts(self._scope.connection, self.workspace, since, until, limit)

    def suggestions(self, since: datetime, until: datetime, *, limit: int) -> tuple[SuggestionFacts, ...]:
        """The suggestions of a span that agents spoke of, the first `limit` of them."""
        return suggestion_facts(self._scope.connection, self.workspace, since, until, limit)

    def seen(self, since: datetime, until: datetime, *, limit: int) -> frozenset[str]:
        """The units that asked or opened a case in a span, of the first `limit` questions and cases each."""
        return seen_units(self._scope.connection, self.workspace, since, until, limit)


def _experiment(row: Any) -> Experiment:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Experiment(
        treatment=Treatment(**row.treatment),
        guards=tuple(Guard(**guard) for guard in row.guards),
        ending=row.ending,
        **plain,
    )
