"""What a coarse shop's nights merge that a fine one's keep apart."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from graph.models import Problem
from kb_service.recurring.nightly_regrouping import ACTOR, Night
from kb_service.recurring.themes import Kin, due_kin, kept_kin
from tests.conftest import FixedClock
from tests.kb_service.conftest import NOW, Api, running
from tests.kb_service.recurring.regrouped import audit, found, night, problem_of, put_apart

TOPICS = {
    "parcel": (
        "parcel", "late", "stuck", "courier", "delivery", "tracking", "hub", "depot", "driver", "van", "address",
        "doorstep", "label", "scan",
    ),
    "coupon": (
        "coupon", "code", "rejected", "error", "checkout", "discount", "voucher", "campaign", "cart", "expired",
        "apply", "stack", "gift", "page",
    ),
}  # fmt: skip
PARTS = 4


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock) as started:
        yield started


def govern(api: Api, **changes: object) -> None:
    answer = api.put("/v1/rules", {**api.get("/v1/rules").json(), **changes})
    assert answer.status_code == 200, answer.text


def scattered(api: Api) -> dict[str, list[str]]:
    """Messages of two topics, those of each in problems that take turns: the problems by topic."""
    rng = random.Random(3)
    problems: dict[str, list[str]] = {}
    for topic, words in TOPICS.items():
        ids = [f"{topic}{number}" for number in range(5 * PARTS)]
        for id in ids:
            api.post("/v1/events", api.event(id, text=" ".join(rng.sample(words, 4))))
        problems[topic] = [put_apart(api, *ids[part::PARTS]) for part in range(PARTS)]
    with api.store.writing("shop") as unit:
        for left in unit.problems.all():
            if left.id not in {id for ids in problems.values() for id in ids}:
                unit.problems.remove(left.id)
        unit.changes.record("workspace", "shop")
    api.services.replicas.follow("shop")
    return problems


def homes(api: Api) -> dict[str, set[str]]:
    """Where the messages of each topic are."""
    return {topic: {problem_of(api, f"{topic}{number}") for number in range(5 * PARTS)} for topic in TOPICS}


def test_a_coarse_shop_merges_on_the_second_night_what_a_fine_one_keeps_apart(api: Api) -> None:
    scattered(api)
    assert api.get("/v1/rules").json()["problem_grain"] == "fine"
    for _ in range(3):
        night(api)
    fine = homes(api)
    assert min(len(ids) for ids in fine.values()) > 2
    govern(api, problem_grain="coarse")
    assert night(api) == Night()
    assert len(night(api).merged) == sum(len(ids) - 1 for ids in fine.values())
    coarse = homes(api)
    assert {topic: len(ids) for topic, ids in coarse.items()} == {"parcel": 1, "coupon": 1}
    assert coarse["parcel"] != coarse["coupon"]
    with api.store.reading("shop") as unit:
        entries = [entry for entry in unit.regroupings.latest() if "kin" in entry.evidence]
        assert unit.ties.all() == (), "a night's merge is nobody's word"
        assert unit.regroupings.finds() == ()
    assert {entry.other_id for entry in entries} == set().union(*fine.values()) - set().union(
        *coarse.values()
    )
    assert {(entry.actor, entry.margin) for entry in entries} == {(ACTOR, None)}
    assert {(ACTOR, "problem.merge", entry.other_id) for entry in entries} <= set(audit(api))
    # What was merged for its theme may well look like two, and is not split for that.
    assert [night(api) for _ in range(2)] == [Night()] * 2
    govern(api, problem_grain="fine")
    assert night(api).merged == ()


def test_a_coarse_merge_is_taken_back_and_not_done_again(api: Api) -> None:
    scattered(api)
    govern(api, problem_grain="coarse")
    night(api)
    night(api)
    (survivor,) = homes(api)["parcel"]
    alias = found(api, survivor)["aliases"][0]
    back = api.post(f"/v1/problems/{survivor}/unmerge", {"alias": alias}).json()
    assert (back["id"], back["events"]) == (alias, 5)
    assert [night(api).merged for _ in range(3)] == [()] * 3
    assert homes(api)["parcel"] == {survivor, alias}


def test_what_people_named_or_took_on_each_by_itself_is_not_of_one_theme(api: Api) -> None:
    problems = scattered(api)
    govern(api, problem_grain="coarse")
    one, other, apart, _ = problems["parcel"]
    api.post(f"/v1/problems/{one}/rename", {"name": "Parcels stuck"})
    api.post(f"/v1/problems/{other}/rename", {"name": "Parcels at the hub"})
    with api.store.writing("shop") as unit:
        unit.ties.put(apart, one, "apart", "key_1")
        unit.ties.put(apart, other, "apart", "key_1")
    for _ in range(3):
        night(api)
    names = {found(api, id)["id"]: found(api, id)["name"] for id in (one, other)}
    assert names == {one: "Parcels stuck", other: "Parcels at the hub"}
    assert found(api, apart)["id"] not in (one, other)
    assert homes(api)["parcel"] >= {one, other}
    assert len(homes(api)["coupon"]) == 1


def test_problems_of_different_carriers_are_of_two_themes(api: Api) -> None:
    govern(api, problem_grain="coarse", carriers={"SwiftWing": ["swiftwing"], "BlueVan": ["bluevan"]})
    rng = random.Random(5)
    parts = []
    for part in range(4):
        ids = [f"m{part}-{number}" for number in range(5)]
        for id in ids:
            words = " ".join(rng.sample(TOPICS["parcel"], 4))
            api.post("/v1/events", api.event(id, text=f"{words} {('swiftwing', 'bluevan')[part % 2]}"))
        parts.append(put_apart(api, *ids))
    for _ in range(3):
        night(api)
    first, second, third, fourth = (found(api, id)["id"] for id in parts)
    assert (first, second) == (third, fourth)
    assert first != second


def test_a_night_does_no_more_than_it_may_and_goes_on_the_next(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.recurring.nightly_regrouping.MERGES", 4)
    scattered(api)
    govern(api, problem_grain="coarse")
    assert [len(night(api).merged) for _ in range(4)] == [0, 4, 2, 0]


def problem(id: str, *aliases: str) -> Problem:
    return replace(Problem(id, {"en": id}, "open", NOW, NOW, NOW), aliases=aliases)


def test_two_are_due_when_they_were_of_one_theme_the_night_before_whichever_survives() -> None:
    night_before = kept_kin([Kin("b", "a", 3), Kin("c", "a", 3), Kin("y", "x", 2)])
    problems = [problem(id) for id in "abcxy"]
    found = [Kin("b", "c", 2), Kin("x", "a", 2)]
    assert due_kin(found, night_before, problems) == ([found[0]], [found[1]])
    merged = [problem("c", "b"), problem("a")]
    again = [Kin("a", "c", 2)]
    assert due_kin(again, night_before[:1], merged) == (again, []), (
        "a merge does not make anew what was found"
    )
    assert due_kin(again, [], merged) == ([], again)
