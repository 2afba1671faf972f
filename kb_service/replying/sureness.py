"""In which order suggestions are read, and which of them nobody should send unread. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kb_service.models import CandidateAnswer

UNSURE_BELOW = 0.4
"""Confidence is the calibrated probability that a reply is right: below this at least three of five are wrong, so that
who sends one unread errs more often than not. At a half the sample shop would mark replies that agents there mostly
sent as they stood."""
LIKE = 0.1
"""Suggestions whose confidence differs by no more are as likely right for whoever reads them: calibration itself is off
by some hundredths, and the language that the customer writes in then says more."""


def unsure(answer: CandidateAnswer) -> bool:
    """Whether a suggestion is more likely wrong than not, by so much that it is to be read before it is sent."""
    return answer.confidence < UNSURE_BELOW


def in_reading_order(answers: Sequence[CandidateAnswer], language: str) -> tuple[CandidateAnswer, ...]:
    """The suggestions, likeliest first; of those of like confidence first the ones in the customer's language.

    None that is unsure comes before one that is not. Where the language is not known the order stays.
    """
    rest, ordered = list(answers), list[CandidateAnswer]()
    while rest:
        best = rest[0]
        alike = [
            item
            for item in rest
            if best.confidence - item.confidence <= LIKE and unsure(item) == unsure(best)
        ]
        own = [item for item in alike if item.language == language]
        chosen = own[0] if own and language != "und" else best
        ordered.append(chosen)
        rest.remove(chosen)
    return tuple(ordered)
