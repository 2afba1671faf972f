"""Gaps: which questions may have got no good answer, what resolved their cases, and what was told of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kb_service.store import Store, Unit
from kb_service.store.quotes import ERASED
from tests.contracts.store_samples import (
    AT,
    a_case,
    a_match,
    a_proposal,
    a_told_gap,
    a_webhook,
    an_event,
    an_exposure,
    some_feedback,
)


def unanswered(unit: Unit, **changes: Any) -> list[str]:
    asked: dict[str, Any] = {
        "below": 0.5,
        "reasons": ["no_answer", "unproven"],
        "always": ["second_turn_failed"],
        "outcomes": ["rejected"],
        "limit": 50,
    }
    since = changes.pop("since", AT)
    return [exposure.id for exposure in unit.exposures.unanswered(since, **(asked | changes))]


def test_questions_are_candidates_by_confidence_reason_or_feedback(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.exposures.add_many(
            [
                an_exposure("low", confidence=0.1, reason="no_answer", answers=()),
                an_exposure("sure", confidence=0.9, reason="unproven"),
                an_exposure("by-rule", confidence=0.1, reason="asks_for_person"),
                an_exposure("again", confidence=0.9, reason="second_turn_failed"),
                an_exposure("refused", confidence=0.9, reason="confident"),
                an_exposure("erased", confidence=0.1, reason="no_answer", query=None),
                an_exposure("newest", confidence=0.2, reason="unproven", at=AT + timedelta(hours=1)),
                an_exposure("old", confidence=0.1, reason="no_answer", at=AT - timedelta(hours=1)),
            ]
        )
        unit.feedback.add(some_feedback("f1", exposure_id="refused", outcome="rejected"))
        unit.feedback.add(some_feedback("f2", exposure_id="sure", outcome="accepted"))
    with store.reading("shop") as unit:
        found = unanswered(unit)
        assert found[0] == "newest"
        assert set(found) == {"newest", "low", "again", "refused"}
        assert unanswered(unit, limit=1) == ["newest"]
        assert set(unanswered(unit, since=AT - timedelta(hours=1))) == {*found, "old"}
        assert unit.exposures.erased(["low", "erased", "unknown"]) == {"erased", "unknown"}
        assert {
            id: [item.id for item in given] for id, given in unit.feedback.of_exposures(found).items()
        } == {"refused": ["f1"]}


@pytest.fixture
def resolved(store: Store) -> Store:
    """Cases that ended in different ways, each with one reply."""
    reply = {"type": "resolution", "role": "agent", "customer_id": None, "text": None}
    with store.writing("shop") as unit:
        for name in ("good", "open", "failed", "back", "hated", "rated", "later"):
            state = "assigned" if name == "open" else "resolved"
            unit.cases.put(a_case(name, conversation_ids=(f"c-{name}",), state=state))
            given = {**reply, "conversation_id": f"c-{name}", "reply": f"reply {name}"}
            unit.events.add(
                an_event(f"r-{name}", resolved=False if name == "failed" else None, **given), name
            )
        soon = AT + timedelta(hours=1)
        unit.events.add(an_event("back", at=soon, conversation_id="c-back"), "back")
        unit.assignments.put("back", "p1", a_match())
        unit.events.add(an_event("hated", type="rating", at=soon, rating=1.0), "hated")
        unit.events.add(an_event("rated", type="rating", at=soon, rating=5.0), "rated")
        unit.events.add(an_event("late", type="followup", at=AT + timedelta(days=9), resolved=False), "later")
    return store


def test_a_reply_is_accepted_when_its_case_stays_resolved(resolved: Store) -> None:
    with resolved.reading("shop") as unit:
        cases = ["good", "open", "failed", "back", "hated", "rated", "later", "unknown"]
        found = unit.events.accepted_replies(cases)
        assert {reply.event_id for reply in found} == {"r-good", "r-rated", "r-later"}
        assert found[0].text.startswith("reply ")
        assert unit.events.accepted_replies([]) == ()
        assert unit.cases.over(["good", "open"]) == {"good"}
        assert unit.cases.of_conversations(["c-good", "c-open", "c-none"]) == {
            "c-good": "good",
            "c-open": "open",
        }


def test_a_told_gap_comes_back_as_it_was_stored(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.gaps.put(a_told_gap())
        unit.gaps.put(a_told_gap("gap-0", told_at=AT - timedelta(days=1), problem_id=None, proposal_id=None))
    with store.reading("shop") as unit:
        assert unit.gaps.since(AT) == (a_told_gap(),)
        assert [gap.id for gap in unit.gaps.since(AT - timedelta(days=2))] == ["gap-0", "gap-1"]


def test_the_latest_open_proposal_of_a_problem_is_found(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.proposals.put(a_proposal("old", opened_at=AT - timedelta(days=1)))
        unit.proposals.put(a_proposal("new"))
        unit.proposals.put(a_proposal("done", state="dismissed", opened_at=AT + timedelta(days=1)))
        unit.proposals.put(a_proposal("other", kind="product", opened_at=AT + timedelta(days=1)))
        found = unit.proposals.open_for("p1", "document")
        assert found is not None
        assert found.id == "new"
        assert unit.proposals.open_for("p9", "document") is None


def test_a_gap_forgets_whom_it_quotes(store: Store) -> None:
    """Names, message, examples and draft go for any of its questions; gaps of others stay as they are."""
    with store.writing("shop") as unit:
        unit.webhooks.put(a_webhook())
        names = {"en": "zebra cup broke"}
        data = {"id": "gap-1", "name": names, "examples": ["my zebra cup broke"], "customers": 3}
        message = unit.outbox.add("gap.found", data, AT, ["hook-1"], ["x1", "r1"])
        other = unit.outbox.add("gap.found", {"name": {"en": "other"}, "examples": ["other"]}, AT, ["hook-1"])
        unit.proposals.put(
            a_proposal(
                "mine", title={"en": "Write a document for “zebra cup broke”"}, draft="zebra", alert_id=None
            )
        )
        unit.gaps.put(
            a_told_gap(names=names, quotes=("x1", "r1"), message_ids=(message,), proposal_id="mine")
        )
        untouched = a_told_gap("gap-2", exposure_ids=("x2",), quotes=("x2",), message_ids=(other,))
        unit.gaps.put(untouched)
    with store.writing("shop") as unit:
        assert unit.gaps.forget(["r1"]) == 1
        assert unit.gaps.forget(["r1"]) == 0
    with store.reading("shop") as unit:
        blanked, kept = unit.gaps.since(AT)
        assert kept == untouched
        assert (blanked.names, blanked.exposure_ids, blanked.quotes) == ({}, ("x1",), ("x1",))
        told = unit.outbox.message(message)
        assert told is not None
        assert told.data == {"id": "gap-1", "name": {"en": ERASED}, "examples": [], "customers": 3}
        proposal = unit.proposals.get("mine")
        assert proposal is not None
        assert proposal.draft == ERASED
        assert "zebra" not in str(proposal)
        untold = unit.outbox.message(other)
        assert untold is not None
        assert untold.data["examples"] == ["other"]
