"""What an agent is good at, learned from outcomes: rate of success, handling time, rating.

Every figure is the sum of a centre and of effects that are drawn to zero: the intent and the problem, which tell how
hard a case is, then the agent, the agent in an expertise, the agent on a problem. All are fitted at once (see
`graph.crossed_effects`), so that an agent who takes the hard cases is not thought worse. At first a level's expectation
counts for 15 cases; how much levels really differ is learned from the shop. In simulation (docs/benchmarks.md) the best
choice by these rates resolves more than by raw means, and the 95% intervals hold the true rate in 91 of 100 cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
from scipy.special import expit  # type: ignore[import-untyped]

from graph.crossed_effects import Codes, CrossedEffects, Floats
from graph.intervals import wilson

PSEUDO_CASES = 15.0
HALF_LIFE_DAYS = 90.0
SHOWN_FROM = 20.0
_DAY_SECONDS = 86_400.0
_TAIL = 1.96
_DIFFICULTY = 2
"""The first two levels, intent and problem, tell how hard a case is, whoever takes it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went for one agent: `reopened` tells whether it came back in 72 h, `rating` is 1 to 5.

    `products` are the SKUs that it was about, as far as told.
    """

    agent_id: str
    problem_id: str | None
    intent_id: str | None
    expertise_id: str | None
    customer_id: str | None
    resolved: bool
    reopened: bool
    handling_seconds: float | None
    rating: float | None
    at: datetime
    products: tuple[str, ...] = ()

    @property
    def success(self) -> bool:
        return self.resolved and not self.reopened


@dataclass(frozen=True, slots=True)
class SkillEstimate:
    """P(resolve) with its 95% interval, from `n` decayed cases; typical seconds; rating 1 to 5.

    The interval is that of the case at hand, with all that may set it apart from those before; it is what decisions
    go by. People are told `told`, which is that of the figure itself. `seconds` and `rating` are None while the shop
    has none at all. `n` counts the agent's own cases on what was asked about: one of today counts 1, one of 90 days
    ago half.
    """

    rate: float
    low: float
    high: float
    n: float
    seconds: float | None = None
    rating: float | None = None

    @property
    def cases(self) -> int:
        """The number of cases as people see it."""
        return round(self.n)

    def shown(self) -> bool:
        """Whether there are as many cases as it takes to show the figure to people, as they would see them."""
        return self.cases >= SHOWN_FROM

    def told(self) -> tuple[float, float]:
        """The 95% interval that so many cases give the rate, as people expect it; 0 to 1 without any."""
        return wilson(self.rate, self.n) if self.n > 0 else (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a case is about, as far as known; a problem seen before brings its own intent and expertise."""

    problem_id: str | None = None
    intent_id: str | None = None
    expertise_id: str | None = None


class Profiles:
    """Estimates for any agent on any topic, from all outcomes up to `now`. Immutable.

    An outcome's weight halves every `half_life_days`. A case resolved less than 72 h before `now` counts as
    it stands. Agents and topics never seen get what the levels above them say.
    """

    def __init__(
        self,
        outcomes: Iterable[Outcome],
        *,
        now: datetime,
        half_life_days: float = HALF_LIFE_DAYS,
        pseudo_cases: float = PSEUDO_CASES,
    ) -> None:
        kept = sorted((o for o in outcomes if o.at <= now), key=_order)
        self._agents = _numbered(o.agent_id for o in kept)
        self._problems = _numbered(o.problem_id for o in kept)
        self._intents = _numbered(o.intent_id for o in kept)
        self._expertises = _numbered(o.expertise_id for o in kept)
        # The latest outcome tells a problem's intent and expertise.
        self._intent_of = {o.problem_id: o.intent_id for o in kept if o.problem_id and o.intent_id}
        self._expertise_of = {o.problem_id: o.expertise_id for o in kept if o.problem_id and o.expertise_id}

        topics = [Topic(o.problem_id, o.intent_id, o.expertise_id) for o in kept]
        agents = _coded(self._agents, (o.agent_id for o in kept))
        keys, expertises = self._keys(agents, topics)
        age = np.array([(now - o.at).total_seconds() / _DAY_SECONDS for o in kept])
        weights = np.exp2(-age / half_life_days)
        success = np.array([float(o.success) for o in kept])
        seconds = _within_reason(np.array([_log(o.handling_seconds) for o in kept]))
        rating = np.array([np.nan if o.rating is None else o.rating for o in kept])
        fitted = partial(
            CrossedEffects, keys, expertises, weights, pseudo=pseudo_cases, difficulty=_DIFFICULTY
        )
        self._rate = fitted(success, odds=True)
        self._seconds = fitted(seconds, odds=False)
        self._rating = fitted(rating, odds=False)

    def estimate(
        self,
        agent_id: str,
        *,
        problem_id: str | None = None,
        intent_id: str | None = None,
        expertise_id: str | None = None,
    ) -> SkillEstimate:
        """One agent on one topic; with nothing but the agent, on the shop's average case."""
        return self.estimates([agent_id], Topic(problem_id, intent_id, expertise_id))[agent_id]

    def estimates(self, agent_ids: Sequence[str], topic: Topic) -> dict[str, SkillEstimate]:
        """Several agents on one topic, by agent id."""
        agents = _coded(self._agents, agent_ids)
        keys, expertises = self._keys(agents, [topic] * len(agent_ids))
        score, doubt = self._rate.predict(keys, expertises), np.sqrt(self._rate.variance(keys))
        rate, low, high = (expit(score + doubt * tail) for tail in (0.0, -_TAIL, _TAIL))
        finest = self._finest(topic)
        n = self._rate.cases(finest, keys[finest])
        seconds = np.exp(self._seconds.predict(keys, expertises))
        rating = np.clip(self._rating.predict(keys, expertises), 1.0, 5.0)
        columns = zip(agent_ids, rate, low, high, n, seconds, rating, strict=True)
        return {
            agent: SkillEstimate(float(r), float(lo), float(hi), float(k), _known(s), _known(stars))
            for agent, r, lo, hi, k, s, stars in columns
        }

    def rates(self, agent_ids: Sequence[str], topics: Sequence[Topic]) -> Floats:
        """P(resolve) of every agent on every topic, shape (agents, topics)."""
        agents = np.repeat(_coded(self._agents, agent_ids), len(topics))
        keys, expertises = self._keys(agents, list(topics) * len(agent_ids))
        rate: Floats = expit(self._rate.predict(keys, expertises))
        return rate.reshape(len(agent_ids), len(topics))

    def _keys(self, agents: Codes, topics: Sequence[Topic]) -> tuple[tuple[Codes, ...], Codes]:
        """The codes of each level, -1 where unknown, and the expertise, whose cases stand in for a topic."""
        problems = _coded(self._problems, (t.problem_id for t in topics))
        intents = _coded(
            self._intents, (t.intent_id or self._intent_of.get(t.problem_id or "") for t in topics)
        )
        expertises = _coded(
            self._expertises, (t.expertise_id or self._expertise_of.get(t.problem_id or "") for t in topics)
        )
        in_expertise = _crossed(agents, expertises, len(self._expertises))
        on_problem = _crossed(agents, problems, len(self._problems))
        return (intents, problems, agents, in_expertise, on_problem), expertises

    @staticmethod
    def _finest(topic: Topic) -> int:
        """The level whose cases are the agent's own on the topic."""
        if topic.problem_id is not None:
            return 4
        return 3 if topic.expertise_id is not None else 2


def _order(outcome: Outcome) -> tuple[datetime, str, str]:
    """By time; what tells two outcomes of one moment apart keeps the order from mattering."""
    return outcome.at, outcome.intent_id or "", outcome.expertise_id or ""


def _numbered(ids: Iterable[str | None]) -> dict[str, int]:
    return {id_: number for number, id_ in enumerate(dict.fromkeys(id_ for id_ in ids if id_ is not None))}


def _coded(numbers: Mapping[str, int], ids: Iterable[str | None]) -> Codes:
    """The number of each id, -1 for None and for ids never seen."""
    return np.array([-1 if id_ is None else numbers.get(id_, -1) for id_ in ids], dtype=np.int64)


def _crossed(first: Codes, second: Codes, size: int) -> Codes:
    """One code for each pair, -1 where either is unknown; `second` is below `size`."""
    return np.where((first < 0) | (second < 0), -1, first * size + second)


def _log(seconds: float | None) -> float:
    return math.log(seconds) if seconds is not None and seconds > 0 else math.nan


def _within_reason(values: Floats) -> Floats:
    """Values far from the mean drawn in to two standard deviations: a case left open overnight says little."""
    told = values[~np.isnan(values)]
    if not len(told):
        return values
    middle, reach = float(told.mean()), 2 * float(told.std())
    return np.clip(values, middle - reach, middle + reach)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
