"""A problem as others name it: its id, and its name in the reader's language."""

from __future__ import annotations

from graph.models import Problem
from kb_service.messages import Language
from kb_service.wire.base import ProblemRef


def problem_ref(problem: Problem, language: Language) -> ProblemRef:
    return ProblemRef(id=problem.id, name=name_in(problem, language), state=problem.state)


def name_in(problem: Problem, language: Language) -> str:
    """The problem's name for a reader of `language`, else in any language it has."""
    return problem.names.get(language) or next(iter(problem.names.values()), problem.id)
