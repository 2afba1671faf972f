"""What a caller names by its id, or the error that says there is no such thing."""

from __future__ import annotations

from graph.models import Case, Problem
from kb_service.errors import Conflict, NotFound
from kb_service.store import Unit


def found_problem(unit: Unit, problem_id: str) -> Problem:
    problem = unit.problems.get(problem_id)
    if problem is None:
        raise NotFound("There is no problem {id} in this workspace.", id=problem_id)
    return problem


def found_case(unit: Unit, case_id: str) -> Case:
    case = unit.cases.get(case_id)
    if case is None:
        raise NotFound("There is no case {id} in this workspace.", id=case_id)
    return case


def still_with(case: Case, agent_id: str | None) -> None:
    """Raises Conflict where a case is no longer with an agent, by "" with nobody; None asks nothing."""
    if agent_id is not None and (case.agent_id or "") != agent_id:
        raise Conflict("Something else was done since; look again before you change it.")
