"""Rules tried on the past: what is asked, and what they would have raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from graph.backtests import Change, Raised
from graph.models import AlertKind, Problem
from graph.thresholds import Suggestion
from kb_service.messages import Language
from kb_service.recurring.backtesting import Alerts, Backtest, Trial
from kb_service.wire.base import Flag, Id, Moment, ProblemRef, Request, Response, When, Whole
from kb_service.wire.problem_refs import problem_ref
from kb_service.wire.rules import RulesShape

MOST = 1000
"""Most alerts of one list that are shown; the summary counts all."""


class BacktestIn(Request):
    """Of `rules` only what is to be changed; the rest stays as the shop has it."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "from": "2026-10-20T00:00:00+08:00",
                    "to": "2026-11-20T00:00:00+08:00",
                    "rules": {"recurrence_customers": 5},
                    "kinds": ["recurrence", "burst"],
                    "suggest": True,
                }
            ]
        },
    )

    begin: Annotated[When, Field(alias="from")]
    end: Annotated[When, Field(alias="to")]
    rules: RulesShape = RulesShape()
    kinds: Annotated[list[AlertKind], Field(max_length=4)] = []
    limit: Annotated[Whole, Field(ge=1, le=MOST)] = 200
    suggest: Flag = False
    labels: Annotated[dict[Id, Literal["useful", "noise"]], Field(max_length=10_000)] = {}

    def value(self) -> Trial:
        return Trial(
            begin=self.begin,
            end=self.end,
            change=self.rules.over,
            kinds=frozenset(self.kinds),
            suggest=self.suggest,
            labels=self.labels,
        )


class TriedAlertOut(Response):
    """An alert that was or would have been raised; `first_at` is when the first customer of its window wrote."""

    kind: AlertKind
    opened_at: Moment
    first_at: Moment
    problem: ProblemRef
    observed: int
    expected: float | None
    customers: int
    window_minutes: int
    p_value: float | None
    evidence: dict[str, str]

    @classmethod
    def of(cls, alert: Raised, problems: Mapping[str, Problem], language: Language) -> TriedAlertOut:
        said = alert.evidence
        known = problems.get(alert.problem_id)
        return cls(
            kind=alert.kind,
            opened_at=alert.opened_at,
            first_at=alert.opened_at - alert.waited,
            problem=problem_ref(known, language) if known is not None else _gone(alert.problem_id),
            observed=said.observed,
            expected=said.expected,
            customers=said.customers,
            window_minutes=said.window_minutes,
            p_value=said.p_value,
            evidence=dict(said.words),
        )


class SummaryOut(Response):
    alerts: int
    by_kind: dict[str, int]
    per_day: float
    problems: int
    median_minutes: float | None


class TriedAlertsOut(Response):
    alerts: list[TriedAlertOut]
    summary: SummaryOut

    @classmethod
    def of(
        cls, found: Alerts, problems: Mapping[str, Problem], language: Language, limit: int
    ) -> TriedAlertsOut:
        return cls(
            alerts=[TriedAlertOut.of(item, problems, language) for item in found.alerts[:limit]],
            summary=SummaryOut.model_validate(found.summary),
        )


class ChangeOut(Response):
    """`minutes` is below 0 where the alert comes earlier under the proposed rules, None where it comes under one
    of both only."""

    outcome: Literal["appears", "vanishes", "earlier", "later"]
    minutes: float | None
    present: TriedAlertOut | None
    proposed: TriedAlertOut | None

    @classmethod
    def of(cls, change: Change, problems: Mapping[str, Problem], language: Language) -> ChangeOut:
        def shown(alert: Raised | None) -> TriedAlertOut | None:
            return None if alert is None else TriedAlertOut.of(alert, problems, language)

        return cls(
            outcome=change.outcome,
            minutes=change.minutes,
            present=shown(change.before),
            proposed=shown(change.after),
        )


class ChangesOut(Response):
    items: list[ChangeOut]
    totals: dict[Literal["appears", "vanishes", "earlier", "later"], int]

    @classmethod
    def of(
        cls, changes: Sequence[Change], problems: Mapping[str, Problem], language: Language, limit: int
    ) -> ChangesOut:
        totals: dict[Any, int] = dict.fromkeys(("appears", "vanishes", "earlier", "later"), 0)
        for change in changes:
            totals[change.outcome] += 1
        return cls(
            items=[ChangeOut.of(change, problems, language) for change in changes[:limit]], totals=totals
        )


class TrialOut(Response):
    """One row of what a suggestion was chosen from."""

    kind: AlertKind
    rules: dict[str, float]
    useful: int
    kept: int
    others: int


class SuggestionOut(Response):
    reason: Literal["better", "best_already", "none_keeps", "too_few"]
    rules: dict[str, float]
    useful: int
    noise: int
    kept: int
    others: int
    others_now: int
    trials: list[TrialOut]
    words: dict[str, str]

    @classmethod
    def of(cls, found: Suggestion) -> SuggestionOut:
        return cls(
            reason=found.reason,
            rules=dict(found.changes),
            useful=found.useful,
            noise=found.noise,
            kept=found.kept,
            others=found.others,
            others_now=found.before,
            trials=[
                TrialOut(
                    kind=trial.kind,
                    rules=dict(trial.rules),
                    useful=trial.useful,
                    kept=trial.kept,
                    others=trial.others,
                )
                for trial in found.trials
            ],
            words=found.words,
        )


class BacktestOut(Response):
    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    begin: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    events: int
    as_it_was: TriedAlertsOut
    present: TriedAlertsOut
    proposed: TriedAlertsOut
    changes: ChangesOut
    suggestion: SuggestionOut | None

    @classmethod
    def of(cls, found: Backtest, language: Language, limit: int) -> BacktestOut:
        named = found.problems
        return cls(
            begin=found.begin,
            end=found.end,
            events=found.events,
            as_it_was=TriedAlertsOut.of(found.as_it_was, named, language, limit),
            present=TriedAlertsOut.of(found.present, named, language, limit),
            proposed=TriedAlertsOut.of(found.proposed, named, language, limit),
            changes=ChangesOut.of(found.changes, named, language, limit),
            suggestion=SuggestionOut.of(found.suggestion) if found.suggestion is not None else None,
        )


def _gone(problem_id: str) -> ProblemRef:
    """A problem that was removed while rules were tried."""
    return ProblemRef(id=problem_id, name=problem_id, state="candidate")
