"""Two neighbours that change places now and then, so that what people use can be told from what stands first. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kb_service.models import CandidateAnswer
from kb_service.search.models import Hit

FAR = 2.0
"""How far the first must lead the second, in log-odds, for the two never to change places."""


@dataclass(frozen=True, slots=True)
class Order:
    """Answers as they are shown, and the chance that each had of the place that it got."""

    answers: tuple[CandidateAnswer, ...]
    propensities: tuple[float, ...]


def as_ranked(answers: Sequence[CandidateAnswer]) -> Order:
    return Order(tuple(answers), (1.0,) * len(answers))


def swapped(
    answers: Sequence[CandidateAnswer],
    exposure_id: str,
    share: float,
    *,
    hits: Mapping[str, Hit],
    withheld: frozenset[str],
) -> Order:
    """The answers, in a `share` of exposures with two neighbours exchanged; which ones follows from the id alone.

    A pair is left alone where its lower document is withheld from automatic answers or for another audience than
    the upper one, where it is not known as a hit, and at the top where the first leads the second far.
    """
    documents = [answer.citations[0].document_id for answer in answers]
    pairs = [
        place
        for place, (upper, lower) in enumerate(pairwise(documents))
        if upper in hits
        and lower in hits
        and upper != lower
        and lower not in withheld
        and hits[upper].audience == hits[lower].audience
        and (place > 0 or abs(hits[upper].evidence - hits[lower].evidence) < FAR)
    ]
    if not pairs or share <= 0:
        return as_ranked(answers)
    each = share / len(pairs)
    drawn = _drawn(exposure_id)
    order, chances = list(answers), [1.0] * len(answers)
    for place in pairs:
        chances[place] -= each
        chances[place + 1] -= each
    if drawn < share:
        place = pairs[min(int(drawn / each), len(pairs) - 1)]
        order[place : place + 2] = reversed(order[place : place + 2])
        chances[place : place + 2] = each, each
    return Order(tuple(order), tuple(chances))


def _drawn(exposure_id: str) -> float:
    """A number in 0..1 that belongs to an exposure; not the one by which reviews are drawn."""
    digest = hashlib.blake2b(exposure_id.encode(), digest_size=8, person=b"swap").digest()
    return int.from_bytes(digest) / 2**64
