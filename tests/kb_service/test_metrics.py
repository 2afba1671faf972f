"""Support metrics and the people board over the wire, over histories that were worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.models import Expertise
from kb_service.metrics import measuring
from kb_service.replicas.replica import Replica
from tests.kb_service.conftest import LATE, NOW, Api, faults, problem

BEGIN = NOW - timedelta(days=10)
WEEK = {"from": BEGIN.isoformat(), "to": (BEGIN + timedelta(days=7)).isoformat()}
TORN = "外套的拉链坏了，要怎么修？"


def at(hours: float) -> str:
    return (BEGIN + timedelta(hours=hours)).isoformat()


def asked(case: str, hours: float, text: str = LATE, n: int = 0, **fields: Any) -> dict[str, Any]:
    """A customer's message of a case; the case is the conversation."""
    return {
        "id": f"{case}-q{n}-{hours}",
        "type": "message",
        "at": at(hours),
        "conversation_id": f"conv-{case}",
        "customer_id": f"u-{case}",
        "text": text,
        **fields,
    }


def told(case: str, type: str, hours: float, **fields: Any) -> dict[str, Any]:
    """What else happened in a case."""
    return {
        "id": f"{case}-{type}-{hours}",
        "type": type,
        "at": at(hours),
        "conversation_id": f"conv-{case}",
        "customer_id": f"u-{case}",
        **fields,
    }


def said(case: str, hours: float, role: str = "agent", **fields: Any) -> dict[str, Any]:
    agent = {"agent_id": "agent-1"} if role == "agent" else {}
    return told(case, "message", hours, role=role, text="好的，请稍等", **agent, **fields)


def done(
    case: str, hours: float, resolved: bool = True, seconds: float = 60, **fields: Any
) -> dict[str, Any]:
    return told(
        case,
        "resolution",
        hours,
        **{"agent_id": "agent-1", "resolved": resolved, "handling_seconds": seconds, **fields},
    )


HISTORY: list[dict[str, Any]] = [
    # a: answered after 2 min, resolved after 10, rated 5; thanks do not bring it back.
    asked("a", 0, channel="app", customer={"id": "u-a", "tier": "gold"}),
    said("a", 2 / 60),
    done("a", 10 / 60, seconds=100),
    asked("a", 1, "thank you very much", 1),
    told("a", "rating", 2, rating=5),
    # b: in Chinese, answered by the resolution after 30 min, back after 71 h: reopened.
    asked("b", 1, TORN, channel="web"),
    done("b", 1.5, seconds=300),
    asked("b", 1.5 + 71, TORN, 1, channel="web"),
    # c: the same, back after 73 h: not reopened, and yet not settled at the first contact.
    asked("c", 1, TORN, channel="web"),
    done("c", 1.5, seconds=200),
    asked("c", 1.5 + 73, TORN, 1, channel="web"),
    # d: nobody ever answers; a rating without a resolution.
    asked("d", 2, channel="app"),
    told("d", "rating", 3, rating=2),
    # e: first the bot, which hands over by transfer; a person after 20 min more, who passes it on.
    asked("e", 3, channel="app"),
    said("e", 3 + 1 / 60, "bot"),
    told("e", "transfer", 3 + 10 / 60, to_agent="agent-1"),
    said("e", 3.5),
    told("e", "transfer", 4, from_agent="agent-1", to_agent="agent-2"),
    done("e", 5, resolved=False, seconds=500, agent_id="agent-2"),
    # f: the bot alone, in English.
    asked("f", 4, channel="web"),
    said("f", 4 + 3 / 60, "bot"),
    # What keeps the clock of events going.
    {"id": "late", "type": "agent_state", "at": at(239), "agent_id": "agent-1", "state": "online"},
]  # fmt: skip


def ask(api: Api, **params: Any) -> dict[str, Any]:
    response = api.get("/v1/metrics/support", params={**WEEK, **params})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def given(figure: dict[str, Any]) -> tuple[Any, Any]:
    return figure["value"], figure["n"]


def recorded(api: Api, events: list[dict[str, Any]] | None = None) -> None:
    results = api.batch("/v1/events:batch", HISTORY if events is None else events)
    assert {line["status"] for line in results} == {"accepted"}


def expect_history(body: dict[str, Any]) -> None:
    """Waits in minutes: 2, 30, 30, -, 1, 3: the median is 3, the P90 30. All but d and e were in their hour."""
    assert body["cases"] == 6
    first = body["first_response"]
    assert given(first["median"]) == (180.0, 5)
    assert given(first["p90"]) == (1800.0, 5)
    assert first["median"]["left_out"] == 1
    assert given(first["unanswered"]) == (round(1 / 6, 4), 6)
    # A gold customer is promised an answer within a quarter of an hour, the others within one.
    assert given(first["within_level"]) == (round(5 / 6, 4), 6)
    assert given(body["human_response"]["median"]) == (1200.0, 1)
    # a settled; b and c came back; e ended unresolved.
    assert given(body["first_contact_resolution"]) == (0.25, 4)
    assert given(body["resolved"]) == (0.5, 6)
    # Three were resolved, all within the day or less that they were promised.
    assert given(body["resolved_within_level"]) == (0.5, 6)
    assert given(body["reopened"]) == (round(1 / 3, 4), 3)
    assert given(body["deflection"]) == (round(1 / 6, 4), 6)
    assert given(body["containment"]) == (0.5, 2)
    assert given(body["satisfaction"]["mean"]) == (3.5, 2)
    assert given(body["satisfaction"]["satisfied"]) == (0.5, 2)
    assert given(body["satisfaction"]["response_rate"]) == (round(2 / 6, 4), 6)
    assert given(body["transfers"]) == (0.25, 4)
    assert given(body["handling_seconds"]["median"]) == (250.0, 4)
    assert given(body["handling_seconds"]["mean"]) == (275.0, 4)
    assert body["handovers"]["by_trigger"] == [{"trigger": "transfer", "count": 1, "previous": 0}]
    assert given(body["handovers"]["share"]) == (round(1 / 6, 4), 6)


def test_every_figure_of_a_small_history(api: Api) -> None:
    recorded(api)
    body = ask(api)
    expect_history(body)
    assert body["cases_before"] == 0
    assert body["resolved"]["previous"] == {"value": None, "low": None, "high": None, "n": 0}
    assert body["resolved"]["change"] is None
    assert body["acceptance"]["rate"]["value"] is None
    assert body["previous"]["to"] == body["from"]


def test_figures_do_not_depend_on_the_order_in_which_events_arrive(api: Api) -> None:
    """All questions first, since cases open with them; then everything else, the latest first."""
    first = [event for event in HISTORY if "-q0-" in event["id"]]
    rest = [event for event in HISTORY if "-q0-" not in event["id"]]
    recorded(api, [*reversed(first), *reversed(rest)])
    expect_history(ask(api))


def test_a_late_event_counts_where_it_belongs(api: Api) -> None:
    recorded(api)
    api.clock.advance(days=3)
    recorded(api, [said("d", 2.5), told("a", "rating", 20, rating=1)])
    body = ask(api)
    assert given(body["first_response"]["unanswered"]) == (0.0, 6)
    assert given(body["satisfaction"]["mean"]) == (1.5, 2)


def test_groups_by_dimension(api: Api) -> None:
    recorded(api)
    groups = ask(api, by=["channel", "language", "handler", "tier"])["groups"]
    found = {name: {group["key"]: group["cases"] for group in listed} for name, listed in groups.items()}
    assert found == {
        "channel": {"app": 3, "web": 3},
        "language": {"en": 4, "zh": 2},
        "handler": {"agent": 4, "bot": 1, "none": 1},
        "tier": {None: 5, "gold": 1},
    }
    zh = next(group for group in groups["language"] if group["key"] == "zh")
    assert given(zh["first_response"]["median"]) == (1800.0, 2)
    assert given(zh["first_contact_resolution"]) == (0.0, 2)
    assert ask(api)["groups"] == {}


def test_the_span_is_the_last_seven_days_of_event_time_unless_said_otherwise(api: Api) -> None:
    recorded(api)
    body = api.get("/v1/metrics/support").json()
    assert body["observed_until"] == (BEGIN + timedelta(hours=239)).isoformat().replace("+00:00", "Z")
    end = BEGIN + timedelta(hours=239, minutes=1)
    assert body["to"] == end.isoformat().replace("+00:00", "Z")
    assert body["from"] == (end - timedelta(days=7)).isoformat().replace("+00:00", "Z")
    assert (body["cases"], body["cases_before"]) == (0, 6)
    only_end = api.get("/v1/metrics/support", params={"to": WEEK["to"]}).json()
    assert only_end["cases"] == 6


def test_a_young_case_is_left_out_until_it_can_be_told(api: Api) -> None:
    recorded(api, [asked("a", 0), done("a", 1), asked("b", 30), done("b", 31), asked("c", 73)])
    body = ask(api)
    first = body["first_contact_resolution"]
    assert (first["value"], first["n"], first["left_out"], first["provisional"]) == (1.0, 1, 1, 1)
    assert (body["resolved"]["n"], body["resolved"]["left_out"]) == (1, 2)


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"from": at(10), "to": at(5)}, "to", "must be after `from`"),
        ({"from": at(5), "to": at(5)}, "to", "must be after `from`"),
        ({"from": at(0), "to": at(24 * 93)}, "from", "must be at most 92 days before `to`"),
        ({"from": "2026-06-01"}, "from", "must carry an offset, such as +08:00 or Z"),
        (
            {"to": "yesterday"},
            "to",
            "must be an ISO 8601 time with offset, such as 2026-11-11T00:00:00+08:00",
        ),
        ({"by": "agent"}, "by.0", "must be one of channel, language, expertise, tier, handler"),
    ],
)
def test_spans_that_cannot_be(shared_api: Api, params: dict[str, str], field: str, words: str) -> None:
    assert faults(shared_api.get("/v1/metrics/support", params=params)) == {field: words}


def test_a_span_that_begins_after_everything_says_so_in_both_languages(api: Api) -> None:
    recorded(api, [asked("a", 0)])
    for path in ("/v1/metrics/support", "/v1/agents:board"):
        words = faults(api.get(path, params={"from": at(5)}))
        assert words == {"from": f"must be before the latest event, which is of {at(0)}"}
        zh = faults(api.get(path, params={"from": at(5), "to": at(1)}, headers={"Accept-Language": "zh"}))
        assert zh == {"to": "必须晚于 `from`"}


def test_an_erased_customer_is_in_no_figure(api: Api) -> None:
    recorded(api)
    assert api.delete("/v1/customers/u-a").status_code == 200
    body = ask(api)
    assert body["cases"] == 5
    assert given(body["satisfaction"]["mean"]) == (2.0, 1)
    assert given(body["first_contact_resolution"]) == (0.0, 3)
    before = api.get("/v1/agents:board", params=WEEK).json()
    assert sum(line["cases"] for line in before["items"]) == 0


def test_other_shops_are_in_no_figure(api: Api) -> None:
    recorded(api)
    body = api.get("/v1/metrics/support", params=WEEK, workspace="other").json()
    assert body["cases"] == 0
    assert body["first_response"]["median"]["value"] is None


def test_questions_suggestions_and_hand_overs_count(api: Api) -> None:
    """Two suggestions, one used as it was; a question that asks for a person hands its case over."""
    api.put("/v1/documents/late", {"kind": "faq", "title": LATE, "text": LATE, "language": "en"})
    shown = [api.post("/v1/suggestions", {"query": LATE}).json()["answers"][0] for _ in range(2)]
    used = {"exposure_id": shown[0]["exposure_id"], "answer_id": shown[0]["id"], "outcome": "accepted"}
    assert api.post("/v1/feedback", used).status_code == 200
    question = {
        "query": "let me talk to a human please",
        "conversation_id": "conv-h",
        "event_id": "h-1",
        "customer": {"id": "u-h"},
        "channel": "app",
    }
    answer = api.post("/v1/answers", question).json()
    assert (answer["action"], answer["handoff"]["trigger"]) == ("handoff", "explicit")
    api.services.exposures.flush()
    api.clock.advance(minutes=10)
    span = {"from": NOW.isoformat(), "to": (NOW + timedelta(hours=1)).isoformat()}
    body = api.get("/v1/metrics/support", params={**span, "by": "channel"}).json()
    assert given(body["acceptance"]["rate"]) == (0.5, 2)
    assert given(body["acceptance"]["unchanged"]) == (1.0, 1)
    assert given(body["acceptance"]["told"]) == (0.5, 2)
    assert given(body["actions"]["handoff"]) == (1.0, 1)
    assert body["handovers"]["by_trigger"] == [{"trigger": "explicit", "count": 1, "previous": 0}]
    assert body["backlog"] == {"waiting": 1, "median_seconds": 600.0, "oldest_seconds": 600.0}
    (app,) = [group for group in body["groups"]["channel"] if group["key"] == "app"]
    assert (app["waiting"], app["cases"]) == (1, 1)
    # A person answers: the wait since the hand-over is told.
    api.post(
        "/v1/events",
        {
            "id": "h-2",
            "type": "message",
            "role": "agent",
            "agent_id": "agent-1",
            "at": api.clock.now.isoformat(),
            "conversation_id": "conv-h",
            "customer_id": "u-h",
            "text": "Hello, how can I help?",
        },
    )
    body = api.get("/v1/metrics/support", params=span).json()
    assert given(body["human_response"]["median"]) == (600.0, 1)
    assert body["backlog"]["waiting"] == 0


# --- the board


def desk(api: Api, cases: int = 30) -> None:
    """Three people over one problem: one resolves all of it, one two of three, one has had five cases."""
    for agent in ("agent-1", "agent-2", "agent-3"):
        api.put(f"/v1/agents/{agent}", {"name": agent})
    events = []
    for n in range(cases):
        for agent, good in (("agent-1", True), ("agent-2", n % 3 > 0)):
            name = f"{agent}-{n}"
            events.append(asked(name, n))
            events.append(done(name, n + 0.5, good, 60 if agent == "agent-1" else 120, agent_id=agent))
    for n in range(5):
        events += [asked(f"new-{n}", n), done(f"new-{n}", n + 0.5, agent_id="agent-3")]
    events.append({"id": "on", "type": "agent_state", "at": at(0), "agent_id": "agent-1", "state": "online"})
    events.append(
        {"id": "off", "type": "agent_state", "at": at(8), "agent_id": "agent-1", "state": "offline"}
    )
    recorded(api, events)


def board(api: Api, **request: Any) -> dict[str, Any]:
    response = api.get("/v1/agents:board", params=WEEK, **request)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_the_board_puts_who_resolves_more_first_and_hides_few_cases(api: Api) -> None:
    desk(api)
    body = board(api)
    assert [line["id"] for line in body["items"]] == ["agent-1", "agent-2", "agent-3"]
    first, second, new = body["items"]
    assert (first["cases"], second["cases"], new["cases"]) == (30, 30, 5)
    for line in (first, second):
        assert line["value"] == pytest.approx(50 + sum(part["points"] for part in line["parts"]), abs=0.1)
        assert [part["name"] for part in line["parts"]] == list(body["weights"])
    parts = {part["name"]: part for part in first["parts"]}
    assert parts["resolution"]["value"] > parts["resolution"]["shop"]
    assert parts["handling"]["value"] < 1
    assert (parts["rating"]["value"], parts["rating"]["reason"]) == (None, "not_told")
    assert first["load_share"] == round(30 / 65, 4)
    assert first["even_share"] == round(1 / 3, 4)
    assert first["utilisation"] == round(30 * 60 / (8 * 3600), 4)
    assert first["utilisation_reason"] is None and first["utilisation_text"] is None
    assert (second["utilisation"], second["utilisation_reason"]) == (None, "presence_not_told")
    assert "agent_state" in second["utilisation_text"]
    assert (new["value"], new["reason"]) == (None, "fewer_than_twenty_cases")
    assert all(part["value"] is None for part in new["parts"])


def test_the_board_speaks_the_callers_language_and_names_no_customer(api: Api) -> None:
    desk(api)
    zh = board(api, headers={"Accept-Language": "zh-CN"})
    assert zh["items"][2]["parts"][0]["text"] == "不显示：这段时间内不足 20 例。"
    assert board(api)["items"][2]["parts"][0]["text"].startswith("Not shown")
    raw = api.get("/v1/agents:board", params=WEEK).text
    assert "u-agent-1" not in raw
    assert "conv-" not in raw


def test_the_pages_of_a_board_are_of_one_reckoning_and_read_no_reply(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk(api)
    made: list[int] = []
    reckon = measuring.board

    def counted(*given: Any, **named: Any) -> Any:
        made.append(1)
        return reckon(*given, **named)

    monkeypatch.setattr(measuring, "board", counted)
    pages, cursor = [], None
    for number in range(3):
        params = WEEK | {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        body = api.get("/v1/agents:board", params=params).json()
        pages += [line["id"] for line in body["items"]]
        cursor = body["next_cursor"]
        # Something always comes in.
        recorded(api, [done(f"more-{number}", 3, agent_id="agent-3")])
    assert (pages, len(made)) == (["agent-1", "agent-2", "agent-3"], 1)
    board(api)
    assert len(made) == 2, "whoever begins anew sees the latest"
    with api.store.reading("shop") as unit:
        assert {item.reply for item in unit.events.outcomes(replies=False)} == {None}
        told, plain = list(unit.events.outcomes()), list(unit.events.outcomes(replies=False))
    assert [replace(item, reply=None) for item in told] == plain


def test_a_board_of_too_much_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    desk(api)
    monkeypatch.setattr(measuring, "MOST_OUTCOMES", 60)
    assert list(faults(api.get("/v1/agents:board", params=WEEK))) == ["from"]


def test_telling_a_resolution_twice_gains_nothing(api: Api) -> None:
    desk(api)
    before = board(api)
    recorded(api, [done(f"agent-2-{n}", n + 0.6, True, 0.1, agent_id="agent-2") for n in (1, 2)])
    after = board(api)
    assert [line["cases"] for line in after["items"]] == [line["cases"] for line in before["items"]]


def test_consultations_and_cases_passed_on_are_told(api: Api) -> None:
    desk(api)
    case_id = api.case_id("agent-2-0-q0-0")
    for _ in range(2):
        assert api.post(f"/v1/cases/{case_id}/consult", {"agent_id": "agent-1"}).status_code == 200
    recorded(api, [told("agent-2-1", "transfer", 2, from_agent="agent-2", to_agent="agent-1")])
    params = {"from": BEGIN.isoformat(), "to": (NOW + timedelta(hours=1)).isoformat()}
    lines = {line["id"]: line for line in api.get("/v1/agents:board", params=params).json()["items"]}
    assert (lines["agent-1"]["consultations"], lines["agent-2"]["consultations"]) == (1, 0)
    assert (lines["agent-1"]["passed_on"], lines["agent-2"]["passed_on"]) == (0, 1)


def test_the_board_comes_in_pages(api: Api) -> None:
    desk(api)
    first = api.get("/v1/agents:board", params={**WEEK, "limit": 2}).json()
    rest = api.get("/v1/agents:board", params={**WEEK, "limit": 2, "cursor": first["next_cursor"]}).json()
    assert [line["id"] for line in first["items"] + rest["items"]] == ["agent-1", "agent-2", "agent-3"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("days", [28, 220])
def test_what_was_mastered_before_a_span_is_not_new_however_long_the_span(
    api: Api, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    desk(api, 180)
    problems = [item["id"] for item in api.get("/v1/problems").json()["items"]]
    monkeypatch.setattr(Replica, "fields_by_problem", lambda replica: dict.fromkeys(problems, "parcels"))

    def mastered(begin: float) -> list[str]:
        span = {"from": at(begin), "to": at(begin + 24 * days)}
        lines = api.get("/v1/agents:board", params=span).json()["items"]
        return [line["id"] for line in lines if line["fields_mastered"]]

    assert mastered(0) == ["agent-1"]
    assert mastered(80) == []


def test_a_merged_problem_keeps_its_expertise(api: Api) -> None:
    recorded(api, [asked("a", 0), asked("b", 0, TORN)])
    into, old = (api.get(f"/v1/events/{name}").json()["problem"]["id"] for name in ("a-q0-0", "b-q0-0"))
    assert api.post(f"/v1/problems/{old}/merge", {"into": into}).status_code == 200
    replica = api.services.replicas.settled("shop")
    clusters = (
        Expertise("by-intent", "By intent", ("i",), (), ()),
        Expertise("by-problem", "By problem", (), (into,), ()),
    )
    replica.shop = replace(replica.shop, expertise=clusters)
    found = replica.problems[into]
    assert replica.fields_by_problem() == {into: "by-problem", old: "by-problem"}
    assert replica.shop.expertise_of(replace(found, intent_id="i")) == "by-problem"
    assert replica.shop.expertise_of(replace(found, id="another", intent_id="i")) == "by-intent"


@pytest.mark.parametrize("role", ["bot", "agent", "editor"])
def test_figures_about_single_people_are_for_few(shared_api: Api, role: str) -> None:
    problem(shared_api.get("/v1/agents:board", role=role), 403)


@pytest.mark.parametrize("role", ["product", "admin"])
def test_product_teams_and_operators_see_the_board(shared_api: Api, role: str) -> None:
    assert shared_api.get("/v1/agents:board", role=role).json()["items"] == []
    assert shared_api.get("/v1/metrics/support", role=role).status_code == 200


def test_what_the_service_did_after_the_latest_event_is_known_too(api: Api) -> None:
    """A person hands a case over an hour after anything was told of it."""
    recorded(api, [asked("a", 239)])
    api.clock.advance(hours=1)
    assert api.post(f"/v1/cases/{api.case_id('a-q0-239')}/handover", {"reason": "angry"}).status_code == 200
    body = api.get("/v1/metrics/support").json()
    assert given(body["handovers"]["share"]) == (1.0, 1)
    assert body["human_response"]["median"]["left_out"] == 1
    assert body["observed_until"] == api.clock.now.isoformat().replace("+00:00", "Z")
    assert body["backlog"]["waiting"] == 1
