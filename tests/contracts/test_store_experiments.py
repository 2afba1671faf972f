"""Trials as they are kept, and what happened to the units that take part in one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from graph.experiments import Treatment
from graph.trial_metrics import CaseFacts
from kb_service.store import Store, Unit, trial_facts
from kb_service.store.outcomes import outcomes
from tests.contracts.store_samples import (
    AT,
    a_case,
    a_problem,
    an_event,
    an_experiment,
    an_exposure,
    some_feedback,
)

HOUR = timedelta(hours=1)
END = AT + timedelta(days=30)


def told(unit: Unit, case_id: str, *events: tuple[timedelta, dict[str, Any]], **case: Any) -> None:
    """A case opened at AT unless told otherwise, with events so long after its opening."""
    opened_at: datetime = case.pop("opened_at", AT)
    values = {"customer_id": f"u-{case_id}", "conversation_ids": (f"c-{case_id}",), "agent_id": None}
    values |= {"state": "bot", "opened_at": opened_at, "active_at": opened_at, "assigned_at": None}
    unit.cases.put(a_case(case_id, **(values | case)))
    for number, (after, fields) in enumerate(events):
        plain = {"conversation_id": None, "customer_id": None, "at": opened_at + after, "text": None}
        unit.events.add(an_event(f"{case_id}-{number}", **(plain | fields)), case_id)


def facts(unit: Unit, since: datetime = AT, until: datetime = END) -> dict[str, CaseFacts]:
    return {item.unit: item for item in unit.experiments.cases(since, until, limit=50)}


def test_a_trial_is_kept_as_it_is(store: Store) -> None:
    trial = an_experiment()
    with store.writing("shop") as unit:
        unit.experiments.put(trial)
        unit.experiments.put(replace(trial, id="draft", state="draft", treatment=Treatment(graph_walk=False)))
        early = replace(trial, id="early", started_at=AT - HOUR, created_at=AT - HOUR)
        unit.experiments.put(early)
    with store.reading("shop") as unit:
        assert unit.experiments.get("trial-1") == trial
        draft = unit.experiments.get("draft")
        assert draft is not None and draft.treatment == Treatment(graph_walk=False)
        assert [item.id for item in unit.experiments.running()] == ["early", "trial-1"]
        assert [item.id for item in unit.experiments.page().items] == ["trial-1", "draft", "early"]
        first = unit.experiments.page(limit=2)
        assert [i.id for i in unit.experiments.page(first.next_cursor, 2).items] == ["early"]
        assert [item.id for item in unit.experiments.page(state="draft").items] == ["draft"]
        assert unit.experiments.get("unknown") is None
        changed = [change.id for change in unit.changes.since(0) if change.kind == "experiment"]
        assert set(changed) == {"trial-1", "draft", "early"}


def test_exposures_keep_their_arms(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.exposures.add_many([an_exposure("with"), an_exposure("without", arms=None)])
    with store.reading("shop") as unit:
        kept = {id: unit.exposures.get(id) for id in ("with", "without")}
    assert kept["with"] == an_exposure("with")
    assert kept["without"] is not None and kept["without"].arms is None


def test_a_case_adds_up_from_its_events(store: Store) -> None:
    resolution = {"type": "resolution", "role": "agent", "agent_id": "agent-1"}
    with store.writing("shop") as unit:
        unit.problems.put(a_problem())
        told(unit, "quiet", (timedelta(), {"text": "在吗"}))
        told(unit, "bot", (timedelta(), {"text": "在吗"}), (HOUR, {"role": "bot", "text": "在"}))
        told(
            unit,
            "person",
            (HOUR, {"role": "agent", "text": "您好", "agent_id": "agent-1"}),
            (2 * HOUR, {**resolution, "handling_seconds": 90.0, "reply": "已补发"}),
            (3 * HOUR, {**resolution, "handling_seconds": 30.0}),
            (4 * HOUR, {"type": "rating", "rating": 5.0}),
            (5 * HOUR, {"type": "rating", "rating": 4.0}),
        )
        told(unit, "waits", state="waiting")
        told(unit, "failed", (HOUR, {**resolution, "resolved": False}))
        told(unit, "reopened", (HOUR, resolution), (9 * HOUR, {"type": "followup", "resolved": False}))
        told(unit, "moved", (HOUR, {"type": "transfer", "to_agent": "agent-2"}))
        told(unit, "back", (100 * HOUR, {"text": "还是不行"}))
        told(unit, "later", (200 * HOUR, {"text": "另一件事"}))
    with store.reading("shop") as unit:
        found = {name.removeprefix("customer u-"): item for name, item in facts(unit).items()}
    assert {name for name, item in found.items() if item.by_person} == {
        *("person", "waits", "failed", "reopened", "moved")
    }
    assert {name for name, item in found.items() if item.came_back} == {"back"}
    assert {name: item.resolved_at for name, item in found.items() if item.resolved_at is not None} == {
        "person": AT + 2 * HOUR,
        "reopened": AT + HOUR,
    }
    assert {name for name, item in found.items() if item.reopened} == {"reopened"}
    assert found["bot"].first_answer_at == AT + HOUR and found["quiet"].first_answer_at is None
    assert (found["person"].seconds, found["person"].rating) == (120.0, 4.5)
    assert (found["person"].first_answer_at, found["bot"].rating) == (AT + HOUR, None)


def test_a_case_counts_in_the_span_it_was_opened_in(store: Store) -> None:
    with store.writing("shop") as unit:
        told(unit, "before", opened_at=AT - HOUR, active_at=AT + HOUR)
        told(unit, "at", opened_at=AT)
        told(unit, "end", opened_at=AT + HOUR)
        told(unit, "nobody", customer_id=None, conversation_ids=())
        told(unit, "unnamed", customer_id=None)
    with store.reading("shop") as unit:
        assert set(facts(unit, AT, AT + HOUR)) == {"customer u-at", "conversation c-unnamed"}
        assert unit.experiments.seen(AT, AT + HOUR, limit=9) == {"customer u-at", "conversation c-unnamed"}
        assert [item.unit for item in unit.experiments.cases(AT - HOUR, END, limit=1)] == [
            "customer u-before"
        ]


def test_cases_beyond_the_limit_are_not_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither their events nor their outcomes, and the others say the same as without a limit."""
    day = timedelta(days=1)
    with store.writing("shop") as unit:
        for number in range(4):
            told(
                unit,
                f"k{number}",
                (HOUR, {"type": "resolution", "agent_id": "a"}),
                (80 * HOUR, {"type": "message", "role": "customer", "text": "again"}),
                opened_at=AT + 20 * number * day,
                active_at=AT + (20 * number + 4) * day,
            )
    asked: list[Any] = []

    def spied(*args: Any) -> Any:
        asked.append(list(outcomes(*args)))
        return asked[-1]

    monkeypatch.setattr(trial_facts, "outcomes", spied)
    with store.reading("shop") as unit:
        whole = unit.experiments.cases(AT, AT + 365 * day, limit=50)
        first = unit.experiments.cases(AT, AT + 365 * day, limit=2)
        assert unit.experiments.cases(AT + 200 * day, AT + 365 * day, limit=2) == ()
    assert len(whole) == 4 and first == whole[:2]
    assert [[item.case_id for item in found] for found in asked] == [["k0", "k1", "k2", "k3"], ["k0", "k1"]]


def test_suggestions_count_once_somebody_spoke_of_them(store: Store) -> None:
    with store.writing("shop") as unit:
        for id, route, outcomes in (
            ("used", "suggestions", ("rejected", "edited")),
            ("refused", "suggestions", ("rejected",)),
            ("silent", "suggestions", ()),
            ("sent", "answers", ("resolved",)),
        ):
            unit.exposures.add_many([an_exposure(id, route=route, customer_id=f"u-{id}")])
            for number, outcome in enumerate(outcomes):
                unit.feedback.add(some_feedback(f"{id}-{number}", exposure_id=id, outcome=outcome))
        unit.exposures.add_many([an_exposure("erased", customer_id=None, conversation_id=None)])
        told(unit, "known")
        unit.exposures.add_many(
            [an_exposure("unsaid", route="suggestions", customer_id=None, conversation_id="c-known")]
        )
        unit.feedback.add(some_feedback("unsaid", exposure_id="unsaid", outcome="accepted"))
    with store.reading("shop") as unit:
        found = unit.experiments.suggestions(AT, END, limit=9)
        assert {(item.unit, item.used) for item in found} == {
            ("customer u-used", True),
            ("customer u-refused", False),
            ("customer u-known", True),
        }
        assert unit.experiments.suggestions(AT + HOUR, END, limit=9) == ()
        assert unit.experiments.seen(AT, END, limit=9) == {
            f"customer u-{name}" for name in ("used", "refused", "silent", "sent", "known")
        }


def test_an_erased_customer_takes_no_part_any_more(store: Store) -> None:
    with store.writing("shop") as unit:
        told(unit, "hers", (timedelta(), {"text": "在吗", "customer_id": "u-hers"}))
        told(unit, "his", (timedelta(), {"text": "在吗", "customer_id": "u-his"}))
        unit.exposures.add_many([an_exposure("asked", customer_id="u-hers", conversation_id="c-hers")])
        unit.experiments.put(an_experiment())
    with store.writing("shop") as unit:
        assert unit.experiments.seen(AT, END, limit=9) == {"customer u-hers", "customer u-his"}
        unit.erase_customer("u-hers")
        assert unit.experiments.seen(AT, END, limit=9) == {"customer u-his"}
        assert set(facts(unit)) == {"customer u-his"}
        assert unit.experiments.get("trial-1") == an_experiment()
