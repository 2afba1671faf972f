from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from ingest import adapting, row_tuning
from ingest.adapting import Figures, Pair, Tuning, adapt, loss, verdict
from ingest.embedding import WordHashEmbedder
from ingest.lexicon import Lexicon
from tests.ingest.lexicon_samples import small
from tests.ingest.test_lexicon_building import examples

WORDS = ["退货", "发票", "屏幕", "手机", "碎", "我", "怎么"]
FILLERS = [" ".join(two) for two in itertools.permutations("abcdefghijklmnop", 2)]
QUICK = Tuning(epochs=12, batch=32, rate=3e-2, ridge=0.0)


def shop_pairs() -> list[Pair]:
    """To this shop 碎 and 退货 mean the same; other words differ from one another. Fillers make texts distinct."""
    pairs = []
    for number, filler in enumerate(FILLERS):
        one, other = WORDS[number % 4 : number % 4 + 2]
        same = number % 2 == 0
        first, second = ("碎" * 3, "退货" * 3) if same else (one * 3, other * 3)
        pairs.append(Pair(f"{first} {filler}", f"{second} {filler[::-1]}", same))
    return pairs


CONTROL = [("我", "I"), ("手机", "phone"), ("屏幕", "screen"), ("发票", "invoice")]


@pytest.fixture
def held() -> Lexicon:
    return small()


class TestAdapt:
    def test_it_learns_what_means_the_same_and_says_by_how_much(self, held: Lexicon) -> None:
        found = adapt(held, WordHashEmbedder(), shop_pairs(), tuning=QUICK, control=CONTROL)
        assert found.before.precision is not None
        assert found.after.precision is not None
        assert found.after.precision > found.before.precision + 0.05
        assert found.held_out == sum(adapting._kept_out(pair) for pair in shop_pairs()) > 20
        assert found.lexicon.digest != held.digest == found.lexicon.about["adapted_from"]
        assert found.lexicon.glosses == held.glosses

    def test_the_same_pairs_give_the_same_lexicon(self, held: Lexicon) -> None:
        first, second = (
            adapt(held, WordHashEmbedder(), shop_pairs(), tuning=QUICK, control=CONTROL) for _ in range(2)
        )
        assert first.lexicon.digest == second.lexicon.digest

    def test_labels_without_sense_are_not_used(self, held: Lexicon) -> None:
        chance = np.random.default_rng(5)
        nonsense = [replace(pair, same=bool(chance.integers(2))) for pair in shop_pairs()]
        found = adapt(held, WordHashEmbedder(), nonsense, tuning=Tuning(rate=1e-5, epochs=1), control=CONTROL)
        assert found.refusal is not None
        assert "do not improve" in found.refusal

    def test_questions_with_their_documents_need_no_labels(self, held: Lexicon) -> None:
        pairs = [pair for pair in shop_pairs() if pair.same]
        pairs += [replace(pair, first=pair.first + " z") for pair in pairs]
        found = adapt(held, WordHashEmbedder(), pairs, tuning=QUICK, control=CONTROL)
        assert found.before.precision is None
        assert found.before.chief == found.before.found

    def test_too_few_chinese_pairs_are_refused(self, held: Lexicon) -> None:
        english = [Pair(f"refund {number}", "money back", True) for number in range(500)]
        with pytest.raises(ValueError, match="60 pairs hold Chinese; at least 100 are needed"):
            adapt(held, WordHashEmbedder(), [*shop_pairs()[:60], *english])

    def test_pairs_of_one_question_stay_on_one_side(self) -> None:
        sides = {adapting._kept_out(Pair("怎么退货", second, True)) for second in "abcdef"}
        assert len(sides) == 1


class TestVerdict:
    BEFORE = Figures(precision=0.8, found=0.7, slices={"zh": 0.8, "mixed": 0.6}, control=0.97)

    def test_a_gain_without_loss_is_used(self) -> None:
        after = Figures(precision=0.85, found=0.7, slices={"zh": 0.86, "mixed": 0.6}, control=0.968)
        assert verdict(self.BEFORE, after) is None

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"precision": 0.8}, "do not improve: 0.800 before, 0.800 after"),
            ({"slices": {"zh": 0.9, "mixed": 0.5}}, "in mixed lose: 0.600 before, 0.500 after"),
            ({"control": 0.9}, "the control sentences lose"),
        ],
    )
    def test_what_does_not_improve_or_loses_elsewhere_is_not(
        self, change: dict[str, object], reason: str
    ) -> None:
        after = Figures(precision=0.9, found=0.7, slices={"zh": 0.9, "mixed": 0.6}, control=0.97)
        assert reason in str(verdict(self.BEFORE, replace(after, **change)))


class TestGradient:
    @pytest.mark.parametrize("same", [[True, False, True, True, False], [True] * 5, [False] * 5])
    def test_it_is_that_of_the_loss(self, same: list[bool]) -> None:
        rows, firsts, _ = examples(5)
        seconds = firsts.take(np.array([1, 2, 3, 4, 0]))
        labels = np.array(same)
        border = 0.1 if len(set(same)) == 2 else None
        tuning = Tuning(temperature=0.5, steepness=3.0, apart=0.7)
        _, touched, gradient = loss(rows, firsts, seconds, labels, border, tuning)
        step = 2e-3
        for place, row in enumerate(touched):
            for column in range(0, rows.shape[1], 3):
                up, down = rows.copy(), rows.copy()
                up[row, column] += step
                down[row, column] -= step
                losses = [loss(moved, firsts, seconds, labels, border, tuning)[0] for moved in (up, down)]
                assert gradient[place, column] == pytest.approx(
                    (losses[0] - losses[1]) / (2 * step), abs=3e-4
                )


class TestPairsFile:
    def test_both_shapes(self) -> None:
        lines = [
            json.dumps({"a": "怎么退货", "b": "如何退货", "label": 1}),
            '{"a": "退货", "b": "换货", "label": "0"}',
            "",
            '{"query": "退货", "document": "Returns"}',
        ]
        assert adapting.read_pairs(lines) == [
            Pair("怎么退货", "如何退货", True),
            Pair("退货", "换货", False),
            Pair("退货", "Returns", True),
        ]

    @pytest.mark.parametrize(
        "line", ["not JSON", '{"a": "x", "b": "y"}', "[]", '{"a": 1, "b": "y", "label": 1}']
    )
    def test_a_line_of_neither_shape_is_named(self, line: str) -> None:
        with pytest.raises(ValueError, match="line 2: "):
            adapting.read_pairs(['{"a": "x", "b": "y", "label": 0}', line])


def test_average_precision() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6], dtype=np.float32)
    assert adapting.average_precision(scores, np.array([True, True, False, False])) == 1
    assert adapting.average_precision(scores, np.array([False, True, False, True])) == 0.5


def test_the_shipped_control_is_two_hundred_or_so_distinct_sentences() -> None:
    pairs = adapting.shipped_control()
    assert 150 <= len(pairs) == len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs})
    assert all(chinese and english for chinese, english in pairs)
    assert len(pairs) < row_tuning.TEXTS_A_RUN
