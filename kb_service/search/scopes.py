"""How far documents are made for one customer in particular: for their region, or for their tier.

A particular rule goes before a general one. "How long do I have to return something?" has a reply in the FAQ, word for
word; a customer from the European Union is answered by the rules for returns from there, however they are worded. At
home it is otherwise: documents that name no region are written for customers there, and beside the rules of that region
they are only more particular.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kb_service.search.catalogue import CatalogueView, Record, label_set
from kb_service.search.models import Filters, Scores

OWN_RULES = 6.0
"""How much more a document counts, for each unit of the matter in common, that is limited to the region of a customer
from elsewhere than home; chosen on the sample's questions of the split `calibrate`, see `bench.regions`."""
_OF_TIER = 0.5


def scoped(
    catalogue: CatalogueView,
    slots: NDArray[np.int64],
    filters: Filters,
    matter: Scores,
    *,
    default_region: str | None,
) -> Scores:
    """What is counted for each document as made for the customer, shape (slots,): 1 where it is limited to their
    region, half of it for their tier, whose other rights are those of everybody, and 0 for what is for all. A document
    for their region counts `OWN_RULES` times its `matter` more where they are not at home."""
    if filters.region is None and filters.tier is None:
        return np.zeros(len(slots))
    records = {slot: catalogue.records[slot] for slot in np.unique(slots).tolist()}
    away = is_away(catalogue, filters.region, default_region)
    limits = {slot: _limited_to(record, filters) for slot, record in records.items()}
    found = np.array([limits[slot] for slot in slots.tolist()], dtype=np.float64)
    own_rules: Scores = OWN_RULES * np.maximum(matter, 0.0) * (found == 1.0) if away else np.zeros(len(slots))
    return found + own_rules


def is_away(catalogue: CatalogueView, region: str | None, default_region: str | None) -> bool:
    """Whether a region is told, and is not home: the region of requests that name none, where the shop has set one,
    else that to which most policies are limited."""
    if region is None:
        return False
    home = label_set((default_region,)) if default_region is not None else {catalogue.home}
    return home.isdisjoint(label_set((region,)))


def _limited_to(record: Record, filters: Filters) -> float:
    if filters.region is not None and label_set((filters.region,)) & label_set(record.regions):
        return 1.0
    return (
        _OF_TIER if filters.tier is not None and label_set((filters.tier,)) & label_set(record.tiers) else 0.0
    )
