"""Expertise: clusters of problems and intents together with the agents who resolve them.

What a shop declares (the `expertise` of its intents, the skills of its agents) always exists. Problems come
in through their intent, else by who resolves them; a person's pin beats both.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain, count

from graph.communities import Weights, communities, matched
from graph.field_evidence import FieldEvidence
from graph.models import Agent, Expertise, Intent, IntentScore, Problem
from graph.profiles import HALF_LIFE_DAYS, Outcome

AGGREGATE_BELOW = 20
"""A problem with fewer cases is looked at together with all problems of its intent."""
JOIN_CASES = 3.0
JOIN_SHARE = 0.2
"""An agent without the skill belongs to a cluster with 3 decayed cases in it, a fifth of all their own."""
_LEARNED = "learned-"
_TERMS = re.compile(r"[（(](?P<terms>[^（）()]+)[）)]$")
_TOLD = 0.5
"""A case whose intent has no cluster goes to one that is more likely than all others."""


@dataclass(frozen=True, slots=True)
class Pins:
    """What people decided: a problem's cluster, all clusters of an agent, the name of a cluster (by id)."""

    problems: Mapping[str, str] = field(default_factory=dict)
    agents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExpertiseReading:
    """Clusters that may serve a case, best first, with their confidence; the confidences sum to at most 1.

    `triage_reason` is out_of_scope, no_expertise or low_confidence, and None when the first may be trusted.
    """

    ranked: tuple[tuple[Expertise, float], ...]
    triage: bool
    triage_reason: str | None


@lru_cache(maxsize=4096)
def expertise_id(name: str) -> str:
    """The lasting id of a declared name: folded to width and case, words joined by hyphens; CJK stays.

    "After-sales, clothing" and "after sales clothing" are one cluster: after-sales-clothing.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    words = "".join(c if c.isalnum() or unicodedata.combining(c) else " " for c in folded).split()
    return "-".join(words) or "unnamed"


def cluster(
    intents: Iterable[Intent],
    agents: Iterable[Agent],
    problems: Iterable[Problem],
    outcomes: Iterable[Outcome],
    *,
    now: datetime,
    previous: Sequence[Expertise] = (),
    pins: Pins | None = None,
    seed: int = 0,
) -> tuple[Expertise, ...]:
    """All clusters of a shop at `now`, in order of their id.

    `previous` is what the last run gave; its clusters keep their ids and names and hold on to their problems.
    Without `outcomes` only what is declared, pinned and known from `previous` exists.
    """
    return _Shop(list(intents), list(agents), list(problems), pins or Pins(), previous).clusters(
        [o for o in outcomes if o.success and o.at <= now], now, seed
    )


def expertise_for(
    clusters: Sequence[Expertise],
    intents: Sequence[IntentScore],
    problem: Problem | None = None,
    *,
    problem_score: float = 1.0,
    out_of_scope: bool = False,
    threshold: float = 0.35,
    evidence: FieldEvidence | None = None,
    products: Sequence[str] = (),
) -> ExpertiseReading:
    """Which expertise a case needs, from its intents' probabilities and the problem that it joined.

    An intent gives its probability to its cluster; the problem adds `problem_score`, P(same problem), to its
    own by noisy-or. A case goes to triage (a person sorts it) when its message is out of scope and no problem
    is known, when what it is about has no cluster, or when the best confidence stays below `threshold`.

    An intent that the shop gives to no cluster, and a problem of such an intent, is spread over the clusters by
    `evidence`: who resolved such cases, the `products` (SKUs) of the case, and what else the message says. Where that
    does not tell enough, the reason is no_expertise.
    """
    homes = _Homes(clusters, evidence or FieldEvidence(), products)
    words = homes.plain(intents)
    # Intents exclude each other, so within a cluster their probabilities add.
    doubt = {id_: max(0.0, 1 - mass) for id_, mass in homes.masses(intents, words).items()}
    home, loose = homes.of_problem(problem)
    if problem is not None:
        certainty = min(max(problem_score, 0.0), 1.0)
        for id_, share in homes.shares(problem, words).items():
            doubt[id_] = doubt.get(id_, 1.0) * (1 - certainty * share)
    scores = {id_: 1 - left for id_, left in doubt.items() if left < 1}
    total = max(1.0, sum(scores.values()))
    order = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    ranked = tuple((homes.clusters[id_], score / total) for id_, score in order)
    reason = None
    if out_of_scope and home is None:
        reason = "out_of_scope"
    elif not ranked:
        reason = "no_expertise"
    else:
        first, confidence = ranked[0]
        spoken_for = words.get(first.id, 0.0) >= threshold or (home == first.id and not loose)
        unsaid = homes.nobodys(intents) >= threshold and not spoken_for
        if unsaid and confidence < max(threshold, _TOLD):
            reason = "no_expertise"
        elif confidence < threshold:
            reason = "low_confidence"
    return ExpertiseReading(ranked, reason is not None, reason)


class _Homes:
    """Which cluster intents and problems are at home in, by declaration and by evidence; ids of clusters throughout."""

    def __init__(
        self, clusters: Sequence[Expertise], evidence: FieldEvidence, products: Sequence[str]
    ) -> None:
        self.clusters = {c.id: c for c in clusters}
        self._of_intent = {intent_id: c.id for c in clusters for intent_id in c.intent_ids}
        self._of_problem = {problem_id: c.id for c in clusters for problem_id in c.problem_ids}
        self._evidence = evidence
        self._products = products

    def plain(self, intents: Sequence[IntentScore]) -> dict[str, float]:
        """The probability of each cluster by the intents that the shop gave to it."""
        found: dict[str, float] = defaultdict(float)
        for intent in intents:
            if intent.id in self._of_intent and not self._evidence.open(intent.id):
                found[self._of_intent[intent.id]] += intent.probability
        return dict(found)

    def masses(self, intents: Sequence[IntentScore], words: Mapping[str, float]) -> dict[str, float]:
        """The same with the intents that the shop gave to none, spread by evidence."""
        found = defaultdict(float, words)
        for intent in intents:
            if not self._evidence.open(intent.id):
                continue
            if self._evidence.tells(intent.id, self._products):
                for id_, share in self._evidence.shares(intent.id, self._products, words).items():
                    found[id_] += intent.probability * share
            elif intent.id in self._of_intent:
                found[self._of_intent[intent.id]] += intent.probability
        return dict(found)

    def of_problem(self, problem: Problem | None) -> tuple[str | None, bool]:
        """The cluster that a problem is at home in, and whether that is only for want of anything better."""
        if problem is None:
            return None, False
        home = self._of_problem.get(problem.id) or problem.expertise_id
        home = home or self._of_intent.get(problem.intent_id or "")
        loose = self._evidence.open(problem.intent_id) and problem.id not in self._evidence.pinned
        return home if home in self.clusters else None, loose

    def shares(self, problem: Problem, words: Mapping[str, float]) -> Mapping[str, float]:
        """How a problem is shared among clusters, by evidence where its intent has no home of its own."""
        home, loose = self.of_problem(problem)
        if loose and self._evidence.tells(problem.intent_id, self._products):
            return self._evidence.shares(problem.intent_id, self._products, words)
        return {} if home is None else {home: 1.0}

    def nobodys(self, intents: Sequence[IntentScore]) -> float:
        """The probability of intents that the shop gave to no cluster."""
        open_ = self._evidence.open
        return sum(i.probability for i in intents if i.id not in self._of_intent or open_(i.id))


class _Shop:
    """The pieces from which clusters are put together."""

    def __init__(
        self,
        intents: Sequence[Intent],
        agents: Sequence[Agent],
        problems: Sequence[Problem],
        pins: Pins,
        previous: Sequence[Expertise],
    ) -> None:
        self._pins = pins
        self._agents = agents
        self._intents = {intent.id: intent for intent in intents}
        self._problems = {problem.id: problem for problem in problems}
        self._previous = {c.id: c for c in previous}
        self._names = _declared_names(intents, agents)
        self._former = self._former_homes()
        self._skills = {
            agent.id: pins.agents.get(agent.id) or tuple(dict.fromkeys(map(expertise_id, agent.skills)))
            for agent in agents
        }

    def clusters(self, outcomes: Sequence[Outcome], now: datetime, seed: int) -> tuple[Expertise, ...]:
        """Steps: fixed homes, homes by who resolves, then agents, names, values."""
        weights = _resolved(outcomes, now)
        homes = {id_: home for id_ in self._problems if (home := self._fixed_home(id_)) is not None}
        intent_homes = {
            intent.id: expertise_id(intent.expertise) for intent in self._intents.values() if intent.expertise
        }
        learned = self._learned(weights, Counter(o.problem_id for o in outcomes if o.problem_id), homes, seed)
        for topic, home in learned.items():
            kind, _, id_ = topic.partition(":")
            if kind == "intent":
                intent_homes.setdefault(id_, home)
            else:
                homes.setdefault(id_, home)
        for id_, former in self._previous.items():
            if id_.startswith(_LEARNED):
                for intent_id in self._intents.keys() & set(former.intent_ids):
                    intent_homes.setdefault(intent_id, id_)
        for id_, problem in self._problems.items():
            rest = intent_homes.get(problem.intent_id or "") or self._former.get(id_)
            if rest is not None:
                homes.setdefault(id_, rest)
        return self._values(homes, intent_homes, self._members(weights, homes), weights)

    def _fixed_home(self, problem_id: str) -> str | None:
        """Where a pin or the intent's declaration puts a problem."""
        pinned = self._pins.problems.get(problem_id)
        intent = self._intents.get(self._problems[problem_id].intent_id or "")
        return pinned or (expertise_id(intent.expertise) if intent and intent.expertise else None)

    def _former_homes(self) -> dict[str, str]:
        """The cluster that held each problem before, while that is still declared, or was learned."""
        homes: dict[str, str] = {}
        for id_, former in self._previous.items():
            if id_ in self._names or id_.startswith(_LEARNED):
                for problem_id in former.problem_ids:
                    homes.setdefault(problem_id, id_)
        return homes

    def _topic(self, problem_id: str, cases: Mapping[str, int]) -> str:
        """The unit that is clustered: the problem, or its intent while it has few cases of its own."""
        intent_id = self._problems[problem_id].intent_id
        if cases[problem_id] < AGGREGATE_BELOW and intent_id and problem_id not in self._pins.problems:
            return f"intent:{intent_id}"
        return f"problem:{problem_id}"

    def _learned(
        self, weights: Weights, cases: Mapping[str, int], homes: Mapping[str, str], seed: int
    ) -> dict[str, str]:
        """The cluster of each topic that nothing fixes, from the communities of those who resolve it."""
        topics = {id_: self._topic(id_, cases) for id_ in self._problems}
        by_topic: defaultdict[tuple[str, str], float] = defaultdict(float)
        for (agent, problem_id), weight in weights.items():
            if problem_id in topics:
                by_topic[agent, topics[problem_id]] += weight
        members: defaultdict[str, set[str]] = defaultdict(set)
        for id_, topic in topics.items():
            before = homes.get(id_) or self._former.get(id_)
            if before is not None:
                members[before].add(topic)
        strength: defaultdict[str, float] = defaultdict(float)
        for (_, topic), weight in by_topic.items():
            strength[topic] += weight
        found = communities(by_topic, members, seed=seed)
        fixed = {topics[id_] for id_ in homes}
        result: dict[str, str] = {}
        for community, known in zip(found, matched(found, by_topic, members, self._skills), strict=True):
            loose = sorted(community.topics - fixed)
            if known is not None:
                result.update(dict.fromkeys(loose, known))
            elif sum(strength[topic] for topic in loose) >= JOIN_CASES:
                new = _new_id(loose, {*self._names, *self._previous, *members, *result.values()})
                result.update(dict.fromkeys(loose, new))
        return result

    def _members(self, weights: Weights, homes: Mapping[str, str]) -> dict[str, set[str]]:
        """Agents by cluster: those skilled or pinned, and those who resolve enough of its problems."""
        members: defaultdict[str, set[str]] = defaultdict(set)
        for agent_id, skills in self._skills.items():
            for id_ in skills:
                members[id_].add(agent_id)
        total: defaultdict[str, float] = defaultdict(float)
        inside: defaultdict[tuple[str, str], float] = defaultdict(float)
        for (agent_id, problem_id), weight in weights.items():
            total[agent_id] += weight
            if problem_id in homes:
                inside[agent_id, homes[problem_id]] += weight
        for (agent_id, id_), weight in inside.items():
            enough = weight >= JOIN_CASES and weight >= JOIN_SHARE * total[agent_id]
            if enough and agent_id in self._skills and agent_id not in self._pins.agents:
                members[id_].add(agent_id)
        return members

    def _values(
        self,
        homes: Mapping[str, str],
        intent_homes: Mapping[str, str],
        members: Mapping[str, set[str]],
        weights: Weights,
    ) -> tuple[Expertise, ...]:
        ids = {*self._names, *homes.values(), *intent_homes.values(), *members}
        strength: defaultdict[str, float] = defaultdict(float)
        for (_, problem_id), weight in weights.items():
            strength[problem_id] += weight
        result = []
        for id_ in sorted(ids):
            intents = tuple(sorted(i for i, home in intent_homes.items() if home == id_))
            problems = tuple(sorted(p for p, home in homes.items() if home == id_))
            heaviest = sorted(problems, key=lambda p: (-strength[p], p))
            name = self._pins.names.get(id_) or self._names.get(id_) or self._named(id_, intents, heaviest)
            result.append(Expertise(id_, name, intents, problems, tuple(sorted(members.get(id_, ())))))
        return tuple(result)

    def _named(self, id_: str, intents: Sequence[str], problems: Sequence[str]) -> str:
        """The name of a learned cluster: the former one, or the labels of its intents or of its problems' intents, or
        what is telling in its problems' names."""
        if id_ in self._previous:
            return self._previous[id_].name
        asked = [*intents, *(self._problems[problem_id].intent_id or "" for problem_id in problems)]
        labels = [self._intents[intent].label for intent in dict.fromkeys(asked) if intent in self._intents]
        if not labels:
            labels = [_telling(self._problems[problem_id].names) for problem_id in problems]
        return " · ".join(list(dict.fromkeys(filter(None, labels)))[:2]) or id_


def _telling(names: Mapping[str, str]) -> str:
    """What is telling in a problem's names: in Chinese and English where it has both, else in what it has."""
    both = [names[language] for language in ("zh", "en") if language in names]
    told = [_tail(name) for name in both or [names[language] for language in sorted(names)][:1]]
    return " / ".join(dict.fromkeys(told))


def _tail(name: str) -> str:
    """The telling words at the end of a name, which begins with what some customer wrote; else all of it."""
    found = _TERMS.search(name)
    return found["terms"] if found else name


def _declared_names(intents: Iterable[Intent], agents: Iterable[Agent]) -> dict[str, str]:
    """Declared clusters by id; of several spellings, the commonest is the name."""
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    declared = [intent.expertise for intent in intents if intent.expertise]
    for name in [*declared, *(skill for agent in agents for skill in agent.skills)]:
        spellings[expertise_id(name)][name.strip()] += 1
    return {id_: min(names, key=lambda name: (-names[name], name)) for id_, names in spellings.items()}


def _resolved(outcomes: Iterable[Outcome], now: datetime) -> dict[tuple[str, str], float]:
    """Decayed number of cases that an agent resolved for good, by agent and problem."""
    weights: defaultdict[tuple[str, str], float] = defaultdict(float)
    for outcome in outcomes:
        if outcome.problem_id is not None:
            age = (now - outcome.at).total_seconds() / 86_400
            weights[outcome.agent_id, outcome.problem_id] += 2 ** (-age / HALF_LIFE_DAYS)
    return weights


def _new_id(topics: Sequence[str], taken: Container[str]) -> str:
    """An id for a learned cluster, from its first topic whose id is free."""
    ids = [_LEARNED + expertise_id(topic.partition(":")[2]) for topic in topics]
    numbered = (f"{ids[0]}-{number}" for number in count(2))
    return next(id_ for id_ in chain(ids, numbered) if id_ not in taken)
