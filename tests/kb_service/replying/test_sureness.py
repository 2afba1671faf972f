"""The order in which suggestions are read, and which of them are unsure."""

from __future__ import annotations

import pytest

from kb_service.models import CandidateAnswer
from kb_service.replying.sureness import LIKE, UNSURE_BELOW, in_reading_order, unsure


def answer(id: str, confidence: float, language: str) -> CandidateAnswer:
    return CandidateAnswer(id, "x", id, "policy", language, confidence, (), (), ())


def read(language: str, *answers: CandidateAnswer) -> list[str]:
    return [item.id for item in in_reading_order(answers, language)]


def test_of_like_confidence_the_customers_language_comes_first() -> None:
    english, chinese, also = answer("en", 0.8, "en"), answer("zh", 0.75, "zh"), answer("zh2", 0.72, "zh")
    assert read("zh", english, chinese, also) == ["zh", "zh2", "en"]
    assert read("en", english, chinese, also) == ["en", "zh", "zh2"]
    assert read("und", english, chinese, also) == ["en", "zh", "zh2"]


def test_a_much_likelier_one_stays_first_whatever_its_language() -> None:
    assert read("zh", answer("en", 0.9, "en"), answer("zh", 0.9 - LIKE - 0.05, "zh")) == ["en", "zh"]


def test_an_unsure_one_never_comes_before_a_sure_one() -> None:
    sure, doubtful = answer("en", UNSURE_BELOW, "en"), answer("zh", UNSURE_BELOW - 0.01, "zh")
    assert read("zh", sure, doubtful) == ["en", "zh"]


@pytest.mark.parametrize(("confidence", "said"), [(0.0, True), (0.399, True), (0.4, False), (0.9, False)])
def test_what_is_unsure(confidence: float, said: bool) -> None:
    assert unsure(answer("a", confidence, "en")) is said
