"""Of two documents that say the same in two languages, the one in the asker's own comes first.

A bilingual encoder puts a text and its translation side by side, so which of the two ranks first is chance. Both
stay in the ranking; they exchange places, with the score that belongs to the place.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kb_service.search.fusion import Candidates, Ranked
from kb_service.search.labels import primary_language
from kb_service.search.parts import Snapshot

ALIKE = 0.75
"""Cosine of the nearest passages from which two documents of a kind, found for one question, are taken for
translations of each other: on the sample's `calibrate` questions the other one then always answers as well."""
_PLACES = 5
"""Places that are looked at."""
_BEYOND = 10
"""Places among which a twin is looked for."""
_PASSAGES = 8
"""Passages of a document that are compared: what it says first."""


def own_language_first(snapshot: Snapshot, candidates: Candidates, ranked: Ranked) -> Ranked:
    """The ranking with documents of the question's language before their twins of another."""
    catalogue = snapshot.catalogue
    slots = [int(candidates.documents[place]) for place in ranked.best[:_BEYOND]]
    records = [catalogue.records[slot] for slot in slots]
    own = [primary_language(record.language) == candidates.language for record in records]
    order = np.arange(len(ranked.best))
    taken: set[int] = set()
    for place in range(min(_PLACES, len(slots))):
        if own[place]:
            continue
        for other in range(place + 1, len(slots)):
            free = own[other] and other not in taken and records[other].kind == records[place].kind
            if free and _likeness(snapshot, slots[place], slots[other]) >= ALIKE:
                order[[place, other]] = order[[other, place]]
                taken.add(other)
                break
    return replace(ranked, best=ranked.best[order], gains=ranked.gains[order]) if taken else ranked


def _likeness(snapshot: Snapshot, one: int, other: int) -> float:
    """The cosine of the two nearest passages of two documents; 0 where one has no vectors."""
    rows = [
        [row for row in snapshot.catalogue.rows_of(slot)[:_PASSAGES] if snapshot.dense.embedded[row]]
        for slot in (one, other)
    ]
    first, second = (snapshot.dense.vectors[each] for each in rows)
    return float(np.vecdot(first[:, np.newaxis], second[np.newaxis]).max(initial=0.0))
