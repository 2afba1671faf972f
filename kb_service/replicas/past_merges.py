"""Merges gone through once more, so that a memory made from the store keeps apart what was merged, as the live one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from graph.matching import ProblemMatcher
from graph.models import Problem
from kb_service.store import Assignment, Unit


class PastMerges:
    """The merges that stand and came after `after_sequence`, done again between the messages they came between.

    `problems` are the problems of now. One use: messages are to come in order of arrival.
    """

    def __init__(self, unit: Unit, problems: Iterable[Problem], after_sequence: int = 0) -> None:
        self._waiting = deque(unit.regroupings.past_merges(after_sequence))
        self._was = unit.regroupings.brought(after_sequence)
        self._now = {alias: problem.id for problem in problems for alias in problem.aliases}

    def reach(self, sequence: int, matcher: ProblemMatcher) -> None:
        """Do what was done before the event of this sequence came."""
        while self._waiting and self._waiting[0].after < sequence:
            merge = self._waiting.popleft()
            matcher.merge(merge.old, merge.into)

    def home(self, event_id: str, assignment: Assignment) -> str:
        """The problem that a message was joined to: the one it was of when that was merged, else the one of now.

        A merge of an earlier version left no entry; the first assignment tells there.
        """
        was = self._was.get(event_id) or assignment.first_problem_id
        if was is not None and self._now.get(was) == assignment.problem_id:
            return was
        assert assignment.problem_id is not None
        return assignment.problem_id
