"""Where cases wait, and that a queue is placed again only where something happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graph.models import Case, Priority
from kb_service.models import QueuedCase, ServiceLevel
from kb_service.people.standing_queue import MOST_PRESSING, due_state, standing_queue
from kb_service.routing import Routing
from tests.kb_service.conftest import Api
from tests.kb_service.store_statements import store_statements

AT = datetime(2026, 6, 18, 12, tzinfo=UTC)


def queued(
    name: str, waited: float, band: str = "normal", tier: int = 3, problem: str | None = None
) -> QueuedCase:
    """A case that has waited for so many minutes of the hour in which it is to be answered."""
    since = AT - timedelta(minutes=waited)
    case = Case(name, "u", (name,), ("web",), "waiting", since, since, problem_id=problem)
    level = ServiceLevel(tier, since + timedelta(hours=1), since + timedelta(hours=24))
    return QueuedCase(case, None, Priority(40, band, ()), since, level, "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("waited", "state"), [(0, "in_time"), (44, "in_time"), (45, "soon"), (60, "soon"), (61, "missed")]
)
def test_a_first_reply_is_missed_after_its_time_and_nearly_after_three_quarters_of_it(
    waited: float, state: str
) -> None:
    assert due_state(queued("a", waited), AT) == state


def test_the_queue_is_told_by_expertise_band_and_tier() -> None:
    cases = [
        queued("a", 10, "low", 4, "p1"),
        queued("b", 70, "urgent", 1, "p2"),
        queued("c", 50, "normal", 3, "p2"),
        queued("d", 1500, "normal", 3),
    ]
    found = standing_queue(cases, {"p1": "returns", "p2": "delivery"}, AT, total=9)
    assert (found.total, found.whole.waiting, found.whole.missed, found.whole.soon, found.whole.unsolved) == (
        9, 4, 2, 1, 1,
    )  # fmt: skip
    assert found.whole.oldest_seconds == 1500 * 60
    assert [(part.key, part.waiting, part.missed) for part in found.parts["expertise"]] == [
        ("delivery", 2, 1),
        (None, 1, 1),
        ("returns", 1, 0),
    ]
    assert [part.key for part in found.parts["band"]] == ["urgent", "normal", "low"]
    assert [part.key for part in found.parts["tier"]] == ["1", "3", "4"]
    assert [(item.case.id, state) for item, state in found.pressing] == [
        ("d", "missed"),
        ("b", "missed"),
        ("c", "soon"),
    ]


def test_only_the_most_pressing_are_named() -> None:
    found = standing_queue([queued(f"c{n:02}", 100) for n in range(50)], {}, AT, total=50)
    assert len(found.pressing) == MOST_PRESSING
    assert found.whole.missed == 50


def test_nobody_waits_in_an_empty_queue() -> None:
    found = standing_queue([], {}, AT, total=0)
    assert (found.whole.waiting, found.whole.oldest_seconds, found.pressing) == (0, 0.0, ())


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the cases that were placed."""
    found: list[str] = []
    place_all = Routing.place_all

    def counted(self: Routing, unplaced: Any, **more: Any) -> Any:
        found.extend(item.waiting.case.id for item in unplaced)
        return place_all(self, unplaced, **more)

    monkeypatch.setattr(Routing, "place_all", counted)
    return found


def waiting(api: Api, name: str, text: str, **fields: Any) -> str:
    assert api.post("/v1/events", api.event(name, text=text, **fields)).status_code == 200
    case_id = api.case_id(name)
    assert api.post(f"/v1/cases/{case_id}/handover").status_code == 200
    return case_id


def test_a_queue_places_again_only_the_cases_in_which_something_happened(api: Api, placed: list[str]) -> None:
    first = waiting(api, "a", "my parcel has not moved for three days")
    second = waiting(api, "b", "the kettle makes a noise when it boils")
    api.services.waiting_queue.page("shop", None, 50)
    assert sorted(placed) == sorted([first, second])
    placed.clear()
    api.post(
        "/v1/events", api.event("a2", conversation_id="c-a", customer_id="u-a", text="it is still there")
    )
    api.clock.advance(seconds=6)
    assert len(api.services.waiting_queue.page("shop", None, 50).items) == 2
    assert placed == [first]


def test_a_case_is_placed_again_after_a_while(api: Api, placed: list[str]) -> None:
    """What waiting adds to its priority goes on without anything that happens in it."""
    only = waiting(api, "a", "my parcel has not moved for three days")
    (before,) = api.services.waiting_queue.page("shop", None, 50).items
    api.clock.advance(hours=2)
    (after,) = api.services.waiting_queue.page("shop", None, 50).items
    assert placed == [only, only]
    assert after.priority.total > before.priority.total


def test_new_rules_place_every_case_again(api: Api, placed: list[str]) -> None:
    waiting(api, "a", "my parcel has not moved for three days")
    waiting(api, "b", "the kettle makes a noise when it boils")
    api.services.waiting_queue.page("shop", None, 50)
    placed.clear()
    rules = api.get("/v1/rules").json()
    rules["priority_weights"] = {**rules.get("priority_weights", {}), "waiting": 1}
    answer = api.put("/v1/rules", rules)
    assert answer.status_code == 200, answer.text
    api.services.waiting_queue.page("shop", None, 50)
    assert len(placed) == 2


def test_a_queue_that_nobody_looked_at_asks_no_more_often_of_more_cases(api: Api) -> None:
    """Each case that waited cost seven queries on the first view after a start or a change."""
    for number in range(2):
        waiting(api, f"few{number}", "my parcel has not moved for three days")
    few = asked_when_cold(api)
    for number in range(10):
        waiting(api, f"more{number}", "my parcel has not moved for three days, nor has my refund come")
    many = asked_when_cold(api)
    assert len(many) <= len(few), "\n".join(sorted(many))
    assert len(api.services.waiting_queue.page("shop", None, 50).items) == 12


def asked_when_cold(api: Api) -> list[str]:
    """What the first view of the queue asks the store."""
    api.services.waiting_queue._kept.clear()
    api.services.waiting_queue._queues.clear()
    with store_statements() as found:
        api.services.waiting_queue.page("shop", None, 50)
    return found


def test_a_case_is_placed_among_many_as_it_is_alone(api: Api) -> None:
    first = waiting(api, "a", "I am furious, my parcel has not moved for three days")
    api.clock.advance(hours=1)
    waiting(api, "b", "the kettle makes a noise when it boils")
    waiting(api, "c", "my parcel has not moved either", customer_id="u-a", conversation_id="c-c")
    queued = {item.case.id: item for item in api.services.waiting_queue.page("shop", None, 50).items}
    alone = api.services.agent_desk.case("shop", first, language="en")
    assert alone.priority == queued[first].priority
    assert alone.sla == queued[first].sla
