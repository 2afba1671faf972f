"""Of two documents that say the same in two languages, the one in the asker's own comes first.

A bilingual encoder puts a text and its translation side by side, so which of the two ranks first is chance. Both
stay in the ranking; they exchange places, with the score that belongs to the place. The first place also goes to a
document of the own language that is no translation, say an FAQ instead of a policy, where it answers nearly as well
by the same evidence and what it matches is alike: who asks in English is not helped by a Chinese quote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kb_service.search.fusion import Candidates, Ranked
from kb_service.search.labels import primary_language
from kb_service.search.parts import Snapshot

ALIKE = 0.75
"""Cosine of the nearest passages from which two documents of a kind, found for one question, are taken for
translations of each other: on the sample's `calibrate` questions the other one then always answers as well."""
NEARLY_ALIKE = 0.56
"""Cosine of the matched passages from which the first document gives way to one of the asker's language."""
NEARLY_AS_GOOD = 2.0
"""Log-odds by which that one may be behind. Both were chosen on the sample's `calibrate` questions: of 504 that their
own language answers .673 got a right one in it first without, .744 with this; right in any, .809 and .807."""
_PLACES = 5
"""Places that are looked at."""
_BEYOND = 10
"""Places among which a twin is looked for."""
_PASSAGES = 8
"""Passages of a document that are compared: what it says first."""


def own_language_first(snapshot: Snapshot, candidates: Candidates, ranked: Ranked) -> Ranked:
    """The ranking with documents of the question's language before their twins of another, and before a first one that
    answers hardly better."""
    catalogue = snapshot.catalogue
    slots = [int(candidates.documents[place]) for place in ranked.best[:_BEYOND]]
    own = [primary_language(catalogue.records[slot].language) == candidates.language for slot in slots]
    order = np.arange(len(ranked.best))
    for place, other in _twins(snapshot, slots, own):
        order[[place, other]] = order[[other, place]]
    for place in range(1, len(slots)):
        if own[order[0]]:
            break
        if own[order[place]] and _nearly_as_good(snapshot, candidates, ranked, order, place):
            order[[0, place]] = order[[place, 0]]
    return replace(ranked, best=ranked.best[order], gains=ranked.gains[order])


def _twins(snapshot: Snapshot, slots: Sequence[int], own: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Places of documents in another language, each with that of its twin in the own language."""
    records = [snapshot.catalogue.records[slot] for slot in slots]
    taken: set[int] = set()
    for place in range(min(_PLACES, len(slots))):
        if own[place]:
            continue
        for other in range(place + 1, len(slots)):
            free = own[other] and other not in taken and records[other].kind == records[place].kind
            if free and _likeness(snapshot, slots[place], slots[other]) >= ALIKE:
                taken.add(other)
                yield place, other
                break


def _nearly_as_good(
    snapshot: Snapshot, candidates: Candidates, ranked: Ranked, order: NDArray[np.int64], place: int
) -> bool:
    """Whether the document at a place is close behind the first, and what it matches is alike."""
    dense = snapshot.dense
    rows = candidates.rows[ranked.best[order[[0, place]]]]
    return bool(
        ranked.evidence[0] - ranked.evidence[place] <= NEARLY_AS_GOOD
        and dense.embedded[rows].all()
        and float(np.vecdot(*dense.vectors[rows])) >= NEARLY_ALIKE
    )


def _likeness(snapshot: Snapshot, one: int, other: int) -> float:
    """The cosine of the two nearest passages of two documents; 0 where one has no vectors."""
    rows = [
        [row for row in snapshot.catalogue.rows_of(slot)[:_PASSAGES] if snapshot.dense.embedded[row]]
        for slot in (one, other)
    ]
    first, second = (snapshot.dense.vectors[each] for each in rows)
    return float(np.vecdot(first[:, np.newaxis], second[np.newaxis]).max(initial=0.0))
