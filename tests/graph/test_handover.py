from __future__ import annotations

import time

import pytest

from graph.handover import DEFAULT_SENSITIVE_FLOWS, asks_for_person, sensitive_flow, small_talk
from graph.models import Rules

TALK = """
你好|您好，在吗？|谢谢亲|好的，谢谢|嗯嗯|哦|谢谢你的帮助|好的知道了|在吗在吗|早|没事了|不用了谢谢|拜拜|
辛苦了|👍|???|收到，感谢|亲在不|祝你们生意兴隆|没有其他问题了|非常感谢您的耐心解答|Hi|Hello there!|
thanks a lot for your help|ok great, thanks|thank you so much|Good morning|hi team|Have a nice day|
is anyone there?|How are you today?|perfect|bye|Thx!|hello, are you there|
"""
MATTER = """
退货|你好，我要退货|hello where is my order|谢谢但是还没收到|不好用|help|好的，什么时候发货|12345|
可以退吗|Is it new?|多久能到|质量不好|太小了|不行|没收到|please help me|不是我的|problem|有发票吗|
好像坏了|hi, my parcel is lost|thanks but it is broken|still the same problem|早就签收了|可以开发票吗
"""
PERSON = """
转人工|我要找客服|人工|找真人|让你们经理来|我要和真人说话|转接人工客服|叫你们主管出来|接人工服务谢谢|
我不想跟机器人说话|轉人工|联系客服|speak to a human|I want to talk to a real person|agent please|
Can I speak with someone?|connect me to customer service|get me a manager|let me talk to your supervisor|
human|I'd like to speak to a representative|can i talk to an agent|I need a human agent now|
transfer me to a live agent|is there a real person here|put me through to an operator|
I want to speak with customer support
"""
NO_PERSON = """
不要转人工|客服态度很好|人工费多少钱|我的订单在哪|手工制作吗|I don't want to talk to a human|
Is it made for one person?|The agent said I would get a refund|I want someone to refund me|
how many people does the tent fit|I need a gift for someone|客服说三天到账|人工智能音箱多少钱|
Is the travel agent discount valid|a tent for one person|我让客服改了地址
"""


def lines(block: str) -> list[str]:
    return block.replace("\n", "").split("|")


@pytest.mark.parametrize("text", lines(TALK))
def test_small_talk(text: str) -> None:
    assert small_talk(text, "zh")


@pytest.mark.parametrize("text", lines(MATTER))
def test_a_matter_is_no_small_talk(text: str) -> None:
    assert not small_talk(text, "zh")


def test_repeated_courtesy_is_read_quickly() -> None:
    begin = time.process_time()
    assert not small_talk("好吧好的" * 14 + "退货", "zh")
    assert time.process_time() - begin < 0.5


@pytest.mark.parametrize("text", lines(PERSON))
def test_asks_for_a_person(text: str) -> None:
    assert asks_for_person(text, "zh")


@pytest.mark.parametrize("text", lines(NO_PERSON))
def test_does_not_ask_for_a_person(text: str) -> None:
    assert not asks_for_person(text, "zh")


@pytest.mark.parametrize(
    ("text", "flow"),
    [
        ("再不处理我就找律师", "legal"),
        ("法院见，我要起诉你们", "legal"),
        ("I will SUE you", "legal"),
        ("my attorney will be in touch", "legal"),
        ("The charger caught fire", "safety"),
        ("手机充电时冒烟了", "safety"),
        ("插座漏電了", "safety"),
        ("I got injured by the blender", "safety"),
        ("我要打12315投诉", "regulator"),
        ("I'll report you to trading standards", "regulator"),
        ("卡被盗刷了", "payment"),
        ("I'm going to do a chargeback", "payment"),
        ("There's fraud on my account", "payment"),
        ("请删除我的个人信息", "privacy"),
        ("please delete  my data", "privacy"),
        ("This is a GDPR request", "privacy"),
        ("我要投诉", None),
        ("issue with order", None),
        ("I want to pursue an exchange", None),
        ("does the fire stick remote need batteries", None),
        ("屏幕碎了，我要退货", None),
        ("", None),
    ],
)
def test_sensitive_flows(text: str, flow: str | None) -> None:
    assert sensitive_flow(text, Rules()) == flow


def test_a_shops_own_flows_replace_the_defaults() -> None:
    rules = Rules(sensitive_flows={"vip": ("大客户", "key account"), "recall": ("recall*",), "empty": ("",)})
    assert sensitive_flow("我是大客户", rules) == "vip"
    assert sensitive_flow("Was the heater recalled?", rules) == "recall"
    assert sensitive_flow("it caught fire", rules) is None


def test_defaults_speak_both_languages() -> None:
    for words in DEFAULT_SENSITIVE_FLOWS.values():
        assert any(word.isascii() for word in words)
        assert any(not word.isascii() for word in words)
