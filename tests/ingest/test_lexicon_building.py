from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ingest import lexicon_building, row_tuning
from ingest.embedding import WordHashEmbedder
from ingest.lexicon import Lexicon
from ingest.lexicon_building import Training, build, loss
from ingest.row_tuning import Texts
from tests.ingest.lexicon_samples import DICTIONARY, PAIRS, small

QUICK = Training(epochs=6, batch=16, rate=2e-2)


@pytest.fixture(scope="module")
def built() -> tuple[Lexicon, lexicon_building.BuildReport]:
    return build(
        DICTIONARY, PAIRS, WordHashEmbedder(), given={"屏幕": "display"}, sources=["a test"], training=QUICK
    )


class TestBuild:
    def test_words_glosses_and_sources_are_in_it(
        self, built: tuple[Lexicon, lexicon_building.BuildReport]
    ) -> None:
        held, report = built
        assert held.about["encoder"] == "word-hash-384"
        assert held.about["sources"] == ["a test"]
        assert held.read("波士顿的沙发") == "Boston sofa"
        assert held.read("屏幕") == "display", "what is given goes before the dictionary and the translations"
        assert report.entries == 12
        assert report.pairs + report.held_out == len(PAIRS)
        assert report.held_out == len(PAIRS) // 10

    def test_tuning_finds_more_translations_that_it_never_saw(
        self, built: tuple[Lexicon, lexicon_building.BuildReport]
    ) -> None:
        _, report = built
        assert report.after.both > report.before.both
        assert report.before.glosses == report.after.glosses

    def test_the_same_inputs_give_the_same_lexicon(
        self, built: tuple[Lexicon, lexicon_building.BuildReport]
    ) -> None:
        again, _ = build(
            DICTIONARY,
            PAIRS,
            WordHashEmbedder(),
            given={"屏幕": "display"},
            sources=["a test"],
            training=QUICK,
        )
        assert again.digest == built[0].digest

    def test_it_tells_how_far_it_is(self) -> None:
        told: dict[str, tuple[int, int]] = {}
        build(
            DICTIONARY,
            PAIRS,
            WordHashEmbedder(),
            training=QUICK,
            progress=lambda step, done, total, /: told.__setitem__(step, (done, total)),
        )
        assert "tuning" in told
        assert all(done == total for done, total in told.values())

    def test_what_is_no_dictionary_or_too_few_pairs_is_refused(self) -> None:
        with pytest.raises(ValueError, match="dictionary: no line holds a Chinese word"):
            build(["# nothing"], PAIRS, WordHashEmbedder())
        with pytest.raises(ValueError, match="pairs: 3 with Chinese in their first column; at least 20"):
            build(DICTIONARY, [*PAIRS[:3], ("English", "English")], WordHashEmbedder())


class TestPairs:
    def test_chinese_a_tab_english(self) -> None:
        assert lexicon_building.read_pairs(["退货\treturn\n", "\n"]) == [("退货", "return")]

    def test_a_line_without_a_tab_is_named(self) -> None:
        with pytest.raises(ValueError, match="line 2: no tab between"):
            lexicon_building.read_pairs(["退货\treturn", "退货 return"])


def examples(count: int, dimension: int = 8) -> tuple[np.ndarray, Texts, np.ndarray]:
    """Rows, texts of the small lexicon over them, and targets, all of few dimensions and double precision."""
    chance = np.random.default_rng(3)
    held = small(dimension=dimension)
    texts = ["我要退货", "手机屏幕碎", "怎么换货 today", "发票 invoice 我", "屏幕的手机"][:count]
    read = row_tuning.read(held, texts, WordHashEmbedder(), "")
    random = row_tuning.unit(chance.normal(size=(count, dimension)))[0]
    targets = row_tuning.unit(chance.normal(size=(count, dimension)))[0]
    return (
        held.rows(range(len(held.numbers))).astype(np.float64),
        Texts(read.words.astype(np.float64), random, read.shares.astype(np.float64)),
        targets,
    )


def test_the_gradient_is_that_of_the_loss() -> None:
    rows, texts, targets = examples(5)
    training = replace(Training(), temperature=0.5)
    _, touched, gradient = loss(rows, texts, targets, training)
    step = 2e-3
    for place, row in enumerate(touched):
        for column in range(0, rows.shape[1], 3):
            up, down = rows.copy(), rows.copy()
            up[row, column] += step
            down[row, column] -= step
            slope = (loss(up, texts, targets, training)[0] - loss(down, texts, targets, training)[0]) / (
                2 * step
            )
            assert gradient[place, column] == pytest.approx(slope, abs=3e-4)


def test_a_text_is_placed_as_the_bilingual_embedder_places_it() -> None:
    from ingest.bilingual import BilingualEmbedder

    held = small()
    texts = ["我要退货", "my 手机 broke", "only English"]
    placing = row_tuning.Placing(
        held.rows(range(len(held.numbers))), row_tuning.read(held, texts, WordHashEmbedder(), "")
    )
    expected = BilingualEmbedder(WordHashEmbedder(), held).embed_passages(texts)
    np.testing.assert_allclose(placing.vectors, expected, atol=1e-5)


def test_sureness_falls_before_a_counterpart_is_missed() -> None:
    targets = np.eye(4, dtype=np.float32)
    nearer = row_tuning.unit(targets + 0.1)[0]
    blurred = row_tuning.unit(targets + 0.6)[0]
    assert row_tuning.found_first(nearer, targets) == row_tuning.found_first(blurred, targets) == 1
    assert row_tuning.surely_found(nearer, targets) > row_tuning.surely_found(blurred, targets)
