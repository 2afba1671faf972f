"""Trials over the wire: from the plan to the verdict, and what ends them before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.experiments import Arm, arm_of, unit_of
from graph.models import Customer
from ingest.embedding import WordHashEmbedder
from kb_service.app import wire
from kb_service.models import Question
from kb_service.settings import Settings
from kb_service.trials import experiments
from kb_service.trials.treatment import treated
from kb_service.trials.watch import ExperimentWatch
from tests.conftest import FixedClock
from tests.kb_service.conftest import DAY, NOW, RETURNS, Api, faults, is_subset, problem, running

SALT = "a salt of its own"
PLAN: dict[str, Any] = {
    "name": "No questions back",
    "treatment": {"clarification": False},
    "share": 0.5,
    "salt": SALT,
    "metric": "unassisted",
    "minimum": 60,
    "maximum": 5000,
    "state": "running",
}
ASKED = "may unworn clothing be returned within 30 days of delivery"


def arm(customer: str, share: float = 0.5) -> Arm:
    return arm_of(SALT, unit_of(customer, None) or "", share)


def customers(wanted: Arm, count: int, prefix: str = "u") -> list[str]:
    """The first customers of an arm."""
    found = [f"{prefix}-{number}" for number in range(8 * count)]
    return [customer for customer in found if arm(customer) == wanted][:count]


def started(api: Api, **changes: Any) -> dict[str, Any]:
    response = api.put("/v1/experiments/trial", {**PLAN, **changes})
    assert response.status_code == 201, response.text
    api.clock.advance(minutes=1)
    body: dict[str, Any] = response.json()
    return body


def come(api: Api, who: Mapping[Arm, int], events: Callable[[Arm, int], list[dict[str, Any]]]) -> None:
    """Customers of each arm write once; `events` adds what else happens in the case of the n-th of an arm."""
    lines = []
    for side, count in who.items():
        for number, customer in enumerate(customers(side, count)):
            case = {"conversation_id": f"c-{customer}", "customer_id": customer}
            lines.append(api.event(f"m-{customer}", **case, text=f"where is parcel {number}"))
            for place, more in enumerate(events(side, number)):
                lines.append(api.event(f"e{place}-{customer}", **{**case, "text": None, **more}))
    assert {line["status"] for line in api.batch("/v1/events:batch", lines)} == {"accepted"}
    api.clock.advance(minutes=1)


def report(api: Api, id: str = "trial", language: str = "en") -> dict[str, Any]:
    response = api.get(f"/v1/experiments/{id}", role="agent", headers={"Accept-Language": language})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def look(api: Api) -> list[str]:
    return api.services.experiment_watch.end_due("shop")


def asked_by(api: Api, customer: str | None, query: str = ASKED) -> dict[str, Any]:
    who = {"customer": {"id": customer}} if customer is not None else {}
    reply: dict[str, Any] = api.post("/v1/answers", {"query": query, **who}, role="bot").json()
    return reply


def with_a_person(every: int) -> list[dict[str, Any]]:
    return [{"role": "agent", "agent_id": "agent-1", "text": "let me see"}] if every else []


def half_and_most(side: Arm, number: int) -> list[dict[str, Any]]:
    """Treatment sends a tenth of its cases to people, control half."""
    return with_a_person(number % 10 == 0 if side == "treatment" else number % 2)


# --- from plan to verdict


def test_a_trial_runs_from_its_plan_to_its_verdict(api: Api) -> None:
    plan = {**PLAN, "state": "draft"}
    assert api.put("/v1/experiments/trial", plan).status_code == 201
    draft = report(api)
    assert is_subset({**plan, "guards": []}, draft)
    assert draft["verdict"] == {"reason": "not_started", "text": "Not started.", "more_units": None}
    assert (draft["result"], draft["ratio"], draft["started_at"]) == (None, None, None)

    assert api.put("/v1/experiments/trial", PLAN).status_code == 200
    api.clock.advance(minutes=1)
    come(api, {"control": 90, "treatment": 85}, half_and_most)
    early = report(api)
    assert early["verdict"]["reason"] == "too_few"
    assert early["result"]["control"] == {"units": 0, "mean": None}
    assert early["result"]["low"] is None and early["result"]["p_value"] is None
    assert early["ratio"] == {"control": 90, "treatment": 85, "share": 0.5, "p_value": 1.0, "ok": True}

    api.clock.advance(hours=72)
    found = report(api)
    assert found["result"]["control"] == {"units": 90, "mean": 0.5}
    assert found["result"]["treatment"]["units"] == 85
    assert found["result"]["treatment"]["mean"] == pytest.approx(76 / 85, abs=1e-6)
    assert 0 < found["result"]["low"] < found["result"]["difference"] < found["result"]["high"]
    assert found["result"]["p_value"] < 0.05
    assert found["verdict"]["reason"] == "better" and "can be adopted" in found["verdict"]["text"]
    assert "可以采用" in report(api, language="zh")["verdict"]["text"]
    assert found["state"] == "running"

    assert look(api) == ["trial"]
    over = report(api)
    assert over["state"] == "concluded" and over["stopped_at"] is not None
    assert over["verdict"]["text"] == found["verdict"]["text"]
    assert look(api) == []
    details = problem(api.put("/v1/experiments/trial", PLAN), 409)
    assert "concluded" in details["detail"]
    listed = api.get("/v1/experiments?state=concluded", role="product").json()["items"]
    assert [item["id"] for item in listed] == ["trial"]
    assert "result" not in listed[0]
    actions = [item["action"] for item in api.get("/v1/audit").json()["items"]]
    assert [name for name in actions if name.startswith("experiment.")] == [
        "experiment.ended",
        "experiment.started",
        "experiment.put",
    ]


def test_the_end_comes_once_what_was_begun_has_settled(api: Api) -> None:
    started(api, ends_at=(api.clock.now + 2 * DAY).isoformat())
    come(api, {"control": 60, "treatment": 60}, lambda side, number: with_a_person(number % 2))
    api.clock.advance(days=2)
    assert look(api) == []
    api.clock.advance(days=3)
    assert look(api) == ["trial"]
    over = report(api)
    assert (over["state"], over["verdict"]["reason"]) == ("concluded", "no_difference")
    assert "No difference was shown over 120 units" in over["verdict"]["text"]


def test_a_trial_that_ends_with_few_units_concludes_nothing(api: Api) -> None:
    started(api, ends_at=(api.clock.now + 2 * DAY).isoformat())
    come(api, {"control": 5, "treatment": 3}, half_and_most)
    api.clock.advance(days=5)
    assert look(api) == ["trial"]
    over = report(api)
    assert (over["state"], over["verdict"]["reason"]) == ("stopped", "too_few")
    assert over["verdict"]["more_units"] is None
    text = over["verdict"]["text"]
    assert "3 of at least 60 units in the smaller arm, too few to tell" in text
    assert "No difference" not in text and "expected" not in text
    assert "数量太少，无法判断" in report(api, language="zh")["verdict"]["text"]


def test_a_trial_that_has_read_all_it_can_ends(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases beyond those that are read would never count, however long it went on."""
    monkeypatch.setattr("kb_service.trials.experiments.MOST_READ", 130)
    started(api, maximum=1000)
    come(api, {"control": 70, "treatment": 70}, lambda side, number: with_a_person(number % 2))
    assert look(api) == []
    api.clock.advance(hours=72)
    assert look(api) == ["trial"]
    over = report(api)
    assert (over["state"], over["verdict"]["reason"]) == ("concluded", "no_difference")
    assert "over 130 units" in over["verdict"]["text"]


def test_the_maximum_follows_the_share(api: Api) -> None:
    plan = {name: value for name, value in PLAN.items() if name != "maximum"} | {"state": "draft"}
    for share, expected in ((0.5, 20_000), (0.05, 5_000), (0.99, 1_000)):
        assert api.put("/v1/experiments/trial", {**plan, "share": share}).json()["maximum"] == expected


def test_cases_from_before_the_start_and_after_the_end_count_for_nothing(api: Api) -> None:
    come(api, {"control": 4, "treatment": 4}, half_and_most)
    started(api, ends_at=(api.clock.now + 2 * DAY).isoformat())
    api.clock.advance(days=3)
    late = [api.event(f"late-{n}", conversation_id=f"late-{n}", customer_id=f"late-{n}") for n in range(6)]
    api.batch("/v1/events:batch", late)
    api.clock.advance(days=10)
    found = report(api)
    assert found["ratio"] | {"p_value": 0} == {
        "control": 0,
        "treatment": 0,
        "share": 0.5,
        "p_value": 0,
        "ok": True,
    }


# --- what ends a trial before


def test_a_broken_guard_stops_a_trial_at_once(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    started(api, guards=[{"metric": "rating", "margin": 0.3}])

    def rated(side: Arm, number: int) -> list[dict[str, Any]]:
        return [{"type": "rating", "rating": (2.0 if side == "treatment" else 4.0) + number % 2}]

    come(api, {"control": 70, "treatment": 70}, rated)
    customer = customers("treatment", 1)[0]
    assert asked_by(api, customer)["action"]
    assert api.services.replicas.of("shop").experiments[0].id == "trial"
    api.clock.advance(hours=72)
    (guard,) = report(api)["guard_results"]
    assert guard["broken"] is True and guard["worse"] == "lower" and guard["difference"] == -2.0
    assert look(api) == ["trial"]
    assert api.services.replicas.of("shop").experiments == ()
    over = report(api)
    assert over["state"] == "stopped_by_guard"
    assert over["verdict"]["reason"] == "guard_broken"
    assert "rating is worse by 2.00" in over["verdict"]["text"]
    assert "评分变差 2.00 分" in report(api, language="zh")["verdict"]["text"]
    (entry,) = [e for e in api.get("/v1/audit").json()["items"] if e["action"] == "experiment.ended"]
    assert entry["actor"] == "experiments"
    assert is_subset({"state": "stopped_by_guard", "metric": "rating"}, entry["detail"])
    assert entry["detail"]["units"] == {"control": 70, "treatment": 70}
    after = asked_by(api, customer)
    assert arms_of(api, after) is None


def test_the_thread_ends_a_trial_once_whichever_process_sees_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.trials.watch.ROUND_SECONDS", 0.02)
    started(api)
    come(api, {"control": 90, "treatment": 85}, half_and_most)
    api.clock.advance(hours=72)
    services = api.services
    watches = [
        ExperimentWatch(api.store, services.replicas, services.experiments, clock=api.clock) for _ in range(2)
    ]
    for watch in watches:
        watch.start()
    try:
        deadline = time.monotonic() + 20
        while report(api)["state"] == "running" and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        for watch in watches:
            watch.stop()
    assert report(api)["state"] == "concluded"
    assert [e["action"] for e in api.get("/v1/audit").json()["items"]].count("experiment.ended") == 1


def test_arms_that_lose_units_conclude_nothing(api: Api) -> None:
    started(api)
    come(api, {"control": 150, "treatment": 70}, half_and_most)
    api.clock.advance(hours=72)
    found = report(api)
    assert found["ratio"]["ok"] is False and found["ratio"]["p_value"] < 0.001
    assert found["verdict"]["reason"] == "ratio_mismatch"
    assert "150 units in control and 70 in treatment" in found["verdict"]["text"]
    assert look(api) == []
    assert report(api)["state"] == "running"


def test_somebody_may_stop_a_trial(api: Api) -> None:
    started(api)
    stopped = api.post("/v1/experiments/trial/stop")
    assert stopped.status_code == 200 and stopped.json()["state"] == "stopped"
    assert api.services.replicas.of("shop").experiments == ()
    for body in (stopped.json(), report(api)):
        assert body["verdict"]["more_units"] is None and "expected" not in body["verdict"]["text"]
    assert api.post("/v1/experiments/trial/stop").json()["stopped_at"] == stopped.json()["stopped_at"]
    problem(api.post("/v1/experiments/unknown/stop"), 404)
    ends = [e for e in api.get("/v1/audit").json()["items"] if e["action"] == "experiment.ended"]
    assert len(ends) == 1


# --- what may be changed, and what may be tried


def test_a_running_trial_keeps_all_but_name_and_end(api: Api) -> None:
    started(api)
    later = (api.clock.now + 30 * DAY).isoformat()
    renamed = api.put("/v1/experiments/trial", {**PLAN, "name": "Renamed", "ends_at": later})
    assert renamed.status_code == 200 and renamed.json()["name"] == "Renamed"
    assert renamed.json()["salt"] == SALT
    changes = {"share": 0.9, "treatment": {"clarification": False, "graph_walk": True}, "salt": "another"}
    refused = api.put("/v1/experiments/trial", {**PLAN, **changes}, headers={"Accept-Language": "zh"})
    assert set(faults(refused, 409)) == set(changes)
    assert "正在进行" in refused.json()["detail"]
    assert set(faults(api.put("/v1/experiments/trial", {**PLAN, "state": "draft"}), 409)) == {"state"}
    assert report(api)["share"] == 0.5


def test_without_a_salt_a_trial_gets_one_and_keeps_it(api: Api) -> None:
    plan = {**PLAN, "state": "draft", "salt": None}
    first = api.put("/v1/experiments/trial", plan).json()["salt"]
    assert api.put("/v1/experiments/trial", {**plan, "share": 0.2}).json()["salt"] == first
    assert api.put("/v1/experiments/second", plan).json()["salt"] != first


def test_two_trials_do_not_try_the_same(api: Api) -> None:
    started(api)
    both = api.put("/v1/experiments/second", {**PLAN, "treatment": {"clarification": False}})
    assert set(faults(both, 409)) == {"treatment.clarification"}
    beside = {**PLAN, "salt": "another", "treatment": {"assignment": "round_robin"}}
    assert api.put("/v1/experiments/second", beside).status_code == 201


@pytest.mark.parametrize(
    ("treatment", "field"),
    [
        ({"clarification": True}, "treatment.clarification"),
        ({"assignment": "learned"}, "treatment.assignment"),
        ({"graph_walk": False}, "treatment.graph_walk"),
        ({"swap_share": 0.05}, "treatment.swap_share"),
    ],
)
def test_what_the_shop_does_anyhow_is_no_trial(api: Api, treatment: dict[str, Any], field: str) -> None:
    refused = api.put("/v1/experiments/trial", {**PLAN, "treatment": treatment})
    assert set(faults(refused)) == {field}


@pytest.mark.parametrize(
    ("changes", "field", "chinese"),
    [
        ({"share": 0}, "share", "必须大于 0"),
        ({"share": 1.5}, "share", "必须小于 1"),
        ({"treatment": {}}, "treatment", "至少要填写一项"),
        ({"treatment": {"colour": "red"}}, "treatment.colour", "不是已知字段"),
        ({"treatment": {"assignment": "random"}}, "treatment.assignment", "必须是以下之一"),
        ({"treatment": {"priority_weights": {"moon": 3}}}, "treatment.priority_weights.moon", "urgency"),
        ({"treatment": {"wrong_answer_bound": 2}}, "treatment.wrong_answer_bound", "必须小于 1"),
        ({"metric": "joy"}, "metric", "必须是以下之一"),
        ({"guards": [{"metric": "rating", "margin": -1}]}, "guards.0.margin", "不能小于 0"),
        ({"guards": [{"metric": "rating"}, {"metric": "rating"}]}, "guards.1.metric", "重复设置了护栏"),
        ({"minimum": 3}, "minimum", "不能小于 50"),
        ({"minimum": 500, "maximum": 400}, "maximum", "不能小于 minimum（500）"),
        ({"share": 0.05, "maximum": 20_000}, "maximum", "不能大于 5000，因为两组合计只读取前 100000 个单位"),
        ({"share": 0.0005, "maximum": 50}, "minimum", "不能大于 50"),
        (
            {"treatment": {"priority_weights": {"customer_value": 90}}},
            "treatment.priority_weights.customer_value",
            "不能大于 15",
        ),
        ({"alpha": 0.9}, "alpha", "不能大于 0.2"),
        ({"state": "concluded"}, "state", "必须是以下之一"),
        ({"unit": "session"}, "unit", "必须是以下之一"),
        (
            {"starts_at": "2026-07-02T00:00:00Z", "ends_at": "2026-07-01T00:00:00Z"},
            "ends_at",
            "必须晚于 starts_at",
        ),
        ({"ends_at": "2026-01-01T00:00:00Z"}, "ends_at", "必须晚于当前时间"),
        ({"name": " "}, "name", "不能为空白"),
    ],
)
def test_a_faulty_plan_is_told_by_field(
    api_of_plans: Api, changes: dict[str, Any], field: str, chinese: str
) -> None:
    refused = api_of_plans.put(
        "/v1/experiments/trial", {**PLAN, **changes}, headers={"Accept-Language": "zh"}
    )
    found = faults(refused)
    assert set(found) == {field}
    assert chinese in found[field]
    problem(api_of_plans.get("/v1/experiments/trial"), 404)


@pytest.fixture(scope="module")
def api_of_plans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("plans") / "data", FixedClock(NOW)) as started_api:
        yield started_api


def test_a_trial_is_the_shops_own(api: Api) -> None:
    started(api)
    problem(api.get("/v1/experiments/trial", workspace="other"), 404)
    problem(api.post("/v1/experiments/trial/stop", workspace="other"), 404)
    assert api.get("/v1/experiments", workspace="other").json()["items"] == []
    assert api.services.replicas.of("other").experiments == ()
    problem(api.put("/v1/experiments/trial", PLAN, role="editor"), 403)
    problem(api.get("/v1/experiments/trial", role="bot"), 403)


# --- what treatment does


def arms_of(api: Api, reply: Mapping[str, Any]) -> Mapping[str, Arm] | None:
    """The arms that the exposure of a reply carries."""
    api.services.exposures.flush()
    with api.store.reading("shop") as unit:
        exposure = unit.exposures.get(reply["answers"][0]["exposure_id"])
    assert exposure is not None
    return exposure.arms


def test_exposures_carry_the_arm_of_whoever_asked(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    started(api)
    for side in ("control", "treatment"):
        for customer in customers(side, 2):
            assert arms_of(api, asked_by(api, customer)) == {"trial": side}
    assert arms_of(api, asked_by(api, None)) is None
    by_conversation = api.post("/v1/answers", {"query": ASKED, "conversation_id": "c-7"}, role="bot").json()
    assert arms_of(api, by_conversation) == {"trial": arm_of(SALT, "conversation c-7", 0.5)}


def test_a_conversation_whose_customer_is_known_has_the_customers_arm(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    started(api)
    for customer in customers("control", 3) + customers("treatment", 3):
        api.post("/v1/events", api.event(customer, conversation_id=f"c-{customer}", customer_id=customer))
        body = {"query": ASKED, "conversation_id": f"c-{customer}"}
        assert arms_of(api, api.post("/v1/answers", body, role="bot").json()) == {"trial": arm(customer)}


def test_rules_hold_in_treatment_only(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    started(api, treatment={"priority_weights": {"urgency": 0.0}, "wrong_answer_bound": 0.9})
    replica = api.services.replicas.of("shop")

    def urgency(customer: str) -> bool:
        body = {"query": "I need it today, this is urgent!!!", "customer": {"id": customer}}
        found = api.post("/v1/route", body).json()["priority"]["contributions"]
        return any(item["factor"] == "urgency" and item["points"] > 0 for item in found)

    assert [urgency(c) for c in customers("control", 2) + customers("treatment", 2)] == [
        True,
        True,
        False,
        False,
    ]
    for side, bound in (("control", 0.01), ("treatment", 0.9)):
        question = Question(ASKED, customer=Customer(customers(side, 1)[0]))
        view = treated(replica, question, api.clock.now)
        assert view.shop.rules.wrong_answer_bound == bound
        assert replica.shop.rules.wrong_answer_bound == 0.01


def test_nobody_in_treatment_is_asked_back(api: Api) -> None:
    for intent in ("return", "exchange"):
        api.put(f"/v1/intents/{intent}", {"label": intent, "examples": ["I want to send the lamp back"]})
    started(api)
    actions = {
        side: {
            asked_by(api, customer, "I want to send the lamp back")["action"]
            for customer in customers(side, 2)
        }
        for side in ("control", "treatment")
    }
    assert actions == {"control": {"clarify"}, "treatment": {"handoff"}}


def test_waiting_cases_find_their_people_by_the_policy_of_their_arm(api: Api) -> None:
    """The one who knows such cases gets those of control; by turns, the other gets those of treatment."""
    api.put(
        "/v1/intents/late", {"label": "Late", "examples": ["where is my parcel"], "expertise": "logistics"}
    )
    for agent, skills in (("agent-1", ["logistics"]), ("agent-2", [])):
        body = {"name": agent, "online": True, "languages": ["en"], "skills": skills, "capacity": 50}
        assert api.put(f"/v1/agents/{agent}", body).status_code == 201
    told = []
    for number in range(24):
        case = {"conversation_id": f"past-{number}", "customer_id": f"past-{number}"}
        told.append(api.event(f"past-{number}", **case, text="where is my parcel"))
        done = {"type": "resolution", "agent_id": f"agent-{1 + number % 2}", "resolved": number % 2 == 0}
        told.append(api.event(f"done-{number}", **case, text=None, **done))
    api.batch("/v1/events:batch", told)
    api.services.replicas.of("shop").reset()
    started(api, treatment={"assignment": "round_robin"})
    taken = {}
    for side in ("control", "treatment"):
        for customer in customers(side, 6):
            sent = api.event(
                customer, conversation_id=customer, customer_id=customer, text="where is my parcel"
            )
            assert api.post("/v1/events", sent).status_code == 200
            case_id = api.case_id(customer)
            api.post(f"/v1/cases/{case_id}/handover", {})
            taken[case_id] = side
    made = api.post("/v1/assignments").json()["items"]
    given: dict[str, set[str]] = {"control": set(), "treatment": set()}
    for item in made:
        assert item["agent"] is not None
        given[taken[item["case_id"]]].add(item["agent"]["id"])
    assert given["control"] == {"agent-1"}
    assert "agent-2" in given["treatment"]
    with api.store.reading("shop") as unit:
        for case_id, side in taken.items():
            decision = [d for d in unit.decisions.of_case(case_id) if d.kind == "assignment"][-1]
            assert (decision.experiment_id, decision.arm) == ("trial", side)


# --- where arms and figures come from


def test_arms_are_the_same_in_every_process_and_after_a_restart(tmp_path: Path, clock: FixedClock) -> None:
    def arms(replica: Any) -> list[Arm]:
        asked = [Question("x", customer=Customer(f"u-{number}")) for number in range(200)]
        return [treated(replica, question, clock.now).way.arms["trial"] for question in asked]

    with running(tmp_path / "data", clock) as api:
        started(api)
        here = arms(api.services.replicas.of("shop"))
        second = wire(
            Settings(data=tmp_path / "data"), embedder=WordHashEmbedder(), clock=clock, serving=False
        )
        try:
            assert arms(second.replicas.of("shop")) == here
            api.post("/v1/experiments/trial/stop")
            second.replicas.follow("shop")
            assert second.replicas.of("shop").experiments == ()
        finally:
            second.stop()
    assert here.count("treatment") > 60 and here == [arm(f"u-{number}") for number in range(200)]


def test_an_erased_customer_counts_no_more(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    started(api)
    come(api, {"control": 6, "treatment": 6}, half_and_most)
    gone = customers("treatment", 1)[0]
    asked_by(api, gone)
    api.clock.advance(hours=72)
    before = report(api)
    assert (before["result"]["treatment"]["units"], before["ratio"]["treatment"]) == (6, 6)
    assert api.delete(f"/v1/customers/{gone}").status_code == 200
    after = report(api)
    assert (after["result"]["treatment"]["units"], after["ratio"]["treatment"]) == (5, 5)
    assert (after["result"]["control"], after["ratio"]["control"]) == (before["result"]["control"], 6)


def test_acceptance_is_told_by_feedback_on_suggestions(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    started(api, metric="acceptance")
    for side in ("control", "treatment"):
        for number, customer in enumerate(customers(side, 4)):
            body = {"query": ASKED, "customer": {"id": customer}}
            shown = api.post("/v1/suggestions", body).json()["answers"][0]
            used = side == "treatment" or number % 2 == 0
            said = {
                "exposure_id": shown["exposure_id"],
                "answer_id": shown["id"],
                "outcome": "accepted" if used else "rejected",
                "agent_id": "agent-1",
            }
            assert api.post("/v1/feedback", said).status_code == 200
    api.clock.advance(hours=24)
    found = report(api)["result"]
    assert (found["control"], found["treatment"]) == ({"units": 4, "mean": 0.5}, {"units": 4, "mean": 1.0})


def test_resolution_handling_time_and_first_response_come_from_events(api: Api) -> None:
    started(
        api,
        metric="resolution",
        guards=[{"metric": "handling_seconds"}, {"metric": "first_response_seconds"}],
    )
    minute = timedelta(minutes=1)

    def resolved(side: Arm, number: int) -> list[dict[str, Any]]:
        seconds = 100.0 if side == "treatment" else 200.0
        done = {"type": "resolution", "agent_id": "agent-1", "resolved": True, "handling_seconds": seconds}
        return (
            [{**done, "at": api.clock.now.isoformat()}]
            if number % 2 == 0 or side == "treatment"
            else [{**done, "resolved": False}]
        )

    come(api, {"control": 8, "treatment": 8}, resolved)
    api.clock.advance(days=6)
    api.clock.advance(seconds=minute.total_seconds())
    found = report(api)
    assert (found["result"]["control"]["mean"], found["result"]["treatment"]["mean"]) == (0.5, 1.0)
    handling, response = found["guard_results"]
    assert (handling["control"]["mean"], handling["treatment"]["mean"]) == (200.0, 100.0)
    assert (handling["worse"], response["worse"]) == ("higher", "higher")
    assert response["control"]["mean"] == 0.0


def test_nothing_is_computed_again_while_nothing_happens(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    started(api)
    come(api, {"control": 3, "treatment": 3}, half_and_most)
    calls: list[object] = []
    plain = experiments.findings

    def counted(*args: Any, **named: Any) -> Any:
        calls.append(args)
        return plain(*args, **named)

    monkeypatch.setattr(experiments, "findings", counted)
    first = report(api)
    assert report(api) == first and look(api) == []
    assert len(calls) == 1
    api.post("/v1/events", api.event("new"))
    report(api)
    assert len(calls) == 2
