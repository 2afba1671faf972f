"""What a search says of itself is what it did: who proposed what, what counted how much, what was left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from kb_service.search.catalogue import LeftOutReason
from kb_service.search.models import Filters, SearchQuery
from kb_service.search.retrieval import SearchIndex
from kb_service.search.search_explanation import SearchExplained, explained
from kb_service.search.searching import Searched
from tests.kb_service.search.shelf import AT, asked, found, index_of, shelf_of, written

LATER = datetime(2026, 9, 1, tzinfo=UTC)
EARLIER = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def index() -> SearchIndex:
    return index_of(
        shelf_of(
            written("now", "Return shoes within 30 days", title="Returns", supersedes=("old",)),
            written("old", "Return shoes within 15 days", title="Old returns"),
            written("soon", "Return shoes within 60 days", title="Next returns", valid_from=LATER),
            written("over", "Return shoes within 7 days", title="Last returns", valid_to=EARLIER),
            written("sketch", "Return shoes for ever", title="Sketch", status="draft"),
            written("inside", "Return shoes: what agents know", title="Inside", audience="internal"),
            written("far", "Return shoes by ferry", title="Far", regions=("CA",)),
            written("rich", "Return shoes by courier", title="Rich", tiers=("gold",)),
            written("app", "Return shoes in the app", title="App", channels=("app",)),
            written("lamp", "Return shoes? This is a lamp", title="Lamp", products=("L1",)),
            written("faq", ("question", "May I return shoes?"), ("reply", "Yes, for a month."), kind="faq"),
        )
    )


def searching(query: SearchQuery, index: SearchIndex) -> tuple[Searched, Searched]:
    told: list[Searched] = []
    index.search(query, told=told)
    everything = Filters(audiences=("public", "internal"), any_scope=True, any_state=True)
    index.search(replace(query, filters=everything, limit=20), told=told)
    return told[0], told[1]


def explaining(query: SearchQuery, index: SearchIndex) -> SearchExplained:
    searched, wide = searching(query, index)
    return explained(searched, wide=wide, default_region=index.default_region)


def test_each_document_is_left_out_for_its_own_reason(index: SearchIndex) -> None:
    query = asked("return shoes", region="US", applies_to=("S1",))
    told = explaining(query, index)
    reasons: dict[str, LeftOutReason] = {item.external_id: item.reason for item in told.best_left_out}
    expected: dict[str, LeftOutReason] = {
        "old": "superseded",
        "soon": "not_yet_valid",
        "over": "ended",
        "sketch": "draft",
        "inside": "audience",
        "far": "region",
        "rich": "tier",
        "app": "channel",
        "lamp": "product",
    }
    assert reasons.items() <= expected.items()
    assert told.left_out == dict.fromkeys(expected.values(), 1)
    assert told.seen == 2


def test_what_is_seen_and_what_is_left_out_are_all_there_is(index: SearchIndex) -> None:
    for filters in (
        Filters(),
        Filters(region="CA", tier="gold", channel="app"),
        Filters(audiences=("public", "internal"), any_scope=True),
        Filters(any_state=True),
        Filters(kinds=("faq",), external_ids=("faq", "old")),
    ):
        catalogue = index.snapshot.catalogue
        left_out = catalogue.left_out(filters, AT)
        rows = catalogue.mask(filters, AT)
        seen = {catalogue.records[int(slot)].external_id for slot in catalogue.document[rows]}
        out = [
            catalogue.records[int(slot)].external_id
            for mask in left_out.values()
            for slot in np.flatnonzero(mask)
        ]
        assert len(out) == len(set(out))
        assert seen | set(out) == {record.external_id for record in catalogue.records}
        assert not seen & set(out)


def test_the_order_is_the_searchs_and_the_parts_add_up(index: SearchIndex) -> None:
    query = asked("may I return shoes", prior={"now": 0.8, "lost": 1.0}, learned={"faq": 0.4})
    told = explaining(query, index)
    assert [item.external_id for item in told.documents] == [hit.external_id for hit in index.search(query)][
        : len(told.documents)
    ]
    for item in told.documents:
        total = item.passages + item.as_kind + item.scope + item.graph + item.learned + item.reranked
        assert total == pytest.approx(item.evidence)
    by_id = {item.external_id: item for item in told.documents}
    assert by_id["now"].graph > 0
    assert by_id["faq"].learned == pytest.approx(0.4)
    ties = {tie.external_id: tie for tie in told.ties}
    assert ties["now"].prior == pytest.approx(0.8)
    assert "lost" not in ties


def test_what_kind_a_document_is_is_told(index: SearchIndex) -> None:
    calibration = index.calibration
    kinds = {"policy": 1.5}
    index.calibration = replace(calibration, fusion=replace(calibration.fusion, kinds=kinds))
    documents = explaining(asked("may I return shoes"), index).documents
    told = {item.external_id: item for item in documents}
    assert told["now"].as_kind - told["faq"].as_kind == pytest.approx(1.5)
    for item in documents:
        assert item.passages + item.as_kind + item.scope + item.graph == pytest.approx(item.evidence)


def test_a_tie_to_what_may_not_be_seen_is_told_as_such(index: SearchIndex) -> None:
    told = explaining(asked("return shoes", prior={"inside": 0.9}), index)
    assert [(tie.external_id, tie.seen) for tie in told.ties] == [("inside", False)]


def test_questions_are_told_apart_from_other_passages(index: SearchIndex) -> None:
    told = explaining(asked("may I return shoes"), index)
    assert [item.external_id for item in told.questions] == ["faq"]
    assert told.questions[0].text == "May I return shoes?"
    assert set(told.questions[0].by) <= {"dense", "lexical"}
    assert told.proposed["together"] >= max(told.proposed["dense"], told.proposed["lexical"])


def test_the_same_hits_come_with_and_without_a_trace(index: SearchIndex) -> None:
    query = asked("return shoes")
    assert index.search(query, told=[]) == index.search(query)


# --- trying a draft


DRAFT = written("draft", "Engraving a name on the flask costs six dollars", title="Engraving")


def test_a_draft_is_found_beside_what_is_there_which_stays_as_it_is(index: SearchIndex) -> None:
    beside = index.beside((), DRAFT)
    assert found(beside, "engrave a name on the flask")[0] == "draft"
    assert "draft" not in found(index, "engrave a name on the flask")
    assert beside.documents == index.documents + 1
    assert found(beside, "return shoes", external_ids=("now",)) == ["now"]


def test_a_draft_takes_the_place_of_what_it_will_replace(index: SearchIndex) -> None:
    again = written("now", "Return shoes within 90 days", title="Returns")
    beside = index.beside((), again)
    (hit,) = beside.search(asked("return shoes", external_ids=("now",)))
    assert hit.text == "Return shoes within 90 days"
    assert beside.documents == index.documents


def test_of_a_large_shop_the_nearest_and_a_spread_are_tried() -> None:
    many = [written(f"d{number:03}", f"shelf number {number} holds boots") for number in range(200)]
    index = index_of(shelf_of(*many))
    beside = index.beside({"d007", "d150"}, DRAFT, most=50)
    assert 45 <= beside.documents <= 51
    held = {record.external_id for record in beside.snapshot.catalogue.records}
    assert {"d007", "d150", "draft"} <= held
    assert len([name for name in held if name > "d100"]) > 15
