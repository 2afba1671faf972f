"""Replies made of hits: exact spans, filled placeholders, the sentences that answer."""

from __future__ import annotations

from typing import Any

import pytest

from kb_service.composing import compose_reply
from kb_service.replying.excerpts import WHOLE
from kb_service.search.models import Hit


def hit(text: str, **given: Any) -> Hit:
    start = given.pop("start", 40)
    values: dict[str, Any] = {
        "passage_id": "p1", "external_id": "policy-1", "version": 1, "title": "Returns", "kind": "policy",
        "language": "en", "role": "prose", "text": text, "section": ("Time",), "start": start,
        "end": start + len(text), "score": 0.8, "dense": 0.5, "lexical": 9.0, "graph": 0.0, "coverage": 0.7,
    }  # fmt: skip
    return Hit(**{**values, **given})


def test_a_short_passage_is_sent_whole_and_cited_by_its_offsets() -> None:
    source = hit("Unworn clothing may be returned within 30 days.")
    composed = compose_reply(source, "how long to return a jacket", {}, "en")
    assert composed.text == source.text
    assert (composed.citation.start, composed.citation.end) == (source.start, source.end)
    assert composed.citation.quote == source.text


def test_a_long_passage_gives_the_sentences_that_answer_as_one_span() -> None:
    filler = "We are glad that you shop with us and wish you a pleasant day. " * 6
    answer = "Refunds to a credit card arrive within five working days."
    text = filler + answer + " " + filler.strip()
    assert len(text) > WHOLE
    composed = compose_reply(hit(text), "when does my refund reach my credit card", {}, "en")
    citation = composed.citation
    assert answer in composed.text
    assert len(composed.text) < len(text) / 2
    assert text[citation.start - 40 : citation.end - 40] == citation.quote


def test_a_field_names_its_product() -> None:
    composed = compose_reply(
        hit("保修期: 12 个月", role="field", kind="product", language="zh", title="晨风耳机"),
        "保修多久",
        {},
        "zh",
    )
    assert composed.text == "晨风耳机的保修期是 12 个月。"
    assert composed.citation.quote == "保修期: 12 个月"


@pytest.mark.parametrize(("language", "words"), [("zh", "以往的处理记录"), ("en", "known of such problems")])
def test_the_graphs_share_is_a_reason_of_its_own(language: str, words: str) -> None:
    composed = compose_reply(hit("Reply.", graph=0.2, score=0.9), "q", {}, language)
    reasons = {reason.code: reason for reason in composed.why}
    assert words in reasons["problem_answer"].text
    assert reasons["problem_answer"].weight == 0.2
    assert reasons["policy_match"].weight == pytest.approx(0.7)


def test_a_similar_resolution_shows_what_was_asked_then() -> None:
    source = hit(
        "We send a new one.",
        kind="resolution",
        role="reply",
        matched_role="question",
        matched_text="It broke",
        dense=0.9,
    )
    assert "It broke" in compose_reply(source, "broken", {}, "en").why[0].text


def test_a_past_question_that_is_only_related_is_not_called_the_same() -> None:
    source = hit(
        "We send a new one.",
        kind="resolution",
        role="reply",
        matched_role="question",
        dense=0.3,
        coverage=0.4,
    )
    assert compose_reply(source, "broken", {}, "en").why[0].code == "related_resolution"
