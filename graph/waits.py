"""Since when a customer waits for an answer. Pure.

The one rule behind the queue, the agents who leave a customer without a word, and the backlog: whoever asked first
after the last answer waits since then. Thanks and greetings ask for nothing. Once a person was called or answered, the
bot's words are no answer any more, until the case ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, TypeAlias

from graph.models import Event, Speaker
from graph.small_talk import small_talk

Move: TypeAlias = Literal["asks", "calls", "bot_answers", "person_answers", "ends"]
"""What a fact of a case means to who waits: the customer asks, a person is called, somebody answers, the case ends for
now, with an outcome or without."""


def waits_since(moves: Iterable[tuple[datetime, Move]]) -> datetime | None:
    """Since when the customer waits after dated moves, oldest first; None when nothing is owed."""
    since: datetime | None = None
    with_a_person = False
    for at, move in moves:
        with_a_person = move != "ends" and (with_a_person or move in ("calls", "person_answers"))
        if move in ("asks", "calls"):
            since = since or at
        elif move != "bot_answers" or not with_a_person:
            since = None
    return since


def move_of(event: Event) -> Move | None:
    """What an event means to who waits; None for what changes nothing. A message without text, such as a picture,
    may ask for anything."""
    if event.type == "message" and event.role == "customer":
        courtesy = bool(event.text) and small_talk(event.text or "", event.language or "und")
        return None if courtesy else "asks"
    if event.type == "message":
        return answer_by(event.role)
    if event.type == "transfer":
        return "calls"
    if event.type == "followup":
        return "asks" if event.resolved is False else None
    return "ends" if event.type == "resolution" else None


def answer_by(role: Speaker) -> Move:
    """The answer of somebody other than the customer."""
    return "person_answers" if role == "agent" else "bot_answers"


def moves_of(events: Iterable[Event]) -> list[tuple[datetime, Move]]:
    """The moves among events, in their order."""
    return [(event.at, move) for event in events if (move := move_of(event)) is not None]
