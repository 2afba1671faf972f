"""Since when a customer waits: one rule for the queue, for silent agents and for the backlog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graph.models import Event
from graph.waits import Move, move_of, moves_of, waits_since

T = datetime(2026, 6, 18, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def since(*moves: Move) -> int | None:
    """The hour of the move since which the customer waits; one move an hour."""
    found = waits_since((T + HOUR * place, move) for place, move in enumerate(moves))
    return None if found is None else round((found - T) / HOUR)


@pytest.mark.parametrize(
    ("moves", "hour"),
    [
        ((), None),
        (("asks",), 0),
        (("asks", "asks"), 0),
        (("asks", "bot_answers"), None),
        (("asks", "bot_answers", "asks", "asks"), 2),
        (("asks", "person_answers", "asks"), 2),
        (("asks", "ends"), None),
    ],
)
def test_who_asked_first_after_the_last_answer_waits_since_then(
    moves: tuple[Move, ...], hour: int | None
) -> None:
    assert since(*moves) == hour


def test_a_bot_that_says_a_person_will_come_ends_no_wait() -> None:
    assert since("asks", "calls", "bot_answers") == 0
    assert since("asks", "bot_answers", "calls", "bot_answers") == 2
    assert since("person_answers", "asks", "bot_answers") == 1


def test_a_case_that_came_back_is_the_bots_again() -> None:
    assert since("calls", "person_answers", "ends", "asks", "bot_answers") is None


@pytest.mark.parametrize(
    ("fields", "move"),
    [
        ({"text": "where is my parcel"}, "asks"),
        ({"text": "thank you!"}, None),
        ({"text": "谢谢", "language": "zh"}, None),
        ({"text": None}, "asks"),
        ({"role": "bot", "text": "thank you!"}, "bot_answers"),
        ({"role": "agent", "text": "hello"}, "person_answers"),
        ({"type": "transfer"}, "calls"),
        ({"type": "resolution", "resolved": False}, "ends"),
        ({"type": "followup", "resolved": False}, "asks"),
        ({"type": "followup", "resolved": True}, None),
        ({"type": "rating", "rating": 1.0}, None),
    ],
)
def test_what_an_event_means_to_who_waits(fields: dict[str, Any], move: Move | None) -> None:
    event = Event(id="e", at=T, **{"type": "message", **fields})
    assert move_of(event) == move
    assert moves_of([event]) == ([(T, move)] if move is not None else [])
