from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ingest import lexicon
from ingest.errors import EncoderUnavailable
from tests.ingest.lexicon_samples import small


class TestReading:
    def test_each_word_gives_way_to_its_gloss_and_all_else_stays(self) -> None:
        assert small().read("我的 iPhone 15 屏幕碎了，怎么退货？") == "I iphone 15 screen broken, how return?"

    def test_traditional_and_full_width_characters_are_folded(self) -> None:
        assert small().read("發票！") == "invoice!"

    def test_a_text_without_chinese_is_left_as_it_is(self) -> None:
        assert small().read("Where is MY invoice？") == "Where is MY invoice？"

    def test_nothing_but_unknown_characters_still_gives_something_to_read(self) -> None:
        assert small().read("鑫") == "."

    def test_what_is_no_word_of_it_is_read_in_known_parts(self) -> None:
        assert small().cut("手机屏幕鑫") == ["手机", "屏幕"]

    def test_words_may_be_kept_whole_that_a_segmenter_would_cut(self) -> None:
        assert small().cut("我要换货") == ["我", "要", "换", "货"] or small().cut("我要换货")[-1] == "换货"
        assert small(kept_whole=("换货",)).cut("我要换货")[-1] == "换货"

    def test_numbers_name_the_words_in_order(self) -> None:
        held = small()
        assert [held.words[number] for number in held.numbered("屏幕 screen 碎")] == ["屏幕", "碎"]

    def test_the_share_of_chinese_counts_words(self) -> None:
        held = small()
        assert held.chinese_share("屏幕碎了 my phone", 2) == 0.5
        assert held.chinese_share("only English", 0) == 0

    def test_many_threads_read_alike(self) -> None:
        held = small(kept_whole=("换货",))
        with ThreadPoolExecutor(8) as pool:
            readings = set(pool.map(held.read, ["我要换货，手机屏幕碎"] * 200))
        assert readings == {"I want exchange goods, phone screen broken"}


class TestRows:
    def test_four_bits_lose_little(self) -> None:
        rows = np.random.default_rng(1).normal(size=(50, 384)).astype(np.float32)
        back = lexicon.unpacked(*lexicon.packed_rows(rows))
        cosines = (rows * back).sum(axis=1) / np.linalg.norm(rows, axis=1) / np.linalg.norm(back, axis=1)
        assert cosines.min() > 0.98
        assert lexicon.packed_rows(rows)[0].shape == (50, 192)

    def test_a_row_of_nothing_stays_nothing(self) -> None:
        assert not lexicon.unpacked(*lexicon.packed_rows(np.zeros((2, 8), np.float32))).any()


class TestFile:
    def test_what_is_saved_is_loaded(self, tmp_path: Path) -> None:
        held = small()
        held.save(tmp_path / "small.npz")
        found = lexicon.load(tmp_path / "small.npz")
        assert (found.digest, found.words, found.glosses) == (held.digest, held.words, held.glosses)
        assert (found.table_share, found.about["sources"]) == (0.4, ["a test"])
        np.testing.assert_array_equal(found.packed, held.packed)

    def test_the_same_contents_give_the_same_bytes_and_digest(self, tmp_path: Path) -> None:
        for name in ("one", "other"):
            small().save(tmp_path / name)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
        assert small().digest == small().digest != small(table_share=0.3).digest

    @pytest.mark.parametrize("place", [0.02, 0.5, 0.97])
    def test_a_damaged_one_is_refused(self, tmp_path: Path, place: float) -> None:
        file = tmp_path / "damaged.npz"
        small().save(file)
        content = bytearray(file.read_bytes())
        start = int(len(content) * place)
        content[start : start + 40] = bytes(byte ^ 255 for byte in content[start : start + 40])
        file.write_bytes(content)
        with pytest.raises(EncoderUnavailable, match=r"damaged\.npz .*kb encoder rollback"):
            lexicon.load(file)

    def test_a_cut_or_missing_one_is_refused(self, tmp_path: Path) -> None:
        small().save(tmp_path / "whole.npz")
        (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:3000])
        for name in ("cut.npz", "none.npz"):
            with pytest.raises(EncoderUnavailable, match="cannot be read"):
                lexicon.load(tmp_path / name)

    def test_one_of_another_format_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lexicon, "FORMAT", 99)
        small().save(tmp_path / "newer.npz")
        monkeypatch.undo()
        with pytest.raises(EncoderUnavailable, match="does not fit this version"):
            lexicon.load(tmp_path / "newer.npz")


class TestShipped:
    def test_it_is_whole_small_enough_and_names_its_sources(self) -> None:
        held = lexicon.load()
        assert lexicon.SHIPPED.stat().st_size <= 30_000_000
        assert held.dimension == 384
        sources = " ".join(held.about["sources"])
        assert all(licence in sources for licence in ("CC BY-SA 4.0", "CC BY 2.0 FR", "MIT"))
        notice = (lexicon.SHIPPED.parent / "NOTICE").read_text("utf-8")
        assert "CC BY-SA 4.0" in notice
        assert "CC BY 2.0 FR" in notice

    def test_it_reads_the_words_of_shops(self) -> None:
        held = lexicon.load()
        assert held.read("怎么退款？") == "how refund?"
        assert held.read("保价") == "price protection"
        assert not [gloss for gloss in held.glosses if gloss.endswith(("?", "!", ","))]


def test_importing_it_loads_nothing_heavy() -> None:
    script = "import sys, ingest.lexicon, ingest.bilingual; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", script], text=True).split())
    assert not {"rjieba", "scipy", "opencc", "onnxruntime", "torch"} & loaded
