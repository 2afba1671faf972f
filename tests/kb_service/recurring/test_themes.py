"""What a coarse shop's nights merge that a fine one's keep apart."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from graph.models import Problem
from kb_service.recurring.nightly_regrouping import ACTOR, Night
from kb_service.recurring.themes import Kin, Stray, due_kin, due_strays, kept_finds
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


def scattered(api: Api, words_each: int = 4) -> dict[str, list[str]]:
    """Messages of two topics, those of each in problems that take turns: the problems by topic."""
    rng = random.Random(3)
    problems: dict[str, list[str]] = {}
    for topic, words in TOPICS.items():
        ids = [f"{topic}{number}" for number in range(5 * PARTS)]
        for id in ids:
            api.post("/v1/events", api.event(id, text=" ".join(rng.sample(words, words_each))))
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


def blurred(api: Api) -> tuple[str, dict[str, list[str]]]:
    """A problem that holds both topics, beside those of either: its id, and its events by topic."""
    problems = scattered(api, words_each=10)
    one, other = problems["parcel"][0], problems["coupon"][0]
    moved = {
        topic: [id for id in homes_of(api, topic) if problem_of(api, id) == mixed]
        for topic, mixed in (("parcel", one), ("coupon", other))
    }
    with api.store.writing("shop") as unit:
        unit.assignments.reassign(moved["coupon"], one)
        unit.problems.remove(other)
        unit.changes.record("workspace", "shop")
    api.services.replicas.follow("shop")
    return one, moved


def homes_of(api: Api, topic: str) -> list[str]:
    return [f"{topic}{number}" for number in range(5 * PARTS)]


def test_what_strayed_into_a_problem_leaves_it_and_goes_to_its_own_theme(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nights merged by theme what was apart, and never parted by theme what was one."""
    monkeypatch.setattr("graph.kinship.MANY", 10)
    _, moved = blurred(api)
    govern(api, problem_grain="coarse")
    assert night(api).split == ()
    second = night(api)
    ((old, _),) = second.split
    assert problem_of(api, moved["parcel"][0]) != problem_of(api, moved["coupon"][0]), "on the second night"
    for _ in range(3):
        night(api)
    after = homes(api)
    assert {topic: len(ids) for topic, ids in after.items()} == {"parcel": 1, "coupon": 1}
    assert after["parcel"] != after["coupon"]
    with api.store.reading("shop") as unit:
        entries = [entry for entry in unit.regroupings.latest() if "theme" in entry.evidence]
        assert unit.regroupings.finds() == ()
    ((actor, kind, margin),) = {(entry.actor, entry.kind, entry.margin) for entry in entries}
    assert (actor, kind, margin) == (ACTOR, "split", None)
    assert {(ACTOR, "problem.split", old)} <= set(audit(api))


@pytest.mark.parametrize("grain", ["fine", "coarse"])
def test_what_people_merged_into_a_problem_that_was_split_off_stays_together(
    api: Api, monkeypatch: pytest.MonkeyPatch, grain: str
) -> None:
    """Nights split it again: they took the survivor for what had been its own at first, which was nothing."""
    monkeypatch.setattr("graph.kinship.MANY", 10)
    problems = scattered(api, words_each=10)
    one, other = problems["parcel"][0], problems["coupon"][0]
    assert api.post(f"/v1/problems/{other}/merge", {"into": one}).status_code == 200
    govern(api, problem_grain=grain)
    for _ in range(4):
        assert night(api).split == ()
    assert found(api, other)["id"] == found(api, one)["id"]


def test_a_stray_is_due_when_the_night_before_held_the_same_two_apart() -> None:
    def stray(id: str, stay: str, gone: str) -> Stray:
        return Stray(id, (frozenset(stay), frozenset(gone)), (stay[0], gone[0]))

    before = kept_finds([stray("a", "kl", "mn"), stray("b", "op", "qr")])
    merged = [problem("c", "b"), problem("a")]
    found = [stray("a", "xkl", "ymn"), stray("c", "opz", "qr"), stray("a", "m", "k")]
    assert due_strays(found, before, merged) == (found[:2], found[2:])
    assert due_strays(found, [], merged) == ([], found)


def problem(id: str, *aliases: str) -> Problem:
    return replace(Problem(id, {"en": id}, "open", NOW, NOW, NOW), aliases=aliases)


def test_two_are_due_when_they_were_of_one_theme_the_night_before_whichever_survives() -> None:
    night_before = kept_finds([Kin("b", "a", 3), Kin("c", "a", 3), Kin("y", "x", 2)])
    problems = [problem(id) for id in "abcxy"]
    found = [Kin("b", "c", 2), Kin("x", "a", 2)]
    assert due_kin(found, night_before, problems) == ([found[0]], [found[1]])
    merged = [problem("c", "b"), problem("a")]
    again = [Kin("a", "c", 2)]
    assert due_kin(again, night_before[:1], merged) == (again, []), (
        "a merge does not make anew what was found"
    )
    assert due_kin(again, [], merged) == ([], again)
