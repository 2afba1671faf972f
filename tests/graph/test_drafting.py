from __future__ import annotations

from datetime import timedelta

from graph.drafting import SOURCES, AcceptedReply, drafted
from graph.gaps import gap_of
from tests.graph.test_gaps import AT, INVOICE, asked
from tests.graph.utterances import say

REPLIES = [
    "Yes, choose company when you ask for the invoice and give {order.id}.",
    "Choose company when you ask for the invoice.",
    "We have refunded the shipping fee.",
]
GAP = gap_of([asked(str(n), text) for n, text in enumerate(INVOICE)])


def reply(id: str, text: str, hours: int = 0) -> AcceptedReply:
    return AcceptedReply(id, "resolution", AT + timedelta(hours=hours), say(text))


def test_the_body_is_the_most_typical_reply_word_for_word() -> None:
    draft = drafted(GAP, [reply(f"r{n}", text, n) for n, text in enumerate(REPLIES)])
    assert draft is not None
    assert draft.body in REPLIES[:2]
    assert draft.question in INVOICE
    assert draft.language == "en"
    assert draft.sources[0].utterance.text == draft.body
    assert {source.id for source in draft.sources} == {"r0", "r1", "r2"}


def test_placeholders_stay() -> None:
    draft = drafted(GAP, [reply("r", REPLIES[0])])
    assert draft is not None
    assert "{order.id}" in draft.body


def test_a_reply_in_the_language_of_the_questions_goes_first() -> None:
    chinese = [reply(f"z{n}", f"可以，申请开票时选择企业抬头{n}") for n in range(3)]
    draft = drafted(GAP, [*chinese, reply("r", REPLIES[0])])
    assert draft is not None
    assert (draft.language, draft.body) == ("en", REPLIES[0])
    other = drafted(GAP, chinese)
    assert other is not None
    assert other.language == "zh"
    assert other.question in INVOICE


def test_courtesy_is_no_article() -> None:
    assert drafted(GAP, [reply("r", "thank you"), reply("s", "好的")]) is None
    assert drafted(GAP, []) is None


def test_sources_are_bounded_and_the_latest() -> None:
    draft = drafted(GAP, [reply(f"r{n:02}", f"choose company number {n} for it", n) for n in range(30)])
    assert draft is not None
    assert len(draft.sources) == SOURCES
    others = [source.at for source in draft.sources[1:]]
    assert others == sorted(others, reverse=True)
