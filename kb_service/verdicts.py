"""What people said of the answers they were shown: right or wrong, and how much one voice counts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from ingest.language import words
from kb_service.store import Feedback, Judgement

SETTLED = timedelta(hours=72)
"""An answer that helped may still be reopened within this time; before it has passed, feedback tells nothing."""
SHARE = 0.05
"""The most that one voice may weigh of all."""
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


def weights(voters: Sequence[str | None], prior: float) -> list[float]:
    """How much each verdict counts: 1, less where one voice would weigh more than SHARE of all together.

    All together is what the verdicts weigh and the `prior`, the weight of what was believed before. Reviews
    (None) are drawn by the service rather than offered by anybody and always count 1.
    """
    counts = Counter(voter for voter in voters if voter is not None)
    most = _most(sorted(counts.values(), reverse=True), prior + sum(voter is None for voter in voters))
    return [1.0 if voter is None else min(1.0, most / counts[voter]) for voter in voters]


def kept(final: str, source: str) -> bool:
    """Whether a reply that somebody edited still says what the document says: most of its word pairs stand there."""
    said = _pairs(final)
    return bool(said) and len(said & _pairs(source)) >= KEPT * len(said)


def _most(counts: Sequence[int], rest: float) -> float:
    """The weight that no voice exceeds: SHARE of all, when the loudest voices are held to it."""
    for held in range(len(counts) + 1):
        quiet = sum(counts[held:])
        most = SHARE * (rest + quiet) / (1 - SHARE * held) if SHARE * held < 1 else 0.0
        if held == len(counts) or counts[held] <= most:
            return most
    return 0.0


def _heard(
    judgement: Judgement, now: datetime, source: Callable[[str], str | None]
) -> tuple[bool, Feedback] | None:
    """What feedback says of the best answer in the end, and the feedback that said so last."""
    best = judgement.exposure.best
    given = [item for item in judgement.feedback if best is not None and item.answer_id == best.answer_id]
    if best is None or not given or now - given[-1].at < SETTLED:
        return None
    found: tuple[bool, Feedback] | None = None
    for item in given:
        right: bool | None = None
        if item.outcome in ("accepted", "resolved"):
            right = True
        elif item.outcome == "rejected":
            right = False
        elif item.outcome == "edited":
            text = source(best.external_id)
            right = kept(item.final_text, text) if item.final_text and text else None
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
