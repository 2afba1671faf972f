"""Fields and rows as sentences: what stands in cells is no reply to a person."""

from __future__ import annotations

import pytest

from kb_service.replying.stating import field_sentence, row_sentence


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "商品：DK05 升降桌；保修期：60 个月；说明：电机、桌架、手控器；桌板 24 个月",
            "商品“DK05 升降桌”的保修期是 60 个月（电机、桌架、手控器；桌板 24 个月）。",
        ),
        ("灯环：黄色慢闪；含义：网络断开", "灯环“黄色慢闪”的含义是网络断开。"),
        (
            "阶段：正式开卖；时间：11 月 10 日 20:00 – 11 月 11 日 23:59",
            "阶段“正式开卖”的时间是 11 月 10 日 20:00 – 11 月 11 日 23:59。",
        ),
        ("Data: Recorded calls; Kept for: 6 months", "Data “Recorded calls”: kept for 6 months."),
        (
            "Carrier: Jiyu Express; Used for: Most parcels; Time: 1–3 days; Note: by air.",
            "Carrier “Jiyu Express”: used for Most parcels, the time is 1–3 days (by air.).",
        ),
        (
            "Problem: Open seams; Washed items: Accepted",
            "Problem “Open seams”: the washed items are Accepted.",
        ),
    ],
)
def test_a_row_of_a_table_reads_as_a_sentence(row: str, said: str) -> None:
    assert row_sentence(row) == said


@pytest.mark.parametrize("text", ["Hold Play for 8 seconds.", "灯环：蓝色呼吸", "1. Plug in; wait"])
def test_what_is_no_row_of_several_cells_stays_as_it_is(text: str) -> None:
    assert row_sentence(text) == text


def test_a_field_is_stated_of_its_subject() -> None:
    assert field_sentence("声澜 EB20", [("重量", "单耳 4.6 g")], "zh") == "声澜 EB20 的重量是单耳 4.6 g。"
    assert field_sentence("K100 水壶", [("颜色", "白 / 黑"), ("容量", "1.7 升")], "zh") == (
        "K100 水壶：颜色是白 / 黑；容量是 1.7 升。"
    )
    assert field_sentence("EB20", [("Weight", "4.6 g"), ("Colours", "White / Black")], "en") == (
        "EB20: the weight is 4.6 g, the colours are White / Black."
    )
    assert field_sentence("AP40", [("SKU", "HNV-AP40")], "en") == "AP40: the SKU is HNV-AP40."
    assert (
        field_sentence("RV8", [("In the box", "Robot, 2 dust bags")], "en")
        == "RV8: in the box: Robot, 2 dust bags."
    )
