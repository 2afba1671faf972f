from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from kb_service.search.catalogue import Catalogue, CatalogueView, Record
from kb_service.search.models import Filters
from kb_service.search.source import SourceDocument
from tests.kb_service.search.shelf import written

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


def add(catalogue: Catalogue, source: SourceDocument) -> int:
    return catalogue.add(Record.of(source.document, source.version), source.passages)


def catalogue_of(documents: Mapping[str, Mapping[str, Any]]) -> Catalogue:
    catalogue = Catalogue()
    for external_id, attributes in documents.items():
        add(catalogue, written(external_id, f"{external_id} one", f"{external_id} two", **attributes))
    return catalogue


def seen(
    view: CatalogueView | Catalogue,
    at: datetime = JUNE,
    default_region: str | None = None,
    **filters: Any,
) -> set[str]:
    """The ids of the documents whose rows a request may see; all rows of a document go together."""
    view = view.view() if isinstance(view, Catalogue) else view
    mask = view.mask(Filters(**filters), at, default_region=default_region)
    ids = [view.passages[row].external_id for row in range(view.rows) if mask[row]]
    assert all(ids.count(external_id) == 2 for external_id in ids)
    return set(ids)


def test_kind_language_and_ids() -> None:
    catalogue = catalogue_of(
        {
            "p": {"kind": "policy", "language": "zh-CN"},
            "f": {"kind": "faq", "language": "en"},
            "r": {"kind": "resolution", "language": "zh"},
        }
    )
    assert seen(catalogue) == {"p", "f", "r"}
    assert seen(catalogue, kinds=("policy", "faq")) == {"p", "f"}
    assert seen(catalogue, languages=("zh",)) == {"p", "r"}
    assert seen(catalogue, languages=("zh-TW",)) == {"p", "r"}
    assert seen(catalogue, languages=("de",)) == set()
    assert seen(catalogue, external_ids=("f", "unknown")) == {"f"}
    assert seen(catalogue, external_ids=("F",)) == set(), "ids are exact"
    assert seen(catalogue, kinds=("policy",), languages=("en",)) == set()


def test_audience_and_drafts() -> None:
    catalogue = catalogue_of({"a": {}, "b": {"audience": "internal"}, "c": {"status": "draft"}})
    assert seen(catalogue) == {"a"}
    assert seen(catalogue, audiences=("public", "internal")) == {"a", "b"}
    assert seen(catalogue, audiences=()) == set()


def test_in_any_state_drafts_expired_and_superseded_ones_are_seen_too() -> None:
    catalogue = catalogue_of(
        {
            "new": {"supersedes": ("old",)},
            "old": {},
            "draft": {"status": "draft"},
            "expired": {"valid_to": JANUARY},
            "internal": {"audience": "internal", "status": "draft"},
            "gold": {"tiers": ("gold",), "status": "draft"},
        }
    )
    assert seen(catalogue, MARCH) == {"new"}
    assert seen(catalogue, MARCH, any_state=True) == {"new", "old", "draft", "expired"}


def test_validity_is_half_open_and_knows_time_zones() -> None:
    catalogue = catalogue_of({"a": {"valid_from": JANUARY, "valid_to": MARCH}, "b": {}})
    second = timedelta(seconds=1)
    shanghai = timezone(timedelta(hours=8))
    assert seen(catalogue, JANUARY) == {"a", "b"}
    assert seen(catalogue, JANUARY - second) == {"b"}
    assert seen(catalogue, MARCH - second) == {"a", "b"}
    assert seen(catalogue, MARCH) == {"b"}
    assert seen(catalogue, datetime(2026, 1, 1, 8, tzinfo=shanghai)) == {"a", "b"}
    assert seen(catalogue, datetime(2026, 1, 1, 7, 59, tzinfo=shanghai)) == {"b"}


def test_products_narrow_and_applies_to_keeps_what_is_general() -> None:
    catalogue = catalogue_of(
        {"lamp": {"products": ("SKU-1", "SKU-2")}, "chair": {"products": ("SKU-3",)}, "general": {}}
    )
    assert seen(catalogue) == {"lamp", "chair", "general"}
    assert seen(catalogue, products=("sku-1",)) == {"lamp"}
    assert seen(catalogue, products=("ＳＫＵ-2", "SKU-3")) == {"lamp", "chair"}
    assert seen(catalogue, applies_to=("SKU-1",)) == {"lamp", "general"}
    assert seen(catalogue, applies_to=("SKU-9",)) == {"general"}


def test_tier_and_channel_limits_need_a_request_that_names_them() -> None:
    catalogue = catalogue_of({"gold": {"tiers": ("gold", "金牌")}, "app": {"channels": ("app",)}, "all": {}})
    assert seen(catalogue) == {"all"}
    assert seen(catalogue, tier="gold") == {"gold", "all"}
    assert seen(catalogue, tier="silver") == {"all"}
    assert seen(catalogue, channel="App", tier="金牌") == {"gold", "app", "all"}
    assert seen(catalogue, any_scope=True) == {"gold", "app", "all"}


def test_region_falls_back_to_the_default_and_then_to_all() -> None:
    catalogue = catalogue_of({"cn": {"regions": ("CN",)}, "us": {"regions": ("US",)}, "all": {}})
    assert seen(catalogue, region="cn") == {"cn", "all"}
    assert seen(catalogue, region="DE") == {"all"}
    assert seen(catalogue, default_region="US") == {"us", "all"}
    assert seen(catalogue, default_region="US", region="CN") == {"cn", "all"}
    assert seen(catalogue) == {"cn", "us", "all"}
    assert seen(catalogue, default_region="US", any_scope=True) == {"cn", "us", "all"}


def test_a_superseded_document_is_seen_until_its_successor_is_valid() -> None:
    catalogue = catalogue_of({"old": {}, "new": {"supersedes": ("old",), "valid_from": MARCH}})
    assert seen(catalogue, JANUARY) == {"old"}
    assert seen(catalogue, MARCH) == {"new"}


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_it_does_not_matter_which_came_first(order: tuple[str, str]) -> None:
    attributes: dict[str, dict[str, Any]] = {"old": {}, "new": {"supersedes": ("old",)}}
    assert seen(catalogue_of({name: attributes[name] for name in order})) == {"new"}


def test_what_is_not_in_force_supersedes_nothing() -> None:
    assert seen(catalogue_of({"old": {}, "new": {"supersedes": ("old",), "status": "draft"}})) == {"old"}
    ended = {"old": {}, "new": {"supersedes": ("old",), "valid_to": MARCH}}
    assert seen(catalogue_of(ended), JANUARY) == {"new"}
    assert seen(catalogue_of(ended), MARCH) == {"old"}
    removed = catalogue_of({"old": {}, "new": {"supersedes": ("old",)}})
    removed.remove("new")
    assert seen(removed) == {"old"}


def test_an_internal_successor_hides_the_old_text_from_the_public_too() -> None:
    catalogue = catalogue_of({"old": {}, "new": {"supersedes": ("old",), "audience": "internal"}})
    assert seen(catalogue) == set()


def test_a_chain_leaves_the_last() -> None:
    catalogue = catalogue_of({"a": {}, "b": {"supersedes": ("a",)}, "c": {"supersedes": ("b",)}})
    assert seen(catalogue) == {"c"}


def test_a_successor_for_one_region_leaves_the_old_text_to_the_others() -> None:
    catalogue = catalogue_of({"old": {}, "cn": {"supersedes": ("old",), "regions": ("CN",)}})
    assert seen(catalogue, region="CN") == {"cn"}
    assert seen(catalogue, region="US") == {"old"}
    assert seen(catalogue) == {"old", "cn"}, "without a region both may apply"
    both = catalogue_of(
        {"old": {"regions": ("CN",)}, "cn": {"supersedes": ("old",), "regions": ("CN", "HK")}}
    )
    assert seen(both) == {"cn"}, "the old one applied nowhere else"


def test_a_successor_for_one_tier_or_product_likewise() -> None:
    gold = catalogue_of({"old": {}, "gold": {"supersedes": ("old",), "tiers": ("gold",)}})
    assert seen(gold, tier="gold") == {"gold"}
    assert seen(gold) == {"old"}
    lamp = catalogue_of({"old": {}, "lamp": {"supersedes": ("old",), "products": ("SKU-1",)}})
    assert seen(lamp) == {"old", "lamp"}
    assert seen(lamp, applies_to=("SKU-1",)) == {"lamp"}
    assert seen(lamp, applies_to=("SKU-2",)) == {"old"}


def test_removal_and_replacement_leave_earlier_views_alone() -> None:
    catalogue = catalogue_of({"a": {}, "b": {}})
    before = catalogue.view()
    assert catalogue.remove("a") == 0
    assert catalogue.remove("a") is None
    between = catalogue.view()
    add(catalogue, written("a", "a one", "a two", version=2, language="zh"))
    after = catalogue.view()
    assert [seen(view) for view in (before, between, after)] == [{"a", "b"}, {"b"}, {"a", "b"}]
    assert seen(before, languages=("zh",)) == set()
    assert seen(after, languages=("zh",)) == {"a"}
    assert catalogue.version("a") == 2
    assert after.slots_of(["a", "unknown"]).tolist() == [2]
    assert before.slots_of(["a"]).tolist() == [0]
    assert after.rows_of(2) == range(4, 6)


def test_one_document_cannot_be_in_twice() -> None:
    catalogue = catalogue_of({"a": {}})
    with pytest.raises(ValueError, match="a: is already"):
        add(catalogue, written("a", "x"))


def test_a_successor_that_was_replaced_no_longer_supersedes() -> None:
    catalogue = catalogue_of({"old": {}, "new": {"supersedes": ("old",)}})
    catalogue.remove("new")
    add(catalogue, written("new", "new one", "new two", version=2))
    assert seen(catalogue) == {"old", "new"}


def test_files_hold_the_whole_catalogue() -> None:
    catalogue = catalogue_of(
        {
            "旧": {"title": "退货\u2028政策\n旧", "url": "https://shop.example/旧", "language": "zh"},
            "gone": {"supersedes": ("旧",)},
            "new": {"supersedes": ("旧",), "valid_from": MARCH, "regions": ("CN",), "products": ("SKU-1",)},
        }
    )
    catalogue.remove("gone")
    again = Catalogue.load(catalogue.view().dump())
    view, held = again.view(), catalogue.view()
    assert view.records == held.records
    assert view.passages == held.passages
    assert view.alive.tolist() == [True, False, True]
    for at in (JANUARY, JUNE):
        for region in (None, "CN", "US"):
            assert seen(again, at, region=region) == seen(catalogue, at, region=region)
    assert again.version("gone") is None
