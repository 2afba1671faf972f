"""The answers of a conflict: both documents first, each citing the statement that the other contradicts."""

from __future__ import annotations

from datetime import UTC, datetime

from kb_service.care.conflict_reply import both_sides
from kb_service.care.conflict_watch import Conflict, ConflictSide
from kb_service.models import CandidateAnswer, Citation


def side(document_id: str, quote: str) -> ConflictSide:
    return ConflictSide(
        document_id=document_id,
        title=document_id.title(),
        kind="policy",
        language="en",
        url=None,
        section=("Cost",),
        quote=quote,
        start=5,
        end=5 + len(quote),
        valid_from=None,
        valid_to=None,
        passage_id=f"p-{document_id}",
    )


CONFLICT = Conflict(
    id="cf_1",
    aspect="quantity",
    score=0.9,
    matters=("free_delivery",),
    difference={"zh": "包邮：99 与 129", "en": "Free delivery: 99 against 129"},
    documents=(side("a", "free from 99"), side("b", "free from 129")),
    since=datetime(2026, 3, 1, tzinfo=UTC),
    until=datetime(2026, 7, 1, tzinfo=UTC),
)


def answer(document_id: str, confidence: float = 0.5) -> CandidateAnswer:
    citation = Citation(document_id, document_id, None, (), "another sentence", 0, 16, None, None)
    return CandidateAnswer(
        f"x-{document_id}", "exp_1", "text", "policy", "en", confidence, (), (citation,), ()
    )


def told(answers: list[CandidateAnswer], limit: int = 3) -> list[tuple[str, str]]:
    made = both_sides(answers, CONFLICT, exposure_id="exp_1", language="en", limit=limit)
    return [(item.citations[0].document_id, item.citations[0].quote) for item in made]


def test_both_documents_come_first_in_the_order_they_were_found_in() -> None:
    assert told([answer("c"), answer("b"), answer("a"), answer("d")]) == [
        ("b", "free from 129"),
        ("a", "free from 99"),
        ("c", "another sentence"),
    ]


def test_a_document_that_was_not_among_the_answers_is_added_even_beyond_the_limit() -> None:
    made = both_sides([answer("a")], CONFLICT, exposure_id="exp_1", language="en", limit=1)
    assert [item.id for item in made] == ["x-a", "p-b"]
    assert made[1].text == "free from 129" and made[1].exposure_id == "exp_1"


def test_the_reason_names_the_difference_in_the_readers_language() -> None:
    (first, second) = both_sides(
        [answer("a"), answer("b")], CONFLICT, exposure_id="exp_1", language="zh", limit=2
    )
    assert first.why[0].code == second.why[0].code == "conflict"
    assert "99 与 129" in first.why[0].text


def test_a_conflict_is_valid_while_both_documents_are() -> None:
    april, february, august = (datetime(2026, month, 1, tzinfo=UTC) for month in (4, 2, 8))
    assert CONFLICT.valid(april) and not CONFLICT.valid(february) and not CONFLICT.valid(august)
    assert CONFLICT.valid(february, upcoming=True) and not CONFLICT.valid(august, upcoming=True)
    assert not CONFLICT.valid(datetime(2026, 7, 1, tzinfo=UTC))
