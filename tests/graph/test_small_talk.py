from __future__ import annotations

import time

import pytest

from graph.small_talk import praise, small_talk
from tests.graph.requests import lines

TALK = """
你好
您好，在吗？
谢谢亲
好的，谢谢
嗯嗯
哦
谢谢你的帮助
好的知道了
在吗在吗
早
没事了
不用了谢谢
拜拜
辛苦了
👍
???
收到，感谢
亲在不
祝你们生意兴隆
没有其他问题了
非常感谢您的耐心解答
Hi
Hello there!
thanks a lot for your help
ok great, thanks
thank you so much
Good morning
hi team
Have a nice day
is anyone there?
How are you today?
perfect
bye
Thx!
hello, are you there
"""
MATTER = """
退货
你好，我要退货
hello where is my order
谢谢但是还没收到
不好用
好的，什么时候发货
12345
可以退吗
Is it new?
多久能到
质量不好
太小了
不行
没收到
不是我的
problem
有发票吗
好像坏了
hi, my parcel is lost
thanks but it is broken
still the same problem
早就签收了
可以开发票吗
"""
PRAISE = """
你们服务真好
客服态度很好
物流很快，好评
东西不错
质量非常好，很满意
五星好评！
你们家客服太专业了
谢谢，很耐心
收到了，很喜欢
点赞
包装很好，会再来的
great service
love it
太棒了，喜欢这个音箱！
love this speaker!
you guys are awesome
excellent support, thank you
I love this product
very satisfied with my order
your team is amazing
best shop ever
5 stars
the delivery was fast, thanks
really happy with the service
"""
NO_PRAISE = """
服务好差
你们服务真好吗
质量好吗
有点慢
这个好用吗
不太满意
物流很快吗
很好但是屏幕碎了
快点发货
太快没电了
不好
好看的裙子
再来一个
需要好一点的
什么颜色好看
不喜欢
喜欢 可以退吗
我要好评返现
收到的东西很快坏了
was the delivery fast
not happy with the service
我喜欢这个怎么买
喜欢这个但是坏了
I like the red one
is it good
good but broken
fast delivery
which one is best
I want the best product
I'd like it in red
how fast is delivery
the best one for travel
"""
WITHOUT_A_MATTER = """
谢谢，解决了
thanks, that worked!
Great, it works now, thank you so much!
问题解决了，非常感谢
可以用了，谢谢
Never mind, I fixed it
it's working now, thanks
想问一下
请问一下
亲，问一下
我想咨询个问题
你好 我有个问题想问
I have a question
hi, quick question
help
please help me
帮帮我
能帮我一下吗
Hello, can you help me please?
你是机器人吗
are you a bot
are you a real person?
哈哈哈
hahaha
不用人工了谢谢
先别转人工，谢谢
don't transfer me to an agent
No human please
你好，我叫王小明，电话13812345678
你好，我叫[NAME]，电话[PHONE]
My name is Jane Doe, my phone is 07700 900123
我是李雷
"""
A_MATTER_BESIDES = """
想问一下怎么退货
I have a question about my order
help with my order
help me return this
can you help with a refund
帮我退款
帮我查一下订单
帮帮我，充电宝冒烟了
我有个问题，音箱连不上
it worked for a day
it worked yesterday
it works now but the left ear is dead
it works now?
is it fixed?
解决了吗
没解决
好了没
I don't need a human, just tell me the return window
不要转人工，告诉我退货时间
我叫了快递
我的手机iPhone14黑屏了
my phone screen is broken
地址改成[ADDRESS]
my name is misspelled on the parcel
我是白色的
我是学生有优惠吗
this is broken
I am angry
i need a new cable
人工费多少
"""


@pytest.mark.parametrize("text", lines(WITHOUT_A_MATTER))
def test_thanks_openers_refusals_and_introductions_were_handed_over_as_out_of_scope(text: str) -> None:
    assert small_talk(text, "zh")


@pytest.mark.parametrize("text", lines(A_MATTER_BESIDES))
def test_an_opener_with_its_matter_is_no_small_talk(text: str) -> None:
    assert not small_talk(text, "zh")


@pytest.mark.parametrize("text", lines(TALK))
def test_small_talk(text: str) -> None:
    assert small_talk(text, "zh")


@pytest.mark.parametrize("text", lines(MATTER))
def test_a_matter_is_no_small_talk(text: str) -> None:
    assert not small_talk(text, "zh")


@pytest.mark.parametrize("text", lines(PRAISE))
def test_praise_asks_nothing(text: str) -> None:
    assert praise(text)
    assert small_talk(text, "zh")


@pytest.mark.parametrize("text", lines(NO_PRAISE))
def test_what_asks_reports_or_blames_is_no_praise(text: str) -> None:
    assert not praise(text)


def test_repeated_courtesy_is_read_quickly() -> None:
    begin = time.process_time()
    assert not small_talk("好吧好的" * 14 + "退货", "zh")
    assert not praise("服务真的很好" * 9 + "退")
    assert time.process_time() - begin < 0.5
