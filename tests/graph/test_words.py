from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.words import WordIndex, is_content, weighted

TEXTS = st.lists(
    st.lists(st.sampled_from(["screen", "broken", "refund", "屏幕", "碎", "the", "退货"]), max_size=6),
    max_size=12,
)


def test_a_text_is_nearest_to_itself() -> None:
    index = WordIndex.of([["screen", "broken"], ["where", "parcel"], ["refund", "screen"]])
    assert index.cosines(["screen", "broken"]).argmax() == 0
    assert index.cosines(["screen", "broken"])[0] == pytest.approx(1.0)


def test_nothing_shared_is_zero() -> None:
    index = WordIndex.of([["screen"]])
    assert index.cosines(["coupon"]).tolist() == [0.0]
    assert index.cosines([]).tolist() == [0.0]


def test_rare_words_weigh_more_than_function_words() -> None:
    index = WordIndex.of([["the", "screen"], ["the", "parcel"]])
    assert index.rarity("screen") > 2 * index.rarity("the")
    cosines = index.cosines(["the", "screen"])
    assert cosines[0] > 5 * cosines[1]


def test_characters_inside_chinese_words_count_half() -> None:
    assert weighted(["打开"]) == {"打开": 1.0, "打": 0.5, "开": 0.5}
    assert weighted(["打", "打开"])["打"] == 1.0
    assert WordIndex.of([["打开"]]).cosines(["打不开"])[0] > 0.0


def test_a_removed_row_is_silent_and_used_again() -> None:
    index = WordIndex.of([["screen"], ["parcel"]])
    index.remove(0)
    index.remove(0)
    assert len(index) == 1
    assert index.cosines(["screen"])[0] == 0.0
    assert index.add(["coupon"]) == 0
    assert index.cosines(["coupon"])[0] == pytest.approx(1.0)
    assert index.capacity == 2


def test_lengths_follow_the_rarity_of_words() -> None:
    index = WordIndex()
    for number in range(200):
        index.add(["screen", f"word{number}"])
    index.refresh()
    assert index.cosines(["screen", "word7"])[7] == pytest.approx(1.0)
    assert index.cosines_of(7)[7] == pytest.approx(1.0)


@given(TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_cosines_are_cosines(texts: list[list[str]], queries: list[list[str]]) -> None:
    index = WordIndex.of(texts)
    for query in queries:
        cosines = index.cosines(query)
        assert cosines.shape == (len(texts),)
        assert np.all((cosines >= 0) & (cosines <= 1))
        for row, text in enumerate(texts):
            assert cosines[row] == pytest.approx(index.cosine(query, text), abs=1e-9)


def test_the_unit_vector_of_a_row_has_length_one() -> None:
    index = WordIndex.of([["screen", "broken", "屏幕"]])
    assert sum(weight**2 for weight in index.unit(0).values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("word", "telling"), [("屏幕", True), ("的", False), ("refund", True), ("the", False), ("42", False)]
)
def test_is_content(word: str, telling: bool) -> None:
    assert is_content(word) is telling


def test_an_index_that_lost_its_words_takes_wordless_texts() -> None:
    index = WordIndex()
    index.remove(index.add(["refund"]))
    for _ in range(20):
        index.add([])
    assert index.cosines(["refund"]).tolist() == [0.0] * 20
