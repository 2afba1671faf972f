"""Proposals: looked at, accepted with what that does, dismissed; and those that alerts raise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from graph.experiments import arm_of, unit_of
from graph.models import Alert, Evidence, Problem, Proposal
from kb_service.models import LinkedDocument
from kb_service.recurring.proposing import Circumstances, propose, standing
from kb_service.recurring.raising import Raising
from tests.kb_service.conftest import NOW, Api, faults, problem
from tests.kb_service.recurring.past_cases import people, spread, write

ROUTED = {
    "action": "set_expertise",
    "intent_id": "parcel",
    "expertise": "payments",
    "problem_ids": ["refunds"],
}


def routing(api: Api) -> str:
    """A routing proposal as the night makes it; its id."""
    people(api)
    quiet = [case for number in range(6) for case in spread(f"p{number}", 12)]
    missed = [replace(case, solver="ben") for case in spread("refunds", 20)]
    write(api, [*quiet, *missed], {"refunds": "parcel"})
    api.services.closed_loop.night("shop")
    (found,) = api.get("/v1/proposals?kind=routing").json()["items"]
    assert found["change"] == ROUTED
    return str(found["id"])


def audited(api: Api) -> list[str]:
    return [item["action"] for item in api.get("/v1/audit").json()["items"]]


def test_one_proposal_is_shown_with_its_problem(api: Api) -> None:
    raised = api.recurring()
    (alert_id,) = raised["alerts"]
    (listed,) = api.get("/v1/proposals").json()["items"]
    detail = api.get(f"/v1/proposals/{listed['id']}").json()
    assert {name: detail[name] for name in listed} == listed
    assert detail["problem"]["id"] == raised["problem"]["id"]
    assert (detail["alert_id"], detail["trial"], detail["effect"]) == (alert_id, None, None)
    assert detail["change"] == {"action": "write_document", "problem_ids": [raised["problem"]["id"]]}
    assert (detail["expected"]["metric"], detail["expected"]["per_week"]) == ("handled_by_people", 0.9)
    assert set(detail["expected"]["words"]) == {"zh", "en"}
    assert detail["evidence"].endswith(detail["expected"]["words"]["en"])
    assert api.get("/v1/proposals?kind=policy").json()["items"] == []
    problem(api.get("/v1/proposals/prop_unknown"), 404)
    problem(api.get(f"/v1/proposals/{listed['id']}", workspace="other"), 404)


def test_who_decided_and_when_is_kept(api: Api) -> None:
    api.recurring()
    (listed,) = api.get("/v1/proposals").json()["items"]
    accepted = api.post(f"/v1/proposals/{listed['id']}/accept", role="product").json()
    assert accepted["decided_at"] == api.clock.now.isoformat().replace("+00:00", "Z")
    assert accepted["decided_by"].startswith("key_")
    api.clock.advance(days=1)
    again = api.post(f"/v1/proposals/{listed['id']}/accept", role="admin").json()
    assert again == accepted


def test_a_routing_rule_is_applied_when_asked(api: Api) -> None:
    at = f"/v1/proposals/{routing(api)}"
    refused = problem(api.post(f"{at}/accept", {"apply": True}, role="product"), 403)
    assert "parcel" in refused["detail"]
    assert api.get(at).json()["state"] == "open"
    assert api.get("/v1/intents/parcel").json()["expertise"] == "logistics"
    accepted = api.post(f"{at}/accept", {"apply": True}, role="editor").json()
    assert accepted["state"] == "accepted"
    assert api.get("/v1/intents/parcel").json()["expertise"] == "payments"
    assert audited(api)[:2] == ["proposal.accepted", "intent.put"]
    found = {item["id"]: item for item in api.get("/v1/expertise").json()["items"]}
    assert "parcel" in found["payments"]["intent_ids"]


def test_accepting_alone_changes_nothing_else(api: Api) -> None:
    at = f"/v1/proposals/{routing(api)}"
    assert api.post(f"{at}/accept").json()["state"] == "accepted"
    assert api.get("/v1/intents/parcel").json()["expertise"] == "logistics"


def test_a_problem_of_no_intent_is_pinned_beside_what_was_pinned_before(api: Api) -> None:
    proposal_id = routing(api)
    change = {"action": "pin_problems", "expertise": "payments", "problem_ids": ["refunds"]}
    with api.store.writing("shop") as unit:
        stored = unit.proposals.get(proposal_id)
        assert stored is not None
        unit.proposals.put(replace(stored, change=change))
    assert api.put("/v1/expertise/payments", {"problem_ids": ["p1"]}).status_code == 200
    assert api.post(f"/v1/proposals/{proposal_id}/accept", {"apply": True}, role="product").status_code == 200
    pinned = api.get("/v1/expertise/payments").json()
    via = {item["id"]: item["via"] for item in pinned["problems"]}
    assert (via["p1"], via["refunds"]) == ("pinned", "pinned")


def test_a_routing_rule_is_tried_when_asked_and_its_effect_is_the_trials(api: Api) -> None:
    proposal_id = routing(api)
    at = f"/v1/proposals/{proposal_id}"
    accepted = api.post(f"{at}/accept", {"trial": True}).json()
    trial = accepted["experiment_id"]
    assert trial == f"trial-of-{proposal_id}"
    plan = api.get(f"/v1/experiments/{trial}").json()
    assert (plan["state"], plan["treatment"]) == ("draft", {"expertise": {"parcel": "payments"}})
    assert api.post(f"{at}/accept", {"trial": True}).json()["experiment_id"] == trial
    assert api.get(at, headers={"Accept-Language": "en"}).json()["trial"]["state"] == "draft"
    kept = ("name", "treatment", "share", "metric", "guards", "minimum", "maximum", "alpha")
    body = {name: plan[name] for name in kept} | {"state": "running"}
    assert api.put(f"/v1/experiments/{trial}", body).status_code == 200
    api.clock.advance(days=1)
    api.services.closed_loop.night("shop")
    detail = api.get(at).json()
    assert detail["trial"]["state"] == "running"
    assert (detail["effect"]["source"], detail["effect"]["verdict"]) == ("trial", "too_early")
    assert detail["effect"]["metric"] == "handling_seconds"


def test_a_proposal_whose_trial_never_begins_is_measured_before_and_after(api: Api) -> None:
    proposal_id = routing(api)
    trial = api.post(f"/v1/proposals/{proposal_id}/accept", {"trial": True}).json()["experiment_id"]
    with api.store.writing("shop") as unit:
        stored = unit.proposals.get(proposal_id)
        assert stored is not None
        unit.proposals.put(replace(stored, decided_at=NOW - timedelta(days=10)))
    api.services.closed_loop.night("shop")
    effect = api.get(f"/v1/proposals/{proposal_id}").json()["effect"]
    assert (effect["source"], effect["metric"]) == ("before_and_after", "transfers")

    plan = api.get(f"/v1/experiments/{trial}").json()
    kept = ("name", "treatment", "share", "metric", "guards", "minimum", "maximum", "alpha")
    later = {"state": "running", "starts_at": (NOW + timedelta(days=2)).isoformat()}
    body = {name: plan[name] for name in kept} | later
    assert api.put(f"/v1/experiments/{trial}", body).status_code == 200
    for days, source in ((1, "before_and_after"), (2, "trial")):
        api.clock.advance(days=days)
        api.services.closed_loop.night("shop")
        assert api.get(f"/v1/proposals/{proposal_id}").json()["effect"]["source"] == source


def test_a_trial_is_not_named_by_what_customers_wrote(api: Api) -> None:
    proposal_id = routing(api)
    trial = api.post(f"/v1/proposals/{proposal_id}/accept", {"trial": True}).json()["experiment_id"]
    assert api.get(f"/v1/experiments/{trial}").json()["name"] == "parcel → payments"


def test_who_is_in_treatment_is_sent_to_the_other_expertise(api: Api) -> None:
    people(api)
    trial = {"name": "t", "treatment": {"expertise": {"parcel": "payments"}}, "state": "running"}
    assert api.put("/v1/experiments/t", trial).status_code == 201
    found: dict[str, set[str]] = {"control": set(), "treatment": set()}
    salt = api.get("/v1/experiments/t").json()["salt"]

    for number in range(8):
        customer = f"u-{number}"
        body = {"query": "about my parcel", "customer": {"id": customer}, "intent": "parcel"}
        routed = api.post("/v1/route", body).json()
        unit = unit_of(customer, None)
        assert unit is not None
        found[arm_of(salt, unit, 0.5)].add(routed["expertise"]["id"])
    assert found == {"control": {"logistics"}, "treatment": {"payments"}}


@pytest.mark.parametrize(
    ("expertise", "told"),
    [
        ({"nothing": "payments"}, "there is no intent nothing"),
        ({"parcel": "nowhere"}, "there is no expertise nowhere"),
        ({"parcel": "logistics"}, "is so already without the experiment"),
    ],
)
def test_a_trial_sends_known_intents_somewhere_else(api: Api, expertise: dict[str, str], told: str) -> None:
    people(api)
    refused = api.put("/v1/experiments/t", {"name": "t", "treatment": {"expertise": expertise}})
    assert told in faults(refused)["treatment.expertise"]


def test_what_people_write_is_neither_applied_nor_tried(api: Api) -> None:
    api.recurring()
    (listed,) = api.get("/v1/proposals").json()["items"]
    at = f"/v1/proposals/{listed['id']}/accept"
    assert "routing rules" in faults(api.post(at, {"apply": True}))["apply"]
    assert "cannot be tried" in faults(api.post(at, {"trial": True}))["trial"]
    assert "together" in faults(api.post(at, {"apply": True, "trial": True}))["trial"]
    assert api.get("/v1/proposals?state=open").json()["items"] == [listed]
    api.post(f"/v1/proposals/{listed['id']}/dismiss")
    problem(api.post(at), 409)


# --- deciding


@pytest.mark.parametrize("decision", ["accept", "dismiss"])
def test_a_proposal_that_is_decided_again_is_not_noted_again(api: Api, decision: str) -> None:
    api.recurring()
    (listed,) = api.get("/v1/proposals").json()["items"]
    for _ in range(3):
        assert api.post(f"/v1/proposals/{listed['id']}/{decision}").status_code == 200
    assert audited(api).count(f"proposal.{decision}ed") == 1


def test_why_a_proposal_is_dismissed_is_kept_masked(api: Api) -> None:
    api.recurring()
    (listed,) = api.get("/v1/proposals").json()["items"]
    at = f"/v1/proposals/{listed['id']}/dismiss"
    assert "foo" in faults(api.post(at, {"foo": 1}))
    assert api.get("/v1/proposals?state=open").json()["items"] == [listed]
    assert api.post(at, {"note": "told by 13912345678"}).status_code == 200
    (entry,) = [item for item in api.get("/v1/audit").json()["items"] if item["object"] == listed["id"]]
    assert entry["detail"]["note"].startswith("told by ")
    assert "13912345678" not in entry["detail"]["note"]


# --- what an alert proposes

PROBLEM = Problem("p", {"zh": "音箱没声音", "en": "No sound"}, "open", NOW, NOW, NOW, products=("SP30",))
POLICY = LinkedDocument("returns", "policy", "Returns", 2.0, "en")
FAQ = LinkedDocument("faq-1", "faq", "How", 2.0, "en")
SP30 = Circumstances(customers=7, messages=10, products={"SP30": 8, "EB20": 2})
PLAIN = Circumstances(customers=7, messages=10, products={"SP30": 5})
PASSED = Circumstances(customers=7, messages=10, cases=10, passed=3)


def an_alert(kind: Any) -> Alert:
    return Alert(
        "alt", kind, "open", NOW, "p", Evidence(9, 1.0, 7, 60, None, {"zh": "七位。", "en": "Seven."})
    )


@pytest.mark.parametrize(
    ("kind", "answers", "told", "proposed"),
    [
        ("recurrence", [], PLAIN, "document"),
        ("burst", [], SP30, "product"),
        ("recurrence", [], SP30, "document"),
        ("recurrence", [FAQ], SP30, "product"),
        ("recurrence", [POLICY, FAQ], PLAIN, "policy"),
        ("recurrence", [FAQ, POLICY], PLAIN, "policy"),
        ("burst", [FAQ], PLAIN, "product"),
        ("burst", [POLICY], PLAIN, "policy"),
        ("recurrence", [POLICY], PASSED, "routing"),
        ("recurrence", [POLICY], replace(PASSED, passed=2), "policy"),
    ],
)
def test_an_alert_proposes_what_its_problem_calls_for(
    kind: Any, answers: list[LinkedDocument], told: Circumstances, proposed: str
) -> None:
    found = propose(PROBLEM, an_alert(kind), answers, NOW, told)
    assert found.kind == proposed
    assert found.expected is not None
    assert 0 < found.expected.low < found.expected.per_week < found.expected.high
    assert found.change is not None
    assert found.change["problem_ids"] == ["p"]
    assert found.evidence["en"].startswith("Seven. Expected to save about ")
    assert "音箱没声音" in found.title["zh"]
    if proposed == "policy":
        assert found.change["document_id"] == answers[0].external_id
    if proposed == "product":
        assert found.change["products"] == ["SP30"]
    if proposed == "routing":
        assert "10 件中有 3 件被转交" in found.draft


def test_a_new_problem_that_a_document_answers_is_not_taken_for_one_without(api: Api) -> None:
    """Nothing is tied to a problem when its first alert opens: every known question asked for a document once."""
    text = "within how many days of delivery may unworn clothing be returned"
    policy = {
        "kind": "policy",
        "title": "Unworn clothing may be returned within 30 days of delivery",
        "markdown": "# Returns\n\nUnworn clothing may be returned within 30 days of delivery.",
        "language": "en",
    }
    assert api.put("/v1/documents/returns", policy).status_code == 201
    api.recurring(text=text)
    (found,) = api.get("/v1/proposals").json()["items"]
    assert (found["kind"], found["change"]["document_id"]) == ("policy", "returns")


def a_proposal(id: str, **changes: Any) -> Proposal:
    made = propose(PROBLEM, an_alert("recurrence"), [POLICY], NOW, PLAIN)
    return replace(made, id=id, **changes)


def test_one_change_in_one_episode_is_one_proposal_whichever_alert_asks_for_it() -> None:
    """A problem had four open proposals of one title within ten minutes, one for each of its alerts."""
    first = propose(PROBLEM, an_alert("recurrence"), [POLICY], NOW, PLAIN)
    again = propose(
        PROBLEM, replace(an_alert("burst"), id="alt-2"), [POLICY], NOW + timedelta(hours=1), PLAIN
    )
    assert first.id == again.id
    refreshed = standing(again, first, [first])
    assert refreshed is not None
    assert (refreshed.id, refreshed.opened_at, refreshed.alert_id) == (first.id, NOW, "alt-2")
    back = replace(PROBLEM, episode_at=NOW + timedelta(days=9))
    assert propose(back, an_alert("regression"), [POLICY], NOW, PLAIN).id != first.id


def test_what_stands_is_refreshed_only_where_nobody_decided_it_and_an_alert_made_it() -> None:
    new = a_proposal("new", alert_id="alt-2")
    decided = a_proposal("new", state="dismissed")
    assert standing(new, decided, []) == decided
    found = a_proposal("found", alert_id=None, finding="f")
    assert standing(new, None, [found]) == found
    earlier = a_proposal("earlier")
    assert standing(new, None, [earlier]) == replace(new, id="earlier", opened_at=earlier.opened_at)
    other = a_proposal("other", change={"action": "correct_document"})
    assert standing(new, None, [other]) is None


def test_alerts_of_one_problem_share_their_proposal_which_is_told_once(api: Api) -> None:
    rules = {"burst_customers": 1000, "growth_alerts": False}
    assert api.put("/v1/rules", rules).status_code == 200
    raised = api.recurring()
    problem_id = raised["problem"]["id"]
    api.post(f"/v1/problems/{problem_id}/resolve")
    api.clock.advance(hours=30)
    again = api.recurring(prefix="n")
    assert again["alerts"] != []
    alerts = api.get("/v1/alerts").json()["items"]
    assert [alert["kind"] for alert in alerts] == ["regression", "recurrence"]
    (listed,) = api.get("/v1/proposals").json()["items"]
    assert {alert["proposal_id"] for alert in alerts} == {listed["id"]}
    assert listed["alert_id"] == alerts[0]["id"]
    assert "after the problem was resolved" in listed["evidence"]
    with api.store.reading("shop") as unit:
        told = unit.outbox.messages(NOW - timedelta(days=9), None, ["proposal.created"], 10)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("sure", "answered"),
    [
        ([0.55, 0.5, 0.45, 0.4], True),
        ([0.2, 0.3, 0.7, 0.25], False),
        ([], False),
    ],
)
def test_whether_documents_answer_is_said_by_all_messages_together(sure: list[float], answered: bool) -> None:
    """Returns, invoices and guarantees have documents, yet no message alone found them surely: a document was asked for
    that exists. And one sure find among messages about something unheard of is chance."""
    found = iter(sure)
    returns = SimpleNamespace(external_id="returns", kind="policy", title="Returns", score=2.0, language="en")
    sizes = SimpleNamespace(external_id="sizes", kind="faq", title="Sizes", score=1.0, language="en")
    spoken = SimpleNamespace(utterance=SimpleNamespace(text="", language="en", vector=None))
    replica: Any = SimpleNamespace(
        alarms=None,
        matcher=SimpleNamespace(exemplars=lambda _: [spoken] * len(sure)),
        answers_of=lambda _: (),
        find=lambda _: ((returns, sizes), next(found)),
    )
    unit: Any = None
    answers = Raising(unit, replica, NOW)._answers(PROBLEM)
    assert [item.external_id for item in answers] == (["returns", "sizes"] if answered else [])
