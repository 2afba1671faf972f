"""What became of the answers that were shown."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository
from kb_service.store.values import Feedback

_feedback = tables.feedback
_NAMES = ("id", "exposure_id", "answer_id", "outcome", "at", "final_text", "agent_id", "rating")


class FeedbackLog(Repository):
    table = _feedback

    def add(self, feedback: Feedback) -> None:
        """Stores one outcome; its id is new."""
        row: dict[str, Any] = {name: getattr(feedback, name) for name in _NAMES}
        self._write(insert(_feedback), [row | {"workspace": self.workspace}])

    def of_exposure(self, exposure_id: str) -> tuple[Feedback, ...]:
        """What was said of an exposure's answers, oldest first."""
        statement = select(_feedback).where(self._mine(), _feedback.c.exposure_id == exposure_id)
        rows = self._read(statement.order_by(_feedback.c.at, _feedback.c.id))
        return tuple(Feedback(**{name: getattr(row, name) for name in _NAMES}) for row in rows)
