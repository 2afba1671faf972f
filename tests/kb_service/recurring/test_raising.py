"""Alerts as they are raised live: once, with their evidence, and the same however the events come."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph import lifecycle
from graph.matching import ProblemMatcher
from graph.models import Alert, Event, Match, Utterance
from ingest.embedding import WordHashEmbedder
from kb_service.app import wire
from kb_service.models import KEY_ROLES, EventResult, Principal
from kb_service.recording import Recording
from kb_service.services import Services
from kb_service.settings import Settings
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, running
from tests.kb_service.recurring.test_problems import Receiver, until

SHOP = "shop"
CALLER = Principal(SHOP, "key", frozenset(KEY_ROLES))
MATTERS = (
    "the invoice shows a wrong company name",
    "can I change the delivery address of my order",
    "the coupon code is refused at checkout",
    "which size fits a child of ten years",
    "my refund has not arrived on the card",
    "the app logs me out again and again",
)
BROKEN = "the zipper of the winter jacket broke after one wash"
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def message(id: str, at: datetime, text: str, who: str | None = None) -> Event:
    return Event(id, "message", at, conversation_id=f"c-{id}", customer_id=who or f"u-{id}", text=text)


def history(end: datetime, days: float = 5, hourly: float = 2.0, seed: int = 4) -> list[Event]:
    """What an even shop hears up to `end`, in order of time."""
    chance = random.Random(seed)
    at, events = end - days * DAY, list[Event]()
    while (at := at + timedelta(hours=chance.expovariate(hourly))) < end:
        events.append(message(f"h{seed}-{len(events)}", at, chance.choice(MATTERS)))
    return events


def incident(begin: datetime, customers: int = 8, text: str = BROKEN, minutes: float = 3.0) -> list[Event]:
    return [
        message(f"i-{begin:%d%H%M}-{number}", begin + timedelta(minutes=minutes * number), text)
        for number in range(customers)
    ]


def in_order(*streams: Sequence[Event]) -> list[Event]:
    return sorted((event for stream in streams for event in stream), key=lambda event: event.at)


@contextmanager
def serving(folder: Path, clock: FixedClock) -> Iterator[Services]:
    """A process that answers what it is asked; nothing of it runs beside."""
    services = wire(Settings(data=folder), embedder=WordHashEmbedder(), clock=clock, chance=random.Random(1))
    with services.store.administration() as unit:
        if unit.workspaces.get(SHOP) is None:
            unit.workspaces.create(SHOP)
    try:
        yield services
    finally:
        services.stop()


def record(services: Services, events: Sequence[Event], size: int = 200) -> list[EventResult]:
    results = []
    for begin in range(0, len(events), size):
        results += services.casework.record(SHOP, events[begin : begin + size])
    assert all(isinstance(result, EventResult) for result in results)
    return [result for result in results if isinstance(result, EventResult)]


def alerts(services: Services, *kinds: str) -> list[Alert]:
    with services.store.reading(SHOP) as unit:
        return [alert for alert in unit.alerts.all() if not kinds or alert.kind in kinds]


def told(services: Services) -> list[tuple[str, datetime, str, int, str]]:
    """All that was raised, comparable between runs."""
    return [
        (alert.kind, alert.opened_at, alert.problem_id, alert.evidence.observed, alert.evidence.words["en"])
        for alert in alerts(services)
    ]


@pytest.fixture
def eventful(clock: FixedClock) -> list[Event]:
    """Five days with two incidents; one message in five comes late, by up to two hours."""
    now, chance = clock.now, random.Random(8)
    events = in_order(
        history(now),
        incident(now - 30 * HOUR, 12, minutes=4),
        incident(now - 2 * HOUR, 14, MATTERS[0], minutes=4),
    )
    arrival = [
        (event.at + chance.choice([0, 0, 0, 0, 1]) * chance.random() * 2 * HOUR, event) for event in events
    ]
    return [event for _, event in sorted(arrival, key=lambda item: item[0])]


# --- over HTTP


def wire_form(events: Sequence[Event]) -> list[dict[str, Any]]:
    names = ("id", "type", "conversation_id", "customer_id", "text")
    return [{"at": event.at.isoformat()} | {name: getattr(event, name) for name in names} for event in events]


def test_a_burst_is_raised_once_and_delivered(tmp_path: Path, clock: FixedClock) -> None:
    receiver = Receiver()
    try:
        with running(tmp_path / "data", clock, webhook_allow="127.0.0.0/8") as api:
            hook = {"url": receiver.url, "types": ["alert.opened"]}
            assert api.put("/v1/webhooks/team", hook, role="product").status_code == 201
            api.batch("/v1/events:batch", wire_form(history(clock.now - HOUR)))
            before = {item["id"] for item in _alerts(api, "burst")}
            begin = clock.now - 40 * timedelta(minutes=1)
            results = api.batch("/v1/events:batch", wire_form(incident(begin, 12)))
            (burst,) = [item for item in _alerts(api, "burst") if item["id"] not in before]
            listed = [alert for result in results for alert in result["alerts"]]
            assert burst["id"] in listed
            assert burst["problem"]["id"] == results[0]["problem"]["id"]
            assert burst["problem"]["state"] == burst["state"] == "open"
            assert burst["customers"] >= 3
            assert burst["p_value"] < 1e-5
            assert burst["proposal_id"]
            assert f"{burst['customers']} customers" in burst["evidence"]["en"]
            assert f"{burst['customers']} 位顾客" in burst["evidence"]["zh"]
            assert burst["examples"] == [BROKEN] * min(5, burst["customers"])
            clock.advance(minutes=1)
            until(lambda: any(_kind(body) == "burst" for _, body in receiver.received))
            more = api.batch("/v1/events:batch", wire_form(incident(clock.now, 2, minutes=0.5)))
            assert not any(result["alerts"] for result in more)
            assert len([body for _, body in receiver.received if _kind(body) == "burst"]) == 1
    finally:
        receiver.close()


def _alerts(api: Api, kind: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(f"/v1/alerts?kind={kind}").json()["items"]
    return items


def _kind(body: bytes) -> str:
    return str(json.loads(body)["data"]["kind"])


# --- what is told


def test_a_shop_that_is_lifted_as_a_whole_stays_quiet(tmp_path: Path, clock: FixedClock) -> None:
    now = clock.now
    with serving(tmp_path / "data", clock) as services:
        record(services, history(now - DAY))
        before = len(alerts(services, "burst"))
        record(services, history(now, days=1, hourly=7, seed=5))
        assert len(alerts(services, "burst")) == before


def test_slow_growth_is_told_once(tmp_path: Path, clock: FixedClock) -> None:
    now, chance = clock.now, random.Random(6)
    rare = [
        message(f"g{day}-{number}", now - (40 - day) * DAY + chance.random() * 20 * HOUR, BROKEN)
        for day in range(40)
        for number in range(2 if day < 28 else 9)
    ]
    with serving(tmp_path / "data", clock) as services:
        record(services, in_order(history(now, days=40, hourly=1), rare))
        (grown,) = [alert for alert in alerts(services, "growth") if alert.examples[0] == BROKEN]
        assert now - 12 * DAY < grown.opened_at < now - DAY
        assert grown.evidence.window_minutes % 1440 == 0


def test_a_candidate_is_promoted_by_what_it_is_told_for(tmp_path: Path, clock: FixedClock) -> None:
    now = clock.now
    with serving(tmp_path / "data", clock) as services:
        services.rulebook.put(CALLER, _rules(services, promote_customers=50, recurrence_customers=50))
        record(services, history(now - HOUR))
        result = record(services, incident(now - 50 * timedelta(minutes=1), 12))[-1]
        assert result.problem is not None
        with services.store.reading(SHOP) as unit:
            found = unit.problems.get(result.problem.id)
        assert found is not None
        assert found.state == "open"
        assert [alert.kind for alert in alerts(services) if alert.problem_id == found.id] == ["burst"]


def _rules(services: Services, **given: Any) -> Any:
    return replace(services.rulebook.rules(SHOP), **given)


def test_a_history_in_one_transaction_is_dated_as_it_would_have_been_live(
    tmp_path: Path, clock: FixedClock
) -> None:
    begin = clock.now - 20 * DAY
    said = [message(f"m{number}", begin + number * 9 * HOUR, BROKEN) for number in range(30)]
    with serving(tmp_path / "data", clock) as services:
        results = record(services, said, size=1000)
        (alert,) = alerts(services, "recurrence")
        assert (alert.opened_at, alert.evidence.customers) == (begin + 18 * HOUR, 3)
        assert alert.examples == (BROKEN,) * 3
        assert [result.alerts for result in results if result.alerts] == [(alert.id,)]


def test_windows_end_with_the_clock_when_nobody_writes(tmp_path: Path, clock: FixedClock) -> None:
    now = clock.now
    with serving(tmp_path / "data", clock) as services:
        record(services, history(now - HOUR))
        clock.advance(minutes=6)
        record(services, incident(now + timedelta(minutes=1), 5, minutes=0.8))
        before = alerts(services, "burst")
        assert services.window_end.look(SHOP) == 1
        (burst,) = [alert for alert in alerts(services, "burst") if alert not in before]
        assert burst.opened_at == now + timedelta(minutes=5)
        assert services.window_end.look(SHOP) == 0
        clock.advance(minutes=40)
        assert services.window_end.look(SHOP) == 0
        record(services, [message("later", clock.now, MATTERS[1])])
        assert burst in alerts(services, "burst")
        assert len(alerts(services, "burst")) == len(before) + 1


def test_a_history_that_is_loaded_ends_no_window_by_the_clock(tmp_path: Path, clock: FixedClock) -> None:
    with serving(tmp_path / "data", clock) as services:
        record(services, incident(clock.now - 30 * DAY, 8))
        before = alerts(services)
        assert services.window_end.look(SHOP) == 0
        assert alerts(services) == before


# --- the same, however it comes


@pytest.fixture
def expected(tmp_path: Path, clock: FixedClock, eventful: list[Event]) -> list[tuple[Any, ...]]:
    """What one process tells of the eventful days, its events coming in groups."""
    with serving(tmp_path / "alone", clock) as services:
        record(services, eventful)
        found = told(services)
    kinds = Counter(item[0] for item in found)
    assert kinds["burst"] >= 2
    assert kinds["recurrence"] >= 2
    return list(found)


@pytest.mark.parametrize("size", [1, 17, 5000])
def test_how_events_are_grouped_changes_nothing(
    tmp_path: Path, clock: FixedClock, eventful: list[Event], expected: list[Any], size: int
) -> None:
    with serving(tmp_path / "data", clock) as services:
        record(services, eventful, size)
        assert told(services) == expected


def test_a_restart_in_the_middle_of_a_window_changes_nothing(
    tmp_path: Path, clock: FixedClock, eventful: list[Event], expected: list[Any]
) -> None:
    inside = [place for place, event in enumerate(eventful) if event.id.startswith("i-")]
    begin = 0
    for end in [*inside[3::5], len(eventful)]:
        with serving(tmp_path / "data", clock) as services:
            record(services, eventful[begin:end])
        begin = end
    with serving(tmp_path / "data", clock) as services:
        assert told(services) == expected


def test_two_processes_tell_what_one_would(
    tmp_path: Path, clock: FixedClock, eventful: list[Event], expected: list[Any]
) -> None:
    with serving(tmp_path / "data", clock) as one, serving(tmp_path / "data", clock) as other:
        for turn, begin in enumerate(range(0, len(eventful), 60)):
            record((one, other)[turn % 2], eventful[begin : begin + 60])
        assert told(one) == expected


def test_a_transaction_that_fails_leaves_nothing_behind(
    tmp_path: Path,
    clock: FixedClock,
    eventful: list[Event],
    expected: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = [place for place, event in enumerate(eventful) if event.id.startswith("i-")]
    with serving(tmp_path / "data", clock) as services:
        record(services, eventful[: inside[1]])
        with monkeypatch.context() as broken:
            broken.setattr(Recording, "_look_at_traffic", _break)
            with pytest.raises(RuntimeError, match="broken"):
                record(services, eventful[inside[1] : inside[9]])
        record(services, eventful[inside[1] :])
        assert told(services) == expected


def _break(_: Recording) -> None:
    raise RuntimeError("broken")


def test_recording_does_not_read_the_problem_again(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message of a problem of many costs what one of a new problem does: nothing is read per problem or message."""
    from kb_service.store.problems import Problems

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("read from the store")

    with serving(tmp_path / "data", clock) as services:
        services.rulebook.put(CALLER, _rules(services, burst_customers=1000))
        record(services, incident(clock.now - 3 * DAY, 30))
        for name in ("observations", "event_count"):
            monkeypatch.setattr(Problems, name, refused)
        record(services, incident(clock.now - DAY, 30))
        with services.store.reading(SHOP) as unit:
            (found,) = unit.problems.all()
        assert (found.events, found.customers) == (60, 60)


def test_a_message_that_waited_counts_where_it_found_its_place(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that found its place in the middle of a transaction was counted by two problems."""
    real, tried = ProblemMatcher.match, set[str]()

    def unsure(matcher: ProblemMatcher, utterance: Utterance, *given: Any) -> Match:
        found = real(matcher, utterance, *given)
        if not utterance.text.startswith("well") or utterance.text in tried:
            return found
        tried.add(utterance.text)
        return Match(matcher.candidates(utterance)[-1].problem_id, "pending", 0.55, 0.5, pending=True)

    events = []
    for number, event in enumerate(history(clock.now, days=3)):
        case, who = f"c{number}", f"u{number}"
        if number > 60 and number % 4 == 0:
            vague = message(f"v{number}", event.at - timedelta(minutes=4), f"well {number} {event.text}")
            events.append(replace(vague, conversation_id=case, customer_id=who))
        events.append(replace(event, conversation_id=case, customer_id=who))
    with serving(tmp_path / "data", clock) as services:
        with monkeypatch.context() as patched:
            patched.setattr(ProblemMatcher, "match", unsure)
            results = record(services, in_order(events), 5000)
        assert sum(result.pending for result in results) > 3
        with services.store.reading(SHOP) as unit:
            problems = unit.problems.all()
            seen = {problem.id: unit.problems.observations(problem.id) for problem in problems}
            waits = len(unit.assignments.pending())
        assert waits < 3
        counted = [lifecycle.counted(known, seen[known.id], events=len(seen[known.id])) for known in problems]
        assert [(item.id, item.events, item.customers) for item in problems] == [
            (item.id, item.events, item.customers) for item in counted
        ]
