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
from kb_service.reading import compared_words
from kb_service.shop import spoken_names

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
