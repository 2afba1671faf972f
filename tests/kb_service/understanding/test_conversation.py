"""Turns of a conversation: what the last one needs of those before it, and what it does not."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kb_service.models import Turn
from kb_service.understanding.conversation import asked, bearing_of

DIALOGUES = [
    json.loads(line) for line in (Path(__file__).parent / "dialogues.jsonl").read_text("utf-8").splitlines()
]
SUBJECTS = (
    "refund return invoic coupon parcel deliveri exchang cancel 退款 退货 发票 运费 快递 物流 地址 取消 积分"
)
TOPICS = frozenset(SUBJECTS.split())


def named(text: str) -> list[tuple[int, int]]:
    """Products as in the sample: two letters or three and two digits."""
    return [match.span() for match in re.finditer("[A-Z]{2,3}[0-9]{2}", text)]


def talk(*texts: str) -> list[Turn]:
    return [
        Turn("bot", text.removeprefix("bot:")) if text.startswith("bot:") else Turn("customer", text)
        for text in texts
    ]


def test_there_are_dialogues_enough_in_both_languages() -> None:
    counted = Counter((item["language"], item["bearing"]) for item in DIALOGUES)
    for language in ("zh", "en"):
        assert sum(count for (spoken, _), count in counted.items() if spoken == language) >= 20
        assert all(counted[language, bearing] for bearing in ("elliptic", "continues", "shifts", "stands"))
    assert len({item["id"] for item in DIALOGUES}) == len(DIALOGUES)


@pytest.mark.parametrize("item", DIALOGUES, ids=lambda item: str(item["id"]))
def test_a_turn_that_needs_the_history_has_it_and_one_that_shifts_is_searched_alone(
    item: dict[str, Any],
) -> None:
    turns = [Turn(turn["role"], turn["text"]) for turn in item["turns"]]
    read = asked(turns[-1].text, turns, named=named)
    assert read.said == turns[-1].text
    if item["bearing"] == "shifts" and read.bearing == "shifts":
        assert read.meant == read.said
        assert read.weights == {}
    elif item["bearing"] in ("elliptic", "continues"):
        assert read.bearing in ("elliptic", "continues", "stands")
        assert set(read.weights.values()) <= {0.2, 0.4, 0.6}


def test_most_dialogues_are_read_as_they_are_meant() -> None:
    needs = {"elliptic": True, "continues": True, "shifts": False, "stands": False}
    right = 0
    for item in DIALOGUES:
        turns = [Turn(turn["role"], turn["text"]) for turn in item["turns"]]
        bearing = asked(turns[-1].text, turns, named=named).bearing
        right += needs[bearing] == needs[item["bearing"]]
    assert right / len(DIALOGUES) >= 0.85


@pytest.mark.parametrize(
    "text",
    [
        "那要多久？",
        "and for the blue one?",
        "它防水吗",
        "what about PayPal",
        "蓝色的呢",
        "how long?",
        "多少钱",
        "why not",
    ],
)
def test_too_little_is_elliptic(text: str) -> None:
    assert bearing_of(text, topics=TOPICS) == "elliptic"


@pytest.mark.parametrize(
    "text",
    ["另外发票怎么开", "对了，能改地址吗", "还有一个问题 积分怎么用", "Another question: do you ship abroad",
     "by the way, can I combine coupons", "one more thing, how do I cancel"],
)  # fmt: skip
def test_another_subject_is_announced(text: str) -> None:
    assert bearing_of(text, topics=TOPICS) == "shifts"


@pytest.mark.parametrize(
    "text",
    ["退货的运费谁出", "How do I get a refund for a cancelled parcel", "我想取消刚拍的订单，地址也写错了",
     "the zipper of my jacket broke after two washes"],
)  # fmt: skip
def test_enough_stands_alone(text: str) -> None:
    assert bearing_of(text, topics=TOPICS) == "stands"


def test_an_elliptic_turn_is_read_with_what_it_follows_on() -> None:
    read = asked("那要多久", talk("退款会退到哪里", "bot:原路退回。", "那要多久"), named=named)
    assert read.meant == "退款会退到哪里 那要多久"
    assert read.weights["退款"] == 0.6
    assert "多久" not in read.weights  # the last turn's own words count in full
    assert read.language == "zh"
    assert read.corrected is None


def test_another_product_takes_the_place_of_the_first() -> None:
    read = asked("那HP70呢", talk("EB50降噪能听多久", "那HP70呢"), named=named)
    assert "EB50" not in read.meant
    assert "降噪" in read.meant
    assert not any("eb50" in term for term in read.weights)


def test_a_product_stays_the_subject_of_the_next_turns() -> None:
    turns = talk("我买的EB20到了", "bot:好的", "它防水吗", "bot:防泼溅。", "那保修期内坏了可以换新吗")
    read = asked(turns[-1].text, turns, named=named)
    assert read.weights["eb20"] >= 0.4
    shifted = asked("另外积分怎么用", [*turns, *talk("另外积分怎么用")], named=named)
    assert shifted.weights == {}
    assert shifted.meant == "另外积分怎么用"


@pytest.mark.parametrize(
    ("last", "meant"),
    [
        ("多少钱", "EB20 多少钱"),
        ("那充电要多久", "EB20 那充电要多久"),
        ("and how much is it?", "EB20 and how much is it?"),
        ("那白色的呢", "EB20防水吗 那白色的呢"),
        ("and the white one?", "EB20防水吗 and the white one?"),
        ("为什么", "EB20防水吗 为什么"),
    ],
)
def test_another_question_about_the_same_leaves_out_what_was_asked_before(last: str, meant: str) -> None:
    read = asked(last, talk("EB20防水吗", last), named=named)
    assert (read.bearing, read.meant) == ("elliptic", meant)
    assert "eb20" in read.weights


def test_a_shift_ends_what_came_before() -> None:
    turns = talk("EB20连不上手机", "另外发票怎么开", "要几天")
    read = asked("要几天", turns, named=named)
    assert "发票" in read.meant
    assert "连不上" not in read.meant


def test_greetings_are_no_history() -> None:
    for greeting in ("你好", "hello", "谢谢"):
        read = asked("那要多久", talk(greeting, "bot:您好", "那要多久"))
        assert read.meant == "那要多久"
        assert read.weights == {}


def test_only_customers_turns_are_history() -> None:
    read = asked("how long?", talk("bot:Do you mean a refund or an exchange?", "how long?"))
    assert read.meant == "how long?"
    assert read.weights == {}


def test_a_query_that_is_no_turn_follows_on_all_of_them() -> None:
    read = asked("and how long", talk("where does my refund go"))
    assert read.meant == "where does my refund go and how long"


def test_a_long_history_is_bounded() -> None:
    turns = talk(*(f"消息{number}" + "东西坏了要修" * 200 for number in range(200)), "那要多久")
    read = asked("那要多久", turns)
    assert len(read.weights) <= 24
