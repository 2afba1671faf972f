"""Traffic over HTTP: heat map, forecast, surges and their webhooks, help and training."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.models import Agent, Case, Event, Intent, Match, Problem
from kb_service.store import NewEvent
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, faults, problem, running

NOW = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = 21
PARCEL = ("where is my parcel", "my parcel has not moved", "the parcel is late")
BACK = ("I want to send it back", "return this item please", "how do I return it")


def history(api: Api) -> None:
    """Three weeks: by day four cases an hour about parcels and two about returns, none at night; and their outcomes."""
    with api.store.writing("shop") as unit:
        for id, examples, field in (("parcel", PARCEL, "logistics"), ("back", BACK, "returns")):
            unit.intents.put(Intent(id=id, label=id, examples=examples, expertise=field))
            names = {"en": id, "zh": id}
            at = NOW - timedelta(days=DAYS)
            unit.problems.put(
                Problem(f"p-{id}", names, "open", opened_at=at, active_at=NOW, episode_at=at, intent_id=id)
            )
        for id, skill, online in (
            ("ann", "logistics", True),
            ("bob", "logistics", False),
            ("cem", "returns", True),
            ("dai", "returns", True),
            ("eve", "returns", True),
        ):
            unit.agents.put(Agent(id, id.title(), ("zh", "en"), (skill,), capacity=4, online=online))
        new: list[NewEvent] = []
        matches = []
        for hour in range(DAYS * 24):
            at = NOW - timedelta(days=DAYS) + hour * HOUR
            if not 1 <= at.hour < 14:  # 09:00 to 22:00 in Shanghai
                continue
            for number in range(6):
                field = "parcel" if number < 4 else "back"
                id = f"h{hour}-{number}"
                moment = at + timedelta(minutes=9 * number)
                unit.cases.put(
                    Case(
                        f"case-{id}",
                        f"u-{id}",
                        (f"c-{id}",),
                        ("app",),
                        "resolved",
                        moment,
                        moment,
                        f"p-{field}",
                    )
                )
                said = {"conversation_id": f"c-{id}", "customer_id": f"u-{id}", "channel": "app"}
                new.append(NewEvent(Event(id, "message", moment, text=field, **said), f"case-{id}"))
                matches.append((id, f"p-{field}", Match(f"p-{field}", "joined", 0.9, 0.1)))
                who = ("ann", "bob")[hour % 2] if field == "parcel" else ("cem", "dai", "eve")[hour % 3]
                solved = who != "bob" or hour % 4 == 1
                done = Event(
                    f"r-{id}", "resolution", moment + timedelta(minutes=5), role="agent", agent_id=who,
                    resolved=solved, handling_seconds=300.0, **said,
                )  # fmt: skip
                new.append(NewEvent(done, f"case-{id}"))
        unit.events.add_many(new)
        unit.assignments.put_many(matches)
    api.services.replicas.settled("shop").reset()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A shop with a history; its tests leave nothing behind."""
    with running(tmp_path_factory.mktemp("traffic") / "data", FixedClock(NOW)) as api:
        history(api)
        yield api


def test_the_heat_map_shows_the_hours_of_the_shop(busy: Api) -> None:
    found = busy.get("/v1/traffic/heatmap").json()
    assert (found["by"], found["timezone"]) == ("expertise", "Asia/Shanghai")
    assert found["days"] == ["1", "2", "3", "4", "5", "6", "7"]
    assert found["total"]["cases"] == DAYS * 13 * 6
    by_key = {row["key"]: row for row in found["rows"]}
    assert [row["key"] for row in found["rows"]] == ["logistics", "returns"]
    parcels = by_key["logistics"]
    assert parcels["cells"][0] == [0] * 9 + [12] * 13 + [0] * 2
    assert parcels["normalised"][0][9] == 1.0
    assert parcels["handling_seconds"] == 300.0
    assert parcels["customers"] == parcels["messages"] == DAYS * 13 * 4


def test_hours_before_the_first_message_do_not_count_into_averages(busy: Api) -> None:
    """Eight weeks are asked for and three are known: an average over eight would be three eighths of the truth."""
    found = busy.get("/v1/traffic/heatmap").json()
    until = datetime.fromisoformat(found["to"]) - datetime.fromisoformat(found["from"])
    assert until == timedelta(weeks=8)
    counted = sum(sum(day) for day in found["hours_counted"])
    assert abs(counted - DAYS * 24) <= 24
    cells, hours = found["total"]["cells"], found["hours_counted"]
    assert [cells[0][hour] / hours[0][hour] for hour in range(9, 22)] == [6.0] * 13


def test_customers_of_a_heat_map_are_distinct_over_the_span(desk: Api) -> None:
    before = desk.get("/v1/traffic/heatmap").json()["total"]
    rush(desk, "again", 3, minutes=60, customer_id="u-again", conversation_id="c-again")
    after = desk.get("/v1/traffic/heatmap").json()["total"]
    assert after["customers"] == before["customers"] + 1
    assert after["cases"] == before["cases"] + 1
    assert sum(map(sum, after["customer_cells"])) == sum(map(sum, before["customer_cells"])) + 3


def test_a_heat_map_is_kept_for_a_minute_while_messages_come_in(
    desk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb_service.traffic import desk as traffic

    drawn: list[object] = []
    draw = traffic.drawn
    monkeypatch.setattr(traffic, "drawn", lambda *all, **named: drawn.append(1) or draw(*all, **named))
    assert desk.post("/v1/events", desk.event("first", channel="app")).status_code == 200
    for number in range(3):
        assert desk.get("/v1/traffic/heatmap").status_code == 200
        assert desk.post("/v1/events", desk.event(f"more-{number}", channel="app")).status_code == 200
    assert len(drawn) == 1
    desk.clock.advance(minutes=1)
    assert desk.get("/v1/traffic/heatmap").status_code == 200
    assert len(drawn) == 2
    desk.put("/v1/intents/night", {"label": "Night", "examples": ["at night"], "expertise": "nights"})
    assert desk.get("/v1/traffic/heatmap").status_code == 200
    assert len(drawn) == 3, "names and fields count at once"


def test_what_belongs_to_no_field_has_a_name_in_both_languages(desk: Api) -> None:
    assert (
        desk.post("/v1/events", desk.event("strange", text="the lamp hums", channel=None)).status_code == 200
    )
    for language, name, whole in (("zh", "未归类", "全店"), ("en", "unsorted", "The whole shop")):
        heard = {"headers": {"Accept-Language": language}}
        found = desk.get("/v1/traffic/heatmap", **heard).json()
        assert [row["name"] for row in found["rows"] if row["key"] is None] == [name]
        assert found["total"]["name"] == whole
        groups = desk.get("/v1/metrics/support?by=expertise", **heard).json()["groups"]["expertise"]
        assert [group["label"] for group in groups if group["key"] is None] == [name]


def test_a_heat_map_of_dates_follows_its_span_and_zone(busy: Api) -> None:
    query = {"by": "channel", "per": "day", "timezone": "UTC"}
    query |= {"from": "2026-06-14T00:00:00Z", "to": "2026-06-16T00:00:00Z"}
    found = busy.get("/v1/traffic/heatmap", params=query).json()
    assert found["days"] == ["2026-06-14", "2026-06-15"]
    (row,) = found["rows"]
    assert row["key"] == "app"
    assert row["cells"] == [[0] + [6] * 13 + [0] * 10] * 2
    assert found["hours_counted"] == [[1] * 24] * 2
    empty = busy.get("/v1/traffic/heatmap?by=product", workspace="other").json()
    assert (empty["rows"], empty["total"]["cases"]) == ([], 0)


def test_a_span_must_be_one(busy: Api) -> None:
    assert set(faults(busy.get("/v1/traffic/heatmap", params={"timezone": "Mars/Base"}))) == {"timezone"}
    assert "from" in faults(
        busy.get("/v1/traffic/heatmap", params={"from": NOW.isoformat(), "to": "2026-01-01T00:00:00Z"})
    )
    long = {"from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    said = faults(busy.get("/v1/traffic/heatmap", params=long, headers={"Accept-Language": "zh"}))
    assert "370" in said["from"]


def test_the_forecast_knows_day_and_night_and_what_they_need(busy: Api) -> None:
    found = busy.get("/v1/traffic/forecast?hours=48").json()
    assert (found["basis"], found["surges"]) == ("seasonal", [])
    total, parts = found["total"], {part["expertise"]["id"]: part for part in found["expertise"]}
    hours = total["hours"]
    assert len(hours) == 48
    assert hours[0]["at"] == "2026-06-18T12:00:00+08:00"
    for place, hour in enumerate(hours):
        day = 9 <= int(hour["at"][11:13]) < 22
        assert hour["naive"] == (6 if day else 0)
        assert hour["expected"] == pytest.approx(6 if day else 0, abs=0.7)
        assert hour["low_95"] <= hour["low_80"] <= hour["high_80"] <= hour["high_95"]
        if day:
            assert parts["logistics"]["hours"][place]["expected"] == pytest.approx(4, abs=0.6)
    assert total["handling_seconds"] == pytest.approx(300.0)
    assert (total["online_agents"], parts["logistics"]["online_agents"]) == (4, 1)
    first = parts["logistics"]["hours"][0]
    assert first["needed_agents"] == 2
    assert first["shortfall"] == 1


def test_without_history_the_forecast_says_so(busy: Api) -> None:
    found = busy.get("/v1/traffic/forecast?hours=3", workspace="other").json()
    assert found["basis"] == "no_history"
    assert [hour["expected"] for hour in found["total"]["hours"]] == [0, 0, 0]
    assert found["total"]["hours"][0]["naive"] is None
    assert busy.get("/v1/traffic/help", workspace="other").json()["items"] == []
    assert busy.get("/v1/traffic/training", workspace="other").json()["items"] == []


def test_help_comes_from_people_whose_own_field_can_spare_them(busy: Api) -> None:
    (need,) = busy.get("/v1/traffic/help").json()["items"]
    assert need["expertise"]["id"] == "logistics"
    assert (need["why"], need["needed_agents"], need["online_agents"], need["shortfall"]) == (
        "forecast",
        2,
        1,
        1,
    )
    offered = {agent["id"]: agent for agent in need["agents"]}
    assert set(offered) == {"ann"}, "nobody else knows parcels"
    assert offered["ann"]["reason"] == "member"
    assert offered["ann"]["cases_per_hour"] == pytest.approx(12.0)
    (asked,) = busy.get("/v1/traffic/help?expertise=returns", headers={"Accept-Language": "zh"}).json()[
        "items"
    ]
    assert asked["why"] == "asked"
    assert "每小时" in asked["agents"][0]["text"]
    problem(busy.get("/v1/traffic/help?expertise=none"), 404)


def test_training_would_pay_where_somebody_resolves_less_than_the_best(busy: Api) -> None:
    found = busy.get("/v1/traffic/training").json()["items"]
    first = found[0]
    assert (first["expertise"]["id"], first["agent"]["id"]) == ("logistics", "bob")
    assert first["reason"] == "below_the_best"
    assert first["rate"] < 0.75 < first["reachable"]
    share = first["cases_per_week"] / 2
    assert first["gain"] == pytest.approx(share * (first["reachable"] - first["rate"]), rel=0.1)
    assert "Bob" in first["text"]
    assert all(item["agent"]["id"] != "ann" for item in found)


def test_a_promotion_day_that_the_shop_declares_is_expected(desk: Api) -> None:
    plain = desk.get("/v1/traffic/forecast?hours=48").json()
    rules = {"promotion_days": ["2026-06-19", "2026-06-19"], "surge_customers": 9}
    said = desk.put("/v1/rules", rules).json()
    assert (said["promotion_days"], said["timezone"]) == (["2026-06-19"], "Asia/Shanghai")
    found = desk.get("/v1/traffic/forecast?hours=48").json()
    assert found["promotion_days"] == ["2026-06-19"]
    assert found["promotion_effect"] == pytest.approx(1.8)
    for before, after in zip(plain["total"]["hours"], found["total"]["hours"], strict=True):
        factor = 1.8 if after["at"].startswith("2026-06-19") else 1.0
        assert after["expected"] == pytest.approx(before["expected"] * factor, rel=0.02, abs=0.05)


def test_the_shops_zone_must_be_one_and_its_hours_are_drawn_in_it(desk: Api) -> None:
    assert set(faults(desk.put("/v1/rules", {"timezone": "Nowhere"}))) == {"timezone"}
    assert set(faults(desk.put("/v1/rules", {"promotion_days": ["11.11."]}))) == {"promotion_days.0"}
    assert desk.put("/v1/rules", {"timezone": "Europe/Berlin"}).status_code == 200
    found = desk.get("/v1/traffic/heatmap").json()
    assert found["timezone"] == "Europe/Berlin"
    assert found["total"]["cells"][0] == [0] * 3 + [18] * 13 + [0] * 8


# --- surges


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "data", FixedClock(NOW)) as api:
        history(api)
        yield api


def rush(api: Api, prefix: str, number: int, minutes: float = 1.0, **fields: Any) -> None:
    for place in range(number):
        body = api.event(f"{prefix}{place}", text=PARCEL[0], **fields)
        assert api.post("/v1/events", body).status_code == 200
        api.clock.advance(minutes=minutes)


def messages(api: Api) -> list[dict[str, Any]]:
    with api.store.reading("shop") as unit:
        found = [unit.outbox.message(item.message_id) for item in unit.webhooks.deliveries("hook").items]
    return sorted((m.data for m in found if m is not None), key=lambda data: data["state"], reverse=True)


def listen(api: Api, **filter: Any) -> None:
    body = {"url": "https://example.com/hook", "types": ["traffic.surge"], "filter": filter}
    assert api.put("/v1/webhooks/hook", body).status_code in (200, 201)


def test_a_surge_is_told_once_at_the_message_that_makes_it_one_and_its_end_too(desk: Api) -> None:
    listen(desk, expertise=["logistics"])
    rush(desk, "s", 25)
    (surge,) = desk.get("/v1/traffic/surges?state=open").json()["items"]
    assert surge["expertise"] == {"id": "logistics", "name": "logistics"}
    assert surge["told"]
    assert surge["observed"] >= 5
    assert surge["observed"] > 3 * surge["expected"]
    assert surge["p_value"] < 1e-4
    opened = datetime.fromisoformat(surge["opened_at"])
    assert NOW < opened < NOW + timedelta(minutes=15)
    assert desk.get("/v1/traffic/forecast?hours=1").json()["surges"] == [surge]
    (told,) = messages(desk)
    assert (told["id"], told["state"]) == (surge["id"], "open")
    assert {helper["id"] for helper in told["help"]} == {"ann"}
    assert "customers" in told["evidence"]["en"]
    assert "位顾客" in told["evidence"]["zh"]
    (need,) = desk.get("/v1/traffic/help").json()["items"]
    assert (need["why"], need["surge"]["id"]) == ("surge", surge["id"])

    desk.clock.advance(minutes=60)
    rush(desk, "calm", 5, minutes=15)
    assert desk.get("/v1/traffic/surges?state=open").json()["items"] == []
    (over,) = desk.get("/v1/traffic/surges").json()["items"]
    assert over["id"] == surge["id"]
    assert datetime.fromisoformat(over["closed_at"]) > opened
    assert [data["state"] for data in messages(desk)] == ["open", "closed"]


def test_the_usual_number_of_customers_is_no_surge(desk: Api) -> None:
    rush(desk, "s", 16, minutes=15)
    assert desk.get("/v1/traffic/surges").json()["items"] == []


def test_one_customer_who_writes_a_lot_is_no_surge(desk: Api) -> None:
    rush(desk, "s", 30, customer_id="u-loud", conversation_id="c-loud")
    assert desk.get("/v1/traffic/surges").json()["items"] == []


def test_a_surge_of_the_past_is_stored_and_told_to_nobody(desk: Api) -> None:
    listen(desk)
    desk.clock.advance(days=3)
    lines = [
        desk.event(f"s{n}", at=(NOW + timedelta(minutes=n)).isoformat(), text=PARCEL[0]) for n in range(25)
    ]
    assert {line["status"] for line in desk.batch("/v1/events:batch", lines)} == {"accepted"}
    (surge,) = desk.get("/v1/traffic/surges?state=open").json()["items"]
    assert not surge["told"]
    assert messages(desk) == []


def test_a_surge_ends_when_nobody_writes_any_more(desk: Api) -> None:
    listen(desk)
    rush(desk, "s", 25)
    assert desk.services.surge_end.look("shop") == 0
    desk.clock.advance(minutes=100)
    assert desk.services.surge_end.look("shop") == 1
    (surge,) = desk.get("/v1/traffic/surges").json()["items"]
    assert surge["state"] == "closed"
    assert datetime.fromisoformat(surge["closed_at"]) == NOW + timedelta(minutes=24 + 90)
    assert desk.services.surge_end.look("shop") == 0
    assert [data["state"] for data in messages(desk)] == ["open", "closed"]


def test_a_replica_that_starts_anew_knows_that_a_surge_is_under_way(desk: Api) -> None:
    rush(desk, "s", 25)
    before = desk.get("/v1/traffic/forecast?hours=5").json()
    desk.services.replicas.settled("shop").reset()
    assert desk.get("/v1/traffic/forecast?hours=5").json() == before
    rush(desk, "t", 10)
    assert len(desk.get("/v1/traffic/surges").json()["items"]) == 1


def test_the_same_history_gives_the_same_surges(desk: Api, tmp_path: Path) -> None:
    rush(desk, "s", 25)
    with running(tmp_path / "again", FixedClock(NOW + timedelta(minutes=25))) as again:
        history(again)
        lines = [
            again.event(f"s{n}", at=(NOW + timedelta(minutes=n)).isoformat(), text=PARCEL[0])
            for n in range(25)
        ]
        again.batch("/v1/events:batch", lines)
        assert again.get("/v1/traffic/surges").json() == desk.get("/v1/traffic/surges").json()
