"""How far documents are made for one customer in particular: for their region, or for their tier.

A particular rule goes before a general one. "How long do I have to return something?" has a reply in the FAQ, word for
word; a customer from the European Union is answered by the rules for returns from there, however they are worded. At
home it is otherwise: documents that name no region are written for customers there, and beside the rules of that region
they are only more particular. Who tells no region is taken to be at home, unless the question names another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kb_service.search.catalogue import CatalogueView, Record, label_set
from kb_service.search.models import Scores, SearchQuery
from kb_service.search.places import named_in

OWN_RULES = 6.0
"""How much more a document counts, for each unit of the matter in common, that is limited to the region of a customer
from elsewhere than home; chosen on the sample's questions of the split `calibrate`, see `bench.regions`."""
ELSEWHERE = 1.5
"""How much less a document counts that is limited to other regions than home, where none is told; chosen likewise."""
_OF_TIER = 0.5


def scoped(
    catalogue: CatalogueView,
    slots: NDArray[np.int64],
    query: SearchQuery,
    matter: Scores,
    *,
    default_region: str | None,
) -> Scores:
    """What is counted for each document as made for the customer, shape (slots,): 1 where it is limited to their
    region, half of it for their tier, whose other rights are those of everybody, and 0 for what is for all. A document
    for their region counts `OWN_RULES` times its `matter` more where they are not at home; one for other regions than
    home counts `ELSEWHERE` less where no region is told."""
    region, home = query.filters.region, _home(catalogue, default_region)
    away = region is not None and home != _spelling(region)
    counted = {
        slot: _limited_to(catalogue.records[slot], query) - _elsewhere(catalogue.records[slot], query, home)
        for slot in np.unique(slots).tolist()
    }
    found = np.array([counted[slot] for slot in slots.tolist()], dtype=np.float64)
    own_rules: Scores = OWN_RULES * np.maximum(matter, 0.0) * (found == 1.0) if away else np.zeros(len(slots))
    return found + own_rules


def _home(catalogue: CatalogueView, default_region: str | None) -> str | None:
    """The region of requests that name none, where the shop has set one, else that to which most policies are
    limited."""
    return catalogue.home if default_region is None else _spelling(default_region)


def _limited_to(record: Record, query: SearchQuery) -> float:
    region, tier = query.filters.region, query.filters.tier
    if region is not None and _spelling(region) in label_set(record.regions):
        return 1.0
    return _OF_TIER if tier is not None and _spelling(tier) in label_set(record.tiers) else 0.0


def _elsewhere(record: Record, query: SearchQuery, home: str | None) -> float:
    """What a document counts less that is for other customers than one who is taken to be at home."""
    if query.filters.region is not None or home is None or not record.regions:
        return 0.0
    if home in label_set(record.regions) or any(named_in(query.text, region) for region in record.regions):
        return 0.0
    return ELSEWHERE


def _spelling(label: str) -> str:
    (found,) = label_set((label,))
    return found
