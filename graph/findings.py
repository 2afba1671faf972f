"""What stands out among cases: how often something happens to those of one kind, against how often elsewhere.

Of one customer only the first case of a kind counts, so that nobody makes a finding by coming often. A rate is drawn
to the usual one, which counts for 15 cases. What is usual is not one number: rates differ between problems as it is,
and how much is taken from the shop itself (a beta distribution, by moments). Cases of a kind stand out when so many are
rare under that, by the rule of Benjamini and Hochberg (1995) at 0.5% over all kinds that are looked at: of two hundred
findings one is chance. It also takes eight customers, three of whom it happened to, and half as much again as is usual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from scipy.special import betaincinv, betaln, gammaln  # type: ignore[import-untyped]

from graph.case_history import CaseReading
from graph.effects import Expected, weekly_rate
from graph.models import ProposalKind, Speaker

LEAST_CUSTOMERS = 8
LEAST_HITS = 3
LEAST_LIFT = 1.5
FALSE_FINDINGS = 0.005
PSEUDO_CASES = 15.0
MOST_SPREAD = 0.05
"""How much rates of kinds may differ at most (intraclass correlation), so that a few that stand out do not hide one
another."""
LEAST_OF_A_KIND = 5
"""Cases from which a kind tells how much rates differ."""
EXAMPLES = 5

Cause: TypeAlias = Literal["misrouted", "passed_on", "returning", "refused", "explained"]
"""Cases that went to another expertise first; that were passed on; that came back after an answer; whose customers did
not take a machine's answer; that ask for what a document says."""
Key = TypeVar("Key", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Passed:
    """A case that one person gave to another, so many seconds after it opened."""

    from_agent: str | None
    to_agent: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    """What is looked at of one case. `voter` is the customer, else the case itself.

    `first_agent` is the first person who dealt with it or was given it, `solver` who resolved it for good.
    `reopened` tells whether it came back in 72 h, `refused` whether a person was needed after a machine had answered;
    both None where that cannot be told. `cited` are the documents that its answers were taken from, by who gave them.
    """

    id: str
    voter: str
    at: datetime
    problem_id: str
    language: str | None = None
    by_person: bool = False
    first_agent: str | None = None
    solver: str | None = None
    passes: tuple[Passed, ...] = ()
    reopened: bool | None = None
    refused: bool | None = None
    seconds: float | None = None
    cited: tuple[tuple[Speaker, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened: to `hits` of `cases`, each of another customer; `usual` is the rate elsewhere.

    `value`, with its 95% interval, is drawn to the usual rate. `p_value` is the chance of as many without a cause.
    """

    hits: int
    cases: int
    usual: float
    value: float
    low: float
    high: float
    p_value: float

    @property
    def excess(self) -> tuple[float, float, float]:
        """By how much it is above the usual rate, with bounds that do not go below zero."""
        over = (self.value - self.usual, self.low - self.usual, self.high - self.usual)
        return max(0.0, over[0]), max(0.0, over[1]), max(0.0, over[2])


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a change would better. `key` is the same for what is found again.

    `problem_ids` are those whose cases it is about, the most frequent first. `target` is the expertise that cases
    should go to, `agents` are those who would be trained, `helpers` who resolves what they pass on.
    `wait` is the median of seconds that customers lost before a case was passed on. `case_ids` are the latest cases
    that it shows in, `weekly` is the number of cases a week with bounds.
    """

    key: str
    cause: Cause
    kind: ProposalKind
    problem_ids: tuple[str, ...]
    cases: int
    customers: int
    weekly: tuple[float, float, float]
    expected: Expected
    case_ids: tuple[str, ...]
    rate: Rate | None = None
    document_id: str | None = None
    target: str | None = None
    agents: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    wait: float | None = None
    languages: Mapping[str, int] | None = None


def story_of(reading: CaseReading, cited: Sequence[tuple[Speaker, str]] = ()) -> Story | None:
    """A case as its reading tells it; None for one of no problem."""
    history = reading.history
    if history.problem_id is None:
        return None
    steps = history.steps
    people = [step.agent or step.from_agent or step.to_agent for step in steps if step.by == "agent"]
    given = [step.to_agent for step in steps if step.kind == "handover" and step.to_agent is not None]
    held = reading.stayed_resolved
    solvers = [step.agent for step in steps if step.kind == "resolved" and step.agent is not None]
    passes = tuple(
        Passed(step.from_agent, step.to_agent, (step.at - history.opened_at).total_seconds())
        for step in steps
        if step.kind == "transfer" and step.to_agent is not None and step.to_agent != step.from_agent
    )
    known = [agent for agent in (*given[:1], *people) if agent is not None]
    first = passes[0].from_agent if passes and passes[0].from_agent is not None else None
    return Story(
        id=history.id,
        voter=history.customer_id or f"case {history.id}",
        at=history.opened_at,
        problem_id=history.problem_id,
        language=history.language,
        by_person=reading.handler == "agent",
        first_agent=first or (known[0] if known else None),
        solver=solvers[-1] if solvers and held is not False else None,
        passes=passes,
        reopened=_reopened(reading),
        refused=_refused(reading),
        seconds=reading.seconds,
        cited=tuple(dict.fromkeys(cited)),
    )


def _reopened(reading: CaseReading) -> bool | None:
    """An outcome that says "not resolved" is a return as well; None until 72 h after the first outcome."""
    if reading.settled_at_once is None:
        return None
    if reading.stayed_resolved is not None:
        return not reading.stayed_resolved
    return True


def _refused(reading: CaseReading) -> bool | None:
    """Whether a person came in, or was asked for, after a machine's answer; None where it gave none, or nobody can
    tell yet."""
    spoke = next(
        (step.at for step in reading.history.steps if step.by == "bot" and step.kind != "handover"), None
    )
    if spoke is None:
        return None
    if any(
        step.kind == "handover" or step.by == "agent" for step in reading.history.steps if step.at >= spoke
    ):
        return True
    return None if reading.contained is None else not reading.contained


def voted(stories: Iterable[Story], key: Callable[[Story], Key | None]) -> dict[Key, list[Story]]:
    """The first case of each customer by kind; those of no kind are left out."""
    found: defaultdict[Key, dict[str, Story]] = defaultdict(dict)
    for story in sorted(stories, key=lambda item: (item.at, item.id)):
        of = key(story)
        if of is not None:
            found[of].setdefault(story.voter, story)
    return {of: list(own.values()) for of, own in found.items()}


def rates(
    counts: Mapping[Key, tuple[int, int]], near: Callable[[Key], Iterable[Key]] = lambda _: ()
) -> dict[Key, Rate]:
    """The rate of each kind, given as (hits, cases), against all others. Kinds that are `near` one, of the same
    problem say, tell more of what is usual for it than the rest."""
    sums = _Sums.of(counts.values())
    hits, cases = (sum(item[place] for item in counts.values()) for place in (0, 1))
    found: dict[Key, Rate] = {}
    for key, (own, n) in counts.items():
        usual = (hits - own + 0.5) / (cases - n + 1)
        # Others tell how much rates differ: what stands out would hide itself.
        strength = 1 / sums.without(own, n).spread() - 1
        close = [counts[other] for other in near(key) if other != key]
        if close:
            near_hits, near_cases = (sum(item[place] for item in close) for place in (0, 1))
            usual = (near_hits + PSEUDO_CASES * usual) / (near_cases + PSEUDO_CASES)
            strength = min(strength, near_cases + PSEUDO_CASES)
        a, b = own + PSEUDO_CASES * usual, n - own + PSEUDO_CASES * (1 - usual)
        found[key] = Rate(
            hits=own,
            cases=n,
            usual=usual,
            value=a / (a + b),
            low=float(betaincinv(a, b, 0.025)),
            high=float(betaincinv(a, b, 0.975)),
            p_value=_tail(own, n, usual * strength, (1 - usual) * strength),
        )
    return found


def standing_out(found: Mapping[Key, Rate]) -> list[Key]:
    """The kinds whose rate is certainly and much above the usual one, the surest first."""
    looked_at = sorted(
        (key for key, rate in found.items() if rate.cases >= LEAST_CUSTOMERS),
        key=lambda key: (found[key].p_value, key),
    )
    most = 0
    for place, key in enumerate(looked_at, 1):
        if found[key].p_value <= FALSE_FINDINGS * place / len(looked_at):
            most = place
    return [
        key
        for key in looked_at[:most]
        if found[key].hits >= LEAST_HITS and found[key].value >= LEAST_LIFT * found[key].usual
    ]


def weekly_cases(stories: Sequence[Story], days: float) -> tuple[float, float, float]:
    """How many cases a week, with the 95% interval of a Poisson count."""
    return weekly_rate(len(stories), days)


def mean_seconds(stories: Iterable[Story]) -> float | None:
    """What people work on one case, where they told."""
    told = [story.seconds for story in stories if story.seconds is not None]
    return sum(told) / len(told) if told else None


def latest(stories: Iterable[Story]) -> tuple[str, ...]:
    """The ids of the latest cases."""
    ordered = sorted(stories, key=lambda item: (item.at, item.id), reverse=True)
    return tuple(story.id for story in ordered[:EXAMPLES])


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the spread of rates is told from: over kinds with `hits` of `cases`, their number, the sums of both, and
    those of hits squared by cases and of cases squared."""

    kinds: int
    hits: float
    cases: float
    scatter: float
    squares: float

    @classmethod
    def of(cls, counts: Iterable[tuple[int, int]]) -> _Sums:
        known = [(own, n) for own, n in counts if n >= LEAST_OF_A_KIND]
        return cls(
            len(known),
            sum(own for own, _ in known),
            sum(n for _, n in known),
            sum(own * own / n for own, n in known),
            sum(n * n for _, n in known),
        )

    def without(self, own: int, n: int) -> _Sums:
        if n < LEAST_OF_A_KIND:
            return self
        return _Sums(
            self.kinds - 1,
            self.hits - own,
            self.cases - n,
            self.scatter - own * own / n,
            self.squares - n * n,
        )

    def spread(self) -> float:
        """The intraclass correlation by moments, between 0.001 and 0.05; the latter where too little is known."""
        if self.kinds < 3 or not 0 < self.hits < self.cases:
            return MOST_SPREAD
        rate = self.hits / self.cases
        between = (self.scatter - self.hits * rate) / (self.kinds - 1)
        size = (self.cases - self.squares / self.cases) / (self.kinds - 1)
        within = rate * (1 - rate)
        found = (between - within) / (within * (size - 1)) if size > 1 else 0.0
        return min(MOST_SPREAD, max(0.001, found))


def _tail(hits: int, n: int, a: float, b: float) -> float:
    """P(X >= hits) of a beta-binomial."""
    if hits <= 0:
        return 1.0
    k = np.arange(hits, n + 1)
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return min(1.0, float(np.exp(choose + betaln(k + a, n - k + b) - betaln(a, b)).sum()))
