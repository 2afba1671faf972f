"""Which problem comes with which: a parent's alert speaks for the problems under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from graph.errors import InvalidValue
from graph.models import Problem

ParentOf = Callable[[str], str | None]
"""The parent of a problem, None where it has none."""


def ancestors(problem_id: str, parent_of: ParentOf) -> tuple[str, ...]:
    """The parent of a problem, that one's parent, and so on; ends where a circle would begin."""
    found: list[str] = []
    above = parent_of(problem_id)
    while above is not None and above != problem_id and above not in found:
        found.append(above)
        above = parent_of(above)
    return tuple(found)


def placed_under(problem: Problem, parent_id: str | None, parent_of: ParentOf) -> Problem:
    """The problem under another one, or under none. Raises InvalidValue when it would come under itself."""
    if parent_id is not None and problem.id in (parent_id, *ancestors(parent_id, parent_of)):
        raise InvalidValue(
            "problem_id", f"must not be problem {problem.id} itself or one that comes under it"
        )
    return replace(problem, parent_id=parent_id)
