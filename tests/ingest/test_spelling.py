"""What a typing mistake leaves alike."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ingest import spelling


@pytest.mark.parametrize("word", ["return", "warranty", "earbuds", "doesnt", "plz", "xiaomi", "invoice"])
def test_words_of_the_language_of_messages_and_of_the_world_are_known(word: str) -> None:
    assert spelling.is_english(word)


@pytest.mark.parametrize("word", ["retrun", "recieve", "polcy", "adress", "definately", "tuihuo", "退货", ""])
def test_what_is_misspelt_is_not(word: str) -> None:
    assert not spelling.is_english(word)


@pytest.mark.parametrize(
    ("written", "meant", "edits"),
    [("retrun", "return", 1), ("polcy", "policy", 1), ("recieve", "receive", 1), ("guarentee", "guarantee", 1),
     ("warantie", "warranty", 3), ("return", "return", 0)],
)  # fmt: skip
def test_swapped_neighbours_are_one_edit(written: str, meant: str, edits: int) -> None:
    assert spelling.near(written, ["unrelated", meant], edits) == [(meant, edits)]
    assert spelling.near(written, [meant], edits - 1) == [] if edits else True


def test_characters_are_read_without_tones() -> None:
    assert spelling.syllables("货") == ("huo",)
    assert spelling.syllables("女")[0] == "nv"
    assert spelling.syllables("旅")[0] == "lv"
    assert spelling.syllables("a") == ()


@pytest.mark.parametrize(
    ("one", "other"), [("zhang", "zan"), ("nan", "lan"), ("shi", "si"), ("ying", "yin"), ("cheng", "cen")]
)
def test_sounds_of_the_south_fall_together(one: str, other: str) -> None:
    assert spelling.blurred(one) == spelling.blurred(other)


@pytest.mark.parametrize(("one", "other"), [("hui", "fei"), ("ba", "pa"), ("lan", "lai"), ("zi", "ci")])
def test_other_sounds_stay_apart(one: str, other: str) -> None:
    assert spelling.blurred(one) != spelling.blurred(other)


@pytest.mark.parametrize(
    ("word", "typed"), [("退货", "tuihuo"), ("发票", "fapiao"), ("快递", "kuaidi"), ("优惠券", "youhuiquan")]
)
def test_a_word_is_typed_as_it_is_read(word: str, typed: str) -> None:
    assert typed in spelling.romanized(word)


def test_a_word_with_many_readings_has_a_bounded_number_of_spellings() -> None:
    assert 1 <= len(spelling.romanized("行行行行行行行行")) <= 8
    assert spelling.romanized("退a") == ()


def test_shapes_are_mistaken_both_ways() -> None:
    assert "货" in spelling.lookalikes("贷")
    assert "贷" in spelling.lookalikes("货")
    assert "券" in spelling.lookalikes("卷")
    assert spelling.lookalikes("的") == ""


def test_the_lists_are_loaded_at_first_use_and_phrases_never() -> None:
    code = (
        "import sys, ingest.spelling as s\n"
        "assert not {'pypinyin', 'rapidfuzz', 'symspellpy'} & sys.modules.keys()\n"
        "s.load()\n"
        "from pypinyin.constants import PHRASES_DICT\n"
        "assert 'symspellpy' not in sys.modules and not PHRASES_DICT\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
