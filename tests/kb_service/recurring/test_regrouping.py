"""Problems that are one and problems that are two: merged and split by people and by the night, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graph.models import Match
from kb_service.recurring.nightly_regrouping import (
    ACTOR,
    EVIDENT,
    NO_OBJECTION,
    STANDS,
    Night,
    decided,
)
from kb_service.recurring.placing import PATIENCE, place
from kb_service.replicas.replica import Replica
from kb_service.store import StoredRegrouping
from tests.conftest import FixedClock
from tests.kb_service.conftest import NOW, Api, faults, problem, running
from tests.kb_service.recurring.regrouped import (
    BROKEN,
    LATE,
    audit,
    found,
    night,
    nightly,
    problem_of,
    put_apart,
    said,
    told,
)


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock) as started:
        yield started


# --- people


def test_an_unmerge_brings_back_what_was_merged_as_it_was(api: Api) -> None:
    kept, gone = told(api, "a", LATE), told(api, "b", BROKEN)
    api.post(f"/v1/problems/{gone}/rename", {"name": "Zippers"})
    api.post(f"/v1/problems/{gone}/acknowledge")
    before, other = found(api, gone), found(api, kept)
    states = {id: api.get(f"/v1/alerts/{id}").json()["state"] for id in (*before["alerts"], *other["alerts"])}
    assert set(states.values()) == {"open", "acknowledged"}
    proposals = {item["id"]: item["problem_id"] for item in api.get("/v1/proposals").json()["items"]}

    merged = api.post(f"/v1/problems/{gone}/merge", {"into": kept}).json()
    assert (merged["id"], merged["aliases"], merged["customers"]) == (kept, [gone], 8)
    assert found(api, gone)["id"] == kept
    api.clock.advance(hours=1)
    assert problem_of(api, "b1") == kept
    near_old = api.post("/v1/events", api.event("late", text=said(BROKEN, 2))).json()
    near_kept = api.post("/v1/events", api.event("later", text=said(LATE, 3))).json()
    assert near_old["problem"]["id"] == near_kept["problem"]["id"] == kept

    back = api.post(f"/v1/problems/{kept}/unmerge", {"alias": gone})
    assert back.status_code == 200, back.text
    assert (back.json()["id"], back.json()["name"], back.json()["state"]) == (gone, "Zippers", "acknowledged")
    again, survivor = found(api, gone), found(api, kept)
    assert (again["events"], again["customers"], survivor["events"]) == (5, 5, 5)
    assert again["aliases"] == survivor["aliases"] == []
    assert set(again["alerts"]) == set(before["alerts"])
    assert set(other["alerts"]) <= set(survivor["alerts"]), "what was raised of both together stays with it"
    assert {id: api.get(f"/v1/alerts/{id}").json()["state"] for id in states} == states
    assert survivor["name"] == other["name"]
    assert survivor["opened_at"] == other["opened_at"]
    assert {problem_of(api, id) for id in ("b0", "b3", "late")} == {gone}
    assert {problem_of(api, id) for id in ("a0", "later")} == {kept}
    assert {case["problem"]["id"] for case in api.get(f"/v1/problems/{gone}/cases").json()["items"]} == {gone}
    now = {item["id"]: item["problem_id"] for item in api.get("/v1/proposals").json()["items"]}
    assert {id: now[id] for id in proposals} == proposals
    # What comes next finds each its own.
    assert api.post("/v1/events", api.event("n1", text=said(BROKEN, 5))).json()["problem"]["id"] == gone
    assert api.post("/v1/events", api.event("n2", text=said(LATE, 5))).json()["problem"]["id"] == kept
    steps = [(action, object) for _, action, object in audit(api)]
    assert ("problem.unmerge", kept) in steps
    assert ("problem.merge", gone) in steps


def test_what_is_no_alias_is_not_unmerged(api: Api) -> None:
    one, other = told(api, "a", LATE), told(api, "b", BROKEN)
    assert "alias" in faults(api.post(f"/v1/problems/{one}/unmerge", {"alias": other}))
    problem(api.post("/v1/problems/p_unknown/unmerge", {"alias": other}), 404)
    problem(api.post(f"/v1/problems/{one}/unmerge", {"alias": other}, role="agent"), 403)
    api.post(f"/v1/problems/{other}/merge", {"into": one})
    assert api.post(f"/v1/problems/{other}/unmerge", {"alias": other}).json()["id"] == other
    assert "alias" in faults(api.post(f"/v1/problems/{one}/unmerge", {"alias": other}))


def test_merges_of_merges_are_taken_back_one_by_one(api: Api) -> None:
    first, second = told(api, "a", LATE), told(api, "b", BROKEN)
    third = told(api, "c", ["coupon", "rejected", "checkout", "voucher", "discount", "code"])
    api.post(f"/v1/problems/{first}/merge", {"into": second})
    api.post(f"/v1/problems/{second}/merge", {"into": third})
    assert set(found(api, third)["aliases"]) == {first, second}
    assert api.post(f"/v1/problems/{third}/unmerge", {"alias": second}).json()["aliases"] == [first]
    assert {problem_of(api, id) for id in ("a0", "b0")} == {second}
    assert problem_of(api, "c0") == third
    assert api.post(f"/v1/problems/{second}/unmerge", {"alias": first}).json()["events"] == 4
    assert [problem_of(api, id) for id in ("a0", "b0", "c0")] == [first, second, third]


def test_a_merge_of_an_earlier_version_goes_back_by_first_assignments(api: Api) -> None:
    kept, gone = told(api, "a", LATE), told(api, "b", BROKEN)
    with api.store.writing("shop") as unit:
        unit.problems.merge_alias(gone, kept)
        unit.changes.record("workspace", "shop")
    api.services.replicas.follow("shop")
    back = api.post(f"/v1/problems/{kept}/unmerge", {"alias": gone}).json()
    assert (back["id"], back["events"], back["state"]) == (gone, 4, "open")
    assert "zipper" in back["name"] or "jacket" in back["name"]
    assert (problem_of(api, "b0"), problem_of(api, "a0")) == (gone, kept)


def test_undoing_a_split_is_a_merge(api: Api) -> None:
    whole = told(api, "a", LATE, 6)
    cases = [api.case_id(f"a{number}") for number in range(3)]
    part = api.post(f"/v1/problems/{whole}/split", {"case_ids": cases}).json()["id"]
    with api.store.reading("shop") as unit:
        assert [(tie.kind, {tie.first, tie.second}) for tie in unit.ties.all()] == [("apart", {whole, part})]
    merged = api.post(f"/v1/problems/{part}/merge", {"into": whole}).json()
    assert (merged["events"], merged["aliases"]) == (6, [part])
    with api.store.reading("shop") as unit:
        assert [tie.kind for tie in unit.ties.all()] == ["together"]
        split = next(entry for entry in unit.regroupings.latest() if entry.kind == "split")
        assert split.undone_by is not None


def test_candidates_that_people_merge_are_named_by_what_most_of_them_say_and_told(api: Api) -> None:
    api.post("/v1/events", api.event("z1", text="拉链洗一次就坏了"))
    chinese = api.post("/v1/events", api.event("z2", text="外套拉链洗一次就坏了")).json()["problem"]["id"]
    english = api.post("/v1/events", api.event("e1", text="zipper broke after one wash")).json()["problem"][
        "id"
    ]
    assert chinese != english
    assert {found(api, id)["state"] for id in (chinese, english)} == {"candidate"}
    merged = api.post(f"/v1/problems/{english}/merge", {"into": chinese}).json()
    assert (merged["state"], merged["customers"]) == ("open", 3)
    assert [alert["kind"] for alert in api.get("/v1/alerts").json()["items"]] == ["recurrence"]
    names = {
        language: api.get(f"/v1/problems/{chinese}", headers={"Accept-Language": language}).json()["name"]
        for language in ("zh", "en")
    }
    assert "拉链" in names["zh"]
    assert names["en"] == names["zh"], "to this encoder no English message says the same"
    # People have seen these names: no further merge changes them.
    other = told(api, "a", LATE)
    api.post(f"/v1/problems/{other}/merge", {"into": chinese})
    again = api.get(f"/v1/problems/{chinese}", headers={"Accept-Language": "en"}).json()
    assert again["name"] == names["en"]


# --- nights


def test_two_of_one_matter_are_merged_on_the_second_night_and_the_seen_one_survives(api: Api) -> None:
    seen = told(api, "a", LATE, 6)
    api.post(f"/v1/problems/{seen}/rename", {"name": "Parcels stuck"})
    apart = put_apart(api, "a4", "a5")
    first = night(api)
    if not first.merged:
        with api.store.reading("shop") as unit:
            assert {frozenset((find.problem_id, find.other_id)) for find in unit.regroupings.finds()} == {
                frozenset((seen, apart))
            }
        assert found(api, apart)["id"] == apart
        assert night(api).merged == ((apart, seen),)
    survivor = found(api, apart)
    assert (survivor["id"], survivor["name"], survivor["customers"]) == (seen, "Parcels stuck", 6)
    assert (ACTOR, "problem.merge", apart) in audit(api)
    with api.store.reading("shop") as unit:
        assert unit.regroupings.finds() == ()
        assert unit.ties.all() == (), "a night's merge is nobody's word"
    assert night(api) == Night()


def test_what_is_found_once_waits_for_the_next_night_and_is_forgotten_when_it_is_not_found_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.regrouping.FAR", 99.0)
    seen = told(api, "a", LATE, 6)
    apart = put_apart(api, "a4", "a5")
    assert night(api).merged == ()
    monkeypatch.setattr("graph.regrouping.MERGE", 50.0)
    assert night(api).merged == ()
    monkeypatch.undo()
    monkeypatch.setattr("graph.regrouping.FAR", 99.0)
    assert night(api).merged == (), "not two nights running"
    assert night(api).merged == ((apart, seen),)


def test_what_was_due_and_more_than_a_night_does_need_not_be_found_twice_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.regrouping.FAR", 99.0)
    monkeypatch.setattr("kb_service.recurring.nightly_regrouping.MERGES", 1)
    for prefix, words in (("a", LATE), ("b", BROKEN)):
        told(api, prefix, words, 6)
        put_apart(api, f"{prefix}4", f"{prefix}5")
    assert [len(night(api).merged) for _ in range(4)] == [0, 1, 1, 0]


def test_nothing_is_done_where_the_rules_say_so(api: Api) -> None:
    told(api, "a", LATE, 6)
    put_apart(api, "a4", "a5")
    rules = api.get("/v1/rules").json()
    assert rules["regroup_nightly"] is True
    assert api.put("/v1/rules", {**rules, "regroup_nightly": False}).status_code == 200
    assert [night(api) for _ in range(3)] == [Night()] * 3
    with api.store.reading("shop") as unit:
        assert unit.regroupings.latest() == ()


def test_what_people_split_is_never_merged_again_by_a_night(api: Api) -> None:
    whole = told(api, "a", LATE, 6)
    cases = [api.case_id(f"a{number}") for number in range(3)]
    part = api.post(f"/v1/problems/{whole}/split", {"case_ids": cases}).json()["id"]
    assert [night(api).merged for _ in range(3)] == [()] * 3
    assert found(api, part)["id"] == part
    # A message near to both goes to one of them all the same.
    answer = api.post("/v1/events", api.event("next", text=said(LATE, 2))).json()
    assert answer["problem"]["id"] in (whole, part)


def test_an_undone_merge_of_a_night_is_not_done_again_and_raises_the_threshold(api: Api) -> None:
    seen = told(api, "a", LATE, 6)
    apart = put_apart(api, "a4", "a5")
    done = [night(api) for _ in range(2)]
    assert [merge for one in done for merge in one.merged] == [(apart, seen)]
    back = api.post(f"/v1/problems/{seen}/unmerge", {"alias": apart}).json()
    assert (back["id"], back["state"], back["events"]) == (apart, "candidate", 2)
    assert [night(api).merged for _ in range(3)] == [()] * 3
    with api.store.reading("shop") as unit:
        (entry,) = unit.regroupings.latest()
        learnt = decided([entry], "merge", api.clock.now)
    assert [item.right for item in learnt] == [False]


def test_candidates_that_are_one_come_to_an_alert_when_they_are_merged(api: Api) -> None:
    results = [
        api.post("/v1/events", api.event(f"a{number}", text=said(LATE, number))).json() for number in range(2)
    ]
    apart = put_apart(api, "a1")
    assert put_apart(api, "a0") != apart
    api.post("/v1/events", api.event("a2", text=said(LATE, 0)))
    assert api.get("/v1/alerts").json()["items"] == []
    assert results[0]["alerts"] == []
    for _ in range(2):
        night(api)
    alerts = api.get("/v1/alerts").json()["items"]
    assert [alert["kind"] for alert in alerts] == ["recurrence"]
    assert found(api, alerts[0]["problem"]["id"])["state"] == "open"


def mixed(api: Api) -> tuple[str, str]:
    """A problem into which people merged another matter by mistake, without a word of theirs being kept."""
    large, small = told(api, "a", LATE, 6), told(api, "b", BROKEN, 4)
    with api.store.writing("shop") as unit:
        unit.problems.merge_alias(small, large)
        unit.changes.record("workspace", "shop")
    api.services.replicas.follow("shop")
    api.post("/v1/events", api.event("more", text=said(LATE, 1)))
    return large, small


def test_a_problem_of_two_matters_is_split_and_seen_names_stay(api: Api) -> None:
    large, _ = mixed(api)
    name = found(api, large)["name"]
    splits = [split for _ in range(2) for split in night(api).split]
    assert [old for old, _ in splits] == [large]
    (_, new) = splits[0]
    assert found(api, large)["name"] == name
    parted = found(api, new)
    assert (parted["events"], found(api, large)["events"]) == (4, 7)
    assert {problem_of(api, f"b{number}") for number in range(4)} == {new}
    assert "zipper" in parted["name"] or "jacket" in parted["name"]
    assert (ACTOR, "problem.split", large) in audit(api)
    assert [night(api) for _ in range(2)] == [Night()] * 2, "neither merged again nor split further"


def test_what_people_merged_is_never_split_by_a_night(api: Api) -> None:
    large, small = told(api, "a", LATE, 6), told(api, "b", BROKEN, 4)
    api.post(f"/v1/problems/{small}/merge", {"into": large})
    api.post("/v1/events", api.event("more", text=said(LATE, 1)))
    assert [night(api).split for _ in range(3)] == [()] * 3


def test_a_merge_that_this_process_did_leaves_it_as_a_fresh_start_would(api: Api) -> None:
    seen = told(api, "a", LATE, 6)
    put_apart(api, "a4", "a5")
    for _ in range(2):
        night(api)
    replica = api.services.replicas.settled("shop")
    names = {exemplar.event_id for exemplar in replica.matcher.exemplars(seen)}
    assert set(replica.problems) == {seen}
    assert len(replica.matcher) == 1
    replica.reset()
    assert {exemplar.event_id for exemplar in replica.matcher.exemplars(seen)} == names


def test_another_process_follows_a_merge_a_placed_message_and_an_unmerge(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = api.services
    folder = services.settings.data / "another"
    other = Replica("shop", api.store, services.encoder, folder, publishes=False, clock=api.clock)
    other.settle()
    kept, gone = told(api, "a", LATE), told(api, "b", BROKEN)
    waits = told(api, "c", ["lamp", "flickers", "evening", "bulb", "switch", "dim"], 1)
    waiting(api, "c0", kept)
    other.follow()
    assert set(other.problems) == {kept, gone, waits}
    rebuilt = []
    monkeypatch.setattr(other, "_rebuild", rebuilt.append)
    with api.store.writing("shop") as unit:
        assert place(unit, services.replicas.settled("shop"), "c0") is not None
    before = {exemplar.event_id for exemplar in other.matcher.exemplars(waits)}
    api.post(f"/v1/problems/{gone}/merge", {"into": kept})
    other.follow()
    assert rebuilt == [], "neither a merge nor a placed message makes it begin anew"
    assert set(other.problems) == {kept, waits}
    assert {exemplar.event_id for exemplar in other.matcher.exemplars(kept)} >= {"a0", "b0"}
    assert {exemplar.event_id for exemplar in other.matcher.exemplars(waits)} == before | {"c0"}
    assert other.graph.survivor(gone) == kept
    monkeypatch.undo()
    api.post(f"/v1/problems/{kept}/unmerge", {"alias": gone})
    other.follow()
    assert set(other.problems) == {kept, gone, waits}
    assert {exemplar.event_id for exemplar in other.matcher.exemplars(gone)} >= {"b0"}
    assert other.graph.survivor(gone) == gone
    other.close()


# --- messages that wait


def waiting(api: Api, event_id: str, problem_id: str) -> None:
    """Let a message be one that waits, provisionally with a problem."""
    with api.store.writing("shop") as unit:
        assignment = unit.assignments.get(event_id)
        assert assignment is not None
        match = replace(assignment.match, problem_id=problem_id, reason="pending", pending=True)
        unit.assignments.put(event_id, problem_id, match)
        unit.changes.record("workspace", "shop")
    api.services.replicas.follow("shop")


def test_a_message_that_waits_finds_the_problem_that_it_is_near_to_by_now(api: Api) -> None:
    one, other = told(api, "a", LATE), told(api, "b", BROKEN)
    waiting(api, "a3", other)
    assert api.get("/v1/events/a3").json()["pending"] is True
    assert night(api).placed == 1
    settled = api.get("/v1/events/a3").json()
    assert (settled["problem"]["id"], settled["pending"]) == (one, False)
    assert (found(api, one)["events"], found(api, other)["events"]) == (4, 4)
    assert api.get(f"/v1/cases/{api.case_id('a3')}").json()["problem"]["id"] == one
    assert night(api).placed == 0


def test_a_message_that_nothing_is_near_to_becomes_a_problem(api: Api) -> None:
    one = told(api, "a", LATE)
    odd = api.post("/v1/events", api.event("odd", text="lamp flickers loudly every evening")).json()
    assert odd["problem"]["new"]
    with api.store.writing("shop") as unit:
        unit.problems.remove(odd["problem"]["id"])
    waiting(api, "odd", one)
    assert night(api).placed == 1
    assert problem_of(api, "odd") not in (one, "None")
    assert found(api, problem_of(api, "odd"))["state"] == "candidate"


def test_a_message_waits_no_longer_than_its_patience(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    one = told(api, "a", LATE)
    waiting(api, "a3", one)
    matcher = type(api.services.replicas.settled("shop").matcher)

    def unsure(self: Any, *given: Any) -> Any:
        return Match(one, "pending", 0.5, 0.48, pending=True)

    monkeypatch.setattr(matcher, "match", unsure)
    assert nightly(api).night("shop").placed == 0
    api.clock.now += PATIENCE
    assert nightly(api).night("shop").placed == 1
    assert problem_of(api, "a3") != one


def test_a_message_that_waits_follows_its_case_once_that_says_what_it_is_about(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = told(api, "a", LATE), told(api, "b", BROKEN)
    matcher = type(api.services.replicas.settled("shop").matcher)
    match = matcher.match

    def unsure(self: Any, utterance: Any, *given: Any) -> Match:
        if "ticket" in utterance.tokens:
            return Match(other, "pending", 0.55, 0.5, pending=True)
        return match(self, utterance, *given)

    monkeypatch.setattr(matcher, "match", unsure)
    shared = {"conversation_id": "chat", "customer_id": "u-chat"}
    first = api.post("/v1/events", api.event("w1", text="my ticket about the jacket hub", **shared)).json()
    assert (first["problem"]["id"], first["pending"]) == (other, True)
    api.post("/v1/events", api.event("w2", text=said(LATE, 1), **shared))
    assert api.get("/v1/events/w1").json()["pending"] is True, "the case speaks of another problem"
    api.post("/v1/events", api.event("w3", text=said(BROKEN, 1), **shared))
    settled = api.get("/v1/events/w1").json()
    assert (settled["problem"]["id"], settled["pending"]) == (other, False)
    assert found(api, other)["events"] == 6
    assert found(api, one)["events"] == 5


def test_an_alert_that_a_placed_message_completes_is_named_with_the_message_that_placed_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = told(api, "a", LATE), told(api, "b", BROKEN, 1)
    nearest = one
    matcher = type(api.services.replicas.settled("shop").matcher)
    match = matcher.match

    def unsure(self: Any, utterance: Any, *given: Any) -> Match:
        if "ticket" in utterance.tokens:
            return Match(nearest, "pending", 0.55, 0.5, pending=True)
        return match(self, utterance, *given)

    monkeypatch.setattr(matcher, "match", unsure)
    first = api.event("w1", text="my ticket about the jacket hub", conversation_id="chat", customer_id=None)
    assert api.post("/v1/events", first).json()["problem"]["id"] == one
    nearest = other
    second = api.event("w2", text=said(BROKEN, 1), conversation_id="chat", customer_id="u-chat")
    placed = api.post("/v1/events", second).json()
    assert problem_of(api, "w1") == other
    assert found(api, other)["customers"] == 3
    (alert_id,) = placed["alerts"]
    assert alert_id in found(api, other)["alerts"]


# --- what is learned


def entry(margin: float | None, actor: str = ACTOR, **changes: Any) -> StoredRegrouping:
    return replace(StoredRegrouping("rg", NOW, "merge", actor, "p1", "p2", margin, {}, {}), **changes)


def test_what_is_learned_of_merges() -> None:
    now = NOW
    undone = {"undone_at": now, "undone_by": "key_1"}
    assert decided([entry(0.5)], "merge", now) == [], "it has not stood for long"
    stood = decided([entry(0.5)], "merge", now + STANDS)
    assert [(item.right, item.weight) for item in stood] == [(True, NO_OBJECTION)]
    assert [item.right for item in decided([entry(0.5, **undone)], "merge", now)] == [False]
    assert [item.right for item in decided([entry(-1.0, "key_1")], "merge", now)] == [True]
    assert decided([entry(-1.0, "key_1", **undone)], "merge", now) == []
    assert decided([entry(-EVIDENT - 1, "key_1")], "merge", now) == [], "people know what no words tell"
    assert decided([entry(None, "key_1")], "merge", now) == []
    assert decided([entry(0.5, **undone)], "split", now) == []
    assert decided([entry(9.0, **undone)], "merge", now)[0].margin == EVIDENT
