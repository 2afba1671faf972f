from __future__ import annotations

from dataclasses import replace

import pytest

from graph.handover import (
    Burden,
    Said,
    complexity,
    failed_turns,
    may_have_failed,
    only_asks,
    questions_since_a_person,
    says_it_failed,
)
from tests.graph.requests import lines
from tests.graph.utterances import say

DID_NOT_HELP = """
没解决
还是不行
没用啊
试过了，没用
不管用
答非所问
我问的不是这个
你没看懂我的问题
还是没收到
按你说的弄了还是连不上
重启过了不行
都试了
又是这句话
解决不了我的问题
that didn't help
still not working
it doesn't work
not what I asked
you didn't answer my question
I already tried that
same problem again
useless
no luck
that's not what I meant
nothing changed
still the same
"""
GOES_ON = """
好的，那运费谁出
谢谢，发票怎么开
那信用卡呢
明白了，多久到
EB50呢
可以退到微信吗
有没有别的颜色
我明天寄出
能不能换成白色
收到了，很好
what about the sauna?
and who pays for that
thanks, and how do I get an invoice
does it come in blue
how long does it work on one charge
ok, I will send it tomorrow
is the second one cheaper
can I use a coupon with it
my contactless payments don't work
the kettle I bought in May is not working
我买的加湿器不出雾，按键也不行
"""


def told(*turns: tuple[str, str]) -> list[Said]:
    """Turns as `c` (customer), `b` (bot) or `a` (agent) and what was said, with vectors of their words."""
    roles = {"c": "customer", "b": "bot", "a": "agent"}
    return [Said(roles[by], text, say(text).vector if by == "c" else None) for by, text in turns]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", lines(DID_NOT_HELP))
def test_a_turn_that_says_so_makes_the_answer_before_it_a_failure(text: str) -> None:
    assert says_it_failed(text)


@pytest.mark.parametrize("text", lines(GOES_ON))
def test_going_on_is_no_failure(text: str) -> None:
    assert not says_it_failed(text)


def test_the_same_words_again_are_a_failed_turn() -> None:
    turns = told(
        ("c", "when does my parcel arrive"),
        ("b", "Parcels take three days."),
        ("c", "but when does my parcel arrive?"),
        ("b", "Parcels take three days."),
        ("c", "when does my parcel arrive!!"),
    )
    assert failed_turns(turns) == 2
    assert failed_turns(turns[:3]) == 1


def test_the_same_meaning_in_other_words_is_a_failed_turn() -> None:
    first = replace(say("where is my parcel"), tokens=())
    turns = [
        Said("customer", "我的钱什么时候回来", first.vector),
        Said("bot", "请耐心等待。"),
        Said("customer", "退款多久到账啊", first.vector),
    ]
    assert failed_turns(turns) == 1
    assert failed_turns([replace(turn, vector=None) for turn in turns]) == 0


def test_saying_twice_that_it_did_not_help_counts_twice() -> None:
    turns = told(
        ("c", "耳机没声音"), ("b", "请重启。"), ("c", "还是不行"), ("b", "请重新配对。"), ("c", "没解决")
    )
    assert failed_turns(turns) == 2


@pytest.mark.parametrize(
    "turns",
    [
        told(
            ("c", "when does my parcel arrive"),
            ("b", "In three days."),
            ("c", "thanks, and how do I get an invoice?"),
            ("b", "Under Orders."),
            ("c", "which sizes are there of the jacket?"),
        ),
        told(
            ("c", "EB20保修多久"),
            ("b", "12个月。"),
            ("c", "那运费谁出"),
            ("b", "我们出。"),
            ("c", "发票怎么开"),
        ),
        told(
            ("c", "do you sell lamps"),
            ("b", "Yes."),
            ("c", "do you sell kettles"),
            ("b", "Yes."),
            ("c", "do you sell desks"),
        ),
        told(("c", "有蓝色吗"), ("b", "有。"), ("c", "有红色吗"), ("b", "有。"), ("c", "有绿色吗")),
        told(
            ("c", "EB20续航多久"),
            ("b", "6小时。"),
            ("c", "EB50续航多久"),
            ("b", "8小时。"),
            ("c", "HP70续航多久"),
        ),
    ],
)
def test_a_conversation_of_several_questions_has_no_failed_turn(turns: list[Said]) -> None:
    assert failed_turns(turns) == 0


def test_the_same_of_another_product_is_another_question() -> None:
    turns = told(("c", "保修多久"), ("b", "12个月。"), ("c", "保修是多久啊"))
    named = [
        replace(turns[0], named=frozenset({"EB20"})),
        turns[1],
        replace(turns[2], named=frozenset({"DK05"})),
    ]
    same = [
        replace(turns[0], named=frozenset({"EB20"})),
        turns[1],
        replace(turns[2], named=frozenset({"EB20"})),
    ]
    assert failed_turns(named) == 0
    assert failed_turns(same) == 1


def test_two_messages_before_any_answer_are_no_failure() -> None:
    assert failed_turns(told(("c", "where is my parcel"), ("c", "where is my parcel"))) == 0


def test_a_question_back_is_no_answer() -> None:
    turns = told(("c", "退货怎么退"), ("b", "请问您要退哪一单？"), ("c", "退货怎么退"))
    assert failed_turns(turns) == 0
    assert only_asks("Which of these do you mean?")
    assert not only_asks("寄回即可。还有什么可以帮您？")


def test_a_person_who_speaks_clears_what_failed_before() -> None:
    turns = told(
        ("c", "没声音"),
        ("b", "请重启。"),
        ("c", "没声音"),
        ("a", "我来看看。"),
        ("b", "请重启。"),
        ("c", "没用"),
    )
    assert failed_turns(turns) == 1


def test_vectors_are_needed_only_where_two_answers_can_have_failed() -> None:
    short = told(("c", "a"), ("b", "b"), ("c", "c"))
    assert not may_have_failed(short)
    assert may_have_failed([*short, *told(("b", "d"), ("c", "e"))])
    assert not may_have_failed([*short, *told(("a", "d"), ("c", "e"))])


def test_questions_count_since_a_person_spoke() -> None:
    turns = told(("c", "a"), ("b", "b"), ("c", "c"))
    assert questions_since_a_person(turns) == 2
    assert questions_since_a_person([*turns, *told(("a", "x"), ("c", "e"))]) == 0
    assert questions_since_a_person(told(("c", "a"), ("c", "b"))) == 0


@pytest.mark.parametrize(
    ("burden", "reason"),
    [
        (Burden(), None),
        (Burden(expertise=frozenset({"a", "b", "c"})), "several_matters"),
        (Burden(expertise=frozenset({"a", "b"}), mood="angry"), "several_matters"),
        (Burden(expertise=frozenset({"a", "b"})), None),
        (Burden(expertise=frozenset({"a", "b"}), mood="angry", proven=True), None),
        (Burden(orders=3), "many_at_stake"),
        (Burden(orders=2), None),
        (Burden(products=3), None),
        (Burden(products=3, mood="upset"), "many_at_stake"),
        (Burden(contacts=3), "came_back"),
        (Burden(contacts=2), None),
        (Burden(transfers=2), "transferred"),
        (Burden(turns=8), "long_history"),
        (Burden(turns=7), None),
    ],
)
def test_a_case_is_complex_for_a_named_reason(burden: Burden, reason: str | None) -> None:
    assert complexity(burden) == reason
