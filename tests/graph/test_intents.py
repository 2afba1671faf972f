from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import InvalidValue
from graph.intents import IntentClassifier, IntentReading
from graph.models import Intent, Utterance
from ingest.embedding import Embedder
from ingest.language import clauses, identify, words
from tests.graph.utterances import DIMENSION, MODEL, say

EXAMPLES = {
    "return": [
        "I want to return this",
        "how do I send it back for a return",
        "我要退货",
        "退货怎么申请",
        "能不能退货",
    ],
    "parcel": [
        "where is my parcel",
        "track my parcel please",
        "我的包裹到哪里了",
        "包裹物流查询",
        "包裹还没到",
    ],
    "coupon": [
        "my coupon is not accepted",
        "coupon code does not work",
        "优惠券用不了",
        "优惠券不能使用",
        "优惠券失效了",
    ],
    "invoice": ["I need an invoice", "send me the invoice", "我要开发票", "发票怎么开", "可以开电子发票吗"],
}
INTENTS = [Intent(name, name.title(), tuple(texts)) for name, texts in EXAMPLES.items()]


def fitted(count: int | None = None) -> IntentClassifier:
    return IntentClassifier.fit(
        INTENTS, {name: [say(text) for text in texts[:count]] for name, texts in EXAMPLES.items()}
    )


def predicted(text: str, classifier: IntentClassifier | None = None) -> IntentReading:
    return (classifier or fitted()).predict([say(text)])


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("can I return this", "return"),
        ("please track the parcel", "parcel"),
        ("the coupon does not work", "coupon"),
        ("invoice please, I need an invoice", "invoice"),
        ("我想退货", "return"),
        ("包裹到哪里了", "parcel"),
        ("优惠券怎么用不了", "coupon"),
        ("帮我开发票", "invoice"),
    ],
)
def test_the_right_intent_leads(text: str, intent: str) -> None:
    reading = predicted(text)
    assert reading.scores[0].id == intent
    assert reading.scores[0].label == intent.title()
    assert not reading.out_of_scope


def test_two_examples_an_intent_are_enough() -> None:
    examples = {name: [say(texts[0]), say(texts[2])] for name, texts in EXAMPLES.items()}
    classifier = IntentClassifier.fit(INTENTS, examples)
    assert predicted("return this please", classifier).scores[0].id == "return"
    assert predicted("我要开发票", classifier).scores[0].id == "invoice"


def test_one_example_an_intent_works_uncalibrated() -> None:
    assert predicted("I want to return this", fitted(1)).scores[0].id == "return"


def test_an_example_itself_is_sure() -> None:
    reading = predicted("where is my parcel")
    assert reading.reason == "one_intent"
    assert reading.candidates == ("parcel",)
    assert reading.scores[0].probability > 0.8


@pytest.mark.parametrize("text", ["sing a song about mountains", "今天天气很好适合爬山", "zzzz qqqq"])
def test_strangers_are_out_of_scope_and_still_show_labels(text: str) -> None:
    reading = predicted(text)
    assert reading.out_of_scope
    assert reading.reason == "out_of_scope"
    assert reading.candidates == ()
    assert len(reading.scores) == len(INTENTS)


def test_two_clauses_may_say_two_intents() -> None:
    parts = [say("where is my parcel"), say("my coupon is not accepted")]
    reading = fitted().predict(parts)
    assert reading.reason == "several_intents"
    assert set(reading.candidates) == {"parcel", "coupon"}
    assert {reading.scores[0].id, reading.scores[1].id} == {"parcel", "coupon"}


def test_an_ambiguous_message_asks_between_the_close_ones() -> None:
    examples = {
        "a": [say("change my blue order"), say("change the order")],
        "b": [say("cancel my blue order"), say("cancel the order")],
    }
    classifier = IntentClassifier.fit([Intent("a", "A", ()), Intent("b", "B", ())], examples)
    reading = classifier.predict([say("my blue order")])
    assert reading.reason == "close_intents"
    assert set(reading.candidates) == {"a", "b"}


def test_words_alone_compare_within_a_language() -> None:
    english = {name: [say(text) for text in texts[:2]] for name, texts in EXAMPLES.items()}
    reading = IntentClassifier.fit(INTENTS, english).predict([say("我要退货")])
    assert reading.out_of_scope
    both = frozenset({"en", "zh"})
    read = IntentClassifier.fit(INTENTS, {"return": [say("我要退货"), say("退货怎么申请")]}, reads=both)
    assert read.predict([say("我要退货")]).scores[0].probability > 0.5


def test_nothing_to_go_by() -> None:
    empty = IntentClassifier.fit([], {})
    assert empty.predict([say("hello")]) == IntentReading((), True, "no_examples", ())
    assert empty.model_id is None
    for reading in (fitted().predict([]), fitted().predict([say("？！")])):
        assert reading.reason == "no_words"
        assert reading.out_of_scope
        assert all(score.probability == 0.0 for score in reading.scores)


def test_intents_without_examples_never_score() -> None:
    classifier = IntentClassifier.fit(
        [*INTENTS, Intent("new", "New", ())], {"return": [say("return it")], "new": []}
    )
    assert [score.id for score in classifier.predict([say("return it")]).scores] == ["return"]


def test_wrong_input_is_named() -> None:
    with pytest.raises(InvalidValue, match="no intent has the id 'ghost'"):
        IntentClassifier.fit(INTENTS, {"ghost": [say("boo")]})
    with pytest.raises(InvalidValue, match="several models"):
        IntentClassifier.fit(INTENTS, {"return": [say("a b"), say("c d", model_id="other")]})
    with pytest.raises(InvalidValue, match="embed both with one"):
        fitted().predict([say("return", model_id="other")])
    with pytest.raises(InvalidValue, match="several models"):
        fitted().predict([say("return"), say("it", model_id="other")])


def test_the_same_examples_give_the_same_reading() -> None:
    texts = ["can I return this", "包裹到哪里了", "sing a song"]
    assert [predicted(text) for text in texts] == [predicted(text) for text in texts]


VOCABULARY = sorted({word for texts in EXAMPLES.values() for text in texts for word in say(text).tokens})
MESSAGES = st.lists(
    st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=5).map(" ".join), min_size=1, max_size=4
)


@given(MESSAGES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_probabilities_are_sorted_and_leave_room_for_none(messages: list[str], together: bool) -> None:
    classifier = _SHARED
    whole = say("。".join(messages)) if together else None
    reading = classifier.predict([say(message) for message in messages], whole=whole)
    probabilities = [score.probability for score in reading.scores]
    assert all(0.0 <= probability <= 1.0 for probability in probabilities)
    assert sum(probabilities) <= 1.0 + 1e-9
    assert all(first >= second for first, second in itertools.pairwise(probabilities))
    assert set(reading.candidates) <= {score.id for score in reading.scores}
    assert len(reading.candidates) <= 3
    assert bool(reading.candidates) != (reading.reason in {"out_of_scope", "unclear", "no_words"})


_SHARED = fitted()


def test_many_examples_are_calibrated_on_a_sample() -> None:
    rng = np.random.default_rng(7)
    examples: dict[str, list[Utterance]] = {}
    for place in range(30):
        centre = rng.normal(size=DIMENSION)
        examples[f"i{place}"] = []
        for number in range(40):
            vector = centre + 0.4 * rng.normal(size=DIMENSION)
            vector /= np.linalg.norm(vector)
            tokens = (f"topic{place}", f"word{number}")
            examples[f"i{place}"].append(Utterance("", "en", tokens, vector.astype(np.float32), MODEL))
    intents = [Intent(name, name, ()) for name in examples]
    classifier = IntentClassifier.fit(intents, examples)
    right = sum(classifier.predict([said[0]]).scores[0].id == name for name, said in examples.items())
    assert right == 30


@pytest.mark.model
def test_meaning_beyond_shared_words(packaged_embedder: Embedder) -> None:
    def prepare(text: str) -> Utterance:
        vector = packaged_embedder.embed_queries([text])[0]
        return Utterance(text, identify(text), tuple(words(text)), vector, packaged_embedder.model_id)

    examples = {name: [prepare(text) for text in texts] for name, texts in EXAMPLES.items()}
    classifier = IntentClassifier.fit(INTENTS, examples, reads=packaged_embedder.reads)
    wanted = {
        "has my package been dispatched, when does it arrive": "parcel",
        "I'd like my money back, can I give the shoes back": "return",
        "the discount voucher gets rejected at checkout": "coupon",
        "could you bill my company, we need the receipt for tax": "invoice",
        "包裹在哪里": "parcel",
        "我想退掉这件，怎么退货": "return",
    }
    for text, intent in wanted.items():
        reading = classifier.predict([prepare(part) for part in clauses(text)], whole=prepare(text))
        assert reading.scores[0].id == intent, text
    assert classifier.predict([prepare("who won the football match last night")]).out_of_scope
