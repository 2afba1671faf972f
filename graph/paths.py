"""From a problem to its answers along the graph."""

from __future__ import annotations

import math
from datetime import datetime

from graph.problem_graph import ProblemGraph

PSEUDO_ANSWERS = 3.0
"""Weight of answers not yet seen: a problem's only answer, accepted once, weighs 1 / (1 + 3) = .25."""


def answer_prior(graph: ProblemGraph, problem_id: str, at: datetime) -> dict[str, float]:
    """How much a problem's past speaks for each document that answered it, by external id, 0 to 1.

    The share of the problem's accepted answers that were this document, shrunk by three pseudo-answers, so
    that one acceptance suggests and twenty convince. Only documents valid and not superseded at `at` count,
    also in the sum. The weights of a problem add up to less than 1.
    """
    answers = graph.answers_of(problem_id, at)
    total = math.fsum(answer.weight for answer in answers) + PSEUDO_ANSWERS
    return {answer.external_id: answer.weight / total for answer in answers}
