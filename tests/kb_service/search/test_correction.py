"""Customers' spelling: mended where the workspace knows better, left alone wherever it may be meant so."""

from __future__ import annotations

import pytest

from ingest.language import add_words, tokens
from kb_service.search.correction import DOUBTED, SURE, UNSURE, Corrected, correct, weights
from kb_service.search.vocabulary import Vocabulary, learn
from tests.kb_service.search.shelf import asked, found, index_of, shelf_of, written

ENGLISH = [
    "You may return what you bought; our return policy gives a full refund within 30 days.",
    "Return the parcel with its invoice, the refund follows the return.",
    "The warranty covers the charger. Charges are refunded under the return policy.",
    "Where is my package? Track the package and its delivery address, or change the address.",
    "Use a coupon. Receive the package within the week; cancel the order before delivery.",
]
CHINESE = [
    "退货：签收后七天内可以退货，运费谁出看原因，退货的快递费由卖家出。",
    "退货后退款原路退回，退款到账要几天，取消订单后退款。",
    "开发票：发票抬头写错了可以重开，发票发到邮箱。怎么开发票。",
    "优惠券怎么用：优惠券可以叠加，一张优惠券用一次，优惠券过期不补。",
    "快递到哪了：看物流，快递员派件前打电话，快递三天到，包邮。满99包邮。",
    "满99包邮，偏远不包邮",
    "哪些地方包邮",
    "大件包邮，也送上楼",
    "保修期多久：保修一年，保修期内免费维修，过了保修期收费，保修卡要留好。",
    "耳机连不上手机，耳机充电宝充电，充电宝能带上飞机，耳机保修。",
]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """Each text three times, as other documents say it again."""
    add_words(["充电宝"])  # as a product's name is taught
    shelf = shelf_of(
        *(written(f"en{n}", text) for n, text in enumerate(ENGLISH * 3)),
        *(written(f"zh{n}", text, language="zh") for n, text in enumerate(CHINESE * 3)),
    )
    return learn(
        index_of(shelf).snapshot, names=["Aurora 极光耳机", "AUR-S2"], examples=["我要退货", "coupon"]
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("retrun polcy", "return policy"),
        ("how do i recieve my refudn", "how do i receive my refund"),
        ("Pakage not here", "Package not here"),
        ("whats the warrenty", "whats the warranty"),
        ("can i chagne the adress", "can i change the address"),
        ("my wrty card", "my warranty card"),
        ("我要退贷", "我要退货"),
        ("怎么开发漂", "怎么开发票"),
        ("优惠卷怎么用", "优惠券怎么用"),
        ("快弟到哪了", "快递到哪了"),
        ("这个包又吗", "这个包邮吗"),
        ("保休多久", "保修多久"),
        ("耳鸡连不上", "耳机连不上"),
        ("充电保能带上飞机吗", "充电宝能带上飞机吗"),
        ("我要tuihuo", "我要退货"),
        ("fapiao", "发票"),
        ("tuikuan要几天", "退款要几天"),
        ("yhq怎么用", "优惠券怎么用"),
        ("kd到哪了", "快递到哪了"),
        ("發漂抬頭", "發票抬頭"),
        ("我要 retrun", "我要 return"),
    ],
)
def test_a_mistake_is_mended(vocabulary: Vocabulary, typed: str, meant: str) -> None:
    corrected = correct(typed, vocabulary)
    assert (corrected.text, corrected.changed) == (meant, True)
    assert corrected.written == typed


@pytest.mark.parametrize(
    "text",
    [
        "return policy",
        "AUR-S2-BLK",
        "order RETRUN-2201 and JT2030",
        "is it from Retrun",  # may be a name
        "RETRUN",
        "mail me at retrun@polcy.com or www.retrun.com/polcy",
        "the huawei and the anker charger, oppo and vivo",
        "will it be charged",  # a form of charge, which is another word than charger
        "my dog ate the unboxing video",
        "it doesnt work, whats wrong",
        "i want to rerun it",  # a word of its own
        "zzzxqy",
        "我想买一个手机壳",
        "这个包又坏了，我又买了一个",
        "朋友叫我弟来取",
        "我不是漂亮的人",
        "一卡一卡的",
        "退货退款",
        "1234567890 98.50",
        "",
        "🙂🙂",
        "th",
    ],
)
def test_what_may_be_meant_so_is_left_alone(vocabulary: Vocabulary, text: str) -> None:
    assert correct(text, vocabulary).text == text


def test_an_english_sentence_keeps_its_chinese_names_and_still_finds_them(vocabulary: Vocabulary) -> None:
    corrected = correct("how do i get a fapiao for this", vocabulary)
    assert not corrected.changed
    assert weights(corrected)["发票"] == UNSURE


def test_without_a_vocabulary_nothing_is_corrected() -> None:
    assert correct("retrun", None) == Corrected("retrun", "retrun")
    assert weights(Corrected("retrun", "retrun")) == {}


def test_a_text_of_nothing_but_mistakes_is_another_language(vocabulary: Vocabulary) -> None:
    text = " ".join(["retrun", "polcy", "recieve", "refudn", "pakage", "adress", "warrenty", "delivry"])
    assert correct(text, vocabulary).text == text


def test_a_word_where_the_look_ends_is_no_mistake(vocabulary: Vocabulary) -> None:
    for padding in range(390, 401):
        text = "." * padding + " return policy"
        assert correct(text, vocabulary).text == text


def test_places_are_those_of_the_message(vocabulary: Vocabulary) -> None:
    for typed in ("hi, 怎么开发漂？ retrun", "發漂怎麼開 polcy"):
        for item in correct(typed, vocabulary).corrections:
            assert typed[item.start : item.end] == item.written


def test_the_words_as_written_stay_and_count_what_is_left(vocabulary: Vocabulary) -> None:
    counting = weights(correct("retrun the parcel", vocabulary))
    (wrong,) = tokens("retrun")
    assert counting == {wrong: DOUBTED, "return": SURE}


def test_a_correction_is_found_by_words_as_the_right_word_is() -> None:
    shelf = shelf_of(
        *(written(f"r{n}", "Return policy: return within 30 days") for n in range(3)),
        written("ship", "Shipping takes three days to arrive"),
    )
    index = index_of(shelf)
    corrected = correct("retrun polcy", learn(index.snapshot))
    assert found(index, "retrun polcy", vector=None) == []
    mended = index.search(asked("retrun polcy", vector=None, weights=weights(corrected)))
    right = index.search(asked("return policy", vector=None))
    assert [hit.external_id for hit in mended] == [hit.external_id for hit in right] == ["r0", "r1", "r2"]
    assert 0.85 < mended[0].coverage <= right[0].coverage
