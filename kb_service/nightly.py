"""What is done once a night for each workspace, beside requests: one job after the other, in one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from kb_service.background import BackgroundWork
from kb_service.store import Store

log = get_logger(__name__)

Job = Callable[[str], object]
"""Takes a workspace; does a bounded piece of work; may raise."""

LOOK_SECONDS = 60.0
"""How often it looks whether a night has come; also how long it lets a starting service alone."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a job went in this process: how long it took, and the name of what went wrong, None where nothing did."""

    seconds: float
    error: str | None


@dataclass(frozen=True, slots=True)
class JobState:
    """A job of a workspace: when it was last done by any process (None: never), how that went where it was this one,
    and when its next night begins."""

    name: str
    last: datetime | None
    ran: Ran | None
    due: datetime


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
        self._ran: dict[tuple[str, str], Ran] = {}

    def standing(self, workspace: str) -> tuple[JobState, ...]:
        """Every job of a workspace, in their order."""
        night = night_before(self._clock(), self._hour)
        with self._store.reading(workspace) as unit:
            last = {name: unit.jobs.last(name) for name in self._jobs}
        return tuple(
            JobState(
                name,
                at,
                self._ran.get((workspace, name)),
                night if at is None or at < night else night + timedelta(days=1),
            )
            for name, at in last.items()
        )

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
            self._ran[workspace, name] = Ran(time.perf_counter() - started, type(error).__name__)
            return
        seconds = time.perf_counter() - started
        self._ran[workspace, name] = Ran(seconds, None)
        log.info("nightly_done", workspace=workspace, job=name, seconds=round(seconds, 2))

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
