"""Verdicts move confidence where they foretell later verdicts, and evidence only by reviews."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from kb_service.learning.recalibrating import LEAST, recalibrated
from kb_service.learning.verdicts import Told
from kb_service.search.adjustment import Adjustment
from kb_service.search.calibration import Calibration, calibration_for
from kb_service.search.confidence import FEATURES
from kb_service.search.evidence import NEVER, Evidence, Step
from kb_service.store import Exposure, Judgement

AT = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
BASE = calibration_for("a-model")


def verdict(number: int, right: bool, voter: str | None = None, **changes: object) -> Told:
    """A verdict on an answer whose features are those of a good hit."""
    features = dict.fromkeys(FEATURES, 0.0) | dict.fromkeys(
        ("bias", "share", "dense", "coverage", "lead"), 1.0
    )
    features |= {"score": 2.0, "agreement": 1.0}
    values: dict[str, object] = {
        "id": f"x{number:05}",
        "at": AT,
        "route": "answers",
        "query": "q",
        "language": "en",
        "action": "answer",
        "reason": "confident",
        "confidence": 0.9,
        "model_id": "a-model",
        "calibration_id": BASE.id,
        "features": {name: value for name, value in features.items() if name in FEATURES},
        "threshold": 0.5,
    }
    exposure = Exposure(**(values | changes))  # type: ignore[arg-type]
    return Told(Judgement(exposure), right, AT + timedelta(minutes=number), voter)


def raw() -> float:
    found = recalibrated(BASE, BASE, [verdict(0, True)], same_base=[BASE.id])
    return found.calibration.evidence.steps[0].answers and max(
        step.confidence for step in found.calibration.evidence.steps if step.answers
    )


def mixed(count: int, wrong_of_ten: int, **more: object) -> list[Told]:
    return [verdict(number, number % 10 >= wrong_of_ten, **more) for number in range(count)]  # type: ignore[arg-type]


def test_a_verdict_is_held_against_the_confidence_with_what_precedents_said_then() -> None:
    unsure = dict.fromkeys(FEATURES, 0.0)
    found = {}
    for points in (0.0, 2.0):
        told = verdict(0, True, features={**unsure, "precedents": points})
        steps = recalibrated(BASE, BASE, [told], same_base=[BASE.id]).calibration.evidence.steps
        found[points] = max(step.confidence for step in steps if step.answers)
    assert found[0.0] == 0.5
    assert found[2.0] == pytest.approx(1 / (1 + np.exp(-2.0)), abs=0.01)


def test_day_one_is_what_was_shipped() -> None:
    found = recalibrated(BASE, BASE, [], same_base=[BASE.id])
    assert found.calibration == BASE
    assert (found.changed, found.reason) == (False, "too_few")
    assert found.counts == {"reviews": 0, "feedback": 0, "right": 0, "wrong": 0}


def test_verdicts_move_the_confidence_towards_what_they_say() -> None:
    found = recalibrated(BASE, BASE, mixed(400, 5, voter=None), same_base=[BASE.id])
    assert (found.changed, found.reason) == (True, "better")
    assert found.after is not None
    assert found.before is not None
    assert found.after < found.before
    before = raw()
    assert abs(found.calibration.adjustment.of(before, "en") - 0.5) < abs(before - 0.5)
    assert found.calibration.confidence == BASE.confidence
    assert found.calibration.fusion == BASE.fusion


def test_too_few_verdicts_move_nothing() -> None:
    found = recalibrated(BASE, BASE, mixed(LEAST - 1, 9, voter="agent a"), same_base=[BASE.id])
    assert (found.changed, found.reason) == (False, "too_few")
    assert found.calibration == BASE


def test_what_does_not_foretell_the_later_verdicts_is_not_taken() -> None:
    turned = [verdict(number, number >= 150, voter=f"agent {number}") for number in range(200)]
    found = recalibrated(BASE, BASE, turned, same_base=[BASE.id])
    assert (found.changed, found.reason) == (False, "no_better")
    assert found.calibration == BASE


def test_one_agent_cannot_turn_the_confidence() -> None:
    honest = [verdict(number, True, voter=f"agent {number}") for number in range(100)]
    liar = [verdict(1_000 + number, False, voter="agent liar") for number in range(5_000)]
    with_liar = recalibrated(BASE, BASE, honest + liar, same_base=[BASE.id]).calibration
    without = recalibrated(BASE, BASE, honest, same_base=[BASE.id]).calibration
    at = raw()
    assert without.adjustment.of(at, "en") - with_liar.adjustment.of(at, "en") < 0.1


def test_feedback_alone_is_never_evidence() -> None:
    found = recalibrated(BASE, BASE, mixed(3_000, 0, voter="customer u"), same_base=[BASE.id])
    assert found.calibration.evidence == BASE.evidence


def test_reviews_are_evidence_from_the_threshold_that_they_were_sent_under() -> None:
    bare = replace(BASE, evidence=Evidence())
    found = recalibrated(bare, bare, mixed(400, 0), same_base=[BASE.id])
    assert found.calibration.evidence.threshold(0.01) == 0.5
    elsewhere = recalibrated(bare, bare, mixed(400, 0), same_base=["cal_other"])
    assert elsewhere.calibration.evidence.threshold(0.01) == NEVER, (
        "a threshold of another scale tells nothing"
    )
    wrong = recalibrated(bare, bare, mixed(400, 10), same_base=["cal_other"])
    assert wrong.calibration.evidence.steps[0] == Step(0.5, 400, 400), "what was wrong counts all the same"


def test_wrong_answers_raise_the_threshold() -> None:
    proven = replace(BASE, evidence=Evidence(tuple(Step(0.5 + 0.01 * n, 400, 0) for n in range(50))))
    assert proven.evidence.threshold(0.01) == 0.5
    found = recalibrated(proven, proven, mixed(50, 2), same_base=[BASE.id])
    assert found.changed
    assert found.calibration.evidence.threshold(0.01) > raw()


def test_after_going_back_earlier_verdicts_no_longer_adjust() -> None:
    given = mixed(400, 5, voter=None)
    found = recalibrated(BASE, BASE, given, same_base=[BASE.id], since=given[-1].at)
    assert found.reason == "too_few"
    assert found.calibration.adjustment == Adjustment()
    assert found.counts["reviews"] == 400


@pytest.mark.parametrize("features", [None, {}, {"bias": 1.0}, {"unheard": 1.0}])
def test_features_of_another_version_tell_nothing(features: dict[str, float] | None) -> None:
    given = [verdict(number, False, features=features) for number in range(100)]
    found = recalibrated(BASE, BASE, given, same_base=[BASE.id])
    assert found.calibration == BASE
    assert found.counts["reviews"] == 0


def test_an_adjustment_of_another_base_is_dropped() -> None:
    other: Calibration = replace(BASE, adjustment=Adjustment(1.0), base="cal_other")
    found = recalibrated(other, BASE, [], same_base=[BASE.id])
    assert found.changed
    assert found.calibration.adjustment == Adjustment()
