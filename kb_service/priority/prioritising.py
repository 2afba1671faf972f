"""Escalations to weights of the priority: learned, proposed, put in force by a person, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from graph.priority import weights_of
from graph.priority_learning import Learned, learn
from kb_service.errors import Conflict, NotFound
from kb_service.learning.calibrating import COMMAND, NIGHTLY
from kb_service.priority.escalations import kinds, replayed
from kb_service.replicas.replicas import Replicas
from kb_service.store import Store, StoredWeights, Unit, WeightsKind, new_id
from kb_service.understanding.reading import Reader

NOTEWORTHY = 2.0
"""Points by which some weight has to differ from the last proposal for a night to propose anew."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned of the shop's escalations, how many there were of each kind, and the proposal that was stored:
    None where there is none."""

    learned: Learned
    kinds: Mapping[str, int]
    present: Mapping[str, float]
    proposal: StoredWeights | None


class Prioritising:
    """The weights of every workspace. Nothing that is learned serves anybody before a person applies it."""

    def __init__(
        self, store: Store, replicas: Replicas, reader: Reader, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._clock = clock

    def night(self, workspace: str) -> Lesson:
        """Propose what proved better on later cases, unless that was proposed or is in force already."""
        lesson = self._learn(workspace)
        if lesson.learned.reason != "better":
            return lesson
        with self._store.reading(workspace) as unit:
            last = next((item for item in unit.priority_weights.all() if item.kind == "proposed"), None)
        known = [lesson.present, *([last.weights] if last is not None else [])]
        if any(_near(lesson.learned.weights, weights) for weights in known):
            return lesson
        return self._propose(workspace, lesson, NIGHTLY)

    def learn(self, workspace: str, *, keep: bool = False, actor: str = COMMAND) -> Lesson:
        """Learn now, and propose what proved better; with `keep` also what did not, for a person to judge.

        Nothing is proposed below `graph.priority_learning.LEAST_ESCALATIONS`.
        """
        lesson = self._learn(workspace)
        if lesson.learned.reason == "better" or (keep and lesson.learned.reason == "no_better"):
            return self._propose(workspace, lesson, actor)
        return lesson

    def history(self, workspace: str, limit: int | None = None) -> tuple[StoredWeights, ...]:
        """What was proposed, applied and taken back, the newest first."""
        with self._store.reading(workspace) as unit:
            return unit.priority_weights.all(limit)

    def in_force(self, workspace: str) -> dict[str, float]:
        """The points of every factor as they are now."""
        with self._store.reading(workspace) as unit:
            return weights_of(unit.rules.get())

    def apply(self, workspace: str, proposal_id: str, *, actor: str = COMMAND) -> StoredWeights:
        """Put a proposal's weights into the shop's rules, in force when this returns.

        Raises NotFound for a proposal that never was, Conflict where its weights are in force already.
        """
        with self._store.writing(workspace) as unit:
            proposal = unit.priority_weights.get(proposal_id)
            if proposal is None or proposal.kind != "proposed":
                raise NotFound("There is no proposal of weights {id} in this workspace.", id=proposal_id)
            if dict(unit.rules.get().priority_weights) == dict(proposal.weights):
                raise Conflict("The weights of {id} are in force already.", id=proposal_id)
            entry = _put(unit, proposal, proposal.weights, "applied", actor)
        self._replicas.follow(workspace)
        return entry

    def roll_back(self, workspace: str, *, actor: str = COMMAND, of: str | None = None) -> StoredWeights:
        """Take the last application back: the rules' weights are again what they were before it.

        Raises Conflict where nothing is applied, where somebody changed the weights since, or where the last
        application is not the one that is meant, `of`.
        """
        with self._store.writing(workspace) as unit:
            applied = _standing(unit.priority_weights.all())
            if applied is None:
                raise Conflict("No learned weights are in force; there is nothing to take back.")
            if of is not None and applied.id != of:
                raise Conflict("The rules were changed again since; this change cannot be taken back alone.")
            if dict(unit.rules.get().priority_weights) != dict(applied.weights):
                raise Conflict(
                    "The weights were changed by hand after {id} was applied; set them with PUT /v1/rules.",
                    id=applied.id,
                )
            entry = _put(unit, applied, applied.before, "rolled_back", actor)
        self._replicas.follow(workspace)
        return entry

    def _learn(self, workspace: str) -> Lesson:
        now = self._clock()
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            found = replayed(unit, replica, self._reader, now)
            present = weights_of(unit.rules.get())
        return Lesson(learn([item.decided for item in found], present, now=now), kinds(found), present, None)

    def _propose(self, workspace: str, lesson: Lesson, actor: str) -> Lesson:
        with self._store.writing(workspace) as unit:
            entry = StoredWeights(
                id=new_id("pw_", unit.now),
                at=unit.now,
                kind="proposed",
                weights=lesson.learned.weights,
                before=unit.rules.get().priority_weights,
                evidence=evidence(lesson),
                actor=actor,
            )
            unit.priority_weights.add(entry)
            unit.audit.append(actor, "weights.proposed", entry.id, {"weights": dict(entry.weights)})
        return replace(lesson, proposal=entry)


def evidence(lesson: Lesson) -> dict[str, Any]:
    """What speaks for a proposal, as plain JSON."""
    learned = lesson.learned
    return {
        "reason": learned.reason,
        "cases": learned.cases,
        "escalations": learned.escalations,
        "kinds": dict(lesson.kinds),
        "later": learned.later,
        "later_escalations": learned.later_escalations,
        "split_at": learned.split_at.isoformat() if learned.split_at is not None else None,
        "before": asdict(learned.before) if learned.before is not None else None,
        "after": asdict(learned.after) if learned.after is not None else None,
        "gain": list(learned.gain) if learned.gain is not None else None,
        "with_factor": dict(learned.with_factor or {}),
        "present": dict(lesson.present),
    }


def _near(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return all(abs(points - other.get(name, 0.0)) < NOTEWORTHY for name, points in one.items())


def _standing(entries: Sequence[StoredWeights]) -> StoredWeights | None:
    """The latest application that was not taken back."""
    gone = {entry.of_id for entry in entries if entry.kind == "rolled_back"}
    return next((entry for entry in entries if entry.kind == "applied" and entry.id not in gone), None)


def _put(
    unit: Unit, source: StoredWeights, weights: Mapping[str, float], kind: WeightsKind, actor: str
) -> StoredWeights:
    """Write weights into the rules, with the entry and the audit that tell of it."""
    rules = unit.rules.get()
    entry = StoredWeights(
        id=new_id("pw_", unit.now),
        at=unit.now,
        kind=kind,
        weights=weights,
        before=rules.priority_weights,
        evidence={},
        actor=actor,
        of_id=source.id,
    )
    unit.rules.put(replace(rules, priority_weights=dict(weights)))
    unit.priority_weights.add(entry)
    told = {"of": source.id, "weights": dict(weights), "before": dict(entry.before)}
    unit.audit.append(actor, f"weights.{kind}", entry.id, told)
    return entry
