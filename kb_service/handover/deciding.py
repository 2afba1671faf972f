"""What to do with a question: answer, suggest, ask, or hand over; always with a named reason. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from graph.handover import Complexity
from graph.models import Understanding
from kb_service.models import Action, Trigger

ANGRY = 0.75
"""Strength of anger from which a person takes over."""
LOW = 0.25
"""Confidence below which nothing is offered to a customer."""
LIKELY = 0.6
"""Confidence from which an answer is offered rather than a question asked back."""
STRANGE = 0.5
"""Confidence below which a message that is out of scope is answered by nobody but a person."""
FAILED = 2
"""Failed answers after which a person takes over."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision looks at. `threshold` is the confidence from which evidence allows sending unseen;
    `withheld` whether a reviewer keeps the first answer's document out of what is sent; `failed_turns` how many of
    the bot's answers failed; `with_a_person` whether somebody has the case or was called to it."""

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
    failed_turns: int
    sensitive_intent: bool
    withheld: bool = False
    conflict: str | None = None
    """The id of a conflict between the two best documents about what is asked."""
    complex: Complexity | None = None
    with_a_person: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    reason: str
    trigger: Trigger | None = None


def decide(situation: Situation) -> Decision:
    """The action for a bot. The rules stand in the order in which they win.

    While a person has the case nothing is sent: a bot never talks over a person. Whoever has it still hears of a
    request for a person and of a sensitive matter.
    """
    if situation.with_a_person:
        return _must_be_heard(situation) or Decision("suggest", "with_a_person")
    must = hand_over_rule(situation)
    if must is not None:
        return must
    if situation.small_talk and situation.confidence < situation.threshold:
        return Decision("suggest", "small_talk")
    if situation.complex is not None:
        return Decision("handoff", f"complex:{situation.complex}", "complexity")
    if situation.understanding.out_of_scope and situation.confidence < STRANGE:
        return Decision("handoff", "out_of_scope", "out_of_scope")
    return _by_confidence(situation)


def hand_over_rule(situation: Situation) -> Decision | None:
    """The rules that hand over whatever the answer would be; they bind suggestions too."""
    if (must := _must_be_heard(situation)) is not None:
        return must
    emotion = situation.understanding.emotion
    if emotion.label == "angry" and emotion.score >= ANGRY:
        return Decision("handoff", "angry", "emotion")
    if situation.failed_turns >= FAILED:
        return Decision("handoff", "second_turn_failed", "repeated_failure")
    if situation.conflict is not None:
        return Decision("handoff", f"conflict:{situation.conflict}", "conflict")
    return None


def _must_be_heard(situation: Situation) -> Decision | None:
    if situation.asks_for_person:
        return Decision("handoff", "asks_for_person", "explicit")
    if situation.sensitive_flow is not None:
        return Decision("handoff", f"sensitive:{situation.sensitive_flow}", "sensitive")
    if situation.sensitive_intent:
        return Decision("handoff", "sensitive_intent", "sensitive")
    return None


def _by_confidence(situation: Situation) -> Decision:
    """What the best answer allows: sending it, showing it, asking back, or nothing."""
    unclear = 2 <= len(situation.close_intents) <= 3 and not situation.intent_chosen
    if situation.candidates == 0 or situation.confidence < LOW:
        if unclear:
            return Decision("clarify", "close_intents")
        return Decision("handoff", "no_answer", "no_answer")
    if situation.confidence >= situation.threshold:
        if situation.withheld:
            return Decision("suggest", "withheld")
        if situation.complete:
            return Decision("answer", "confident")
        return Decision("suggest", "placeholders_missing")
    if unclear and situation.confidence < LIKELY:
        return Decision("clarify", "close_intents")
    return Decision("suggest", "unproven")
