"""What a message was understood to say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from kb_service.wire.base import IntentScoreOut, Response


class EntityOut(Response):
    type: str
    value: str
    start: int
    end: int


class EmotionOut(Response):
    label: Literal["angry", "upset", "neutral", "pleased"]
    score: float


LEAST_TOLD, MOST_TOLD = 3, 10
WORTH_TELLING = 0.01
"""Probability from which an intent is told of beyond the first three."""


def _told(scores: list[IntentScoreOut]) -> list[IntentScoreOut]:
    """Of all the shop's intents, best first, those that may matter to a reader."""
    likely = sum(score.probability >= WORTH_TELLING for score in scores)
    return scores[: min(max(likely, LEAST_TOLD), MOST_TOLD)]


BestIntents = Annotated[list[IntentScoreOut], AfterValidator(_told)]


class UnderstandingOut(Response):
    language: str
    corrected_query: str | None
    intents: BestIntents
    out_of_scope: bool
    entities: list[EntityOut]
    emotion: EmotionOut
    urgency: float
