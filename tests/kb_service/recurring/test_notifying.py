"""What product teams hear of alerts, and when: over the wire, with a clock that moves by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graph.notices import Notice
from kb_service.recurring.notice_rounds import NoticeRounds
from kb_service.recurring.notifying import Notifying
from kb_service.store import Store
from tests.conftest import FixedClock
from tests.kb_service.conftest import DAY, LATE, Api, faults, problem, running
from tests.kb_service.recurring.test_problems import BROKEN, Receiver, hook, until

LAMP = {"products": ["LAMP-1"]}
FLICKERS = "the lamp flickers all the time since yesterday evening"
THINGS = """
kettle zipper lantern carpet violin helmet ladder pillow mirror basket candle
drawer engine faucet garage hammer insect jacket keyboard locker magnet napkin
"""
SCREEN = "screen of the tablet stays black after charging overnight"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock, webhook_allow="127.0.0.0/8") as started:
        rules(started)
        yield started


def rules(api: Api, **changes: Any) -> Any:
    """The shop's rules, without alerts of bursts unless they are made by hand."""
    return api.put("/v1/rules", {"burst_customers": 1000, "growth_alerts": False, **changes})


def rounds(api: Api) -> int:
    return api.services.notice_rounds.look("shop")


def told(api: Api, name: str = "team") -> list[dict[str, Any]]:
    """The messages that were put into the outbox for a webhook, oldest first."""
    with api.store.reading("shop") as unit:
        items = unit.webhooks.deliveries(name, None, 100).items
        messages = [unit.outbox.message(item.message_id) for item in reversed(items)]
    return [{"type": message.type, **message.data} for message in messages if message is not None]


def burst_of(api: Api, prefix: str, text: str, **fields: Any) -> dict[str, Any]:
    """Three customers at the same moment; the result of the last."""
    for number in range(3):
        result = api.post("/v1/events", api.event(f"{prefix}{number}", text=text, **fields)).json()
    return dict(result)


def actions(api: Api) -> list[str]:
    return [entry["action"] for entry in api.get("/v1/audit?limit=200").json()["items"]]


def test_alerts_of_one_group_are_told_together(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    first = burst_of(api, "a", LATE, **LAMP)["alerts"]
    assert [item["id"] for item in told(api)] == first
    api.clock.advance(seconds=10)
    second = burst_of(api, "b", BROKEN, **LAMP)["alerts"]
    third = burst_of(api, "c", SCREEN, **LAMP)["alerts"]
    api.clock.advance(seconds=19)
    assert rounds(api) == 0
    api.clock.advance(seconds=1)
    assert rounds(api) == 2
    assert rounds(api) == 0
    one, other = told(api)
    assert (one["also"], one["group"]) == ([], {"by": "product", "value": "LAMP-1", "alerts": 1})
    assert {other["id"], *(item["id"] for item in other["also"])} == {*second, *third}
    assert other["group"] == {"by": "product", "value": "LAMP-1", "alerts": 2}
    # The next of the group waits until five minutes after that; one of another group does not.
    api.clock.advance(seconds=60)
    fourth = burst_of(api, "d", FLICKERS, **LAMP)["alerts"]
    alone = burst_of(api, "e", "invoice names the wrong company since last month")["alerts"]
    assert [item["id"] for item in told(api)[2:]] == alone
    api.clock.advance(seconds=239)
    assert rounds(api) == 0
    api.clock.advance(seconds=1)
    assert rounds(api) == 1
    assert told(api)[-1]["id"] == fourth[0]
    until(lambda: len(receiver.once()) == 4)


def test_each_webhook_hears_of_a_group_what_it_wants(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    some = {"url": receiver.url, "types": ["alert.opened"], "filter": {"product": ["CASE-9"]}}
    assert api.put("/v1/webhooks/cases", some).status_code == 201
    burst_of(api, "a", LATE, **LAMP)
    both = burst_of(api, "b", BROKEN, products=["LAMP-1", "CASE-9"])["alerts"]
    burst_of(api, "c", SCREEN, **LAMP)
    api.clock.advance(seconds=30)
    assert rounds(api) == 2
    assert [len(item["also"]) for item in told(api)] == [0, 1]
    assert [(item["id"], item["also"]) for item in told(api, "cases")] == [(both[0], [])]


def test_what_waits_outlives_the_process(tmp_path: Path, clock: FixedClock, receiver: Receiver) -> None:
    with running(tmp_path / "data", clock, webhook_allow="127.0.0.0/8") as api:
        rules(api)
        hook(api, receiver, "alert.opened")
        burst_of(api, "a", LATE, **LAMP)
        waiting = burst_of(api, "b", BROKEN, **LAMP)["alerts"]
        store_url = api.services.settings.store_url
    clock.advance(hours=1)
    store = Store(store_url, clock=clock)
    again = NoticeRounds(store, clock=clock)
    assert [again.look("shop"), again.look("shop")] == [1, 0]
    with store.reading("shop") as unit:
        (notice,) = unit.notices.of_alerts(waiting).values()
        assert (notice.state, notice.reason) == ("told", "gathered")
        assert len(unit.webhooks.deliveries("team", None, 100).items) == 2
    store.close()


def test_an_old_problem_that_recurs_waits_for_the_digest_hour(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened", "proposal.created")
    now = api.clock.now
    api.post("/v1/events", api.event("old", at=(now - 8 * DAY).isoformat()))
    api.post("/v1/events", api.event("m1"))
    api.post("/v1/events", api.event("m2"))
    (alert_id,) = api.post("/v1/events", api.event("m3")).json()["alerts"]
    assert told(api) == []
    assert api.get(f"/v1/alerts/{alert_id}").json()["told_at"] is None
    api.clock.advance(hours=20, minutes=59)  # from noon to a minute before nine in the shop
    assert rounds(api) == 0
    api.clock.advance(minutes=1)
    assert rounds(api) == 1
    (sent,) = told(api)
    assert (sent["type"], sent["id"], sent["proposal"]["alert_id"]) == ("alert.opened", alert_id, alert_id)
    assert api.get(f"/v1/alerts/{alert_id}").json()["told_at"] is not None
    # It is not urgent, so it is not repeated either.
    api.clock.advance(hours=13)
    api.post("/v1/events", api.event("m4"))
    assert rounds(api) == 0


def test_what_is_taken_up_before_the_digest_is_not_told(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    api.post("/v1/events", api.event("old", at=(api.clock.now - 8 * DAY).isoformat()))
    recurred = burst_of(api, "m", LATE)
    api.post(f"/v1/problems/{recurred['problem']['id']}/acknowledge")
    api.clock.advance(hours=21)
    assert rounds(api) == 0
    assert told(api) == []
    assert "alert.not_told" in actions(api)


def test_what_nobody_takes_up_is_told_again_every_twelve_hours(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened", "alert.escalated")
    raised = burst_of(api, "a", LATE)
    api.clock.advance(hours=11)
    api.post("/v1/events", api.event("x1"))
    assert rounds(api) == 0
    api.clock.advance(hours=1)
    assert rounds(api) == 1
    assert rounds(api) == 0
    again = told(api)[-1]
    assert (again["type"], again["id"]) == ("alert.escalated", raised["alerts"][0])
    assert again["escalation"]["reason"] == "unacknowledged"
    assert set(again["escalation"]["words"]) == {"zh", "en"}
    api.clock.advance(hours=11)
    api.post("/v1/events", api.event("x2"))
    api.post(f"/v1/problems/{raised['problem']['id']}/acknowledge")
    api.clock.advance(hours=1)
    assert rounds(api) == 0
    assert actions(api).count("alert.escalated") == 1


def test_a_shop_may_do_without_repeats(api: Api, receiver: Receiver) -> None:
    rules(api, repeat_hours=0, group_wait_seconds=0, group_interval_seconds=0)
    hook(api, receiver, "alert.opened", "alert.escalated")
    burst_of(api, "a", LATE, **LAMP)
    burst_of(api, "b", BROKEN, **LAMP)
    assert [item["type"] for item in told(api)] == ["alert.opened"] * 2
    api.clock.advance(hours=13)
    api.post("/v1/events", api.event("x1", **LAMP))
    assert rounds(api) == 0


def test_a_group_is_led_by_the_alert_of_most_customers(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    burst_of(api, "a", LATE, **LAMP)
    few = burst_of(api, "b", BROKEN, **LAMP)["alerts"]
    many = burst_of(api, "c", SCREEN, **LAMP)["alerts"]
    with api.store.writing("shop") as unit:
        alert = unit.alerts.get(many[0])
        assert alert is not None
        unit.alerts.put(replace(alert, evidence=replace(alert.evidence, customers=9)))
    api.clock.advance(seconds=30)
    assert rounds(api) == 2
    assert (told(api)[-1]["id"], [item["id"] for item in told(api)[-1]["also"]]) == (many[0], few)


def test_one_incident_that_is_two_problems_is_told_once(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened", "alert.escalated", "proposal.created")
    leader = burst_of(api, "a", "payment fails with error 4107 on my card")
    (beside,) = burst_of(api, "b", "voucher refused at checkout again, it says 4107")["alerts"]
    shown = api.get(f"/v1/alerts/{beside}").json()
    assert (shown["inhibited_by"], shown["proposal_id"]) == (leader["alerts"][0], None)
    burst_of(api, "c", SCREEN)
    first = [item["id"] for item in told(api)]
    assert leader["alerts"][0] in first
    assert beside not in first
    api.clock.advance(hours=11)
    api.post("/v1/events", api.event("x1", text="payment fails with error 4107 on my card"))
    api.clock.advance(hours=1)
    rounds(api)
    again = next(item for item in told(api) if item["type"] == "alert.escalated")
    assert (again["id"], [item["id"] for item in again["also"]]) == (leader["alerts"][0], [beside])
    opened = next(
        item
        for item in api.get("/v1/audit?limit=200").json()["items"]
        if item["object"] == beside and item["action"] == "alert.opened"
    )
    assert opened["detail"]["incident"] == {"alert": leader["alerts"][0], "shares": ["4107"]}


def test_an_alerts_proposal_is_told_with_it_and_apart_only_to_those_who_hear_no_alerts(
    api: Api, receiver: Receiver
) -> None:
    hook(api, receiver, "alert.opened", "proposal.created")
    apart = {"url": receiver.url, "types": ["proposal.created"]}
    assert api.put("/v1/webhooks/ideas", apart).status_code == 201
    burst_of(api, "a", LATE)
    (alert,) = told(api)
    (proposal,) = told(api, "ideas")
    assert (alert["type"], proposal["type"]) == ("alert.opened", "proposal.created")
    assert alert["proposal"]["id"] == proposal["id"] == alert["proposal_id"]


def test_a_problem_that_is_resolved_again_tells_its_customers_since_it_opened(
    api: Api, receiver: Receiver
) -> None:
    hook(api, receiver, "problem.resolved")
    at = f"/v1/problems/{burst_of(api, 'a', LATE)['problem']['id']}"
    for step in ("resolve", "reopen", "resolve"):
        api.clock.advance(minutes=1)
        assert api.post(f"{at}/{step}").status_code == 200
    said = [(item["customers"], item["episode_customers"], item["events"]) for item in told(api)]
    assert said == [(3, 3, 3), (3, 0, 3)]


# --- parents


def test_a_parents_alert_speaks_for_its_children_until_it_is_resolved(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    parent = burst_of(api, "a", LATE)
    child_id = api.post("/v1/events", api.event("b0", text=BROKEN)).json()["problem"]["id"]
    at = f"/v1/problems/{child_id}/parent"
    placed = api.post(at, {"problem_id": parent["problem"]["id"]}).json()
    assert placed["parent_id"] == parent["problem"]["id"]
    api.post("/v1/events", api.event("b1", text=BROKEN))
    (inhibited,) = api.post("/v1/events", api.event("b2", text=BROKEN)).json()["alerts"]
    shown = api.get(f"/v1/alerts/{inhibited}").json()
    assert (shown["state"], shown["inhibited_by"], shown["told_at"]) == ("open", parent["alerts"][0], None)
    api.clock.advance(minutes=10)
    assert rounds(api) == 0
    api.post(f"/v1/problems/{parent['problem']['id']}/resolve")
    api.clock.advance(minutes=1)
    assert rounds(api) == 0  # nobody has written of the child since
    api.post("/v1/events", api.event("b3", text=BROKEN))
    api.clock.advance(minutes=1)
    assert rounds(api) == 1
    assert [item["id"] for item in told(api)] == [parent["alerts"][0], inhibited]
    shown = api.get(f"/v1/alerts/{inhibited}").json()
    assert (shown["inhibited_by"], shown["told_at"] is not None) == (None, True)
    assert {"alert.opened", "alert.inhibited", "alert.told", "problem.parent"} <= set(actions(api))


def test_a_problem_never_comes_under_itself(api: Api) -> None:
    one, two, three = (
        api.post("/v1/events", api.event(f"m{place}", text=text)).json()["problem"]["id"]
        for place, text in enumerate((LATE, BROKEN, SCREEN))
    )
    assert api.post(f"/v1/problems/{two}/parent", {"problem_id": one}).status_code == 200
    assert api.post(f"/v1/problems/{three}/parent", {"problem_id": two}).status_code == 200
    for child, parent in ((one, one), (one, two), (one, three)):
        refused = api.post(f"/v1/problems/{child}/parent", {"problem_id": parent})
        assert list(faults(refused)) == ["problem_id"]
    problem(api.post(f"/v1/problems/{one}/parent", {"problem_id": "p_none"}), 404)
    assert api.post(f"/v1/problems/{two}/parent", {"problem_id": None}).json()["parent_id"] is None
    # A merge turns no parent into its own child.
    api.post(f"/v1/problems/{one}/parent", {"problem_id": three})
    api.post(f"/v1/problems/{two}/parent", {"problem_id": one})
    merged = api.post(f"/v1/problems/{three}/merge", {"into": one}).json()
    assert merged["parent_id"] is None


# --- owners


def test_problems_get_the_owner_of_their_product_when_they_open(api: Api, receiver: Receiver) -> None:
    for agent in ("agent-3", "agent-7"):
        api.put(f"/v1/agents/{agent}", {"name": f"Name of {agent}"})
    refused = rules(api, owners={"product": {"LAMP-1": "nobody"}})
    assert list(faults(refused)) == ["owners.product.LAMP-1"]
    assert list(faults(rules(api, owners={"colour": {"red": "agent-3"}}))) != []
    owners = {"product": {"LAMP-1": "agent-7"}}
    assert rules(api, owners=owners).json()["owners"] == owners
    hook(api, receiver, "alert.opened")
    candidate = api.post("/v1/events", api.event("a0", **LAMP)).json()["problem"]["id"]
    assert api.get(f"/v1/problems/{candidate}").json()["owner_id"] is None
    api.post("/v1/events", api.event("a1", **LAMP))
    (alert_id,) = api.post("/v1/events", api.event("a2", **LAMP)).json()["alerts"]
    assert api.get(f"/v1/problems/{candidate}").json()["owner_id"] == "agent-7"
    owner = {"id": "agent-7", "name": "Name of agent-7"}
    assert api.get(f"/v1/alerts/{alert_id}").json()["owner"] == owner
    assert told(api)[0]["owner"] == owner
    assert [item["id"] for item in api.get("/v1/problems?owner=agent-7").json()["items"]] == [candidate]
    assert api.get("/v1/problems?owner=agent-3").json()["items"] == []
    assert {"problem.promoted", "problem.owner_given"} <= set(actions(api))


def test_a_product_that_only_later_messages_name_has_its_owner_too(api: Api) -> None:
    api.put("/v1/agents/agent-7", {"name": "agent-7"})
    lamp = {
        "kind": "product",
        "title": "Lamp LAMP-1",
        "text": "A lamp.",
        "language": "en",
        "products": ["LAMP-1"],
    }
    assert api.put("/v1/documents/LAMP-1", lamp).status_code == 201
    rules(api, owners={"product": {"LAMP-1": "agent-7"}})
    opened = api.post("/v1/events", api.event("a0", text=FLICKERS)).json()["problem"]["id"]
    for number in (1, 2):
        later = api.event(f"a{number}", text=f"{FLICKERS}, it is LAMP-1")
        assert api.post("/v1/events", later).json()["problem"]["id"] == opened
    found = api.get(f"/v1/problems/{opened}").json()
    assert (found["state"], found["owner_id"]) == ("open", "agent-7")


def test_a_persons_word_about_the_owner_stays(api: Api) -> None:
    for agent in ("agent-3", "agent-7"):
        api.put(f"/v1/agents/{agent}", {"name": agent})
    rules(api, owners={"product": {"LAMP-1": "agent-7"}})
    candidate = api.post("/v1/events", api.event("a0", **LAMP)).json()["problem"]["id"]
    api.post(f"/v1/problems/{candidate}/assign", {"agent_id": "agent-3"})
    burst_of(api, "b", LATE, **LAMP)
    found = api.get(f"/v1/problems/{candidate}").json()
    assert (found["state"], found["owner_id"]) == ("open", "agent-3")


# --- silence until it gets worse


def test_a_silence_until_an_escalation_ends_with_twice_the_customers(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.escalated")
    raised = burst_of(api, "a", LATE)
    at = f"/v1/problems/{raised['problem']['id']}"
    silenced = api.post(f"{at}/silence", {"escalation": True}).json()
    assert (silenced["state"], silenced["silenced_escalation"]) == ("silenced", True)
    api.clock.advance(days=2)
    for number in range(5):
        api.post("/v1/events", api.event(f"b{number}"))
    assert api.get(at).json()["state"] == "silenced"
    api.post("/v1/events", api.event("b5"))
    assert api.get(at).json()["state"] == "open"
    entry = next(item for item in api.get("/v1/audit").json()["items"] if item["action"] == "problem.woken")
    assert (entry["actor"], entry["detail"]) == ("lifecycle", {"by": "escalation"})
    assert [rounds(api), rounds(api)] == [1, 0]
    (again,) = told(api)
    assert (again["id"], again["escalation"]["reason"]) == (raised["alerts"][0], "silence_over")


def test_two_processes_that_look_at_once_tell_once(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    burst_of(api, "a", LATE, **LAMP)
    burst_of(api, "b", BROKEN, **LAMP)
    api.clock.advance(minutes=1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: rounds(api), range(4)))
    assert sorted(found) == [0, 0, 0, 1]
    assert len(told(api)) == 2


def test_a_silence_that_is_over_is_noted_without_anybody_looking(api: Api) -> None:
    raised = burst_of(api, "a", LATE)
    end = (api.clock.now + DAY / 4).isoformat()
    api.post(f"/v1/problems/{raised['problem']['id']}/silence", {"until": end})
    api.clock.advance(hours=12)
    rounds(api)
    with api.store.reading("shop") as unit:
        found = unit.problems.get(raised["problem"]["id"])
    assert found is not None
    assert found.state == "open"
    assert "problem.woken" in actions(api)


def test_what_waited_for_a_silence_is_told_when_customers_end_it(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    burst_of(api, "a", LATE, **LAMP)
    waiting = burst_of(api, "b", BROKEN, **LAMP)
    at = f"/v1/problems/{waiting['problem']['id']}"
    assert api.post(f"{at}/silence", {"count": 2}).json()["state"] == "silenced"
    api.clock.advance(minutes=10)
    assert rounds(api) == 0
    for number in range(2):
        api.post("/v1/events", api.event(f"c{number}", text=BROKEN, **LAMP))
    assert api.get(at).json()["state"] == "open"
    assert rounds(api) == 1
    assert told(api)[-1]["id"] == waiting["alerts"][0]


def test_one_alert_that_cannot_be_told_keeps_no_other_from_being_told(
    api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(api, receiver, "alert.opened")
    burst_of(api, "a", LATE, **LAMP)
    (bad,) = burst_of(api, "b", BROKEN, **LAMP)["alerts"]
    (good,) = burst_of(api, "c", SCREEN, **LAMP)["alerts"]
    before = Notifying._before

    def broken(self: Notifying, notice: Notice, *given: Any) -> Notice:
        if notice.alert_id == bad:
            raise ValueError("a fault of this alert")
        return before(self, notice, *given)

    monkeypatch.setattr(Notifying, "_before", broken)
    api.clock.advance(seconds=30)
    assert [rounds(api), rounds(api)] == [1, 0]
    assert [item["id"] for item in told(api)][1:] == [good]
    monkeypatch.setattr(Notifying, "_before", before)
    api.clock.advance(minutes=1)
    assert rounds(api) == 1
    assert told(api)[-1]["id"] == bad


# --- bursts that grow


def test_a_burst_is_told_again_when_it_has_twice_the_customers(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.escalated")
    raised = burst_of(api, "a", LATE)
    with api.store.writing("shop") as unit:
        alert = unit.alerts.get(raised["alerts"][0])
        assert alert is not None
        hour = replace(alert.evidence, window_minutes=60, customers=3)
        unit.alerts.put(replace(alert, kind="burst", evidence=hour))
        notice = unit.notices.get(alert.id)
        assert notice is not None
        unit.notices.put(replace(notice, due_at=api.clock.now))
    for number in range(9):
        api.clock.advance(minutes=1)
        api.post("/v1/events", api.event(f"b{number}"))
        rounds(api)
    larger = [item["escalation"] for item in told(api) if item["id"] == raised["alerts"][0]]
    assert [(item["reason"], item["told_customers"]) for item in larger] == [("larger", 3), ("larger", 6)]
    assert [item["customers"] for item in larger] == [6, 12]


def test_a_large_group_stays_under_the_size_of_a_message(api: Api, receiver: Receiver) -> None:
    hook(api, receiver, "alert.opened")
    texts = [f"{word} " * 30 for word in THINGS.split()]
    burst_of(api, "first", LATE, **LAMP)
    count = sum(len(burst_of(api, f"g{place}-", text, **LAMP)["alerts"]) for place, text in enumerate(texts))
    assert count > 20
    api.clock.advance(seconds=30)
    assert rounds(api) == count
    until(lambda: len(receiver.once()) == 2)
    body = max((body for _, body in receiver.received), key=len)
    assert len(body) < 20_000
    sent = json.loads(body)["data"]
    assert sent["group"]["alerts"] == count
    assert sent["also"]
