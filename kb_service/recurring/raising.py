"""What a problem's counts say after its messages came: its state follows, alerts are raised and announced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import fmean

from graph import lifecycle
from graph.alarms import Step
from graph.models import Alert, Event, Evidence, Problem, Verdict
from graph.sightings import speaker
from kb_service.handover.deciding import LIKELY
from kb_service.ids import digest_id
from kb_service.lookups import found_problem
from kb_service.models import LinkedDocument
from kb_service.recurring.notifying import Notifying
from kb_service.recurring.proposing import Circumstances, propose, standing
from kb_service.recurring.quoting import quoted
from kb_service.recurring.relating import leader_of
from kb_service.recurring.steps import taken
from kb_service.recurring.titling import WINDOW, Titling
from kb_service.replicas.linking import LINK_WEIGHT, LINKED, answering
from kb_service.replicas.replica import Replica
from kb_service.search.models import Hit
from kb_service.store import Unit

EXAMPLES = 5
ASKED = 8
"""Messages of a problem that are searched for to learn whether documents answer it."""
ANSWERED = 0.45
"""The mean probability that what they find is right, from which documents answer a problem. Of the sample shop's first
half the problems with documents lie above it and those of incidents, which nothing was written about, below."""
WEEK = timedelta(days=7)
"""The days before an alert whose customers and cases decide what is proposed."""


class Raising:
    """One transaction's look at problems. The caller holds the workspace's lock and the replica's.

    Messages are told one by one, in order of arrival, before they are written; `finish` writes what follows from them
    once they are. What was told stands in the replica at once, so that a transaction that fails must reset it.
    """

    def __init__(self, unit: Unit, replica: Replica, now: datetime) -> None:
        self._unit = unit
        self._replica = replica
        self._alarms = replica.alarms
        self._now = now
        self._said: dict[str, str] = {}
        self._touched: dict[str, None] = {}
        self._verdicts: list[tuple[str, Verdict]] = []
        self._titling = Titling(unit, replica, self._said)

    def opened(self, problem: Problem) -> None:
        """A problem that this transaction opens; its first message is still to be told."""
        self._alarms.put(problem)

    def passes(self, at: datetime) -> None:
        """Event time goes on to `at`: the windows that ended before it are judged."""
        for step in self._alarms.advance(at, self._now):
            self._take(step)

    def spoke(self, problem_id: str, event: Event) -> None:
        """A customer's message of a problem. One of a problem that is no more counts for none."""
        if self._alarms.problem(problem_id) is None:
            problem_id = self._replica.graph.survivor(problem_id)
        if self._alarms.problem(problem_id) is not None:
            self._said[event.id] = event.text or ""
            self._take(self._alarms.hear(problem_id, event.at, speaker(event), self._now))

    def watch(self, problem_id: str, left: str | None = None) -> list[Alert]:
        """Look at a problem anew after messages were moved to it in this transaction, from `left` where they came from
        another one whose counts are stored already."""
        if left is not None and (before := self._unit.problems.get(left)) is not None:
            self._alarms.put(before)
            self._replica.count_again(self._unit, before.id)
        problem = self._unit.problems.get(problem_id)
        if problem is None:
            return []
        for alias in problem.aliases:
            self._alarms.merge(alias, problem.id)
        self._alarms.put(problem)
        self._replica.count_again(self._unit, problem.id)
        step = self._alarms.look(problem.id, self._now)
        if step is not None:
            self._take(step)
        return self.finish()

    def finish(self) -> list[Alert]:
        """Write the problems as they are now, and raise the alerts: those, in the order in which they came true."""
        self._unit.problems.put_many([self._settled(problem_id) for problem_id in self._touched])
        self._touched.clear()
        verdicts, self._verdicts = self._verdicts, []
        return [self._raise(self._known(problem_id), verdict) for problem_id, verdict in verdicts]

    def regress(self, problem: Problem, verdict: Verdict) -> Alert:
        """A resolved problem is back, as its customers said when they were asked; the alert that tells it."""
        after = lifecycle.transition(problem, "regress", verdict.at or self._now)
        problem = self._turned(problem, after)
        self._unit.problems.put(problem)
        return self._raise(problem, verdict)

    def _take(self, step: Step) -> None:
        self._touched[step.problem.id] = None
        for before, after in step.turns:
            if before.state == "candidate":
                after = self._titling.named(after)
            given = self._turned(before, after)
            problem = self._known(after.id)
            self._alarms.put(replace(problem, names=given.names, owner_id=given.owner_id))
        if step.verdict is not None:
            self._verdicts.append((step.problem.id, step.verdict))

    def _turned(self, before: Problem, after: Problem) -> Problem:
        """A problem after a step, with the products that its messages name by now: they may decide who owns it."""
        expertise_id = self._replica.expertise_of(after)
        after = replace(after, products=self._replica.products_of(after))
        return taken(self._unit, before, after, self._now, expertise_id=expertise_id)

    def _known(self, problem_id: str) -> Problem:
        found = self._alarms.problem(problem_id)
        assert found is not None
        return found

    def _settled(self, problem_id: str) -> Problem:
        """A problem with the products that its messages name by now, and under the names that they give it."""
        problem = self._known(problem_id)
        settled = self._titling.kept_up(replace(problem, products=self._replica.products_of(problem)))
        if settled != problem:
            self._alarms.put(settled)
        return settled

    def _raise(self, problem: Problem, verdict: Verdict) -> Alert:
        assert verdict.kind is not None
        assert verdict.evidence is not None
        opened_at = verdict.at or problem.active_at
        window = timedelta(minutes=verdict.evidence.window_minutes)
        stored = self._unit.events.of_problem(
            problem.id, limit=WINDOW, since=opened_at - window, until=opened_at
        )
        examples = quoted([item.event for item in stored], EXAMPLES)
        alert = Alert(
            id=digest_id("alt", self._unit.workspace, problem.id, verdict.kind, opened_at.isoformat()),
            kind=verdict.kind,
            state=lifecycle.alert_state(problem.state),
            opened_at=opened_at,
            problem_id=problem.id,
            evidence=replace(
                self._explained(verdict.evidence, examples),
                title=self._titling.title(problem, [item.event for item in stored]),
            ),
            examples=tuple(event.text or "" for event in examples),
            products=problem.products,
            expertise_id=self._replica.expertise_of(problem),
        )
        quotes = [event.id for event in examples]
        leader = leader_of(self._unit, self._replica, alert)
        if (
            leader is not None and leader.leads
        ):  # what is proposed for the incident's larger problem does for this
            self._unit.alerts.put(alert, quotes)
            Notifying(self._unit, self._now).opened(problem, alert, None, leader)
            return alert
        answers = self._answers(problem)
        proposal = propose(problem, alert, answers, opened_at, self._circumstances(problem, opened_at))
        before = standing(
            proposal,
            self._unit.proposals.get(proposal.id),
            self._unit.proposals.open_of([problem.id, *problem.aliases], proposal.kind),
        )
        alert = replace(alert, proposal_id=(before or proposal).id)
        self._unit.alerts.put(alert, quotes)
        self._unit.proposals.put(before or proposal)
        Notifying(self._unit, self._now).opened(problem, alert, proposal if before is None else None, leader)
        return alert

    def _answers(self, problem: Problem) -> tuple[LinkedDocument, ...]:
        """What answers a problem by what happened; of a new one, of which nothing is known, what its messages find."""
        tied = self._replica.answers_of(problem)
        if known := tuple(item for item in tied if item.weight >= LINK_WEIGHT * LIKELY):
            return known
        return self._found(problem)

    def _found(self, problem: Problem) -> tuple[LinkedDocument, ...]:
        """What the messages of a problem find, heaviest first; nothing where that is too unlikely to be right.

        One message says little: short ones find nothing surely though a document answers them, and of many about
        something unheard of one finds something. So they are taken together.
        """
        votes: defaultdict[str, float] = defaultdict(float)
        named: dict[str, Hit] = {}
        sure: list[float] = []
        for exemplar in self._replica.matcher.exemplars(problem.id)[:ASKED]:
            hits, confidence = self._replica.find(answering(problem, exemplar.utterance))
            sure.append(confidence)
            for hit in hits:
                named.setdefault(hit.external_id, hit)
                likely = hit.score / hits[0].score if hits[0].score > 0 else 0.0
                votes[hit.external_id] += LINK_WEIGHT * confidence * likely
        if not sure or fmean(sure) < ANSWERED:
            return ()
        best = sorted(votes, key=lambda name: (-votes[name], name))[:LINKED]
        return tuple(
            LinkedDocument(
                name,
                named[name].kind,
                named[name].title,
                round(votes[name] / len(sure), 4),
                named[name].language,
            )
            for name in best
        )

    def _circumstances(self, problem: Problem, at: datetime) -> Circumstances:
        """What decides which change the problem calls for, as it was when its alert opened."""
        seen = self._unit.problems.observations(problem.id, at - WEEK)
        cases, passed = self._unit.workload.passing(problem.id, at - WEEK, at)
        return Circumstances(
            customers=len({item.voter for item in seen if item.at <= at}),
            messages=problem.events,
            products=self._replica.matcher.entities(problem.id).get("product", {}),
            cases=cases,
            passed=passed,
        )

    def _explained(self, evidence: Evidence, quoted: Sequence[Event]) -> Evidence:
        """The evidence with how surely the newest of its messages was joined."""
        assigned = self._unit.assignments.get(quoted[0].id) if quoted else None
        if assigned is None or assigned.match.reason != "joined":
            return evidence
        return replace(evidence, joined=_joined(assigned.match.score, assigned.match.runner_up))


def _joined(same: float, other: float) -> dict[str, str]:
    return {
        "en": f"Joined: the same problem with a probability of {_share(same)}, the next likely one {_share(other)}.",
        "zh": f"归并依据：属于同一问题的可能性{_share(same, 'zh')}，次选问题{_share(other, 'zh')}。",
    }


def _share(probability: float, language: str = "en") -> str:
    """A probability as people read it: an estimate is never certain."""
    is_, over, under = ("为 ", "大于 ", "小于 ") if language == "zh" else ("", "over ", "under ")
    if probability > 0.99:
        return f"{over}99%"
    return f"{under}1%" if probability < 0.01 else f"{is_}{probability:.0%}"


def recount(unit: Unit, problem_id: str) -> None:
    """Take a problem's counts and span anew from all of its messages, after some were moved or erased."""
    problem = found_problem(unit, problem_id)
    seen = unit.problems.observations(problem.id)
    unit.problems.put(lifecycle.counted(problem, seen, events=len(seen)))
