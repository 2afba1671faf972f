"""When a job that runs now and then last ran, so that processes and restarts do not repeat it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from kb_service.store import tables
from kb_service.store.repository import Repository

_jobs = tables.jobs


class Jobs(Repository):
    table = _jobs

    def last(self, name: str) -> datetime | None:
        """When the job was last claimed; None when it never was."""
        at: datetime | None = self._read(
            select(_jobs.c.at).where(self._mine(), _jobs.c.name == name)
        ).scalar()
        return at

    def claim(self, name: str, due_since: datetime) -> bool:
        """Whether the caller may run the job: nobody has claimed it since `due_since`. The claim is durable."""
        last = self.last(name)
        if last is not None and last >= due_since:
            return False
        self._upsert({"workspace": self.workspace, "name": name, "at": self._scope.now})
        return True
