"""Whether figures got worse is told from chance."""

from __future__ import annotations

import numpy as np
import pytest

from kb_service.judging.comparing import losses
from kb_service.judging.evaluation import Judged, JudgedQuestion


def questions(count: int) -> list[JudgedQuestion]:
    return [
        JudgedQuestion(f"q{number}", "q", "en", frozenset({"right"}), "", None, False)
        for number in range(count)
    ]


def judged(right: list[bool], confidence: list[float]) -> list[Judged]:
    return [
        Judged(question, ("right",) if good else ("wrong", "right"), sure)
        for question, good, sure in zip(questions(len(right)), right, confidence, strict=True)
    ]


def sample(count: int, share: float, seed: int = 1) -> list[bool]:
    return [bool(value) for value in np.random.default_rng(seed).random(count) < share]


def test_the_same_figures_are_no_worse() -> None:
    answers = judged(sample(200, 0.7), [0.7] * 200)
    assert losses(answers, answers) == ()
    assert losses([], []) == ()


def test_a_plain_loss_is_told_with_its_name_and_size() -> None:
    before = judged([True] * 200, [0.9] * 200)
    after = judged([n % 2 == 0 for n in range(200)], [0.9] * 200)
    told = {loss.name: loss for loss in losses(before, after)}
    assert set(told) == {"nDCG@10", "ECE"}
    assert told["nDCG@10"].before == 1
    assert 0.1 < told["nDCG@10"].at_least < told["nDCG@10"].before - told["nDCG@10"].after
    assert told["ECE"].before == pytest.approx(0.1)
    assert told["ECE"].after == pytest.approx(0.4)


def test_a_few_questions_that_happen_to_turn_out_worse_are_noise() -> None:
    before = judged([True] * 60, [0.95] * 60)
    after = judged([True] * 58 + [False] * 2, [0.95] * 60)
    assert "nDCG@10" not in {loss.name for loss in losses(before, after)}


def test_a_confidence_that_no_longer_tells_right_from_wrong_is_worse() -> None:
    right = sample(300, 0.5)
    before = judged(right, [0.8 if good else 0.2 for good in right])
    after = judged(right, [float(value) for value in np.random.default_rng(2).random(300)])
    assert "abstention AUROC" in {loss.name for loss in losses(before, after)}


def test_other_questions_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="others"):
        losses(judged([True], [0.5]), judged([True, True], [0.5, 0.5]))
