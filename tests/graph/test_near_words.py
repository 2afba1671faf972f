from __future__ import annotations

import random

import numpy as np
import pytest

from graph import near_words
from graph.near_words import NearWords
from graph.words import WordIndex

WORDS = ["screen", "broken", "refund", "屏幕", "碎", "the", "退货", *(f"w{number}" for number in range(40))]


def texts(count: int, seed: int = 1) -> list[list[str]]:
    rng = random.Random(seed)
    return [rng.choices(WORDS, k=rng.randint(1, 6)) for _ in range(count)]


def test_cosines_and_rarities_are_those_of_the_exact_index() -> None:
    held = texts(60)
    near, exact = NearWords(), WordIndex.of(held)
    for text in held:
        near.add(text)
    for _ in range(30):  # lengths are brought up to date in turn
        near.remove(near.add(["w1"]))
    assert near.rarity("screen") == exact.rarity("screen")
    for asked in texts(20, seed=2):
        assert near.cosines(asked, range(60)) == pytest.approx(exact.cosines(asked), abs=3e-2)
        assert near.cosine(asked, held[3]) == pytest.approx(exact.cosine(asked, held[3]), abs=3e-2)
        assert near.usual(asked) == pytest.approx(float(exact.cosines(asked).sum()), rel=0.15)


def test_the_nearest_by_words_are_those_of_the_exact_index() -> None:
    held = texts(200)
    near, exact = NearWords(), WordIndex.of(held)
    for text in held:
        near.add(text)
    for asked in texts(20, seed=2):
        cosines = exact.cosines(asked)
        rows = near.nearest(asked, 10)
        assert len(rows) == min(10, int((cosines > 0).sum()))
        assert sorted(rows.tolist()) == rows.tolist()
        if len(rows):
            assert cosines[rows].min() >= np.sort(cosines)[::-1][: len(rows)].min() - 0.05


def test_a_word_that_very_many_share_leads_nowhere_but_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_words, "_TOO_MANY", 20)
    near = NearWords()
    for number in range(30):
        near.add(["parcel", f"w{number}"])
    assert near.nearest(["parcel"], 50).tolist() == []
    assert near.nearest(["parcel", "w7"], 50).tolist() == [7]
    assert near.cosines(["parcel"], [7])[0] > 0.0
    assert near.rarity("parcel") < near.rarity("w7")


def test_a_removed_text_is_silent_and_its_row_used_again() -> None:
    near = NearWords()
    rows = [near.add(["screen"]), near.add(["parcel"])]
    near.remove(rows[0])
    near.remove(rows[0])
    assert len(near) == 1
    assert near.nearest(["screen"], 5).tolist() == []
    assert near.usual(["screen"]) == pytest.approx(0.0)
    assert near.add(["coupon"]) == rows[0]
    assert near.cosines(["coupon"], [rows[0]])[0] == pytest.approx(1.0)


def test_asking_changes_nothing() -> None:
    asked, silent = NearWords(), NearWords()
    for text in texts(100):
        asked.add(text)
        silent.add(text)
        asked.nearest(["screen", "w3"], 5)
        asked.cosines(["screen", "w3"], [0])
    assert (
        asked.cosines(["screen", "w9"], range(100)).tolist()
        == silent.cosines(["screen", "w9"], range(100)).tolist()
    )
