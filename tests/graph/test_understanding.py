from __future__ import annotations

from datetime import UTC, datetime

from graph.intents import IntentClassifier
from graph.models import Intent
from graph.understanding import Gazetteer, Reading, read
from ingest.language import clauses
from tests.graph.utterances import say

AT = datetime(2026, 11, 18, tzinfo=UTC)
SHOP = Gazetteer({"SLA-EB20": ["声澜 EB20 真无线耳机"]})
CLASSIFIER = IntentClassifier.fit(
    [Intent("return", "退货", ()), Intent("invoice", "发票", ())],
    {"return": [say("我要退货"), say("退货申请")], "invoice": [say("我要开发票"), say("发票申请")]},
)


def understood(text: str, classifier: IntentClassifier | None = CLASSIFIER) -> Reading:
    parts = [say(part) for part in clauses(text)]
    return read(
        text, language="zh", clauses=parts, whole=say(text), classifier=classifier, gazetteer=SHOP, at=AT
    )


def test_a_message_is_understood_as_a_whole() -> None:
    reading = understood("我要退货，EB20上周买的，再不处理我就投诉！")
    understanding = reading.understanding
    assert understanding.language == "zh"
    assert understanding.intents[0].id == "return"
    assert not understanding.out_of_scope
    assert [(e.type, e.value) for e in understanding.entities] == [
        ("product", "SLA-EB20"),
        ("date", "2026-11-09/2026-11-15"),
    ]
    assert understanding.emotion.label == "angry"
    assert understanding.urgency > 0.6
    assert reading.intents.candidates == ("return",)


def test_without_a_classifier_everything_else_is_understood() -> None:
    reading = understood("EB20坏了", None)
    assert reading.understanding.out_of_scope
    assert reading.intents.reason == "no_examples"
    assert reading.understanding.entities[0].value == "SLA-EB20"
