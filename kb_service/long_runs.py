"""Long work that somebody asked for: one at a time, in a thread of its own, with how far it is and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, Literal, TypeAlias, TypeVar

from structlog.stdlib import get_logger

from graph.errors import GraphError
from kb_service.errors import Conflict, NotFound, ServiceError
from kb_service.store import new_id

log = get_logger(__name__)

Outcome = TypeVar("Outcome")
Told: TypeAlias = Callable[[float], None]
"""Called by the work with the share of it that is done, 0 to 1; raises Stopped when nobody wants the rest."""
RunState: TypeAlias = Literal["going", "done", "failed"]

MOST_KEPT = 12
"""Runs whose outcome is held in memory, the latest."""
KEPT_FOR = timedelta(hours=1)
BREATH_SECONDS = 0.002
"""How long the work stands aside each time it tells of itself, so that requests are not kept waiting by it."""


class Stopped(Exception):
    """The service ends; so does the work."""


class Run(Generic[Outcome]):
    """One piece of work. `key` says what was asked for and `position` where the change log stood then: asked again
    while it goes, or before anything changed, it is the same run."""

    def __init__(
        self, id: str, workspace: str, owner: str, key: str, position: int, begun_at: datetime
    ) -> None:
        self.id = id
        self.workspace = workspace
        self.owner = owner
        self.key = key
        self.position = position
        self.begun_at = begun_at
        self.ended_at: datetime | None = None
        self.share = 0.0
        self.outcome: Outcome | None = None
        self.error: ServiceError | GraphError | None = None
        """What to tell whoever asked; None where it went well, and where the fault was ours."""
        self.state: RunState = "going"
        self._over = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Whether it is over by then."""
        return self._over.wait(seconds)

    def end(
        self,
        at: datetime,
        outcome: Outcome | None = None,
        *,
        error: ServiceError | GraphError | None = None,
        failed: bool = False,
    ) -> None:
        self.ended_at, self.outcome, self.error = at, outcome, error
        self.state = "failed" if failed or error is not None else "done"
        if self.state == "done":
            self.share = 1.0
        self._over.set()


class LongRuns(Generic[Outcome]):
    """The runs of one kind in this process. While one is going no other begins, whoever asks: each takes a core."""

    def __init__(self, name: str, *, clock: Callable[[], datetime]) -> None:
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: dict[str, Run[Outcome]] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(
        self, workspace: str, owner: str, key: str, work: Callable[[Told], Outcome], *, position: int = 0
    ) -> Run[Outcome]:
        """Start some work, or give the run of it that is going, or was done at the same `position` of the change log.
        Raises Conflict while another is going."""
        with self._lock:
            self._forget()
            for run in self._runs.values():
                same = (run.workspace, run.owner, run.key) == (workspace, owner, key)
                if same and (run.state == "going" or (run.state == "done" and run.position == position)):
                    return run
            if any(run.state == "going" for run in self._runs.values()):
                raise Conflict(
                    "Another computation of this kind is running; yours can begin when it is done."
                )
            id, now = new_id("run_", self._clock()), self._clock()
            run = Run[Outcome](id, workspace, owner, key, position, now)
            self._runs[run.id] = run
            self._thread = threading.Thread(
                target=self._carry, args=(run, work), name=self._name, daemon=True
            )
            self._thread.start()
        return run

    def of(self, workspace: str, id: str) -> Run[Outcome]:
        """A run of a workspace by its id. Raises NotFound for one that was forgotten."""
        with self._lock:
            self._forget()
            run = self._runs.get(id)
        if run is None or run.workspace != workspace:
            raise NotFound("This result is no longer kept; run it again.")
        return run

    def latest(self, workspace: str, owner: str | None = None) -> Run[Outcome] | None:
        """The run that somebody, or anybody, of a workspace asked for last."""
        with self._lock:
            self._forget()
            found = [
                run
                for run in self._runs.values()
                if run.workspace == workspace and owner in (None, run.owner)
            ]
        return found[-1] if found else None

    def stop(self) -> None:
        """End what is going at its next word."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _carry(self, run: Run[Outcome], work: Callable[[Told], Outcome]) -> None:
        def told(share: float) -> None:
            run.share = max(run.share, min(share, 1.0))
            if self._stopping.wait(BREATH_SECONDS):
                raise Stopped

        try:
            outcome = work(told)
        except Stopped:
            run.end(self._clock(), failed=True)
        except (ServiceError, GraphError) as error:
            run.end(self._clock(), error=error)
        except Exception as error:
            log.error("run_failed", work=self._name, workspace=run.workspace, exc_info=error)
            run.end(self._clock(), failed=True)
        else:
            run.end(self._clock(), outcome)

    def _forget(self) -> None:
        """Let go of what nobody will look at again; never of what is going."""
        since = self._clock() - KEPT_FOR
        for id, run in list(self._runs.items()):
            if run.ended_at is not None and run.ended_at < since:
                del self._runs[id]
        over = [id for id, run in self._runs.items() if run.state != "going"]
        for id in over[: max(0, len(self._runs) - MOST_KEPT)]:
            del self._runs[id]
