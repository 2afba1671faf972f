"""What people said of the answers they were shown: right or wrong, and how much one voice counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from graph.voices import SHARE as SHARE
from graph.voices import weights as weights
from ingest.language import words
from kb_service.store import Feedback, Judgement, ShownAnswer

SETTLED = timedelta(hours=72)
"""An answer that helped may still be reopened within this time; before it has passed, feedback tells nothing."""
KEPT = 0.6
"""The share of an edited reply's word pairs that must stand in the document for the answer to have been right."""


@dataclass(frozen=True, slots=True)
class Told:
    """One answer, right or wrong, since `at`. `voter` is whose voice it is; None for a review, which is asked for."""

    judgement: Judgement
    right: bool
    at: datetime
    voter: str | None


def told(
    judgements: Sequence[Judgement],
    *,
    now: datetime,
    reopened: Collection[str],
    source: Callable[[str], str | None],
) -> list[Told]:
    """What is known of each answer by `now`, in the order of the judgements; what tells nothing is left out.

    A review outweighs feedback. `reopened` are cases whose customer came back within 72 h; `source` gives the
    text of a document by external id, None where it is gone.
    """
    found = []
    for judgement in judgements:
        review = judgement.review
        if review is not None and review.verdict is not None:
            at = review.decided_at or review.at
            found.append(Told(judgement, review.verdict == "right", at, None))
        elif (heard := _heard(judgement, now, source)) is not None:
            right, last = heard
            right = right and judgement.exposure.case_id not in reopened
            found.append(Told(judgement, right, last.at, _voter(judgement, last)))
    return found


def kept(final: str, source: str) -> bool:
    """Whether a reply that somebody edited still says what the document says: most of its word pairs stand there."""
    said = _pairs(final)
    return bool(said) and len(said & _pairs(source)) >= KEPT * len(said)


def _heard(
    judgement: Judgement, now: datetime, source: Callable[[str], str | None]
) -> tuple[bool, Feedback] | None:
    """What feedback says of the best answer in the end, and the feedback that said so last."""
    best = judgement.exposure.best
    return None if best is None else heard(judgement, best, now, source)


def heard(
    judgement: Judgement, answer: ShownAnswer, now: datetime, source: Callable[[str], str | None]
) -> tuple[bool, Feedback] | None:
    """Whether one answer helped, by feedback that can no longer be taken back, and what said so last."""
    given = [item for item in judgement.feedback if item.answer_id == answer.answer_id]
    if not given or now - given[-1].at < SETTLED:
        return None
    found: tuple[bool, Feedback] | None = None
    for item in given:
        right: bool | None = None
        if item.outcome in ("accepted", "resolved"):
            right = True
        elif item.outcome == "rejected":
            right = False
        elif item.outcome == "edited":
            text = source(answer.external_id)
            right = kept(item.final_text, text) if item.final_text and text else None
            if (verdict := judgement.edits.get(item.id)) is not None:
                right = (
                    verdict == "right"
                )  # somebody has looked: that counts rather than how many words were kept
        elif item.outcome == "reopened" and not (found and item.at - found[1].at > SETTLED):
            right = False
        if right is not None:
            found = (right, item)
    return found


def _voter(judgement: Judgement, item: Feedback) -> str:
    if item.agent_id is not None:
        return f"agent {item.agent_id}"
    customer = judgement.exposure.customer_id
    return f"customer {customer}" if customer is not None else "nobody"


def _pairs(text: str) -> set[tuple[str, str]]:
    return set(pairwise(words(text)))
