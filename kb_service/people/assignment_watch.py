"""Assigns waiting cases without being asked, in the workspaces whose rules say so."""

from __future__ import annotations

from datetime import timedelta

from graph.assignment import Patience
from kb_service.models import Principal
from kb_service.people.assigning import Assigning
from kb_service.people.inactivity import Idle, idle_cases
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store

ROUND_SECONDS = 20.0
"""How long a waiting case may wait to be looked at."""
JOB = "assign"
ACTOR = "auto_assign"


class AssignmentWatch(WorkspaceRounds):
    """One process at a time takes a workspace's turn."""

    def __init__(self, store: Store, assigning: Assigning) -> None:
        super().__init__("assigning", store, seconds=ROUND_SECONDS)
        self._assigning = assigning

    def look(self, workspace: str) -> int:
        """Assign what waits where `auto_assign` is set; how many cases were given to somebody."""
        idle = self._claimed(workspace)
        if idle is None:
            return 0
        caller = Principal(workspace, ACTOR, frozenset())
        made = self._assigning.assign_waiting(caller, patience=Patience(), idle=idle)
        return sum(item.agent is not None for item in made)

    def _claimed(self, workspace: str) -> list[Idle] | None:
        """The cases left without a word, where something waits; None where nothing does, or somebody else is at it."""
        with self._store.reading(workspace) as unit:
            if not unit.rules.get().auto_assign:
                return None
            idle = idle_cases(unit)
            if not idle and not unit.cases.waiting():
                return None
        with self._store.writing(workspace) as unit:
            due = unit.jobs.claim(JOB, unit.now - timedelta(seconds=ROUND_SECONDS / 2))
        return idle if due else None
