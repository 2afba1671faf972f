from __future__ import annotations

import pytest

from kb_service.search.models import Hit
from tests.kb_service.search.shelf import Shelf, asked, index_of, written


def hits(shop: Shelf, text: str, language: str) -> list[Hit]:
    return list(index_of(shop).search(asked(text, language)))


def plain(shop: Shelf, text: str, language: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ranking without regard to twins."""
    monkeypatch.setattr("kb_service.search.twins.ALIKE", 1.01)
    monkeypatch.setattr("kb_service.search.twins.NEARLY_ALIKE", 1.01)
    return ids(hits(shop, text, language))


def ids(found: list[Hit]) -> list[str]:
    return [hit.external_id for hit in found]


def shop_of(*documents: object) -> Shelf:
    shop = Shelf()
    for document in documents:
        shop.put(document)  # type: ignore[arg-type]
    return shop


@pytest.fixture
def twins() -> Shelf:
    return shop_of(
        written("en", "SL-90 battery life hours charge", language="en", kind="faq"),
        written("zh", "SL-90 battery life hours 续航", language="zh", kind="faq"),
        written("other", "shipping costs", language="en", kind="faq"),
    )


def test_of_two_translations_the_one_in_the_askers_language_is_first(
    twins: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    english = hits(twins, "SL-90 battery life hours charge", "en")
    chinese = hits(twins, "SL-90 battery life hours charge", "zh")
    assert ids(english)[:2] == ["en", "zh"]
    assert ids(chinese)[:2] == ["zh", "en"]
    assert plain(twins, "SL-90 battery life hours charge", "zh", monkeypatch)[:2] == ["en", "zh"]


def test_scores_stay_in_order_and_nothing_is_lost(twins: Shelf) -> None:
    found = hits(twins, "SL-90 battery life hours charge", "zh")
    assert sorted(ids(found)) == ["en", "other", "zh"]
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_another_kind_or_another_matter_is_no_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb_service.search.twins.NEARLY_ALIKE", 1.01)
    of_kinds = shop_of(
        written("en", "SL-90 battery life hours charge", language="en", kind="faq"),
        written("zh", "SL-90 battery life hours 续航", language="zh", kind="policy"),
    )
    assert ids(hits(of_kinds, "SL-90 battery life hours charge", "zh"))[0] == "en"
    of_matters = shop_of(
        written("en", "SL-90 battery life hours charge", language="en", kind="faq"),
        written("zh", "SL-90 warranty claim repair centre battery 保修", language="zh", kind="faq"),
    )
    assert ids(hits(of_matters, "SL-90 battery life hours charge", "zh"))[0] == "en"


NEAR = (
    written("en", "SL-90 battery life hours charge", language="en", kind="faq"),
    written("zh", "SL-90 battery life hours 续航", language="zh", kind="policy"),
)


def test_the_first_place_goes_to_the_own_language_where_that_answers_nearly_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kb_service.search.twins.NEARLY_AS_GOOD", 100.0)
    found = hits(shop_of(*NEAR), "SL-90 battery life hours charge", "zh")
    assert ids(found) == ["zh", "en"]
    assert found[0].score > found[1].score
    assert ids(hits(shop_of(*NEAR), "SL-90 battery life hours charge", "en")) == ["en", "zh"]


@pytest.mark.parametrize(("alike", "gap"), [(1.01, 100.0), (0.56, 0.0)], ids=["unlike", "far behind"])
def test_what_is_unlike_or_far_behind_stays_behind(
    monkeypatch: pytest.MonkeyPatch, alike: float, gap: float
) -> None:
    monkeypatch.setattr("kb_service.search.twins.NEARLY_ALIKE", alike)
    monkeypatch.setattr("kb_service.search.twins.NEARLY_AS_GOOD", gap)
    assert ids(hits(shop_of(*NEAR), "SL-90 battery life hours charge", "zh")) == ["en", "zh"]


def test_a_document_without_vectors_is_nobodys_twin() -> None:
    shop = shop_of(
        written("en", "SL-90 battery life hours charge", language="en", kind="faq"),
        written("zh", "SL-90 battery life hours 续航", language="zh", kind="faq", embedded=False),
    )
    assert ids(hits(shop, "SL-90 battery life hours charge", "zh"))[0] == "en"


def test_a_twin_takes_one_place_only() -> None:
    shop = shop_of(
        *(
            written(f"en-{n}", f"SL-90 battery life hours charge {n}", language="en", kind="faq")
            for n in range(3)
        ),
        written("zh", "SL-90 battery life hours 续航", language="zh", kind="faq"),
    )
    found = ids(hits(shop, "SL-90 battery life hours charge", "zh"))
    assert found[0] == "zh"
    assert sorted(found) == ["en-0", "en-1", "en-2", "zh"]
