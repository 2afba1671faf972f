"""The constants that were fitted for a workspace, one entry after the other; none is ever changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository
from kb_service.store.values import StoredCalibration

_calibrations = tables.calibrations
_NAMES = ("id", "model_id", "kind", "source", "fitted_at", "counts", "constants")


class Calibrations(Repository):
    """Append-only: going back to an earlier entry appends it once more."""

    table = _calibrations

    def add(self, calibration: StoredCalibration) -> None:
        """Appends an entry, which is in force for its model from the commit on; its id is new."""
        row: dict[str, Any] = {name: getattr(calibration, name) for name in _NAMES}
        row["counts"] = dict(calibration.counts)
        row["constants"] = None if calibration.constants is None else dict(calibration.constants)
        latest = self._read(select(func.max(_calibrations.c.ordinal)).where(self._mine())).scalar()
        self._write(
            insert(_calibrations), [row | {"workspace": self.workspace, "ordinal": int(latest or 0) + 1}]
        )
        self._log("calibration", calibration.id)

    def get(self, id: str) -> StoredCalibration | None:
        row = self._read(select(_calibrations).where(self._mine(), _calibrations.c.id == id)).first()
        return None if row is None else _calibration(row)

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
