from __future__ import annotations

import pytest

from graph.headings import heading

CASES = {
    "客服你好，音箱wifi断了连不回去，灯环常亮橙": "音箱wifi断了连不回去，灯环常亮橙",
    "亲 发票没收到 邮箱里没有🙏": "发票没收到 邮箱里没有",
    "蚕丝被洗了会怎样，我已经洗了，求解答": "蚕丝被洗了会怎样，我已经洗了",
    "已到达武汉分拨中心 然后呢": "已到达武汉分拨中心",
    "羽绒服175高70公斤穿L会紧吗，急": "羽绒服175高70公斤穿L会紧吗",
    "SP30忽然亮橙灯 没声音了 SL20260615034002": "SP30忽然亮橙灯 没声音了",
    "hey, my jacket stains everything it touches please help": "my jacket stains everything it touches",
    "Hello team, which courier has my order? I need this solved": "which courier has my order?",
    "Is my order SL20261024022881 gone?": "Is my order gone",
    "can I roll back to 3.1.4? (order SL20260827011203)": "can I roll back to 3.1.4",
    "my SP30 makes no sound. Not happy. Thanks": "my SP30 makes no sound",
    "Second time I ask, still at the Wuhan hub": "still at the Wuhan hub",
}


@pytest.mark.parametrize("text", CASES)
def test_a_heading_is_the_matter_alone(text: str) -> None:
    assert heading(text, "zh").rstrip("?？") == CASES[text].rstrip("?？")


@pytest.mark.parametrize(
    "text",
    [
        "hi",
        "你好",
        "在吗😭",
        "急急急",
        "any news on SL20261016030827. I need this solved",
        "😭😭",
        "Thanks!",
        "",
    ],
)
def test_what_says_no_matter_heads_nothing(text: str) -> None:
    assert heading(text, "zh") == ""
