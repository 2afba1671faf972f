"""The whole way from event to webhook, and what people do with problems and their alerts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from tests.conftest import FixedClock
from tests.kb_service.conftest import DAY, Api, faults, problem, running

BROKEN = "the zipper of the jacket broke after one wash"


class Receiver:
    """A product team's endpoint on loopback: keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def once(self) -> dict[str, str]:
        """The type of each message by its id: one that was under way when the clock jumped comes twice."""
        return {headers["webhook-id"]: json.loads(body)["type"] for headers, body in list(self.received)}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def until(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock, webhook_allow="127.0.0.0/8") as started:
        yield started


def hook(api: Api, receiver: Receiver, *types: str) -> str:
    made = api.put("/v1/webhooks/team", {"url": receiver.url, "types": list(types)}, role="product")
    assert made.status_code == 201, made.text
    return str(made.json()["secret"])


def alert_state(api: Api, alert_id: str) -> str:
    return str(api.get(f"/v1/alerts/{alert_id}").json()["state"])


def test_from_event_to_webhook(api: Api, receiver: Receiver) -> None:
    secret = hook(api, receiver, "alert.opened")
    results = [api.post("/v1/events", api.event(f"m{number}")).json() for number in range(4)]
    problem_id = results[0]["problem"]["id"]
    assert {item["problem"]["id"] for item in results} == {problem_id}
    assert [item["problem"]["new"] for item in results] == [True, False, False, False]
    assert [len(item["alerts"]) for item in results] == [0, 0, 1, 0]
    (alert_id,) = results[2]["alerts"]

    found = api.get(f"/v1/problems/{problem_id}").json()
    assert (found["state"], found["customers"], found["events"]) == ("open", 4, 4)
    assert found["emerging"]
    assert found["alerts"] == [alert_id]
    assert sum(hour["events"] for hour in found["counts"]) == 4
    assert found["examples"]
    alert = api.get(f"/v1/alerts/{alert_id}").json()
    assert (alert["kind"], alert["state"], alert["customers"]) == ("recurrence", "open", 3)
    assert set(alert["evidence"]) == {"zh", "en"}
    assert alert["problem"]["id"] == problem_id
    assert [item["id"] for item in api.get("/v1/alerts?state=open&kind=recurrence").json()["items"]] == [
        alert_id
    ]
    assert api.get("/v1/alerts?kind=burst").json()["items"] == []
    assert len(api.get(f"/v1/problems/{problem_id}/cases").json()["items"]) == 4
    nodes = api.get(f"/v1/problems/{problem_id}/graph").json()["nodes"]
    assert {"problem", "alert"} <= {node["kind"] for node in nodes}

    until(lambda: bool(receiver.received))
    headers, body = receiver.received[0]
    # The reference verifier judges the time by the real clock, ours stands still: it is told to sign anew.
    sent = Verifier(secret).sign(headers["webhook-id"], api.clock.now, body.decode())
    assert sent in headers["webhook-signature"].split()
    assert headers["webhook-timestamp"] == str(int(api.clock.now.timestamp()))
    message = json.loads(body)
    assert message["type"] == "alert.opened"
    assert message["data"]["id"] == alert_id
    assert message["data"]["problem"]["id"] == problem_id
    until(lambda: api.get("/v1/webhooks/team/deliveries").json()["items"][0]["state"] == "delivered")
    (delivery,) = api.get("/v1/webhooks/team/deliveries").json()["items"]
    replayed = api.post(f"/v1/webhooks/team/deliveries/{delivery['id']}/replay")
    assert replayed.status_code == 202
    until(lambda: len(receiver.received) == 2)
    assert receiver.received[1][0]["webhook-id"] == headers["webhook-id"]


def test_the_reference_verifier_accepts_what_is_sent(tmp_path: Path, receiver: Receiver) -> None:
    from kb_service.app import utc_now

    class Now(FixedClock):
        def __call__(self) -> Any:
            return utc_now()

    with running(tmp_path / "now", Now(utc_now()), webhook_allow="127.0.0.0/8") as api:
        secret = hook(api, receiver, "alert.opened")
        api.recurring()
        until(lambda: bool(receiver.received))
    headers, body = receiver.received[0]
    assert Verifier(secret).verify(body, headers)["type"] == "alert.opened"


def test_alerts_of_the_past_are_kept_and_not_sent(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    past = (api.clock.now - 2 * DAY).isoformat()
    (alert_id,) = api.recurring(at=past)["alerts"]
    assert alert_state(api, alert_id) == "open"
    assert api.get("/v1/webhooks/team/deliveries").json()["items"] == []
    later = api.recurring("n", text=BROKEN)
    assert later["alerts"]
    until(lambda: bool(receiver.received))
    assert json.loads(receiver.received[0][1])["data"]["id"] == later["alerts"][0]


def test_alerts_follow_their_problem(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "problem.resolved", "problem.regressed", "alert.opened")
    api.put("/v1/agents/agent-1", {"name": "agent-1"})
    raised = api.recurring()
    problem_id, (alert_id,) = raised["problem"]["id"], raised["alerts"]
    at = f"/v1/problems/{problem_id}"

    assert api.post(f"{at}/acknowledge").json()["state"] == "acknowledged"
    assert alert_state(api, alert_id) == "acknowledged"
    assert api.post(f"{at}/assign", {"agent_id": "agent-1"}).json()["owner_id"] == "agent-1"
    problem(api.post(f"{at}/reopen"), 409)
    resolved = api.post(f"{at}/resolve").json()
    assert resolved["state"] == "resolved"
    assert resolved["resolved_at"]
    assert alert_state(api, alert_id) == "resolved"
    assert api.get("/v1/alerts?state=resolved").json()["items"][0]["id"] == alert_id
    problem(api.post(f"{at}/acknowledge"), 409)
    assert api.post(f"{at}/reopen").json()["state"] == "open"
    assert alert_state(api, alert_id) == "open"
    assert api.post(f"{at}/resolve").json()["state"] == "resolved"

    # Within the grace nothing happens; after it, three customers make it regress, once.
    api.clock.advance(hours=1)
    assert not api.recurring("soon")["alerts"]
    assert api.get(at).json()["state"] == "resolved"
    api.clock.advance(hours=30)
    back = api.recurring("back")
    assert len(back["alerts"]) == 1
    regression = api.get(f"/v1/alerts/{back['alerts'][0]}").json()
    assert (regression["kind"], regression["state"]) == ("regression", "open")
    assert api.get(at).json()["state"] == "regressed"
    assert alert_state(api, alert_id) == "resolved"
    more = api.recurring("more")["alerts"]
    assert [api.get(f"/v1/alerts/{id}").json()["kind"] for id in more] == ["burst"]
    # A burst right after the regression waits for its group's turn.
    api.clock.advance(minutes=6)
    api.services.notice_rounds.look("shop")
    until(lambda: len(receiver.once()) == 6)
    types = ["alert.opened"] * 3 + ["problem.regressed"] + ["problem.resolved"] * 2
    assert sorted(receiver.once().values()) == types
    actions = [entry["action"] for entry in api.get("/v1/audit").json()["items"]]
    assert {"problem.acknowledge", "problem.resolve", "problem.reopen", "problem.assign"} <= set(actions)


def test_a_silence_ends_by_time(api: Api) -> None:
    raised = api.recurring()
    problem_id, (alert_id,) = raised["problem"]["id"], raised["alerts"]
    until_time = (api.clock.now + DAY).isoformat()
    silenced = api.post(f"/v1/problems/{problem_id}/silence", {"until": until_time}).json()
    assert silenced["state"] == "silenced"
    assert alert_state(api, alert_id) == "silenced"
    assert not api.recurring("n")["alerts"]
    assert api.get("/v1/problems?state=silenced").json()["items"]
    api.clock.advance(days=1, minutes=1)
    assert api.get("/v1/problems?state=silenced").json()["items"] == []
    assert api.get(f"/v1/problems/{problem_id}").json()["state"] == "open"
    assert alert_state(api, alert_id) == "open"


def test_a_silence_ends_by_customers(api: Api) -> None:
    raised = api.recurring()
    problem_id, (alert_id,) = raised["problem"]["id"], raised["alerts"]
    api.post(f"/v1/problems/{problem_id}/silence", {"count": 2})
    api.recurring("n", customers=1)
    assert api.get(f"/v1/problems/{problem_id}").json()["state"] == "silenced"
    api.recurring("o", customers=1)
    assert api.get(f"/v1/problems/{problem_id}").json()["state"] == "open"
    assert alert_state(api, alert_id) == "open"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "until"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "2026-12-01"}, "until"),
        ({"count": 0}, "count"),
        ({"count": 10**30}, "count"),
    ],
)
def test_a_silence_must_end(api: Api, body: dict[str, object], field: str) -> None:
    problem_id = api.recurring(customers=1)["problem"]["id"]
    assert list(faults(api.post(f"/v1/problems/{problem_id}/silence", body))) == [field]


def test_names_are_given_by_people(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    at = f"/v1/problems/{problem_id}"
    assert api.get(at).json()["name"]
    both = {"zh": "包裹延误", "en": "Late parcels"}
    assert api.post(f"{at}/rename", {"name": both}).json()["name"] == "Late parcels"
    assert api.get(at, headers={"Accept-Language": "zh-CN,en;q=0.5"}).json()["name"] == "包裹延误"
    assert api.post(f"{at}/rename", {"name": "Parcels stuck"}).json()["name"] == "Parcels stuck"
    assert api.get(at, headers={"Accept-Language": "zh"}).json()["name"] == "包裹延误"
    assert [item["id"] for item in api.get("/v1/problems?q=stuck").json()["items"]] == [problem_id]
    assert api.get("/v1/problems?q=zebra").json()["items"] == []
    for name, field in (("", "name"), ("   ", "name"), ({}, "name"), ({"fr": "x"}, "name.fr"), (3, "name")):
        assert list(faults(api.post(f"{at}/rename", {"name": name}))) == [field], name
    # A person's name stays when more customers write.
    api.recurring("n")
    assert api.get(at).json()["name"] == "Parcels stuck"


def test_merge_and_split(api: Api) -> None:
    one = api.recurring("a")
    two = api.recurring("b", text=BROKEN)
    kept, gone = one["problem"]["id"], two["problem"]["id"]
    assert kept != gone
    assert "into" in faults(api.post(f"/v1/problems/{gone}/merge", {"into": gone}))
    problem(api.post(f"/v1/problems/{gone}/merge", {"into": "p_unknown"}), 404)
    api.post(f"/v1/problems/{kept}/acknowledge")
    merged = api.post(f"/v1/problems/{gone}/merge", {"into": kept}).json()
    assert (merged["id"], merged["aliases"], merged["customers"]) == (kept, [gone], 6)
    survivor = api.get(f"/v1/problems/{gone}").json()
    assert survivor["id"] == kept
    assert set(survivor["alerts"]) == {*one["alerts"], *two["alerts"]}
    assert {alert_state(api, alert_id) for alert_id in survivor["alerts"]} == {"acknowledged"}
    assert api.get("/v1/events/b0").json()["problem"]["id"] == kept
    assert [item["id"] for item in api.get("/v1/problems").json()["items"]] == [kept]
    # Further messages of either kind join the survivor.
    assert api.post("/v1/events", api.event("b9", text=BROKEN)).json()["problem"]["id"] == kept

    cases = [api.case_id(f"b{number}") for number in (0, 1, 2, 9)]
    strange = api.post(f"/v1/problems/{kept}/split", {"case_ids": [*cases, "case_unknown"]})
    problem(strange, 404)
    parted = api.post(f"/v1/problems/{kept}/split", {"case_ids": cases}).json()
    assert parted["id"] not in (kept, gone)
    assert (parted["events"], parted["customers"]) == (4, 4)
    assert api.get(f"/v1/problems/{kept}").json()["customers"] == 3
    assert api.get("/v1/events/b0").json()["problem"]["id"] == parted["id"]
    assert api.post("/v1/events", api.event("b10", text=BROKEN)).json()["problem"]["id"] == parted["id"]
    assert api.post("/v1/events", api.event("a10")).json()["problem"]["id"] == kept
    rest = [api.case_id(f"a{number}") for number in (0, 1, 2, 10)]
    assert "case_ids" in faults(api.post(f"/v1/problems/{kept}/split", {"case_ids": rest}))
    assert "case_ids" in faults(api.post(f"/v1/problems/{kept}/split", {"case_ids": cases}))

    # The same once more gives yet another problem, not the alias that the first one has become.
    assert api.post(f"/v1/problems/{parted['id']}/merge", {"into": kept}).json()["id"] == kept
    again = api.post(f"/v1/problems/{kept}/split", {"case_ids": cases}).json()
    assert again["id"] not in (kept, gone, parted["id"])
    assert api.get(f"/v1/problems/{again['id']}").json()["id"] == again["id"]


def test_late_events_count_where_they_belong(api: Api) -> None:
    base = api.clock.now
    for name, days in (("a", 0), ("b", 6)):
        assert not api.post("/v1/events", api.event(name, at=(base - days * DAY).isoformat())).json()[
            "alerts"
        ]
    late = api.post("/v1/events", api.event("c", at=(base - 3 * DAY).isoformat())).json()
    assert len(late["alerts"]) == 1


def test_one_customer_alone_raises_nothing(api: Api) -> None:
    for number in range(5):
        body = api.event(f"m{number}", customer_id="u", conversation_id=f"c{number}")
        assert not api.post("/v1/events", body).json()["alerts"]
    assert api.get("/v1/alerts").json()["items"] == []
    assert api.get("/v1/problems?state=candidate").json()["items"]


def test_the_shops_rules_hold_at_once(api: Api) -> None:
    assert api.get("/v1/rules").json()["recurrence_customers"] == 3
    changed = api.put("/v1/rules", {"recurrence_customers": 2, "promote_customers": 2}).json()
    assert (changed["recurrence_customers"], changed["recurrence_window_hours"]) == (2, 168.0)
    assert api.recurring(customers=2)["alerts"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"recurrence_customers": 1}, "recurrence_customers"),
        ({"recurrence_window_hours": 0}, "recurrence_window_hours"),
        ({"priority_weights": {"nonsense": 5}}, "priority_weights.nonsense"),
        ({"priority_weights": {"urgency": 500}}, "priority_weights.urgency"),
        ({"sensitive_flows": {"legal": [""]}}, "sensitive_flows.legal.0"),
        ({"windows": 3}, "windows"),
    ],
)
def test_rules_that_cannot_be(shared_api: Api, body: dict[str, object], field: str) -> None:
    assert list(faults(shared_api.put("/v1/rules", body))) == [field]
    assert shared_api.post("/v1/answers", {"query": "where is my parcel"}).status_code == 200


def test_carriers_and_campaigns_of_a_shop_are_found_beside_those_that_every_shop_knows(api: Api) -> None:
    named = {"carriers": {"SwiftWing": ["疾羽速运", "疾羽"]}, "campaigns": {"spring-sale": ["春季大促"]}}
    api.put("/v1/rules", named)
    assert {name: api.get("/v1/rules").json()[name] for name in named} == named
    reply = api.post("/v1/answers", {"query": "春季大促买的，疾羽两天没动，顺丰也慢"}).json()
    found = {(entity["type"], entity["value"]) for entity in reply["understanding"]["entities"]}
    assert found >= {("campaign", "spring-sale"), ("carrier", "SwiftWing"), ("carrier", "SF Express")}


def test_proposals_are_decided_once(api: Api) -> None:
    api.recurring()
    (proposal,) = api.get("/v1/proposals?state=open").json()["items"]
    assert proposal["draft"]
    at = f"/v1/proposals/{proposal['id']}"
    assert api.post(f"{at}/accept").json()["state"] == "accepted"
    assert api.post(f"{at}/accept").json()["state"] == "accepted"
    problem(api.post(f"{at}/dismiss"), 409)
    assert api.get("/v1/proposals?state=open").json()["items"] == []
    problem(api.post("/v1/proposals/prop_unknown/accept"), 404)


def test_filters_and_order_of_lists(api: Api) -> None:
    first = api.recurring("a")["problem"]["id"]
    api.clock.advance(days=1)
    second = api.recurring("b", customers=4, text=BROKEN)["problem"]["id"]

    def ids(query: str) -> list[str]:
        return [item["id"] for item in api.get(f"/v1/problems{query}").json()["items"]]

    assert ids("") == [second, first]
    assert ids("?sort=customers") == [second, first]
    assert ids("?state=open&emerging=true") == [second, first]
    assert ids("?evergreen=true") == []
    page = api.get("/v1/problems?limit=1").json()
    assert [item["id"] for item in page["items"]] == [second]
    rest = api.get("/v1/problems", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert [item["id"] for item in rest["items"]] == [first]
    assert rest["next_cursor"] is None
    since = (api.clock.now - DAY / 2).isoformat()
    theirs = {"since": since, "kind": "recurrence"}
    assert len(api.get("/v1/alerts", params=theirs).json()["items"]) == 1
    # A plus that nobody encoded arrives as a blank.
    assert len(api.get(f"/v1/alerts?since={since}&kind=recurrence").json()["items"]) == 1
    assert len(api.get("/v1/graph").json()["nodes"]) > 2


# --- what people send with an action


@pytest.mark.parametrize("action", ["acknowledge", "resolve", "reopen"])
def test_a_field_that_an_action_does_not_know_is_refused_by_name(api: Api, action: str) -> None:
    """Actions without fields took any body: what somebody meant by it was lost without a word."""
    problem_id = api.recurring()["problem"]["id"]
    at = f"/v1/problems/{problem_id}/{action}"
    if action == "reopen":
        api.post(f"/v1/problems/{problem_id}/resolve")
    before = api.get(f"/v1/problems/{problem_id}").json()["state"]
    assert list(faults(api.post(at, {"resolved_by": "me"}))) == ["resolved_by"]
    assert api.get(f"/v1/problems/{problem_id}").json()["state"] == before
    assert api.post(at, {}).status_code == 200


def test_a_note_is_kept_in_the_audit_with_personal_data_masked(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    at = f"/v1/problems/{problem_id}"
    assert "note" in faults(api.post(f"{at}/resolve", {"note": "x" * 2001}))
    assert api.post(f"{at}/acknowledge", {"note": "carrier told us, call 13912345678"}).status_code == 200
    assert api.post(f"{at}/resolve", {"note": "new label printer"}).status_code == 200
    notes = [item["detail"].get("note") for item in audit_of(api, problem_id)][:2]
    assert notes[0] == "new label printer"
    assert notes[1].startswith("carrier told us, call ")
    assert "13912345678" not in notes[1]


def test_resolving_what_is_resolved_is_not_noted_again(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    for action in ("acknowledge", "acknowledge", "resolve", "resolve"):
        assert api.post(f"/v1/problems/{problem_id}/{action}").status_code == 200
    actions = [item["action"] for item in audit_of(api, problem_id)]
    assert (actions.count("problem.acknowledge"), actions.count("problem.resolve")) == (1, 1)


def audit_of(api: Api, object: str) -> list[dict[str, Any]]:
    return [item for item in api.get("/v1/audit?limit=200").json()["items"] if item["object"] == object]


def test_an_owner_is_taken_away_with_null(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    api.put("/v1/agents/a", {"name": "Anna"})
    at = f"/v1/problems/{problem_id}/assign"
    assert api.post(at, {"agent_id": "a"}).json()["owner_id"] == "a"
    assert list(faults(api.post(at, {}))) == ["agent_id"]
    assert api.post(at, {"agent_id": None}).json()["owner_id"] is None


def test_a_silence_by_customers_says_how_many_are_left(api: Api) -> None:
    problem_id = api.recurring()["problem"]["id"]
    at = f"/v1/problems/{problem_id}"
    assert api.get(at).json()["silenced_customers_left"] is None
    assert api.post(f"{at}/silence", {"count": 3}).json()["silenced_customers_left"] == 3
    api.recurring(prefix="more", customers=1)
    assert api.get(at).json()["silenced_customers_left"] == 2


def test_the_audit_says_which_rules_changed_and_no_address(api: Api) -> None:
    assert api.put("/v1/rules", {"recurrence_customers": 4}).status_code == 200
    rules = {"recurrence_customers": 6, "digest_to": ["anna@example.com"]}
    assert api.put("/v1/rules", rules).status_code == 200
    found = audit_of(api, "rules")[0]
    assert found["detail"]["changes"] == {
        "recurrence_customers": {"from": 4, "to": 6},
        "digest_to": {"from": 0, "to": 1},
    }


def test_a_reopened_problem_counts_the_customers_of_its_messages(api: Api) -> None:
    """It said "0 customers, 78 messages" and lost "evergreen" as soon as it was resolved and reopened."""
    at = "/v1/problems/" + api.recurring()["problem"]["id"]
    api.clock.advance(days=15)
    api.recurring("later", customers=9)
    other = "/v1/problems/" + api.recurring("other", customers=4, text=BROKEN)["problem"]["id"]
    before = api.get(at).json()
    assert (before["customers"], before["episode_customers"], before["events"]) == (12, 12, 12)
    assert before["evergreen"]
    api.post(f"{at}/resolve")
    back = api.post(f"{at}/reopen").json()
    listed = {f"/v1/problems/{item['id']}": item for item in api.get("/v1/problems").json()["items"]}
    for told in (back, api.get(at).json(), listed[at]):
        assert (told["customers"], told["episode_customers"], told["events"]) == (12, 0, 12)
        assert told["evergreen"], "it has been asked for as long by as many as before"
    api.clock.advance(hours=30)
    api.recurring("again", customers=2)
    told = api.get(at).json()
    assert (told["customers"], told["episode_customers"], told["events"]) == (14, 2, 14)
    evergreen = api.get("/v1/problems?evergreen=true").json()["items"]
    assert [f"/v1/problems/{item['id']}" for item in evergreen] == [at]
    first = api.get("/v1/problems?sort=customers&limit=1").json()
    assert [f"/v1/problems/{item['id']}" for item in first["items"]] == [at]
    rest = api.get(f"/v1/problems?sort=customers&limit=1&cursor={first['next_cursor']}").json()["items"]
    assert [f"/v1/problems/{item['id']}" for item in rest] == [other]
    node = next(
        item for item in api.get("/v1/graph").json()["nodes"] if item["id"].endswith(at.rsplit("/")[-1])
    )
    assert (node["customers"], node["events"]) == (14, 14)


def test_a_split_counts_the_customers_that_its_preview_told(api: Api) -> None:
    """The preview counted all time, the result its episode alone: 0 after a problem was reopened."""
    problem_id = api.recurring(customers=5)["problem"]["id"]
    api.post(f"/v1/problems/{problem_id}/resolve")
    api.clock.advance(hours=1)
    api.post(f"/v1/problems/{problem_id}/reopen")
    cases = [api.case_id("m0"), api.case_id("m1")]
    preview = api.services.regrouping_previews.split("shop", problem_id, cases)
    new = api.post(f"/v1/problems/{problem_id}/split", {"case_ids": cases}).json()
    assert (new["customers"], new["events"]) == (preview.new.customers, preview.new.messages) == (2, 2)
    stays = api.get(f"/v1/problems/{problem_id}").json()
    assert (
        (stays["customers"], stays["events"]) == (preview.stays.customers, preview.stays.messages) == (3, 3)
    )
