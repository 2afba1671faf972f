"""Documents that speak of what a question is about count more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pytest

from graph.matters import Matters
from graph.models import Utterance
from ingest.language import identify, words
from kb_service.search.apart import told_apart
from kb_service.search.retrieval import Limits, SearchIndex
from kb_service.search.searching import Searched
from tests.kb_service.search.shelf import EMBEDDER, Shelf, asked, index_of, shelf_of, written

EXAMPLES = {
    "return": ["I want to return this", "how do I return something", "send back for a return"],
    "pairing": ["pair it over bluetooth", "bluetooth pairing does not work", "how do I pair it"],
    "parcel": ["where is my parcel", "track my parcel"],
}
QUESTION = "I want to return my HP70"


def matters(examples: Mapping[str, list[str]] = EXAMPLES) -> Matters:
    def prepared(text: str) -> Utterance:
        vector = EMBEDDER.embed_queries([text])[0]
        return Utterance(text, identify(text), tuple(words(text)), vector, EMBEDDER.model_id)

    made = Matters.fit(
        {name: [prepared(text) for text in texts] for name, texts in examples.items()}, reads=EMBEDDER.reads
    )
    assert made is not None
    return made


def shop(**options: bool) -> Shelf:
    return shelf_of(
        written(
            "page",
            "How do I pair my HP70 over bluetooth? I want to pair it",
            title="HP70",
            kind="product",
            **options,
        ),
        written("returns", "Return anything within thirty days", title="Returns", **options),
        written("parcels", "Where your parcel is and how to track it", title="Parcels", **options),
    )


def scores(index: SearchIndex, asks: Mapping[str, float]) -> dict[str, float]:
    return {hit.external_id: hit.score for hit in index.search(asked(QUESTION, matters=asks))}


def told(index: SearchIndex, asks: Mapping[str, float]) -> dict[str, float]:
    candidates, names = index.candidates(asked(QUESTION, matters=asks))
    return dict(zip(names, candidates.matter.tolist(), strict=True))


def test_a_named_product_does_not_drown_the_matter() -> None:
    index = index_of(shop())
    before = scores(index, {"return": 0.9})
    assert max(before, key=before.__getitem__) == "page"
    index.compare_matters(matters())
    after = scores(index, {"return": 0.9})
    assert after["returns"] > before["returns"]
    assert after["page"] < before["page"]


def test_a_document_is_about_what_any_of_its_passages_is_about() -> None:
    shelf = shop()
    shelf.put(written("both", "track your parcel", "return it within a week", title="Help"))
    index = index_of(shelf)
    index.compare_matters(matters())
    for intent in ("return", "parcel"):
        assert told(index, {intent: 0.9})["both"] > 0
    assert told(index, {"pairing": 0.9})["both"] < 0


def test_nothing_is_moved_where_nothing_is_known() -> None:
    index = index_of(shop())
    plain = scores(index, {})
    index.compare_matters(matters())
    for asks in ({}, {"unheard": 0.9}, {"return": 0.0}):
        assert scores(index, asks) == plain
    assert set(told(index_of(shop(embedded=False)), {"return": 0.9}).values()) == {0.0}
    unread = index_of(shop(embedded=False))
    unread.compare_matters(matters())
    assert set(told(unread, {"return": 0.9}).values()) == {0.0}


def test_a_question_that_finds_nothing_is_about_nothing() -> None:
    """An empty shop answered with a fault of its own as soon as it had intents."""
    index = index_of(shelf_of())
    index.compare_matters(matters())
    seen: list[Searched] = []
    assert index.search(asked(QUESTION, matters={"return": 0.9}), told=seen) == ()
    assert not told_apart(seen[0])


def test_what_is_sure_counts_more_than_what_may_be() -> None:
    index = index_of(shop())
    index.compare_matters(matters())
    sure, unsure = told(index, {"return": 0.95}), told(index, {"return": 0.2, "pairing": 0.2, "parcel": 0.2})
    assert sure["returns"] - sure["page"] > unsure["returns"] - unsure["page"]


def test_the_intents_of_a_shop_that_were_taught_anew_count_at_once() -> None:
    index = index_of(shop())
    index.compare_matters(matters())
    assert told(index, {"pairing": 0.9})["page"] > 0
    index.compare_matters(matters({"pairing": ["where is my parcel"], "else": ["return", "pair bluetooth"]}))
    again = told(index, {"pairing": 0.9})
    assert again["parcels"] > 0 > again["page"]
    index.compare_matters(None)
    assert set(told(index, {"pairing": 0.9}).values()) == {0.0}


def test_a_new_version_and_a_rebuild_are_read_anew() -> None:
    shelf = shop()
    index = index_of(shelf, limits=Limits(compact_rows=1))
    index.compare_matters(matters())
    assert told(index, {"return": 0.9})["parcels"] < 0
    shelf.put(written("parcels", "how to return something", title="Parcels", version=2))
    index.follow(shelf)
    assert told(index, {"return": 0.9})["parcels"] > 0
    before = told(index, {"return": 0.9})
    shelf.remove("page")
    index.rebuild(shelf)  # slots are others now
    after = told(index, {"return": 0.9})
    assert after == pytest.approx({name: before[name] for name in after})


def test_a_draft_that_is_tried_is_compared_too_and_leaves_nothing_behind() -> None:
    shelf = shop()
    index = index_of(shelf)
    index.compare_matters(matters())
    before = told(index, {"return": 0.9})
    draft = index.beside((), written("draft", "return it for free", title="Draft"))
    assert told(draft, {"return": 0.9})["draft"] > 0
    assert told(index, {"return": 0.9}) == before


def test_equal_questions_are_moved_alike_by_whoever_asks_first() -> None:
    one, other = index_of(shop()), index_of(shop())
    for index in (one, other):
        index.compare_matters(matters())
    told(other, {"parcel": 0.5})
    one.search(asked("track my parcel", limit=1, at=asked(QUESTION).at + timedelta(days=1)))
    np.testing.assert_allclose(
        list(told(one, {"return": 0.9}).values()), list(told(other, {"return": 0.9}).values())
    )
