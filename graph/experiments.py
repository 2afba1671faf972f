"""Two ways of working side by side: what a trial is, who is in which arm, and what its figures allow to say."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from graph.sequential import Comparison, Sample, compare, ratio_p_value, units_to_decide

Arm: TypeAlias = Literal["control", "treatment"]
State: TypeAlias = Literal["draft", "running", "stopped_by_guard", "concluded", "stopped"]
Metric: TypeAlias = Literal[
    "resolution", "unassisted", "acceptance", "rating", "handling_seconds", "first_response_seconds"
]
Side: TypeAlias = Literal["higher", "lower"]
Policy: TypeAlias = Literal["learned", "declared_skills", "round_robin"]
Reason: TypeAlias = Literal[
    "not_started",
    "ratio_mismatch",
    "guard_broken",
    "too_few",
    "not_yet",
    "better",
    "worse",
    "no_difference",
]

BETTER: Mapping[Metric, Side] = {
    "resolution": "higher",
    "unassisted": "higher",
    "acceptance": "higher",
    "rating": "higher",
    "handling_seconds": "lower",
    "first_response_seconds": "lower",
}
"""Which way of each metric is the better one."""
SHARES: frozenset[Metric] = frozenset({"resolution", "unassisted", "acceptance"})
"""Metrics that are shares of cases, 0 to 1; the others are means."""
MOST_UNITS = 100_000
"""Units of both arms that the figures of a trial rest on at most."""
USUAL_MAXIMUM = 20_000
GUARDED_FROM = 50
"""Units in each arm from which a guard may stop a trial: earlier than a verdict, since stopping is the safe side."""
RATIO_ALPHA = 0.001
"""Below this chance the arms do not have the sizes that were drawn, and nothing is concluded."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What differs from the shop as it stands; what is None stays as it is.

    `assignment` is how waiting cases find their people. `graph_walk` and the fields after it are the setting and the
    rules of those names. `expertise` sends intents, by id, to other expertise than the shop's own.
    """

    assignment: Policy | None = None
    clarification: bool | None = None
    graph_walk: bool | None = None
    wrong_answer_bound: float | None = None
    swap_share: float | None = None
    priority_weights: Mapping[str, float] | None = None
    expertise: Mapping[str, str] | None = None

    @property
    def touched(self) -> frozenset[str]:
        """The names of what differs."""
        return frozenset(name for name in self.__slots__ if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True)
class Guard:
    """A metric that treatment must not make worse by more than `margin`, in the metric's own unit."""

    metric: Metric
    margin: float = 0.0
    worse: Side = "lower"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A trial. `minimum` and `maximum` are units in the smaller arm, before and after which nothing is judged.

    `share` of the units are in treatment, drawn by `salt`. `alpha` is the chance of a false verdict, over all looks.
    """

    id: str
    name: str
    treatment: Treatment
    salt: str
    created_at: datetime
    share: float = 0.5
    metric: Metric = "resolution"
    guards: tuple[Guard, ...] = ()
    minimum: int = 200
    maximum: int = USUAL_MAXIMUM
    alpha: float = 0.05
    state: State = "draft"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    ending: Mapping[str, object] = field(default_factory=dict)
    """Why it is over, with the figures of that moment and without anybody's id."""

    @property
    def tightest_at(self) -> int:
        """Units of both arms at which the intervals are tightest: between the least and the most, by the plan alone."""
        return round(math.sqrt(self.minimum * self.maximum) / min(self.share, 1 - self.share))

    def begins_at(self) -> datetime | None:
        """From when units are treated; None before it is started."""
        if self.started_at is None:
            return None
        return max(self.started_at, self.starts_at or self.started_at)

    def treats(self, at: datetime) -> bool:
        """Whether treatment is given at a moment."""
        begins = self.begins_at()
        if self.state != "running" or begins is None or at < begins:
            return False
        return self.ends_at is None or at < self.ends_at


def most_in_smaller_arm(share: float) -> int:
    """The largest number of units in the smaller arm that can ever be reached; about MOST_UNITS are read of both."""
    return math.floor(MOST_UNITS * min(share, 1 - share) + 1e-6)


def usual_maximum(share: float) -> int:
    """The `maximum` of a trial that names none."""
    return min(USUAL_MAXIMUM, most_in_smaller_arm(share))


def arm_of(salt: str, unit: str, share: float) -> Arm:
    """The arm of a unit: the same one always and everywhere, `share` of all units in treatment in the long run.

    Nothing but the salt and the unit's id enters, so that trials of different salts draw independently.
    """
    digest = hashlib.blake2b(
        unit.encode("utf-8", "surrogatepass"), key=_key(salt), digest_size=8, person=b"trial"
    ).digest()
    return "treatment" if int.from_bytes(digest) < share * 2**64 else "control"


def unit_of(customer_id: str | None, conversation_id: str | None) -> str | None:
    """The unit that somebody is: the customer, else the conversation; None when neither is known."""
    if customer_id is not None:
        return f"customer {customer_id}"
    return f"conversation {conversation_id}" if conversation_id is not None else None


def _key(salt: str) -> bytes:
    return hashlib.blake2b(salt.encode("utf-8", "surrogatepass"), digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said. `guard` is the metric that was made worse; `more_units` how many of both arms are expected yet
    before there is a verdict."""

    reason: Reason
    guard: Metric | None = None
    more_units: int | None = None

    @property
    def final(self) -> bool:
        """Whether the trial has said what it can."""
        return self.reason in ("guard_broken", "better", "worse", "no_difference")


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guard with what was measured; broken when treatment is worse by more than its margin for sure."""

    guard: Guard
    found: Comparison
    broken: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """The figures of a trial. `seen` are the units that came in each arm, whatever is known of them yet; `exhausted`
    tells that all was read that ever will be."""

    primary: Comparison
    guards: tuple[Guarded, ...]
    seen: Mapping[Arm, int]
    ratio_p: float
    verdict: Verdict
    exhausted: bool = False


Measured: TypeAlias = Mapping[Metric, Mapping[Arm, Sample]]
"""One value a unit, by metric and arm."""


def findings(
    experiment: Experiment, measured: Measured, seen: Mapping[Arm, int], *, exhausted: bool = False
) -> Findings:
    """What the units so far say of a trial; may be asked at any time and as often as one likes."""
    primary = _compared(experiment, measured[experiment.metric], experiment.alpha)
    guards = tuple(
        _guarded(experiment, guard, measured[guard.metric], experiment.alpha / len(experiment.guards))
        for guard in experiment.guards
    )
    ratio = ratio_p_value(seen["control"], seen["treatment"], experiment.share)
    verdict = _verdict(experiment, primary, guards, ratio)
    if exhausted and verdict.reason == "not_yet":
        verdict = Verdict("no_difference")
    return Findings(primary, guards, seen, ratio, verdict, exhausted)


def worse_by(guard: Guard, found: Comparison) -> float | None:
    """By how much treatment is worse at least, in the metric's unit; None when nobody can tell."""
    if guard.worse == "lower":
        return None if found.high is None else -found.high
    return found.low


def _compared(experiment: Experiment, arms: Mapping[Arm, Sample], alpha: float) -> Comparison:
    return compare(arms["control"], arms["treatment"], alpha=alpha, tightest_at=experiment.tightest_at)


def _guarded(experiment: Experiment, guard: Guard, arms: Mapping[Arm, Sample], alpha: float) -> Guarded:
    found = _compared(experiment, arms, alpha)
    least = worse_by(guard, found)
    enough = _smaller(found) >= GUARDED_FROM
    return Guarded(guard, found, enough and least is not None and least > guard.margin)


def _verdict(experiment: Experiment, primary: Comparison, guards: Sequence[Guarded], ratio: float) -> Verdict:
    """The rules in the order in which they win. A broken guard counts even where the arms have odd sizes: it is the
    careful side."""
    broken = next((item.guard.metric for item in guards if item.broken), None)
    if broken is not None:
        return Verdict("guard_broken", guard=broken)
    if ratio < RATIO_ALPHA:
        return Verdict("ratio_mismatch")
    more = _more_units(experiment, primary)
    if _smaller(primary) < experiment.minimum:
        return Verdict("too_few", more_units=more)
    if primary.p_value <= experiment.alpha:
        gains = (primary.difference > 0) == (BETTER[experiment.metric] == "higher")
        return Verdict("better" if gains else "worse")
    if _smaller(primary) >= experiment.maximum:
        return Verdict("no_difference")
    return Verdict("not_yet", more_units=more)


def _smaller(found: Comparison) -> int:
    return min(found.control.units, found.treatment.units)


def _more_units(experiment: Experiment, found: Comparison) -> int:
    """Units of both arms that are still expected: until the difference as it stands is certain, within the plan."""
    part = min(experiment.share, 1 - experiment.share)
    units = found.control.units + found.treatment.units
    wanted = units_to_decide(found, alpha=experiment.alpha, tightest_at=experiment.tightest_at)
    planned = min(max(wanted, experiment.minimum / part), experiment.maximum / part)
    return max(1, math.ceil(planned - units))
