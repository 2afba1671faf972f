"""What became of the answers that were shown."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, func, insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository, chunks
from kb_service.store.uses import Uses
from kb_service.store.values import Feedback

_feedback = tables.feedback
_NAMES = ("id", "exposure_id", "answer_id", "outcome", "at", "final_text", "agent_id", "rating")


class FeedbackLog(Repository):
    table = _feedback

    def add(self, feedback: Feedback) -> None:
        """Stores one outcome; its id is new."""
        row: dict[str, Any] = {name: getattr(feedback, name) for name in _NAMES}
        self._write(insert(_feedback), [row | {"workspace": self.workspace}])
        Uses(self._scope).count_outcome(feedback)

    def remove(self, feedback: Feedback) -> None:
        """Takes back what was said as if it had not been: neither counts nor lists know of it."""
        theirs = self._mine(), _feedback.c.id == feedback.id
        if self._write(delete(_feedback).where(*theirs)).rowcount:
            Uses(self._scope).count_outcome(feedback, times=-1)

    def of_exposure(self, exposure_id: str) -> tuple[Feedback, ...]:
        """What was said of an exposure's answers, oldest first."""
        statement = select(_feedback).where(self._mine(), _feedback.c.exposure_id == exposure_id)
        rows = self._read(statement.order_by(_feedback.c.at, _feedback.c.id))
        return tuple(map(feedback_of, rows))

    def of_exposures(self, exposure_ids: Collection[str]) -> dict[str, tuple[Feedback, ...]]:
        """What was said of the answers of each of some exposures, oldest first; without those of which nothing was."""
        found: dict[str, list[Feedback]] = {}
        for some in chunks(sorted(set(exposure_ids))):
            statement = select(_feedback).where(self._mine(), _feedback.c.exposure_id.in_(some))
            for row in self._read(statement.order_by(_feedback.c.at, _feedback.c.id)):
                found.setdefault(row.exposure_id, []).append(feedback_of(row))
        return {exposure_id: tuple(given) for exposure_id, given in found.items()}

    def of_ids(self, ids: Collection[str]) -> dict[str, Feedback]:
        """Some of what was said, by id; without those that there are none of."""
        found: dict[str, Feedback] = {}
        for some in chunks(sorted(set(ids))):
            rows = self._read(select(_feedback).where(self._mine(), _feedback.c.id.in_(some)))
            found |= {row.id: feedback_of(row) for row in rows}
        return found

    def latest_id(self) -> str | None:
        """The id of what was said last; ids sort by time."""
        found: str | None = self._read(select(func.max(_feedback.c.id)).where(self._mine())).scalar()
        return found


def feedback_of(row: Any) -> Feedback:
    return Feedback(**{name: getattr(row, name) for name in _NAMES})
