"""How much could be sent unseen, and how much of that would be wrong, on judged questions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb_service.judging.evaluation import Judged
from kb_service.search.evidence import upper_limit

LEAST = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)


@dataclass(frozen=True, slots=True)
class Sent:
    """What would be sent from one confidence on.

    `share` is of all questions; `wrong_share` of what was sent, and `at_most` its upper 95% limit (Clopper and
    Pearson, 1934); both None where nothing was sent.
    """

    confidence: float
    answers: int
    share: float
    wrong: int
    wrong_share: float | None
    at_most: float | None


def coverage(judged: Sequence[Judged], thresholds: Sequence[float] = LEAST) -> tuple[Sent, ...]:
    """One row a threshold, in the order given; none without questions."""
    rows = []
    for least in thresholds if judged else ():
        sent = [item for item in judged if item.ranking and item.confidence >= least]
        wrong = sum(not item.right for item in sent)
        rows.append(
            Sent(
                confidence=least,
                answers=len(sent),
                share=len(sent) / len(judged),
                wrong=wrong,
                wrong_share=wrong / len(sent) if sent else None,
                at_most=upper_limit(wrong, len(sent)) if sent else None,
            )
        )
    return tuple(rows)
