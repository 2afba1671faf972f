from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.amounts import english_number, spoken_number
from graph.entities import Gazetteer, products_of
from graph.models import Entity

AT = datetime(2026, 11, 18, 10, tzinfo=timezone(timedelta(hours=8)))  # a Wednesday
SHOP = Gazetteer(
    {
        "SLA-EB20": ["声澜 EB20 真无线耳机", "Sonlan EB20 Earbuds"],
        "SLA-HP70": ["声澜 HP70 头戴耳机"],
        "YDF-TS01-BLK": ["野渡纯棉T恤", "Wildferry cotton tee"],
        "YDF-TS01-WHT": ["野渡纯棉T恤", "Wildferry cotton tee"],
        "10023": [],
    },
    campaigns={"spring-sale": ["春季大促", "Spring Sale"]},
)
VERBATIM = {"order", "parcel", "phone", "email", "size", "url"}


def found(text: str) -> list[tuple[str, str]]:
    return [(entity.type, entity.value) for entity in SHOP.entities(text, AT)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的sla eb20坏了", [("sku", "SLA-EB20")]),
        ("SLAEB20 没声音", [("sku", "SLA-EB20")]),
        ("ＳＬＡ－ＥＢ２０", [("sku", "SLA-EB20")]),
        ("sla_hp70, please", [("sku", "SLA-HP70")]),
        ("货号10023有货吗", [("sku", "10023")]),
        ("eb20和HP70都要退", [("product", "SLA-EB20"), ("product", "SLA-HP70")]),
        ("声澜EB20真无线耳机左耳没声", [("product", "SLA-EB20")]),
        ("wildferry  Cotton Tee in XL please", [("product", "Wildferry cotton tee"), ("size", "XL")]),
        ("my eb2000 is fine", []),
        ("订单号：SL20261111004821 什么时候发货", [("order", "SL20261111004821")]),
        ("order #12345 hasn't arrived", [("order", "12345")]),
        ("My order number is 408-12345-99", [("order", "408-12345-99")]),
        ("1234567890123456 这个订单", [("order", "1234567890123456")]),
        ("order status", []),
        ("order 20 shirts", []),
        ("快递单号 JY123456789012 没更新", [("parcel", "JY123456789012")]),
        ("SF1234567890123 到哪了", [("parcel", "SF1234567890123")]),
        ("tracking number 1Z999AA10123456784", [("parcel", "1Z999AA10123456784")]),
        ("RB123456789CN", [("parcel", "RB123456789CN")]),
        ("顺丰两天没动了", [("carrier", "SF Express")]),
        ("圓通快遞", [("carrier", "YTO")]),
        ("UPS says delivered", [("carrier", "UPS")]),
        ("the pushups mat", []),
        ("春季大促的券", [("campaign", "spring-sale")]),
        (
            "付了¥299，退了 199.5元，还差二百块",
            [("amount", "299.00 CNY"), ("amount", "199.50 CNY"), ("amount", "200.00 CNY")],
        ),
        ("$20 refund, 1,299.00 USD", [("amount", "20.00 USD"), ("amount", "1299.00 USD")]),
        ("三千五百块的沙发", [("amount", "3500.00 CNY")]),
        ("1.2万元", [("amount", "12000.00 CNY")]),
        ("£15 and 20 euros", [("amount", "15.00 GBP"), ("amount", "20.00 EUR")]),
        ("买了2块屏幕", []),
        ("我要42码的鞋", [("size", "42")]),
        ("size 42, or M码", [("size", "42"), ("size", "M")]),
        ("XXL有吗", [("size", "XXL")]),
        ("打13812345678找我", [("phone", "13812345678")]),
        ("+86 138-1234-5678", [("phone", "+86 138-1234-5678")]),
        ("call 400-820-0199", [("phone", "400-820-0199")]),
        ("(555) 123-4567", [("phone", "(555) 123-4567")]),
        ("mail me at Foo.Bar@example.com.", [("email", "Foo.Bar@example.com")]),
        ("见 https://shilan.example/p/1.", [("url", "https://shilan.example/p/1")]),
        ("上周买的，昨天收到", [("date", "2026-11-09/2026-11-15"), ("date", "2026-11-17")]),
        ("双十一买的", [("date", "2026-11-11")]),
        ("我要2个，3米长", []),
        ("订单 899 元", [("amount", "899.00 CNY")]),
        ("order 899.50 dollars", [("amount", "899.50 USD")]),
        ("订单 89900123", [("order", "89900123")]),
        ("赔我1.2万", [("amount", "12000.00 CNY")]),
        ("赔我一万二", [("amount", "12000.00 CNY")]),
        ("退我500吧", [("amount", "500.00 CNY")]),
        ("退我20件", []),
        ("退3天了", []),
        ("I paid two hundred dollars", [("amount", "200.00 USD")]),
        ("two thousand five hundred and twenty-one euros", [("amount", "2521.00 EUR")]),
        ("a hundred bucks", [("amount", "100.00 USD")]),
        ("a dollar store", []),
        ("鞋子 US 9 有吗", [("size", "US 9")]),
        ("EU 42.5 please", [("size", "EU 42.5")]),
        ("size us 9", [("size", "us 9")]),
        ("send us 2 pairs, call us 9am", []),
        ("US 3 weeks", []),
        ("165/88A 还有货吗", [("size", "165/88A")]),
        ("175/96 码", [("size", "175/96")]),
        ("血压 120/80", []),
        ("单号是 773012345678901 中通", [("parcel", "773012345678901"), ("carrier", "ZTO")]),
        ("中通 773012345678901", [("carrier", "ZTO"), ("parcel", "773012345678901")]),
        ("订单 773012345678901 中通说签收了", [("order", "773012345678901"), ("carrier", "ZTO")]),
        ("", []),
    ],
)
def test_what_a_message_names(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_a_feast_is_a_campaign_where_the_shop_says_so() -> None:
    shop = Gazetteer({}, campaigns={"double-11": ["双十一", "双11"]})
    assert [(e.type, e.value) for e in shop.entities("双11买的", AT)] == [("campaign", "double-11")]


def test_a_shops_own_carriers_replace_the_defaults() -> None:
    shop = Gazetteer({}, carriers={"Jiyu": ["疾羽速运", "疾羽"]})
    assert [(e.type, e.value) for e in shop.entities("疾羽不送，顺丰送吗", AT)] == [("carrier", "Jiyu")]


def test_a_name_of_several_products_stands_for_all_of_them() -> None:
    entities = SHOP.entities("野渡纯棉T恤和EB20", AT)
    assert products_of(entities, SHOP) == ("YDF-TS01-BLK", "YDF-TS01-WHT", "SLA-EB20")
    assert SHOP.skus(Entity("carrier", "UPS", 0, 3)) == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("二百", 200), ("二百五", 250), ("三千五", 3500), ("两万零八十", 20080), ("十五", 15), ("一百零五",
        105), ("半", 0.5), ("百", 100), ("零", None), ("多少", None),
    ],
)  # fmt: skip
def test_spoken_numbers(text: str, value: float | None) -> None:
    assert spoken_number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two hundred", 200), ("twelve hundred", 1200), ("a thousand", 1000), ("one hundred and five", 105),
        ("ninety-nine", 99), ("three thousand", 3000), ("a", None), ("hundred a", None),
    ],
)  # fmt: skip
def test_english_numbers(text: str, value: float | None) -> None:
    assert english_number(text) == value


def test_a_kind_of_product_is_named_and_stands_for_no_sku() -> None:
    kinds = {"智能音箱": ["SLA-SP30"], "音箱": ["SLA-SP30"], "kettle": ["HNV-KT17"]}
    shop = Gazetteer({"SLA-SP30": ["声澜 SP30 智能音箱"]}, kinds=kinds)

    def named(text: str) -> list[tuple[str, str]]:
        return [(entity.type, entity.value) for entity in shop.entities(text, AT)]

    assert named("智能音箱连不上") == [("product_kind", "智能音箱")]
    assert named("音箱没声音") == [("product_kind", "音箱")]
    assert named("both Kettles leak") == [("product_kind", "kettle")]
    assert named("声澜SP30智能音箱") == [("product", "SLA-SP30")]
    assert products_of(shop.entities("智能音箱", AT), shop) == ()


def test_a_text_means_the_products_that_it_names_and_all_of_the_kinds_that_it_names() -> None:
    products = {
        "A-SP30": ["Sonlan SP30 Smart Speaker"],
        "A-SP10": ["Sonlan SP10 Speaker"],
        "A-KT17": ["Hearth KT17 Kettle"],
    }
    kinds = {"speaker": ["A-SP30", "A-SP10"], "smart speaker": ["A-SP30"], "kettle": ["A-KT17"]}
    shop = Gazetteer(products, kinds=kinds)
    assert shop.meant("is the speaker waterproof") == {"A-SP30", "A-SP10"}
    assert shop.meant("are Smart Speakers loud") == {"A-SP30"}
    assert shop.meant("the SP10 beside a kettle") == {"A-SP10", "A-KT17"}
    assert shop.meant("the Sonlan SP10 Speaker hums") == {"A-SP10"}
    assert shop.meant("does the speaker stand fold, is there a kettle lid") == frozenset()


def test_a_model_that_the_shop_does_not_have_means_no_product_of_its_kind() -> None:
    shop = Gazetteer({"A-SP30": ["SP30 Speaker"], "A-HP70": ["HP70"]}, kinds={"speaker": ["A-SP30"]})
    assert shop.unknown_models("SP50音箱防水吗, or the hp-80") == {"sp50", "hp80"}
    assert shop.meant("is the SP50 speaker waterproof") == {"sp50"}
    assert shop.meant("HP80 or HP70") == {"hp80", "A-HP70"}
    assert shop.unknown_models("SP30, HP-70, order SP12345678, GPT4, SHUANG1160, MP3, sp 30") == frozenset()
    assert shop.meant("order 2026110212345, SF Express, size XL") == frozenset()


PIECES = st.lists(
    st.sampled_from(
        [
            "我的",
            "sla-eb20",
            "EB20",
            "订单号",
            "SL20261111004821",
            "¥299",
            "二百块",
            "上周",
            "昨天",
            "双十一",
            "11月11日",
            "XL",
            "42码",
            "13812345678",
            "a@b.cn",
            "order",
            "#998877",
            "last",
            "Tuesday",
            "UPS",
            "SF1234567890123",
            "，",
            "。",
            "声澜",
            "EB20",
            "真无线耳机",
        ]
    ),
    max_size=12,
)


@given(PIECES, st.sampled_from(["", " ", "，"]))
@settings(max_examples=150, deadline=None)
def test_entities_never_overlap_and_verbatim_ones_are_slices(pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    entities = SHOP.entities(text, AT)
    for entity in entities:
        assert 0 <= entity.start < entity.end <= len(text)
        if entity.type in VERBATIM:
            assert text[entity.start : entity.end] == entity.value
    for before, after in itertools.pairwise(entities):
        assert before.end <= after.start


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_is_read(text: str) -> None:
    SHOP.entities(text, AT)


@pytest.mark.parametrize(
    "text",
    [
        "order " + "a1-" * 4000,
        "1" * 20000,
        "a" * 20000 + "@",
        "+1 " + "2 " * 8000,
        "¥1," * 5000,
        "order" + " " * 20000 + "x",
        "一" * 50000,
        "one hundred " * 5000,
        "赔" + "我" * 20000,
        "赔" * 20000,
        "US 9" * 5000,
        "顺丰" * 20000,
    ],
)
def test_long_runs_are_read_quickly(text: str) -> None:
    begin = time.process_time()
    SHOP.entities(text, AT)
    assert time.process_time() - begin < 2.0
