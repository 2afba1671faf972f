"""Rules tried on a shop's own past over HTTP: the same rules give what was, stricter ones less, nobody else's data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, faults, problem, running

ZIP = "the zipper of the jacket broke after one wash"
KETTLE = "my kettle leaks water on the table"
LAMP = "the lamp flickers all evening long"


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock) as started:
        yield started


def customers(api: Api, text: str, many: int, name: str, minutes: int = 60) -> None:
    for number in range(many):
        response = api.post("/v1/events", api.event(f"{name}{number}", text=text))
        assert response.status_code == 200, response.text
        api.clock.advance(minutes=minutes)


def span(api: Api, begin: datetime, **more: Any) -> dict[str, Any]:
    return {"from": begin.isoformat(), "to": api.clock.now.isoformat(), **more}


def tried(api: Api, body: dict[str, Any], **request: Any) -> dict[str, Any]:
    response = api.post("/v1/rules:backtest", body, **{"role": "product", **request})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def told(alerts: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(item["kind"], item["problem"]["id"], item["opened_at"]) for item in alerts["alerts"]]


@pytest.fixture
def busy(api: Api) -> tuple[Api, datetime]:
    """Six customers about a zipper, three about a kettle, one about a lamp."""
    begin = api.clock.now
    customers(api, ZIP, 6, "z")
    customers(api, KETTLE, 3, "k")
    customers(api, LAMP, 1, "l")
    return api, begin


def test_the_same_rules_give_what_was(busy: tuple[Api, datetime]) -> None:
    api, begin = busy
    found = tried(api, span(api, begin))
    assert found["events"] == 10
    assert len(found["as_it_was"]["alerts"]) == 2
    assert told(found["present"]) == told(found["as_it_was"]) == told(found["proposed"])
    for was, would in zip(found["as_it_was"]["alerts"], found["present"]["alerts"], strict=True):
        # Why messages belong together was told with the alert; here only the counts are taken anew.
        assert was["evidence"]["en"].startswith(would["evidence"]["en"])
        assert {**was, "evidence": None} == {**would, "evidence": None}
    assert found["present"]["summary"] == found["as_it_was"]["summary"]
    assert found["present"]["summary"]["median_minutes"] == 120.0
    assert found["changes"]["items"] == []
    assert found["suggestion"] is None


def test_stricter_rules_raise_fewer_and_the_changes_say_which(busy: tuple[Api, datetime]) -> None:
    api, begin = busy
    found = tried(api, span(api, begin, rules={"recurrence_customers": 5}))
    (alert,) = found["proposed"]["alerts"]
    assert alert["customers"] == 5
    changes = {item["outcome"]: item for item in found["changes"]["items"]}
    assert changes.keys() == {"later", "vanishes"}
    assert changes["later"]["minutes"] == 120.0
    assert changes["vanishes"]["proposed"] is None
    assert found["changes"]["totals"] == {"appears": 0, "vanishes": 1, "earlier": 0, "later": 1}
    assert api.get("/v1/rules").json()["recurrence_customers"] == 3, "nothing was set"


def test_laxer_rules_raise_more_and_earlier(busy: tuple[Api, datetime]) -> None:
    api, begin = busy
    rules = {"recurrence_customers": 2, "promote_customers": 2}
    found = tried(api, span(api, begin, rules=rules, kinds=["recurrence"]))
    assert found["changes"]["totals"] == {"appears": 0, "vanishes": 0, "earlier": 2, "later": 0}
    assert all(item["minutes"] == -60.0 for item in found["changes"]["items"])


def test_lists_are_cut_and_totals_are_not(busy: tuple[Api, datetime]) -> None:
    api, begin = busy
    found = tried(api, span(api, begin, limit=1, rules={"recurrence_customers": 1000}))
    assert len(found["present"]["alerts"]) == len(found["changes"]["items"]) == 1
    assert found["present"]["summary"]["alerts"] == found["changes"]["totals"]["vanishes"] == 2


def test_what_people_did_bears_on_what_would_have_been(busy: tuple[Api, datetime]) -> None:
    api, begin = busy
    zipper = tried(api, span(api, begin))["as_it_was"]["alerts"][0]["problem"]["id"]
    assert api.post(f"/v1/problems/{zipper}/resolve").status_code == 200
    api.clock.advance(hours=30)
    customers(api, ZIP, 4, "again")
    found = tried(api, span(api, begin))
    assert [item["kind"] for item in found["as_it_was"]["alerts"]] == [
        "recurrence",
        "recurrence",
        "regression",
    ]
    assert told(found["present"]) == told(found["as_it_was"])
    strict = tried(api, span(api, begin, rules={"regression_customers": 5}))
    assert strict["changes"]["totals"]["vanishes"] == 1


def test_a_span_without_events_holds_nothing(busy: tuple[Api, datetime]) -> None:
    api, begin = busy
    empty = {"from": (begin - timedelta(days=9)).isoformat(), "to": (begin - timedelta(days=2)).isoformat()}
    found = tried(api, empty)
    assert found["events"] == 0
    assert [found[name]["alerts"] for name in ("as_it_was", "present", "proposed")] == [[], [], []]
    assert found["present"]["summary"]["median_minutes"] is None


def test_another_shop_sees_nothing_of_it(busy: tuple[Api, datetime]) -> None:
    api, begin = busy
    found = tried(api, span(api, begin), workspace="other")
    assert found["events"] == 0
    assert found["as_it_was"]["alerts"] == found["present"]["alerts"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "2026-06-18T00:00:00Z", "to": "2026-06-17T00:00:00Z"}, "from"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-06-17T00:00:00Z"}, "from"),
        ({"from": "2026-06-01T00:00:00", "to": "2026-06-17T00:00:00Z"}, "from"),
        ({"to": "2026-06-17T00:00:00Z"}, "from"),
        ({"from": "2026-06-01T00:00:00Z", "to": "2026-06-17T00:00:00Z", "rules": {"recurence": 4}}, "rules.recurence"),
        (
            {"from": "2026-06-01T00:00:00Z", "to": "2026-06-17T00:00:00Z", "rules": {"burst_customers": 1}},
            "rules.burst_customers",
        ),
        ({"from": "2026-06-01T00:00:00Z", "to": "2026-06-17T00:00:00Z", "kinds": ["surge"]}, "kinds.0"),
    ],
)  # fmt: skip
def test_mistakes_name_their_field(api: Api, body: dict[str, Any], field: str) -> None:
    assert list(faults(api.post("/v1/rules:backtest", body))) == [field]


@pytest.mark.parametrize("role", ["bot", "agent"])
def test_it_is_for_product_teams(api: Api, role: str) -> None:
    body = {"from": "2026-06-01T00:00:00Z", "to": "2026-06-17T00:00:00Z"}
    problem(api.post("/v1/rules:backtest", body, role=role), 403)


def test_thresholds_are_suggested_from_what_people_took_up(api: Api) -> None:
    begin = api.clock.now
    for number in range(9):
        customers(api, f"broken{number} item{number} part{number} noise{number}", 6, f"u{number}-", 30)
    for number in range(12):
        customers(api, f"quiet{number} ask{number} small{number} thing{number}", 3, f"n{number}-", 30)
    alerts = api.get("/v1/alerts?kind=recurrence&limit=200").json()["items"]
    assert len(alerts) == 21
    largest = sorted(alerts, key=lambda item: item["opened_at"])[:9]
    for alert in largest:
        assert api.post(f"/v1/problems/{alert['problem']['id']}/acknowledge").status_code == 200
    api.clock.advance(days=4)
    found = tried(api, span(api, begin, suggest=True))["suggestion"]
    assert (found["reason"], found["useful"], found["noise"]) == ("better", 9, 12)
    assert 4 <= found["rules"]["recurrence_customers"] <= 6
    assert (found["kept"], found["others"], found["others_now"]) == (9, 0, 12)
    assert len(found["trials"]) > 3
    labels = {alert["id"]: "noise" for alert in largest}
    few = tried(api, span(api, begin, suggest=True, labels=labels))["suggestion"]
    assert (few["reason"], few["useful"], few["rules"]) == ("too_few", 0, {})


def test_alerts_of_what_was_merged_since_count_as_its_survivors(busy: tuple[Api, datetime]) -> None:
    """Nights merge problems: what was told of one that is no more was never found again."""
    api, begin = busy
    zipper, kettle = [item["problem"]["id"] for item in tried(api, span(api, begin))["as_it_was"]["alerts"]]
    assert api.post(f"/v1/problems/{kettle}/merge", {"into": zipper}).status_code == 200
    found = tried(api, span(api, begin))
    assert {item["problem"]["id"] for item in found["as_it_was"]["alerts"]} == {zipper}
    assert [item["problem"]["id"] for item in found["present"]["alerts"]] == [zipper]


def test_the_changes_of_a_span_add_up_when_an_alert_moves_into_it(busy: tuple[Api, datetime]) -> None:
    """What the present rules tell before the span is not among its alerts: told within it by others, it is one more."""
    api, begin = busy
    inside = span(api, begin + timedelta(hours=3), rules={"recurrence_customers": 5}, kinds=["recurrence"])
    found = tried(api, inside)
    totals = found["changes"]["totals"]
    assert totals == {"appears": 1, "vanishes": 1, "earlier": 0, "later": 0}
    present, proposed = (found[name]["summary"]["alerts"] for name in ("present", "proposed"))
    assert present + totals["appears"] - totals["vanishes"] == proposed == 1
