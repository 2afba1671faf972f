"""Support metrics: figures with their intervals, now and before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from graph.intervals import Figure
from graph.support_metrics import Dimension, Group, Measure, Metric, SupportMetrics
from kb_service.messages import Language
from kb_service.metrics.measuring import SupportReport
from kb_service.wire.base import Moment, Response
from kb_service.wire.unsorted import UNSORTED

DIGITS = 4


class SpanOut(Response):
    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    begin: Moment = Field(alias="from")
    end: Moment = Field(alias="to")


class PreviousOut(Response):
    value: float | None
    low: float | None
    high: float | None
    n: int


class ChangeOut(Response):
    """Now less before, with its 95% interval; `certain` when that leaves out zero."""

    value: float
    low: float | None
    high: float | None
    certain: bool


class FigureOut(Response):
    """`low` and `high` bound the 95% interval; `previous` is the same of the span before."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    left_out: int = Field(description="What would belong here and cannot be told yet.")
    provisional: int = Field(description="What counts as it stands and may still turn.")
    previous: PreviousOut
    change: ChangeOut | None

    @classmethod
    def of(cls, measure: Measure) -> FigureOut:
        change = measure.change
        return cls(
            **_plain(measure.now),
            left_out=measure.now.left_out,
            provisional=measure.now.provisional,
            previous=PreviousOut(**_plain(measure.before)),
            change=(
                ChangeOut(
                    value=round(change.value, DIGITS),
                    low=rounded(change.low),
                    high=rounded(change.high),
                    certain=change.certain,
                )
                if change is not None
                else None
            ),
        )


class FirstResponseOut(Response):
    """Seconds from the customer's first message to the first answer of bot or person."""

    median: FigureOut
    p90: FigureOut
    within_level: FigureOut
    unanswered: FigureOut


class TypicalOut(Response):
    median: FigureOut
    p90: FigureOut


class SecondsOut(TypicalOut):
    mean: FigureOut


class SatisfactionOut(Response):
    mean: FigureOut
    satisfied: FigureOut
    response_rate: FigureOut


class AcceptanceOut(Response):
    rate: FigureOut
    unchanged: FigureOut
    told: FigureOut


class ActionsOut(Response):
    answer: FigureOut
    suggest: FigureOut
    clarify: FigureOut
    handoff: FigureOut


class TriggerOut(Response):
    trigger: str
    count: int
    previous: int


class HandoversOut(Response):
    share: FigureOut
    by_trigger: list[TriggerOut]


class MetricsOut(Response):
    cases: int
    cases_before: int
    first_response: FirstResponseOut
    human_response: TypicalOut
    first_contact_resolution: FigureOut
    resolved: FigureOut
    resolved_within_level: FigureOut
    reopened: FigureOut
    deflection: FigureOut
    containment: FigureOut
    satisfaction: SatisfactionOut
    acceptance: AcceptanceOut
    transfers: FigureOut
    handling_seconds: SecondsOut
    actions: ActionsOut
    handovers: HandoversOut


class GroupOut(MetricsOut):
    """The cases with one value of a dimension; `key` is null where it is not known."""

    key: str | None
    label: str
    waiting: int

    @classmethod
    def of(cls, group: Group, label: str, waiting: int) -> GroupOut:
        return cls(key=group.key, label=label, waiting=waiting, **_metrics(group.metrics))


class BacklogOut(Response):
    waiting: int
    median_seconds: float | None
    oldest_seconds: float | None


class SupportMetricsOut(MetricsOut):
    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    begin: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    observed_until: Moment
    previous: SpanOut
    backlog: BacklogOut
    groups: dict[Dimension, list[GroupOut]]

    @classmethod
    def of(cls, report: SupportReport, language: Language) -> SupportMetricsOut:
        before = report.span.before
        return cls(
            begin=report.span.begin,
            end=report.span.end,
            observed_until=report.observed_until,
            previous=SpanOut(begin=before.begin, end=before.end),
            backlog=BacklogOut(
                waiting=report.backlog.waiting,
                median_seconds=rounded(report.backlog.median),
                oldest_seconds=rounded(report.backlog.oldest),
            ),
            groups={
                dimension: [
                    GroupOut.of(
                        group,
                        _label(dimension, group.key, report.labels, language),
                        report.waiting[dimension].get(group.key, 0),
                    )
                    for group in groups
                ]
                for dimension, groups in report.groups.items()
            },
            **_metrics(report.overall),
        )


def _metrics(metrics: SupportMetrics) -> dict[str, Any]:
    def figure(name: Metric) -> FigureOut:
        return FigureOut.of(metrics.measures[name])

    return {
        "cases": metrics.cases,
        "cases_before": metrics.cases_before,
        "first_response": FirstResponseOut(
            median=figure("first_response.median"),
            p90=figure("first_response.p90"),
            within_level=figure("first_response.within_level"),
            unanswered=figure("first_response.unanswered"),
        ),
        "human_response": TypicalOut(
            median=figure("human_response.median"), p90=figure("human_response.p90")
        ),
        "first_contact_resolution": figure("first_contact_resolution"),
        "resolved": figure("resolved"),
        "resolved_within_level": figure("resolved_within_level"),
        "reopened": figure("reopened"),
        "deflection": figure("deflection"),
        "containment": figure("containment"),
        "satisfaction": SatisfactionOut(
            mean=figure("satisfaction.mean"),
            satisfied=figure("satisfaction.satisfied"),
            response_rate=figure("satisfaction.response_rate"),
        ),
        "acceptance": AcceptanceOut(
            rate=figure("acceptance.rate"),
            unchanged=figure("acceptance.unchanged"),
            told=figure("acceptance.told"),
        ),
        "transfers": figure("transfers"),
        "handling_seconds": SecondsOut(
            median=figure("handling_seconds.median"),
            p90=figure("handling_seconds.p90"),
            mean=figure("handling_seconds.mean"),
        ),
        "actions": ActionsOut(
            answer=figure("actions.answer"),
            suggest=figure("actions.suggest"),
            clarify=figure("actions.clarify"),
            handoff=figure("actions.handoff"),
        ),
        "handovers": HandoversOut(
            share=figure("handovers"),
            by_trigger=[
                TriggerOut(trigger=trigger, count=now, previous=before)
                for trigger, (now, before) in metrics.triggers.items()
            ],
        ),
    }


def _label(dimension: Dimension, key: str | None, labels: Mapping[str, str], language: Language) -> str:
    if key is None:
        return UNSORTED[dimension][language]
    return labels.get(key, key) if dimension == "expertise" else key


def _plain(figure: Figure) -> dict[str, Any]:
    return {
        "value": rounded(figure.value),
        "low": rounded(figure.low),
        "high": rounded(figure.high),
        "n": figure.n,
    }


def rounded(value: float | None, digits: int = DIGITS) -> float | None:
    return None if value is None else round(value, digits)
