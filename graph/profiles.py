"""What an agent is good at, learned from outcomes: rate of success, handling time, rating.

Every figure is shrunk along levels, each worth 15 pseudo-cases: the shop, then the difficulty of intent and
problem, then the agent, the agent in an expertise, the agent on a problem. A level says how far its cases
depart from what the levels above expected of exactly these cases, so that an agent who takes the hard ones
is not thought worse. In simulation (24 agents, 48 problems; see the tests) the best choice by shrunk rates
resolves more than the best choice by raw means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, logit  # type: ignore[import-untyped]

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]

PSEUDO_CASES = 15.0
HALF_LIFE_DAYS = 90.0
SHOWN_FROM = 20.0
_DAY_SECONDS = 86_400.0
_DIFFICULTY = 2
"""The first two levels, intent and problem, tell how hard a case is, whoever takes it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went for one agent: `reopened` tells whether it came back in 72 h, `rating` is 1 to 5."""

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

    @property
    def success(self) -> bool:
        return self.resolved and not self.reopened


@dataclass(frozen=True, slots=True)
class SkillEstimate:
    """P(resolve) with its 95% interval, from `n` decayed cases; typical seconds; rating 1 to 5.

    `seconds` and `rating` are None while the shop has none at all. `n` counts the agent's own cases on what
    was asked about: one of today counts 1, one of 90 days ago half.
    """

    rate: float
    low: float
    high: float
    n: float
    seconds: float | None = None
    rating: float | None = None

    def shown(self) -> bool:
        """Whether there are enough cases to show the figure to people."""
        return self.n >= SHOWN_FROM


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
        self._pseudo = pseudo_cases
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
        seconds = np.array([_log(o.handling_seconds) for o in kept])
        rating = np.array([np.nan if o.rating is None else o.rating for o in kept])
        even = (float(weights @ success) + 1) / (float(weights.sum()) + 2)
        self._rate = _Levels(keys, expertises, weights, success, even, pseudo_cases, logit, expit)
        self._seconds = _Levels(keys, expertises, weights, seconds, None, pseudo_cases, _same, _same)
        self._rating = _Levels(keys, expertises, weights, rating, None, pseudo_cases, _same, _same)

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
        rate = expit(self._rate.predict(keys, expertises))
        finest = self._finest(topic)
        n = self._rate.cases(finest, keys[finest])
        cases = n + self._pseudo
        # Jeffreys' half cases keep the interval of a spotless record from closing on itself.
        low, high = (
            betaincinv(cases * rate + 0.5, cases * (1 - rate) + 0.5, tail) for tail in (0.025, 0.975)
        )
        rate = np.clip(rate, low, high)
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


class _Levels:
    """Shrunken effects of several levels on one figure, added on the scale of `link`.

    Each level's mean is (sum of its values + pseudo · expected mean) / (its cases + pseudo), and its effect
    the distance of that mean from the expected one. Weights and values have shape (cases,), NaN values are
    left out; `keys` holds one code a case and level. `centre` is the mean before any level; None takes the
    plain mean.
    """

    def __init__(
        self,
        keys: Sequence[Codes],
        expertises: Codes,
        weights: Floats,
        values: Floats,
        centre: float | None,
        pseudo: float,
        link: Callable[[Floats], Floats],
        mean: Callable[[Floats], Floats],
    ) -> None:
        told = ~np.isnan(values)
        weights, values = weights[told], values[told]
        keys, expertises = [codes[told] for codes in keys], expertises[told]
        if centre is None:
            centre = float(weights @ values / weights.sum()) if len(values) else math.nan
        self._centre = float(link(np.array([centre]))[0])
        self._effects: list[_Table] = []
        self._counts: list[_Table] = []
        score = np.full(len(values), self._centre)
        for codes in keys:
            if len(self._effects) == _DIFFICULTY:
                self._typical = _Table.of_means(expertises, weights, score - self._centre)
            cases = _Table.of_sums(codes, weights)
            expected = _Table.of_sums(codes, weights * mean(score)).values / cases.values
            seen = _Table.of_sums(codes, weights * values).values
            shrunk = (seen + pseudo * expected) / (cases.values + pseudo)
            effect = _Table(cases.codes, link(shrunk) - link(expected))
            self._effects.append(effect)
            self._counts.append(cases)
            score = score + effect.look_up(codes)

    def predict(self, keys: Sequence[Codes], expertises: Codes) -> Floats:
        """The figure on the scale of `link`, shape (queries,); NaN when there are no values at all.

        Where neither problem nor intent has been seen, the expertise's average case stands in for them.
        """
        effects = [table.look_up(codes) for table, codes in zip(self._effects, keys, strict=True)]
        difficulty = np.sum(effects[:_DIFFICULTY], axis=0)
        seen = np.any(
            [table.knows(codes) for table, codes in zip(self._effects, keys[:2], strict=False)], axis=0
        )
        difficulty = np.where(seen, difficulty, self._typical.look_up(expertises))
        score: Floats = self._centre + difficulty + np.sum(effects[_DIFFICULTY:], axis=0)
        return score

    def cases(self, level: int, codes: Codes) -> Floats:
        """The decayed number of cases behind each code of a level."""
        return self._counts[level].look_up(codes)


class _Table:
    """Values by code; codes are sorted and not negative. An unknown code has the value 0."""

    def __init__(self, codes: Codes, values: Floats) -> None:
        self.codes = codes
        self.values = values

    @classmethod
    def of_sums(cls, codes: Codes, values: Floats) -> _Table:
        known = codes >= 0
        unique, rows = np.unique(codes[known], return_inverse=True)
        sums: Floats = np.bincount(rows, values[known], len(unique)).astype(np.float64)
        return cls(unique, sums)

    @classmethod
    def of_means(cls, codes: Codes, weights: Floats, values: Floats) -> _Table:
        sums, counts = cls.of_sums(codes, weights * values), cls.of_sums(codes, weights)
        return cls(sums.codes, sums.values / counts.values)

    def knows(self, codes: Codes) -> NDArray[np.bool_]:
        if not len(self.codes):
            return np.zeros(len(codes), dtype=bool)
        rows = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        known: NDArray[np.bool_] = self.codes[rows] == codes
        return known

    def look_up(self, codes: Codes) -> Floats:
        if not len(self.codes):
            return np.zeros(len(codes))
        rows = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[rows] == codes, self.values[rows], 0.0)


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


def _same(values: Floats) -> Floats:
    return values


def _log(seconds: float | None) -> float:
    return math.log(seconds) if seconds is not None and seconds > 0 else math.nan


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
