from __future__ import annotations

import random
from dataclasses import replace

import pytest

from graph.kinship import COARSE, CUSTOMERS, Said, kin, strayed, themes
from graph.models import Entity
from tests.graph.utterances import say

TOPICS = {
    "screen": ["screen", "broken", "cracked", "glass", "display", "phone", "shattered", "pixel"],
    "parcel": ["parcel", "late", "stuck", "courier", "delivery", "tracking", "hub", "depot"],
    "coupon": ["coupon", "code", "rejected", "error", "checkout", "discount", "voucher", "campaign"],
}


def scattered(each: int = 20, parts: int = 5, seed: int = 3) -> list[Said]:
    """Messages of three topics, those of each joined to one of five problems at random."""
    rng = random.Random(seed)
    made = [
        Said(f"{topic}-{rng.randrange(parts)}", say(" ".join(rng.sample(words, 4))))
        for topic, words in TOPICS.items()
        for _ in range(each)
    ]
    rng.shuffle(made)
    return made


def topic_of(message: Said) -> str:
    said = set(message.utterance.tokens)
    return next(topic for topic, words in TOPICS.items() if said <= set(words))


def test_problems_of_one_topic_are_one() -> None:
    messages = scattered()
    groups = kin(messages, themes(messages))
    assert [{name.split("-")[0] for name in group} for group in groups] == [
        {"coupon"},
        {"parcel"},
        {"screen"},
    ]
    assert [len(group) for group in groups] == [5, 5, 5]


def test_what_lies_far_apart_is_nobodys_kin() -> None:
    lone = [Said(f"p{number}", say(f"word{number} term{number} thing{number}")) for number in range(12)]
    for some in (lone, lone[:1], []):
        assert len(set(themes(some).of)) == len(some)
        assert kin(some, themes(some)) == ()


def test_another_product_keeps_apart() -> None:
    def named(sku: str, number: int) -> Said:
        text = f"no sound orange light {'again ' * (number % 3)}"
        return Said(f"{sku}-{number % 2}", say(text), (Entity("sku", sku, 0, 0),))

    messages = [named(sku, number) for number in range(12) for sku in ("SP30", "EB20")]
    groups = kin(messages, themes(messages))
    assert groups == (("EB20-0", "EB20-1"), ("SP30-0", "SP30-1"))


def test_what_is_to_stay_apart_is_in_no_group() -> None:
    messages = scattered()
    pair = {"screen-0", "screen-1"}
    apart = kin(messages, themes(messages), apart=lambda one, other: {one, other} == pair)
    assert not any(pair <= set(group) for group in apart)
    assert len([group for group in apart if "screen-0" in group]) == 1, "what stays has its kin all the same"


def test_words_alone_speak_where_the_encoder_does_not_read() -> None:
    messages = scattered()
    blurred = [
        replace(message, utterance=replace(message.utterance, vector=messages[0].utterance.vector))
        for message in messages
    ]
    assert kin(blurred, themes(blurred, reads=frozenset())) == kin(messages, themes(messages))


def test_the_same_messages_give_the_same_themes_whichever_problems_they_stand_in() -> None:
    messages = scattered()
    renamed = [replace(message, problem_id=f"x-{message.problem_id}") for message in messages]
    assert themes(messages) == themes(messages)
    assert themes(messages).of == themes(renamed).of


def test_a_finer_grain_finds_more_themes() -> None:
    messages = scattered(each=40, parts=8)
    fine = themes(messages, replace(COARSE, neighbours=5, resolution=3.0))
    assert len(set(fine.of)) > len(set(themes(messages).of))


@pytest.fixture
def each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """As among many messages."""
    monkeypatch.setattr("graph.kinship.MANY", 10)


def test_few_messages_are_taken_as_the_problems_that_they_stand_in() -> None:
    messages = scattered()
    alone = [replace(message, problem_id="all") for message in messages]
    assert set(themes(alone).of) == {0}
    assert strayed(alone, themes(alone)) == ()


@pytest.mark.usefixtures("each_by_itself")
def test_what_is_of_another_theme_than_most_of_its_problem_has_strayed_from_it() -> None:
    """Two matters that were joined message by message stayed one, whatever nights saw."""
    mixed = ("screen-0", "screen-1", "screen-2", "parcel-0", "parcel-1")
    messages = [
        replace(message, problem_id="mixed") if message.problem_id in mixed else message
        for message in scattered()
    ]
    (found,) = strayed(messages, themes(messages))
    held = [place for place, message in enumerate(messages) if message.problem_id == "mixed"]
    assert found.problem_id == "mixed"
    assert [place for place in held if topic_of(messages[place]) == "parcel"] == list(found.gone)
    assert len(found.gone) >= CUSTOMERS
    assert [topic_of(messages[anchor]) for anchor in found.anchors] == ["screen", "parcel"]


@pytest.mark.usefixtures("each_by_itself")
def test_nobody_strays_for_fewer_than_three_customers() -> None:
    messages = scattered()
    alone = [replace(message, problem_id="all", voter=("customer", "u1")) for message in messages]
    assert strayed(alone, themes(alone)) == ()
    assert len(strayed([replace(message, voter=None) for message in alone], themes(alone))) == 2
