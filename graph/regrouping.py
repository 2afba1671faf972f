"""Which problems are one, and which one is two: what a night's look at what was grouped message by message finds.

Message by message a problem is known by the few messages that came before; at night by all that it has. The way back
is longer than the way there: what is merged must be near as a whole and not by one message, what is split so far apart
that it would not have been joined, and both must be found on two nights running, or be beyond doubt. What people said
last holds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from graph.exemplars import Floats, Instance
from graph.matching import COEFFICIENTS, ProblemMatcher
from graph.models import Problem, ProblemState
from graph.words import WordIndex

Entities: TypeAlias = Mapping[str, Mapping[str, int]]
"""How many messages of a problem named each product, carrier and campaign, by kind."""

MERGE = -0.2
"""Log-odds of the mean P(same) both ways from which two problems are one, above those of joining (so .55 where messages
join at .6), if most of what either has kept is also nearer to the other than to any third. What is kept was chosen to
differ, so that this is much harder to reach than one message's .6: on four streams of labelled messages (halves of
BANKING77, News-T, SMP2019 and Stack Overflow) 23 of 26 such pairs were of one label, and 21 of 21 without the last,
whose labels are whole fields; 38 of 44 were at .5."""
AGREED = 0.5
"""Share of what either has kept that must be nearer to the other than to any third."""
FAR = 0.7
"""Log-odds above that from which one night is enough: .71 where messages join at .6."""
HELD = 1.5
"""Log-odds above that from which even two problems are one that people hold apart: named or taken on each by itself."""
NIGHTS = 2
ASKED = 32
"""Exemplars by which a problem's nearest is sought."""

SPLIT = 0.2
"""Silhouette from which two groups of messages stand apart, if the messages of the one would be `APART` from joining
the other. On halves of BANKING77, News-T and SMP2019 that parts 1 of 86 single labels and 77 of 120 pairs of labels (25
and 12 messages of each), and none of the groups that the matcher makes of these, which are of one label as a rule:
without the second condition those are cut at .25 more often wrongly than rightly."""
SPLIT_FAR = 0.4
"""Silhouette from which one night is enough."""
APART = 1.8
"""By how much P(same) of the one group's messages with the other, at the median, must be below that from which a
message opens a problem, in log-odds: .1 where that is .4."""
CUSTOMERS = 3
"""Customers who must speak in each part of a split."""
LOOKED_AT = 120
"""Latest messages by which a split is judged."""

BOUND = 1.5
"""By how much decisions may move a threshold, in log-odds, either way."""
_PRIOR = 0.75
"""Standard deviation of that shift before anything is decided."""
_DENSE = 0.75
"""Share of the vectors' cosine in the likeness of two messages that the encoder reads."""
_TOP, _OVERLAP = 0.5, 0.2
"""A problem is about a product when so many of its messages name it; two are about different ones when they share less
than so much."""
_OPEN: frozenset[ProblemState] = frozenset({"open", "acknowledged", "regressed"})
_KEPT, _NEW = "kept", "new"


@dataclass(frozen=True, slots=True)
class Merge:
    """`old` goes into `into`. `there` and `back` are P(same) of each one's messages with the other, `margin` by how
    much the lower of them passes what is asked for, in log-odds; a `certain` one need not be found again."""

    old: str
    into: str
    there: float
    back: float
    margin: float
    certain: bool

    @property
    def evidence(self) -> dict[str, float]:
        return {"there": round(self.there, 3), "back": round(self.back, 3)}


@dataclass(frozen=True, slots=True)
class Split:
    """`parts` are the events of the group that keeps the id and of the one that goes; `anchors` the most typical
    message of each. `silhouette` is the mean over both (Rousseeuw 1987), `margin` by how much it passes what is asked
    for, on the scale of log-odds."""

    problem_id: str
    parts: tuple[frozenset[str], frozenset[str]]
    anchors: tuple[str, str]
    silhouette: float
    joinable: float
    margin: float
    certain: bool

    @property
    def evidence(self) -> dict[str, float]:
        sizes = {"kept": len(self.parts[0]), "gone": len(self.parts[1])}
        return {"silhouette": round(self.silhouette, 3), "joinable": round(self.joinable, 3), **sizes}


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a merge or split: whether it was right, the margin by which it had been found (negative where
    only people saw it), and what that weighs: 1 for a person's word, less for nobody's objection."""

    margin: float
    right: bool
    weight: float = 1.0


def threshold_shift(decided: Iterable[Decided]) -> float:
    """By how much to raise a threshold, in log-odds, after what became of what it let through.

    The shift of a logistic regression of "right" on the margin with slope 1, at its posterior mode under a normal
    prior around 0: one undone merge raises the threshold a little, ten undone ones up to `BOUND`; merges of people
    that a night had not found lower it.
    """
    known = list(decided)
    shift = 0.0
    for _ in range(20):
        chances = [1 / (1 + math.exp(shift - item.margin)) for item in known]
        slope = -shift / _PRIOR**2
        curve = -1 / _PRIOR**2
        for item, chance in zip(known, chances, strict=True):
            slope += item.weight * (chance - item.right)
            curve -= item.weight * chance * (1 - chance)
        step = slope / curve
        shift = min(max(shift - step, -4.0), 4.0)
        if abs(step) < 1e-6:
            break
    return min(max(shift, -BOUND), BOUND)


# --- merges


@dataclass(frozen=True, slots=True)
class Affinity:
    """How near a problem is to another: P(same) as the mean over what the other has kept, and to how large a share of
    that none is nearer."""

    probability: float
    first: float


def affinities(matcher: ProblemMatcher, problem_id: str) -> dict[str, Affinity]:
    """How near other problems are to one, by its exemplars, of many by a part of them; without those that are far."""
    every = matcher.exemplars(problem_id)
    kept = every[:: -(-len(every) // ASKED) or 1]
    sums: dict[str, float] = {}
    firsts: Counter[str] = Counter()
    for exemplar in kept:
        candidates = matcher.candidates(exemplar.utterance, exemplar.entities, exemplar.at)
        others = [candidate for candidate in candidates if candidate.problem_id != problem_id]
        for candidate in others:
            sums[candidate.problem_id] = sums.get(candidate.problem_id, 0.0) + candidate.probability
        firsts.update(candidate.problem_id for candidate in others[:1])
    return {other: Affinity(total / len(kept), firsts[other] / len(kept)) for other, total in sums.items()}


def nearest(near: Mapping[str, Affinity]) -> str | None:
    """The problem that affinities speak for most; the first by id of equally near ones."""
    return min(near, key=lambda other: (-near[other].probability, other), default=None)


def survivor(one: Problem, other: Problem) -> tuple[Problem, Problem]:
    """Which of two problems lives on, and which becomes its alias.

    What people have seen outlives what they have not, whichever is older: its id is in alerts and messages. Of the
    others the one that people named or took on, then the oldest, then the first by id.
    """
    kept, gone = sorted(
        (one, other), key=lambda item: (item.state == "candidate", not _held(item), item.opened_at, item.id)
    )
    return kept, gone


def may_merge(one: Problem, other: Problem) -> bool:
    """Whether states allow a night to merge two problems: two that people have seen only while both are open, since
    whether something is mended, and who is told of it, is not a night's to decide."""
    if "candidate" in (one.state, other.state):
        return True
    return one.state in _OPEN and other.state in _OPEN


def may_be_kin(one: Problem, other: Problem) -> bool:
    """The same of two problems that are of one theme without being alike: what people named or took on each by itself
    stays theirs."""
    return may_merge(one, other) and not (_held(one) and _held(other))


def contradict(one: Entities, other: Entities) -> bool:
    """Whether two problems are about different products, carriers or campaigns. One that spreads over many of them is
    about none."""
    for kind in one.keys() & other.keys():
        mine, theirs = _shares(one[kind]), _shares(other[kind])
        if not mine or not theirs or max(mine.values()) < _TOP or max(theirs.values()) < _TOP:
            continue
        if sum(min(share, theirs.get(value, 0.0)) for value, share in mine.items()) < _OVERLAP:
            return True
    return False


def merge_of(
    one: Problem, other: Problem, there: Affinity, back: Affinity, *, shift: float = 0.0
) -> Merge | None:
    """The merge of two problems that are each other's nearest: `there` is how near the other is to the one, `back` how
    near the one is to the other. None below the threshold, which `shift` raises in log-odds."""
    margin = merge_margin(there.probability, back.probability) - shift
    held = _held(one) and _held(other)
    if margin < (HELD if held else 0.0) or min(there.first, back.first) < AGREED:
        return None
    if not may_merge(one, other):
        return None
    kept, gone = survivor(one, other)
    return Merge(gone.id, kept.id, there.probability, back.probability, margin, certain=margin >= FAR)


def merge_margin(there: float, back: float) -> float:
    """By how much P(same) both ways passes what is asked for, in log-odds; negative below."""
    joining = max(channel.join for channel in COEFFICIENTS.values())
    return log_odds(min(there, back)) - log_odds(joining) - MERGE


def log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(bounded / (1 - bounded))


def _held(problem: Problem) -> bool:
    """Whether a person named a problem or took it on."""
    return problem.named_by_person or problem.owner_id is not None or problem.state == "acknowledged"


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(count for count in counts.values() if count > 0)
    return {value: count / total for value, count in counts.items() if count > 0}


# --- splits


@dataclass(frozen=True, slots=True)
class Member:
    """A message of a problem, and who speaks; its `event_id` is known."""

    instance: Instance
    voter: tuple[str, str]

    @property
    def event_id(self) -> str:
        assert self.instance.event_id is not None
        return self.instance.event_id


def split_of(
    problem_id: str,
    members: Sequence[Member],
    *,
    reads: frozenset[str],
    together: Sequence[tuple[Collection[str], Collection[str]]] = (),
    shift: float = 0.0,
) -> Split | None:
    """The two problems that a problem's messages (oldest first) fall into; None when they hang together.

    Groups are sought in the language that most messages speak, around two medoids (Kaufman and Rousseeuw 1987), so
    that two languages are no reason to split; each message, of any language, then goes where it would join.
    `together` are pairs of events that people put together: they end up on one side for the most part, or nothing is
    split.
    """
    spoken = _main_language(members)[-LOOKED_AT:]
    if len({member.voter for member in spoken}) < 2 * CUSTOMERS:
        return None
    likeness = _likeness([member.instance for member in spoken], reads)
    side, medoids = _two_medoids(likeness)
    first = [member for member, of_second in zip(spoken, side, strict=True) if not of_second]
    second = [member for member, of_second in zip(spoken, side, strict=True) if of_second]
    if min(len({member.voter for member in part}) for part in (first, second)) < CUSTOMERS:
        return None
    silhouette = _silhouette(1.0 - likeness, side)
    margin = (silhouette - SPLIT) / SPLIT - shift
    if margin < 0:
        return None
    anchors = spoken[medoids[0]].event_id, spoken[medoids[1]].event_id
    if (len(second), _oldest_first(first)) > (len(first), _oldest_first(second)):
        first, second, anchors = second, first, (anchors[1], anchors[0])
    parts, joinable = _placed(members, first, second, reads)
    opening = min(channel.new for channel in COEFFICIENTS.values())
    if log_odds(joinable) >= log_odds(opening) - APART or not respects(parts, together):
        return None
    certain = silhouette >= SPLIT_FAR + shift * SPLIT
    return Split(problem_id, parts, anchors, silhouette, joinable, margin, certain)


def same_split(split: Split, anchors: Sequence[str]) -> bool:
    """Whether a split keeps the most typical messages of an earlier one apart as well."""
    kept, gone = split.parts
    return len(anchors) == 2 and any(
        one in kept and other in gone for one, other in (tuple(anchors), tuple(reversed(anchors)))
    )


def _main_language(members: Sequence[Member]) -> list[Member]:
    by_language: dict[str, list[Member]] = {}
    for member in members:
        by_language.setdefault(member.instance.utterance.language, []).append(member)
    return max(by_language.values(), key=len, default=[])


def _oldest_first(part: Sequence[Member]) -> float:
    """Lower for the older part; a message without a time is as old as can be."""
    return min(member.instance.at.timestamp() if member.instance.at else 0.0 for member in part)


def _likeness(messages: Sequence[Instance], reads: frozenset[str]) -> Floats:
    """How alike each two messages are, 0 to 1, shape (messages, messages), as exemplars are compared."""
    index = WordIndex.of(message.utterance.tokens for message in messages)
    words = np.stack([index.cosines_of(row) for row in range(len(messages))])
    read = np.array([message.utterance.language in reads for message in messages])
    vectors = np.stack([message.utterance.vector for message in messages]).astype(np.float64)
    dense = np.einsum("id,jd->ij", vectors, vectors)
    both = read[:, None] & read[None, :]
    mixed: Floats = np.where(both, _DENSE * dense + (1 - _DENSE) * words, words)
    return np.clip((mixed + mixed.T) / 2, 0.0, 1.0)


def _two_medoids(likeness: Floats) -> tuple[list[bool], tuple[int, int]]:
    """Which messages stand with the second of two medoids, and the medoids: of all pairs the one that messages are most
    like, each to the nearer of the two."""
    nearer_of = np.maximum(likeness[:, :, None], likeness[:, None, :]).sum(axis=0)
    one, other = np.unravel_index(int(np.argmax(nearer_of)), nearer_of.shape)
    medoids = int(min(one, other)), int(max(one, other))
    second = likeness[:, medoids[1]] > likeness[:, medoids[0]]
    return [bool(item) for item in second], medoids


def _silhouette(distances: Floats, side: Sequence[bool]) -> float:
    """The mean over all messages of how much nearer their own part is than the other, -1 to 1; the lower of the two
    parts' means, so that a tight one does not speak for a loose one."""
    second = np.array(side)
    means = []
    for part in (~second, second):
        inside = distances[np.ix_(part, part)].sum(axis=1) / max(int(part.sum()) - 1, 1)
        outside = distances[np.ix_(part, ~part)].mean(axis=1)
        means.append(float(((outside - inside) / np.maximum(np.maximum(outside, inside), 1e-9)).mean()))
    return min(means)


def _placed(
    members: Sequence[Member], first: Sequence[Member], second: Sequence[Member], reads: frozenset[str]
) -> tuple[tuple[frozenset[str], frozenset[str]], float]:
    """Every message on one of two sides, and P(same) of the second side's messages with the first, at the median."""
    matcher = ProblemMatcher(reads=reads)
    known: dict[str, str] = {}
    for name, part in ((_KEPT, first), (_NEW, second)):
        for member in part:
            instance = member.instance
            matcher.join(name, instance.utterance, instance.entities, instance.at, event_id=instance.event_id)
            known[member.event_id] = name
    for member in members:
        if member.event_id not in known:
            known[member.event_id] = nearer(matcher, member.instance) or _KEPT
    across = []
    for member in second:
        instance = member.instance
        candidates = matcher.candidates(instance.utterance, instance.entities, instance.at)
        across.append(next((item.probability for item in candidates if item.problem_id == _KEPT), 0.0))
    sides = tuple(frozenset(id for id, name in known.items() if name == side) for side in (_KEPT, _NEW))
    return (sides[0], sides[1]), float(np.median(across))


def nearer(matcher: ProblemMatcher, message: Instance) -> str | None:
    """The problem of a matcher that a message would rather belong to; None when it is near to none."""
    found = matcher.candidates(message.utterance, message.entities, message.at)
    return found[0].problem_id if found else None


def respects(
    parts: tuple[frozenset[str], frozenset[str]],
    together: Sequence[tuple[Collection[str], Collection[str]]],
) -> bool:
    """Whether what people put together stays so: most of one side of each pair stands where most of the other does."""
    for one, other in together:
        leaning = []
        for events in (one, other):
            there = [sum(event in part for event in events) for part in parts]
            leaning.append(0 if there[0] == there[1] else 1 if there[0] > there[1] else -1)
        if leaning[0] * leaning[1] < 0:
            return False
    return True
