"""Which hits are about products that the question cannot mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.models import Kind
from kb_service.search.models import Hit
from kb_service.search.same_kind import of_other_kinds
from kb_service.search.standing_behind import put_behind
from tests.kb_service.search.shelf import asked
from tests.kb_service.search.test_confidence import HIT

KINDS = {"jacket": {"DJ01", "DJ02"}, "down": {"DJ01"}, "speaker": {"SP10"}}


def meant(text: str) -> frozenset[str]:
    return frozenset().union(*(skus for kind, skus in KINDS.items() if kind in text))


def others(question: str, *hits: Hit) -> frozenset[str]:
    return of_other_kinds(hits, asked(question), meant)


def a_hit(external_id: str, title: str, kind: Kind, products: tuple[str, ...] = ()) -> Hit:
    return replace(
        HIT,
        external_id=external_id,
        title=title,
        kind=kind,
        products=products,
        matched_role="prose",
        matched_text="",
    )


SPEAKER = a_hit("speaker", title="Is the speaker waterproof?", kind="faq")
JACKET = a_hit("jacket", title="Care", kind="product", products=("DJ02",))
ANY = a_hit("any", title="Returns", kind="faq")


def test_a_document_about_another_kind_stands_behind_the_others() -> None:
    found = others("is the jacket waterproof", SPEAKER, ANY, JACKET)
    assert found == {"speaker"}
    assert put_behind((SPEAKER, ANY, JACKET), found) == (ANY, JACKET, SPEAKER)


def test_a_question_that_names_no_kind_may_be_about_any() -> None:
    assert others("is it waterproof", SPEAKER, ANY, JACKET) == frozenset()


def test_a_wider_and_a_narrower_kind_share_products() -> None:
    assert (
        others("can the jacket be washed", a_hit("down", title="How do I wash down?", kind="faq"))
        == frozenset()
    )


def test_the_question_that_was_matched_says_what_a_resolution_is_about() -> None:
    told = replace(
        ANY, external_id="r", kind="resolution", matched_role="question", matched_text="my speaker hums"
    )
    assert others("the jacket hums", told) == {"r"}
    assert others("the jacket hums", replace(told, matched_role="reply")) == frozenset()


@pytest.mark.parametrize("products", [(), ("SP10",)])
def test_a_policy_is_for_all_that_it_does_not_exclude(products: tuple[str, ...]) -> None:
    policy = a_hit("policy", title="speaker and headphones: warranty", kind="policy", products=products)
    assert others("jacket warranty", policy) == frozenset()


def test_what_a_document_is_for_by_its_data_counts_beside_its_title() -> None:
    both = a_hit("both", title="Is the speaker waterproof?", kind="faq", products=("DJ01",))
    assert others("is the jacket waterproof", both) == frozenset()
