"""What a search looked at, in the words and numbers that people can follow: who proposed what, what counted how much,
and what was left out. Pure: it reads what the search itself noted (`Searched`), and scores nothing anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.models import Kind, Role
from kb_service.search.catalogue import LeftOutReason, Record
from kb_service.search.fusion import REGIMES, SIGNS, Blend, Regime, points
from kb_service.search.models import Reason, Rows, Scores
from kb_service.search.searching import Searched

SHOWN = 6
"""Rows of each table: what stands behind them moved nothing."""


@dataclass(frozen=True, slots=True)
class PassageTold:
    """A passage that was proposed. `cosine` is None where it has no vector; `points` are what each sign counts, by
    name, in log-odds, `evidence` their sum; `by` tells which ways proposed it."""

    external_id: str
    title: str
    text: str
    role: Role
    start: int
    end: int
    language: str
    regime: Regime
    cosine: float | None
    bm25: float
    coverage: float
    points: Mapping[str, float]
    evidence: float
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentTold:
    """A document in the order of the answer. Of its log-odds `passages` come from its passages, `as_kind` from what
    kind of document it is, `scope` from being made for such a customer and about such places, `graph` from the problem
    graph, `learned` from feedback and `reranked` from the reranker; `ahead` tells that it changed places with its
    translation. `score` is what they come to, 0 to 1. `precedents` is what judged questions say beside it, `behind`
    why it stands behind others whose words fit less."""

    external_id: str
    title: str
    kind: Kind
    language: str
    passages: float
    as_kind: float
    scope: float
    graph: float
    learned: float
    reranked: float
    evidence: float
    score: float
    precedents: float
    ahead: bool
    behind: Reason | None


@dataclass(frozen=True, slots=True)
class Trust:
    """What one sign's unit counts for the candidates of one regime, and how many those are."""

    regime: Regime
    blend: Blend
    passages: int


@dataclass(frozen=True, slots=True)
class GraphTie:
    """How strongly the graph ties a document to the question (0..1), and what feedback adds (log-odds)."""

    external_id: str
    title: str
    prior: float
    learned: float
    seen: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A document that the request may not see though it is among the best of all, and its score if it were seen."""

    external_id: str
    title: str
    reason: LeftOutReason
    score: float


@dataclass(frozen=True, slots=True)
class SearchExplained:
    """One search, stage by stage. `left_out` counts documents by the rule that kept them out, `seen` those that were
    open to it."""

    seen: int
    left_out: Mapping[LeftOutReason, int]
    best_left_out: tuple[LeftOut, ...]
    dense: tuple[PassageTold, ...]
    lexical: tuple[PassageTold, ...]
    questions: tuple[PassageTold, ...]
    trust: tuple[Trust, ...]
    ties: tuple[GraphTie, ...]
    documents: tuple[DocumentTold, ...]
    proposed: Mapping[str, int]
    reranks: bool


def explained(
    searched: Searched, *, wide: Searched, default_region: str | None, reranks: bool = False
) -> SearchExplained:
    """One search in words. `wide` is the same question asked of every document, whatever its state or audience;
    `reranks` tells whether there is a reranker."""
    told = _Telling(searched)
    by_reason = searched.snapshot.catalogue.left_out(
        searched.query.filters, searched.query.at, default_region=default_region
    )
    proposed, documents = searched.proposed, told.documents()
    alive = searched.snapshot.catalogue.alive
    return SearchExplained(
        seen=int(np.count_nonzero(alive)) - sum(int(mask.sum()) for mask in by_reason.values()),
        left_out={reason: int(mask.sum()) for reason, mask in by_reason.items()},
        best_left_out=_best_left_out(searched, wide, default_region),
        dense=told.best(proposed.near, searched.candidates.cosine),
        lexical=told.best(proposed.worded, searched.candidates.bm25),
        questions=told.questions(),
        trust=told.trust(),
        ties=told.ties(),
        documents=documents,
        proposed={
            "dense": len(proposed.near),
            "lexical": len(proposed.worded),
            "graph": len(proposed.linked),
            "together": len(searched.candidates.rows),
        },
        reranks=reranks,
    )


class _Telling:
    """Reads one search; the places of candidates are those of its arrays."""

    def __init__(self, searched: Searched) -> None:
        self._searched = searched
        self._catalogue = searched.snapshot.catalogue
        self._candidates = searched.candidates
        self._points = points(searched.candidates, searched.fusion)
        self._places = {row: place for place, row in enumerate(searched.candidates.rows.tolist())}

    def best(self, rows: Rows, scores: Scores) -> tuple[PassageTold, ...]:
        places = sorted(
            (self._places[row] for row in rows.tolist()),
            key=lambda place: (-np.nan_to_num(scores[place], nan=-1.0), place),
        )
        return tuple(map(self._passage, places[:SHOWN]))

    def questions(self) -> tuple[PassageTold, ...]:
        """The questions of resolutions and FAQs that the question was held against, the likest first."""
        found = [
            place
            for place, row in enumerate(self._candidates.rows.tolist())
            if self._catalogue.passages[row].role == "question"
        ]
        cosine = np.nan_to_num(self._candidates.cosine, nan=-1.0)
        return tuple(map(self._passage, sorted(found, key=lambda place: (-cosine[place], place))[:SHOWN]))

    def trust(self) -> tuple[Trust, ...]:
        counts = np.bincount(self._candidates.regimes, minlength=len(REGIMES)).tolist()
        fusion, language = self._searched.fusion, self._candidates.language
        return tuple(
            Trust(regime, fusion.blend_of(language, regime), count)
            for regime, count in zip(REGIMES, counts, strict=True)
            if count
        )

    def ties(self) -> tuple[GraphTie, ...]:
        query = self._searched.query
        named = {*query.prior, *query.learned}
        slots = self._catalogue.slots_of(named).tolist()
        seen = set(self._candidates.documents.tolist())
        records = self._catalogue.records
        found = [
            GraphTie(
                records[slot].external_id,
                records[slot].title,
                query.prior.get(records[slot].external_id, 0.0),
                query.learned.get(records[slot].external_id, 0.0),
                slot in seen,
            )
            for slot in slots
        ]
        return tuple(sorted(found, key=lambda tie: (-tie.prior, -tie.learned, tie.external_id))[:SHOWN])

    def documents(self) -> tuple[DocumentTold, ...]:
        """The hits in their final order, with what their log-odds are made of."""
        fused, fusion = self._searched.fused, self._searched.fusion
        place_of = {
            self._record(int(best)).external_id: (place, int(best)) for place, best in enumerate(fused.best)
        }
        before = {hit.external_id: (place, hit) for place, hit in enumerate(self._searched.before)}
        found = []
        for hit in self._searched.hits:
            place, best = place_of[hit.external_id]
            total = float(fused.evidence[place])
            scope = fusion.scope * float(self._candidates.scoped[best]) + float(fused.lifts[place])
            as_kind = float(fused.kinds[place])
            graph = fusion.prior * float(self._candidates.prior[best])
            learned = float(self._candidates.learned[best]) if self._candidates.learned is not None else 0.0
            shown, as_fused = before[hit.external_id]
            found.append(
                DocumentTold(
                    external_id=hit.external_id,
                    title=hit.title,
                    kind=hit.kind,
                    language=hit.language,
                    passages=total - as_kind - scope - graph - learned,
                    as_kind=as_kind,
                    scope=scope,
                    graph=graph,
                    learned=learned,
                    reranked=hit.evidence - as_fused.evidence,
                    evidence=hit.evidence,
                    score=hit.score,
                    precedents=self._searched.precedents.get(hit.external_id, 0.0),
                    ahead=shown < place,
                    behind=self._searched.behind.get(hit.external_id),
                )
            )
        return tuple(found[:SHOWN])

    def _record(self, place: int) -> Record:
        return self._catalogue.records[int(self._candidates.documents[place])]

    def _passage(self, place: int) -> PassageTold:
        row = int(self._candidates.rows[place])
        passage, record = self._catalogue.passages[row], self._record(place)
        cosine = float(self._candidates.cosine[place])
        parts = self._points[place].tolist()
        return PassageTold(
            external_id=record.external_id,
            title=record.title,
            text=passage.text,
            role=passage.role,
            start=passage.start,
            end=passage.end,
            language=record.language,
            regime=REGIMES[int(self._candidates.regimes[place])],
            cosine=None if np.isnan(cosine) else cosine,
            bm25=float(self._candidates.bm25[place]),
            coverage=float(self._candidates.coverage[place]),
            points=dict(zip(SIGNS, parts, strict=True)),
            evidence=float(sum(parts)),
            by=self._by(row),
        )

    def _by(self, row: int) -> tuple[str, ...]:
        proposed = self._searched.proposed
        ways = {"dense": proposed.near, "lexical": proposed.worded, "graph": proposed.linked}
        return tuple(name for name, rows in ways.items() if row in rows)


def _best_left_out(searched: Searched, wide: Searched, default_region: str | None) -> tuple[LeftOut, ...]:
    """The best documents of all that the request may not see."""
    catalogue = wide.snapshot.catalogue
    by_reason = catalogue.left_out(searched.query.filters, searched.query.at, default_region=default_region)
    found = []
    for hit in wide.hits:
        (slot,) = catalogue.slots_of((hit.external_id,)).tolist()
        reason = next((name for name, mask in by_reason.items() if mask[slot]), None)
        if reason is not None:
            found.append(LeftOut(hit.external_id, hit.title, reason, hit.score))
    return tuple(found[:SHOWN])
