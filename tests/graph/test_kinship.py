from __future__ import annotations

import random
from dataclasses import replace

from graph.kinship import COARSE, Said, kin
from graph.models import Entity
from tests.graph.utterances import say

TOPICS = {
    "screen": ["screen", "broken", "cracked", "glass", "display", "phone", "shattered", "pixel"],
    "parcel": ["parcel", "late", "stuck", "courier", "delivery", "tracking", "hub", "depot"],
    "coupon": ["coupon", "code", "rejected", "error", "checkout", "discount", "voucher", "campaign"],
}


def scattered(each: int = 30, parts: int = 5, seed: int = 3) -> list[Said]:
    """Messages of three topics, those of each joined to one of five problems at random."""
    rng = random.Random(seed)
    made = [
        Said(f"{topic}-{rng.randrange(parts)}", say(" ".join(rng.sample(words, 4))))
        for topic, words in TOPICS.items()
        for _ in range(each)
    ]
    rng.shuffle(made)
    return made


def test_problems_of_one_topic_are_one() -> None:
    groups = kin(scattered())
    assert [{name.split("-")[0] for name in group} for group in groups] == [
        {"coupon"},
        {"parcel"},
        {"screen"},
    ]
    assert [len(group) for group in groups] == [5, 5, 5]


def test_what_lies_far_apart_is_nobodys_kin() -> None:
    lone = [Said(f"p{number}", say(f"word{number} term{number} thing{number}")) for number in range(12)]
    assert kin(lone) == ()
    assert kin(lone[:1]) == ()
    assert kin([]) == ()


def test_another_product_keeps_apart() -> None:
    def named(sku: str, number: int) -> Said:
        text = f"no sound orange light {'again ' * (number % 3)}"
        return Said(f"{sku}-{number % 2}", say(text), (Entity("sku", sku, 0, 0),))

    groups = kin([named(sku, number) for number in range(12) for sku in ("SP30", "EB20")])
    assert groups == (("EB20-0", "EB20-1"), ("SP30-0", "SP30-1"))


def test_what_is_to_stay_apart_is_in_no_group() -> None:
    messages = scattered()
    pair = {"screen-0", "screen-1"}
    apart = kin(messages, apart=lambda one, other: {one, other} == pair)
    assert not any(pair <= set(group) for group in apart)
    assert len([group for group in apart if "screen-0" in group]) == 1, "what stays has its kin all the same"


def test_words_alone_speak_where_the_encoder_does_not_read() -> None:
    messages = scattered()
    blurred = [
        replace(message, utterance=replace(message.utterance, vector=messages[0].utterance.vector))
        for message in messages
    ]
    assert kin(blurred, reads=frozenset()) == kin(messages)


def test_the_same_messages_give_the_same_groups() -> None:
    messages = scattered()
    assert kin(messages) == kin(messages)
    renamed = [replace(message, problem_id=f"x-{message.problem_id}") for message in messages]
    assert [tuple(f"x-{name}" for name in group) for group in kin(messages)] == list(kin(renamed))


def test_a_finer_grain_puts_less_together() -> None:
    messages = scattered(each=40, parts=8)
    coarse, fine = kin(messages), kin(messages, replace(COARSE, neighbours=5, resolution=3.0))
    assert sum(len(group) - 1 for group in fine) <= sum(len(group) - 1 for group in coarse)
