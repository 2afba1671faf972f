"""Which words of a passage are marked for a search."""

from __future__ import annotations

import pytest

from kb_service.console.highlighting import LONGEST, highlighted


def marked(text: str, query: str) -> list[str]:
    return [run for run, is_marked in highlighted(text, query) if is_marked]


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Clothes may be returned within 30 days.", "return clothes", ["Clothes", "returned"]),
        ("七天无理由退货，运费由顾客承担。", "退货运费谁出", ["退货", "运费"]),
        ("支持 SKU AUR-S2 换货", "AUR-S2 怎么换货", ["AUR-S2", "换货"]),
        ("Nothing of it stands here.", "refrigerator", []),
        ("The end.", "the", ["The"]),
        ("", "return", []),
    ],
)
def test_words_of_the_search_are_marked(text: str, query: str, expected: list[str]) -> None:
    assert marked(text, query) == expected


def test_the_runs_are_the_text() -> None:
    text = "Return the clothes; returns are free. 退货免费。"
    assert "".join(run for run, _ in highlighted(text, "return 退货")) == text


def test_a_long_passage_begins_shortly_before_the_first_word() -> None:
    runs = highlighted("before " * 300 + "needle" + " after" * 300, "needle")
    shown = "".join(run for run, _ in runs)
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert ("needle", True) in runs
    assert len(shown) == LONGEST + 2


@pytest.mark.parametrize("query", ["(((", "[a-z", "\\", "？", "退", "  "])
def test_no_query_breaks_it(query: str) -> None:
    assert "".join(run for run, _ in highlighted("退 (((", query)) == "退 ((("
