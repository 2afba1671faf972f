"""Proposals: what should change, what that is expected to save, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict

from graph.models import Proposal, ProposalKind
from kb_service.messages import Language
from kb_service.recurring.proposals import ProposalDetail
from kb_service.wire.base import Flag, Moment, ProblemRef, Request, Response
from kb_service.wire.problem_refs import problem_ref


class AcceptIn(Request):
    """`apply` makes a routing change at once, `trial` plans a trial of it instead."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"apply": True}]})

    apply: Flag = False
    trial: Flag = False


class ExpectedOut(Response):
    metric: Literal["contacts", "handled_by_people", "transfers", "reopened"]
    per_week: float
    low: float
    high: float
    hours: float | None
    words: dict[str, str]


class EffectOut(Response):
    metric: str
    source: Literal["before_and_after", "trial"]
    verdict: Literal["too_early", "better", "no_difference", "worse"]
    days_before: int
    days: int
    before: int
    after: int
    expected: float
    change: float | None
    low: float | None
    high: float | None
    ratio: float | None
    measured_at: Moment
    words: dict[str, str]


class ProposalOut(Response):
    id: str
    kind: ProposalKind
    state: Literal["open", "accepted", "dismissed"]
    opened_at: Moment
    title: str
    evidence: str
    draft: str
    problem_id: str | None
    alert_id: str | None
    expected: ExpectedOut | None
    change: dict[str, Any] | None
    decided_at: Moment | None
    decided_by: str | None
    experiment_id: str | None
    effect: EffectOut | None

    @classmethod
    def of(cls, proposal: Proposal, language: Language) -> ProposalOut:
        return cls(**_fields(proposal, language))


class TrialOut(Response):
    """The trial of a proposal; `words` is what it says so far."""

    id: str
    state: str
    words: str


class ProposalDetailOut(ProposalOut):
    problem: ProblemRef | None
    trial: TrialOut | None

    @classmethod
    def of_detail(cls, detail: ProposalDetail, language: Language) -> ProposalDetailOut:
        trial = detail.trial
        return cls(
            **_fields(detail.proposal, language),
            problem=problem_ref(detail.problem, language) if detail.problem is not None else None,
            trial=None
            if trial is None
            else TrialOut(
                id=trial.experiment.id,
                state=trial.experiment.state,
                words=_in(trial.words, language),
            ),
        )


def _fields(proposal: Proposal, language: Language) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "state": proposal.state,
        "opened_at": proposal.opened_at,
        "title": _in(proposal.title, language),
        "evidence": _in(proposal.evidence, language),
        "draft": proposal.draft,
        "problem_id": proposal.problem_id,
        "alert_id": proposal.alert_id,
        "expected": None if proposal.expected is None else ExpectedOut.model_validate(proposal.expected),
        "change": None if proposal.change is None else dict(proposal.change),
        "decided_at": proposal.decided_at,
        "decided_by": proposal.decided_by,
        "experiment_id": proposal.experiment_id,
        "effect": None if proposal.effect is None else EffectOut.model_validate(proposal.effect),
    }


def _in(texts: Mapping[str, str], language: Language) -> str:
    return texts.get(language) or next(iter(texts.values()), "")
