from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graph.gaps import Unanswered, asks_something, found_at, gap_of, grouped, rewritten
from graph.rules import Rules
from tests.graph.utterances import say, words

AT = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
INVOICE = [
    "can the invoice name my company",
    "invoice with my company name please, can the invoice name it",
    "company name on the invoice, can the invoice name my company",
]
PARCEL = ["the parcel locker refuses my pickup code", "pickup code refused by the parcel locker"]


def asked(id: str, text: str = INVOICE[0], **changes: Any) -> Unanswered:
    values: dict[str, Any] = {
        "id": id,
        "at": AT,
        "text": text,
        "utterance": say(text),
        "reason": "nothing_found",
        "customer_id": f"u-{id}",
    }
    return Unanswered(**(values | changes))


def ids(groups: tuple[tuple[Unanswered, ...], ...]) -> set[frozenset[str]]:
    return {frozenset(question.id for question in group) for group in groups}


def test_questions_are_grouped_by_meaning_whatever_their_order() -> None:
    questions = [asked(f"i{n}", text, at=AT + timedelta(hours=n)) for n, text in enumerate(INVOICE)]
    questions += [asked(f"p{n}", text, at=AT + timedelta(hours=n)) for n, text in enumerate(PARCEL)]
    expected = {frozenset({"i0", "i1", "i2"}), frozenset({"p0", "p1"})}
    assert ids(grouped(questions)) == expected
    assert ids(grouped(reversed(questions))) == expected


def test_questions_of_one_problem_belong_together_and_draw_others_in() -> None:
    questions = [
        asked("a", INVOICE[0], problem_id="p1"),
        asked("b", "totally other words", problem_id="p1"),
        asked("c", INVOICE[0], at=AT - timedelta(days=1)),
        asked("d", PARCEL[0]),
    ]
    assert ids(grouped(questions)) == {frozenset({"a", "b", "c"}), frozenset({"d"})}


def test_a_customer_has_one_vote_a_day() -> None:
    later = AT + timedelta(hours=1)
    questions = [
        asked("a", customer_id="u1"),
        asked("b", customer_id="u1", at=later, reason="rejected"),
        asked("c", customer_id="u1", at=AT + timedelta(days=1)),
        asked("d", customer_id=None, conversation_id="c9", at=AT + timedelta(days=1)),
        asked("e", customer_id=None, conversation_id="c9", at=AT + timedelta(days=1, hours=1)),
        asked("f", customer_id=None, at=AT + timedelta(days=2)),
    ]
    gap = gap_of(questions)
    assert (len(gap.questions), len(gap.ballots), gap.customers) == (6, 4, 3)
    assert [question.id for question in gap.ballots] == ["b", "c", "e", "f"]
    assert gap.reasons == {"rejected": 1, "nothing_found": 3}
    assert gap.reason == "nothing_found"
    assert (gap.first_at, gap.last_at) == (AT, AT + timedelta(days=2))


def test_of_equally_frequent_reasons_the_one_people_gave_wins() -> None:
    gap = gap_of([asked("a", reason="unsure"), asked("b", reason="rewritten")])
    assert gap.reason == "rewritten"


def test_languages_and_products_stand_by_frequency() -> None:
    texts = ["发票能开公司抬头吗", "发票抬头能写公司吗", INVOICE[0]]
    gap = gap_of(
        [asked(str(n), text, products=("SKU-2",) if n else ("SKU-1",)) for n, text in enumerate(texts)]
    )
    assert gap.languages == ("zh", "en")
    assert gap.products == ("SKU-2", "SKU-1")
    assert gap.typical.utterance.language == "zh"


@pytest.mark.parametrize(
    ("hours", "customers", "found"),
    [
        ((0, 1, 2), ("a", "b", "c"), True),
        ((0, 1, 2), ("a", "b", "b"), False),
        ((0, 1, 200), ("a", "b", "c"), False),
    ],
)
def test_a_gap_is_found_when_enough_customers_ask_within_the_window(
    hours: tuple[int, ...], customers: tuple[str, ...], found: bool
) -> None:
    questions = [
        asked(str(n), customer_id=customer, at=AT + timedelta(hours=hour))
        for n, (hour, customer) in enumerate(zip(hours, customers, strict=True))
    ]
    now = questions[-1].at + timedelta(minutes=1)
    at = found_at(gap_of(questions), Rules(), now)
    assert (at == questions[-1].at) if found else (at is None)
    assert found_at(gap_of(questions), Rules(), now + timedelta(days=30)) is None


@pytest.mark.parametrize(
    ("text", "something"),
    [
        ("can the invoice name my company", True),
        ("hello", False),
        ("谢谢", False),
        ("you stupid idiots", False),
        ("滚蛋", False),
        ("this stupid kettle leaks, may I return it", True),
        ("I want to make a complaint", True),
        ("怎么投诉", True),
        ("", False),
    ],
)
def test_small_talk_and_abuse_are_no_questions(text: str, something: bool) -> None:
    assert asks_something(say(text)) is something


def test_another_text_is_told_from_a_corrected_one() -> None:
    offered = words("Unworn clothing may be returned within 30 days of delivery, with its label")
    assert not rewritten(words("Clothing may be returned within 30 days of delivery."), offered)
    assert not rewritten(words("Hello! Unworn clothing may be returned within 14 days"), offered)
    assert rewritten(words("We exchange cracked screens free of charge at every branch"), offered)
    assert not rewritten(words("done"), offered)
