"""Contradictions between documents: found where two statements are about the same, never where a reason parts them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from graph.claims import Claim, Measure, Realm, Source, Topic
from graph.contradictions import Claims, common_span, contradictions, unread

DAY = 24.0


def topic(*matters: str, **more: tuple[str, ...]) -> Topic:
    return Topic(matters=frozenset(matters), **{name: frozenset(values) for name, values in more.items()})


def claim(
    source: str,
    measure: Measure | None = None,
    own: Topic | None = None,
    *,
    number: int = 0,
    language: str = "en",
    kind: str = "policy",
    realm: Realm | None = None,
    permits: bool | None = None,
    **more: object,
) -> Claim:
    return Claim(
        id=f"{source}#{number}",
        source=Source(source, kind, language, realm or Realm()),
        own=own or topic("returning", words=("return", "item")),
        around=Topic(),
        measure=measure,
        permits=permits,
        acts=frozenset({"returning"}) if permits is not None else frozenset(),
        **more,  # type: ignore[arg-type]
    )


def days(count: float, bound: str = "within") -> Measure:
    return Measure("time", count * DAY, count * DAY, bound)


def test_a_different_quantity_of_the_same_matter_is_a_contradiction() -> None:
    (found,) = contradictions([claim("a", days(7))], [claim("b", days(15))], unread)
    assert found.aspect == "quantity" and found.shared == ("returning",) and found.score > 0.8
    assert not contradictions([claim("a", days(7))], [claim("b", days(7))], unread)


def test_it_is_found_across_languages_by_terms_alone() -> None:
    chinese = claim("b", days(15), topic("returning", words=("退货",)), language="zh")
    assert contradictions([claim("a", days(7))], [chinese], unread)


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        (days(7), days(15, "plain"), True),
        (days(7), days(15, "after"), False),
        (Measure("time", 72, 120, "plain"), Measure("time", 96, 168, "plain"), False),
        (Measure("time", 72, 120, "plain"), Measure("time", 144, 168, "plain"), True),
        (Measure("time", 8640, 8640, "plain"), Measure("time", 8760, 8760, "plain"), False),
        (days(7), Measure("working_time", 15, 15, "within"), False),
        (Measure("time", 2, 2, "within"), days(365), False),
        (Measure("money:CNY", 99, 99, "from"), Measure("money:CNY", 129, 129, "from"), True),
        (Measure("money:CNY", 99, 99, "from"), Measure("money:CNY", 129, 129, "below"), False),
        (Measure("money:CNY", 99, 99, "from"), Measure("money:USD", 129, 129, "from"), False),
    ],
)
def test_quantities_contradict_when_no_value_fits_both(
    one: Measure, other: Measure, contradict: bool
) -> None:
    assert one.contradicts(other) is other.contradicts(one) is contradict


@pytest.mark.parametrize(
    "change",
    [
        {"conditions": ("faulty",)},
        {"conditions": ("double_11",)},
        {"parties": ("platinum",)},
        {"places": ("hong_kong",)},
        {"goods": ("mattress",)},
        {"codes": ("EB20",)},
        {"objects": ("gift_card",)},
    ],
)
def test_what_holds_for_others_or_under_other_circumstances_is_no_contradiction(
    change: dict[str, tuple[str, ...]],
) -> None:
    special = topic("returning", words=("return", "item"), **change)
    plain = [claim("a", days(7))]
    assert not contradictions(plain, [claim("b", days(15), special)], unread)
    assert contradictions([claim("a", days(7), special)], [claim("b", days(15), special)], unread)


def test_a_document_that_says_both_contradicts_neither() -> None:
    ones = [claim("a", days(7), number=1), claim("a", days(15), number=2)]
    assert not contradictions(ones, [claim("b", days(15))], unread)


def test_a_statement_is_held_against_its_best_match_alone() -> None:
    close = topic("returning", words=("return", "item", "unused"))
    far = topic("returning", "inspection", words=("return", "warehouse", "check"))
    one = claim("a", days(7), close)
    others = [claim("b", days(7), close, number=1), claim("b", days(2), far, number=2)]
    assert not contradictions([one], others, unread)


def test_a_slight_matter_alone_is_not_enough() -> None:
    own = topic("reply_time", words=("answer",))
    assert not contradictions([claim("a", days(1), own)], [claim("b", days(2), own)], unread)


def test_permission_against_prohibition_of_the_same_goods_under_the_same_circumstance() -> None:
    own = topic("returning", conditions=("opened",), goods=("earbuds",))
    (found,) = contradictions(
        [claim("a", None, own, permits=True)], [claim("b", None, own, permits=False)], unread
    )
    assert found.aspect == "permission"
    assert not contradictions(
        [claim("a", None, own, permits=True)], [claim("b", None, own, permits=True)], unread
    )


def test_a_rule_and_its_exception_do_not_contradict_one_another() -> None:
    rule = claim("a", None, topic("returning", conditions=("opened",), goods=("earbuds",)), permits=False)
    for own in (
        topic("returning"),
        topic("returning", goods=("earbuds",), conditions=("unopened",)),
        topic("returning", goods=("earbuds",), conditions=("opened", "faulty")),
        topic("returning", goods=("shoes",), conditions=("opened",)),
        topic("returning", goods=("earbuds",), codes=("EB20",), conditions=("opened",)),
    ):
        assert not contradictions([rule], [claim("b", None, own, permits=True)], unread), own


def test_documents_limited_to_a_product_are_about_it() -> None:
    own = topic("returning", conditions=("opened",))
    limited = Realm(products=frozenset({"SLA-EB20", "SLA-EB50"}))
    named = topic("returning", conditions=("opened",), codes=("EB20",))
    assert contradictions(
        [claim("a", None, own, permits=False, realm=limited)], [claim("b", None, named, permits=True)], unread
    )


def test_a_limited_permission_needs_a_shared_circumstance() -> None:
    own = topic("returning", objects=("deposit",))
    no = claim("b", None, own, permits=False)
    assert contradictions([claim("a", None, own, permits=True)], [no], unread)
    assert not contradictions([claim("a", None, own, permits=True, qualified=True)], [no], unread)


def test_passages_that_are_unlike_are_not_compared_within_a_language() -> None:
    one, other = claim("a", days(7)), claim("b", days(15))
    assert not contradictions([one], [other], lambda *_: 0.1)
    (close,) = contradictions([one], [other], lambda *_: 0.9)
    (less,) = contradictions([one], [other], lambda *_: 0.3)
    assert less.score < close.score
    foreign = claim("b", days(15), language="zh")
    assert contradictions([one], [foreign], lambda *_: 0.0)


# --- whom and when

MARCH, MAY, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 5, 7))


def span(one: Realm, other: Realm, *, kinds: tuple[str, str] = ("policy", "policy")) -> object:
    return common_span(Source("a", kinds[0], "en", one), Source("b", kinds[1], "zh", other))


def test_documents_share_the_time_in_which_both_are_valid() -> None:
    assert span(Realm(valid_from=MARCH), Realm(valid_from=MAY, valid_to=JULY)) == (MAY, JULY)
    assert span(Realm(), Realm()) == (None, None)
    assert span(Realm(valid_to=MAY), Realm(valid_from=MAY)) is None


def test_versions_other_regions_channels_and_audiences_share_nothing() -> None:
    plain = Realm(regions=frozenset({"cn"}))
    assert span(plain, replace(plain, supersedes=frozenset({"a"}))) is None
    assert span(plain, Realm(regions=frozenset({"us"}))) is None
    assert span(plain, Realm()) == (None, None)
    assert span(plain, replace(plain, channels=frozenset({"douyin"}))) is None
    assert span(plain, replace(plain, audience="internal")) is None
    assert span(Realm(), Realm(), kinds=("resolution", "resolution")) is None
    assert span(Realm(), Realm(), kinds=("resolution", "policy")) == (None, None)


# --- the whole, kept up to date


def test_only_what_changed_is_compared_anew() -> None:
    compared: list[tuple[str, str]] = []

    def likeness(one: Claim, other: Claim) -> None:
        compared.append((one.source.id, other.source.id))

    claims = Claims()
    claims.put("a", [claim("a", days(7))], likeness)
    claims.put("b", [claim("b", days(15))], likeness)
    claims.put("c", [claim("c", Measure("share", 5, 5, "plain"), topic("compensation"))], likeness)
    assert set(compared) == {("a", "b")}
    assert [(item.one.source.id, item.other.source.id) for item in claims.contradictions()] == [("a", "b")]
    compared.clear()
    claims.put("b", [claim("b", days(7))], likeness)
    assert not claims.contradictions()


def test_a_document_that_goes_takes_its_contradictions_along() -> None:
    claims = Claims()
    for name, count in (("a", 7), ("b", 15), ("c", 30)):
        claims.put(name, [claim(name, days(count))], unread)
    assert len(claims.contradictions()) == 3
    claims.remove("b")
    claims.remove("unknown")
    assert "b" not in claims
    assert [(item.one.source.id, item.other.source.id) for item in claims.contradictions()] == [("a", "c")]


def test_the_order_of_putting_makes_no_difference() -> None:
    made = []
    for order in ("abc", "cab", "bca"):
        claims = Claims()
        for name in order:
            claims.put(name, [claim(name, days({"a": 7, "b": 15, "c": 30}[name]))], unread)
        made.append([(item.one.id, item.other.id, item.score) for item in claims.contradictions()])
    assert made[0] == made[1] == made[2]
