from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graph.naming import another, name_problem, named_alike, typical
from tests.graph.utterances import say, words

SCREEN = ["手机屏幕碎了", "手机屏幕碎了怎么退货", "手机屏幕碎了，物流压坏的吧", "收到手机屏幕裂了要退货"]


def test_the_most_typical_message_names_the_problem() -> None:
    names = name_problem([say(text) for text in SCREEN])
    assert names["zh"].startswith("手机屏幕碎了")
    assert names["en"] == names["zh"]


def test_names_in_two_languages_are_of_the_same_matter() -> None:
    alike = ["JK01 red runs in the rain", "JK01 red runs", "my JK01 red runs in the wash"]
    other = [
        "where can I find the invoice for it",
        "please send me that invoice",
        "the invoice never came to us",
    ]
    chinese = [
        "JK01 red 掉色",
        "JK01 red 掉色怎么办",
        "JK01 red 下雨就掉色",
        "JK01 red 掉色",
        "JK01 red 掉色了",
        "JK01 red 掉",
    ]
    names = name_problem([say(text) for text in [*chinese, *other, *alike]])
    assert "掉色" in names["zh"]
    assert "JK01 red runs" in names["en"]
    assert "invoice" not in names["en"]


def test_a_language_that_says_something_else_borrows_the_name_rather_than_mean_another_thing() -> None:
    names = name_problem([say(text) for text in [*SCREEN, "does the return period start from delivery"]])
    assert names["en"] == names["zh"]


def test_without_vectors_nothing_tells_that_two_messages_say_the_same() -> None:
    said = [*SCREEN, "手机 screen is cracked"]
    bare = [replace(say(text), vector=np.zeros(0, np.float32)) for text in said]
    names = name_problem(bare)
    assert names["en"] == names["zh"]


def test_a_further_name_is_of_what_the_first_name_is_of() -> None:
    messages = [say(text) for text in ["JK01 red runs", "JK01 red 掉色", "发票什么时候开"]]
    found = named_alike("JK01 red runs", messages, "zh")
    assert found is not None
    assert "掉色" in found
    assert named_alike("the lid leaks", messages, "zh") is None
    assert named_alike("JK01 red runs", messages[:1] + messages[2:], "zh") is None


def test_telling_words_follow_the_title() -> None:
    texts = [
        "my parcel never came",
        "my parcel is stuck in Wuhan",
        "parcel stuck in Wuhan since Monday",
        "stuck in Wuhan",
    ]
    name = name_problem([say(text) for text in texts])["en"]
    assert "wuhan" in name.lower()
    assert "stuck" in name.lower()


def test_rarity_among_other_problems_decides_what_is_telling() -> None:
    texts = ["alpha beta", "alpha beta gamma delta", "gamma delta alpha", "gamma delta beta"]
    common = {"gamma": 0.1, "delta": 5.0}
    name = name_problem([say(text) for text in texts], rarity=lambda word: common.get(word, 1.0))["en"]
    assert "gamma" not in name.split("(")[-1] or "delta" in name


def test_numbers_of_one_customer_are_no_name() -> None:
    names = name_problem([say("订单SL20261111004821的屏幕碎了"), say("order #88123 screen broken [PHONE]")])
    assert not any(character.isdigit() for name in names.values() for character in name)
    assert "PHONE" not in names["en"]


def test_long_messages_are_shortened_at_a_pause() -> None:
    long = (
        "my speaker stopped working right after the latest firmware update, "
        "and I have tried everything that the page says"
    )
    name = name_problem([say(long)])["en"].split(" (")[0]
    assert len(name) <= 61
    assert name.endswith("…")
    chinese = "你好！我的音箱灯一直是橙色的，重启也没有用，拔掉电源再插上还是这样子的"
    assert name_problem([say(chinese)])["zh"].startswith("我的音箱")


def test_other_languages_name_too() -> None:
    names = name_problem([say("Der Bildschirm ist kaputt", "de")])
    assert names["de"].startswith("Der Bildschirm")
    assert names["en"] == names["zh"] == names["de"]


def test_no_messages_no_name() -> None:
    assert name_problem([]) == {}
    assert name_problem([say("  ")]) == {}


@pytest.mark.parametrize("text", ["？！", "。", "🙏", "12345678"])
def test_messages_without_words_still_give_a_name(text: str) -> None:
    assert set(name_problem([say(text)])) >= {"zh", "en"}


def test_names_depend_on_the_messages_alone() -> None:
    messages = [say(text) for text in SCREEN]
    assert name_problem(messages) == name_problem(messages)


def test_the_typical_message_stands_nearest_to_the_others() -> None:
    assert typical([say(text) for text in ["parcel lost", "broken kettle lid", *SCREEN[:1], *SCREEN]]) >= 2
    many = [say(f"other words number {n}") for n in range(400)]
    assert 0 <= typical(many) < 400


@pytest.mark.parametrize(
    "vague",
    [
        "any news on SL20261016030827. I need this solved",
        "hi",
        "在吗😭",
        "急急急",
        "Please fix this",
        "where is it",
    ],
)
def test_a_message_that_says_no_matter_named_the_problem(vague: str) -> None:
    matter = ["parcel stuck at the Wuhan hub", "my parcel is stuck at the Wuhan hub SL20261016030827"]
    language = "en" if vague.isascii() else "zh"
    for name in name_problem([say(text, language) for text in [vague, vague, vague, *matter]]).values():
        assert "parcel" in name
        assert " ." not in name


def test_the_tail_holds_two_words_that_add_something() -> None:
    texts = [
        "my parcel never came courier order",
        "parcel stuck in Wuhan hub courier order smoke",
        "stuck in Wuhan hub smoke order courier",
        "hub Wuhan smoke stuck",
    ]
    name = name_problem([say(text) for text in texts])["en"]
    tail = name.partition(" (")[2].rstrip(")").split(", ")
    assert len(tail) <= 2
    assert not {"courier", "order"} & {*tail}
    assert "(" not in name_problem([say(text) for text in ["the lid leaks", "lid leaks"]])["en"]


def test_a_window_with_another_matter_has_names_of_its_own() -> None:
    names = {"zh": "SP30听不懂方言", "en": "SP30 hears its name from the TV"}
    orange = ["orange ring and no sound", "solid orange ring, no sound", "the ring is orange, no sound"]
    title = another(names, [say(text) for text in orange], words)
    assert title is not None
    assert "orange" in title["en"]
    assert another({"zh": "x", "en": "orange ring, no sound"}, [say(text) for text in orange], words) is None
    assert another(names, [], words) is None
