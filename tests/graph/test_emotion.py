from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.emotion import emotion, urgency

MOODS = {
    "angry": """
垃圾！骗子！|再不处理我就投诉|上周买的手机屏幕碎了,我要退货,再不处理我就投诉!|什么态度，太差了|我很生气|
气死我了，到现在没人管|你们就是黑店|This is unacceptable, I will sue you!!|Worst service ever|
I am furious|you people are a joke, pathetic|stop lying to me, this is ridiculous|我要曝光你们|
忍无可忍，凭什么不退
""",
    "upset": """
等了两周还没收到，太失望了|质量不好|衣服开线了，有点失望|手机用不了了|
My order arrived broken, I want a refund|I'm not happy with this|really disappointed with the quality|
不太满意|the zipper broke, still no response|东西坏了，很难受|I am worried that my parcel is lost|
鞋子不好用
""",
    "neutral": """
不着急，帮我查一下物流|你好，请问什么时候发货|怎么退货|where is my order|How do I return a shirt?|
这个耳机怎么样|没有不满意|No rush, just wondering when it ships|订单号 123456|can I change my address|
支持七天无理由吗||屏幕没有碎|投诉电话是多少|怎么投诉快递员|where can I make a complaint|
what is your complaints procedure
""",
    "pleased": """
快递很快，质量不错，谢谢|非常满意|太棒了，下次还来|Thanks, great service|I love it|
works perfectly, very happy|客服很热情，推荐|The jacket is beautiful
""",
}


def lines(block: str) -> list[str]:
    return block.replace("\n", "").split("|")


@pytest.mark.parametrize(
    ("text", "label"), [(text, label) for label, block in MOODS.items() for text in lines(block)]
)
def test_moods(text: str, label: str) -> None:
    assert emotion(text, "zh").label == label


def hurry(text: str) -> float:
    return urgency(text, "zh", emotion(text, "zh"))


@pytest.mark.parametrize(
    ("calmer", "more"),
    [
        ("怎么退货", "马上给我退货"),
        ("帮我查一下物流", "帮我查一下物流，急用"),
        ("不着急，帮我查一下物流", "帮我查一下物流，今天就要"),
        ("急用，不过不着急也行", "急用"),
        ("我的包裹还没到", "我的包裹还没到，再不处理我就投诉"),
        ("where is my order", "I need my order today, urgent"),
        ("no rush, where is my order", "where is my order, it has been weeks"),
        ("插头松了", "插头冒烟了"),
        ("please help", "please help!!!"),
    ],
)
def test_one_is_more_urgent(calmer: str, more: str) -> None:
    assert hurry(calmer) < hurry(more)


def test_nobody_answering_in_capitals_is_angry_and_pressing() -> None:
    assert emotion("NO ONE IS ANSWERING", "en").label == "angry"
    assert hurry("NO ONE IS ANSWERING") > 0.4
    assert hurry("no one is answering my messages") > 0.4
    assert emotion("WHERE IS MY ORDER", "en").label == "neutral"
    assert emotion("EB20 USB AND HDMI PORT", "en").label == "neutral"


def test_a_swollen_battery_is_pressing() -> None:
    assert hurry("充电宝鼓包了") > 0.7
    assert hurry("my battery is swollen") > 0.7


def test_the_example_is_angry_and_urgent() -> None:
    text = "上周买的手机屏幕碎了,我要退货,再不处理我就投诉!"
    felt = emotion(text, "zh")
    assert felt.label == "angry"
    assert felt.score > 0.7
    assert urgency(text, "zh", felt) > 0.8


def test_a_calm_message_is_not_urgent() -> None:
    assert hurry("不着急，有空帮我看看") == 0.0
    assert hurry("smoke is coming out of the charger") > 0.7


def test_intensifiers_diminishers_and_marks() -> None:
    plain = emotion("失望", "zh").score
    assert emotion("非常失望", "zh").score > plain
    assert emotion("失望！！", "zh").score > plain
    assert emotion("I'm slightly disappointed", "en").score < emotion("I'm disappointed", "en").score


def test_both_languages_are_read_in_one_message() -> None:
    assert emotion("这个 headset 质量 terrible, 要投诉", "zh").label == "angry"


@given(st.text(max_size=300))
def test_scores_stay_in_range(text: str) -> None:
    felt = emotion(text, "zh")
    assert 0.0 <= felt.score <= 1.0
    assert 0.0 <= urgency(text, "zh", felt) <= 1.0


def test_a_long_complaint_is_read_quickly() -> None:
    begin = time.process_time()
    emotion("垃圾难过" * 12000, "zh")
    assert time.process_time() - begin < 2.0
