"""What is known of a question's case: since when its customer waits, and what reading it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.models import Case, Customer
from kb_service.handover.casefile import LOOKED_BACK, CaseFiles
from kb_service.models import Question
from kb_service.people.inactivity import silent_since
from tests.kb_service.conftest import DAY, LATE, RETURNS, Api
from tests.kb_service.store_statements import store_statements
from tests.kb_service.test_reviews import ASKED, proven

MOST_STATEMENTS = 10
"""Statements of one question with a known customer, case and problem that is not handed over, two of them to look the
caller's key up where that was not done just before; formerly 15."""


def asked(api: Api, query: str = LATE, **more: Any) -> dict[str, Any]:
    body = {"query": query, "conversation_id": "c1", "customer": {"id": "u1"}, **more}
    reply = api.post("/v1/answers", body)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def says(api: Api, id: str, text: str | None = LATE, **more: Any) -> None:
    sent = api.post(
        "/v1/events", api.event(id, text=text, **{"conversation_id": "c1", "customer_id": "u1", **more})
    )
    assert sent.status_code == 200, sent.text


def waited(reply: dict[str, Any]) -> bool:
    return any(item["factor"] == "waiting" for item in reply["priority"]["contributions"])


# --- since when a customer waits


def test_thanks_after_an_answer_are_not_waited_with(api: Api) -> None:
    says(api, "q1")
    says(api, "b1", "It comes tomorrow.", role="bot")
    says(api, "t1", "thank you!")
    api.clock.advance(hours=6)
    assert not waited(asked(api, event_id="q2"))


def test_a_question_that_the_bot_answered_is_not_waited_with(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    proven(api)
    assert asked(api, ASKED, event_id="q1")["action"] == "answer"
    api.services.exposures.flush()
    api.clock.advance(hours=6)
    assert not waited(asked(api, ASKED, event_id="q2"))


def test_a_question_that_the_bot_handed_over_is_waited_with(api: Api) -> None:
    assert asked(api, event_id="q1")["action"] == "handoff"
    api.services.exposures.flush()
    api.clock.advance(hours=6)
    assert waited(asked(api))


def test_a_question_that_nobody_answered_is_waited_with(api: Api) -> None:
    says(api, "q1")
    api.clock.advance(hours=6)
    assert waited(asked(api))


def test_what_was_shown_to_an_agent_is_no_answer(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    says(api, "q1", ASKED)
    api.post("/v1/suggestions", {"query": ASKED, "conversation_id": "c1", "customer": {"id": "u1"}})
    api.services.exposures.flush()
    api.clock.advance(hours=6)
    assert waited(asked(api, ASKED))


def test_the_backlog_counts_no_wait_from_thanks(api: Api) -> None:
    says(api, "q1")
    says(api, "b1", "It comes tomorrow.", role="bot")
    says(api, "t1", "thank you!")
    api.clock.advance(hours=5)
    says(api, "q2")
    assert api.post(f"/v1/cases/{api.case_id('q1')}/handover", {}).status_code == 200
    api.clock.advance(hours=1)
    assert api.get("/v1/metrics/support").json()["backlog"]["oldest_seconds"] == 3600


def test_a_bot_does_not_answer_for_the_agent_who_has_the_case(api: Api) -> None:
    says(api, "q1")
    says(api, "b1", "One moment, please.", role="bot")
    with api.store.reading("shop") as unit:
        events = [item.event for item in unit.events.of_case(api.case_id("q1"))]
    assert silent_since(events, api.clock.now) == api.clock.now
    picture = replace(events[0], id="p1", text=None, at=api.clock.now + timedelta(minutes=9))
    word = replace(events[1], role="agent", at=api.clock.now + timedelta(minutes=5))
    assert silent_since([*events, word], api.clock.now) is None
    assert silent_since([*events, word, picture], api.clock.now) == picture.at


# --- what reading it costs


@pytest.fixture
def known(api: Api) -> Api:
    """A shop that sends answers, where a customer of several cases writes about a problem with an alert."""
    api.put("/v1/documents/returns", RETURNS)
    proven(api)
    api.recurring(customers=5, text=ASKED)
    for number in range(8):
        at = (api.clock.now - DAY * number).isoformat()
        says(api, f"o{number}", ASKED, conversation_id=f"c{number}", at=at)
    asked(api, ASKED)
    api.services.exposures.stop()
    return api


def test_a_question_costs_few_statements(known: Api) -> None:
    with store_statements() as seen:
        reply = asked(known, ASKED)
    assert (reply["action"], reply["problem"] is not None) == ("answer", True)
    assert 0 < len(seen) <= MOST_STATEMENTS, "\n".join(seen)
    assert not any("alert_examples" in statement for statement in seen)


def test_a_route_costs_few_statements(known: Api) -> None:
    with store_statements() as seen:
        found = known.post(
            "/v1/route", {"query": ASKED, "conversation_id": "c1", "customer": {"id": "u1"}}
        ).json()
    assert found["priority"]["score"] > 0
    assert 0 < len(seen) <= MOST_STATEMENTS, "\n".join(seen)


def test_an_id_that_many_people_share_brings_only_the_latest_cases(api: Api) -> None:
    with api.store.writing("shop") as unit:
        for number in range(230):
            at = api.clock.now - timedelta(minutes=number)
            unit.cases.put(Case(f"k{number}", "guest", (), (), "resolved", at, at))
        old = api.clock.now - LOOKED_BACK - DAY
        unit.cases.put(Case("old", "guest", (), (), "resolved", old, old))
    files = CaseFiles(api.store, clock=api.clock)
    file = files.of("shop", Question("hello", conversation_id="new", customer=Customer("guest")))
    assert [case.id for case in file.earlier] == [f"k{number}" for number in range(200)]
    rare = files.of("shop", Question("hello", customer=Customer("guest")), at=api.clock.now + LOOKED_BACK)
    assert "old" not in {case.id for case in rare.earlier}
