"""Whose matter a problem is, and which problem comes with which."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from graph.errors import InvalidValue
from graph.models import Problem
from graph.owners import owner_by_rules, owner_of_channel
from graph.parents import ancestors, placed_under
from graph.rules import Rules

T = datetime(2026, 11, 1, tzinfo=UTC)
PROBLEM = Problem("p1", {"en": "Late"}, "open", T, T, T, products=("SKU-0", "SKU-1"))
RULES = Rules(
    owners={
        "product": {"SKU-1": "agent-7", "SKU-2": "agent-8"},
        "expertise": {"logistics": "agent-3"},
        "channel": {"wechat": "agent-9"},
    }
)
AGENTS = {"agent-3", "agent-7", "agent-9"}


def given(problem: Problem, expertise: str | None = "logistics") -> tuple[str, str] | None:
    found = owner_by_rules(problem, expertise, RULES, AGENTS)
    return None if found is None else (found.agent_id, found.reason)


def test_products_come_before_expertise() -> None:
    assert given(PROBLEM) == ("agent-7", "product")
    assert given(replace(PROBLEM, products=())) == ("agent-3", "expertise")
    assert given(replace(PROBLEM, products=()), None) is None


def test_people_come_before_rules_and_who_has_left_owns_nothing() -> None:
    assert given(replace(PROBLEM, owner_id="agent-1")) is None
    assert given(replace(PROBLEM, products=("SKU-2",))) == ("agent-3", "expertise")


def test_channels_have_owners_too() -> None:
    assert owner_of_channel("wechat", RULES) == "agent-9"
    assert owner_of_channel("app", RULES) is None
    assert owner_of_channel(None, RULES) is None


def test_a_problem_never_comes_under_itself() -> None:
    parents = {"child": "middle", "middle": "top"}
    assert ancestors("child", parents.get) == ("middle", "top")
    assert placed_under(replace(PROBLEM, id="top"), None, parents.get).parent_id is None
    assert placed_under(replace(PROBLEM, id="new"), "child", parents.get).parent_id == "child"
    for parent_id in ("top", "middle", "child"):
        with pytest.raises(InvalidValue, match="problem_id"):
            placed_under(replace(PROBLEM, id="top"), parent_id, parents.get)


def test_a_circle_in_what_is_stored_ends() -> None:
    circle = {"a": "b", "b": "c", "c": "a"}
    assert ancestors("a", circle.get) == ("b", "c")
