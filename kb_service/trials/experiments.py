"""Trials in production: declared, started, looked at as often as one likes, and stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import get_args

from graph.experiments import (
    MOST_UNITS,
    Arm,
    Experiment,
    Findings,
    Metric,
    Reason,
    State,
    Treatment,
    Verdict,
    arm_of,
    findings,
)
from graph.trial_metrics import SETTLES, measure, split
from graph.trial_words import verdict_words
from kb_service.errors import InvalidRequest, NotFound
from kb_service.exposures import ExposureLog
from kb_service.models import Principal
from kb_service.people.clustering import standing
from kb_service.replicas.replicas import Replicas
from kb_service.store import Page, Store, Unit
from kb_service.trials.plans import Plan, check_start, check_treatment, planned

MANY_UNITS = 20_000
KEPT_FOR = 30.0
"""Figures of so many units take seconds, and are given again for KEPT_FOR times as long, whatever happens meanwhile."""
MOST_READ = MOST_UNITS
"""Cases, suggestions and questions that the figures of a trial rest on at most, the first ones of each."""


@dataclass(frozen=True, slots=True)
class Report:
    """A trial with its figures; `found` is None before the start. `words` is the verdict by language.

    A case counts from an age of `settles_hours` on.
    """

    experiment: Experiment
    found: Findings | None
    words: Mapping[str, str]
    measured_at: datetime
    settles_hours: float


@dataclass(frozen=True, slots=True)
class _Figures:
    """Figures as they were computed: of what, when, and until when (monotonic seconds) they are good enough."""

    state: tuple[object, ...]
    found: Findings
    at: datetime
    fresh_until: float


class Experiments:
    """The trials of every workspace. `walks` is whether questions are followed along the graph without a trial."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        exposures: ExposureLog,
        *,
        clock: Callable[[], datetime],
        walks: bool = False,
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._exposures = exposures
        self._clock = clock
        self._walks = walks
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], _Figures] = {}

    def page(
        self, workspace: str, cursor: str | None, limit: int, *, state: State | None
    ) -> Page[Experiment]:
        """Trials, the latest made first."""
        with self._store.reading(workspace) as unit:
            return unit.experiments.page(cursor, limit, state)

    def report(self, workspace: str, experiment_id: str) -> Report:
        """A trial with its figures so far, which hold however often they are asked for."""
        self._exposures.flush()
        with self._store.reading(workspace) as unit:
            experiment = _stored(unit, experiment_id)
            figures = self._figures(unit, experiment)
        found = figures.found if figures is not None else None
        words = verdict_words(experiment, found)
        told = experiment.ending.get("words")
        if isinstance(told, dict) and found is not None:
            # What was said when it ended stands: figures that settled since do not take it back.
            words = {str(language): str(text) for language, text in told.items()}
            found = replace(found, verdict=_final_verdict(experiment, found.verdict))
        elif found is not None and experiment.stopped_at is not None:
            # Nobody comes any more, whatever would have been needed.
            found = replace(found, verdict=replace(found.verdict, more_units=None))
        hours = SETTLES[experiment.metric] / timedelta(hours=1)
        return Report(experiment, found, words, figures.at if figures is not None else self._clock(), hours)

    def running(self, workspace: str) -> list[tuple[Experiment, Findings]]:
        """The trials that have begun and are not over, with their figures so far."""
        with self._store.reading(workspace) as unit:
            if not unit.experiments.running():
                return []
        self._exposures.flush()
        with self._store.reading(workspace) as unit:
            known = [(item, self._figures(unit, item)) for item in unit.experiments.running()]
        return [(experiment, figures.found) for experiment, figures in known if figures is not None]

    def put(self, caller: Principal, plan: Plan) -> tuple[Report, bool]:
        """Create a trial, change it, or start it; committed and in force here when this returns. Whether it is new.

        Raises InvalidRequest and Conflict as `experiment_plans` has them.
        """
        check_treatment(plan.treatment)
        with self._store.writing(caller.workspace) as unit:
            before = unit.experiments.get(plan.id)
            experiment = planned(plan, before, unit.now)
            starts = experiment.state == "running" and (before is None or before.state == "draft")
            _check_homes(unit, plan.treatment)
            if starts:
                running, rules = unit.experiments.running(), unit.rules.get()
                check_start(experiment, running, rules, walks=self._walks, now=unit.now)
            if experiment != before:
                unit.experiments.put(experiment)
                action = "experiment.started" if starts else "experiment.put"
                unit.audit.append(caller.key_id, action, plan.id, _told(experiment))
        self._replicas.follow(caller.workspace)
        return self.report(caller.workspace, plan.id), before is None

    def stop(self, caller: Principal, experiment_id: str) -> Report:
        """End a trial: everybody is served as the shop stands when this returns. One that is over stays as it is."""
        with self._store.writing(caller.workspace) as unit:
            experiment = _stored(unit, experiment_id)
            if experiment.state in ("draft", "running"):
                ended(unit, experiment, "stopped", {"reason": "by_hand"}, caller.key_id)
        self._replicas.follow(caller.workspace)
        return self.report(caller.workspace, experiment_id)

    def _figures(self, unit: Unit, experiment: Experiment) -> _Figures | None:
        """The figures of a trial that has begun, from memory while nothing happened in the workspace.

        Those of a large trial may be somewhat older, see KEPT_FOR.
        """
        began, now = experiment.begins_at(), self._clock()
        if began is None or now < began:
            return None
        place = unit.workspace, experiment.id
        happened = unit.changes.position(), unit.exposures.latest_id(), unit.feedback.latest_id()
        state = (experiment, *happened, now.date(), now.hour)
        with self._lock:
            known = self._known.get(place)
        started = time.monotonic()
        if known is not None and (
            known.state == state or (known.state[0] == experiment and started < known.fresh_until)
        ):
            return known
        found = _measured(unit, experiment, began, now)
        took = time.monotonic() - started
        fresh_for = KEPT_FOR * took if sum(found.seen.values()) >= MANY_UNITS else 0.0
        figures = _Figures(state, found, now, started + fresh_for)
        with self._lock:
            self._known[place] = figures
        return figures


def ended(unit: Unit, experiment: Experiment, state: State, ending: Mapping[str, object], actor: str) -> None:
    """End a trial in the open transaction, and note who did and why."""
    unit.experiments.put(replace(experiment, state=state, stopped_at=unit.now, ending=ending))
    detail = {"state": state, **{name: value for name, value in ending.items() if name != "words"}}
    unit.audit.append(actor, "experiment.ended", experiment.id, detail)


def _check_homes(unit: Unit, treatment: Treatment) -> None:
    """Raises InvalidRequest where intents would be sent nowhere, or are unknown, or are all sent there already."""
    if treatment.expertise is None:
        return
    known = {cluster.id: cluster for cluster in standing(unit, unit.problems.all())}
    for intent_id, expertise in treatment.expertise.items():
        if unit.intents.get(intent_id) is None:
            raise InvalidRequest.of("treatment.expertise", "there is no intent {id}", id=intent_id)
        if expertise not in known:
            raise InvalidRequest.of("treatment.expertise", "there is no expertise {id}", id=expertise)
    if all(intent_id in known[home].intent_ids for intent_id, home in treatment.expertise.items()):
        raise InvalidRequest.of(
            "treatment.expertise", "is so already without the experiment; try something else"
        )


def _measured(unit: Unit, experiment: Experiment, began: datetime, now: datetime) -> Findings:
    ends = (now, experiment.ends_at, experiment.stopped_at)
    until = min(moment for moment in ends if moment is not None)

    @cache
    def draw(unit_name: str) -> Arm:
        return arm_of(experiment.salt, unit_name, experiment.share)

    cases = unit.experiments.cases(began, until, limit=MOST_READ)
    suggestions = unit.experiments.suggestions(began, until, limit=MOST_READ)
    moments = [item.at for item in suggestions]
    if experiment.metric != "acceptance":
        moments = [item.opened_at for item in cases]
    exhausted = len(moments) >= MOST_READ and now - moments[-1] >= SETTLES[experiment.metric]
    seen = split(unit.experiments.seen(began, until, limit=MOST_READ), draw)
    return findings(
        experiment,
        measure(cases, suggestions, draw, now),
        {arm: len(units) for arm, units in seen.items()},
        exhausted=exhausted,
    )


def _stored(unit: Unit, experiment_id: str) -> Experiment:
    experiment = unit.experiments.get(experiment_id)
    if experiment is None:
        raise NotFound("There is no experiment {id} in this workspace.", id=experiment_id)
    return experiment


def _final_verdict(experiment: Experiment, now: Verdict) -> Verdict:
    """The verdict with which a trial ended itself."""
    reasons: dict[str, Reason] = {reason: reason for reason in get_args(Reason)}
    metrics: dict[str, Metric] = {metric: metric for metric in get_args(Metric)}
    reason = reasons.get(str(experiment.ending.get("reason")))
    if reason is None:
        return now
    guard = metrics.get(str(experiment.ending.get("metric"))) if reason == "guard_broken" else None
    return Verdict(reason, guard=guard)


def _told(experiment: Experiment) -> dict[str, object]:
    """What the audit keeps of a plan."""
    return {
        "state": experiment.state,
        "share": experiment.share,
        "changes": sorted(experiment.treatment.touched),
        "metric": experiment.metric,
    }
