"""Windows that end while nobody writes: bursts are told with the wall clock once the stream is live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from kb_service.observability import Metrics
from kb_service.recurring.raising import Raising
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store

log = get_logger(__name__)

ROUND_SECONDS = 15.0
LIVE = timedelta(minutes=10)
"""A stream whose latest message is older by the wall clock is no live one: a history is loaded, or nobody writes."""
GRACE = timedelta(seconds=20)
"""How long after its end a window waits for messages that are on their way."""


class WindowEnd(WorkspaceRounds):
    """Judges the windows that ended since the last message, in each workspace that this process serves."""

    def __init__(
        self, store: Store, replicas: Replicas, *, metrics: Metrics, clock: Callable[[], datetime]
    ) -> None:
        super().__init__("windows", store, seconds=ROUND_SECONDS)
        self._replicas = replicas
        self._metrics = metrics
        self._clock = clock

    def look(self, workspace: str) -> int:
        """How many alerts were raised. A round costs nothing until a window has ended with messages in it."""
        replica = next((item for item in self._replicas.loaded() if item.workspace == workspace), None)
        if replica is None or not replica.settled or not self._ended(replica):
            return 0
        with replica.lock:
            try:
                with self._store.writing(workspace) as unit:
                    replica.catch_up(unit)
                    if not self._ended(replica):
                        return 0
                    now = self._clock()
                    raising = Raising(unit, replica, now)
                    raising.passes(now - GRACE)
                    raised = raising.finish()
            except BaseException:
                replica.reset()
                raise
            replica.follow()
        for alert in raised:
            self._metrics.alerts.labels(alert.kind).inc()
            log.info("alert_by_the_clock", workspace=workspace, kind=alert.kind, alert=alert.id)
        return len(raised)

    def _ended(self, replica: Replica) -> bool:
        now = self._clock()
        latest = replica.alarms.latest
        return latest is not None and now - latest < LIVE and replica.alarms.waits(now - GRACE)
