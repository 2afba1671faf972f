"""The sample shop's intents, as its loader prepares them, told apart in both languages by the packaged encoder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from graph.intents import IntentClassifier, IntentReading
from graph.models import Intent, Utterance
from ingest import language
from ingest.embedding import Embedder
from kb_service.replicas.shop import spoken_names
from kb_service.understanding.reading import compared_words

SAMPLE = Path(__file__).parents[2] / "sample_kb" / "intents.jsonl"
DECLARED = [json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines()]
EXAMPLES: Mapping[str, Sequence[str]] = {item["id"]: item["examples"] for item in DECLARED}
LABELS: Mapping[str, str] = {item["id"]: item["label"] for item in DECLARED}


class Shop:
    """A classifier over some examples, asked in one clause."""

    def __init__(self, embedder: Embedder, examples: Mapping[str, Sequence[str]]) -> None:
        self._embedder = embedder
        self._classifier = IntentClassifier.fit(
            [Intent(name, LABELS.get(name, name), ()) for name in examples],
            {name: self._said(texts) for name, texts in examples.items()},
            names={name: self._said(spoken_names(LABELS.get(name, name))) for name in examples},
            reads=embedder.reads,
        )

    def read(self, text: str) -> IntentReading:
        (said,) = self._said([text])
        return self._classifier.predict([said])

    def _said(self, texts: Sequence[str]) -> list[Utterance]:
        vectors = self._embedder.embed_passages(texts)
        return [
            Utterance(text, language.identify(text), compared_words(text), vector, self._embedder.model_id)
            for text, vector in zip(texts, vectors, strict=True)
        ]


@pytest.fixture(scope="module")
def shop(packaged_embedder: Embedder) -> Shop:
    return Shop(packaged_embedder, EXAMPLES)


def test_a_label_gives_its_names_in_each_language() -> None:
    assert spoken_names("查物流 / Where is my parcel") == ("查物流", "Where is my parcel")
    assert spoken_names("card_arrival") == ("card arrival",)
    assert spoken_names("wifi/bluetooth") == ("wifi/bluetooth",)
    assert spoken_names(" ") == ()


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("我要退货", "return_request"),
        ("I want to return it", "return_request"),
        ("衣服开线了想退款", "clothing_quality"),
        ("物流卡住不动了", "shipping_delay"),
        ("my parcel is late", "shipping_delay"),
        ("where is my parcel", "shipping_status"),
        ("快递显示签收但我没收到", "parcel_lost"),
    ],
)
def test_near_intents_are_told_apart(shop: Shop, text: str, intent: str) -> None:
    reading = shop.read(text)
    assert reading.reason == "one_intent"
    assert reading.candidates == (intent,)


RETURNS: Mapping[str, Sequence[str]] = {
    "return_request": (
        "我要退货",
        "不喜欢,想退",
        "买错了可以退吗",
        "七天无理由怎么退",
        "还没拆想退掉",
        "I'd like to send this back",
        "can I return it without a reason",
    ),
    "return_damaged": (
        "商品有瑕疵要退款",
        "上周买的手机屏幕碎了,我要退货,再不处理我就投诉!",
        "音箱坏了,我要退货",
        "平板屏幕有裂痕,退款",
        "买的毯子有质量问题,想退货退款",
        "my phone screen is cracked, I want to return it",
        "the kettle is defective, refund please",
        "the headphones broke after two days, I want to return them",
        "product has a defect and I want a refund",
    ),
    "parcel_damaged": (
        "包裹破损",
        "快递外包装烂了",
        "箱子被压变形了",
        "包裹被摔坏了",
        "the package arrived damaged",
        "my box was torn open in transit",
    ),
    "refund_status": (
        "退款什么时候到",
        "钱退了没有",
        "退货寄回去了怎么还不退钱",
        "钱什么时候退到卡里",
        "what happened to my refund",
        "when will the refund arrive",
    ),
}


@pytest.mark.model
def test_a_return_a_fault_a_damaged_parcel_and_a_refund_are_four_matters(shop: Shop) -> None:
    asked = {text: intent for intent, texts in RETURNS.items() for text in texts}
    assert {text: shop.read(text).scores[0].id for text in asked} == asked


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("does it come in blue", {"product_question", "stock_availability"}),
        ("什么时候有货", {"stock_availability"}),
        ("SP30连网失败", {"device_pairing"}),
        ("I want to return the jacket, it's too small", {"exchange_size", "return_request"}),
    ],
)
def test_a_word_in_common_is_not_yet_an_intent(shop: Shop, text: str, fitting: set[str]) -> None:
    """A colour is not colour that runs, a card that money comes back to no gift card."""
    assert shop.read(text).scores[0].id in fitting


@pytest.mark.model
def test_a_garment_that_does_not_fit_is_asked_about(shop: Shop) -> None:
    reading = shop.read("I want to return the jacket, it's too small")
    assert reading.reason == "close_intents"
    assert {"return_request", "exchange_size"} <= set(reading.candidates)


@pytest.mark.model
def test_a_finer_intent_takes_what_it_is_taught_and_nothing_else(packaged_embedder: Embedder) -> None:
    defects = (
        "收到的东西有质量问题,要退款",
        "商品是坏的,退钱给我",
        "有瑕疵,申请质量退款",
        "it is faulty, I want my money back",
    )
    finer = Shop(packaged_embedder, {**EXAMPLES, "defect_refund": defects})
    assert finer.read("商品有瑕疵要退款").candidates == ("defect_refund",)
    assert finer.read("我要退货").candidates == ("return_request",)
    assert finer.read("钱什么时候退给我").scores[0].id == "refund_status"


@pytest.mark.model
def test_examples_of_one_language_serve_the_other(packaged_embedder: Embedder) -> None:
    english = {
        name: [text for text in texts if language.identify(text) == "en"] for name, texts in EXAMPLES.items()
    }
    shop = Shop(packaged_embedder, english)
    asked = {
        "我的包裹到哪里了": "shipping_status",
        "优惠券用不了": "coupon_failure",
        "怎么开发票": "invoice_request",
    }
    assert {text: shop.read(text).scores[0].id for text in asked} == asked


@pytest.mark.model
@pytest.mark.parametrize("text", ["谢谢", "你好", "hello", "tell me a joke"])
def test_small_talk_is_out_of_scope_unless_the_shop_defined_it(
    shop: Shop, packaged_embedder: Embedder, text: str
) -> None:
    assert shop.read(text).out_of_scope
    talk = Shop(
        packaged_embedder, {**EXAMPLES, "courtesy": ["谢谢", "多谢", "你好", "hello", "hi", "a joke please"]}
    )
    reading = talk.read(text)
    assert not reading.out_of_scope
    assert reading.candidates == ("courtesy",)
