"""What a problem's counts say after its messages came: its state follows, alerts are raised and announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from graph import lifecycle
from graph.exemplars import Instance
from graph.models import Alert, Problem, Proposal, Utterance, Verdict
from graph.naming import name_problem
from graph.recurrence import Observation, recurrence, regression
from kb_service.delivery.endpoints import listeners
from kb_service.delivery.messages import alert_data, problem_data, proposal_data
from kb_service.ids import digest_id
from kb_service.lookups import found_problem
from kb_service.reading import nameable, stem
from kb_service.recurring.proposing import propose
from kb_service.replica import Replica
from kb_service.store import Unit

HISTORY = timedelta(days=56)
"""How far back the usual count of a problem is taken from."""
STALE = timedelta(hours=24)
"""Alerts whose moment is further back than this are stored, not delivered."""
EXAMPLES = 5


class Raising:
    """One transaction's look at problems. The caller holds the workspace's lock and the replica's."""

    def __init__(self, unit: Unit, replica: Replica, now: datetime) -> None:
        self._unit = unit
        self._replica = replica
        self._now = now

    def watch(self, problem_id: str) -> Alert | None:
        """Bring a problem's counts up to date, promote it, and raise what its windows say."""
        problem = self._unit.problems.get(problem_id)
        if problem is None:
            return None
        since = min(problem.episode_at, self._now - HISTORY)
        seen = self._unit.problems.observations(problem.id, since)
        moment = max((item.at for item in seen), default=problem.active_at)
        counted = self._counted(problem, seen, moment)
        problem = lifecycle.awakened(counted, self._now)
        if problem.state != counted.state:
            lead_alerts(self._unit, problem)
        verdict = self._verdict(problem, seen, moment)
        if verdict.kind == "regression":
            problem = lifecycle.transition(problem, "regress", verdict.at or moment)
        self._unit.problems.put(problem)
        if verdict.kind is None or problem.state in ("silenced", "candidate"):
            return None
        return self._raise(problem, verdict)

    def _counted(self, problem: Problem, seen: Sequence[Observation], moment: datetime) -> Problem:
        counted = replace(
            lifecycle.counted(problem, seen, events=self._unit.problems.event_count(problem.id)),
            products=self._replica.products_of(problem),
        )
        promoted = lifecycle.promoted(counted, seen, self._replica.shop.rules, now=moment)
        if promoted.state == counted.state or promoted.named_by_person:
            return promoted
        # The name is settled when people first hear of the problem; until then it follows its messages.
        matcher = self._replica.matcher
        spoken = nameable([self._as_written(exemplar) for exemplar in matcher.exemplars(problem.id)])
        names = name_problem(spoken, rarity=lambda word: matcher.rarity(stem(word)))
        return replace(promoted, names=names) if names else promoted

    def _as_written(self, exemplar: Instance) -> Utterance:
        """A kept message with its numbers, which comparing leaves out and a name needs."""
        stored = self._unit.events.get(exemplar.event_id) if exemplar.event_id else None
        text = stored.event.text if stored is not None else None
        return replace(exemplar.utterance, text=text or exemplar.utterance.text)

    def _verdict(self, problem: Problem, seen: Sequence[Observation], moment: datetime) -> Verdict:
        rules = self._replica.shop.rules
        if problem.state == "resolved" and problem.resolved_at is not None:
            return regression(seen, rules, resolved_at=problem.resolved_at, now=moment)
        begin = lifecycle.episode_begin(problem)
        alerted = any(
            alert.kind in ("recurrence", "regression") and (begin is None or alert.opened_at >= begin)
            for alert in self._unit.alerts.of_problem(problem.id)
        )
        return recurrence(seen, rules, now=moment, already_alerted=alerted, after=begin)

    def _raise(self, problem: Problem, verdict: Verdict) -> Alert:
        assert verdict.kind is not None
        assert verdict.evidence is not None
        opened_at = verdict.at or problem.active_at
        stored = [
            item for item in self._unit.events.of_problem(problem.id, limit=EXAMPLES * 2) if item.event.text
        ]
        quoted = stored[:EXAMPLES]
        alert = Alert(
            id=digest_id("alt", self._unit.workspace, problem.id, verdict.kind, opened_at.isoformat()),
            kind=verdict.kind,
            state="open",
            opened_at=opened_at,
            problem_id=problem.id,
            evidence=verdict.evidence,
            examples=tuple(item.event.text or "" for item in quoted),
            products=problem.products,
            expertise_id=self._replica.expertise_of(problem),
        )
        proposal = propose(problem, alert, self._replica.answers_of(problem), opened_at)
        alert = replace(alert, proposal_id=proposal.id)
        event_ids = [item.event.id for item in quoted]
        self._unit.alerts.put(alert, event_ids)
        self._unit.proposals.put(proposal)
        if opened_at > self._now - STALE:
            self._announce(problem, alert, proposal, event_ids)
        return alert

    def _announce(self, problem: Problem, alert: Alert, proposal: Proposal, quotes: Sequence[str]) -> None:
        kinds = {"alert.opened": alert_data(alert, problem), "proposal.created": proposal_data(proposal)}
        if alert.kind == "regression":
            kinds["problem.regressed"] = problem_data(problem, alert.opened_at)
        webhooks = self._unit.webhooks.all()
        for type, data in kinds.items():
            to = listeners(webhooks, type, products=alert.products, expertise=alert.expertise_id)
            if to:
                self._unit.outbox.add(type, data, alert.opened_at, to, quotes)


def lead_alerts(unit: Unit, problem: Problem, reopened: Problem | None = None) -> None:
    """Let a problem's alerts follow its state. A resolved one is done with, unless the very resolution of its
    episode is taken back: `reopened` is the problem as it was before that."""
    begin = lifecycle.episode_begin(reopened) if reopened is not None else None
    for alert in unit.alerts.of_problem(problem.id):
        taken_back = reopened is not None and (begin is None or alert.opened_at >= begin)
        state = lifecycle.alert_state(problem.state)
        if (alert.state != "resolved" or taken_back) and alert.state != state:
            unit.alerts.put(replace(alert, state=state))


def recount(unit: Unit, problem_id: str) -> None:
    """Take a problem's counts and span anew from all of its messages, after some were moved or erased."""
    problem = found_problem(unit, problem_id)
    seen = unit.problems.observations(problem.id)
    unit.problems.put(lifecycle.counted(problem, seen, events=len(seen)))
