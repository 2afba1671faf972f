"""Alerts and proposals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from graph.models import Alert, Evidence, Proposal
from kb_service.store import Store
from tests.contracts.store_samples import AT, a_problem, a_proposal, an_alert, rows

HOUR = timedelta(hours=1)


def test_alerts_come_back_as_they_went(store: Store, store_url: str) -> None:
    bare = Alert("bare", "burst", "open", AT, "p1", Evidence(1, 0.5, 1, 15, None, {}))
    with store.writing("shop") as unit:
        unit.alerts.put(an_alert(), ["e1", "e2"])
        unit.alerts.put(bare)
        assert unit.alerts.get("alert-1") == an_alert()
        assert unit.alerts.get("bare") == bare
        assert unit.alerts.get("nothing") is None
        assert [(change.kind, change.id) for change in unit.changes.since(0)] == [
            ("alert", "alert-1"),
            ("alert", "bare"),
        ]
    with store.writing("shop") as unit:
        unit.alerts.put(an_alert(state="acknowledged", examples=("my cup is broken", "new")))
        assert unit.alerts.get("alert-1") == an_alert(
            state="acknowledged", examples=("my cup is broken", "new")
        )
        with pytest.raises(ValueError, match="2 examples"):
            unit.alerts.put(an_alert(), ["e1"])
    examples = [(row["text"], row["event_id"]) for row in rows(store_url)["alert_examples"]]
    assert examples == [("my cup is broken", "e2"), ("new", None)]


def test_lists_of_alerts(store: Store) -> None:
    with store.writing("shop") as unit:
        for number in range(4):
            unit.alerts.put(
                an_alert(
                    f"a{number}",
                    kind="burst" if number % 2 else "growth",
                    state="resolved" if number == 3 else "acknowledged",
                    opened_at=AT + number * HOUR,
                    problem_id=f"p{number // 2}",
                    examples=(f"example {number}",),
                ),
            )

        def ids(**conditions: object) -> list[str]:
            return [alert.id for alert in unit.alerts.page(**conditions).items]  # type: ignore[arg-type]

        assert unit.alerts.count() == 4
        assert ids() == ["a3", "a2", "a1", "a0"]
        assert ids(kind="burst") == ["a3", "a1"]
        assert ids(state="resolved") == ["a3"]
        assert ids(since=AT + 2 * HOUR) == ["a3", "a2"]
        assert ids(problem_id="p0", kind="growth") == ["a0"]
        first = unit.alerts.page(limit=3)
        rest = unit.alerts.page(first.next_cursor, limit=3)
        assert [alert.examples for alert in first.items + rest.items] == [
            (f"example {number}",) for number in (3, 2, 1, 0)
        ]
        assert [alert.id for alert in unit.alerts.of_problem("p1")] == ["a3", "a2"]
        bare = unit.alerts.of_problem("p1", AT + 3 * HOUR, quoted=False)
        assert [(alert.id, alert.examples) for alert in bare] == [("a3", ())]
        several = unit.alerts.of_problems(["p1", "p0", "none"], AT + 2 * HOUR)
        assert {id: [alert.id for alert in alerts] for id, alerts in several.items()} == {"p1": ["a3", "a2"]}


def test_alerts_follow_their_problem(store: Store) -> None:
    with store.writing("shop") as unit:
        for id in ("p1", "p2"):
            unit.problems.put(a_problem(id))
        unit.alerts.put(an_alert())
        unit.proposals.put(a_proposal())
        unit.problems.merge_alias("p1", "p2")
        assert unit.alerts.get("alert-1") == an_alert(problem_id="p2")
        assert unit.proposals.get("proposal-1") == a_proposal(problem_id="p2")
        unit.problems.remove("p2")
        assert unit.alerts.get("alert-1") is None
        assert unit.proposals.get("proposal-1") == a_proposal(problem_id=None)
        assert "alert_removed" in [change.kind for change in unit.changes.since(0)]


def test_proposals(store: Store) -> None:
    bare = Proposal("bare", "training", "open", AT, {}, {}, "")
    with store.writing("shop") as unit:
        unit.proposals.put(a_proposal())
        unit.proposals.put(bare)
        unit.proposals.put(a_proposal("newer", kind="policy", opened_at=AT + HOUR))
        assert unit.proposals.get("proposal-1") == a_proposal()
        assert unit.proposals.get("bare") == bare
        assert unit.proposals.get("nothing") is None
        assert [one.id for one in unit.proposals.page().items] == ["newer", "proposal-1", "bare"]
        assert [one.id for one in unit.proposals.page(kind="document").items] == ["proposal-1"]
        unit.proposals.put(a_proposal(state="dismissed"))
        assert [one.id for one in unit.proposals.page(state="dismissed").items] == ["proposal-1"]
        first = unit.proposals.page(limit=1)
        assert [one.id for one in unit.proposals.page(first.next_cursor).items] == ["proposal-1", "bare"]


def test_proposals_are_found_by_what_they_rest_on_and_by_when_they_were_accepted(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.proposals.put(a_proposal("old", state="dismissed"))
        unit.proposals.put(a_proposal("new", state="accepted", opened_at=AT + HOUR, decided_at=AT + 2 * HOUR))
        unit.proposals.put(a_proposal("other", finding=None, state="accepted", decided_at=None))
        latest = unit.proposals.of_finding("reopened:p1:returns")
        assert latest is not None
        assert latest.id == "new"
        assert unit.proposals.of_finding("nothing") is None
        assert [one.id for one in unit.proposals.accepted(AT + 2 * HOUR)] == ["new"]
        assert unit.proposals.accepted(AT + 3 * HOUR) == ()
