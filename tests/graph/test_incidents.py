"""One incident that is several problems: what their customers share, in both languages."""

from __future__ import annotations

import pytest

from graph.incidents import KNOWN, Said, Usual, marks, shared

USUAL_TEXTS = [
    ("my", "parcel", "late"),
    ("refund", "not", "here"),
    ("怎么", "退款"),
    ("尺码", "偏大"),
] * KNOWN


def said(*texts: str) -> list[Said]:
    """Each by another customer, words parted by blanks."""
    return [Said(place, frozenset(text.split())) for place, text in enumerate(texts)]


def common(one: list[Said], other: list[Said], usual: list[tuple[str, ...]]) -> tuple[str, ...]:
    first, second = marks(one), marks(other)
    return shared(first, second, Usual.of(usual, first & second))


@pytest.mark.parametrize(
    ("one", "other", "shares"),
    [
        (
            ("武汉 包裹 没 动", "武汉 仓 物流 停", "包裹 卡 武汉"),
            ("武汉 退款 没", "武汉 能 改 地址 吗"),
            ("武汉",),
        ),
        (("parcel stuck wuhan", "wuhan no update"), ("refund wuhan order", "cancel wuhan"), ("wuhan",)),
        (("升级 3.2.0 打不开", "3.2.0 闪退"), ("3.2.0 登录 不了", "登录 3.2.0 失败"), ("3.2.0",)),
        (("pay error 4107", "4107 card"), ("4107 voucher", "voucher code 4107", "voucher"), ("4107",)),
    ],
)
def test_problems_of_one_incident_share_a_rare_word(
    one: tuple[str, ...], other: tuple[str, ...], shares: tuple[str, ...]
) -> None:
    assert common(said(*one), said(*other), USUAL_TEXTS) == shares


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("parcel late monday", "parcel late"), ("parcel lost monday", "parcel lost")),
        (("退款 没到 昨天", "昨天 退款"), ("退款 退 哪里 昨天", "退款 昨天")),
        (("the lamp is 12 cm", "12 cm lamp"), ("only 12 pieces", "12 pieces came")),
        (("发票 抬头", "发票 改"), ("尺码 偏大", "换 尺码")),
    ],
)
def test_an_ordinary_days_unrelated_problems_are_no_incident(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assert common(said(*one), said(*other), USUAL_TEXTS) == ()


def test_one_loud_customer_makes_no_incident() -> None:
    one = [Said("u1", frozenset({"武汉", word})) for word in ("包裹", "物流", "仓")]
    assert marks(one) == frozenset()


def test_what_few_of_many_name_is_no_mark() -> None:
    assert "武汉" not in marks(said("武汉 包裹", "武汉 包裹", *["包裹 没 动"] * 6))


def test_a_new_shop_knows_no_rare_word_but_a_code() -> None:
    assert common(said("wuhan 4107", "wuhan 4107"), said("wuhan 4107", "wuhan 4107"), USUAL_TEXTS[:9]) == (
        "4107",
    )
