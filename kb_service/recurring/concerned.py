"""Whom a problem concerns: the customers who wrote of it, and the agent who owns it."""

from __future__ import annotations

from datetime import timedelta

from graph.incidents import WITHIN
from graph.models import Agent, Alert, Problem
from kb_service.store import Unit


def affected(unit: Unit, alert: Alert) -> int:
    """The distinct customers who wrote of an alert's problem within a day of its opening."""
    return unit.problems.customers_between(
        alert.problem_id, alert.opened_at - WITHIN, alert.opened_at + WITHIN
    )


def customers_since_opening(unit: Unit, problem: Problem) -> int:
    """The distinct customers of all of a problem's messages, of this episode and of those before."""
    before = problem.opened_at - timedelta(microseconds=1)
    return unit.problems.customers_between(problem.id, before, problem.active_at)


def owner_of(unit: Unit, problem: Problem) -> Agent | None:
    """The agent who owns a problem, None where nobody does or they have left."""
    return unit.agents.get(problem.owner_id) if problem.owner_id is not None else None
