from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.language import tokens
from kb_service.search.catalogue import Record
from kb_service.search.lexical import LexicalIndex, LexicalView, analysis_id, cut
from kb_service.search.source import SourceDocument
from tests.kb_service.search.shelf import written

TEXTS = (
    ("zh", "签收后七天内可以无理由退货,包裹要完整"),
    ("zh", "退款一般三个工作日内到账"),
    ("zh", "手机屏幕碎了属于人为损坏,不在保修范围"),
    ("en", "Parcels are delivered within three working days"),
    ("en", "A refund reaches your card within three working days of the return"),
    ("en", "The warranty does not cover a cracked screen"),
)


def add(index: LexicalIndex, slot: int, source: SourceDocument) -> None:
    record = Record.of(source.document, source.version)
    for passage in source.passages:
        index.add(slot, record, cut(passage, record))


def filled(folder: Path | None = None) -> LexicalIndex:
    index = LexicalIndex(folder)
    for slot, (language, text) in enumerate(TEXTS):
        add(index, slot, written(f"d{slot}", text, language=language, kind="faq" if slot % 2 else "policy"))
    index.commit()
    return index


def search(view: LexicalView, text: str, k: int = 10, allowed: list[int] | None = None, **coarse: list[str]):
    mask = None
    if allowed is not None:
        mask = np.zeros(view.terms.rows, dtype=np.bool_)
        mask[allowed] = True
    rows, scores = view.search(view.terms.query(tokens(text)), k, mask, coarse)
    assert (np.diff(scores) <= 0).all()
    return rows.tolist()


def test_two_character_words_of_chinese_are_found() -> None:
    view = filled().view()
    assert search(view, "签收") == [0]
    assert search(view, "包裹") == [0]
    assert search(view, "退款多久到账")[0] == 1
    assert search(view, "螢幕碎了怎麼辦")[0] == 2, "traditional characters and Taiwan's words as well"


def test_english_words_are_found_in_other_forms() -> None:
    view = filled().view()
    assert search(view, "deliver my parcel") == [3]
    assert search(view, "refunded")[0] == 4


def test_nothing_is_found_without_a_common_word() -> None:
    view = filled().view()
    assert search(view, "invoice") == []
    assert search(view, "") == []
    assert search(LexicalIndex().view(), "refund") == []


def test_product_numbers_are_found_exactly_and_weigh_more_than_words() -> None:
    index = LexicalIndex()
    add(index, 0, written("a", "a lamp for the desk, a lamp for the wall", products=("AUR-S2-BLK",)))
    add(index, 1, written("b", "a lamp for the desk, a lamp for the wall", products=("AUR-S3-BLK",)))
    add(index, 2, written("c", "the desk lamp"))
    index.commit()
    view = index.view()
    for spelling in ("AUR-S2-BLK", "aur-s2-blk", "AURS2BLK"):
        assert search(view, f"is the {spelling} lamp in stock")[0] == 0
    assert search(view, "blk") == [], "a part of a product's id is not the product"


def test_the_title_counts() -> None:
    index = LexicalIndex()
    add(index, 0, written("a", "Within 30 days of delivery.", title="Return policy"))
    add(index, 1, written("b", "Within 30 days of delivery.", title="Price protection"))
    index.commit()
    assert search(index.view(), "return") == [0]


def test_a_filter_never_empties_results_that_exist() -> None:
    index = LexicalIndex()
    for slot in range(3_000):
        # The allowed rows are long, so that every other row scores higher.
        text = "refund" if slot % 10 else "refund " + "with many more words about other things " * 4
        add(index, slot, written(f"d{slot}", text))
    index.commit()
    view = index.view()
    allowed = list(range(0, 3_000, 10))
    rows = search(view, "refund", 20, allowed)
    assert len(rows) == 20
    assert set(rows) <= set(allowed)
    assert len(search(view, "refund", 400, allowed)) == 300
    assert search(view, "refund", 20, [10, 20, 30]) == [10, 20, 30]
    assert search(view, "refund", 20, []) == []


def test_coarse_filters_narrow_the_search_itself() -> None:
    index = LexicalIndex()
    for slot in range(600):
        add(
            index, slot, written(f"d{slot}", "refund", kind="faq" if slot % 2 else "policy", language="en-GB")
        )
    index.commit()
    faq = list(range(1, 600, 2))
    assert len(search(index.view(), "refund", 500, faq, kind=["faq"], language=["en", "zh"])) == 300


def test_scores_of_living_passages_order_as_tantivy_does() -> None:
    """Tantivy is the reference: on a fresh index and one field the two agree up to how it rounds lengths."""
    index = LexicalIndex()
    random = np.random.default_rng(5)
    vocabulary = [f"word{number}x" for number in range(40)]
    for slot in range(200):
        text = " ".join(random.choice(vocabulary, size=int(random.integers(3, 30))))
        add(index, slot, written(f"d{slot}", text))
    index.commit()
    view = index.view()
    query = view.terms.query(["word1x", "word2x", "word3x"])
    rows, scores = view.search(query, 200)
    ours = view.terms.match(query, rows).bm25
    assert np.allclose(ours, scores, rtol=0.06)
    assert np.corrcoef(ours, scores)[0, 1] > 0.999
    absent = np.setdiff1d(np.arange(200), rows)
    assert not view.terms.match(query, absent).bm25.any()


def test_removal_takes_rows_out_of_words_and_statistics() -> None:
    index = filled()
    early = index.view()
    index.remove(0, range(1))
    index.commit()
    assert search(index.view(), "签收") == []
    assert index.view().living == 5
    assert search(early, "签收") == [0], "a view does not change"


def test_files_hold_the_whole_index_and_the_copy_works_alone(tmp_path: Path) -> None:
    index = filled(tmp_path / "a")
    files = index.dump()
    again = LexicalIndex.load(files, tmp_path / "b")
    assert search(again.view(), "退款 refund") == search(index.view(), "退款 refund")
    add(again, 6, written("d6", "退款 again"))
    again.commit()
    index.close()
    assert search(again.view(), "again") == [6]
    assert not (tmp_path / "a").exists()
    again.close()


def test_an_index_goes_on_after_it_was_written_to_files(tmp_path: Path) -> None:
    index = filled(tmp_path / "a")
    index.dump()
    add(index, 6, written("d6", "an invoice"))
    index.commit()
    assert search(index.view(), "invoice") == [6]
    index.close()


def test_an_index_in_memory_has_no_files() -> None:
    with pytest.raises(ValueError, match="in memory"):
        filled().dump()


def test_the_way_of_cutting_has_a_name() -> None:
    assert analysis_id() == analysis_id()
    assert len(analysis_id()) == 16
