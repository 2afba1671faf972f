"""How often documents were shown, and what became of it: counts by hour, kept with every exposure and feedback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, dialect_insert
from kb_service.store.values import Exposure, Feedback

_uses = tables.document_uses
_exposures = tables.exposures
OUTCOMES = ("accepted", "edited", "rejected", "resolved", "reopened")


@dataclass(frozen=True, slots=True)
class Use:
    """How often a document was among the answers shown, and how often which outcome was told of them."""

    shown: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class HourOfUse:
    """A document's use in the hour that begins at `hour`."""

    hour: datetime
    use: Use


class Uses(Repository):
    """Written by `Exposures` and `FeedbackLog` in the transaction of what they store."""

    table = _uses

    def count_shown(self, exposures: Iterable[Exposure]) -> None:
        """Counts exposures that were not counted before."""
        shown: Counter[tuple[str, datetime]] = Counter()
        for exposure in exposures:
            for external_id in {answer.external_id for answer in exposure.answers}:
                shown[external_id, hour_of(exposure.at)] += 1
        self._add({key: {"shown": times} for key, times in shown.items()})

    def count_outcome(self, feedback: Feedback, times: int = 1) -> None:
        """Counts what was told of one answer, for the document that it was made of; -1 time where it is taken back."""
        statement = select(_exposures.c.answers).where(
            self._mine(_exposures), _exposures.c.id == feedback.exposure_id
        )
        answers = self._read(statement).scalar() or ()
        named = {answer["external_id"] for answer in answers if answer["answer_id"] == feedback.answer_id}
        if feedback.outcome in OUTCOMES:
            self._add({(name, hour_of(feedback.at)): {feedback.outcome: times} for name in named})

    def _add(self, counts: Mapping[tuple[str, datetime], Mapping[str, int]]) -> None:
        rows = [
            {"workspace": self.workspace, "external_id": external_id, "hour": hour}
            | {name: counts[external_id, hour].get(name, 0) for name in ("shown", *OUTCOMES)}
            for external_id, hour in sorted(counts)
        ]
        if not rows:
            return
        statement = dialect_insert(self._scope.connection.dialect.name, _uses)
        summed = {name: _uses.c[name] + statement.excluded[name] for name in ("shown", *OUTCOMES)}
        keys = ["workspace", "external_id", "hour"]
        self._write(statement.on_conflict_do_update(index_elements=keys, set_=summed), rows)

    def of(self, external_ids: Collection[str], since: datetime) -> dict[str, Use]:
        """The use of each of some documents since the hour of a moment; without those that had none."""
        sums = [func.sum(_uses.c[name]).label(name) for name in ("shown", *OUTCOMES)]
        found: dict[str, Use] = {}
        for some in chunks(sorted(set(external_ids))):
            statement = select(_uses.c.external_id, *sums).where(
                self._mine(), _uses.c.external_id.in_(some), _uses.c.hour >= hour_of(since)
            )
            rows = self._read(statement.group_by(_uses.c.external_id))
            found |= {row.external_id: _use(row) for row in rows}
        return found

    def all(self, since: datetime) -> dict[str, Use]:
        """The use of every document that had any since the hour of a moment."""
        sums = [func.sum(_uses.c[name]).label(name) for name in ("shown", *OUTCOMES)]
        statement = select(_uses.c.external_id, *sums).where(self._mine(), _uses.c.hour >= hour_of(since))
        return {row.external_id: _use(row) for row in self._read(statement.group_by(_uses.c.external_id))}

    def by_hour(self, external_id: str, since: datetime) -> tuple[HourOfUse, ...]:
        """A document's use since the hour of a moment, oldest first; hours without any are left out."""
        statement = select(_uses).where(
            self._mine(), _uses.c.external_id == external_id, _uses.c.hour >= hour_of(since)
        )
        rows = self._read(statement.order_by(_uses.c.hour))
        return tuple(HourOfUse(row.hour, _use(row)) for row in rows)

    def purge(self, before: datetime) -> int:
        """Removes what was counted before the hour of a moment; how many counts there were."""
        old = _uses.c.hour < hour_of(before)
        return self._write(delete(_uses).where(self._mine(), old)).rowcount


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _use(row: Any) -> Use:
    outcomes = {name: int(getattr(row, name)) for name in OUTCOMES}
    return Use(int(row.shown), {name: times for name, times in outcomes.items() if times})
