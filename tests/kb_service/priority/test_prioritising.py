"""Weights are learned from escalations, proposed, and put in force by a person alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph.contacts import Contact, Matter, same_matter
from graph.models import Event
from graph.priority import DEFAULT_WEIGHTS
from graph.priority_learning import FACTORS, LEAST_ESCALATIONS, Decided
from kb_service.errors import Conflict, NotFound
from kb_service.priority.escalations import ReplayedContact, kinds, replayed
from tests.kb_service.command_line import CommandLine, command_line
from tests.kb_service.conftest import DAY, LATE, Api, problem

HOUR = timedelta(hours=1)
EMOTION = {**DEFAULT_WEIGHTS, "urgency": 0.0, "emotion": 75.0}


@pytest.fixture
def kb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    with command_line(tmp_path, monkeypatch, capsys) as commands:
        yield commands


def happened(api: Api, truth: Mapping[str, float], count: int = 1500) -> list[ReplayedContact]:
    """Contacts whose odds of escalating grow with their points under hidden weights."""
    chance = np.random.default_rng(3)
    found = []
    for number in range(count):
        shares = {name: float(chance.uniform()) * (chance.uniform() < 0.4) for name in FACTORS}
        odds = -3.0 + sum(truth[name] * share for name, share in shares.items()) / 20
        escalated = bool(chance.uniform() < 1 / (1 + np.exp(-odds)))
        at = api.clock.now - (4 * DAY + 60 * DAY * (1 - number / count))
        found.append(
            ReplayedContact(
                contact=Contact(f"k{number}", None, at, at, Matter()),
                decided=Decided(at, shares, escalated),
                escalations=frozenset(["transferred"] if escalated else []),
                tier=None,
            )
        )
    return found


@pytest.fixture
def escalating(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop whose escalations follow emotion, not urgency."""
    history = happened(api, EMOTION)
    monkeypatch.setattr("kb_service.priority.prioritising.replayed", lambda *_: history)
    return api


# --- learned, proposed, applied, taken back


def test_a_shop_without_escalations_learns_nothing(api: Api) -> None:
    lesson = api.services.prioritising.night("shop")
    assert (lesson.learned.reason, lesson.proposal) == ("not_enough", None)
    assert api.services.prioritising.learn("shop", keep=True).proposal is None, "nothing is known at all"
    told = api.get("/v1/rules/weights").json()
    assert told == {"in_force": DEFAULT_WEIGHTS, "items": []}
    problem(api.post("/v1/rules/weights/rollback"), 409)


def test_what_is_learned_serves_nobody_until_it_is_applied(escalating: Api) -> None:
    prioritising = escalating.services.prioritising
    before = escalating.get("/v1/rules").json()
    lesson = prioritising.night("shop")
    assert lesson.proposal is not None
    assert escalating.get("/v1/rules").json() == before
    assert prioritising.in_force("shop") == DEFAULT_WEIGHTS
    (item,) = escalating.get("/v1/rules/weights").json()["items"]
    assert (item["kind"], item["actor"], item["weights"]) == ("proposed", "nightly", lesson.proposal.weights)
    seen = item["evidence"]
    assert seen["reason"] == "better"
    assert seen["escalations"] >= LEAST_ESCALATIONS
    assert seen["kinds"] == {"transferred": seen["escalations"]}
    assert seen["after"]["auroc"] > seen["before"]["auroc"]
    assert seen["gain"][0] > 0


def test_the_same_is_not_proposed_every_night(escalating: Api) -> None:
    prioritising = escalating.services.prioritising
    assert prioritising.night("shop").proposal is not None
    escalating.clock.advance(days=1)
    assert prioritising.night("shop").proposal is None
    assert len(prioritising.history("shop")) == 1


def points(api: Api) -> dict[str, float]:
    reply = api.post("/v1/route", {"query": "this is outrageous, the worst shop ever!!!"}).json()
    return {item["factor"]: item["points"] for item in reply["priority"]["contributions"]}


def test_applied_weights_count_at_once_and_are_taken_back_exactly(escalating: Api) -> None:
    rules = {"priority_weights": {"sensitive": 20.0}, "refund_limit": 99.0}
    assert escalating.put("/v1/rules", rules).status_code == 200
    before = points(escalating)
    proposal = escalating.services.prioritising.learn("shop").proposal
    assert proposal is not None
    at = f"/v1/rules/weights/{proposal.id}/apply"
    problem(escalating.post(at, role="product"), 403)
    applied = escalating.post(at).json()
    assert (applied["kind"], applied["of_id"], applied["evidence"]) == ("applied", proposal.id, None)
    held = escalating.get("/v1/rules").json()
    assert held["priority_weights"] == proposal.weights
    assert held["refund_limit"] == 99.0, "nothing else is touched"
    assert points(escalating)["emotion"] > before["emotion"]
    problem(escalating.post(at), 409)
    back = escalating.post("/v1/rules/weights/rollback").json()
    assert (back["kind"], back["of_id"]) == ("rolled_back", applied["id"])
    assert escalating.get("/v1/rules").json()["priority_weights"] == {"sensitive": 20.0}
    assert points(escalating) == before
    problem(escalating.post("/v1/rules/weights/rollback"), 409)
    actions = [entry["action"] for entry in escalating.get("/v1/audit").json()["items"]]
    assert actions[:3] == ["weights.rolled_back", "weights.applied", "weights.proposed"]


def test_weights_set_by_hand_are_not_taken_back(escalating: Api) -> None:
    prioritising = escalating.services.prioritising
    proposal = prioritising.learn("shop").proposal
    assert proposal is not None
    prioritising.apply("shop", proposal.id)
    escalating.put("/v1/rules", {"priority_weights": {"urgency": 50.0}})
    with pytest.raises(Conflict, match="changed by hand"):
        prioritising.roll_back("shop")


def test_only_proposals_of_the_own_shop_are_applied(escalating: Api) -> None:
    prioritising = escalating.services.prioritising
    proposal = prioritising.learn("shop").proposal
    assert proposal is not None
    applied = prioritising.apply("shop", proposal.id)
    for shop, id in (("other", proposal.id), ("shop", applied.id), ("shop", "pw_none")):
        with pytest.raises(NotFound):
            prioritising.apply(shop, id)


def test_what_is_not_proven_is_kept_on_request_only(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    history = happened(api, dict.fromkeys(FACTORS, 0.0), 1500)
    history = [item if number % 9 else _escalated(item) for number, item in enumerate(history)]
    monkeypatch.setattr("kb_service.priority.prioritising.replayed", lambda *_: history)
    lesson = api.services.prioritising.learn("shop")
    assert (lesson.learned.reason, lesson.proposal) == ("no_better", None)
    kept = api.services.prioritising.learn("shop", keep=True).proposal
    assert kept is not None
    assert kept.evidence["reason"] == "no_better"


def _escalated(item: ReplayedContact) -> ReplayedContact:
    decided = Decided(item.decided.at, item.decided.shares, True)
    return ReplayedContact(item.contact, decided, frozenset(["rated_low"]), None)


def test_the_command_line_shows_learns_and_refuses(kb: CommandLine) -> None:
    kb.good("workspaces", "create", "shop")
    assert "in force: urgency 36, emotion 30" in kb.good("priority", "show").out
    learned = kb.good("priority", "learn")
    assert "0 contacts, 0 escalated (none)" in learned.out
    assert "not enough: it takes 80" in learned.out
    assert "nothing changes" in learned.out
    told = kb.good("priority", "learn", "--json").json
    assert (told["id"], told["reason"], told["weights"]) == (None, "not_enough", DEFAULT_WEIGHTS)
    assert kb("priority", "apply", "pw_none").status == 2
    assert kb("priority", "rollback").status == 2
    assert kb.good("priority", "show", "--json").json == {"in_force": DEFAULT_WEIGHTS, "entries": []}


# --- what is learned on


def story(api: Api, id: str, *steps: dict[str, Any], customer: str | None = None) -> None:
    """What happened in one conversation, hours after it began."""
    lines = [
        api.event(
            f"{id}-{number}",
            **{
                "at": (api.clock.now - 20 * DAY + step.pop("after") * HOUR).isoformat(),
                "conversation_id": f"c-{id}",
                "customer_id": customer or f"u-{id}",
                "text": None,
                **step,
            },
        )
        for number, step in enumerate(steps)
    ]
    results = api.batch("/v1/events:batch", lines)
    assert {result["status"] for result in results} == {"accepted"}


def says(after: float, text: str = LATE, **more: Any) -> dict[str, Any]:
    return {"after": after, "type": "message", "role": "customer", "text": text, **more}


def replies(after: float) -> dict[str, Any]:
    return {"after": after, "type": "message", "role": "agent", "agent_id": "a1", "text": "one moment please"}


def resolves(after: float) -> dict[str, Any]:
    return {"after": after, "type": "resolution", "role": "agent", "agent_id": "a1", "resolved": True}


def transferred(after: float) -> dict[str, Any]:
    return {"after": after, "type": "transfer", "from_agent": "a1", "to_agent": "a2"}


def rated(after: float, rating: float) -> dict[str, Any]:
    return {"after": after, "type": "rating", "rating": rating}


def read_back(api: Api) -> dict[str, ReplayedContact]:
    """Contacts by conversation, and by their number within it from the second on."""
    services = api.services
    replica = services.replicas.settled("shop")
    with api.store.reading("shop") as unit:
        found = replayed(unit, replica, services.reader, api.clock.now)
    named: dict[str, ReplayedContact] = {}
    for item in found:
        id = (item.contact.conversation_id or "").removeprefix("c-")
        number = sum(name.partition("/")[0] == id for name in named)
        named[f"{id}/{number + 1}" if number else id] = item
    return named


def test_each_way_of_escalating_is_seen(api: Api) -> None:
    story(api, "quiet", says(0), replies(1), resolves(2), rated(3, 5))
    story(api, "transferred", says(0), transferred(1), resolves(2))
    story(api, "rated", says(0), resolves(1), rated(2, 2))
    story(api, "late", says(0), resolves(1), rated(90, 1))
    story(api, "complained", says(0), replies(1), says(2, "then I file a complaint against you"))
    story(api, "lawyer", says(0), replies(1), says(2, "my lawyer will sue you"))
    story(api, "first", says(0, "I will file a complaint"), replies(1), resolves(2))
    story(api, "back", says(0), resolves(1), says(30), resolves(31))
    story(api, "thanks", says(0), resolves(1), says(2, "thank you!"))
    story(api, "elsewhere", says(0, "what about an invoice"), resolves(1), customer="u-else")
    story(api, "again", says(60, "what about an invoice"), resolves(61), customer="u-else")
    story(api, "waiting", says(0))
    found = read_back(api)
    assert {name: set(item.escalations) for name, item in found.items()} == {
        "quiet": set(),
        "transferred": {"transferred"},
        "rated": {"rated_low"},
        "late": set(),
        "complained": {"complained"},
        "lawyer": {"complained"},
        "first": set(),
        "back": {"reopened"},
        "back/2": set(),
        "thanks": set(),
        "elsewhere": {"reopened"},
        "again": set(),
    }
    assert all(item.decided.escalated == bool(item.escalations) for item in found.values())
    assert kinds(found.values()) == {"complained": 2, "rated_low": 1, "reopened": 2, "transferred": 1}


def test_a_case_that_was_taken_from_who_did_not_answer_escalated_in_no_way(api: Api) -> None:
    story(api, "taken", says(0), resolves(3))
    with api.store.writing("shop") as unit:
        (case,) = [item for item in unit.cases.page().items if item.conversation_ids == ("c-taken",)]
        taken = Event(
            id="released-1",
            type="transfer",
            at=case.opened_at + timedelta(hours=1),
            role="agent",
            conversation_id="c-taken",
            from_agent="a1",
            reason="released:inactive",
        )
        unit.events.add(taken, case.id)
    (found,) = read_back(api).values()
    assert found.escalations == frozenset()
    assert found.decided.at == case.opened_at + timedelta(hours=3), "nobody acted on it before"


def test_people_and_experts_who_are_called_in_count(api: Api) -> None:
    api.put("/v1/agents/a1", {"name": "a1", "online": True})
    api.put("/v1/agents/a2", {"name": "a2", "online": True})
    for id in ("asked", "handed", "never"):
        assert api.post("/v1/events", api.event(id)).status_code == 200
        api.clock.advance(minutes=5)
        if id != "never":
            spoken = api.event(f"{id}-2", conversation_id=f"c-{id}", customer_id=f"u-{id}", text="a moment")
            api.post("/v1/events", spoken | {"role": "agent", "agent_id": "a1"})
            api.clock.advance(minutes=5)
        if id == "asked":
            assert api.post(f"/v1/cases/{api.case_id(id)}/assign", {"agent_id": "a1"}).status_code == 200
            assert api.post(f"/v1/cases/{api.case_id(id)}/consult", {"agent_id": "a2"}).status_code == 200
        else:
            assert api.post(f"/v1/cases/{api.case_id(id)}/handover", {}).status_code == 200
    api.clock.advance(days=4)
    found = read_back(api)
    assert {name: set(item.escalations) for name, item in found.items()} == {
        "asked": {"consulted"},
        "handed": {"handed_over"},
    }, "a case that nobody answered was not taken from anybody"


def test_shares_are_those_of_the_moment(api: Api) -> None:
    gold = {"id": "u-poor", "tier": "gold", "orders": 9, "spend": 900.0, "recency_days": 2}
    story(
        api,
        "poor",
        says(0, "this is outrageous!!! fix it now, I am waiting", customer=gold),
        replies(2),
        resolves(3),
    )
    story(api, "calm", says(0, "which colours are there"), replies(0.1), says(30, "this is outrageous!!!"))
    story(api, "again", says(40, "what about an invoice"), resolves(41), customer="u-i")
    story(api, "again2", says(140, "what about an invoice"), resolves(141), customer="u-i")
    for number in range(4):
        story(api, f"crowd{number}", says(48 + number), resolves(60))
    found = {name: item.decided.shares for name, item in read_back(api).items()}
    poor, calm = found["poor"], found["calm"]
    assert poor["waiting"] == pytest.approx(2 / 24)
    assert poor["emotion"] > 0.5 > calm["emotion"]
    assert poor["customer_value"] > 0.5
    assert poor["service_level"] > 0.4, "gold, and some of the promised time was used"
    assert (calm["customer_value"], calm["repeat_contact"]) == (0.0, 0.0)
    assert found["again"]["repeat_contact"] == 0.0
    assert found["again2"]["repeat_contact"] == 0.5
    assert [found[f"crowd{number}"]["problem_state"] for number in range(4)] == [0.0, 0.2, 0.2, 0.6]


def test_what_may_still_turn_is_left_out(api: Api) -> None:
    story(api, "done", says(0), resolves(1))
    story(api, "fresh", says(20 * 24 - 5), resolves(20 * 24 - 4))
    assert set(read_back(api)) == {"done"}


def test_what_a_customer_says_after_somebody_acted_teaches_nothing(api: Api) -> None:
    story(api, "first", says(0), resolves(1), customer="u-one")
    both = (says(100, "what about an invoice"), replies(101), says(102), resolves(103))
    story(api, "second", *both, customer="u-one")
    found = read_back(api)
    first, second = found["first"].contact, found["second"].contact
    assert same_matter(first.matter, second.matter), "in the end it was about the same"
    assert not same_matter(first.matter, second.matter_at(found["second"].decided.at))
    assert found["second"].decided.shares["repeat_contact"] == 0.0


def test_a_refund_above_the_limit_is_as_sensitive_as_when_it_was_asked_for(api: Api) -> None:
    story(api, "order", says(0, "I want a refund", order_value=900.0), resolves(1))
    story(api, "amount", says(0, "please refund the $700.00 that I paid"), resolves(1))
    story(api, "little", says(0, "I want a refund", order_value=20.0), resolves(1))
    story(api, "unknown", says(0, "I want a refund"), resolves(1))
    shares = {name: item.decided.shares["sensitive"] for name, item in read_back(api).items()}
    assert shares["order"] == shares["amount"] > 0.0
    assert shares["little"] == shares["unknown"] == 0.0


def test_what_is_asked_all_the_time_was_no_incident_when_it_was_asked(api: Api) -> None:
    for number in range(11):
        story(api, f"ever{number}", says(number * 36), resolves(number * 36 + 1))
    shares = [found.decided.shares["problem_state"] for found in read_back(api).values()]
    assert shares[-1] == 0.1 < max(shares)
