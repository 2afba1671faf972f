"""Work that goes round the workspaces, again and again, beside requests."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass

from structlog.stdlib import get_logger

from kb_service.background import BackgroundWork
from kb_service.errors import NotReady
from kb_service.store import Store

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """How the last round went: when it ended (`time.monotonic`), how long it took, and the workspaces it failed in,
    with the name of what went wrong."""

    ended: float
    seconds: float
    failed: dict[str, str]


class WorkspaceRounds(BackgroundWork):
    """Looks at every workspace each `seconds`, in a thread of its own.

    What fails is logged, and keeps neither the other workspaces from their turn nor the next round from coming. A
    workspace that is still loading has its turn in the next round.
    """

    def __init__(self, name: str, store: Store, *, seconds: float) -> None:
        super().__init__(name)
        self._store = store
        self._seconds = seconds
        self.last: Round | None = None

    @property
    def every(self) -> float:
        """Seconds between two rounds."""
        return self._seconds

    @abstractmethod
    def look(self, workspace: str) -> object:
        """One workspace's turn: a bounded piece of work, which costs next to nothing where there is none to do."""

    def go_round(self) -> None:
        """Give each workspace its turn."""
        began, failed = time.monotonic(), dict[str, str]()
        with self._store.administration(writing=False) as unit:
            workspaces = [item.id for item in unit.workspaces.list()]
        for workspace in workspaces:
            if self._stopping.is_set():
                return
            try:
                self.look(workspace)
            except NotReady as error:
                failed[workspace] = type(error).__name__
                log.info("round_postponed", work=self._name, workspace=workspace, reason=str(error))
            except Exception as error:
                failed[workspace] = type(error).__name__
                log.error("round_failed", work=self._name, workspace=workspace, exc_info=error)
        self.last = Round(time.monotonic(), time.monotonic() - began, failed)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self.go_round()
            except Exception as error:
                log.error("round_failed", work=self._name, exc_info=error)
