"""Dense, lexical and the graph each propose passages; both halves then score every one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ingest.language import tokens
from kb_service.search.catalogue import CatalogueView
from kb_service.search.codes import codes
from kb_service.search.fusion import REGIMES, Candidates, Ranked, regime
from kb_service.search.labels import primary_language
from kb_service.search.matters import DocumentMatters
from kb_service.search.models import Hit, Rows, Scores, SearchQuery
from kb_service.search.parts import Snapshot
from kb_service.search.scopes import made_for
from kb_service.search.terms import QueryTerms

_HALF = 50
"""Passages that each half proposes; more when more documents are asked for."""
_SPARE = 2
"""So many times more are looked at: which of them count is decided here, alike before and after a rebuild."""
_PRIOR_ROWS = 200
"""Passages that the graph may propose beside them."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """The passages that each way proposes for a question, as rows, and the question's terms."""

    near: Rows
    worded: Rows
    linked: Rows
    terms: QueryTerms


def propose(snapshot: Snapshot, query: SearchQuery, *, default_region: str | None) -> Proposed:
    """What either half or the prior proposes, within the filters."""
    catalogue, filters = snapshot.catalogue, query.filters
    mask = catalogue.mask(filters, query.at, default_region=default_region)
    allowed = None if mask.all() else mask
    terms = snapshot.lexical.terms.query([*tokens(query.text), *query.weights], query.weights)
    coarse: Mapping[str, Sequence[str]] = {
        "kind": filters.kinds,
        "language": [primary_language(tag) for tag in filters.languages],
    }
    k = max(_HALF, 4 * query.limit)
    near = _NO_ROWS
    if query.vector is not None:
        wide = k if snapshot.dense.graph is not None else _SPARE * k  # what a graph finds is not exact anyway
        near = _best(catalogue, *snapshot.dense.search(query.vector, wide, allowed), k)
    worded = snapshot.lexical.search(terms, _SPARE * k, allowed, coarse)[0]
    worded = _best(catalogue, worded, snapshot.lexical.terms.match(terms, worded).bm25, k)
    linked = _proposed(catalogue, query.prior)
    return Proposed(near, worded, linked[mask[linked]], terms)


def describe(
    snapshot: Snapshot,
    query: SearchQuery,
    proposed: Proposed,
    *,
    reads: Collection[str],
    default_region: str | None,
    matters: DocumentMatters | None = None,
) -> Candidates:
    """What is known of every passage that was proposed."""
    rows = _in_order(snapshot.catalogue, np.concatenate([proposed.near, proposed.worded, proposed.linked]))
    return _described(snapshot, query, proposed.terms, rows, reads, default_region, matters)


def gather(
    snapshot: Snapshot,
    query: SearchQuery,
    *,
    reads: Collection[str],
    default_region: str | None,
    matters: DocumentMatters | None = None,
) -> Candidates:
    """What is known of every passage that either half or the prior proposes, within the filters."""
    proposed = propose(snapshot, query, default_region=default_region)
    return describe(snapshot, query, proposed, reads=reads, default_region=default_region, matters=matters)


_NO_ROWS: Rows = np.empty(0, dtype=np.int64)


def _proposed(catalogue: CatalogueView, prior: Mapping[str, float]) -> Rows:
    """The passages of the documents with the strongest prior."""
    strongest = sorted((key for key in prior if prior[key] > 0), key=lambda key: (-prior[key], key))
    slots = [int(slot) for key in strongest for slot in catalogue.slots_of((key,))]
    return np.array([row for slot in slots for row in catalogue.rows_of(slot)][:_PRIOR_ROWS], dtype=np.int64)


def _best(catalogue: CatalogueView, rows: Rows, scores: Scores, k: int) -> Rows:
    """The k rows with the highest scores; of equal ones those that come first by external id and place."""
    if len(rows) <= k:
        return rows
    scores = np.round(scores, 9)  # sums in another order differ beyond that
    threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
    sure, tied = rows[scores > threshold], rows[scores == threshold]
    return np.concatenate([sure, _in_order(catalogue, tied)[: k - len(sure)]])


def _in_order(catalogue: CatalogueView, rows: Rows) -> Rows:
    """Each row once, by external id and place in the document, so that ties fall alike after a rebuild."""
    passages = catalogue.passages
    places = {row: (passages[row].external_id, passages[row].ordinal) for row in rows.tolist()}
    return np.array(sorted(places, key=places.__getitem__), dtype=np.int64)


def _described(
    snapshot: Snapshot,
    query: SearchQuery,
    terms: QueryTerms,
    rows: Rows,
    reads: Collection[str],
    default_region: str | None,
    matters: DocumentMatters | None,
) -> Candidates:
    catalogue = snapshot.catalogue
    slots = catalogue.document[rows].astype(np.int64)
    asked = primary_language(query.language)
    records = {slot: catalogue.records[slot] for slot in slots.tolist()}
    regimes = {
        slot: REGIMES.index(regime(asked, primary_language(record.language), reads))
        for slot, record in records.items()
    }
    matches = snapshot.lexical.terms.match(terms, rows)
    matter = np.zeros(len(rows)) if matters is None else matters.alike(snapshot, slots, query.matters)
    made = made_for(catalogue, rows, query, matter, default_region=default_region)
    return Candidates(
        language=asked,
        rows=rows,
        documents=slots,
        regimes=np.array([regimes[slot] for slot in slots.tolist()], dtype=np.int64),
        cosine=_cosine(snapshot, query, rows),
        bm25=matches.bm25,
        coverage=matches.coverage,
        subject=_subject(catalogue, query, rows),
        attribute=np.array(
            [catalogue.passages[row].role == "field" for row in rows.tolist()], dtype=np.bool_
        ),
        kinds=np.array([records[slot].kind for slot in slots.tolist()], dtype=np.str_),
        matter=matter,
        scoped=made.scoped,
        own_rules=made.own_rules,
        prior=np.clip([query.prior.get(records[slot].external_id, 0.0) for slot in slots.tolist()], 0.0, 1.0),
        learned=_learned(query, [records[slot].external_id for slot in slots.tolist()]),
    )


def _subject(catalogue: CatalogueView, query: SearchQuery, rows: Rows) -> Scores:
    """Whether each passage is about a code that the question names (1), about others only (-1), or neither.

    Where the caller says what the question is about, other codes speak `_OTHERS` times as strongly against a passage;
    the named ones do not speak louder, since a question about an order is not always one about its goods.
    """
    told = codes(query.filters.applies_to)
    asked = told | codes([query.named or query.text, *query.filters.products])
    if not asked:
        return np.zeros(len(rows))
    named = [_named(catalogue, row) for row in rows.tolist()]
    speaks_for, against = _APART if query.named else 1.0, _OTHERS if told else 1.0
    return np.array(
        [speaks_for if each & asked else -against if each else 0.0 for each in named], dtype=np.float64
    )


def _named(catalogue: CatalogueView, row: int) -> frozenset[str]:
    """The codes that a passage is about; of a question and its reply, what either names."""
    slot = int(catalogue.document[row])
    passage, record = catalogue.passages[row], catalogue.records[slot]
    whole = catalogue.rows_of(slot) if passage.role in ("question", "reply") else (row,)
    texts = (catalogue.passages[each].text for each in whole)
    return frozenset().union(*map(_known_codes, (record.title, passage.context, *record.products, *texts)))


@lru_cache(maxsize=100_000)
def _known_codes(text: str) -> frozenset[str]:
    """The codes of a text of the shop's knowledge, which questions meet again and again."""
    return codes((text,))


_OTHERS = 6.0
_APART = 0.5
"""What a code counts that names a product apart from which the matter is told of."""


def _learned(query: SearchQuery, external_ids: Sequence[str]) -> Scores | None:
    if not query.learned.keys() & set(external_ids):
        return None
    return np.array([query.learned.get(external_id, 0.0) for external_id in external_ids], dtype=np.float64)


def _cosine(snapshot: Snapshot, query: SearchQuery, rows: Rows) -> Scores:
    cosine = np.full(len(rows), np.nan)
    if query.vector is not None:
        embedded = snapshot.dense.embedded[rows]
        cosine[embedded] = snapshot.dense.scores(query.vector, rows[embedded])
    return cosine


def hit(catalogue: CatalogueView, candidates: Candidates, ranked: Ranked, place: int) -> Hit:
    """The document at one place of the ranking."""
    best = int(ranked.best[place])
    row, slot = int(candidates.rows[best]), int(candidates.documents[best])
    matched, record = catalogue.passages[row], catalogue.records[slot]
    quoted_row = _quoted(catalogue, candidates, slot, row)
    quoted = catalogue.passages[quoted_row]
    cosine = float(candidates.cosine[best])
    return Hit(
        passage_id=quoted.id,
        external_id=record.external_id,
        version=record.version,
        title=record.title,
        kind=record.kind,
        language=record.language,
        role=quoted.role,
        text=quoted.text,
        section=quoted.section,
        start=quoted.start,
        end=quoted.end,
        score=float(ranked.scores[place]),
        dense=0.0 if np.isnan(cosine) else cosine,
        lexical=float(candidates.bm25[best]),
        graph=float(ranked.gains[place]),
        learned=float(ranked.learned[place]),
        evidence=float(ranked.evidence[place]),
        coverage=float(candidates.coverage[best]),
        url=record.url,
        valid_from=record.valid_from,
        valid_to=record.valid_to,
        products=record.products,
        audience=record.audience,
        matched_role=matched.role,
        matched_text=matched.text,
        row=quoted_row,
    )


def _quoted(catalogue: CatalogueView, candidates: Candidates, slot: int, matched: int) -> int:
    """The row of what an answer quotes: the matched passage, or the reply to a matched question.

    Of a reply in several passages the one that suits the question best, the first when none was a candidate.
    """
    if catalogue.passages[matched].role != "question":
        return matched
    replies = [row for row in catalogue.rows_of(slot) if catalogue.passages[row].role == "reply"]
    if not replies:
        return matched
    places = {row: place for place, row in enumerate(candidates.rows.tolist())}

    def suits(row: int) -> float:
        place = places.get(row)
        return (
            -1.0
            if place is None
            else float(np.nan_to_num(candidates.cosine[place]) + candidates.coverage[place])
        )

    return max(replies, key=lambda row: (suits(row), -row))
