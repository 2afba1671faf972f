from __future__ import annotations

from datetime import UTC, datetime

import pytest

from graph.entities import Gazetteer
from graph.flow_words import FLOW_WORDS
from graph.rules import Rules
from graph.sensitive_flows import effective_flows, own_flows, refund_words, sensitive_flow, worth
from tests.graph.requests import NEAR_SENSITIVE, NO_REFUND_ABOVE_500, REFUNDS_ABOVE_500, SENSITIVE, lines

AT = datetime(2026, 11, 18, tzinfo=UTC)
SHOP = Gazetteer({})


def refund_flow(text: str, rules: Rules | None = None, **known: object) -> str | None:
    return sensitive_flow(text, rules or Rules(), entities=SHOP.entities(text, AT), **known)  # type: ignore[arg-type]


@pytest.mark.parametrize("flow", sorted(SENSITIVE))
def test_every_flow_is_found_and_what_only_looks_like_it_is_left_alone(flow: str) -> None:
    found, near = lines(SENSITIVE[flow]), lines(NEAR_SENSITIVE[flow])
    assert len(set(found)) >= 15
    assert len(set(near)) >= 15
    assert all(sum(text.isascii() for text in texts) >= 7 for texts in (found, near))
    missed = [text for text in found if sensitive_flow(text, Rules()) != flow]
    false = [text for text in near if sensitive_flow(text, Rules()) is not None]
    assert len(missed) / len(found) <= 0.05, missed
    assert len(false) / len(near) <= 0.05, false


@pytest.mark.parametrize(
    "text", ["垃圾东西，骗子公司，滚", "你们就是一群骗子", "you are scammers", "what a scam of a shop"]
)
def test_an_insult_is_no_payment_dispute(text: str) -> None:
    assert sensitive_flow(text, Rules()) is None


@pytest.mark.parametrize(
    "text",
    [
        "我被骗了钱", "骗子冒充你们客服骗了我500块", "遇到骗子了，把卡里的钱转走了", "I got scammed out of $200",
        "I was charged twice, I'll dispute it with my bank", "disputing this twice with my bank already",
        "这笔我要找银行发起争议",
    ],
)  # fmt: skip
def test_what_swindlers_did_and_disputes_with_a_bank_are_payment_matters(text: str) -> None:
    assert sensitive_flow(text, Rules()) == "payment"


@pytest.mark.parametrize(
    "text",
    [
        "请删除我的全部个人信息", "清除你们保存的个人资料", "请把我的所有个人资料都删掉",
        "please delete all of my personal data", "erase every bit of my data",
    ],
)  # fmt: skip
def test_privacy_is_found_with_words_between(text: str) -> None:
    assert sensitive_flow(text, Rules()) == "privacy"


def test_words_between_end_with_the_clause_and_are_few() -> None:
    rules = Rules(sensitive_flows={"recall": ("退回…召回", "take … back")})
    assert sensitive_flow("退回这批召回的", rules) == "recall"
    assert sensitive_flow("退回吧，这批召回的", rules) is None
    assert sensitive_flow("please take the blue one back", rules) == "recall"
    assert sensitive_flow("take it to whoever is there and come back", rules) is None


@pytest.mark.parametrize("word", ["…", "*", " … ", "-…"])
def test_a_sign_without_a_word_finds_nothing(word: str) -> None:
    assert sensitive_flow("hello 你好", Rules(sensitive_flows={"own": (word,)})) is None


def test_refunds_above_the_limit_are_found_and_smaller_or_asked_about_ones_are_not() -> None:
    above, below = lines(REFUNDS_ABOVE_500), lines(NO_REFUND_ABOVE_500)
    assert len(above) >= 15
    assert len(below) >= 15
    missed = [text for text in above if refund_flow(text) != "refund"]
    false = [text for text in below if refund_flow(text) is not None]
    assert len(missed) / len(above) <= 0.06, missed
    assert len(false) / len(below) <= 0.06, false


def test_the_limit_is_the_shops() -> None:
    assert refund_flow("退我899块", Rules(refund_limit=1000)) is None
    assert refund_flow("退我30块", Rules(refund_limit=20)) == "refund"
    assert refund_flow("退我500块", Rules(refund_limit=500)) is None


def test_what_the_order_is_worth_counts_where_the_message_names_no_amount() -> None:
    assert refund_flow("我要退款", at_stake=899.0) == "refund"
    assert refund_flow("我要退款", at_stake=99.0) is None
    assert refund_flow("退我20元就行", at_stake=899.0) is None
    assert refund_flow("退款多久到账", at_stake=899.0) is None
    assert refund_flow("什么时候发货", at_stake=899.0) is None


def test_an_intent_about_refunds_stands_in_for_the_word() -> None:
    assert refund_flow("太差了不想要了，1000元白花", refunding=True) == "refund"
    assert refund_flow("太差了不想要了，1000元白花") is None
    assert refund_flow("退款政策是什么", at_stake=899.0, refunding=True) is None
    assert refund_words("申请退款 / Request a refund", Rules())
    assert not refund_words("查物流 / Where is my parcel", Rules())
    assert not refund_words("退款进度 / Refund status", Rules())


@pytest.mark.parametrize(
    ("context", "value"),
    [
        ({"order.amount": "¥1,299.00"}, 1299.0),
        ({"order.total": "899", "item.price": "300"}, 899.0),
        ({"订单金额": "520元"}, 520.0),
        ({"order.number": "20261109123456", "parcel.eta": "2026-11-13"}, None),
        ({"order.amount": "unknown"}, None),
        ({}, None),
    ],
)
def test_what_an_order_is_worth_is_read_from_the_callers_context(
    context: dict[str, str], value: float | None
) -> None:
    assert worth(context) == value


@pytest.mark.parametrize(
    "text",
    [
        "my son got a shock from the lamp",
        "手表把我手腕烫出水泡",
        "孩子把耳塞吞了",
        "the chair collapsed while I sat on it, my back hurts",
        "椅子气杆突然断了我摔了一跤",
        "充电器插上就噼里啪啦响,跳闸了",
        "沙发腿断了,差点砸到我孩子",
        "电热水壶漏水到插座上了",
        "床垫里有虫子,咬得我全身包",
        "面料有甲醛味,熏得头晕",
        "the charger left a burn mark on my table",
        "The wireless charger is burning hot",
    ],
)
def test_an_injury_or_a_hazard_told_in_plain_words_is_a_matter_of_safety(text: str) -> None:
    assert sensitive_flow(text, Rules()) == "safety"


@pytest.mark.parametrize(
    "text",
    [
        "便宜炸了",
        "开屏动画有火花效果吗",
        "不会起火吧这个充电宝",
        "is the power bank safe? will it catch fire",
        "孩子对羽绒过敏能穿DJ02吗",
        "优惠券被吞了",
        "用水泡羽绒服可以吗",
        "看规则看得头晕",
        "床垫有没有甲醛",
        "这个插座会不会跳闸",
        "发票抬头写金杜律师事务所",
        "法院快递能寄吗",
    ],
)
def test_what_is_no_injury_and_no_threat_is_no_sensitive_matter(text: str) -> None:
    assert sensitive_flow(text, Rules()) is None


@pytest.mark.parametrize("text", ["我已经委托律师事务所了", "发票不给是吧，那就律师函见", "已经联系律师"])
def test_a_law_firm_that_is_not_on_an_invoice_is_a_threat(text: str) -> None:
    assert sensitive_flow(text, Rules()) == "legal"


def test_a_flow_that_the_shop_edits_leaves_the_others_as_they_are() -> None:
    rules = Rules(sensitive_flows={"legal": ("维权中心", "-维权中心在哪"), "vip": ("大客户", "key account*")})
    assert sensitive_flow("我找维权中心", rules) == "legal"
    assert sensitive_flow("维权中心在哪", rules) is None
    assert sensitive_flow("我找律师", rules) is None
    assert sensitive_flow("my key accounts are gone", rules) == "vip"
    assert sensitive_flow("it caught fire", rules) == "safety"


def test_a_flow_without_words_is_turned_off() -> None:
    rules = Rules(sensitive_flows={"safety": ()})
    assert sensitive_flow("it caught fire", rules) is None
    assert sensitive_flow("I will sue you", rules) == "legal"
    assert effective_flows(rules)["safety"] == ()


def test_what_was_not_changed_follows_the_product() -> None:
    given = {**FLOW_WORDS, "legal": (*FLOW_WORDS["legal"], "维权")}
    assert own_flows(given) == {"legal": (*FLOW_WORDS["legal"], "维权")}
    assert effective_flows(Rules()) == FLOW_WORDS


def test_the_defaults_speak_both_languages_and_name_each_word_once() -> None:
    for words in FLOW_WORDS.values():
        assert len(words) == len(set(words))
        assert any(word.isascii() for word in words)
        assert any(not word.isascii() for word in words)
