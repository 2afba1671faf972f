"""Terms of both languages: the same name for the same matter, the longer one first, labels for people."""

from __future__ import annotations

import re
import time

import pytest

from ingest.shop_terms import label, terms


def names(text: str) -> set[str]:
    return {term.name for term in terms(text)}


@pytest.mark.parametrize(
    ("chinese", "english", "name"),
    [
        ("满 99 元包邮", "Delivery is free from ¥99", "free_delivery"),
        ("7 天内可退", "may be returned within 7 days", "returning"),
        ("保修期 12 个月", "a warranty of 12 months", "warranty"),
        ("付款后 48 小时内发货", "orders are dispatched within 48 hours", "dispatch"),
        ("价格保护 30 天", "price protection for 30 days", "price_protection"),
        ("拆封后不退", "not returnable once opened", "opened"),
        ("质量问题", "a faulty item", "faulty"),
        ("铂金会员", "platinum members", "platinum"),
        ("香港订单", "orders to Hong Kong", "hong_kong"),
        ("入耳式耳机", "in-ear headphones", "earbuds"),
        ("礼品卡", "gift cards", "gift_card"),
    ],
)
def test_both_languages_give_the_same_term(chinese: str, english: str, name: str) -> None:
    assert name in names(chinese) and name in names(english)


def test_the_more_particular_matter_wins() -> None:
    assert "return_postage" in names("退货运费由顾客承担")
    assert not {"delivery_fee", "returning"} & names("退货运费由顾客承担")
    assert "unopened" in names("没有拆封的可退") and "opened" not in names("没有拆封的可退")


def test_english_terms_are_whole_words() -> None:
    assert "phone" not in names("headphones and microphones")
    assert "gold" not in names("golden brown")


def test_offsets_are_characters_of_the_text() -> None:
    text = "退货：EB20 耳机"
    assert [text[term.start : term.end] for term in terms(text) if term.name == "earbuds"] == ["耳机"]


def test_every_matter_is_called_something_plain_in_both_languages() -> None:
    for name in ("free_delivery", "returning", "warranty", "validity", "exchange", "dispatch"):
        assert re.fullmatch(r"[\u4e00-\u9fff]+", label(name)["zh"]), label(name)
        assert re.fullmatch(r"[a-z ]+", label(name)["en"])


def test_hostile_text_takes_time_in_proportion_to_its_length() -> None:
    begin = time.perf_counter()
    for text in ("delivery " * 2_000, "d" * 20_000, "没" * 20_000, "send it " * 2_500):
        terms(text)
    assert time.perf_counter() - begin < 3.0
