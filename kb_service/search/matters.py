"""How alike a question and documents are in what they are about, among the shop's intents.

"I want to return my HP70" has most words and most of its meaning in common with the pages about the HP70; what it is
about it shares with the rules for returns. So a document counts more where one of its passages speaks of an intent
that the question has.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.matters import Matters
from ingest.models import Vectors
from kb_service.search.models import Scores
from kb_service.search.parts import Snapshot

_FLOOR = 0.1
"""What is added to either likeness, so that none is far below chance: of .05 and .1 the better on the sample."""


class DocumentMatters:
    """Which intents each document's passages speak of, worked out once for each. Safe for any number of threads."""

    def __init__(self, matters: Matters) -> None:
        self.matters = matters
        self._places = {intent: place for place, intent in enumerate(matters.intents)}
        self._lock = threading.Lock()
        self._records: Any = None
        self._known: dict[int, Vectors] = {}

    def alike(self, snapshot: Snapshot, slots: NDArray[np.int64], asked: Mapping[str, float]) -> Scores:
        """How much more alike each document is to a question than one that is about every intent by the same share,
        as a logarithm, shape (slots,). `asked` is how likely the question has each intent. It is 0 where nothing is
        known: a question without intents, a document without vectors.

        Likeness is Bhattacharyya's coefficient of the question's intents and the largest share that any passage of
        the document has of each.
        """
        said = np.zeros(len(self._places), dtype=np.float32)
        for intent, share in asked.items():
            if intent in self._places:
                said[self._places[intent]] = np.sqrt(share)
        if not (said.any() and len(slots)):
            return np.zeros(len(slots))
        distinct, places = np.unique(slots, return_inverse=True)
        likeness = self._roots(snapshot, distinct) @ said
        chance = float(said.sum()) / np.sqrt(len(said))
        told: Scores = np.log((_FLOOR + likeness) / (_FLOOR + chance)).astype(np.float64)
        return np.nan_to_num(told, nan=0.0)[places]

    def _roots(self, snapshot: Snapshot, slots: NDArray[np.int64]) -> Vectors:
        """The roots of the shares of documents, shape (slots, intents); NaN where a document has no vectors."""
        with self._lock:
            if self._records is not snapshot.catalogue.records:  # other parts, in which slots mean others
                self._records, self._known = snapshot.catalogue.records, {}
            known = self._known
        unknown = [slot for slot in slots.tolist() if slot not in known]
        if unknown:
            known.update(self._worked_out(snapshot, unknown))
        return np.stack([known[slot] for slot in slots.tolist()])

    def _worked_out(self, snapshot: Snapshot, slots: list[int]) -> dict[int, Vectors]:
        spans = [snapshot.catalogue.rows_of(slot) for slot in slots]
        rows = np.concatenate([np.arange(span.start, span.stop) for span in spans])
        shares = self.matters.of(snapshot.dense.vectors[rows])
        shares[~snapshot.dense.embedded[rows]] = np.nan
        starts = np.cumsum([0, *map(len, spans)])[:-1]
        largest = np.sqrt(np.fmax.reduceat(shares, starts, axis=0))
        return dict(zip(slots, largest, strict=True))
