"""From what people did with the answers they were shown to where those answers stand. Pure.

An answer that was used although others stood above it should have stood higher. What stands first is used because
it stands first, so that this lifts nothing. How much less a lower place is looked at is told by the exposures in
which two neighbours changed places (Joachims, Swaminathan, Schnabel: Unbiased Learning-to-Rank with Biased Feedback,
2017); until they tell, every place counts as seen, which leaves the order as it is.

A boost is the lower limit of a log rate ratio: how much more often a document was used than those above it, as far as
so many capped voices can prove it. It is an addition to a document's evidence, in log-odds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from graph.voices import weights

Scope: TypeAlias = Literal["problem", "intent"]
Subject: TypeAlias = tuple[Scope, str]
"""What a document is moved for: a problem, or an intent where a question belongs to no problem."""
Place: TypeAlias = tuple[Subject, str]
"""A subject and the external id of a document."""

AGENTS, CUSTOMERS = 3, 2
"""Distinct agents and customers that a move needs; where no agent stood between, three customers."""
HALF_LIFE = timedelta(days=90)
"""What was said this long ago counts half."""
PRIOR = 100.0
"""The weight of the order as it was, in votes: what one voice's share is taken of, beside all other voices."""
STEP = 1.0
"""The most that a boost changes in a night, in log-odds."""
MOST: Mapping[Scope, float] = {"problem": 2.0, "intent": 1.0}
"""The largest boost. An intent holds many questions, so that one document is right for few of them."""
MATTERS = 0.05
"""A boost that would change by less stays."""
PLACES = 2
"""Places that one night may lift a document in any of the latest questions that the move rests on."""
LOOKED = 20
"""The latest exposures of a document in which `PLACES` is kept."""
CLIP = 4.0
"""The most that one vote counts for its place's being seen less than the first."""
SWAP_CLIP = 100.0
"""The largest inverse propensity: a pair that changes places more rarely than this tells no more for it."""
UNSWAPPED = 10.0
"""Votes that hold the places to be seen alike, against those of swapped neighbours."""
_Z = 1.96
_HALF = 0.5
"""What is added to both counts of a rate ratio (Haldane, 1956)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer of an exposure: its place from 1, the chance that it stood there, and the evidence (log-odds)
    that it was ranked by, None where it was placed for another reason."""

    external_id: str
    rank: int
    propensity: float = 1.0
    evidence: float | None = None

    @property
    def swapped(self) -> bool:
        return self.propensity < 0.5


@dataclass(frozen=True, slots=True)
class Word:
    """What became of one answer in the end. `voter` is whose voice it is, None for somebody unknown."""

    feedback_id: str
    helped: bool
    at: datetime
    voter: str | None
    agent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One exposure, by place, with what was said of its answers, by external id."""

    exposure_id: str
    subject: Subject
    customer: str | None
    at: datetime
    seen: tuple[Seen, ...]
    words: Mapping[str, Word]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one word adds to a move (votes, negative against it), with whose word it is where an agent's."""

    exposure_id: str
    feedback_id: str
    agent_id: str | None
    weight: float


@dataclass(frozen=True, slots=True)
class Move:
    """A document's boost for a subject changes by `step` (log-odds), on the word of so many agents and customers."""

    subject: Subject
    external_id: str
    step: float
    boost: float
    agents: int
    customers: int
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class _Vote:
    told: Told
    word: Word
    mass: float
    favours: bool


def rank_moves(
    told: Sequence[Told],
    standing: Mapping[Place, float],
    now: datetime,
    *,
    held: Mapping[Place, datetime] | None = None,
) -> tuple[Move, ...]:
    """How boosts change tonight, in a fixed order; without evidence or change, none.

    `standing` are the boosts in force. Where somebody took a move back (`held`) only what was said since counts, and
    the boost stays as they left it until as many have spoken as a move needs.
    """
    taken_back = held or {}
    votes = _votes(told, examination(told), taken_back)
    latest = _latest(told)
    moves = []
    for place in sorted({*votes, *standing}):
        given = votes.get(place, [])
        if place in taken_back and not _quorum(given, favours=True):
            continue
        current = standing.get(place, 0.0)
        counted = _counted(given, now)
        target = _target(given, counted, current, MOST[place[0][0]])
        step = max(-STEP, min(target - current, _limit(place[1], latest.get(place, ()))))
        if abs(step) >= MATTERS or (target == 0 < current):
            moves.append(_move(place, current, step, given, counted))
    return tuple(moves)


def examination(told: Iterable[Told]) -> tuple[float, ...]:
    """How often each place is looked at beside the first, from 1 / CLIP to 1.

    For each pair of neighbouring places, how often an answer helped in the lower one beside the upper one, over the
    same answers in both orders; each order is weighed by the inverse of its chance and normalised by itself.
    """
    pairs: defaultdict[int, dict[bool, list[float]]] = defaultdict(
        lambda: {True: [0.0] * 4, False: [0.0] * 4}
    )
    for item in told:
        for upper, lower in zip(item.seen, item.seen[1:], strict=False):
            if upper.propensity < 1 and lower.propensity < 1 and upper.swapped == lower.swapped:
                weight = min(1 / upper.propensity, SWAP_CLIP)
                sums = pairs[upper.rank][upper.swapped]
                helped = [_helped(item, seen) for seen in (upper, lower)]
                for place, value in enumerate((1.0, weight, weight * helped[0], weight * helped[1])):
                    sums[place] += value
    found = [1.0]
    for rank in range(1, max(pairs, default=0) + 1):
        found.append(max(found[-1] * _seen_less(pairs[rank]), 1 / CLIP))
    return tuple(found)


def _seen_less(orders: Mapping[bool, Sequence[float]]) -> float:
    """The chance of a lower place to be seen, of the upper one's."""
    (_, kept, kept_upper, kept_lower), (count, swapped, upper, lower) = orders[False], orders[True]
    if not kept or not swapped:
        return 1.0
    above = count * (kept_upper / kept + upper / swapped)
    below = count * (kept_lower / kept + lower / swapped)
    return min(1.0, (below + UNSWAPPED) / (above + UNSWAPPED))


def _helped(item: Told, seen: Seen) -> bool:
    word = item.words.get(seen.external_id)
    return word is not None and word.helped


def _votes(
    told: Iterable[Told], looked_at: Sequence[float], held: Mapping[Place, datetime]
) -> dict[Place, list[_Vote]]:
    """For each document what was used though others stood above it, what was used above it, and what failed."""
    found: defaultdict[Place, list[_Vote]] = defaultdict(list)
    for item in told:
        by_id = {seen.external_id: seen for seen in item.seen}
        for external_id, word in item.words.items():
            seen = by_id.get(external_id)
            if seen is None:
                continue
            mass = 1 / looked_at[min(seen.rank, len(looked_at)) - 1]
            cast = []
            if not word.helped:
                cast.append((external_id, _Vote(item, word, 1.0, favours=False)))
            elif seen.rank > 1 or seen.swapped:
                cast.append((external_id, _Vote(item, word, mass, favours=True)))
            if word.helped:
                cast += [
                    (other.external_id, _Vote(item, word, mass, favours=False))
                    for other in item.seen
                    if other.rank > seen.rank
                ]
            for about, vote in cast:
                place = (item.subject, about)
                if place not in held or word.at > held[place]:
                    found[place].append(vote)
    return found


def _counted(given: Sequence[_Vote], now: datetime) -> list[float]:
    """What each vote counts: its mass, less with age, and less where its voice would be too loud."""
    masses = [vote.mass * 0.5 ** (max(now - vote.word.at, timedelta(0)) / HALF_LIFE) for vote in given]
    return weights([vote.word.voter or "nobody" for vote in given], PRIOR, masses)


def _target(given: Sequence[_Vote], counted: Sequence[float], current: float, most: float) -> float:
    """Where the boost should stand: 0 unless enough people say more, `most` at the utmost."""
    if not _quorum(given, favours=True):
        return 0.0
    favour = math.fsum(weight for vote, weight in zip(given, counted, strict=True) if vote.favours)
    against = math.fsum(weight for vote, weight in zip(given, counted, strict=True) if not vote.favours)
    target = _proven(favour, against)
    if not _quorum(given, favours=False):
        # So few object that they may keep a document from rising, but do not bring it down.
        target = max(target, min(current, _proven(favour, 0.0)))
    return min(target, most)


def _proven(favour: float, against: float) -> float:
    """The lower 95% limit of the logarithm of a rate ratio, at least 0."""
    favour, against = favour + _HALF, against + _HALF
    return max(0.0, math.log(favour / against) - _Z * math.sqrt(1 / favour + 1 / against))


def _quorum(given: Iterable[_Vote], *, favours: bool) -> bool:
    """Whether enough different people say the same."""
    voices = [vote for vote in given if vote.favours == favours]
    agents = {vote.word.agent_id for vote in voices} - {None}
    customers = {vote.told.customer for vote in voices} - {None}
    themselves = {vote.told.customer for vote in voices if vote.word.agent_id is None} - {None}
    return len(customers) >= CUSTOMERS and (len(agents) >= AGENTS or len(themselves) >= AGENTS)


def _latest(told: Iterable[Told]) -> dict[Place, list[Told]]:
    """The latest exposures of each document."""
    found: defaultdict[Place, list[Told]] = defaultdict(list)
    for item in sorted(told, key=lambda item: (item.at, item.exposure_id), reverse=True):
        for seen in item.seen:
            shown = found[item.subject, seen.external_id]
            if len(shown) < LOOKED:
                shown.append(item)
    return found


def _limit(external_id: str, shown: Iterable[Told]) -> float:
    """The largest step that lifts a document by no more than PLACES in any of these exposures."""
    limit = STEP
    for item in shown:
        ranked = sorted((seen.evidence for seen in item.seen if seen.evidence is not None), reverse=True)
        own = next((seen.evidence for seen in item.seen if seen.external_id == external_id), None)
        above = [value for value in ranked if own is not None and value > own]
        if own is not None and len(above) > PLACES:
            limit = min(limit, (above[-1 - PLACES] - own) * (1 - 1e-6))
    return limit


def _move(
    place: Place, current: float, step: float, given: Sequence[_Vote], counted: Sequence[float]
) -> Move:
    voices = [vote for vote in given if vote.favours]
    return Move(
        subject=place[0],
        external_id=place[1],
        step=step,
        boost=current + step,
        agents=len({vote.word.agent_id for vote in voices} - {None}),
        customers=len({vote.told.customer for vote in voices} - {None}),
        contributions=tuple(
            Contribution(
                vote.told.exposure_id,
                vote.word.feedback_id,
                vote.word.agent_id,
                round(weight if vote.favours else -weight, 4),
            )
            for vote, weight in zip(given, counted, strict=True)
        ),
    )
