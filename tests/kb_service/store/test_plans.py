"""How SQLite looks rows up: what is asked with every message must not walk through all messages of the workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from kb_service.store import Store, Unit

AT = datetime(2026, 6, 18, 4, tzinfo=UTC)
ASKED: dict[str, Callable[[Unit], Any]] = {
    "problems.observations": lambda unit: unit.problems.observations("p1"),
    "problems.observations since": lambda unit: unit.problems.observations("p1", AT),
    "problems.event_count": lambda unit: unit.problems.event_count("p1"),
    "events.of_problem": lambda unit: unit.events.of_problem("p1", 5),
    "events.of_problem within": lambda unit: unit.events.of_problem(
        "p1", since=AT, until=AT + timedelta(days=1)
    ),
    "events.counts_by_hour": lambda unit: unit.events.counts_by_hour("p1", AT),
    "events.messages_of_problem": lambda unit: list(unit.events.messages_of_problem("p1")),
    "events.messages_of_problem latest": lambda unit: list(unit.events.messages_of_problem("p1", 9)),
    "assignments.waiting": lambda unit: unit.assignments.waiting("case-1"),
    "cases.cases_of_conversations": lambda unit: unit.cases.cases_of_conversations(["c1", "c2"]),
    "cases.naming": lambda unit: unit.cases.naming(["so202611190042", "sku7"]),
    "alerts.of_problems": lambda unit: unit.alerts.of_problems(["p1", "p2"], AT),
    "exposures.sent_in": lambda unit: unit.exposures.sent_in({"case-1": ["c1"], "case-2": []}),
    "cases.open_of_customers": lambda unit: unit.cases.open_of_customers(["u1", "u2"], AT, AT),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    opened.migrate()
    with opened.administration() as unit:
        unit.workspaces.create("shop")
    yield opened
    opened.close()


@pytest.mark.parametrize("name", ASKED)
def test_the_lookup_goes_by_more_than_the_workspace(store: Store, name: str) -> None:
    plans: list[str] = []

    def planned(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            steps = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(step[3] for step in steps)

    with store.reading("shop") as unit:
        event.listen(Engine, "before_cursor_execute", planned)
        try:
            ASKED[name](unit)
        finally:
            event.remove(Engine, "before_cursor_execute", planned)
    assert plans
    assert not [step for step in plans if "(workspace=?)" in step or step.startswith("SCAN")], plans
