"""A customer's words that named problems are nowhere after an erasure, whatever nights and people made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.kb_service.conftest import NOW, Api
from tests.kb_service.recurring.past_cases import people, spread, write
from tests.kb_service.test_erasure import CUSTOMER, NAME, OTHERS, WORDS, dump

TITLE = f"the {NAME} kettle leaks all over the kitchen… (steam, spout)"
"""How a problem is named by a message of hers, with words of others beside it."""


def called_by_her(api: Api, problem_id: str) -> None:
    with api.store.writing("shop") as unit:
        problem = unit.problems.get(problem_id)
        assert problem is not None
        unit.problems.put(replace(problem, names={"zh": TITLE, "en": TITLE}))
    api.services.replicas.follow("shop")


def joins(api: Api, problem_id: str) -> None:
    """She writes of a problem as well, at the time of its latest message, in a case of her own."""
    with api.store.writing("shop") as unit:
        (latest,) = unit.events.of_problem(problem_id, limit=1)
        case = unit.cases.get(str(latest.case_id))
        assignment = unit.assignments.get(latest.event.id)
        assert case is not None
        assert assignment is not None
        id = f"event-erika-{problem_id}"
        talk = f"conversation-erika-{problem_id}"
        hers = replace(latest.event, id=id, customer_id=CUSTOMER, conversation_id=talk, text=f"{WORDS} again")
        unit.cases.put(
            replace(case, id=f"case-erika-{problem_id}", customer_id=CUSTOMER, conversation_ids=(talk,))
        )
        unit.events.add(hers, f"case-erika-{problem_id}")
        unit.assignments.put(id, problem_id, assignment.match)
        unit.changes.record("workspace", "shop")
    api.services.replicas.follow("shop")


def lived(api: Api) -> None:
    """Alerts, notices, proposals, a trial, a merge, a follow-up and a regression of problems named by her words."""
    people(api)
    quiet = [case for number in range(6) for case in spread(f"p{number}", 12)]
    write(
        api, [*quiet, *(replace(case, solver="ben") for case in spread("refunds", 20))], {"refunds": "parcel"}
    )
    for problem_id in ("refunds", "p0"):
        called_by_her(api, problem_id)
        joins(api, problem_id)
    api.services.closed_loop.night("shop")
    (routing,) = api.get("/v1/proposals?kind=routing").json()["items"]
    assert NAME in routing["title"]
    assert api.post(f"/v1/proposals/{routing['id']}/accept", {"trial": True}).status_code == 200

    mine = {"customer_id": CUSTOMER, "conversation_id": "conversation-erika"}
    first = api.post("/v1/events", api.event("event-erika-1", **mine, text=WORDS)).json()
    kettle = first["problem"]["id"]
    called_by_her(api, kettle)
    last = api.recurring(prefix="o", customers=4, text=OTHERS)
    assert (last["problem"]["id"], NAME in api.get(f"/v1/problems/{kettle}").json()["name"]) == (kettle, True)
    assert api.post(f"/v1/problems/{kettle}/resolve").status_code == 200
    api.clock.advance(hours=72, minutes=1)
    api.services.following_up.look("shop")
    api.recurring(prefix="n", customers=4, text=OTHERS)
    api.services.notice_rounds.look("shop")
    api.services.nightly.look()
    for problem_id, into in (("refunds", "p1"), ("p2", "p0"), (kettle, "p3")):
        assert api.post(f"/v1/problems/{problem_id}/merge", {"into": into}).status_code == 200
    alone = {"customer_id": CUSTOMER, "conversation_id": "conversation-erika-2"}
    said = f"my {NAME} wardrobe door is scratched and dented badly"
    api.post("/v1/events", api.event("event-erika-2", **alone, text=said))


def test_no_words_of_a_customer_are_left_that_named_a_problem(api: Api) -> None:
    lived(api)
    before = dump(api).decode("utf-8", "replace")
    assert before.count(NAME) > 20
    assert api.delete(f"/v1/customers/{CUSTOMER}").status_code == 200
    lines = dump(api).decode("utf-8", "replace").splitlines()
    assert [
        line[:300] for line in lines for trace in (NAME, CUSTOMER, "conversation-erika") if trace in line
    ] == []
    with api.store.reading("shop") as unit:
        told = {message.type for message in unit.outbox.messages(NOW - timedelta(days=9), None, None, 100)}
    assert {
        "alert.opened",
        "problem.resolved",
        "problem.regressed",
        "proposal.created",
        "followup.due",
    } <= told
