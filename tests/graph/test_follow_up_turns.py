from __future__ import annotations

import time

import pytest

from graph.follow_up_turns import follow_up_turn
from graph.small_talk import small_talk
from tests.graph.requests import lines

PRESSING = """
any update?
Any updates yet??
hello, any update on my case?
still broken
It still doesn't work
still the same.
it happened again, not solved
I asked yesterday already.
nobody answered me
I tried that, didn't work
hello??? still waiting
we are still waiting for a reply since Monday
when will this be fixed
what's going on?
you said within 24 hours
can someone take care of it today
Please fix this
I need this solved
that's ridiculous
order number SL20261025034380
The order is SL20261019015923
能给个准信吗
那个，能给个准信不😭
不行啊还是一样
还是不行😭😭
有进展了吗
有更新吗
又等了一天还是没变化??
之前反馈的那个，还没好
怎么没人回
怎么又这样了 上次说处理了
我都问了三遍了，能不能给个说法
按你说的弄了 没反应
老板，处理好了吗
喂，人呢？
急急急
然后呢
说话呀
再不解决我就投诉
单号是SL20261020036438😔
SL20261103003609这个单
"""
MATTERS = """
any update on the firmware 3.2.0 bug
any news on my refund
tracking JY593526542776 please
still no sound
still in Wuhan
the speaker is still broken
I asked for a refund yesterday
where is my order
when will my parcel arrive
how long does the filter last
can you fix my speaker
can you check my order SL20261020021515
my order SL20261020021515 is late
please cancel my order
it broke after a week
nothing in the box
same size in blue?
物流有更新吗
快递还没到
SP30还是没声音
音箱还是不行
等了三天还没发货
什么时候能到
查一下单号SL20261025034380
订单SL20261025034380什么时候到
怎么退货
退款还没到
催发货
用不了优惠券
不想要了
一样的颜色还有吗
我要投诉
"""


@pytest.mark.parametrize("text", lines(PRESSING))
def test_what_only_presses_or_refers_has_no_matter_of_its_own(text: str) -> None:
    assert follow_up_turn(text, "zh")


@pytest.mark.parametrize("text", lines(MATTERS))
def test_what_names_its_matter_is_no_follow_up(text: str) -> None:
    assert not follow_up_turn(text, "zh")
    assert not small_talk(text, "zh")


@pytest.mark.parametrize("text", ["你好", "谢谢", "", "👍", "Hi there!"])
def test_small_talk_does_not_press(text: str) -> None:
    assert not follow_up_turn(text, "zh")


@pytest.mark.parametrize(
    "text",
    lines(
        """
        喂
        喂喂？
        老板在吗
        老板在吗😭
        谢谢你这么耐心
        谢谢你这么耐心～
        Hey, anyone online
        hello, are you still there
        thank you for being so patient
        """
    ),
)
def test_calls_and_thanks_opened_problems(text: str) -> None:
    assert small_talk(text.strip(), "zh")


def test_long_messages_are_read_quickly() -> None:
    begin = time.process_time()
    assert not follow_up_turn("还是没有处理好好好好" * 9 + "退货", "zh")
    assert not follow_up_turn("still waiting for a reply for a long long " * 2 + "refund", "en")
    assert time.process_time() - begin < 0.5
