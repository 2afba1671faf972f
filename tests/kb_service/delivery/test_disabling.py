"""An endpoint that fails for five days is given up, which is told, and nothing that was meant for it is lost."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from kb_service.delivery import disabling
from kb_service.delivery.answers import Answer
from kb_service.delivery.endpoints import Endpoints
from kb_service.errors import Conflict
from kb_service.store import Store
from tests.conftest import FixedClock
from tests.kb_service.delivery.receivers import (
    CALLER,
    DEAD,
    LOOPBACK,
    Receiver,
    carry_all,
    courier,
    deliveries,
    hook,
    send,
)

FIVE_DAYS = 5 * 24


def fail_for(store: Store, at: FixedClock, hours: int, *webhook_ids: str) -> list[str]:
    """Sends something every twelve hours, and lets everything be tried that is due in each; the messages' ids."""
    carrier = courier(store, at)
    sent = []
    for _ in range(0, hours, 12):
        sent.append(send(store, *webhook_ids))
        for _ in range(2):
            carry_all(carrier)
            at.advance(hours=6)
    return sent


def state_of(store: Store, webhook_id: str) -> str:
    return Endpoints(store, LOOPBACK).get("shop", webhook_id).state


def test_five_failing_days_disable_an_endpoint_and_no_sooner(store: Store, at: FixedClock) -> None:
    hook(store, "dead", DEAD)
    fail_for(store, at, FIVE_DAYS, "dead")
    assert state_of(store, "dead") == "active"
    assert Endpoints(store, LOOPBACK).get("shop", "dead").failing_since is not None
    carry_all(courier(store, at))
    endpoint = Endpoints(store, LOOPBACK).get("shop", "dead")
    assert endpoint.state == "disabled"
    assert "five days" in (endpoint.disabled_reason or "")
    states = [state for state, _ in deliveries(store, "dead")]
    assert set(states) == {"cancelled", "exhausted"}, "all of them are listed, none waits for ever"
    assert len(states) == 10


def test_whoever_hears_of_alerts_is_told_and_so_is_the_audit_log(store: Store, at: FixedClock) -> None:
    with Receiver([200]) as team, Receiver([200]) as gaps:
        hook(store, "dead", DEAD)
        hook(store, "team", team.url, products=("SKU-9",))
        hook(store, "gaps", gaps.url, types=("gap.found",))
        fail_for(store, at, FIVE_DAYS, "dead")
        carry_all(courier(store, at))
        carry_all(courier(store, at))
    ((_, body),) = team.received
    told = json.loads(body)
    assert told["type"] == "webhook.disabled"
    assert told["data"]["webhook_id"] == "dead"
    assert told["data"]["cancelled"] > 0
    assert set(told["data"]["evidence"]) == {"zh", "en"}
    assert gaps.received == []
    with store.reading("shop") as unit:
        entry = next(item for item in unit.audit.page().items if item.action == "webhook.disabled")
    assert (entry.actor, entry.object) == ("courier", "dead")


def test_one_success_within_the_five_days_spares_it(store: Store, at: FixedClock) -> None:
    with Receiver([500]) as receiver:
        hook(store, "hook", receiver.url)
        fail_for(store, at, 96, "hook")
        receiver.statuses[:] = [200]
        asyncio.run(courier(store, at).deliver_due())
        assert Endpoints(store, LOOPBACK).get("shop", "hook").failing_since is None
        receiver.statuses[:] = [500]
        fail_for(store, at, 96, "hook")
        assert state_of(store, "hook") == "active"


def test_a_few_failures_far_apart_are_no_five_failing_days(store: Store, at: FixedClock) -> None:
    with Receiver([500]) as receiver:
        hook(store, "hook", receiver.url)
        for _ in range(4):
            fail_for(store, at, 24, "hook")
            with store.writing("shop") as unit:  # nothing waits, nothing is tried
                unit.webhooks.disable("hook", "by hand")
                known = unit.webhooks.get("hook")
                assert known is not None
                unit.webhooks.put(replace(known, state="active", disabled_reason=None))
            at.advance(days=3)
        send(store, "hook")
        carry_all(courier(store, at))
        assert state_of(store, "hook") == "active"


def test_once_enabled_again_everything_that_was_lost_can_be_had(store: Store, at: FixedClock) -> None:
    began = at.now
    with Receiver([500]) as receiver:
        hook(store, "hook", receiver.url)
        sent = fail_for(store, at, FIVE_DAYS, "hook")
        carry_all(courier(store, at))
        assert state_of(store, "hook") == "disabled"
        at.advance(hours=1)
        with store.writing("shop") as unit:
            meanwhile = unit.outbox.add("alert.opened", {"id": "alt_2"}, unit.now, [])
        endpoints = Endpoints(store, LOOPBACK)
        with pytest.raises(Conflict, match="PUT it again"):
            endpoints.resend(CALLER, "hook", since=began, until=None, types=(), undelivered=True)
        hook(store, "hook", receiver.url)
        endpoint = endpoints.get("shop", "hook")
        assert (endpoint.state, endpoint.failing_since, endpoint.disabled_reason) == ("active", None, None)
        receiver.statuses[:] = [200]
        failed = len(receiver.received)
        resent = endpoints.resend(CALLER, "hook", since=began, until=None, types=(), undelivered=True)
        assert resent.queued == len(sent) + 1
        carry_all(courier(store, at))
    assert sorted(receiver.ids[failed:]) == sorted([*sent, meanwhile])


def test_an_endpoint_that_something_reached_meanwhile_is_spared(store: Store, at: FixedClock) -> None:
    """Two workers: one saw it failing, the other has just delivered."""
    hook(store, "hook", DEAD)
    fail_for(store, at, FIVE_DAYS, "hook")
    worker = store.outbox_worker()
    (claim,) = worker.due(at.now, limit=1)
    assert disabling.long_failing(claim.webhook, at.now)
    send(store, "hook")
    with store.writing("shop") as unit:
        unit.webhooks.forgive("hook")
    answer = Answer(500, "answered 500")
    assert disabling.disable(store, claim, answer, disabling.FAILED) == "spared"
    assert state_of(store, "hook") == "active"


def test_gone_is_told_too_and_at_once(store: Store, at: FixedClock) -> None:
    with Receiver([410]) as gone, Receiver([200]) as team:
        hook(store, "gone", gone.url)
        hook(store, "team", team.url)
        send(store, "gone")
        carry_all(courier(store, at))
    ((_, body),) = team.received
    assert json.loads(body)["data"]["webhook_id"] == "gone"
    assert "410" in (Endpoints(store, LOOPBACK).get("shop", "gone").disabled_reason or "")


def test_an_end_while_disabling_leaves_all_of_it_or_nothing(
    store: Store, at: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver([410]) as gone, Receiver([200]) as team:
        hook(store, "gone", gone.url)
        hook(store, "team", team.url)
        send(store, "gone")

        def ends(*_: object) -> None:
            raise RuntimeError("the process ended")

        with monkeypatch.context() as ending:
            ending.setattr(disabling, "_tell", ends)
            with pytest.raises(RuntimeError):
                asyncio.run(courier(store, at).deliver_due())
        assert state_of(store, "gone") == "active"
        assert team.received == []
        at.advance(minutes=2)
        carry_all(courier(store, at))
        assert state_of(store, "gone") == "disabled"
        assert len(team.received) == 1


def test_the_retry_that_follows_a_day_later_is_within_one_spell(store: Store, at: FixedClock) -> None:
    """The longest wait of the schedule, with its jitter, must not look like a pause."""
    assert timedelta(hours=24) * 1.2 < disabling.LONGEST_PAUSE < disabling.FAILING
