"""A trial as somebody asks for it, and what may not be tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from graph.errors import InvalidValue
from graph.experiments import Experiment, Guard, Metric, State, Treatment
from graph.priority import check_weights
from graph.rules import Rules
from graph.trial_ways import TRIED_RULES
from kb_service.errors import Conflict, FieldError, InvalidRequest
from kb_service.store import new_id

FIXED = (
    "treatment",
    "share",
    "salt",
    "metric",
    "guards",
    "minimum",
    "maximum",
    "alpha",
    "starts_at",
    "state",
)
"""What does not change while a trial runs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; without a salt a trial gets one of its own."""

    id: str
    name: str
    treatment: Treatment
    share: float
    metric: Metric
    guards: tuple[Guard, ...]
    minimum: int
    maximum: int
    alpha: float
    state: State
    salt: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def planned(plan: Plan, before: Experiment | None, now: datetime) -> Experiment:
    """The trial that a plan makes of the one before, started when the plan says so.

    Raises Conflict for a trial that is over, and for one that runs when more than name and end would change: with
    another share, treatment or measure it would be another trial, which wants an id and a salt of its own.
    """
    if before is not None and before.state not in ("draft", "running"):
        raise Conflict(
            "The experiment {id} is over ({state}); begin another.", id=plan.id, state=before.state
        )
    experiment = Experiment(
        id=plan.id,
        name=plan.name,
        treatment=plan.treatment,
        salt=plan.salt or (before.salt if before is not None else new_id("salt_", now)),
        created_at=before.created_at if before is not None else now,
        share=plan.share,
        metric=plan.metric,
        guards=plan.guards,
        minimum=plan.minimum,
        maximum=plan.maximum,
        alpha=plan.alpha,
        state=plan.state,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        started_at=before.started_at if before is not None else None,
    )
    if before is not None and before.state == "running":
        _same_trial(before, experiment)
    elif experiment.state == "running":
        experiment = replace(experiment, started_at=now)
    return experiment


def _same_trial(before: Experiment, after: Experiment) -> None:
    changed = [name for name in FIXED if getattr(before, name) != getattr(after, name)]
    if changed:
        raise Conflict(
            "The experiment {id} is running; {names} cannot change. Stop it and begin another.",
            fields=tuple(FieldError(name, "does not change while the experiment runs") for name in changed),
            id=before.id,
            names=", ".join(changed),
        )


def check_start(
    experiment: Experiment, running: Sequence[Experiment], rules: Rules, *, walks: bool, now: datetime
) -> None:
    """Whether a trial can run beside the others, in a shop with these rules and this setting of the graph walk.

    Raises InvalidRequest when it would change nothing or is over already, Conflict when another one tries the same.
    """
    if experiment.ends_at is not None and experiment.ends_at <= now:
        raise InvalidRequest.of("ends_at", "must lie in the future")
    stands: dict[str, Any] = {name: getattr(rules, name) for name in TRIED_RULES}
    stands |= {"assignment": "learned", "clarification": True, "graph_walk": walks, "expertise": {}}
    for name in sorted(experiment.treatment.touched):
        if _plain(getattr(experiment.treatment, name)) == _plain(stands[name]):
            raise InvalidRequest.of(
                f"treatment.{name}", "is so already without the experiment; try something else"
            )
    for other in running:
        both = sorted(other.treatment.touched & experiment.treatment.touched)
        if other.id != experiment.id and both:
            raise Conflict(
                "The experiment {other} is running and changes {names} too; stop it first.",
                fields=tuple(
                    FieldError(f"treatment.{name}", "is tried by the experiment {other}", {"other": other.id})
                    for name in both
                ),
                other=other.id,
                names=", ".join(both),
            )


def check_treatment(treatment: Treatment) -> None:
    """Raises InvalidRequest for weights of priority that there are not."""
    if treatment.priority_weights is None:
        return
    try:
        check_weights(Rules(priority_weights=treatment.priority_weights))
    except InvalidValue as error:
        raise InvalidRequest.of(f"treatment.{error.field}", "{reason}", reason=error.message) from error


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
