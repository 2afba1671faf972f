from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from ingest.language import tokens
from kb_service.search.catalogue import Catalogue, Record
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


def add(index: LexicalIndex, source: SourceDocument) -> None:
    record = Record.of(source.document, source.version)
    for passage in source.passages:
        index.add(record, cut(passage, record))


def filled() -> LexicalIndex:
    index = LexicalIndex()
    for slot, (language, text) in enumerate(TEXTS):
        add(index, written(f"d{slot}", text, language=language, kind="faq" if slot % 2 else "policy"))
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
    add(index, written("a", "a lamp for the desk, a lamp for the wall", products=("AUR-S2-BLK",)))
    add(index, written("b", "a lamp for the desk, a lamp for the wall", products=("AUR-S3-BLK",)))
    add(index, written("c", "the desk lamp"))
    index.commit()
    view = index.view()
    for spelling in ("AUR-S2-BLK", "aur-s2-blk", "AURS2BLK"):
        assert search(view, f"is the {spelling} lamp in stock")[0] == 0
    assert search(view, "blk") == [], "a part of a product's id is not the product"


def test_the_title_counts() -> None:
    index = LexicalIndex()
    add(index, written("a", "Within 30 days of delivery.", title="Return policy"))
    add(index, written("b", "Within 30 days of delivery.", title="Price protection"))
    index.commit()
    assert search(index.view(), "return") == [0]


def test_a_filter_never_empties_results_that_exist() -> None:
    index = LexicalIndex()
    for slot in range(3_000):
        # The allowed rows are long, so that every other row scores higher.
        text = "refund" if slot % 10 else "refund " + "with many more words about other things " * 4
        add(index, written(f"d{slot}", text))
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
        add(index, written(f"d{slot}", "refund", kind="faq" if slot % 2 else "policy", language="en-GB"))
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
        add(index, written(f"d{slot}", text))
    index.commit()
    view = index.view()
    query = view.terms.query(["word1x", "word2x", "word3x"])
    rows, scores = view.search(query, 200)
    ours = view.terms.match(query, rows).bm25
    assert np.allclose(ours, scores, rtol=0.06)
    assert np.corrcoef(ours, scores)[0, 1] > 0.999
    absent = np.setdiff1d(np.arange(200), rows)
    assert not view.terms.match(query, absent).bm25.any()


def test_buried_rows_leave_the_statistics_and_stay_in_earlier_views() -> None:
    index = filled()
    early = index.view()
    index.bury(range(1))
    index.commit()
    later = index.view()
    assert later.terms.living == 5
    assert search(later, "签收", allowed=[1, 2, 3, 4, 5]) == []
    assert later.terms.query(tokens("签收")).numbers.max() == -1
    assert search(early, "签收") == [0], "a view does not change"


def files_of(tmp_path: Path, *, removed: tuple[int, ...] = ()) -> dict[str, bytes]:
    index, catalogue = LexicalIndex(), Catalogue()
    for slot, (language, text) in enumerate(TEXTS):
        source = written(f"d{slot}", text, language=language)
        catalogue.add(Record.of(source.document, 1), source.passages)
        add(index, source)
    for slot in removed:
        catalogue.remove(f"d{slot}")
        index.bury(range(slot, slot + 1))
    index.commit()
    (tmp_path / "made").mkdir()
    return dict(index.view().dump(catalogue.view(), tmp_path / "made"))


def test_files_hold_the_whole_index_and_nothing_is_left_of_the_copies(tmp_path: Path) -> None:
    files = files_of(tmp_path)
    assert not [name for name in files if name.endswith(".lock")]
    place = tmp_path / "place"
    place.mkdir()
    again = LexicalIndex.load(files, place)
    shutil.rmtree(place)
    assert search(again.view(), "退款 refund") == search(filled().view(), "退款 refund")
    assert again.view().held == again.rows == 6


def test_a_loaded_index_goes_on_in_memory(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    index = LexicalIndex.load(files_of(tmp_path), place)
    before = index.view()
    add(index, written("d6", "退款 again and an invoice"))
    index.commit()
    view = index.view()
    assert len(view.searchers) == 2
    assert search(view, "invoice") == [6]
    assert set(search(view, "退款")) == {1, 6}
    assert search(view, "退款", 1, [6]) == [6]
    assert search(before, "invoice") == []
    rows = np.array(search(view, "refund 退款"))
    assert (view.terms.match(view.terms.query(tokens("refund 退款")), rows).bm25 > 0).all()
    index.close()


def test_files_leave_out_buried_rows_but_not_their_numbers(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    index = LexicalIndex.load(files_of(tmp_path, removed=(0, 4)), place)
    view = index.view()
    assert (view.held, view.terms.living, index.rows) == (4, 4, 6)
    assert search(view, "签收") == []
    assert search(view, "退款多久到账")[0] == 1


def test_the_way_of_cutting_has_a_name() -> None:
    assert analysis_id() == analysis_id()
    assert len(analysis_id()) == 16
