"""What people did to a problem or decided of a proposal, taken back, with what followed from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from graph.models import Problem
from kb_service.errors import Conflict
from kb_service.models import KEY_ROLES, Principal
from tests.kb_service.conftest import DAY, LATE, Api

CALLER = Principal("shop", "key_1", frozenset(KEY_ROLES))


def stored(api: Api, problem_id: str) -> Problem:
    with api.store.reading("shop") as unit:
        problem = unit.problems.get(problem_id)
    assert problem is not None
    return problem


def act(api: Api, problem_id: str, action: Any, **given: Any) -> int:
    """Do something to a problem; the audit's entry of it."""
    step = api.services.problems.act(CALLER, problem_id, action, **given).step
    assert step is not None
    return step


def undo(api: Api, problem_id: str, step: int) -> None:
    api.services.problems.undo(CALLER, problem_id, step)


def alert_states(api: Api) -> set[str]:
    return {item["state"] for item in api.get("/v1/alerts").json()["items"]}


@pytest.mark.parametrize("action", ["acknowledge", "resolve", "silence"])
def test_a_step_that_is_taken_back_leaves_a_problem_as_it_was(api: Api, action: str) -> None:
    problem_id = api.recurring()["problem"]["id"]
    before = stored(api, problem_id)
    api.clock.advance(minutes=5)
    given = {"until": api.clock.now + timedelta(days=1), "count": 3} if action == "silence" else {}
    step = act(api, problem_id, action, **given)
    assert stored(api, problem_id) != before
    assert alert_states(api) != {"open"}
    api.clock.advance(minutes=1)
    undo(api, problem_id, step)
    assert stored(api, problem_id) == before
    assert alert_states(api) == {"open"}
    entry = api.get("/v1/audit").json()["items"][0]
    assert (entry["action"], entry["object"], entry["actor"]) == ("problem.undone", problem_id, "key_1")
    assert LATE not in str(entry)


def test_a_silence_that_was_changed_goes_back_to_the_one_before(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    act(api, problem_id, "silence", count=5)
    before = stored(api, problem_id)
    undo(api, problem_id, act(api, problem_id, "silence", until=api.clock.now + timedelta(days=1)))
    assert stored(api, problem_id) == before


def test_opening_a_resolved_problem_is_taken_back_with_its_episode(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    act(api, problem_id, "resolve")
    before = stored(api, problem_id)
    api.clock.advance(hours=1)
    step = act(api, problem_id, "reopen")
    assert stored(api, problem_id).customers == 0
    undo(api, problem_id, step)
    assert stored(api, problem_id) == before
    assert before.customers == 3
    assert alert_states(api) == {"resolved"}


def test_customers_who_were_being_asked_are_asked_on(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    act(api, problem_id, "resolve")
    api.clock.advance(hours=72, minutes=1)
    assert api.services.following_up.look("shop") == 1
    step = act(api, problem_id, "reopen")
    assert [item["state"] for item in api.get("/v1/followups").json()["items"]] == ["reopened"]
    undo(api, problem_id, step)
    assert [item["state"] for item in api.get("/v1/followups").json()["items"]] == ["open"]
    assert api.get(f"/v1/problems/{problem_id}").json()["followup"]["state"] == "open"


def test_what_was_let_go_since_somebody_saw_to_it_is_told_after_all(api: Api) -> None:
    api.put("/v1/rules", {"burst_customers": 1000, "growth_alerts": False})
    api.put("/v1/webhooks/team", {"url": "https://example.com/hook", "types": ["alert.opened"]})
    api.post("/v1/events", api.event("old", at=(api.clock.now - 8 * DAY).isoformat()))
    problem_id = api.recurring()["problem"]["id"]
    step = act(api, problem_id, "acknowledge")
    api.clock.advance(hours=21)
    assert api.services.notice_rounds.look("shop") == 0
    assert "alert.not_told" in {item["action"] for item in api.get("/v1/audit").json()["items"]}
    undo(api, problem_id, step)
    assert api.services.notice_rounds.look("shop") == 0, "it waits for the digest's hour again"
    api.clock.advance(hours=24)
    assert api.services.notice_rounds.look("shop") == 1


def test_nothing_is_taken_back_that_somebody_went_on_from(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    step = act(api, problem_id, "acknowledge")
    api.post(f"/v1/problems/{problem_id}/resolve")
    with pytest.raises(Conflict, match="Something else was done since"):
        undo(api, problem_id, step)
    assert stored(api, problem_id).state == "resolved"
    with pytest.raises(Conflict):
        undo(api, problem_id, 10**9)


def test_a_step_is_taken_back_once(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    step = act(api, problem_id, "acknowledge")
    undo(api, problem_id, step)
    with pytest.raises(Conflict):
        undo(api, problem_id, step)


def test_what_is_done_already_leaves_nothing_to_take_back(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    act(api, problem_id, "acknowledge")
    assert api.services.problems.act(CALLER, problem_id, "acknowledge").step is None


def test_an_owner_goes_back_to_the_one_before(api: Api) -> None:
    for number in (1, 2):
        api.put(f"/v1/agents/agent-{number}", {"name": f"agent-{number}"})
    problem_id = api.recurring()["problem"]["id"]
    api.services.problems.own(CALLER, problem_id, "agent-1")
    step = api.services.problems.own(CALLER, problem_id, "agent-2").step
    assert step is not None
    undo(api, problem_id, step)
    assert stored(api, problem_id).owner_id == "agent-1"


def test_a_name_goes_back_in_its_languages_alone(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    before = stored(api, problem_id)
    step = api.services.problems.rename(CALLER, problem_id, {"zh": "包裹不动", "en": "Parcels stuck"}).step
    assert step is not None
    api.services.problems.unname(CALLER, problem_id, step, before.names, by_person=before.named_by_person)
    assert stored(api, problem_id) == before
    assert not before.named_by_person
    assert before.names["en"] not in api.get("/v1/audit").text, "the audit keeps no name of customers' words"


def test_a_decision_on_a_proposal_is_taken_back(api: Api) -> None:
    api.recurring()
    (proposal,) = api.get("/v1/proposals").json()["items"]
    proposals = api.services.proposals
    for decide, state in ((proposals.accept, "accepted"), (proposals.dismiss, "dismissed")):
        assert decide(CALLER, proposal["id"]).state == state
        step = proposals.decision("shop", proposal["id"]).step
        assert step is not None
        assert proposals.undo(CALLER, proposal["id"], step).state == "open"
        assert api.get(f"/v1/proposals/{proposal['id']}").json()["decided_by"] is None
        with pytest.raises(Conflict):
            proposals.undo(CALLER, proposal["id"], step)


def test_a_decision_that_changed_something_else_stays(api: Api) -> None:
    with api.store.writing("shop") as unit:
        step = unit.audit.append("key_1", "proposal.accepted", "prop_1", {"applied": True})
    assert api.services.proposals.decision("shop", "prop_1").step is None
    api.recurring()
    (proposal,) = api.get("/v1/proposals").json()["items"]
    api.services.proposals.accept(CALLER, proposal["id"])
    with api.store.writing("shop") as unit:
        detail = {"experiment": "trial-1"}
        step = unit.audit.append("key_1", "proposal.accepted", proposal["id"], detail)
    with pytest.raises(Conflict, match="cannot be taken back"):
        api.services.proposals.undo(CALLER, proposal["id"], step)
