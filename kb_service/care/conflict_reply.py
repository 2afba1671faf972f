"""What an agent sees when two documents disagree about what was asked: both, each with its statement. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kb_service.care.conflict_watch import Conflict, ConflictSide
from kb_service.models import CandidateAnswer, Citation, Why

WHY = {
    "zh": "与另一份有效文档矛盾：{difference}",
    "en": "Contradicts another valid document: {difference}",
}


def both_sides(
    answers: Sequence[CandidateAnswer], conflict: Conflict, *, exposure_id: str, language: str, limit: int
) -> tuple[CandidateAnswer, ...]:
    """The answers of both documents first, whichever was better before the other, each citing its statement.

    A document that was not among the answers comes with its statement alone. `language`, zh or en, is that of the
    reasons; at least two answers are returned, else at most `limit`.
    """
    places = {answer.citations[0].document_id: place for place, answer in reversed(list(enumerate(answers)))}
    sides = sorted(conflict.documents, key=lambda side: places.get(side.document_id, len(answers)))
    first = []
    for side in sides:
        place = places.get(side.document_id)
        known = answers[place] if place is not None else _alone(side, exposure_id)
        why = Why("conflict", WHY[language].format(difference=conflict.difference[language]), conflict.score)
        first.append(replace(known, citations=(_citation(side),), why=(why, *known.why)))
    named = {side.document_id for side in sides}
    others = [answer for answer in answers if answer.citations[0].document_id not in named]
    return (*first, *others)[: max(limit, 2)]


def touched(answers: Sequence[CandidateAnswer], conflict: Conflict) -> bool:
    """Whether what would be said holds what is contested: the best answer, or those of both documents.

    A question about another part of the two documents is answered from there, whatever they disagree about elsewhere.
    """
    if not answers:
        return False
    best = any(_quotes(answers[0], side) for side in conflict.documents)
    return best or all(any(_quotes(answer, side) for answer in answers) for side in conflict.documents)


def _quotes(answer: CandidateAnswer, side: ConflictSide) -> bool:
    return any(
        citation.document_id == side.document_id and citation.start < side.end and side.start < citation.end
        for citation in answer.citations
    )


def _alone(side: ConflictSide, exposure_id: str) -> CandidateAnswer:
    return CandidateAnswer(
        id=side.passage_id,
        exposure_id=exposure_id,
        text=side.quote,
        kind=side.kind,
        language=side.language,
        confidence=0.0,
        missing=(),
        citations=(),
        why=(),
    )


def _citation(side: ConflictSide) -> Citation:
    return Citation(
        document_id=side.document_id,
        title=side.title,
        url=side.url,
        section=side.section,
        quote=side.quote,
        start=side.start,
        end=side.end,
        valid_from=side.valid_from,
        valid_to=side.valid_to,
    )
