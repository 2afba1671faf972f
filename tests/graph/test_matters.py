"""What texts are about, by their vectors alone."""

from __future__ import annotations

import numpy as np

from graph.matters import Matters
from graph.models import Utterance
from tests.graph.utterances import say

BOTH = frozenset({"en", "zh"})
EXAMPLES = {
    "return": ["I want to return this", "how do I send this back for a return", "return please"],
    "parcel": ["where is my parcel", "track my parcel", "the parcel is late"],
    "coupon": ["my coupon is not accepted", "the coupon code does not work", "which coupon can I use"],
}


def taught(reads: frozenset[str] = BOTH, **more: list[str]) -> Matters | None:
    examples: dict[str, list[Utterance]] = {
        name: [say(text) for text in texts] for name, texts in {**EXAMPLES, **more}.items()
    }
    return Matters.fit(examples, reads=reads)


def test_each_text_is_shared_out_among_the_intents() -> None:
    matters = taught()
    assert matters is not None
    assert matters.intents == ("return", "parcel", "coupon")
    texts = [
        "a return within thirty days",
        "our parcel is tracked",
        "one coupon an order",
        "track the coupon parcel",
    ]
    shares = matters.of(np.stack([say(text).vector for text in texts]))
    assert shares.shape == (4, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert shares[:3].argmax(axis=1).tolist() == [0, 1, 2]
    assert shares[3].argmin() == 0


def test_examples_that_the_encoder_does_not_read_teach_nothing() -> None:
    matters = taught(frozenset({"en"}), chinese=["我要退货", "退货怎么申请"])
    assert matters is not None
    assert matters.intents == ("return", "parcel", "coupon")


def test_fewer_than_two_intents_tell_nothing_apart() -> None:
    assert Matters.fit({}, reads=BOTH) is None
    assert Matters.fit({"return": [say("return")], "empty": []}, reads=BOTH) is None
    assert taught(frozenset({"de"})) is None


def test_one_example_each_is_enough() -> None:
    matters = Matters.fit({"return": [say("a return")], "parcel": [say("a parcel")]}, reads=BOTH)
    assert matters is not None
    assert matters.of(say("my parcel").vector[None])[0].argmax() == 1
