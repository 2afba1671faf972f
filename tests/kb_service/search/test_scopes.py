"""Customers from elsewhere are answered by the rules of their own region."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kb_service.answer_explanation import explain_search
from kb_service.commands.workbench import Workbench
from kb_service.models import Question
from kb_service.search.models import Filters
from kb_service.search.retrieval import SearchIndex
from kb_service.search.searching import Searched
from tests.kb_service.search.shelf import Shelf, asked, index_of, shelf_of, written
from tests.kb_service.search.test_matters import matters

QUESTION = "I want to return something"
SAMPLE = Path(__file__).parents[3] / "sample_kb"


def shop(*more: str) -> Shelf:
    """A FAQ that fits the question better than policies of regions do."""
    return shelf_of(
        written("faq", "Want to return something? Within fifteen days", kind="faq"),
        written("returns-eu", "Return it within fourteen days to Rotterdam", regions=("EU",)),
        written("parcels-eu", "Where your parcel is and how to track it", regions=("EU",)),
        *(written(f"home-{region}", "Return it here within ten days", regions=(region,)) for region in more),
        *(written(f"for-all-{number}", "How we treat your data", title="Privacy") for number in range(3)),
    )


def counted(index: SearchIndex, text: str = QUESTION, **narrowing: object) -> dict[str, tuple[float, float]]:
    """What is counted for each document, and what besides as a rule of the customer's region."""
    query = asked(text, matters={"return": 0.9}, at_home=True, **narrowing)
    candidates, names = index.candidates(query)
    pairs = zip(candidates.scoped.tolist(), candidates.own_rules.tolist(), strict=True)
    return dict(zip(names, pairs, strict=True))


def own_rule(index: SearchIndex, name: str, **narrowing: object) -> bool:
    return counted(index, **narrowing)[name][1] > 0


def first(index: SearchIndex, **narrowing: str) -> str:
    return index.search(asked(QUESTION, matters={"return": 0.9}, **narrowing))[0].external_id


def taught(shelf: Shelf, **options: str) -> SearchIndex:
    index = index_of(shelf, **options)
    index.compare_matters(matters())
    return index


HOME = ("CN", "CN-a", "CN-b")
"""No home: more policies are for all than for any region."""


def test_a_customer_from_elsewhere_is_answered_by_the_rules_of_their_region() -> None:
    index = taught(shop(*HOME))
    assert first(index) == "faq"
    assert first(index, region="EU") == "returns-eu"


def test_only_rules_that_speak_of_the_matter_go_before() -> None:
    told = counted(taught(shop(*HOME)), region="EU")
    assert told["returns-eu"][0] == 1
    assert told["returns-eu"][1] > 0
    assert (told["parcels-eu"], told["faq"]) == ((1, 0), (0, 0))


def test_a_region_is_known_in_any_spelling() -> None:
    """A request from `eu` was answered as from the EU, and yet its documents did not count more."""
    index = taught(shop(*HOME))
    assert counted(index, region=" eu") == counted(index, region="EU")


def test_rules_for_the_union_are_those_of_its_members_and_a_part_of_home_is_home() -> None:
    """A customer from Germany did not see the rules for the European Union, and got those at home."""
    index = taught(shop(*HOME), default_region="CN")
    assert counted(index, region="DE") == counted(index, region="EU")
    assert first(index, region="DE") == "returns-eu"
    assert counted(index, region="CN-XZ") == counted(index, region="CN")


def test_at_home_what_names_no_region_is_written_for_the_customer() -> None:
    shelf = shop("CN")
    for number in range(3):
        shelf.put(written(f"more-{number}", "Return it within ten days", regions=("cn",)))
    index = taught(shelf)
    assert counted(index, region="CN")["home-CN"] == (1, 0)
    assert own_rule(index, "returns-eu", region="EU")


def test_home_is_the_region_of_requests_that_name_none_where_the_shop_tells_it() -> None:
    index = taught(shop(*HOME), default_region="eu")
    assert counted(index, region="EU")["returns-eu"] == (1, 0)
    assert own_rule(index, "home-CN", region="CN")
    assert counted(index)["returns-eu"] == (1, 0), "who tells none is answered as from there"
    assert "home-CN" not in counted(index)


@pytest.mark.parametrize(
    ("limits", "home"),
    [
        ([["CN"], ["cn", "HK"], []], "cn"),
        ([["CN", "HK"], ["HK", "CN"]], None),
        ([["CN"], ["EU"]], None),
        ([["EU"], [], []], None),
        ([[]], None),
        ([], None),
    ],
)
def test_home_is_where_most_policies_are_for_unless_more_are_for_all(
    limits: list[list[str]], home: str | None
) -> None:
    policies = [written(f"p{n}", "a rule", regions=tuple(regions)) for n, regions in enumerate(limits)]
    faq = [written(f"f{n}", "a reply", kind="faq", regions=("US",)) for n in range(5)]
    catalogue = index_of(shelf_of(*policies, *faq)).snapshot.catalogue
    assert catalogue.home == home


def test_a_policy_that_is_removed_or_a_draft_makes_no_home() -> None:
    shelf = shelf_of(
        written("a", "a rule", regions=("CN",)),
        written("b", "a rule", regions=("CN",)),
        written("c", "a rule", regions=("EU",)),
    )
    index = index_of(shelf)
    assert index.snapshot.catalogue.home == "cn"
    shelf.remove("a")
    shelf.put(written("b", "a rule", regions=("CN",), version=2, status="draft"))
    index.follow(shelf)
    assert index.snapshot.catalogue.home == "eu"


@pytest.mark.parametrize(
    ("text", "less"),
    [
        ("how do I return something", True),
        ("can you help us return it", True),
        ("I live in the European Union and want to return it", False),
        ("return it from the EU", False),
        ("我在欧盟，怎么退", False),
        ("return it from Europe", False),
        ("寄到国外怎么退", False),
        ("international return", False),
    ],
)
def test_who_tells_no_region_is_taken_to_be_at_home_unless_the_question_names_another(
    text: str, less: bool
) -> None:
    """ "怎么退货" was answered by the rules for Hong Kong, almost with certainty."""
    shelf = shop("CN")
    for number in range(3):
        shelf.put(written(f"more-{number}", "Return it within ten days", regions=("CN",)))
    told = counted(taught(shelf), text)
    assert (told["returns-eu"][0] < 0) is less
    assert (told["home-CN"], told["faq"]) == ((0, 0), (0, 0))


def test_where_no_region_is_home_all_documents_count_alike() -> None:
    assert set(counted(taught(shop(*HOME))).values()) == {(0, 0)}


def test_what_is_searched_for_no_customer_counts_alike() -> None:
    """Problems lost their links to the rules of other regions."""
    shelf = shop("CN")
    for number in range(3):
        shelf.put(written(f"more-{number}", "Return it within ten days", regions=("CN",)))
    index = taught(shelf)
    assert counted(index)["returns-eu"][0] < 0
    candidates, _ = index.candidates(asked(QUESTION, matters={"return": 0.9}, any_scope=True))
    assert not candidates.scoped.any()


def test_an_own_rule_is_as_sure_as_what_it_goes_before_and_hardly_more() -> None:
    """A question that nothing answers was answered by the rules of the customer's region with certainty."""
    told: list[Searched] = []
    asks = asked("pay it by instalments", matters={"return": 0.9}, region="EU")
    first, *others = taught(shop(*HOME)).search(asks, told=told)
    assert first.external_id == "returns-eu"
    assert told[0].fused.lifts[0] > 0
    assert first.evidence - max(hit.evidence for hit in others) <= 4.0 + 1e-9
    assert not told[0].fused.lifts[1:].any()


def test_what_was_left_out_is_compared_as_for_the_region_that_was_told() -> None:
    shelf = shop("CN")
    for number in range(3):
        shelf.put(written(f"more-{number}", "What holds here", regions=("CN",)))
    shelf.put(written("returns-us", "I want to return something from the States", regions=("US",)))
    index, query = (
        taught(shelf),
        asked("return something", matters={"return": 0.9}, region="EU", at_home=True),
    )
    told: list[Searched] = []
    index.search(query, told=told)
    left_out = {item.external_id: item.score for item in explain_search(index, query, told[0]).best_left_out}
    index.search(replace(query, filters=Filters(any_scope=True, any_state=True), at_home=False), told=told)
    plain = {hit.external_id: hit.score for hit in told[1].hits}
    assert left_out["returns-us"] == pytest.approx(plain["returns-us"])


def test_an_empty_region_is_none() -> None:
    index = taught(shop("CN", "CN"))
    assert counted(index, region="") == counted(index)


def test_a_tiers_rights_are_beside_those_of_everybody() -> None:
    shelf = shop(*HOME)
    shelf.put(written("gold", "Return it within thirty days", tiers=("gold",)))
    told = counted(taught(shelf), region="EU", tier="Gold")
    assert told["gold"] == (0.5, 0)
    assert first(taught(shelf), region="EU", tier="Gold") == "returns-eu"


def fares(home: str | None = "CN") -> SearchIndex:
    """A FAQ that tells the fare to Tibet fits a question about fares better than the general rule does."""
    return index_of(
        shelf_of(
            written("tibet", ("question", "How much is delivery to Tibet?"), ("reply", "¥20"), kind="faq"),
            written("france", ("question", "Is delivery to Lyon dear?"), ("reply", "¥128"), kind="faq"),
            written("remote", ("row", "To: Tibet, Xinjiang; Fare: ¥20"), ("prose", "Delivery is slow there")),
            written("general", ("prose", "Delivery costs eight yuan below ninety-nine")),
            written("towel", ("prose", "Delivery of cotton from Xinjiang"), title="Xinjiang", kind="product"),
            written("home", ("prose", "Delivery in mainland China"), title="China", regions=("CN",)),
            written("privacy", ("prose", "How we treat your data")),
        ),
        default_region=home,
    )


@pytest.mark.parametrize(
    ("text", "region", "more", "less"),
    [
        ("how much is delivery", None, set(), {"tibet", "france", "remote"}),
        ("how much is delivery to Lhasa", None, {"tibet", "remote"}, {"france"}),
        ("寄到西藏的 delivery fee", None, {"tibet", "remote"}, {"france"}),
        ("delivery to Kashgar", None, {"remote"}, {"tibet", "france"}),
        ("delivery to Munich", None, {"france"}, {"tibet", "remote"}),
        ("how much is delivery", "DE", {"france"}, {"tibet", "remote"}),
        ("delivery to other countries", None, set(), set()),
        ("偏远地区 delivery", None, set(), set()),
    ],
)
def test_what_is_about_certain_places_answers_questions_about_these(
    text: str, region: str | None, more: set[str], less: set[str]
) -> None:
    """ "运费多少" was answered by the fare to Tibet with certainty, and "postage to Lhasa" by the general rule."""
    narrowing = {"region": region} if region else {}
    candidates, names = fares().candidates(asked(text, at_home=True, **narrowing))
    counted: dict[str, list[float]] = {}
    for name, scoped in zip(names, candidates.scoped.tolist(), strict=True):
        counted.setdefault(name, []).append(scoped)
    assert {name for name, each in counted.items() if max(each) >= 2} == more
    assert {name for name, each in counted.items() if min(each) <= -3} == less


def test_what_an_earlier_turn_named_is_still_the_place() -> None:
    """After "do you deliver to Lhasa?", "how much is it?" got the fare at home."""
    candidates, names = fares().candidates(asked("how much is delivery", weights={"lhasa": 0.5}))
    counted = dict(zip(names, candidates.scoped.tolist(), strict=True))
    assert counted["tibet"] >= 2
    assert counted["france"] <= -3


def test_what_is_for_the_union_that_home_is_in_is_for_home() -> None:
    union = ("question", "How much is delivery in the EU?"), ("reply", "€5")
    shelf = shelf_of(
        written("union", *union, kind="faq"),
        written("rules", ("prose", "How much delivery is"), regions=("EU",)),
        written("privacy", ("prose", "How we treat your data")),
    )
    asks = asked("how much is delivery", at_home=True)
    candidates, _ = index_of(shelf, default_region="DE").candidates(asks)
    assert (candidates.scoped >= 0).all()


def test_a_reply_is_about_the_places_of_its_own_question() -> None:
    pairs = (("question", "May I return it?"), ("reply", "Within ten days"))
    more = (("question", "Do you deliver to Tibet?"), ("reply", "For ten yuan"))
    shelf = shelf_of(
        written("both", *pairs, *more, kind="faq"),
        written("privacy", ("prose", "How we treat your data")),
        written("rules", ("prose", "Return it here"), regions=("CN",)),
    )
    index = index_of(shelf, default_region="CN")
    candidates, _ = index.candidates(asked("return it within ten days", at_home=True))
    passages = [index.snapshot.catalogue.passages[row] for row in candidates.rows.tolist()]
    counted = dict(zip([passage.text for passage in passages], candidates.scoped.tolist(), strict=True))
    assert counted["Within ten days"] == 0
    assert counted["For ten yuan"] <= -3


def test_in_a_shop_without_a_home_places_count_nothing() -> None:
    """A FAQ that names the country of all its customers again and again was taken to be about elsewhere."""
    for text in ("how much is delivery", "delivery to Lhasa"):
        candidates, _ = fares(None).candidates(asked(text, at_home=True))
        assert not candidates.scoped.any()


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "region", "right"),
    [
        ("how long do I have to return something", "EU", "policy-returns-eu-en"),
        ("how long do I have to return something", "US", "policy-us-en"),
        ("how long do I have to return something", "CN", "faq-en-001"),
        ("how long do I have to return something", None, "faq-en-001"),
        ("满多少包邮", "SG", "policy-shipping-intl-en"),
        ("几天内可以退", "HK", "policy-returns-hk-zh"),
        ("which coupons can I combine", "EU", "policy-coupons-en"),
        ("how do I wash the DJ02", "US", "page-YDF-DJ02-zh"),
        ("怎么退货", None, "faq-zh-003"),
        ("我在香港，怎么退货", None, "policy-returns-hk-zh"),
        ("how long do I have to return something", "DE", "policy-returns-eu-en"),
        ("运费多少", None, "faq-zh-012"),
        ("how much for shipping", None, "faq-zh-012"),
        ("格尔木能送到吗", None, "policy-shipping-remote-zh"),
        ("delivery cost to spain", None, "policy-shipping-intl-en"),
    ],
)
def test_the_sample_shop_answers_customers_by_where_they_are(
    sample_bench: Workbench, text: str, region: str | None, right: str
) -> None:
    told = sample_bench.services.explaining.explain("shop", Question(text=text, region=region))
    assert told.search.documents[0].external_id == right
