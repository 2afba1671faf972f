"""A question whose matter the shop's knowledge tells of apart from the product that it names.

"How do I return the SP10 speaker?" is answered by the rules for returns, which name no product, and "How do I charge
the SP10?" by the speaker's own page. Which of the two it is the documents tell: where those that name no product speak
of what is asked far better than those that name this one, the question is searched again without the name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from graph.models import Entity
from ingest.language import tokens
from kb_service.search.models import SearchQuery
from kb_service.search.searching import Searched

MARGIN = 0.1
"""How far ahead, in the units of `Candidates.matter`, documents must be that name no product; of 0, .1, .2 and .3 the
best on the sample's questions of the split `calibrate`."""

Apart: TypeAlias = Callable[[Searched], SearchQuery | None]
"""What is searched instead, where a first search shows that the matter is told of apart from the product."""


def told_apart(searched: Searched) -> bool:
    """Whether the best document by its matter, of all that were found, is one that names no product."""
    candidates, records = searched.candidates, searched.snapshot.catalogue.records
    ours = candidates.subject > 0
    products = np.array(
        [records[slot].kind == "product" for slot in candidates.documents.tolist()], dtype=np.bool_
    )
    general = (candidates.subject == 0) & ~products
    if not ours.any() or not general.any():
        return False
    return bool(candidates.matter[general].max() > candidates.matter[ours].max() + MARGIN)


def without_names(query: SearchQuery, named: Sequence[Entity]) -> SearchQuery | None:
    """The query without what names a product, and without a vector; None where nothing is left of it.

    The names go on to speak for documents that carry them, by half of what they would."""
    text = query.text
    for entity in sorted(named, key=lambda entity: entity.start, reverse=True):
        text = f"{text[: entity.start]} {text[entity.end :]}"
    left = " ".join(text.split())
    gone = set(tokens(query.text)) - set(tokens(left))
    if not tokens(left) or not gone:
        return None
    weights = {term: weight for term, weight in query.weights.items() if term not in gone}
    return replace(query, text=left, named=query.text, vector=None, weights=weights)


def matter_is_known(query: SearchQuery) -> bool:
    """Whether anything tells what the question is about, so that it may be told apart."""
    return query.vector is not None and not query.named and any(query.matters.values())
