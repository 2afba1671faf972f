"""Sentences of prose: the one that answers, with what limits it, introduces it, or it refers to."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.models import Passage
from kb_service.replying.asking import ask, asking_clauses
from kb_service.replying.excerpts import WHOLE, best_passage, excerpt

DELIVERY = (
    "Delivery is free from ¥129. Below that it costs ¥8. Gold and platinum members never pay for delivery. "
    "Large goods are delivered free within 31 cities; carrying upstairs without a lift costs ¥15 per floor."
)
POINTS = "- 实付 ¥1 得 1 积分，签收后第 16 天到账。\n- 100 积分抵 ¥1，单笔最多抵实付金额的 30%。\n- 积分有效期到次年 12 月 31 日。2025 年获得的积分在 2026 年 12 月 31 日过期。\n- 退货时扣回该订单获得的积分。"
EXCLUDED = "下列商品拆封之后，不支持无理由退货：\n- 袜子和保暖内衣。\n- 毛巾，撕开腰封即算。\n- 入耳式耳机。\n\n没有拆封的，15 天内可退，运费按退货政策由顾客或者拾岚承担，请在订单页申请并且选择取件时间。"


def said(text: str, *questions: str, likeness: object = None) -> list[str]:
    spans = excerpt(text, [ask(question) for question in questions], likeness)  # type: ignore[arg-type]
    return [text[start:end] for start, end in spans]


def test_the_sentence_is_sent_with_its_condition_and_nothing_else() -> None:
    (sentence,) = said(DELIVERY, "How much is delivery below the limit?")
    assert "Delivery is free from ¥129. Below that it costs ¥8." in sentence
    assert "lift" not in sentence


def test_an_item_of_a_list_is_quoted_whole_and_without_its_bullet() -> None:
    assert said(POINTS, "积分什么时候过期") == [
        "积分有效期到次年 12 月 31 日。2025 年获得的积分在 2026 年 12 月 31 日过期。"
    ]


def test_an_item_keeps_what_introduces_its_list() -> None:
    lead, item = said(EXCLUDED, "毛巾能退吗")
    assert lead == "下列商品拆封之后，不支持无理由退货："
    assert item == "毛巾，撕开腰封即算。"


def test_an_enumeration_is_sent_whole() -> None:
    (whole,) = said(EXCLUDED, "哪些商品拆封后不支持退货")
    assert whole.startswith("下列商品") and whole.endswith("入耳式耳机。")


def test_a_value_of_the_kind_that_is_asked_for_decides() -> None:
    text = (
        "Ask for the invoice after delivery under My orders. The invoice is sent to the app and by e-mail, and "
        "you can print it. The invoice arrives within 24 hours."
    )
    assert said(text, "how long does the invoice take") == ["The invoice arrives within 24 hours."]


def test_a_message_that_asks_nothing_gets_the_paragraph() -> None:
    text = (
        "If the same order was charged twice, send us a screenshot of both charges. When the bank confirms the "
        "second one, we reverse it within 3 working days. A pending one disappears by itself."
    )
    assert said(text, "I was billed two times") == [text]


def test_meaning_is_asked_once_and_only_where_words_leave_it_open() -> None:
    calls: list[list[str]] = []

    def likeness(texts: list[str]) -> list[float]:
        calls.append(list(texts))
        return [0.9 if "sofa" in text else 0.1 for text in texts]

    text = "The courier collects small parcels from the door of your house on any day. A sofa needs a visit of two people with a van. Tips are not expected from you by anybody."
    assert said(text, "who takes away my couch", likeness=likeness) == [
        "A sofa needs a visit of two people with a van."
    ]
    assert len(calls) == 1 and len(calls[0]) == 3
    said(text, "are tips expected", likeness=likeness)
    assert len(calls) == 1


def test_the_clauses_of_a_question_each_find_their_sentence() -> None:
    found = "".join(said(POINTS, "100 积分抵多少钱", "积分什么时候过期"))
    assert "100 积分抵 ¥1" in found and "12 月 31 日过期" in found and "退货时扣回" not in found


@pytest.mark.parametrize(
    ("clauses", "asking"),
    [
        (["多久能到", "能开发票吗"], ("多久能到", "能开发票吗")),
        (["屏幕碎了", "我要退货"], ()),
        (["你好", "多久能到"], ()),
        (
            ["how long does it take", "can I get an invoice"],
            ("how long does it take", "can I get an invoice"),
        ),
    ],
)
def test_only_clauses_that_ask_are_answered_apart(clauses: list[str], asking: tuple[str, ...]) -> None:
    assert asking_clauses(clauses) == asking


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([
            "Delivery is free from ¥129.", "但偏远地区除外。", "- 满 ¥99 包邮；不足收 ¥8。\n", "1. Open the app.\n", "\n\n",
            "下列商品不可退：\n", "However, gold members never pay.", " ", "积分 30 天有效，", "🎁 gifts… ", "They are kept.",
        ]),
        max_size=25,
    ),
    st.sampled_from(["运费多少", "how long", "怎么退", "哪些不可退", "", "gifts"]),
)  # fmt: skip
def test_spans_are_ordered_apart_and_within_the_text(parts: list[str], question: str) -> None:
    text = "".join(parts).strip()
    spans = excerpt(text, [ask(question)], None)
    assert spans
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    assert not text or sum(end - start for start, end in spans) > 0
    assert WHOLE > 0


RETURNS = tuple(
    Passage(f"p{ordinal}", "returns", 1, ordinal, "prose", text, 0, len(text), (), "Returns")
    for ordinal, text in enumerate(
        (
            "We may hold the refund until the goods arrive.",
            "You may withdraw from a purchase within 14 days of delivery.",
            "Goods must be free of defects for two years from delivery.",
        )
    )
)


@pytest.mark.parametrize(
    ("question", "near", "best"),
    [
        ("几天内可以退货", {"p0": 0.47, "p1": 0.46, "p2": 0.2}, 1),
        ("几天内可以退货", {"p0": 0.47, "p1": 0.2, "p2": 0.2}, 0),
        ("几天内可以退货", {}, 0),
        ("怎么退货", {"p0": 0.47, "p1": 0.46, "p2": 0.2}, 0),
        ("how long until the refund", {"p0": 0.47, "p1": 0.46, "p2": 0.2}, 0),
    ],
)
def test_across_languages_a_passage_as_near_in_meaning_that_states_the_value_is_quoted(
    question: str, near: dict[str, float], best: int
) -> None:
    """ "几天内可以退货" was answered with how a refund may be held, of a page whose next paragraph says 14 days."""
    assert best_passage(RETURNS[0], RETURNS, ask(question), near=lambda: near) is RETURNS[best]


def test_a_passage_that_states_the_value_itself_stays() -> None:
    def near() -> dict[str, float]:
        raise AssertionError("nothing is compared where words or the value decide")

    assert best_passage(RETURNS[1], RETURNS, ask("几天内可以退货"), near=near) is RETURNS[1]
    assert best_passage(RETURNS[0], RETURNS, ask("how long is the refund held"), near=near) is RETURNS[0]
