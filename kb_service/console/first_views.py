"""Figures that whoever looks first after a start would wait for, made before anybody does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from structlog.stdlib import get_logger

from kb_service.background import BackgroundWork
from kb_service.services import Services

log = get_logger(__name__)

LOOK_SECONDS = 1.0
"""How often is looked whether another workspace is ready to be told of."""

View = Callable[[Services, str], object]
"""What a page asks for when nothing was chosen on it yet, of a workspace."""


class FirstViews(BackgroundWork):
    """Makes the standing figures of each workspace once after a start, one after another, in a thread of its own.

    It begins when the process is ready and a workspace's problems are derived, and leaves out where nobody signs in or
    nothing came in yet. What fails is logged; the page then makes its figures itself.
    """

    def __init__(self, services: Services, views: Sequence[View]) -> None:
        super().__init__("first_views")
        self._services = services
        self._views = views

    def _run(self) -> None:
        done: set[str] = set()
        replicas = self._services.replicas
        while not self._stopping.wait(LOOK_SECONDS):
            if replicas.readiness()["status"] != "ready":
                continue
            left = [item for item in replicas.loaded() if item.workspace not in done]
            if not left:
                return
            for workspace in [item.workspace for item in left if item.settled]:
                done.add(workspace)
                try:
                    self.make(workspace)
                except Exception as error:
                    log.warning("first_views_failed", workspace=workspace, exc_info=error)

    def make(self, workspace: str) -> None:
        """Make the figures of one workspace, as far as nobody ends it."""
        for view in self._views if self._wanted(workspace) else ():
            if self._stopping.is_set():
                return
            try:
                view(self._services, workspace)
            except Exception as error:
                log.warning("first_view_failed", workspace=workspace, exc_info=error)

    def _wanted(self, workspace: str) -> bool:
        store = self._services.store
        with store.administration(writing=False) as whole:
            if not whole.members.any(workspace):
                return False
        with store.reading(workspace) as unit:
            return unit.events.latest_at() is not None
