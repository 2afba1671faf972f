"""What four weeks of cases say should change: proposed once, refreshed while it is open, measured when accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.effects import Effect, expected_saving
from graph.findings import Finding
from graph.models import Alert, Evidence, Proposal
from kb_service.recurring.closed_loop import QUIET, SPAN, _standing
from tests.kb_service.conftest import NOW, Api
from tests.kb_service.recurring.past_cases import ANSWER, Past, people, spread, write

OTHERS = [case for number in range(8) for case in spread(f"p{number}", 14)]
DAY = timedelta(days=1)


def shop(api: Api) -> None:
    """Eight quiet problems; refunds that logistics has first; and a policy that many ask for."""
    people(api)
    refunds = [replace(case, first="ann", solver="ben") for case in spread("refunds", 24)]
    asked = spread("returning", 30, reply=ANSWER)
    write(api, [*OTHERS, *refunds, *asked], {"refunds": "parcel"})


def found(api: Api) -> dict[str, dict[str, Any]]:
    items = api.get("/v1/proposals?limit=200", headers={"Accept-Language": "en"}).json()["items"]
    return {item["change"]["action"]: item for item in items}


def test_a_night_proposes_what_the_cases_call_for(api: Api) -> None:
    shop(api)
    assert api.services.closed_loop.night("shop") == 2
    proposals = found(api)
    assert set(proposals) == {"set_expertise", "state_earlier"}
    routing, policy = proposals["set_expertise"], proposals["state_earlier"]

    assert (routing["kind"], routing["state"], routing["problem_id"]) == ("routing", "open", "refunds")
    assert routing["title"] == "Send “About refunds” to payments at once"
    assert routing["change"] == {
        "action": "set_expertise",
        "intent_id": "parcel",
        "expertise": "payments",
        "problem_ids": ["refunds"],
    }
    assert "24 of 24 customers (100%" in routing["evidence"]
    assert "20 minutes" in routing["evidence"]
    assert "PUT /v1/intents/parcel" in routing["draft"]
    assert '"expertise": "payments"' in routing["draft"]
    assert "- a question about refunds" in routing["draft"]
    expected = routing["expected"]
    assert expected["metric"] == "transfers"
    assert expected["low"] < expected["per_week"] < 6.0 < expected["high"]

    assert (policy["kind"], policy["change"]["document_id"]) == ("policy", "returns")
    assert policy["title"] == "State “Returns” earlier and more clearly"
    assert "30 customers in 28 days" in policy["evidence"]
    assert f"> {ANSWER}" in policy["draft"]
    assert policy["expected"]["metric"] == "contacts"
    assert policy["expected"]["per_week"] == pytest.approx(30 / 4 * 0.3, abs=0.01)
    chinese = api.get(f"/v1/proposals/{policy['id']}", headers={"Accept-Language": "zh"}).json()
    assert chinese["title"] == "更早、更清楚地说明“Returns”"
    assert "预计每周减少" in chinese["evidence"]


def test_what_is_open_is_refreshed_and_not_doubled(api: Api) -> None:
    shop(api)
    loop = api.services.closed_loop
    assert loop.night("shop") == 2
    before = found(api)
    assert loop.night("shop") == 0
    assert found(api) == before
    later = NOW - timedelta(hours=1)
    write(api, [Past("refunds", later + timedelta(minutes=n), "ann", "ben") for n in range(6)])
    assert loop.night("shop") == 0
    after = found(api)
    assert {item["id"] for item in after.values()} == {item["id"] for item in before.values()}
    assert "30 of 30 customers" in after["set_expertise"]["evidence"]
    assert after["set_expertise"]["opened_at"] == before["set_expertise"]["opened_at"]


def test_it_is_told_once_and_what_was_decided_is_not_told_again(api: Api) -> None:
    hook = {"url": "http://93.184.216.34/hook", "types": ["proposal.created"]}
    assert api.put("/v1/webhooks/team", hook).status_code == 201
    shop(api)
    loop = api.services.closed_loop
    loop.night("shop")
    loop.night("shop")
    told = api.get("/v1/webhooks/team/deliveries").json()["items"]
    assert [item["type"] for item in told] == ["proposal.created"] * 2
    proposals = found(api)
    api.post(f"/v1/proposals/{proposals['set_expertise']['id']}/dismiss")
    api.post(f"/v1/proposals/{proposals['state_earlier']['id']}/accept")
    assert loop.night("shop") == 0
    assert len(api.get("/v1/proposals").json()["items"]) == 2


def test_what_was_proposed_while_nobody_listened_can_be_sent_to_who_listens_later(api: Api) -> None:
    shop(api)
    api.services.closed_loop.night("shop")
    hook = {"url": "http://93.184.216.34/hook", "types": ["proposal.created"]}
    assert api.put("/v1/webhooks/later", hook).status_code == 201
    since = {"since": (NOW - DAY).isoformat()}
    assert api.post("/v1/webhooks/later/replay", since).json()["queued"] == 2


def a_finding(per_week: float) -> Finding:
    saved = expected_saving("contacts", (per_week, per_week, per_week), (1.0, 1.0, 1.0), None)
    return Finding("k", "explained", "policy", ("p",), 9, 9, (2.0, 1.0, 3.0), saved, ())


def a_proposal(state: Any, days: float, per_week: float = 2.0, effect: Effect | None = None) -> Proposal:
    saved = expected_saving("contacts", (per_week, per_week, per_week), (1.0, 1.0, 1.0), None)
    return Proposal(
        "prop", "policy", state, NOW, {}, {}, "", expected=saved, decided_at=NOW - days * DAY, effect=effect
    )


BETTER = Effect("contacts", "better", 56, 28, 40, 3, 10.0, -3.5, -4.8, -1.0, 0.3, NOW)
EARLY = replace(BETTER, verdict="too_early")


@pytest.mark.parametrize(
    ("before", "standing"),
    [
        (None, "new"),
        (a_proposal("open", 1), "open"),
        (a_proposal("dismissed", QUIET / DAY - 1), "told"),
        (a_proposal("dismissed", QUIET / DAY), "new"),
        (a_proposal("dismissed", 1, per_week=1.0), "new"),
        (a_proposal("dismissed", 1, per_week=1.1), "told"),
        (a_proposal("accepted", 200), "told"),
        (a_proposal("accepted", 200, effect=EARLY), "told"),
        (a_proposal("accepted", SPAN / DAY - 1, effect=BETTER), "told"),
        (a_proposal("accepted", SPAN / DAY, effect=BETTER), "new"),
    ],
)
def test_what_becomes_of_a_finding_that_is_found_again(before: Proposal | None, standing: str) -> None:
    assert _standing(before, a_finding(2.0), NOW, NOW) == standing


def test_a_problem_that_an_incident_brought_is_no_matter_of_a_policy(api: Api) -> None:
    shop(api)
    burst = Alert("alt", "burst", "open", NOW - DAY, "returning", Evidence(9, 1.0, 9, 60, 1e-6, {}))
    with api.store.writing("shop") as unit:
        unit.alerts.put(burst)
    api.services.closed_loop.night("shop")
    assert set(found(api)) == {"set_expertise"}


def test_quotes_go_when_their_customer_is_erased(api: Api) -> None:
    shop(api)
    api.services.closed_loop.night("shop")
    draft = found(api)["set_expertise"]["draft"]
    said = next(line for line in draft.splitlines() if line.startswith("- a question about refunds"))
    customer = "u-" + said.rpartition("number ")[2]
    assert api.delete(f"/v1/customers/{customer}").status_code == 200
    assert said not in found(api)["set_expertise"]["draft"]
    assert customer not in found(api)["set_expertise"]["draft"]


def test_an_empty_workspace_proposes_nothing(api: Api) -> None:
    assert api.services.closed_loop.night("shop") == 0


def test_it_is_done_each_night(api: Api) -> None:
    shop(api)
    ran = api.services.nightly.look()
    assert ("shop", "closed_loop") in ran
    assert set(found(api)) == {"set_expertise", "state_earlier"}


# --- what was accepted, measured


def accepted(api: Api, action: str, days: int) -> str:
    """Accept a proposal as if it had been so many days ago; its id."""
    proposal_id = str(found(api)[action]["id"])
    assert api.post(f"/v1/proposals/{proposal_id}/accept").status_code == 200
    with api.store.writing("shop") as unit:
        stored = unit.proposals.get(proposal_id)
        assert stored is not None
        unit.proposals.put(replace(stored, decided_at=NOW - days * DAY))
    return proposal_id


def test_the_effect_of_a_change_is_measured_against_the_rest_of_the_shop(api: Api) -> None:
    shop(api)
    api.services.closed_loop.night("shop")
    proposal_id = accepted(api, "state_earlier", 29)
    # Before the decision four a day asked; since, the thirty of the last four weeks.
    begin = NOW - 29 * DAY
    earlier = [replace(case, reply=ANSWER) for case in spread("returning", 160, end=begin, span=40 * DAY)] + [
        case for number in range(8) for case in spread(f"p{number}", 20, end=begin, span=40 * DAY)
    ]
    write(api, earlier)
    api.services.closed_loop.night("shop")
    effect = api.get(f"/v1/proposals/{proposal_id}").json()["effect"]
    assert (effect["metric"], effect["source"], effect["verdict"]) == (
        "contacts",
        "before_and_after",
        "better",
    )
    assert (effect["days_before"], effect["days"]) == (40, 28)
    assert (effect["before"], effect["after"]) == (160, 29)
    # The rest of the shop went from 160 to about 131 in those days, so as many would have come.
    assert effect["expected"] == pytest.approx(131, rel=0.03)
    assert effect["high"] < 0
    assert effect["words"]["en"].startswith("It helped: ")
    listed = {item["id"]: item for item in api.get("/v1/proposals").json()["items"]}
    assert listed[proposal_id]["effect"] == effect


def test_an_effect_is_not_claimed_too_early(api: Api) -> None:
    shop(api)
    api.services.closed_loop.night("shop")
    proposal_id = accepted(api, "set_expertise", 10)
    api.services.closed_loop.night("shop")
    effect = api.get(f"/v1/proposals/{proposal_id}").json()["effect"]
    assert (effect["metric"], effect["verdict"], effect["change"]) == ("transfers", "too_early", None)
