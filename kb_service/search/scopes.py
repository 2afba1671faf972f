"""How far documents are made for one customer in particular: for their region, or for their tier.

A particular rule goes before a general one. "How long do I have to return something?" has a reply in the FAQ, word for
word; a customer from the European Union is answered by the rules for returns from there, however they are worded. At
home it is otherwise: documents that name no region are written for customers there, and beside the rules of that region
they are only more particular. A customer who tells no region is taken to be at home, unless the question names another.

What tells no region but is about certain places, as "do you deliver to Tibet, and for how much?" in a FAQ, answers
questions of customers there, and nobody else's: "how much is delivery?" would be quoted the dearest fare.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kb_service.search.catalogue import CatalogueView, Record
from kb_service.search.labels import label_of
from kb_service.search.models import Rows, Scores, SearchQuery
from kb_service.search.places import (
    named_in,
    places_in,
    speaks_of_abroad,
    speaks_of_elsewhere,
    wholes_of,
    with_unions,
    with_wholes,
)

OWN_RULES = 6.0
"""How much more a document counts, for each unit of the matter in common, that is limited to the region of a customer
from elsewhere than home; chosen on the sample's questions of the split `calibrate`, see `bench.regions`."""
ELSEWHERE = 1.5
"""How much less a document counts that is limited to other regions than home, where none is told; chosen likewise."""
NAMED_PLACE = 2.0
OTHER_PLACE = 3.0
"""How much more a document counts that is about a place of which the question is, and how much less a passage that is
about other places, such as a reply about delivery to one province; chosen likewise."""
_OF_TIER = 0.5


class Scoped(NamedTuple):
    """For each candidate what is counted for its document as made for the customer, shape (candidates,).

    `scoped` is 1 where it is limited to their region, half of it for their tier, whose other rights are those of
    everybody, 0 for what is for all, and less for what is for elsewhere; to which is added what counts for or against
    the places that it is about. `own_rules` is what a document for their region counts besides, by its matter, where
    that is not home.
    """

    scoped: Scores
    own_rules: Scores


def made_for(
    catalogue: CatalogueView,
    rows: Rows,
    query: SearchQuery,
    matter: Scores,
    *,
    default_region: str | None,
) -> Scoped:
    """See `Scoped`; `rows` are the candidates, `matter` is that of `Candidates`."""
    slots = catalogue.document[rows]
    filters, home = query.filters, home_of(catalogue, default_region)
    region = filters.region or (None if filters.any_scope else default_region)
    records = {slot: catalogue.records[slot] for slot in np.unique(slots).tolist()}
    own = {slot: _applies(record.regions, region) for slot, record in records.items()}
    counted = {
        slot: 1.0 if own[slot] else _otherwise(record, query, home) for slot, record in records.items()
    }
    limited = np.array([own[slot] for slot in slots.tolist()], dtype=np.bool_)
    scoped = np.array([counted[slot] for slot in slots.tolist()], dtype=np.float64)
    away = is_away(catalogue, filters.region, default_region)
    scoped += _of_places(catalogue, rows, query, home)
    return Scoped(scoped, np.where(limited & away, OWN_RULES * np.maximum(matter, 0.0), 0.0))


def is_away(catalogue: CatalogueView, region: str | None, default_region: str | None) -> bool:
    """Whether a region is told, and is neither home nor a part of it."""
    around = {label_of(each) for each in wholes_of(region or "")}
    return bool(region) and home_of(catalogue, default_region) not in around


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
    if _applies(record.regions, home) or speaks_of_abroad(query.text):
        return 0.0
    return NAMED_PLACE if any(named_in(query.text, region) for region in record.regions) else -ELSEWHERE


def _of_places(catalogue: CatalogueView, rows: Rows, query: SearchQuery, home: str | None) -> Scores:
    """What is counted for each passage as one about certain places: more where the question names one of them or a
    part of one, or it is the customer's region; less where it is neither; 0 for what names no place or home alone, and
    in a shop without a home, whose FAQ may name everywhere the country that all its customers live in."""
    region = query.filters.region
    said = places_in(query.named or query.text) or places_in(" ".join(query.weights))
    told = [*said, *([region] if region else ())]
    if home is None or not (told or (query.at_home and not speaks_of_elsewhere(query.text))):
        return np.zeros(len(rows))
    asked = with_wholes(told)
    slots = catalogue.document[rows].tolist()
    ours = {slot for slot in set(slots) if asked and not asked.isdisjoint(_places_of(catalogue, slot, home))}

    def counted(slot: int, row: int) -> float:
        if slot in ours:
            return NAMED_PLACE
        return -OTHER_PLACE if _places(catalogue, slot, row, home) else 0.0

    return np.array([counted(*each) for each in zip(slots, rows.tolist(), strict=True)], dtype=np.float64)


def _places_of(catalogue: CatalogueView, slot: int, home: str) -> frozenset[str]:
    """The places beside home that any part of a document is about."""
    parts = (_places(catalogue, slot, row, home) for row in catalogue.rows_of(slot))
    return with_unions(frozenset().union(*parts))


def _places(catalogue: CatalogueView, slot: int, row: int, home: str) -> frozenset[str]:
    """The places beside home that a question with its reply, a row of a table or a section is about, by its own words
    or its headings; none where the document says by itself that it is for regions elsewhere, and of a product, whose
    cotton may come from anywhere."""
    record, passage = catalogue.records[slot], catalogue.passages[row]
    if record.kind == "product" or (record.regions and not _applies(record.regions, home)):
        return frozenset()
    places = places_in(passage.context)
    if passage.role in ("question", "reply"):
        until = range(catalogue.rows_of(slot).start, row + 1)
        asked = [each for each in until if catalogue.passages[each].role == "question"]
        places = places.union(*(places_in(catalogue.passages[each].text) for each in asked[-1:]))
    elif passage.role == "row":
        places |= places_in(passage.text)
    return places - {whole.upper() for whole in wholes_of(home)} if places else places


def _applies(labels: tuple[str, ...], region: str | None) -> bool:
    """Whether a document that is limited to some regions is so to this one, or to what it is a part of."""
    return bool(region) and any(_holds(labels, each) for each in wholes_of(region or ""))


def _holds(labels: tuple[str, ...], label: str) -> bool:
    return label_of(label) in map(label_of, labels)
