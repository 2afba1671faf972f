"""Quantities in both languages: what they measure, what they bound, and what is none."""

from __future__ import annotations

import time

import pytest

from ingest.quantities import quantities


def found(text: str) -> list[tuple[str, float, float, str]]:
    return [(item.dimension, item.low, item.high, item.bound) for item in quantities(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("满 ¥99 包邮", ("money:CNY", 99, 99, "from")),
        ("现在下午5点20下单", ("clock", 1040, 1040, "plain")),
        ("下午三点付款", ("clock", 900, 900, "plain")),
        ("上午十点半", ("clock", 630, 630, "plain")),
        ("中午12点零五分", ("clock", 725, 725, "plain")),
        ("今晚十二点", ("clock", 1440, 1440, "plain")),
        ("凌晨零点", ("clock", 0, 0, "plain")),
        ("晚上零点五分", ("clock", 5, 5, "plain")),
        ("17点30分前", ("clock", 1050, 1050, "before")),
        ("paid at 5.20 pm", ("clock", 1040, 1040, "plain")),
        ("by 12 a.m", ("clock", 0, 0, "before")),
        ("身高一米三五", ("length", 1350, 1350, "plain")),
        ("1米75", ("length", 1750, 1750, "plain")),
        ("一米七", ("length", 1700, 1700, "plain")),
        ("腰围二尺五", ("length", 833.3, 833.3, "plain")),
        ("2尺的裤子", ("length", 666.7, 666.7, "plain")),
        ("订单满59元包邮", ("money:CNY", 59, 59, "from")),
        ("Free shipping over $1,299.50", ("money:USD", 1299.5, 1299.5, "from")),
        ("起7天内可退", ("time", 168, 168, "within")),
        ("within fifteen days", ("time", 360, 360, "within")),
        ("a 60-day window", ("time", 1440, 1440, "plain")),
        ("十五天内", ("time", 360, 360, "within")),
        ("保修两年", ("time", 17520, 17520, "plain")),
        ("3–5 个工作日", ("working_time", 3, 5, "plain")),
        ("between 3 to 5 business days", ("working_time", 3, 5, "plain")),
        ("单笔最高赔付 ¥12", ("money:CNY", 12, 12, "most")),
        ("at least 5%", ("share", 5, 5, "least")),
        ("16:00 前付款", ("clock", 960, 960, "before")),
        ("每年 6 次", ("times", 6, 6, "plain")),
        ("不足 ¥99", ("money:CNY", 99, 99, "below")),
        ("HK$40", ("money:HKD", 40, 40, "plain")),
        ("¥10–15", ("money:CNY", 10, 15, "plain")),
        ("首重 0.5 kg", ("weight", 500, 500, "plain")),
    ],
)
def test_a_quantity_is_read_with_dimension_and_bound(
    text: str, expected: tuple[str, float, float, str]
) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "2026 年 3 月 1 日起",
        "签收后第 3 天",
        "型号 EB20",
        "SHUANG1160",
        "400-820-0199",
        "version 3.2.0",
        "一键申请",
        "有三点要说明",
        "积分100点",
        "尺寸二尺码",
    ],
)
def test_dates_ordinals_and_names_are_no_quantities(text: str) -> None:
    assert found(text) == []


def test_one_clause_may_hold_a_threshold_and_a_reduction() -> None:
    assert found("满 ¥400 减 ¥60") == [("money:CNY", 400, 400, "from"), ("money:CNY", 60, 60, "off")]


def test_offsets_are_those_of_the_text_as_given() -> None:
    text = "单笔实付满 ¥99 包邮，不足 ¥99 收取运费 ¥8。"
    assert [text[item.start : item.end] for item in quantities(text)] == ["¥99", "¥99", "¥8"]


def test_a_year_of_months_is_a_year_to_within_what_counts_as_the_same() -> None:
    ((_, months, *_),), ((_, year, *_),) = found("12 个月"), found("1 年")
    assert abs(months - year) / year < 0.035


def test_hostile_text_takes_time_in_proportion_to_its_length() -> None:
    begin = time.perf_counter()
    for text in ("1" * 20_000, "一二三" * 7_000, "1–" * 10_000, "3 个" * 7_000, "¥" * 20_000, "ten " * 5_000):
        quantities(text)
    assert time.perf_counter() - begin < 2.0
