"""Clusters of problems and people: learned once for all processes, named and pinned by people, and traceable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ingest.embedding import WordHashEmbedder
from kb_service.app import wire
from kb_service.services import Services
from kb_service.store import ExpertisePin
from tests.kb_service.conftest import Api, faults, problem

PARCEL = "my parcel has not moved for three days, where is it"
SCREEN = "the screen of the phone flickers green after the update"
CASES = 8


def resolved(api: Api, prefix: str, text: str, agents: tuple[str, ...], cases: int = CASES) -> str:
    """Cases of one problem that some agents resolved in turn; the problem."""
    for number in range(cases):
        name = f"{prefix}{number}"
        api.post("/v1/events", api.event(name, text=text))
        done = {
            "type": "resolution",
            "agent_id": agents[number % len(agents)],
            "resolved": True,
            "handling_seconds": 60.0,
            "text": None,
        }
        api.post(
            "/v1/events", api.event(f"r-{name}", **done, conversation_id=f"c-{name}", customer_id=f"u-{name}")
        )
        api.clock.advance(minutes=5)
    found = api.get(f"/v1/events/{prefix}0").json()["problem"]["id"]
    return str(found)


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop that declared nothing: two people resolve one matter, two another."""
    for name in ("li", "mo", "an", "bo"):
        api.put(f"/v1/agents/{name}", {"name": name.title(), "online": True})
    return api


@contextmanager
def another_process(api: Api) -> Iterator[Services]:
    """A second service over the same store, as after a restart or beside the first."""
    services = wire(api.services.settings, embedder=WordHashEmbedder(), clock=api.clock, serving=False)
    try:
        yield services
    finally:
        services.stop()


def listed(api: Api) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in api.get("/v1/expertise").json()["items"]}


def test_who_resolves_what_makes_clusters(shop: Api) -> None:
    parcel = resolved(shop, "p", PARCEL, ("li", "mo"))
    screen = resolved(shop, "s", SCREEN, ("an", "bo"))
    shop.services.clustering.night("shop")
    clusters = listed(shop)
    of = {id: item for item in clusters.values() for id in item["problem_ids"]}
    assert set(of) == {parcel, screen}
    assert of[parcel]["id"] != of[screen]["id"]
    assert (of[parcel]["agent_ids"], of[screen]["agent_ids"]) == (["li", "mo"], ["an", "bo"])
    detail = shop.get(f"/v1/expertise/{of[parcel]['id']}").json()
    assert [(item["id"], item["via"]) for item in detail["problems"]] == [(parcel, "learned")]
    assert {(item["id"], item["via"]) for item in detail["agents"]} == {("li", "learned"), ("mo", "learned")}
    assert {item["skill"]["rate"] for item in detail["agents"]} == {None}, "nobody has twenty cases"
    assert detail["pinned"] is None


def test_every_process_sees_the_same_after_a_restart_too(shop: Api) -> None:
    resolved(shop, "p", PARCEL, ("li", "mo"))
    resolved(shop, "s", SCREEN, ("an", "bo"))
    made = shop.services.clustering.night("shop")
    seen = listed(shop)
    assert any(item.id.startswith("learned-") for item in made)
    with another_process(shop) as second:
        found = {item.id: item for item in second.clustering.all("shop")}
        assert {id: list(item.agent_ids) for id, item in found.items()} == {
            id: item["agent_ids"] for id, item in seen.items()
        }
        assert {id: item.name for id, item in found.items()} == {
            id: item["name"] for id, item in seen.items()
        }


def test_ids_and_names_last_while_the_work_goes_on(shop: Api) -> None:
    parcel = resolved(shop, "p", PARCEL, ("li", "mo"))
    resolved(shop, "s", SCREEN, ("an", "bo"))
    shop.services.clustering.night("shop")
    before = {id: item["name"] for id, item in listed(shop).items()}
    resolved(shop, "q", PARCEL, ("mo", "li", "an"))
    shop.clock.advance(days=1)
    with another_process(shop) as second:
        second.clustering.night("shop")
    shop.services.replicas.follow("shop")
    after = listed(shop)
    assert {id: item["name"] for id, item in after.items()} == before
    assert any(parcel in item["problem_ids"] for item in after.values())


def test_learning_is_made_anew_when_there_is_twice_as_much_to_learn_from(shop: Api) -> None:
    from kb_service.people.clustering import renew_if_due

    resolved(shop, "p", PARCEL, ("li", "mo"), cases=9)
    assert renew_if_due(shop.store, "shop") is False
    resolved(shop, "q", PARCEL, ("li", "mo"), cases=1)
    assert renew_if_due(shop.store, "shop") is True
    assert renew_if_due(shop.store, "shop") is False
    with shop.store.reading("shop") as unit:
        assert unit.expertise.learnt_from() == 10


def test_a_learning_that_finds_nothing_is_remembered_and_changes_nothing(api: Api) -> None:
    from kb_service.people.clustering import renew_if_due

    # The agents are named by events, never declared: there is nobody to make a cluster of.
    resolved(api, "p", PARCEL, ("li", "mo"), cases=12)
    with api.store.reading("shop") as unit:
        before = unit.changes.position()
    assert [renew_if_due(api.store, "shop") for _ in range(3)] == [True, False, False]
    api.services.clustering.night("shop")
    with api.store.reading("shop") as unit:
        assert unit.expertise.all() == ()
        assert unit.expertise.learnt_from() == 12
        assert unit.changes.position() == before, "other processes have nothing to look at"


def test_a_learning_does_not_bring_back_what_was_erased_meanwhile(
    shop: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb_service.people import clustering

    resolved(shop, "p", PARCEL, ("li", "mo"))
    resolved(shop, "s", SCREEN, ("an", "bo"))
    shop.services.clustering.night("shop")
    learned, erased = clustering._learned, []

    def and_meanwhile(unit: Any) -> Any:
        found = learned(unit)
        if not erased:
            erased.append([shop.delete(f"/v1/customers/u-p{number}") for number in range(CASES)])
        return found

    monkeypatch.setattr(clustering, "_learned", and_meanwhile)
    shop.services.clustering.night("shop")
    with shop.store.reading("shop") as unit:
        kept = " ".join(item.name for item in unit.expertise.all())
    assert "parcel" not in kept


def test_what_a_shop_declares_counts_at_once_and_needs_no_learning(shop: Api) -> None:
    shop.put("/v1/intents/late", {"label": "Late", "examples": [PARCEL], "expertise": "Logistics"})
    shop.put("/v1/agents/li", {"name": "Li", "skills": ["logistics"]})
    (cluster,) = listed(shop).values()
    assert (cluster["id"], cluster["intent_ids"], cluster["agent_ids"]) == ("logistics", ["late"], ["li"])
    detail = shop.get("/v1/expertise/logistics").json()
    assert [(item["id"], item["via"]) for item in detail["intents"]] == [("late", "declared")]
    assert [(item["id"], item["via"]) for item in detail["agents"]] == [("li", "declared")]
    shop.put("/v1/agents/li", {"name": "Li", "skills": []})
    assert listed(shop)["logistics"]["agent_ids"] == []


def test_people_name_and_pin_and_learning_keeps_to_it(shop: Api) -> None:
    parcel = resolved(shop, "p", PARCEL, ("li", "mo"))
    screen = resolved(shop, "s", SCREEN, ("an", "bo"))
    shop.put("/v1/intents/late", {"label": "Late", "examples": ["late"], "expertise": "logistics"})
    shop.services.clustering.night("shop")
    home = next(item for item in listed(shop).values() if screen in item["problem_ids"])
    pin = {"name": "Parcels and more", "problem_ids": [screen], "agent_ids": ["bo"], "intent_ids": ["late"]}
    put = shop.put("/v1/expertise/logistics", pin, role="product")
    assert put.status_code == 200, put.text
    assert put.json()["name"] == "Parcels and more"
    assert put.json()["pinned"]["problem_ids"] == [screen]
    assert {item["via"] for item in (*put.json()["problems"], *put.json()["intents"])} == {"pinned"}
    for _ in range(2):
        clusters = listed(shop)
        assert clusters["logistics"]["name"] == "Parcels and more"
        assert clusters["logistics"]["problem_ids"] == [screen]
        assert "bo" in clusters["logistics"]["agent_ids"]
        assert screen not in clusters.get(home["id"], {"problem_ids": []})["problem_ids"]
        shop.services.clustering.night("shop")
    assert any(parcel in item["problem_ids"] for item in clusters.values())
    assert shop.get("/v1/audit").json()["items"][0]["action"] == "expertise.pinned"
    assert shop.delete("/v1/expertise/logistics", role="product").status_code == 204
    assert shop.get("/v1/expertise/logistics").json()["pinned"] is None
    assert listed(shop)["logistics"]["name"] == "logistics"
    problem(shop.delete("/v1/expertise/logistics"), 404)


def test_a_put_that_leaves_a_field_out_wipes_nothing(shop: Api) -> None:
    shop.put("/v1/intents/late", {"label": "Late", "examples": ["late"], "expertise": "logistics"})
    first = shop.put("/v1/expertise/logistics", {"name": "Parcels", "agent_ids": ["li"]}).json()
    assert shop.put("/v1/expertise/logistics", {}).json()["pinned"]["agent_ids"] == ["li"]
    second = shop.put("/v1/expertise/logistics", {"agent_ids": ["li", "mo"]}).json()
    assert (first["name"], second["name"], second["pinned"]["agent_ids"]) == (
        "Parcels",
        "Parcels",
        ["li", "mo"],
    )
    third = shop.put("/v1/expertise/logistics", {"agent_ids": [], "name": None}).json()
    assert (third["name"], third["pinned"]) == ("logistics", None)


def test_a_return_goes_where_its_product_belongs(shop: Api) -> None:
    """The shop splits what comes after a sale by the kind of goods, so that its returns have no expertise."""
    shop.put("/v1/intents/screen", {"label": "Screen", "examples": [SCREEN], "expertise": "electronics"})
    jacket = "the seam of the jacket came open"
    shop.put("/v1/intents/seam", {"label": "Seam", "examples": [jacket], "expertise": "clothing"})
    back = ["I want to return this", "how do I send it back", "please take it back"]
    shop.put("/v1/intents/return", {"label": "Return", "examples": back})
    for name, skill in (("li", "electronics"), ("mo", "electronics"), ("an", "clothing"), ("bo", "clothing")):
        shop.put(f"/v1/agents/{name}", {"name": name.title(), "skills": [skill], "online": True})
    for text, sku, agents in ((SCREEN, "SLA-SP30", ("li", "mo")), (jacket, "YDF-DJ02", ("an", "bo"))):
        for number in range(CASES):
            name = f"{sku}-{number}"
            shop.post("/v1/events", shop.event(name, text=text, products=[sku]))
            done = {"type": "resolution", "agent_id": agents[number % 2], "resolved": True, "text": None}
            case = {"conversation_id": f"c-{name}", "customer_id": f"u-{name}"}
            shop.post("/v1/events", shop.event(f"r-{name}", **done, **case))
    shop.services.replicas.settled("shop").reset()

    def routed(*products: str) -> tuple[str | None, str | None]:
        found = shop.post("/v1/route", {"query": "I want to return this", "products": products}).json()
        return found["expertise"] and found["expertise"]["id"], found["triage_reason"]

    assert routed() == (None, "no_expertise")
    assert routed("SLA-SP30") == ("electronics", None)
    assert routed("YDF-DJ02") == ("clothing", None)


def test_a_learned_cluster_may_be_renamed(shop: Api) -> None:
    resolved(shop, "p", PARCEL, ("li", "mo"))
    shop.services.clustering.night("shop")
    (cluster,) = listed(shop).values()
    shop.put(f"/v1/expertise/{cluster['id']}", {"name": "Late parcels"})
    assert listed(shop)[cluster["id"]]["name"] == "Late parcels"
    shop.services.clustering.night("shop")
    assert listed(shop)[cluster["id"]]["name"] == "Late parcels"


def test_people_make_a_cluster_of_their_own(shop: Api) -> None:
    screen = resolved(shop, "s", SCREEN, ("an", "bo"))
    problem(shop.put("/v1/expertise/vip", {"name": "VIP"}), 404)
    made = shop.put("/v1/expertise/vip", {"name": "VIP", "problem_ids": [screen], "agent_ids": ["li"]}).json()
    assert (made["problem_ids"], made["agent_ids"]) == ([screen], ["li"])
    moved = shop.put("/v1/expertise/other", {"problem_ids": [screen]}).json()
    assert moved["problem_ids"] == [screen]
    assert shop.get("/v1/expertise/vip").json()["problem_ids"] == [], "a problem is at home in one cluster"
    gone = shop.put("/v1/expertise/other", {"problem_ids": []}).json()
    assert (gone["problem_ids"], gone["pinned"]) == ([], None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"problem_ids": ["p_none"]}, "problem_ids"),
        ({"intent_ids": ["none"]}, "intent_ids"),
        ({"agent_ids": ["none"]}, "agent_ids"),
        ({"name": ""}, "name"),
        ({"names": ["x"]}, "names"),
    ],
)
def test_pins_that_cannot_be(shared_api: Api, body: dict[str, Any], field: str) -> None:
    assert list(faults(shared_api.put("/v1/expertise/logistics", body))) == [field]


def test_an_id_is_written_as_its_name_would_be(shop: Api) -> None:
    assert list(faults(shop.put("/v1/expertise/After Sales", {"agent_ids": ["li"]}))) == ["id"]
    assert shop.put("/v1/expertise/after-sales", {"agent_ids": ["li"]}).status_code == 200
    problem(shop.put("/v1/expertise/after-sales", {"agent_ids": []}, role="agent"), 403)


def test_a_pin_of_a_problem_follows_a_merge(shop: Api) -> None:
    parcel = resolved(shop, "p", PARCEL, ("li", "mo"))
    screen = resolved(shop, "s", SCREEN, ("an", "bo"))
    shop.put("/v1/expertise/vip", {"problem_ids": [screen], "agent_ids": ["li"]})
    shop.post(f"/v1/problems/{screen}/merge", {"into": parcel})
    survivor = shop.get(f"/v1/problems/{screen}").json()["id"]
    assert listed(shop)["vip"]["problem_ids"] == [survivor]


# --- profiles


def test_a_profile_tells_of_problems_and_of_others(shop: Api) -> None:
    parcel = resolved(shop, "p", PARCEL, ("li", "mo"), cases=48)
    for number in range(0, 30, 2):
        # Every second of Mo's cases comes back.
        name = f"p{2 * (number // 2) + 1}"
        came_back = shop.event(f"f-{name}", type="followup", resolved=False, text="it is still not here")
        shop.post("/v1/events", {**came_back, "conversation_id": f"c-{name}", "customer_id": f"u-{name}"})
    shop.services.replicas.settled("shop").reset()
    good = shop.get("/v1/agents/li/profile").json()
    bad = shop.get("/v1/agents/mo/profile").json()
    (on_problem,) = good["by_problem"]
    assert on_problem["problem"]["id"] == parcel
    assert on_problem["skill"]["cases"] >= 20
    assert on_problem["skill"]["low"] < on_problem["skill"]["rate"] < on_problem["skill"]["high"]
    assert good["compared"]["difference"] > 0 > bad["compared"]["difference"]
    assert good["compared"]["low"] > 0, "beyond chance"
    assert good["compared"]["cases"] == pytest.approx(24, abs=1)
    unknown = shop.get("/v1/agents/an/profile").json()
    assert (unknown["by_problem"], unknown["compared"]) == ([], None)


def test_few_cases_tell_nothing(shop: Api) -> None:
    resolved(shop, "p", PARCEL, ("li", "mo"), cases=12)
    shop.services.replicas.settled("shop").reset()
    profile = shop.get("/v1/agents/li/profile").json()
    assert profile["compared"] is None
    assert profile["by_problem"][0]["skill"]["rate"] is None


def test_a_pin_knows_when_it_is_empty(shop: Api) -> None:
    pin = ExpertisePin("x", None, (), (), (), "key", shop.clock.now)
    assert pin.empty


def test_with_few_cases_of_a_problem_the_whole_expertise_speaks_for_an_agent(shop: Api) -> None:
    shop.put("/v1/intents/late", {"label": "Late", "examples": [PARCEL, SCREEN], "expertise": "logistics"})
    shop.put("/v1/agents/li", {"name": "Li", "online": True, "skills": ["logistics"]})
    resolved(shop, "p", PARCEL, ("li",), cases=15)
    resolved(shop, "s", SCREEN, ("li",), cases=15)
    shop.services.replicas.settled("shop").reset()
    case = shop.post("/v1/events", shop.event("new", text=PARCEL)).json()["case_id"]
    shop.post(f"/v1/cases/{case}/handover")
    (made,) = shop.post("/v1/assignments").json()["items"]
    assert made["agent"]["id"] == "li"
    for language, words in (("en", "of all cases of logistics"), ("zh", "在“logistics”的解决率")):
        items = shop.get(f"/v1/cases/{case}/decisions", headers={"Accept-Language": language}).json()["items"]
        assert any(words in sentence for sentence in items[-1]["explanation"])
        for part in items[-1]["priority"]["contributions"]:
            chinese = any("\u4e00" <= character <= "\u9fff" for character in part["evidence"])
            assert chinese is (language == "zh"), "evidence is in the reader's language"
    figures = next(one for one in items[-1]["candidates"] if one["id"] == "li")["estimate"]
    assert (figures["of"], figures["cases"]) == ("logistics", 30)
    assert figures["low"] < figures["rate"] < figures["high"]
