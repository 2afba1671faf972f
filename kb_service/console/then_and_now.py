"""A backtest alert by alert: each as it was, and as it would have been."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from graph.backtests import Outcome, Raised, paired
from graph.models import AlertKind
from kb_service.recurring.backtesting import Backtest

RowOutcome: TypeAlias = Outcome | Literal["same"]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert `then` and `now`; None where it did, or would, not come."""

    problem_id: str
    kind: AlertKind
    then: datetime | None
    now: datetime | None

    @classmethod
    def of(cls, then: Raised | None, now: Raised | None) -> AlertRow:
        known = then or now
        assert known is not None
        return cls(
            known.problem_id, known.kind, then.opened_at if then else None, now.opened_at if now else None
        )

    @property
    def at(self) -> datetime:
        found = self.then or self.now
        assert found is not None
        return found

    @property
    def minutes(self) -> float | None:
        """How much later it comes; below 0 earlier."""
        if self.then is None or self.now is None:
            return None
        return (self.now - self.then).total_seconds() / 60

    @property
    def outcome(self) -> RowOutcome:
        if self.then is None:
            return "appears"
        if self.now is None:
            return "vanishes"
        moved = (self.now - self.then).total_seconds()
        return "same" if abs(moved) < 1 else "earlier" if moved < 0 else "later"

    def within(self, begin: datetime, end: datetime) -> bool:
        """Whether it came, or would come, from `begin` up to `end`, without."""
        return any(at is not None and begin <= at < end for at in (self.then, self.now))


def rows_of(found: Backtest) -> list[AlertRow]:
    """Each alert under the rules in force and under those tried; where both are the same, as it was raised at the time
    and under the rules in force. In order of time."""
    rows = _by_rules(found) if found.tried != found.rules else _by_time(found)
    return sorted(rows, key=lambda row: (row.at, row.problem_id, row.kind))


def _by_rules(found: Backtest) -> list[AlertRow]:
    moved = {id(side) for change in found.changes for side in (change.before, change.after)}
    differing = [AlertRow.of(change.before, change.after) for change in found.changes]
    return differing + [AlertRow.of(item, item) for item in found.proposed.alerts if id(item) not in moved]


def _by_time(found: Backtest) -> list[AlertRow]:
    # What was told at the time carries no episode: of one problem and kind the nearest are the same.
    was, now = _without_episodes(found.as_it_was.alerts), _without_episodes(found.present.alerts)
    pairs = paired(was, now)
    taken = {id(item) for pair in pairs for item in pair}
    return [
        *(AlertRow.of(one, other) for one, other in pairs),
        *(AlertRow.of(item, None) for item in was if id(item) not in taken),
        *(AlertRow.of(None, item) for item in now if id(item) not in taken),
    ]


def _without_episodes(alerts: Iterable[Raised]) -> list[Raised]:
    return [replace(item, episode=None) for item in alerts]
