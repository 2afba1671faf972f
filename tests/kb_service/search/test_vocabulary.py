"""The words of a workspace follow its documents, and cost little to follow."""

from __future__ import annotations

import time

import pytest

from kb_service.search.vocabulary import Vocabulary, learn
from tests.kb_service.search.shelf import index_of, shelf_of, written

RETURNS = written(
    "returns", "Unworn clothing may be returned.", "Return policy of the shop.", title="Returns"
)
INVOICE = written("fapiao", "怎么开发票", "发票抬头写错了可以重开", title="发票", language="zh")


def test_words_are_counted_by_passages() -> None:
    held = learn(index_of(shelf_of(RETURNS, INVOICE)).snapshot)
    assert held.english["returned"] == 1
    assert held.english["return"] == 1
    assert "returns" in held.english  # the title's
    assert "polcy" not in held.english
    assert held.count("发票") == 2
    assert held.count("退货") == 0
    assert held.typed["fapiao"] == ("发票",)
    assert "票" in held.sounding["piao"]


def test_names_and_examples_count_as_well() -> None:
    held = learn(
        index_of(shelf_of(RETURNS)).snapshot,
        names=["AirBuds 云听耳机"],
        examples=["我要退货", "退货", "refund"],
    )
    assert held.count("退货") == 2
    assert held.english["airbuds"] == 1
    assert held.english["refund"] == 1
    assert held.typed["tuihuo"] == ("退货",)
    assert "退货" in held.topics
    assert "refund" not in held.topics  # one customer's word


def test_what_was_removed_is_forgotten() -> None:
    shelf = shelf_of(RETURNS, INVOICE)
    index = index_of(shelf)
    before = learn(index.snapshot, examples=["退款"])
    shelf.remove("returns")
    shelf.remove("fapiao")
    index.follow(shelf)
    after = learn(index.snapshot, before=before)
    assert after.english == {}
    assert after.by_letter.get("r", ()) == ()
    assert after.count("发票") == after.count("退款") == 0
    assert before.english["returned"] == 1  # who reads the former goes on


def same(one: Vocabulary, other: Vocabulary) -> bool:
    sounds = [{key: set(held) for key, held in each.sounding.items()} for each in (one, other)]
    return (
        dict(one.english) == dict(other.english)
        and {key: held for key, held in one.by_letter.items() if held}
        == {key: held for key, held in other.by_letter.items() if held}
        and {key: set(held) for key, held in one.typed.items()}
        == {key: set(held) for key, held in other.typed.items()}
        and sounds[0] == sounds[1]
    )


def test_following_gives_what_a_fresh_look_gives() -> None:
    shelf = shelf_of(RETURNS)
    index = index_of(shelf)
    held = learn(index.snapshot, examples=["我要退货"])
    for change in (INVOICE, written("returns", "Postage is ours.", title="Post", version=2)):
        shelf.put(change)
        index.follow(shelf)
        held = learn(index.snapshot, examples=["我要退货"], before=held)
    assert same(held, learn(index.snapshot, examples=["我要退货"]))


def test_a_rebuilt_index_is_read_anew() -> None:
    shelf = shelf_of(RETURNS)
    index = index_of(shelf)
    before = learn(index.snapshot)
    shelf.put(INVOICE)
    index.rebuild(shelf)
    assert not index.snapshot.continues(before.snapshot)
    assert same(learn(index.snapshot, before=before), learn(index.snapshot))


@pytest.mark.parametrize("text", ["AUR-S2-BLK", "x@ab.com"])
def test_parts_of_codes_are_kept_without_harm(text: str) -> None:
    held = learn(index_of(shelf_of(written("a", text))).snapshot)
    assert all(word.isalpha() for word in held.english)


def test_one_more_document_costs_a_fraction_of_all() -> None:
    many = [
        written(f"d{n}", *(f"word{chr(97 + n % 26)}x the parcel 快递包裹 {n}" for _ in range(5)))
        for n in range(400)
    ]
    shelf = shelf_of(*many)
    index = index_of(shelf)
    started = time.perf_counter()
    held = learn(index.snapshot)
    whole = time.perf_counter() - started
    shelf.put(INVOICE)
    index.follow(shelf)
    started = time.perf_counter()
    learn(index.snapshot, before=held)
    assert time.perf_counter() - started < max(whole, 0.005)
