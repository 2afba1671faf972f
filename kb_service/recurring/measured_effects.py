"""What accepted changes brought: by the trial that tried them, else by the days before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import get_args

from structlog.stdlib import get_logger

from graph.case_history import STAYS, Contacts, read
from graph.effects import BEFORE, LOOKS, DayCount, Effect, EffectMetric, EffectVerdict, measured
from graph.findings import Story, story_of
from graph.models import Proposal
from kb_service.care.gaps import AskedAfter, Gaps
from kb_service.care.unanswered import SPAN
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.store import Store, Unit
from kb_service.trials.experiments import Experiments, Report

log = get_logger(__name__)

MEASURED_FOR = timedelta(days=LOOKS[-1] + 14)
"""How long after a decision its effect is measured; some days more than the last look, for what comes late."""
_DAY = timedelta(days=1)
_METRICS: Mapping[str, EffectMetric] = {name: name for name in get_args(EffectMetric)}


@dataclass(frozen=True, slots=True)
class _Change:
    """An accepted proposal, when it was, and the problems whose cases tell of it."""

    proposal: Proposal
    at: datetime
    metric: EffectMetric
    problem_ids: frozenset[str]


class MeasuredEffects:
    """Measures each workspace's accepted proposals anew, until eight weeks have passed."""

    def __init__(self, store: Store, replicas: Replicas, experiments: Experiments, gaps: Gaps) -> None:
        self._store = store
        self._replicas = replicas
        self._experiments = experiments
        self._gaps = gaps

    def night(self, workspace: str) -> int:
        """Measure what was accepted and is not settled yet; of how many something else is known now."""
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            now = unit.now
            end = unit.events.latest_at() or now
            accepted = unit.proposals.accepted(min(end, now) - MEASURED_FOR)
            tried = {item.id: trial for item in accepted if (trial := _trial(unit, item)) is not None}
            due = [item for item in accepted if item.id not in tried and not _settled(item)]
            changes = [change for item in due if (change := _change(item, replica))]
            counts = _counted(unit, replica, changes, end) if changes else {}
        found = {
            change.proposal.id: measured(
                change.metric, counts[change.proposal.id], change.at, _known_until(change.metric, end)
            )
            for change in changes
        }
        found |= self._of_gaps(workspace, [item for item in due if item.problem_id is None], now)
        for proposal_id, experiment_id in tried.items():
            found[proposal_id] = of_trial(self._experiments.report(workspace, experiment_id))
        return self._keep(workspace, found)

    def _of_gaps(self, workspace: str, accepted: Sequence[Proposal], now: datetime) -> dict[str, Effect]:
        """What documents for gaps that are of no problem brought: how many of their questions still get no good
        answer, against all other questions that get none."""
        if not accepted:
            return {}
        asked = self._gaps.asked_since(workspace, now - MEASURED_FOR - SPAN)
        return {
            item.id: measured("unanswered", _by_day(asked[item.id], item.decided_at), item.decided_at, now)
            for item in accepted
            if item.id in asked and item.decided_at is not None
        }

    def _keep(self, workspace: str, found: Mapping[str, Effect]) -> int:
        if not found:
            return 0
        changed = 0
        with self._store.writing(workspace) as unit:
            for proposal_id, effect in found.items():
                proposal = unit.proposals.get(proposal_id)
                if proposal is not None and proposal.effect != effect:
                    unit.proposals.put(replace(proposal, effect=effect))
                    changed += 1
        log.info("effects_measured", workspace=workspace, count=len(found))
        return changed


def of_trial(report: Report) -> Effect:
    """A trial's figures as the effect of what it tries."""
    experiment, found = report.experiment, report.found
    began = experiment.begins_at()
    verdicts: dict[str, EffectVerdict] = {
        "better": "better",
        "worse": "worse",
        "guard_broken": "worse",
        "no_difference": "no_difference",
    }
    primary = found.primary if found is not None else None
    return Effect(
        metric=experiment.metric,
        verdict=verdicts.get(found.verdict.reason, "too_early") if found is not None else "too_early",
        days_before=0,
        days=max(0, (report.measured_at - began) // _DAY) if began is not None else 0,
        before=primary.control.units if primary is not None else 0,
        after=primary.treatment.units if primary is not None else 0,
        expected=primary.control.mean if primary is not None else 0.0,
        change=primary.difference if primary is not None else None,
        low=primary.low if primary is not None else None,
        high=primary.high if primary is not None else None,
        ratio=None,
        measured_at=report.measured_at,
        words=dict(report.words),
        source="trial",
    )


def _trial(unit: Unit, proposal: Proposal) -> str | None:
    """The id of the trial that tries a proposal, once it has begun; one that never begins tells nothing."""
    experiment = unit.experiments.get(proposal.experiment_id) if proposal.experiment_id is not None else None
    began = experiment.begins_at() if experiment is not None else None
    return proposal.experiment_id if began is not None and began <= unit.now else None


def _settled(proposal: Proposal) -> bool:
    """Whether the last look was taken: then the effect stands."""
    effect = proposal.effect
    return effect is not None and effect.source == "before_and_after" and effect.days >= LOOKS[-1]


def _change(proposal: Proposal, replica: Replica) -> _Change | None:
    """What is to be measured of a proposal; None where it is about no problem."""
    named = (proposal.change or {}).get("problem_ids") or [proposal.problem_id]
    problems = frozenset(replica.graph.survivor(id) for id in named if id is not None)
    if not problems or proposal.decided_at is None:
        return None
    metric = _METRICS[proposal.expected.metric] if proposal.expected is not None else "contacts"
    return _Change(proposal, proposal.decided_at, metric, problems)


def _counted(
    unit: Unit, replica: Replica, changes: Sequence[_Change], end: datetime
) -> dict[str, list[DayCount]]:
    """The counts by day of each change, in one walk through the cases around all of them."""
    begin = min(change.at for change in changes) - BEFORE
    contacts = Contacts(unit.histories.contacts(begin, end))
    hits: dict[str, Counter[int]] = {change.proposal.id: Counter() for change in changes}
    others: dict[str, Counter[int]] = {change.proposal.id: Counter() for change in changes}
    for case in unit.histories.opened(begin, end + timedelta(microseconds=1)):
        story = story_of(read(case, contacts, end))
        if story is None:
            continue
        problem_id = replica.graph.survivor(story.problem_id)
        for change in changes:
            if _counts(story, change.metric):
                side = hits if problem_id in change.problem_ids else others
                side[change.proposal.id][(story.at - change.at) // _DAY] += 1
    return {
        id: [DayCount(day, own[day], others[id][day]) for day in sorted(own.keys() | others[id].keys())]
        for id, own in hits.items()
    }


def _by_day(asked: AskedAfter, decided_at: datetime) -> list[DayCount]:
    own = Counter((at - decided_at) // _DAY for at in asked.own)
    others = Counter((at - decided_at) // _DAY for at in asked.others)
    return [DayCount(day, own[day], others[day]) for day in sorted(own.keys() | others.keys())]


def _counts(story: Story, metric: EffectMetric) -> bool:
    if metric == "handled_by_people":
        return story.by_person
    if metric == "transfers":
        return bool(story.passes)
    return metric == "contacts" or bool(story.reopened)


def _known_until(metric: EffectMetric, end: datetime) -> datetime:
    """Whether a case comes back is known after 72 hours, all else at once."""
    return end - STAYS if metric == "reopened" else end
