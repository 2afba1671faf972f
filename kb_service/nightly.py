"""What is done once a night for each workspace, beside requests: one job after the other, in one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from kb_service.background import BackgroundWork
from kb_service.store import Store

log = get_logger(__name__)

Job = Callable[[str], object]
"""Takes a workspace; does a bounded piece of work; may raise."""

LOOK_SECONDS = 60.0
"""How often it looks whether a night has come; also how long it lets a starting service alone."""


class Nightly(BackgroundWork):
    """Runs each job once a night in each workspace, whichever process comes first: the claim is in the store.

    `hour` is that of the wall clock in UTC at which a night begins. A night that passed while no process ran is
    made up for at the next look. A job that fails is logged and has its turn again the next night.
    """

    def __init__(
        self, store: Store, jobs: Mapping[str, Job], *, hour: int, clock: Callable[[], datetime]
    ) -> None:
        super().__init__("nightly")
        self._store = store
        self._jobs = dict(jobs)
        self._hour = hour
        self._clock = clock

    def look(self, only: Collection[str] | None = None) -> list[tuple[str, str]]:
        """Run what is due, or some jobs of that by their names; the workspaces and names of the jobs that were run,
        failed ones among them."""
        night = night_before(self._clock(), self._hour)
        with self._store.administration(writing=False) as unit:
            workspaces = [item.id for item in unit.workspaces.list()]
        done: list[tuple[str, str]] = []
        for workspace in workspaces:
            for name, job in self._jobs.items():
                if self._stopping.is_set():
                    return done
                if (only is None or name in only) and self._claimed(workspace, name, night):
                    done.append((workspace, name))
                    self._attempt(workspace, name, job)
        return done

    def _claimed(self, workspace: str, name: str, night: datetime) -> bool:
        with self._store.reading(workspace) as unit:
            last = unit.jobs.last(name)
        if last is not None and last >= night:
            return False
        with self._store.writing(workspace) as unit:
            return unit.jobs.claim(name, night)

    def _attempt(self, workspace: str, name: str, job: Job) -> None:
        started = time.perf_counter()
        try:
            job(workspace)
        except Exception as error:
            log.error("nightly_failed", workspace=workspace, job=name, exc_info=error)
            return
        log.info(
            "nightly_done", workspace=workspace, job=name, seconds=round(time.perf_counter() - started, 2)
        )

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:
                log.error("nightly_failed", exc_info=error)


def night_before(now: datetime, hour: int) -> datetime:
    """When the night that `now` lies in, or comes after, began."""
    began = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return began if began <= now else began - timedelta(days=1)
