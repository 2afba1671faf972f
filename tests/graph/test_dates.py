from __future__ import annotations

from datetime import UTC, datetime

import pytest

from graph.dates import dates

AT = datetime(2026, 11, 18, 10, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("i bought it on black friday and want to return it", "2025-11-28"),
        ("my black friday order never came", "2025-11-28"),
        ("黑五买的外套", "2025-11-28"),
        ("双十二买的鞋", "2025-12-12"),
        ("i ordered on december 25", "2025-12-25"),
        ("12月25日下的单", "2025-12-25"),
        ("last black friday", "2025-11-28"),
        ("去年黑五", "2025-11-28"),
        ("next black friday", "2026-11-27"),
        ("is there a sale on black friday", "2026-11-27"),
        ("i bought it, is it cheaper on black friday", "2026-11-27"),
        ("i ordered it and need it before black friday", "2026-11-27"),
        ("黑五买有优惠吗", "2026-11-27"),
    ],
)
def test_what_was_bought_on_a_day_was_bought_in_the_past(text: str, value: str) -> None:
    assert told(text, datetime(2026, 11, 22, tzinfo=UTC)) == [value]


def told(text: str, at: datetime = AT) -> list[str]:
    return [value for _, _, value in dates(text, at)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("今天", "2026-11-18"),
        ("昨天收到的", "2026-11-17"),
        ("大前天", "2026-11-15"),
        ("后天要用", "2026-11-20"),
        ("上周", "2026-11-09/2026-11-15"),
        ("上上周", "2026-11-02/2026-11-08"),
        ("上周三", "2026-11-11"),
        ("下个星期五", "2026-11-27"),
        ("这个周末", "2026-11-21/2026-11-22"),
        ("上个月", "2026-10-01/2026-10-31"),
        ("上个月15号", "2026-10-15"),
        ("双十一", "2026-11-11"),
        ("去年双11", "2025-11-11"),
        ("618买的", "2026-06-18"),
        ("黑五优惠", "2026-11-27"),
        ("11月11日下单", "2026-11-11"),
        ("十一月三号", "2026-11-03"),
        ("2025年3月2日", "2025-03-02"),
        ("1月5号", "2027-01-05"),
        ("2026-10-01下单", "2026-10-01"),
        ("2026/10/1", "2026-10-01"),
        ("3天前付款", "2026-11-15"),
        ("两个星期前", "2026-11-04"),
        ("三周前", "2026-10-28"),
        ("yesterday", "2026-11-17"),
        ("the day before yesterday", "2026-11-16"),
        ("last tuesday", "2026-11-17"),
        ("on monday", "2026-11-16"),
        ("next friday", "2026-11-20"),
        ("last week", "2026-11-09/2026-11-15"),
        ("this weekend", "2026-11-21/2026-11-22"),
        ("last month", "2026-10-01/2026-10-31"),
        ("two weeks ago", "2026-11-04"),
        ("a few days ago", "2026-11-15"),
        ("nov 3rd, 2026", "2026-11-03"),
        ("5 october", "2026-10-05"),
        ("may 2", "2026-05-02"),
        ("black friday", "2026-11-27"),
        ("cyber monday", "2026-11-30"),
        ("13月40日", None),
        ("2月30日", None),
        ("in may i bought it", None),
        ("10.5元", None),
        ("999999天前", None),
    ],
)
def test_dates_as_customers_say_them(text: str, value: str | None) -> None:
    found = told(text)
    assert (found[0] if found else None) == value


def test_a_day_without_a_year_is_the_nearest() -> None:
    assert told("12月30日", datetime(2026, 1, 5, tzinfo=UTC)) == ["2025-12-30"]
    assert told("1月3日", datetime(2025, 12, 30, tzinfo=UTC)) == ["2026-01-03"]
    assert told("2月29日", datetime(2027, 2, 1, tzinfo=UTC)) == ["2028-02-29"]
