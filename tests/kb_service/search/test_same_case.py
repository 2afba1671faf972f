"""Replies for another case's figures stand behind the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kb_service.search.models import Hit
from kb_service.search.same_case import of_other_cases
from tests.kb_service.search.shelf import asked
from tests.kb_service.search.test_confidence import HIT


def a_case(question: str, reply: str, title: str = "") -> Hit:
    return replace(
        HIT, external_id="case", title=title, matched_role="question", matched_text=question, text=reply
    )


def is_other(query: str, hit: Hit) -> bool:
    return bool(of_other_cases((hit,), asked(query), _case_of))


def _case_of(hit: Hit) -> str:
    return hit.matched_text


SIZE = a_case("175 cm 70公斤DJ02拿L还是XL", "建议选 L，对应身高 170–176 cm、体重 64–73 kg。")
TODAY = a_case("现在下午三点付款今天能发吗", "16:00 前付款当天发。您现在付款今天就能发。")
FAULT = a_case("The desk shows E01", "Unplug it for 30 seconds.")


@pytest.mark.parametrize(
    ("query", "hit", "other"),
    [
        ("178cm 70kg DJ02 size?", SIZE, True),
        ("172 cm 80公斤DJ02选什么码", SIZE, True),
        ("174cm 66kg DJ02 size?", SIZE, False),
        ("DJ02 怎么选码", SIZE, False),
        ("下午5点20下单今天发吗", TODAY, True),
        ("paid at 4:30 pm, shipped today?", TODAY, True),
        ("下午三点付款", TODAY, False),
        ("desk shows E05", FAULT, True),
        ("desk shows e01", FAULT, False),
        ("desk shows M05", FAULT, False),
    ],
)
def test_figures_that_decide_a_case_tell_another_one(query: str, hit: Hit, other: bool) -> None:
    assert is_other(query, hit) is other


def test_how_long_ago_is_no_other_case() -> None:
    assert not is_other("three weeks and not arrived", a_case("都十天了还没到", "我们来查。"))


@pytest.mark.parametrize(
    ("query", "other"),
    [
        ("双十二什么时候开始", True),
        ("double 12 coupon how much", True),
        ("618 有券吗", True),
        ("双11几点开卖", False),
        ("Double Eleven start", False),
        ("双十一和双十二哪个便宜", False),
        ("什么时候开卖", False),
    ],
)
def test_another_campaign_is_another_case(query: str, other: bool) -> None:
    policy = replace(
        HIT, title="2026 双十一活动规则", matched_role="prose", matched_text="", text="20:00 开卖。"
    )
    assert is_other(query, policy) is other


def test_what_tells_of_both_is_for_both() -> None:
    both = a_case("The desk shows E01 or E08", "E01: unplug. E08: take something off.")
    assert not is_other("desk shows E08", both)
    assert is_other("desk shows E05", both)
