"""Judged questions speak of the documents that they judged, to questions like theirs, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kb_service.search.precedents import ALIKE, NONE, Case, Precedents, fit_precedents, with_points
from kb_service.store import Precedent
from tests.kb_service.search.test_confidence import HIT

ASKED = np.array([1.0, 0.0], dtype=np.float32)


def turned(cosine: float) -> np.ndarray:
    """A unit vector with this cosine to ASKED."""
    return np.array([cosine, np.sqrt(1 - cosine**2)], dtype=np.float32)


def judged(right: bool, cosine: float = 1.0, *, id: str = "q", version: int = 1) -> Precedent:
    return Precedent(id, f"like {cosine}", turned(cosine), {"a": (version, right), "b": (1, not right)})


def test_a_question_that_was_judged_right_speaks_for_and_a_wrong_one_against() -> None:
    for_it = Precedents((judged(True),)).points(HIT, ASKED)
    assert for_it == pytest.approx(np.log(1.1 / 0.1))
    assert Precedents((judged(False),)).points(HIT, ASKED) == pytest.approx(-for_it)
    assert Precedents((judged(False),)).points(replace(HIT, external_id="b"), ASKED) == pytest.approx(for_it)
    assert Precedents((judged(True), judged(False))).points(HIT, ASKED) == 0
    assert Precedents((judged(True),), weight=0.5).points(HIT, ASKED) == pytest.approx(for_it / 2)


def test_the_likest_count_most_and_the_unlike_nothing() -> None:
    points = [Precedents((judged(True, cosine),)).points(HIT, ASKED) for cosine in (0.99, 0.9, 0.7, 0.6, 0.1)]
    assert points == sorted(points, reverse=True)
    assert points[2] > 0
    assert points[3:] == [0, 0]
    assert Precedents((judged(True, 0.8),), alike=0.9).points(HIT, ASKED) == 0
    many = Precedents(tuple(judged(False) for _ in range(10_000)))
    assert many.points(HIT, ASKED) == -5


def test_of_other_documents_later_versions_and_questions_without_meaning_nothing_is_said() -> None:
    held = Precedents((judged(True),))
    assert held.points(replace(HIT, external_id="c"), ASKED) == 0
    assert held.points(replace(HIT, version=2), ASKED) == 0
    assert Precedents((judged(True, version=2),)).points(HIT, ASKED) == 0
    assert held.points(HIT, None) == 0
    assert NONE.points(HIT, ASKED) == 0
    assert NONE.spoken(HIT, ASKED) == ()


def test_who_spoke_is_told_the_likest_first() -> None:
    held = Precedents((judged(False, 0.7), judged(True, 0.95), judged(True, 0.3)))
    found = held.spoken(HIT, ASKED)
    assert [(item.question, item.right) for item in found] == [("like 0.95", True), ("like 0.7", False)]
    assert found[0].likeness == pytest.approx(0.95)


def test_no_points_change_no_probability_and_many_stay_within_what_can_be_known() -> None:
    assert with_points(0.123456789, 0.0) == 0.123456789
    assert with_points(0.5, 1.0) == pytest.approx(1 / (1 + np.exp(-1)))
    assert with_points(0.9, 25.0) == 0.995
    assert with_points(0.1, -25.0) == 0.005


def test_what_speaks_for_a_document_moves_it_up_and_what_speaks_against_it_leaves_it_in_its_place() -> None:
    first, second = HIT, replace(HIT, external_id="b", score=0.7)
    wrong_first = Precedents((judged(False),))
    assert [hit.external_id for hit in wrong_first.reordered([first, second], ASKED)] == ["b", "a"]
    assert wrong_first.reordered([first, second], ASKED)[0].score == 0.7
    only_against = replace(judged(False), answers={"a": (1, False)})
    assert Precedents((only_against,)).reordered([first, second], ASKED) == (first, second)
    assert wrong_first.reordered([first, second], ASKED, besides="q") == (first, second)
    assert wrong_first.reordered([first, second], None) == (first, second)
    assert NONE.reordered([first, second], ASKED) == (first, second)


# --- fitting


def fitting(*, trusty: bool, cosine: float = 0.97, count: int = 60) -> tuple[list[Precedent], list[Case]]:
    """Pairs of questions, each pair far from all others; in a `trusty` set the two of a pair have one verdict."""
    held, cases = [], []
    for number in range(count):
        right = number % 2 == 0
        for twin in range(2):
            vector = np.zeros(2 * count, dtype=np.float32)
            vector[2 * number] = cosine if twin else 1.0
            vector[2 * number + 1] = np.sqrt(1 - cosine**2) if twin else 0.0
            verdict = right if trusty or twin == 0 else not right
            id = f"q{number}.{twin}"
            held.append(Precedent(id, id, vector, {"a": (1, verdict)}))
            cases.append(Case(id, vector, (HIT,), (verdict,), lambda first: 0.6))
    return held, cases


def test_precedents_that_foretell_verdicts_count_more_and_those_that_mislead_less() -> None:
    told = fit_precedents(*fitting(trusty=True))
    misled = fit_precedents(*fitting(trusty=False))
    assert told.weight > 1 > misled.weight
    assert misled.weight == 0
    assert len(told.held) == 120


def test_a_question_has_no_say_on_itself() -> None:
    held, cases = fitting(trusty=True)
    alone = fit_precedents(held[::2], cases[::2])
    assert alone.weight == 1, "nobody else is alike, so nothing is known of the weight"
    assert alone.points(HIT, cases[0].vector, besides=cases[0].id) == 0
    assert alone.points(HIT, cases[0].vector) > 0


def test_how_alike_questions_must_be_is_fitted() -> None:
    held, cases = fitting(trusty=True, cosine=0.97)
    # Pairs at .75 with opposite verdicts: only a higher border tells the two kinds of likeness apart.
    far_held, far_cases = fitting(trusty=False, cosine=0.75)
    held = [replace(item, vector=np.pad(item.vector, (0, 120))) for item in held]
    held += [replace(item, id=f"far {item.id}", vector=np.pad(item.vector, (120, 0))) for item in far_held]
    cases = [replace(item, vector=np.pad(item.vector, (0, 120))) for item in cases if item.vector is not None]
    cases += [
        replace(item, id=f"far {item.id}", vector=np.pad(item.vector, (120, 0)))
        for item in far_cases
        if item.vector is not None
    ]
    assert fit_precedents(held, cases).alike > ALIKE[0]


def test_the_verdict_that_counts_is_that_on_the_document_which_comes_first_in_the_end() -> None:
    second = replace(HIT, external_id="b", score=0.7)
    held, cases = [], []
    for number in range(20):
        for twin in range(2):
            vector = np.zeros(40, dtype=np.float32)
            vector[number] = 1.0
            id = f"q{number}.{twin}"
            held.append(Precedent(id, id, vector, {"a": (1, False), "b": (1, True)}))
            cases.append(Case(id, vector, (HIT, second), (False, True), lambda first: 0.6 - 0.2 * first))
    found = fit_precedents(held, cases)
    assert found.weight > 0
    first = found.reordered(cases[0].hits, cases[0].vector, besides=cases[0].id)[0]
    assert first.external_id == "b"


def test_without_cases_the_cautious_constants_stay() -> None:
    found = fit_precedents([judged(True)], [])
    assert (found.alike, found.weight, len(found.held)) == (ALIKE[0], 1.0, 1)
