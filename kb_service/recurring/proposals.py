"""What should change, what people decide of it, and what a decision does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from graph.experiments import Guard, Treatment, usual_maximum
from graph.expertise import expertise_id
from graph.models import Problem, Proposal
from kb_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from kb_service.models import Principal
from kb_service.people.expertise import Clustering
from kb_service.people.taxonomy import Taxonomy
from kb_service.recurring.notes import noted
from kb_service.recurring.undoing import undoable
from kb_service.replicas.replicas import Replicas
from kb_service.store import Page, Store, Unit
from kb_service.trials.experiments import Experiments, Report
from kb_service.trials.plans import Plan

TRIAL_SHARE = 0.5
TRIAL_MINIMUM = 200
_BINDS = frozenset({"applied", "experiment", "released"})
"""What the audit notes of a decision that changed something else, which taking it back would leave as it is."""
LESS_RESOLVED = 0.05
"""By how much less a trial of a routing rule may resolve before it stops itself."""


@dataclass(frozen=True, slots=True)
class ProposalDetail:
    """A proposal with the problem that it is about as it stands, and the report of the trial that it is tried by."""

    proposal: Proposal
    problem: Problem | None
    trial: Report | None


@dataclass(frozen=True, slots=True)
class Decided:
    """The audit's entry of a decision where that can be taken back, the note that was given with it, and whether its
    change was made at once."""

    step: int | None
    note: str | None
    applied: bool


class Proposals:
    """The proposals of every workspace. What accepting one changes goes through the code that changes it otherwise."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        taxonomy: Taxonomy,
        clustering: Clustering,
        experiments: Experiments,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._taxonomy = taxonomy
        self._clustering = clustering
        self._experiments = experiments
        self._clock = clock

    def page(self, workspace: str, cursor: str | None, limit: int, **filters: Any) -> Page[Proposal]:
        """Proposals, the latest opened first."""
        with self._store.reading(workspace) as unit:
            return unit.proposals.page(cursor, limit, **filters)

    def one(self, workspace: str, proposal_id: str) -> ProposalDetail:
        """One proposal with all that is known of it."""
        with self._store.reading(workspace) as unit:
            proposal = _found(unit, proposal_id)
            problem = unit.problems.get(proposal.problem_id) if proposal.problem_id is not None else None
            if problem is not None:
                [problem] = unit.problems.counted_in_all([problem])
            tried = proposal.experiment_id
            known = tried is not None and unit.experiments.get(tried) is not None
        trial = self._experiments.report(workspace, tried) if tried is not None and known else None
        return ProposalDetail(proposal, problem, trial)

    def accept(
        self, caller: Principal, proposal_id: str, *, apply: bool = False, trial: bool = False
    ) -> Proposal:
        """It will be done; with `apply` its change is made at once, with `trial` a trial of it is planned.

        Raises Conflict for one that was dismissed, InvalidRequest where there is nothing to apply or try, Forbidden
        where the change is not the caller's to make, and what making the change raises: then nothing is decided.
        """
        with self._store.reading(caller.workspace) as unit:
            proposal = _open(unit, proposal_id, "accepted")
        if apply and trial:
            raise InvalidRequest.of("trial", "cannot be asked for together with `apply`; a trial comes first")
        if apply:
            self._apply(caller, proposal)
        experiment_id = self._plan(caller, proposal) if trial else proposal.experiment_id
        with self._store.writing(caller.workspace) as unit:
            before = _open(unit, proposal_id, "accepted")
            tried_anew = experiment_id != before.experiment_id
            proposal = replace(
                before,
                state="accepted",
                decided_at=before.decided_at or self._clock(),
                decided_by=before.decided_by or caller.key_id,
                experiment_id=experiment_id,
            )
            unit.proposals.put(proposal)
            detail: dict[str, Any] = {"applied": True} if apply else {}
            if trial:
                detail["experiment"] = experiment_id
            if before.state == "open" or apply or tried_anew:
                unit.audit.append(caller.key_id, "proposal.accepted", proposal_id, detail)
        return proposal

    def dismiss(self, caller: Principal, proposal_id: str, note: str | None = None) -> Proposal:
        """It will not be done; why is kept in the audit, masked. Dismissing a correction lets the document be sent
        again: an editor's matter."""
        with self._store.writing(caller.workspace) as unit:
            before = _open(unit, proposal_id, "dismissed")
            released = _release(unit, caller, proposal_id)
            proposal = replace(
                before,
                state="dismissed",
                decided_at=before.decided_at or self._clock(),
                decided_by=before.decided_by or caller.key_id,
            )
            unit.proposals.put(proposal)
            detail: dict[str, Any] = {"released": released} if released else {}
            if before.state == "open" or released or note:
                unit.audit.append(caller.key_id, "proposal.dismissed", proposal_id, {**detail, **noted(note)})
        if released:
            self._replicas.follow(caller.workspace)
        return proposal

    def undo(self, caller: Principal, proposal_id: str, step: int) -> Proposal:
        """Take a decision back that changed nothing else: the proposal is open again. `step` is the audit's entry of
        it, see `Decided`. Raises Conflict where something was changed, tried or released with it, or since."""
        with self._store.writing(caller.workspace) as unit:
            before = _found(unit, proposal_id)
            entry = undoable(unit, proposal_id, step)
            if entry.detail.keys() & _BINDS or before.state == "open":
                raise Conflict("This cannot be taken back.")
            proposal = replace(before, state="open", decided_at=None, decided_by=None, effect=None)
            unit.proposals.put(proposal)
            unit.audit.append(caller.key_id, "proposal.undone", proposal_id, {"before": before.state})
        return proposal

    def decision(self, workspace: str, proposal_id: str) -> Decided:
        """What was last decided of a proposal."""
        with self._store.reading(workspace) as unit:
            entry = unit.audit.latest_of(proposal_id)
        if entry is None or entry.action not in ("proposal.accepted", "proposal.dismissed"):
            return Decided(None, None, False)
        bound = entry.detail.keys() & _BINDS
        return Decided(None if bound else entry.id, entry.detail.get("note"), "applied" in bound)

    # --- what accepting does

    def _apply(self, caller: Principal, proposal: Proposal) -> None:
        """Make a routing change, as `PUT /v1/intents/{id}` or `PUT /v1/expertise/{id}` would."""
        change = proposal.change or {}
        if change.get("action") == "set_expertise":
            if not caller.roles & {"editor", "admin"}:
                raise Forbidden("Only an editor may change the intent {id}.", id=change["intent_id"])
            intent = self._taxonomy.intent(caller.workspace, change["intent_id"])
            self._taxonomy.put_intents(caller, [replace(intent, expertise=change["expertise"])])
        elif change.get("action") == "pin_problems":
            cluster = self._clustering.one(caller.workspace, expertise_id(change["expertise"]))
            pinned = cluster.pin.problem_ids if cluster.pin is not None else ()
            wanted = sorted({*pinned, *change["problem_ids"]})
            self._clustering.pin(caller, cluster.expertise.id, {"problem_ids": wanted})
        else:
            raise InvalidRequest.of("apply", "is for routing rules; people write documents and policies")

    def _plan(self, caller: Principal, proposal: Proposal) -> str:
        """A trial of the change, as a draft that an admin starts; its id. The same proposal gives the same trial."""
        change = proposal.change or {}
        if change.get("action") != "set_expertise":
            raise InvalidRequest.of(
                "trial",
                "is for rules that send an intent to another expertise; this cannot be tried on a part",
            )
        experiment_id = f"trial-of-{proposal.id}"
        with self._store.reading(caller.workspace) as unit:
            if unit.experiments.get(experiment_id) is not None:
                return experiment_id
        target = expertise_id(change["expertise"])
        plan = Plan(
            id=experiment_id,
            # Not the proposal's title: that may hold what a customer wrote.
            name=f"{change['intent_id']} → {target}",
            treatment=Treatment(expertise={change["intent_id"]: target}),
            share=TRIAL_SHARE,
            metric="handling_seconds",
            guards=(Guard("resolution", LESS_RESOLVED, "lower"),),
            minimum=TRIAL_MINIMUM,
            maximum=usual_maximum(TRIAL_SHARE),
            alpha=0.05,
            state="draft",
        )
        self._experiments.put(caller, plan)
        return experiment_id


def _found(unit: Unit, proposal_id: str) -> Proposal:
    proposal = unit.proposals.get(proposal_id)
    if proposal is None:
        raise NotFound("There is no proposal {id} in this workspace.", id=proposal_id)
    return proposal


def _open(unit: Unit, proposal_id: str, state: str) -> Proposal:
    """A proposal that is open, or was decided the same way before."""
    proposal = _found(unit, proposal_id)
    if proposal.state not in ("open", state):
        raise Conflict("The proposal {id} was {state} before.", id=proposal_id, state=proposal.state)
    return proposal


def _release(unit: Unit, caller: Principal, proposal_id: str) -> list[str]:
    """Let the documents that a proposal's review withholds be sent again; their external ids."""
    reviews = [review for review in unit.reviews.of_proposal(proposal_id) if review.withheld]
    if reviews and not caller.roles & {"editor", "admin"}:
        raise Forbidden("Only an editor may decide that {documents} may be sent again.",
            documents=", ".join(sorted({name for review in reviews for name in review.withheld})))  # fmt: skip
    for review in reviews:
        unit.reviews.put(replace(review, withheld={}))
    return sorted({name for review in reviews for name in review.withheld})
