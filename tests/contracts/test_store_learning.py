"""What calibration learns from: reviews, judged exposures, and the history of calibrations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kb_service.errors import InvalidRequest
from kb_service.store import Judgement, Store
from tests.contracts.store_samples import (
    AT,
    MODEL,
    a_calibration,
    a_document,
    a_precedent,
    a_rank_move,
    a_review,
    an_exposure,
    put_document,
    some_feedback,
)

WAITING = {
    "state": "pending",
    "verdict": None,
    "note": None,
    "reviewer": None,
    "decided_at": None,
    "proposal_id": None,
    "withheld": {},
}


# --- reviews


def test_a_review_comes_back_as_it_was_stored(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.reviews.put(a_review())
    with store.reading("shop") as unit:
        assert unit.reviews.get("rev-1") == a_review()
        assert unit.reviews.get("rev-2") is None
        assert unit.reviews.of_proposal("proposal-1") == (a_review(),)


def test_drawing_a_review_again_keeps_the_verdict(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.reviews.add_many([])
        unit.reviews.add_many([a_review(**WAITING)])
        unit.reviews.put(a_review())
        unit.reviews.add_many([a_review(**WAITING)])
        assert unit.reviews.get("rev-1") == a_review()


def test_pages_come_with_their_exposures_the_latest_first(store: Store) -> None:
    exposures = [an_exposure(f"x{number}", at=AT + timedelta(minutes=number)) for number in range(5)]
    with store.writing("shop") as unit:
        unit.exposures.add_many(exposures)
        unit.reviews.add_many(
            a_review(f"r{number}", exposure_id=item.id, at=item.at, **WAITING)
            for number, item in enumerate(exposures)
        )
        unit.reviews.put(a_review("r3", exposure_id="x3", at=exposures[3].at))
    with store.reading("shop") as unit:
        first = unit.reviews.page(None, 3, state="pending")
        rest = unit.reviews.page(first.next_cursor, 3, state="pending")
        assert [item.id for item, _ in (*first.items, *rest.items)] == ["r4", "r2", "r1", "r0"]
        assert [shown.id for _, shown in first.items] == ["x4", "x2", "x1"]
        assert rest.next_cursor is None
        assert [item.id for item, _ in unit.reviews.page(state="done").items] == ["r3"]
        with pytest.raises(InvalidRequest):
            unit.reviews.page("nonsense")


def test_reviews_of_answers_and_of_edited_suggestions_are_told_apart(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.exposures.add_many([an_exposure("x1")])
        unit.reviews.add_many([a_review("rev_1"), a_review("rev_2", **WAITING)])
        unit.reviews.add_many([a_review("edit_1", verdict="right"), a_review("edit_2", **WAITING)])
        unit.reviews.add_many([a_review("editor", **WAITING)])
    with store.reading("shop") as unit:
        assert {item.id for item, _ in unit.reviews.page(kind="edit").items} == {"edit_1", "edit_2"}
        assert {item.id for item, _ in unit.reviews.page(kind="answer").items} == {"rev_1", "rev_2", "editor"}
        waiting = unit.reviews.page(kind="edit", state="pending").items
        assert [(item.id, item.kind, item.feedback_id) for item, _ in waiting] == [("edit_2", "edit", "fb_2")]
        assert unit.reviews.counts() == {
            ("answer", "harmful"): 1,
            ("answer", None): 2,
            ("edit", "right"): 1,
            ("edit", None): 1,
        }


def test_a_verdict_on_an_edit_is_none_on_the_answer(store: Store) -> None:
    told = some_feedback("fb_1", exposure_id="x1", outcome="edited", final_text="Within 15 days.")
    with store.writing("shop") as unit:
        unit.exposures.add_many([an_exposure("x1")])
        unit.feedback.add(told)
        unit.reviews.put(a_review("edit_1", verdict="wrong"))
        unit.reviews.add_many([a_review("edit_2", **WAITING)])
        assert unit.feedback.of_ids(["fb_1", "fb_2"]) == {"fb_1": told}
    with store.reading("shop") as unit:
        (judged,) = unit.judgements.latest(MODEL, 9)
        assert (judged.review, judged.edits) == (None, {"fb_1": "wrong"})


def test_a_document_is_withheld_until_it_changes(store: Store) -> None:
    with store.writing("shop") as unit:
        put_document(unit, a_document())
        put_document(unit, a_document("other"))
        unit.reviews.put(a_review(withheld={"policy-returns": 1, "other": 1, "never-heard-of": 1}))
        unit.reviews.put(a_review("later", decided_at=AT + timedelta(days=1), withheld={"other": 1}))
        assert unit.reviews.withheld() == {"policy-returns": "rev-1", "other": "rev-1"}
        put_document(unit, a_document(title="changed"))
        unit.reviews.put(a_review(verdict="right", withheld={}))
        assert unit.reviews.withheld() == {"other": "later"}
        unit.documents.remove("other")
        put_document(unit, a_document("other"))
        assert unit.reviews.withheld() == {}, "what comes back is another version"


def test_a_verdict_is_told_to_whoever_follows(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.reviews.add_many([a_review(**WAITING)])
        assert unit.changes.since(0) == []
        unit.reviews.put(a_review())
        (change,) = unit.changes.since(0)
    assert (change.kind, change.id) == ("review", "rev-1")


# --- judged exposures


def test_judged_exposures_come_with_what_was_said_oldest_first(store: Store) -> None:
    early, late = an_exposure("early"), an_exposure("late", at=AT + timedelta(hours=1))
    first = some_feedback("f1", exposure_id="late")
    second = some_feedback("f2", exposure_id="late", outcome="reopened", at=AT + timedelta(hours=3))
    with store.writing("shop") as unit:
        unit.exposures.add_many([late, early, an_exposure("unjudged")])
        unit.exposures.add_many([an_exposure("waits"), an_exposure("bare", features=None)])
        unit.exposures.add_many([an_exposure("elsewhere", model_id="another-model")])
        unit.feedback.add(second)
        unit.feedback.add(first)
        for name in ("bare", "elsewhere"):
            unit.feedback.add(some_feedback(f"f-{name}", exposure_id=name))
        unit.reviews.put(a_review(exposure_id="early"))
        unit.reviews.add_many([a_review("waiting", exposure_id="waits", **WAITING)])
    with store.reading("shop") as unit:
        assert unit.judgements.latest(MODEL, 9) == (
            Judgement(early, (), a_review(exposure_id="early")),
            Judgement(late, (first, second), None),
        )
        unlimited = unit.judgements.latest(MODEL, 9)
    for number in range(3):
        with store.writing("shop") as unit:
            loud = an_exposure(f"loud-{number}", at=AT + timedelta(days=1))
            unit.exposures.add_many([loud])
            unit.feedback.add(some_feedback(f"l{number}", exposure_id=loud.id))
    with store.reading("shop") as unit:
        found = unit.judgements.latest(MODEL, 1)
        assert [item.exposure.id for item in found] == ["early", "loud-2"], "a review is never crowded out"
        assert len(unit.judgements.latest(MODEL, 9)) == len(unlimited) + 3


def test_the_best_answer_is_the_surest_wherever_it_stood() -> None:
    (only,) = an_exposure().answers
    swapped = an_exposure(answers=(replace(only, answer_id="a2", confidence=0.1), replace(only, rank=2)))
    assert swapped.best == replace(only, rank=2)
    assert an_exposure(answers=()).best is None


# --- calibrations


def test_the_newest_of_a_model_is_in_force_and_none_is_lost(store: Store) -> None:
    second = a_calibration("cal_0", kind="verdicts", counts={"reviews": 9})
    shipped = a_calibration("cal_9", kind="rollback", constants=None)
    elsewhere = a_calibration("cal_2", model_id="another-model")
    with store.writing("shop") as unit:
        assert unit.calibrations.newest(MODEL) is None
        for entry in (a_calibration(), second, elsewhere, shipped):
            unit.calibrations.add(entry)
    with store.reading("shop") as unit:
        assert unit.calibrations.newest(MODEL) == shipped
        assert unit.calibrations.newest("another-model") == elsewhere
        assert unit.calibrations.all(MODEL) == (shipped, second, a_calibration())
        assert len(unit.calibrations.all()) == 4
        assert [change.kind for change in unit.changes.since(0)] == ["calibration"] * 4


def test_an_entry_keeps_the_judged_questions_that_it_was_fitted_on(store: Store) -> None:
    asked = [a_precedent(f"q-{number}") for number in (2, 1, 3)]
    with store.writing("shop") as unit:
        unit.calibrations.add(a_calibration(), asked)
        unit.calibrations.add(a_calibration("cal_2"))
    with store.reading("shop") as unit:
        held = unit.calibrations.precedents("cal_1")
        assert [item.id for item in held] == ["q-2", "q-1", "q-3"]
        assert (held[0].question, held[0].answers) == (asked[0].question, asked[0].answers)
        assert held[0].vector == pytest.approx(asked[0].vector, abs=1e-3)
        assert unit.calibrations.precedents("cal_2") == ()


# --- moves of ranks


def test_moves_come_back_as_they_were_stored_the_newest_first(store: Store) -> None:
    moves = [a_rank_move(f"mv_{number}", external_id=f"d{number}") for number in range(4)]
    with store.writing("shop") as unit:
        unit.rank_moves.add_many([])
        assert unit.rank_moves.latest_id() is None
        unit.rank_moves.add_many(moves[:2])
        unit.rank_moves.add_many(moves[2:])
    with store.reading("shop") as unit:
        first = unit.rank_moves.page(None, 3)
        rest = unit.rank_moves.page(first.next_cursor, 3)
        assert [*first.items, *rest.items] == moves[::-1]
        assert rest.next_cursor is None
        assert unit.rank_moves.get("mv_1") == moves[1]
        assert unit.rank_moves.get("mv_9") is None
        assert unit.rank_moves.latest_id() == "mv_3"
        assert [(change.kind, change.id) for change in unit.changes.since(0)] == [
            ("ranks", move.id) for move in moves
        ]


def test_boosts_are_the_steps_that_stand(store: Store) -> None:
    place = (("problem", "p1"), "policy-returns")
    steps = [0.1, 0.7, 0.2, -0.05]
    with store.writing("shop") as unit:
        unit.rank_moves.add_many(a_rank_move(f"mv_{number}", step=step) for number, step in enumerate(steps))
        unit.rank_moves.add_many([a_rank_move("mv_i", scope="intent", subject_id="damaged", step=5.0)])
        before = unit.rank_moves.boosts()
        assert before == {place: pytest.approx(0.95), (("intent", "damaged"), "policy-returns"): 1.0}
        unit.rank_moves.add_many([a_rank_move("mv_4", step=0.3)])
        assert unit.rank_moves.boosts()[place] == pytest.approx(1.25)
        latest = unit.rank_moves.get("mv_4")
        assert latest is not None
        entry = unit.rank_moves.withdraw(latest, "reverted", "command")
        assert unit.rank_moves.boosts() == before, "exactly what it was"
        assert entry.boost == before[place]
        assert unit.rank_moves.withdrawn("mv_4")
        assert not unit.rank_moves.withdrawn("mv_3")
        assert unit.rank_moves.taken_back() == {place: unit.now}
        for number in range(4):
            move = unit.rank_moves.get(f"mv_{number}")
            assert move is not None
            unit.rank_moves.withdraw(move, "erased", "erasure")
        assert unit.rank_moves.boosts()[place] == 0.0
        assert unit.rank_moves.get("mv_4") == latest, "nothing is changed that was stored"


def test_exposures_that_were_spoken_of_are_told_whatever_their_model(store: Store) -> None:
    early, late = an_exposure("early", features=None), an_exposure("late", at=AT + timedelta(hours=1))
    words = [some_feedback(f"f{name}", exposure_id=name) for name in ("early", "late", "erased", "old")]
    with store.writing("shop") as unit:
        unit.exposures.add_many([late, early, an_exposure("silent"), an_exposure("erased", query=None)])
        unit.exposures.add_many([an_exposure("old", at=AT - timedelta(days=1))])
        for word in words:
            unit.feedback.add(word)
    with store.reading("shop") as unit:
        assert unit.judgements.told(AT, 9) == (
            Judgement(early, (words[0],), None),
            Judgement(late, (words[1],), None),
        )
        assert [item.exposure.id for item in unit.judgements.told(AT, 1)] == ["late"]


# --- jobs


def test_a_job_is_claimed_once_until_it_is_due_again(store: Store) -> None:
    with store.writing("shop") as unit:
        now = unit.now
        assert unit.jobs.claim("nightly", now)
    with store.writing("shop") as unit:
        assert not unit.jobs.claim("nightly", now)
        assert unit.jobs.claim("another", now)
        assert unit.jobs.claim("nightly", unit.now + timedelta(seconds=1))
        assert unit.jobs.last("nightly") == unit.now
