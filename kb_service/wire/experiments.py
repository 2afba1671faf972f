"""Trials of two ways side by side, and their figures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from graph.experiments import (
    BETTER,
    MOST_UNITS,
    RATIO_ALPHA,
    Experiment,
    Findings,
    Guard,
    Guarded,
    Metric,
    Policy,
    Reason,
    Side,
    State,
    Treatment,
    most_in_smaller_arm,
    usual_maximum,
)
from graph.sequential import Comparison, Sample
from graph.trial_words import guard_words
from kb_service.messages import Language
from kb_service.trials.experiments import Report
from kb_service.trials.plans import Plan
from kb_service.wire.base import Flag, Id, Moment, Number, Request, Response, Text, When, Whole, fault
from kb_service.wire.weights import possible_weights

EXPERIMENT_EXAMPLE: dict[str, Any] = {
    "name": "Learned assignment against turns",
    "treatment": {"assignment": "round_robin"},
    "share": 0.5,
    "metric": "resolution",
    "guards": [{"metric": "rating", "margin": 0.2}],
    "minimum": 200,
    "maximum": 20000,
    "alpha": 0.05,
    "state": "running",
    "ends_at": "2026-12-31T00:00:00+08:00",
}

Salt = Annotated[Text, Field(min_length=1, max_length=200)]
Weights = dict[Annotated[Text, Field(max_length=100)], Annotated[Number, Field(ge=0, le=100)]]


class TreatmentIn(Request):
    """What differs in treatment; what is left out stays as the shop has it."""

    assignment: Policy | None = None
    clarification: Flag | None = None
    graph_walk: Flag | None = None
    wrong_answer_bound: Annotated[Number, Field(gt=0, lt=1)] | None = None
    swap_share: Annotated[Number, Field(ge=0, le=0.2)] | None = None
    priority_weights: Annotated[Weights, Field(min_length=1, max_length=50)] | None = None
    expertise: Annotated[dict[Id, Id], Field(min_length=1, max_length=50)] | None = None

    @field_validator("priority_weights")
    @classmethod
    def of_known_factors(cls, weights: Weights | None) -> Weights | None:
        return weights if weights is None else possible_weights(weights)

    @model_validator(mode="after")
    def differs(self) -> TreatmentIn:
        if not self.value().touched:
            raise fault("", "must name at least one thing that differs: {names}", names=", ".join(CHANGEABLE))
        return self

    def value(self) -> Treatment:
        return Treatment(**self.model_dump())


CHANGEABLE = tuple(TreatmentIn.model_fields)


class GuardIn(Request):
    """`margin` is in the metric's own unit: 0.02 are two points of a share. `worse` is the metric's own worse side."""

    metric: Metric
    margin: Annotated[Number, Field(ge=0, le=1e6)] = 0.0
    worse: Side | None = None

    def value(self) -> Guard:
        own: Side = "lower" if BETTER[self.metric] == "higher" else "higher"
        return Guard(self.metric, self.margin, self.worse or own)


class ExperimentIn(Request):
    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, json_schema_extra={"examples": [EXPERIMENT_EXAMPLE]}
    )

    name: Annotated[Text, Field(min_length=1, max_length=200, pattern=r"\S")]
    treatment: TreatmentIn
    share: Annotated[Number, Field(gt=0, lt=1)] = 0.5
    unit: Literal["customer"] = "customer"
    salt: Salt | None = None
    metric: Metric = "resolution"
    guards: Annotated[list[GuardIn], Field(max_length=5)] = []
    minimum: Annotated[Whole, Field(ge=50, le=1_000_000)] = 200
    maximum: Annotated[Whole, Field(ge=50, le=1_000_000)] | None = None
    alpha: Annotated[Number, Field(ge=0.001, le=0.2)] = 0.05
    state: Literal["draft", "running"] = "draft"
    starts_at: When | None = None
    ends_at: When | None = None

    @field_validator("guards")
    @classmethod
    def names_each_metric_once(cls, guards: list[GuardIn]) -> list[GuardIn]:
        seen: set[Metric] = set()
        for place, guard in enumerate(guards):
            if guard.metric in seen:
                raise fault(f"{place}.metric", "{metric} is guarded twice; give it once", metric=guard.metric)
            seen.add(guard.metric)
        return guards

    @model_validator(mode="after")
    def holds_together(self) -> ExperimentIn:
        most = most_in_smaller_arm(self.share)
        for name, asked in (("minimum", self.minimum), ("maximum", self.maximum)):
            if asked is not None and asked > most:
                raise fault(
                    name,
                    "must be at most {most} with a share of {share}, since the first {read} units of both arms are "
                    "read; send less, or a share nearer to 0.5",
                    most=most,
                    share=self.share,
                    read=MOST_UNITS,
                )
        if self.maximum is not None and self.maximum < self.minimum:
            raise fault("maximum", "must not be less than minimum, which is {minimum}", minimum=self.minimum)
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            raise fault("ends_at", "must lie after starts_at")
        return self

    def plan(self, experiment_id: str) -> Plan:
        return Plan(
            id=experiment_id,
            name=self.name,
            treatment=self.treatment.value(),
            share=self.share,
            metric=self.metric,
            guards=tuple(guard.value() for guard in self.guards),
            minimum=self.minimum,
            maximum=max(self.minimum, usual_maximum(self.share)) if self.maximum is None else self.maximum,
            alpha=self.alpha,
            state=self.state,
            salt=self.salt,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


class GuardOut(Response):
    metric: Metric
    margin: float
    worse: Side


class ExperimentOut(Response):
    """`treatment` holds only what differs."""

    id: str
    name: str
    state: State
    treatment: dict[str, Any]
    share: float
    unit: Literal["customer"]
    salt: str
    metric: Metric
    guards: list[GuardOut]
    minimum: int
    maximum: int
    alpha: float
    created_at: Moment
    starts_at: Moment | None
    ends_at: Moment | None
    started_at: Moment | None
    stopped_at: Moment | None

    @classmethod
    def of(cls, experiment: Experiment) -> ExperimentOut:
        return cls(**_declared(experiment))


class ArmOut(Response):
    """One arm: how many units count so far, and the mean of what they had; null without any."""

    units: int
    mean: float | None

    @classmethod
    def of(cls, sample: Sample) -> ArmOut:
        return cls(units=sample.units, mean=round(sample.mean, 6) if sample.units else None)


class ComparisonOut(Response):
    """`difference` is treatment less control; `low`, `high` and `p_value` hold at every look, null before they can."""

    metric: Metric
    better: Side
    control: ArmOut
    treatment: ArmOut
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None


class GuardResultOut(ComparisonOut):
    margin: float
    worse: Side
    broken: bool
    text: str


class RatioOut(Response):
    """Whether the arms have the sizes that were drawn: units that came, and how well they fit the share."""

    control: int
    treatment: int
    share: float
    p_value: float
    ok: bool


class VerdictOut(Response):
    """`more_units` are those of both arms that are expected before there is a verdict, while there is none."""

    reason: Reason
    text: str
    more_units: int | None


class ExperimentReportOut(ExperimentOut):
    """A case counts from an age of `settles_hours` on, so the latest are not in the figures yet."""

    verdict: VerdictOut
    result: ComparisonOut | None
    guard_results: list[GuardResultOut]
    ratio: RatioOut | None
    settles_hours: float
    measured_at: Moment

    @classmethod
    def of_report(cls, report: Report, language: Language) -> ExperimentReportOut:
        experiment, found = report.experiment, report.found
        verdict = VerdictOut(
            reason=found.verdict.reason if found is not None else "not_started",
            text=report.words[language],
            more_units=found.verdict.more_units if found is not None else None,
        )
        return cls(
            **_declared(experiment),
            verdict=verdict,
            result=ComparisonOut(**_compared(experiment.metric, found.primary)) if found else None,
            guard_results=[_guarded(item, language) for item in found.guards] if found else [],
            ratio=_ratio(experiment, found) if found else None,
            settles_hours=report.settles_hours,
            measured_at=report.measured_at,
        )


def _declared(experiment: Experiment) -> dict[str, Any]:
    treatment = experiment.treatment
    names = set(ExperimentOut.model_fields) - {"treatment", "guards", "unit"}
    return {
        **{name: getattr(experiment, name) for name in names},
        "unit": "customer",
        "treatment": {name: getattr(treatment, name) for name in CHANGEABLE if name in treatment.touched},
        "guards": [GuardOut.model_validate(guard) for guard in experiment.guards],
    }


def _compared(metric: Metric, found: Comparison) -> dict[str, Any]:
    known = found.control.units > 0 and found.treatment.units > 0
    certain = found.low is not None and found.high is not None
    return {
        "metric": metric,
        "better": BETTER[metric],
        "control": ArmOut.of(found.control),
        "treatment": ArmOut.of(found.treatment),
        "difference": round(found.difference, 6) if known else None,
        "low": round(found.low, 6) if found.low is not None else None,
        "high": round(found.high, 6) if found.high is not None else None,
        "p_value": found.p_value if certain else None,
    }


def _guarded(item: Guarded, language: Language) -> GuardResultOut:
    return GuardResultOut(
        **_compared(item.guard.metric, item.found),
        margin=item.guard.margin,
        worse=item.guard.worse,
        broken=item.broken,
        text=guard_words(item, language),
    )


def _ratio(experiment: Experiment, found: Findings) -> RatioOut:
    return RatioOut(
        control=found.seen["control"],
        treatment=found.seen["treatment"],
        share=experiment.share,
        p_value=found.ratio_p,
        ok=found.ratio_p >= RATIO_ALPHA,
    )
