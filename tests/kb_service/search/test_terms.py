from __future__ import annotations

import numpy as np
import pytest

from kb_service.search.terms import QUERY_TERMS, TermIndex


def indexed(*rows: tuple[list[str], list[str], list[str]]) -> TermIndex:
    index = TermIndex()
    for row in rows:
        index.append(row)
    return index


@pytest.fixture
def three() -> TermIndex:
    return indexed(
        (["return", "polici"], ["return", "within", "30", "day"], []),
        (["return", "polici"], ["refund", "goe", "to", "card"], []),
        (["lamp"], ["return", "lamp"], ["sku-1", "sku1"]),
    )


def test_rare_terms_weigh_more_and_repeated_ones_count_once(three: TermIndex) -> None:
    query = three.view().query(["return", "refund", "return"])
    assert query.terms == ("return", "refund")
    assert query.idf[0] == pytest.approx(np.log(1 + 0.5 / 3.5))
    assert query.idf[1] == pytest.approx(np.log(1 + 2.5 / 1.5))


def test_a_term_that_no_passage_has_is_rarest(three: TermIndex) -> None:
    query = three.view().query(["unheard", "refund"])
    assert query.numbers[0] == -1
    assert query.idf[0] > query.idf[1]
    assert query.fields.tolist() == [[False, False, False], [False, True, False]]


def test_coverage_is_the_share_of_information_found_in_any_field(three: TermIndex) -> None:
    view = three.view()
    query = view.query(["return", "lamp", "sku-1"])
    share = view.match(query, np.array([0, 1, 2])).coverage
    assert share[2] == pytest.approx(1)
    assert share[0] == pytest.approx(query.idf[0] / query.idf.sum())
    assert share[1] == share[0]
    assert view.match(query, np.array([2, 0])).coverage[0] == pytest.approx(1)


def test_unknown_words_lower_the_coverage(three: TermIndex) -> None:
    view = three.view()
    assert 0 < view.match(view.query(["lamp", "unheard"]), np.array([2])).coverage[0] < 0.6


def test_coverage_of_nothing(three: TermIndex) -> None:
    view = three.view()
    assert view.match(view.query([]), np.array([0, 1])).coverage.tolist() == [0, 0]
    assert view.match(view.query(["lamp"]), np.array([], dtype=np.int64)).bm25.tolist() == []
    empty = TermIndex().view()
    assert empty.query(["lamp"]).numbers.tolist() == [-1]


def test_bm25_counts_the_title_twice_and_does_not_punish_many_products() -> None:
    view = indexed(
        (["lamp"], ["desk"], []),
        (["desk"], ["lamp"], []),
        (["x"], ["y"], ["sku-1"]),
        (["x"], ["y"], ["sku-1", "sku-2", "sku-3"]),
    ).view()
    title, body, _, _ = view.match(view.query(["lamp"]), np.arange(4)).bm25
    assert title == pytest.approx(2 * body)
    _, _, one, three = view.match(view.query(["sku-1"]), np.arange(4)).bm25
    assert one == three > 0


def test_buried_rows_leave_the_frequencies(three: TermIndex) -> None:
    before = three.view()
    three.bury(range(1, 2))
    after = three.view()
    assert before.query(["refund"]).numbers[0] >= 0, "a view does not change"
    assert after.query(["refund"]).numbers[0] == -1
    assert (before.living, after.living) == (3, 2)
    rest = indexed(*(before.of_row(row) for row in (0, 2))).view()
    words = ["return", "lamp"]
    assert after.query(words).idf.tolist() == rest.query(words).idf.tolist()
    ours = after.match(after.query(words), np.array([0, 2])).bm25
    assert ours.tolist() == rest.match(rest.query(words), np.array([0, 1])).bm25.tolist()


def test_a_row_gives_its_terms_back(three: TermIndex) -> None:
    assert three.view().of_row(2) == (("lamp",), ("return", "lamp"), ("sku-1", "sku1"))
    assert three.view().of_row(0) == (("return", "polici"), ("return", "within", "30", "day"), ())


def test_of_a_long_question_the_rarest_known_terms_are_kept(three: TermIndex) -> None:
    query = three.view().query([f"chatter{number}" for number in range(500)] + ["return", "lamp", "refund"])
    assert len(query.terms) == QUERY_TERMS
    assert {"return", "lamp", "refund"} <= set(query.terms)


def test_files_hold_all(three: TermIndex) -> None:
    three.bury(range(1))
    again = TermIndex.load(three.view().dump())
    assert again.view().of_row(1) == three.view().of_row(1)
    assert again.view().query(["return"]).idf.tolist() == three.view().query(["return"]).idf.tolist()
    again.append((["x"], ["return"], []))
    assert again.view().living == 3
    assert TermIndex.load(TermIndex().view().dump()).rows == 0


def test_files_that_do_not_fit_are_refused(three: TermIndex) -> None:
    files = dict(three.view().dump())
    with pytest.raises(ValueError, match="held"):
        TermIndex.load({**files, "held.npy": indexed((["a"], [], [])).view().dump()["held.npy"]})
    with pytest.raises(ValueError, match="terms"):
        TermIndex.load({**files, "terms.txt": b"one\ntwo"})
