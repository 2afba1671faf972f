"""Watches the trials that run, and ends those that do harm or have said what they can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from graph.experiments import Experiment, Findings, State, Verdict
from graph.sequential import Comparison
from graph.trial_metrics import SETTLES
from graph.trial_words import verdict_words
from kb_service.replicas.replicas import Replicas
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store
from kb_service.trials.experiments import Experiments, ended

log = get_logger(__name__)

ROUND_SECONDS = 60.0
"""How often each running trial is looked at; the statistics hold for any number of looks."""
JOB = "experiments"
ACTOR = "experiments"
"""Who ends a trial that ends itself, in the audit."""


class ExperimentWatch(WorkspaceRounds):
    """Looks at each trial once a minute, whichever process comes first."""

    def __init__(
        self, store: Store, replicas: Replicas, experiments: Experiments, *, clock: Callable[[], datetime]
    ) -> None:
        super().__init__("experiments", store, seconds=ROUND_SECONDS)
        self._replicas = replicas
        self._experiments = experiments
        self._clock = clock

    def look(self, workspace: str) -> list[str]:
        """End what is due, unless another process has just looked; the ids of the trials that were ended."""
        return self.end_due(workspace) if self._has_turn(workspace) else []

    def end_due(self, workspace: str) -> list[str]:
        """End what is due; the ids of the trials that were ended. From then on everybody is served as the shop stands.

        It costs next to nothing while nothing happens. Of two processes that see the same, one ends it.
        """
        due = []
        for experiment, found in self._experiments.running(workspace):
            state = self._ends_as(experiment, found)
            if state is not None and self._end(workspace, experiment, state, found):
                due.append(experiment.id)
        if due:
            self._replicas.follow(workspace)
        return due

    def _ends_as(self, experiment: Experiment, found: Findings) -> State | None:
        """The state in which a running trial ends now; None when it goes on. After its end it waits for what was begun
        before to settle. It concludes nothing from too few units, nor from arms of odd sizes."""
        if found.verdict.reason == "guard_broken":
            return "stopped_by_guard"
        if found.verdict.final:
            return "concluded"
        ends_at = experiment.ends_at
        settled = ends_at is not None and self._clock() >= ends_at + SETTLES[experiment.metric]
        if not settled and not found.exhausted:
            return None
        return "concluded" if found.verdict.reason == "not_yet" else "stopped"

    def _end(self, workspace: str, experiment: Experiment, state: State, found: Findings) -> bool:
        if found.verdict.reason == "not_yet":
            found = replace(found, verdict=Verdict("no_difference"))
        with self._store.writing(workspace) as unit:
            now = unit.experiments.get(experiment.id)
            if now is None or now.state != "running":
                return False
            ended(unit, now, state, _ending(replace(experiment, stopped_at=unit.now), found), ACTOR)
        log.info("experiment_ended", workspace=workspace, experiment=experiment.id, state=state)
        return True

    def _has_turn(self, workspace: str) -> bool:
        """Whether something runs and no other process has just looked at it."""
        due_since = self._clock() - timedelta(seconds=ROUND_SECONDS / 2)
        with self._store.reading(workspace) as unit:
            last = unit.jobs.last(JOB)
            if not unit.experiments.running() or (last is not None and last >= due_since):
                return False
        with self._store.writing(workspace) as unit:
            return unit.jobs.claim(JOB, due_since)


def _ending(experiment: Experiment, found: Findings) -> dict[str, object]:
    """Why a trial ended, as JSON, with the figures of that moment: counts and means, nobody's id."""
    broken = next((item for item in found.guards if item.broken), None)
    told: Comparison = broken.found if broken is not None else found.primary
    return {
        "reason": found.verdict.reason,
        "metric": broken.guard.metric if broken is not None else experiment.metric,
        "units": {"control": told.control.units, "treatment": told.treatment.units},
        "means": {"control": told.control.mean, "treatment": told.treatment.mean},
        "difference": told.difference,
        "low": told.low,
        "high": told.high,
        "words": verdict_words(experiment, found),
    }
