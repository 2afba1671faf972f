"""What became of the answers that were shown."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import and_, insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository
from kb_service.store.values import Feedback

_feedback = tables.feedback
_exposures = tables.exposures
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

    def of_problems(self, problem_ids: Collection[str]) -> tuple[tuple[Feedback, str], ...]:
        """What was said of the answers shown for some problems, oldest first, each with the document's external id."""
        of_exposure = and_(
            _exposures.c.workspace == _feedback.c.workspace, _exposures.c.id == _feedback.c.exposure_id
        )
        statement = (
            select(*(_feedback.c[name] for name in _NAMES), _exposures.c.answers)
            .join(_exposures, of_exposure)
            .where(self._mine(), _exposures.c.problem_id.in_(list(problem_ids)))
            .order_by(_feedback.c.at, _feedback.c.id)
        )
        found = []
        for row in self._read(statement):
            shown = {answer["answer_id"]: answer["external_id"] for answer in row.answers}
            if row.answer_id in shown:
                item = Feedback(**{name: getattr(row, name) for name in _NAMES})
                found.append((item, shown[row.answer_id]))
        return tuple(found)
