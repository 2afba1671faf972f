"""How far documents are made for one customer in particular: for their region, or for their tier.

A particular rule goes before a general one. "How long do I have to return something?" has a reply in the FAQ, word for
word; a customer from the European Union is answered by the rules for returns from there, however they are worded. At
home it is otherwise: documents that name no region are written for customers there, and beside the rules of that region
they are only more particular. A customer who tells no region is taken to be at home, unless the question names another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb_service.search.catalogue import CatalogueView, Record
from kb_service.search.labels import label_of
from kb_service.search.models import Scores, SearchQuery
from kb_service.search.places import named_in, speaks_of_abroad

OWN_RULES = 6.0
"""How much more a document counts, for each unit of the matter in common, that is limited to the region of a customer
from elsewhere than home; chosen on the sample's questions of the split `calibrate`, see `bench.regions`."""
ELSEWHERE = 1.5
"""How much less a document counts that is limited to other regions than home, where none is told; chosen likewise."""
_OF_TIER = 0.5


class Scoped(NamedTuple):
    """For each document what is counted for it as made for the customer, shape (slots,).

    `scoped` is 1 where it is limited to their region, half of it for their tier, whose other rights are those of
    everybody, 0 for what is for all, and less for what is for elsewhere. `own_rules` is what a document for their
    region counts besides, by its matter, where that is not home.
    """

    scoped: Scores
    own_rules: Scores


def made_for(
    catalogue: CatalogueView,
    slots: NDArray[np.int64],
    query: SearchQuery,
    matter: Scores,
    *,
    default_region: str | None,
) -> Scoped:
    """See `Scoped`; `matter` is that of `Candidates`."""
    filters, home = query.filters, home_of(catalogue, default_region)
    region = filters.region or (None if filters.any_scope else default_region)
    records = {slot: catalogue.records[slot] for slot in np.unique(slots).tolist()}
    own = {slot: region is not None and _holds(record.regions, region) for slot, record in records.items()}
    counted = {
        slot: 1.0 if own[slot] else _otherwise(record, query, home) for slot, record in records.items()
    }
    limited = np.array([own[slot] for slot in slots.tolist()], dtype=np.bool_)
    scoped = np.array([counted[slot] for slot in slots.tolist()], dtype=np.float64)
    away = is_away(catalogue, filters.region, default_region)
    return Scoped(scoped, np.where(limited & away, OWN_RULES * np.maximum(matter, 0.0), 0.0))


def is_away(catalogue: CatalogueView, region: str | None, default_region: str | None) -> bool:
    """Whether a region is told, and is not home."""
    return bool(region) and home_of(catalogue, default_region) != label_of(region or "")


def home_of(catalogue: CatalogueView, default_region: str | None) -> str | None:
    """Where the customers are for whom documents are written that name no region, in one spelling: the region of
    requests that name none, where the shop has set one, else that to which most policies are limited."""
    return label_of(default_region) if default_region else catalogue.home


def _otherwise(record: Record, query: SearchQuery, home: str | None) -> float:
    """What is counted for a document that is not limited to the customer's region."""
    if query.filters.tier and _holds(record.tiers, query.filters.tier):
        return _OF_TIER
    if query.filters.region or not query.at_home or home is None or not record.regions:
        return 0.0
    if home in map(label_of, record.regions) or speaks_of_abroad(query.text):
        return 0.0
    return 0.0 if any(named_in(query.text, region) for region in record.regions) else -ELSEWHERE


def _holds(labels: tuple[str, ...], label: str) -> bool:
    return label_of(label) in map(label_of, labels)
