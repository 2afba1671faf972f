"""What to do with a question: answer, suggest, ask, or hand over; always with a named reason. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

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


@dataclass(frozen=True, slots=True)
class Checked:
    """A rule in its turn: what it decided, None where it did not apply. `name` is a machine code."""

    name: str
    decision: Decision | None


Rule: TypeAlias = Callable[[Situation], Decision | None]
Rules: TypeAlias = Sequence[tuple[str, Rule]]


def decide(situation: Situation, told: list[Checked] | None = None) -> Decision:
    """The action for a bot. The rules stand in the order in which they win; those that were looked at go to `told`.

    While a person has the case nothing is sent: a bot never talks over a person. Whoever has it still hears of a
    request for a person and of a sensitive matter.
    """
    found = _first(FOR_A_BOT, situation, told)
    assert found is not None, "the last rule decides"
    return found


def hand_over_rule(situation: Situation, told: list[Checked] | None = None) -> Decision | None:
    """The rules that hand over whatever the answer would be; they bind suggestions too."""
    return _first(HANDING_OVER, situation, told)


def _first(rules: Rules, situation: Situation, told: list[Checked] | None) -> Decision | None:
    for name, rule in rules:
        decision = rule(situation)
        if told is not None:
            told.append(Checked(name, decision))
        if decision is not None:
            return decision
    return None


# --- rules that hand over whatever the answer would be


def _asks_for_person(situation: Situation) -> Decision | None:
    return Decision("handoff", "asks_for_person", "explicit") if situation.asks_for_person else None


def _sensitive_flow(situation: Situation) -> Decision | None:
    flow = situation.sensitive_flow
    return Decision("handoff", f"sensitive:{flow}", "sensitive") if flow is not None else None


def _sensitive_intent(situation: Situation) -> Decision | None:
    return Decision("handoff", "sensitive_intent", "sensitive") if situation.sensitive_intent else None


def _with_a_person(situation: Situation) -> Decision | None:
    return Decision("suggest", "with_a_person") if situation.with_a_person else None


def _angry(situation: Situation) -> Decision | None:
    emotion = situation.understanding.emotion
    angry = emotion.label == "angry" and emotion.score >= ANGRY
    return Decision("handoff", "angry", "emotion") if angry else None


def _second_turn_failed(situation: Situation) -> Decision | None:
    failed = situation.failed_turns >= FAILED
    return Decision("handoff", "second_turn_failed", "repeated_failure") if failed else None


def _conflict(situation: Situation) -> Decision | None:
    conflict = situation.conflict
    return Decision("handoff", f"conflict:{conflict}", "conflict") if conflict is not None else None


# --- what the message is


def _small_talk(situation: Situation) -> Decision | None:
    mere = situation.small_talk and situation.confidence < situation.threshold
    return Decision("suggest", "small_talk") if mere else None


def _complex(situation: Situation) -> Decision | None:
    return Decision("handoff", f"complex:{situation.complex}", "complexity") if situation.complex else None


def _out_of_scope(situation: Situation) -> Decision | None:
    strange = situation.understanding.out_of_scope and situation.confidence < STRANGE
    return Decision("handoff", "out_of_scope", "out_of_scope") if strange else None


# --- what the best answer allows: sending it, showing it, asking back, or nothing


def _unclear(situation: Situation) -> bool:
    return 2 <= len(situation.close_intents) <= 3 and not situation.intent_chosen


def _no_answer(situation: Situation) -> Decision | None:
    if situation.candidates and situation.confidence >= LOW:
        return None
    if _unclear(situation):
        return Decision("clarify", "close_intents")
    return Decision("handoff", "no_answer", "no_answer")


def _withheld(situation: Situation) -> Decision | None:
    kept = situation.confidence >= situation.threshold and situation.withheld
    return Decision("suggest", "withheld") if kept else None


def _confident(situation: Situation) -> Decision | None:
    proven = situation.confidence >= situation.threshold and situation.complete
    return Decision("answer", "confident") if proven else None


def _placeholders_missing(situation: Situation) -> Decision | None:
    proven = situation.confidence >= situation.threshold
    return Decision("suggest", "placeholders_missing") if proven else None


def _close_intents(situation: Situation) -> Decision | None:
    unsure = _unclear(situation) and situation.confidence < LIKELY
    return Decision("clarify", "close_intents") if unsure else None


def _unproven(situation: Situation) -> Decision | None:
    return Decision("suggest", "unproven")


_HEARD: Rules = (
    ("asks_for_person", _asks_for_person),
    ("sensitive_flow", _sensitive_flow),
    ("sensitive_intent", _sensitive_intent),
)
_WHATEVER_THE_ANSWER: Rules = (
    ("angry", _angry),
    ("second_turn_failed", _second_turn_failed),
    ("conflict", _conflict),
)
_BY_CONFIDENCE: Rules = (
    ("no_answer", _no_answer),
    ("withheld", _withheld),
    ("confident", _confident),
    ("placeholders_missing", _placeholders_missing),
    ("close_intents", _close_intents),
    ("unproven", _unproven),
)
HANDING_OVER: Rules = (*_HEARD, *_WHATEVER_THE_ANSWER)
FOR_A_BOT: Rules = (
    *_HEARD,
    ("with_a_person", _with_a_person),
    *_WHATEVER_THE_ANSWER,
    ("small_talk", _small_talk),
    ("complex", _complex),
    ("out_of_scope", _out_of_scope),
    *_BY_CONFIDENCE,
)
