"""The constants that were fitted for a workspace, one entry after the other; none is ever changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository
from kb_service.store.snapshots import vector_bytes, vector_of
from kb_service.store.values import Precedent, StoredCalibration

_calibrations = tables.calibrations
_precedents = tables.precedents
_NAMES = ("id", "model_id", "kind", "source", "fitted_at", "counts", "constants")


class Calibrations(Repository):
    """Append-only: going back to an earlier entry appends it once more."""

    table = _calibrations

    def add(self, calibration: StoredCalibration, precedents: Sequence[Precedent] = ()) -> None:
        """Appends an entry, which is in force for its model from the commit on; its id is new.

        `precedents` are the judged questions that it was fitted on; entries that stand on this one share them.
        """
        row: dict[str, Any] = {name: getattr(calibration, name) for name in _NAMES}
        row["counts"] = dict(calibration.counts)
        row["constants"] = None if calibration.constants is None else dict(calibration.constants)
        latest = self._read(select(func.max(_calibrations.c.ordinal)).where(self._mine())).scalar()
        self._write(
            insert(_calibrations), [row | {"workspace": self.workspace, "ordinal": int(latest or 0) + 1}]
        )
        if precedents:
            self._write(
                insert(_precedents), [self._row(calibration.id, *item) for item in enumerate(precedents)]
            )
        self._log("calibration", calibration.id)

    def get(self, id: str) -> StoredCalibration | None:
        row = self._read(select(_calibrations).where(self._mine(), _calibrations.c.id == id)).first()
        return None if row is None else _calibration(row)

    def precedents(self, calibration_id: str) -> tuple[Precedent, ...]:
        """The judged questions that an entry was stored with, in their order; none for one that has none."""
        statement = (
            select(_precedents)
            .where(self._mine(_precedents), _precedents.c.calibration_id == calibration_id)
            .order_by(_precedents.c.ordinal)
        )
        return tuple(map(_precedent, self._read(statement)))

    def _row(self, calibration_id: str, ordinal: int, item: Precedent) -> dict[str, Any]:
        return {
            "workspace": self.workspace,
            "calibration_id": calibration_id,
            "ordinal": ordinal,
            "question_id": item.id,
            "question": item.question,
            "vector": vector_bytes(item.vector, half=True),
            "answers": {name: list(judged) for name, judged in item.answers.items()},
        }

    def newest(self, model_id: str) -> StoredCalibration | None:
        """The entry in force for a model; None where the workspace never had one."""
        found = self.all(model_id, limit=1)
        return found[0] if found else None

    def all(self, model_id: str | None = None, limit: int | None = None) -> tuple[StoredCalibration, ...]:
        """The entries of a model, or of all, the newest first."""
        statement = select(_calibrations).where(self._mine()).order_by(_calibrations.c.ordinal.desc())
        if model_id is not None:
            statement = statement.where(_calibrations.c.model_id == model_id)
        return tuple(map(_calibration, self._read(statement.limit(limit))))


def _calibration(row: Any) -> StoredCalibration:
    return StoredCalibration(**{name: getattr(row, name) for name in _NAMES})


def _precedent(row: Any) -> Precedent:
    answers = {name: (int(version), bool(right)) for name, (version, right) in row.answers.items()}
    return Precedent(row.question_id, row.question, vector_of(row.vector, half=True), answers)
