"""What to do with a question: answer, suggest, ask, or hand over; always with a named reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from graph.models import Understanding
from kb_service.models import Action, Trigger, Turn

ANGRY = 0.75
"""Strength of anger from which a person takes over."""
LOW = 0.25
"""Confidence below which nothing is offered to a customer."""
LIKELY = 0.6
"""Confidence from which an answer is offered rather than a question asked back."""
STRANGE = 0.5
"""Confidence below which a message that is out of scope is answered by nobody but a person."""
SAME_AGAIN = 0.6
"""Likeness of two customer's turns from which the second is the same question again."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision looks at. `threshold` is the confidence from which evidence allows sending unseen;
    `withheld` whether a reviewer keeps the first answer's document out of what is sent."""

    understanding: Understanding
    confidence: float
    threshold: float
    candidates: int
    complete: bool
    asks_for_person: bool
    sensitive_flow: str | None
    small_talk: bool
    close_intents: tuple[str, ...]
    intent_chosen: bool
    turns: tuple[Turn, ...]
    sensitive_intent: bool
    withheld: bool = False
    conflict: str | None = None
    """The id of a conflict between the two best documents about what is asked."""


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    reason: str
    trigger: Trigger | None = None


def decide(situation: Situation) -> Decision:
    """The action for a bot. The rules stand in the order in which they win."""
    must = hand_over_rule(situation)
    if must is not None:
        return must
    if situation.small_talk and situation.confidence < situation.threshold:
        return Decision("suggest", "small_talk")
    if situation.understanding.out_of_scope and situation.confidence < STRANGE:
        return Decision("handoff", "out_of_scope", "out_of_scope")
    if situation.candidates == 0 or situation.confidence < LOW:
        if 2 <= len(situation.close_intents) <= 3 and not situation.intent_chosen:
            return Decision("clarify", "close_intents")
        return Decision("handoff", "no_answer", "no_answer")
    if situation.confidence >= situation.threshold:
        if situation.withheld:
            return Decision("suggest", "withheld")
        if situation.complete:
            return Decision("answer", "confident")
        return Decision("suggest", "placeholders_missing")
    unclear = 2 <= len(situation.close_intents) <= 3 and not situation.intent_chosen
    if unclear and situation.confidence < LIKELY:
        return Decision("clarify", "close_intents")
    return Decision("suggest", "unproven")


def hand_over_rule(situation: Situation) -> Decision | None:
    """The rules that hand over whatever the answer would be; they bind suggestions too."""
    if situation.asks_for_person:
        return Decision("handoff", "asks_for_person", "explicit")
    if situation.sensitive_flow is not None:
        return Decision("handoff", f"sensitive:{situation.sensitive_flow}", "sensitive")
    if situation.sensitive_intent:
        return Decision("handoff", "sensitive_intent", "sensitive")
    emotion = situation.understanding.emotion
    if emotion.label == "angry" and emotion.score >= ANGRY:
        return Decision("handoff", "angry", "emotion")
    if failed_twice(situation.turns):
        return Decision("handoff", "second_turn_failed", "repeated_failure")
    if situation.conflict is not None:
        return Decision("handoff", f"conflict:{situation.conflict}", "conflict")
    return None


def failed_twice(turns: Sequence[Turn]) -> bool:
    """Whether a bot answered, the customer asked much the same again, was answered, and asks once more."""
    asked: list[str] = []
    repeats = 0
    answered = False
    for turn in turns:
        if turn.role == "bot":
            answered = True
        elif turn.role == "customer":
            if answered and any(_alike(turn.text, before) for before in asked):
                repeats += 1
            asked.append(turn.text)
            answered = False
        else:
            asked, repeats, answered = [], 0, False
    return repeats >= 2


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= SAME_AGAIN
