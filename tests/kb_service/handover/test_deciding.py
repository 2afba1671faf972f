"""Which action follows from what was understood; every rule by a case of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graph.models import Emotion, IntentScore, Understanding
from kb_service.handover.deciding import FOR_A_BOT, LOW, Checked, Situation, decide, hand_over_rule
from kb_service.understanding.signs import worth_asking

CALM = Understanding("en", (), False, (), Emotion("neutral", 0.6), 0.2)
SITUATION = Situation(
    understanding=CALM,
    confidence=0.9,
    threshold=0.8,
    candidates=3,
    complete=True,
    asks_for_person=False,
    sensitive_flow=None,
    small_talk=False,
    close_intents=(),
    intent_chosen=False,
    failed_turns=0,
    sensitive_intent=False,
)


def outcome(**changed: object) -> tuple[str, str]:
    decision = decide(replace(SITUATION, **changed))  # type: ignore[arg-type]
    return decision.action, decision.reason


def test_what_evidence_allows_is_sent() -> None:
    assert outcome() == ("answer", "confident")


def test_a_placeholder_that_nobody_filled_is_never_sent_unseen() -> None:
    assert outcome(complete=False) == ("suggest", "placeholders_missing")


def test_what_a_reviewer_keeps_out_is_never_sent_unseen() -> None:
    assert outcome(withheld=True) == ("suggest", "withheld")
    assert outcome(withheld=True, confidence=0.5) == ("suggest", "unproven")


def test_what_is_not_proven_is_suggested() -> None:
    assert outcome(confidence=0.5) == ("suggest", "unproven")


def test_without_a_threshold_nothing_is_sent() -> None:
    assert outcome(confidence=0.99, threshold=1.01)[0] == "suggest"


@pytest.mark.parametrize("candidates", [0, 3])
def test_nothing_relevant_is_handed_over(candidates: int) -> None:
    assert outcome(confidence=LOW / 2 if candidates else 0.0, candidates=candidates) == (
        "handoff",
        "no_answer",
    )


def test_out_of_scope_says_so() -> None:
    strange = replace(CALM, out_of_scope=True)
    assert outcome(confidence=0.1, understanding=strange) == ("handoff", "out_of_scope")


def test_close_intents_are_asked_about_once() -> None:
    assert outcome(confidence=0.5, close_intents=("a", "b")) == ("clarify", "close_intents")
    assert outcome(confidence=0.5, close_intents=("a", "b"), intent_chosen=True) == ("suggest", "unproven")


def test_a_likely_answer_is_offered_rather_than_a_question_asked_back() -> None:
    assert outcome(confidence=0.7, close_intents=("a", "b")) == ("suggest", "unproven")


def test_what_is_out_of_scope_needs_more_than_a_weak_match() -> None:
    strange = replace(CALM, out_of_scope=True)
    assert outcome(confidence=0.4, understanding=strange) == ("handoff", "out_of_scope")
    assert outcome(confidence=0.6, understanding=strange) == ("suggest", "unproven")


def test_greetings_go_to_nobody() -> None:
    assert outcome(confidence=0.0, candidates=0, small_talk=True) == ("suggest", "small_talk")


@pytest.mark.parametrize(
    ("changed", "trigger"),
    [
        ({"asks_for_person": True}, "explicit"),
        ({"sensitive_flow": "legal"}, "sensitive"),
        ({"sensitive_intent": True}, "sensitive"),
        ({"understanding": replace(CALM, emotion=Emotion("angry", 0.9))}, "emotion"),
    ],
)
def test_these_hand_over_however_good_the_answer_is(changed: dict[str, object], trigger: str) -> None:
    situation = replace(SITUATION, **changed)  # type: ignore[arg-type]
    assert decide(situation).trigger == trigger
    assert hand_over_rule(situation) is not None


def test_the_second_failed_turn_hands_over() -> None:
    assert decide(replace(SITUATION, failed_turns=2)).trigger == "repeated_failure"
    assert decide(replace(SITUATION, failed_turns=1)).action == "answer"


def test_a_conflict_and_a_complex_case_hand_over_with_their_reason() -> None:
    assert outcome(conflict="cf_1") == ("handoff", "conflict:cf_1")
    assert outcome(complex="came_back") == ("handoff", "complex:came_back")
    assert decide(replace(SITUATION, complex="came_back")).trigger == "complexity"


def test_thanks_in_a_complex_case_go_to_nobody() -> None:
    assert outcome(complex="long_history", small_talk=True, confidence=0.1) == ("suggest", "small_talk")


def test_complexity_binds_bots_and_not_the_people_who_have_the_case() -> None:
    assert hand_over_rule(replace(SITUATION, complex="transferred")) is None


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"confidence": 0.1},
        {"candidates": 0, "confidence": 0.0},
        {"small_talk": True},
        {"failed_turns": 5},
        {"conflict": "cf_1"},
        {"complex": "came_back"},
        {"close_intents": ("a", "b"), "confidence": 0.5},
        {"understanding": replace(CALM, out_of_scope=True), "confidence": 0.1},
        {"understanding": replace(CALM, emotion=Emotion("angry", 0.9))},
    ],
)
def test_a_bot_never_talks_over_a_person(changed: dict[str, object]) -> None:
    assert outcome(with_a_person=True, **changed) == ("suggest", "with_a_person")


@pytest.mark.parametrize(
    "changed", [{"asks_for_person": True}, {"sensitive_flow": "safety"}, {"sensitive_intent": True}]
)
def test_whoever_has_the_case_hears_of_what_must_be_heard(changed: dict[str, object]) -> None:
    assert outcome(with_a_person=True, **changed)[0] == "handoff"


@pytest.mark.parametrize(
    ("probabilities", "offered"),
    [
        ((0.4, 0.3, 0.04), ("a", "b")),
        ((0.4, 0.14, 0.03), ("a",)),
        ((0.6, 0.19, 0.18), ("a",)),
        ((0.3, 0.25, 0.2), ("a", "b", "c")),
        ((0.1, 0.05, 0.04), ()),
    ],
)
def test_unlikely_intents_were_offered_as_options(
    probabilities: tuple[float, ...], offered: tuple[str, ...]
) -> None:
    scores = tuple(
        IntentScore(id, id, probability) for id, probability in zip("abc", probabilities, strict=True)
    )
    assert worth_asking(replace(CALM, intents=scores), ("a", "b", "c")) == offered


def test_the_rules_that_were_looked_at_are_told_up_to_the_one_that_decides() -> None:
    told: list[Checked] = []
    decision = decide(replace(SITUATION, failed_turns=2), told)
    names = [name for name, _ in FOR_A_BOT]
    assert [rule.name for rule in told] == names[: names.index("second_turn_failed") + 1]
    assert [rule.decision for rule in told] == [None] * (len(told) - 1) + [decision]


def test_the_last_rule_always_decides() -> None:
    told: list[Checked] = []
    assert decide(replace(SITUATION, confidence=0.7), told).reason == "unproven"
    assert len(told) == len(FOR_A_BOT)
