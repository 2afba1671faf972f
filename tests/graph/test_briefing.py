"""What the person who takes a case over is told, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from graph.briefing import LONGEST, WANTED, Attempt, Known, Taker, Told, brief, wanted
from graph.models import Case, Customer, Emotion, Entity, Problem

AT = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
TOLD = [
    Told("customer", "你好", AT),
    Told("customer", "上周买的手机屏幕碎了,我要退货,899元"),
    Told("bot", "请提供照片。"),
    Told("customer", "还是不行，给我转人工！"),
]
KNOWN = Known(
    language="zh",
    intent="退货",
    entities=(
        Entity("amount", "899.00 CNY", 0, 1),
        Entity("date", "2026-11-09/2026-11-15", 0, 1),
        Entity("product", "SLA-PH1", 0, 1),
        Entity("order", "SL20261023024387", 0, 1),
        Entity("order", "SL20261023024387", 5, 6),
        Entity("phone", "13812345678", 0, 1),
    ),
    names={"SLA-PH1": "声澜手机"},
    emotion=Emotion("angry", 0.8),
    customer=Customer("u-9", "silver", 4),
    problem=Problem("p", {"zh": "屏幕碎裂", "en": "Broken screens"}, "open", AT, AT, AT),
    contacts=2,
)
SHOWN = [Attempt("document", "退货政策", AT, "policy-returns-zh")]


def test_a_chinese_summary_says_what_is_wanted_tried_and_known() -> None:
    made = brief(TOLD, SHOWN, KNOWN, cause="explicit", taker=Taker("after-sales", "agent-07"), language="zh")
    assert made.wants == "上周买的手机屏幕碎了,我要退货,899元"
    assert made.since == AT
    for part in (
        "退货", "屏幕碎了", "金额 899.00 CNY",
        "日期 2026-11-09 – 2026-11-15", "商品 声澜手机 (SLA-PH1)",
        "订单 SL20261023024387", "始于：2026-11-18 09:30", "情绪：生气",
        "已答复 1 次", "已展示“退货政策”", "银卡会员", "4 单",
        "一周内另有 2 次来访", "屏幕碎裂 (处理中)", "顾客要求人工", "建议：after sales、agent-07",
    ):  # fmt: skip
        assert part in made.summary, part
    assert made.summary.count("SL20261023024387") == 1
    assert [attempt.by for attempt in made.tried] == ["bot", "document"]


def test_an_english_summary_says_the_same() -> None:
    told = [
        Told("customer", "the screen I bought last week broke, I want to return it"),
        Told("customer", "agent please"),
    ]
    made = brief(told, SHOWN, KNOWN, cause="repeated_failure", taker=Taker(None, "agent-07"), language="en")
    for part in (
        "the screen I bought last week broke", "amount 899.00 CNY", "order SL20261023024387", "Mood: angry",
        "shown: “退货政策”",
        "silver tier, 4 orders, 2 other contacts this week", "Known problem: Broken screens (open)",
        "the bot failed twice", "For: agent-07.",
    ):  # fmt: skip
        assert part in made.summary, part
    assert "agent please" not in made.summary


def test_personal_entities_are_not_repeated() -> None:
    made = brief(TOLD, [], KNOWN, cause="explicit", taker=Taker(), language="zh")
    assert "13812345678" not in made.summary


@pytest.mark.parametrize(
    ("said", "wants"),
    [
        ([], ""),
        (["转人工"], ""),
        (["你好", "转人工"], ""),
        (["耳机没声音了", "没用，还是不行", "转人工"], "耳机没声音了"),
        (["屏幕碎了，转人工"], "屏幕碎了"),
        (["hi", "my kettle leaks", "that didn't help", "give me a human"], "my kettle leaks"),
        (["EB20保修多久", "那维修要几天"], "EB20保修多久 / 那维修要几天"),
        (["I paid $1,499.00, want it back"], "I paid $1,499.00, want it back"),
        (["退货", "退货"], "退货"),
        (
            ["EB20右耳没声音", "耳机右边没声音怎么修", "右边那只没有声音啊"],
            "EB20右耳没声音 / 耳机右边没声音怎么修 / 右边那只没有声音啊",
        ),
        (["甲" * 60, "乙" * 60, "丙" * 60], "甲" * 60 + " / " + "丙" * 60),
        (["甲" * 90, "丙" * 90], "丙" * 90),
    ],
)
def test_what_is_wanted_is_the_matter_and_not_the_call_for_a_person(said: list[str], wants: str) -> None:
    assert wanted(said) == wants


def test_nothing_said_of_the_matter_is_said_so() -> None:
    assert (
        "未说明"
        in brief(
            [Told("customer", "转人工")], [], Known("zh"), cause="explicit", taker=Taker(), language="zh"
        ).summary
    )
    assert (
        "not said"
        in brief(
            [Told("customer", "agent")], [], Known("en"), cause="explicit", taker=Taker(), language="en"
        ).summary
    )


def test_long_conversations_stay_short() -> None:
    told = [Told("customer" if turn % 2 else "bot", f"屏幕坏了{turn}" * 90) for turn in range(60)]
    made = brief(told, SHOWN * 30, KNOWN, cause="complexity", taker=Taker(), language="zh")
    assert len(made.wants) <= WANTED
    assert len(made.summary) <= LONGEST
    assert len(made.tried) <= 16


def test_without_times_a_case_tells_since_when() -> None:
    case = Case("case", "u", ("c",), ("app",), "bot", AT, AT)
    known = Known("en", case=case)
    made = brief(
        [Told("customer", "my kettle leaks")], [], known, cause="no_answer", taker=Taker(), language="en"
    )
    assert made.since == AT
    assert "Since: 2026-11-18 09:30" in made.summary


def test_a_card_tier_a_flow_and_a_bilingual_label_are_told_in_the_readers_language() -> None:
    known = replace(KNOWN, intent="申请退货 / Return an item")
    told = [Told("customer", "充电宝冒烟了")]
    made = brief(
        told, [], known, cause="sensitive", taker=Taker("售后 / After-sales"), language="zh", matter="safety"
    )
    assert "转接原因：敏感事项（人身或产品安全）" in made.summary
    assert "申请退货，“充电宝冒烟了”" in made.summary
    assert "银卡会员" in made.summary
    assert not {"silver", "Return", "After"} & set(made.summary.replace("，", " ").split())
    english = brief(
        told,
        [],
        known,
        cause="sensitive",
        taker=Taker("售后 / After-sales"),
        language="en",
        matter="our own flow",
    )
    assert "Handed over: a sensitive matter (our own flow)." in english.summary
    assert "Wants: Return an item, " in english.summary
    assert "For: After-sales." in english.summary


def test_the_turn_that_names_the_matter_was_lost_behind_later_lines() -> None:
    said = [
        "你们家在线吗朋友",
        "SP30 连不上蓝牙，订单 SL20261023024387",
        "还是不行",
        "快点啊大家",
        "怎么没人理我呢",
    ]
    assert "SP30 连不上蓝牙" in wanted(said, frozenset(said[1:2]))
    long = [said[1] + "，" + "试过了重启" * 12, "甲" * 60, "乙" * 60]
    assert wanted(long, frozenset(long[:1])).startswith("SP30")
    told = [Told("customer", text, tells=text is said[1]) for text in said]
    made = brief(told, [], Known("zh"), cause="explicit", taker=Taker(), language="zh")
    assert "顾客表示没有解决" in made.summary
