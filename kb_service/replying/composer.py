"""From the hits of a question to the answers that are offered: which documents, in which words."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from graph.models import Entity
from kb_service.composing import Composed, Source, compose_reply, shown_passage
from kb_service.models import CandidateAnswer, Question
from kb_service.replicas.replica import Replica
from kb_service.replying.asking import asking_clauses
from kb_service.replying.attributes import Attribute, asked_for
from kb_service.replying.cells import cells
from kb_service.replying.meaning import Meaning
from kb_service.replying.measured_rows import measured_row
from kb_service.search.codes import codes
from kb_service.search.models import Hit, SearchQuery
from kb_service.search.places import names_of, places_in, with_wholes
from kb_service.search.same_kind import of_other_kinds
from kb_service.search.weighing import Weighed
from kb_service.understanding.question_reading import Reading, told_in

UNFIT = 0.2
"""Most that an answer may be trusted whose product says nothing of what is asked, that is about another kind of
product, or that is asked of a model that the shop does not have; nobody is sent it unseen."""
MOST_PRODUCTS = 4
"""Products of one question that are answered beside each other."""
MOST_CLAUSES = 3
"""Clauses of one question that are searched for apart."""
LOOKED_AT = 5
"""Documents of a clause that are looked at for one about the right kind of product."""


@dataclass(frozen=True, slots=True)
class Offered:
    """Answers, best first, the words of the first before its placeholders were filled, and the confidence in it."""

    answers: tuple[CandidateAnswer, ...]
    template: str
    confidence: float


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A hit with the clauses of the question that it answers; none means the whole question."""

    hit: Hit
    clauses: tuple[str, ...] = ()


class Composer:
    """Words the answers of every workspace. Safe for any thread."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning

    def offer(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        query: SearchQuery,
        weighed: Weighed,
        exposure_id: str,
    ) -> Offered:
        """The answers of the hits that `query` found, at most as many as the question asks for.

        Each is as likely right as the calibration of the search says of its own hit, and no likelier than the one
        before. A product that lacks what is asked gives way to one of the same product that has it. Several products
        that are asked about are answered in one; of a question in several clauses each has its best document.
        """
        hits, confidence = weighed.hits, weighed.confidence
        if not hits:
            return Offered((), "", confidence)
        wanted = asked_for(_asking(question, reading))
        together = self._products(replica, question, reading, query, hits, wanted)
        measuring = _measuring(replica, question, reading, hits)
        if measuring is not None:
            chosen = [_Chosen(hit) for hit in (measuring, *(hit for hit in hits if hit is not measuring))]
        elif wanted:
            chosen = _fitting(replica, question, reading, query, hits, wanted)
        else:
            chosen = list(map(_Chosen, hits))
        chosen = self._for_clauses(replica, question, reading, query, chosen)
        chosen = chosen[: question.limit]
        replies = [
            (item.hit, self._composed(replica, question, reading, item, first=place == 0))
            for place, item in enumerate(chosen)
        ]
        if together is not None:
            first, shown = together
            replies = [first, *((hit, reply) for hit, reply in replies if hit.external_id not in shown)]
        replies = replies[: question.limit]
        stranger = bool(wanted) and bool(replica.shop.gazetteer.unknown_models(question.text))
        features = [a for a in wanted if a.is_feature] if _named(replica, question, reading) else []
        unfit = frozenset(
            hit.external_id
            for hit, reply in replies
            if stranger or not _suits(hit, reply, weighed) or not _tells(hit, features)
        )
        if replies[0][0].external_id in unfit:
            confidence = min(confidence, UNFIT)
        answers = _candidates(replies, confidence, weighed, query, exposure_id, unfit)
        return Offered(answers, replies[0][1].template, confidence)

    def _composed(
        self, replica: Replica, question: Question, reading: Reading, chosen: _Chosen, *, first: bool
    ) -> Composed:
        """A hit's reply. Only for the first is meaning looked at: encoding takes longer than all the rest."""
        hit = chosen.hit
        likeness = None
        vector = reading.whole.vector
        if first and vector is not None:
            likeness = self._meaning.likeness(vector, reading.whole.language, hit.language)
        source = Source(
            replica.index.document_of(hit),
            _names(replica, hit.products),
            likeness,
            None if vector is None else partial(replica.index.likeness_of, hit, vector),
        )
        return compose_reply(
            hit,
            _asking(question, reading),
            question.context,
            reading.whole.language,
            source,
            clauses=chosen.clauses,
            about=_meant_products(replica, question, reading),
            place=_place(replica, question),
            told_in=told_in(question, reading),
        )

    # --- several products

    def _products(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        query: SearchQuery,
        hits: Sequence[Hit],
        wanted: Sequence[Attribute],
    ) -> tuple[tuple[Hit, Composed], frozenset[str]] | None:
        """One answer for all the products that a question names, and the documents that it took them from."""
        skus = _named(replica, question, reading)[:MOST_PRODUCTS]
        if len(skus) < 2 or not wanted:
            return None
        parts: list[tuple[Hit, Composed]] = []
        for sku in skus:
            found = _stating(replica, query, hits, sku, wanted)
            if found is None:
                return None
            parts.append((found, self._composed(replica, question, reading, _Chosen(found), first=False)))
        if not all(composed.fits for _, composed in parts):
            return None
        joined = replace(
            parts[0][1],
            text="\n".join(composed.text for _, composed in parts),
            template="\n".join(composed.template for _, composed in parts),
            missing=tuple(dict.fromkeys(name for _, composed in parts for name in composed.missing)),
            citations=tuple(citation for _, composed in parts for citation in composed.citations),
        )
        return (parts[0][0], joined), frozenset(hit.external_id for hit, _ in parts)

    # --- several clauses

    def _for_clauses(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        query: SearchQuery,
        chosen: Sequence[_Chosen],
    ) -> list[_Chosen]:
        """The best document of each clause that asks something, after the best of the whole question."""
        said = [clause.text for clause in reading.clauses]
        asking = asking_clauses([text for text in said if text in question.text] or said)[:MOST_CLAUSES]
        if not asking:
            return list(chosen)
        vectors = {clause.text: clause.vector for clause in reading.clauses}
        named = _named(replica, question, reading)
        answered: dict[str, list[str]] = {}
        found: dict[str, Hit] = {}
        for clause in asking:
            narrowed = replace(
                query,
                text=_with_product(clause, question.text, reading),
                vector=vectors.get(clause),
                limit=LOOKED_AT,
            )
            stating = None
            if len(named) == 1 and (wanted := asked_for(clause)):
                stating = _stating(replica, query, (), named[0], wanted)
            hit = stating or _best(replica, narrowed, whole=query)
            if hit is not None:
                answered.setdefault(hit.external_id, []).append(clause)
                found.setdefault(hit.external_id, hit)
        first = chosen[0]
        order: dict[str, _Chosen] = {first.hit.external_id: first}
        for external_id, hit in found.items():
            order.setdefault(external_id, _Chosen(hit))
        for item in chosen:
            order.setdefault(item.hit.external_id, item)
        return [replace(item, clauses=tuple(answered.get(key, ()))) for key, item in order.items()]


def _asking(question: Question, reading: Reading) -> str:
    """The words that say what is asked. "SP10防水吗", then "多少钱": what is read holds both, and the last asks now."""
    return question.text if asked_for(question.text) else reading.whole.text


def _place(replica: Replica, question: Question) -> tuple[str, ...]:
    """What the places are called that the question names, or else the turns before it, and the customer's region, with
    their codes and those of what they are parts of; nothing where none is known."""
    before = " ".join(turn.text for turn in question.turns if turn.role == "customer")
    region = question.region or replica.shop.rules.default_region
    places = {*(places_in(question.text) or places_in(before)), *([region] if region else ())}
    return tuple(name for code in sorted(with_wholes(places)) for name in (code, *names_of(code)))


def _named(replica: Replica, question: Question, reading: Reading) -> list[str]:
    """The SKUs that a question names, each once, in order; else those that the caller says it is about, else those of
    the customer's latest turn that names any."""
    if named := _skus(replica, reading.understanding.entities):
        return [skus[0] for skus in named if len(skus) == 1]
    if question.products:
        return list(dict.fromkeys(question.products))
    before = (
        _skus(replica, replica.named(turn.text))
        for turn in reversed(question.turns)
        if turn.role == "customer"
    )
    return [skus[0] for skus in next(filter(None, before), ()) if len(skus) == 1]


def _skus(replica: Replica, entities: Sequence[Entity]) -> list[tuple[str, ...]]:
    """What each of the products may be that are named, each once."""
    found = (replica.shop.gazetteer.skus(entity) for entity in entities)
    return list(dict.fromkeys(skus for skus in found if skus))


def _meant_products(replica: Replica, question: Question, reading: Reading) -> tuple[str, ...]:
    """What the products are called that the caller says the question is about, where its words name none."""
    if any(replica.shop.gazetteer.skus(entity) for entity in reading.understanding.entities):
        return ()
    return tuple(name for sku in question.products for name in (sku, *replica.shop.products.get(sku, ())))


def _stating(
    replica: Replica, query: SearchQuery, hits: Sequence[Hit], sku: str, wanted: Sequence[Attribute]
) -> Hit | None:
    """The document of a product that states what is asked, one in the question's language first."""
    about = [hit for hit in hits if hit.kind == "product" and hit.products == (sku,)]
    stating = [hit for hit in about if _states(replica, hit, wanted)]
    if not any(hit.language == query.language for hit in stating):
        filters = replace(query.filters, kinds=("product",), products=(sku,))
        found = replica.index.search(replace(query, filters=filters, limit=4))
        stating += [hit for hit in found if hit.products == (sku,) and _states(replica, hit, wanted)]
    return min(stating, key=lambda hit: hit.language != query.language, default=None)


def _best(replica: Replica, clause: SearchQuery, whole: SearchQuery) -> Hit | None:
    """The best document of a clause that is about no other kind of product than the whole question."""
    hits = replica.index.search(clause)
    others = of_other_kinds(hits, whole, replica.shop.gazetteer.meant)
    return next((hit for hit in hits if hit.external_id not in others), None)


def _with_product(clause: str, whole: str, reading: Reading) -> str:
    """A clause with the names of the products that only other clauses name."""
    named = [whole[e.start : e.end] for e in reading.understanding.entities if e.type in ("sku", "product")]
    return clause if any(name in clause for name in named) else " ".join((*dict.fromkeys(named), clause))


def _fitting(
    replica: Replica,
    question: Question,
    reading: Reading,
    query: SearchQuery,
    hits: Sequence[Hit],
    wanted: Sequence[Attribute],
) -> list[_Chosen]:
    """The hits; before a first one that does not speak of what is asked, or is the product's in another language, the
    product's document that states it.

    The product is the one that the question names, or else the one that the first hit is about.
    """
    first = hits[0]
    named = _named(replica, question, reading) or (list(first.products) if first.kind == "product" else [])
    own = first.kind != "product" or first.language == query.language
    speaks = len(named) == 1 and _speaks(replica, first, named[0], wanted)
    if len(named) != 1 or (speaks and own):
        return list(map(_Chosen, hits))
    better = _stating(replica, query, hits, named[0], wanted)
    if better is None or (speaks and better.language != query.language):
        return list(map(_Chosen, hits))
    return list(map(_Chosen, (better, *(hit for hit in hits if hit.external_id != better.external_id))))


def _measuring(replica: Replica, question: Question, reading: Reading, hits: Sequence[Hit]) -> Hit | None:
    """The first hit about the product that a question names with a row for the lengths and weights that it tells,
    unless the first of all is a reply that was written for them."""
    named = codes(_named(replica, question, reading))
    if hits[0].kind in ("faq", "resolution") or not named:
        return None

    def has_row(hit: Hit) -> bool:
        document = replica.index.document_of(hit)
        row = measured_row(question.text, shown_passage(hit, document), document)
        return row is not None and bool(named & codes([*hit.products, *row.section, row.text]))

    return next((hit for hit in hits[:LOOKED_AT] if has_row(hit)), None)


def _speaks(replica: Replica, hit: Hit, sku: str, wanted: Sequence[Attribute]) -> bool:
    """Whether a hit states what is asked: a product as a field, another document anywhere in its words."""
    if hit.kind == "product":
        return hit.products == (sku,) and _states(replica, hit, wanted)
    said = f"{hit.matched_text} {hit.text}"
    return all(attribute.spoken_of(said) for attribute in wanted)


def _states(replica: Replica, hit: Hit, wanted: Sequence[Attribute]) -> bool:
    held = [cell for passage in replica.index.document_of(hit) for cell in cells(passage)]
    return any(
        attribute.spoken_of(cell.value) if attribute.is_feature else attribute.labelled(cell.label)
        for attribute in wanted
        for cell in held
    )


def _names(replica: Replica, products: Sequence[str]) -> tuple[str, ...]:
    names: Mapping[str, tuple[str, ...]] = replica.shop.products
    return names.get(products[0], ()) if len(products) == 1 else ()


def _candidates(
    replies: Sequence[tuple[Hit, Composed]],
    confidence: float,
    weighed: Weighed,
    query: SearchQuery,
    exposure_id: str,
    unfit: Collection[str],
) -> tuple[CandidateAnswer, ...]:
    """The replies with their probabilities; one of a document that does not suit the question is hardly right."""
    likely = [confidence, *(weighed.confidence_of(hit, query) for hit, _ in replies[1:])]
    fitting = [
        min(value, UNFIT) if hit.external_id in unfit else value
        for value, (hit, _) in zip(likely, replies, strict=True)
    ]
    # What stands lower is not likelier, though its own features may say so.
    falling = itertools.accumulate(fitting, min)
    return tuple(
        _candidate(hit, composed, exposure_id, value)
        for (hit, composed), value in zip(replies, falling, strict=True)
    )


def _suits(hit: Hit, composed: Composed, weighed: Weighed) -> bool:
    """Whether a reply says something of what is asked, of such a product and of such a case."""
    return composed.fits and hit.external_id not in weighed.behind


def _tells(hit: Hit, features: Sequence[Attribute]) -> bool:
    """Whether a reply that is no product's speaks of the features that are asked of one; of a product's own documents
    their fields tell."""
    said = f"{hit.title} {hit.matched_text} {hit.text}"
    return hit.kind == "product" or all(feature.spoken_of(said) for feature in features)


def _candidate(hit: Hit, composed: Composed, exposure_id: str, confidence: float) -> CandidateAnswer:
    return CandidateAnswer(
        id=hit.passage_id,
        exposure_id=exposure_id,
        text=composed.text,
        kind=hit.kind,
        language=hit.language,
        confidence=round(confidence, 4),
        missing=composed.missing,
        citations=composed.citations,
        why=composed.why,
    )
