"""Intents, agents and expertise in the console: what is typed is kept, tried, removed and had back."""

from __future__ import annotations

import re

import pytest

from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import Browser, signed_in

ROOT = "/console/administration"
INTENTS, AGENTS, EXPERTISE = f"{ROOT}/intents", f"{ROOT}/agents", f"{ROOT}/expertise"
RETURN = {"label": "申请退货 / Return an item", "examples": ["I want to send this back", "return my order"]}
KETTLE = {
    "label": "Kettle care",
    "examples": "how do I descale the kettle\r\nmy kettle has limescale\r\n\r\nclean the kettle inside",
}


@pytest.fixture
def boss(api: Api) -> Browser:
    return signed_in(api, "admin", name="Boss")


def undo_of(page: str) -> str:
    found = re.search(r'action="([^"]+/restore)"', page)
    assert found
    return found[1]


# --- intents


def test_intents_are_listed_by_their_name_in_the_readers_language(api: Api, boss: Browser) -> None:
    api.put("/v1/intents/return", RETURN)
    assert "Return an item 2 examples" in boss.text(INTENTS)
    boss.language = "zh"
    assert "申请退货 2 条例句" in boss.text(INTENTS)


@pytest.mark.parametrize("q", ["RETURN", "send this back", "退货", "after-sales"])
def test_intents_are_found_by_name_example_and_expertise(api: Api, boss: Browser, q: str) -> None:
    api.put("/v1/intents/return", {**RETURN, "expertise": "after-sales"})
    api.put("/v1/intents/invoice", {"label": "Invoice", "examples": ["I need a bill 50% off"]})
    said = boss.text(f"{INTENTS}?q={q}")
    assert "Return an item" in said
    assert "Invoice" not in said
    assert "No intent fits." in boss.text(f"{INTENTS}?q=5%250%25%25"), "a sign of the search is no wildcard"


def test_an_intent_is_written_with_an_example_a_line(api: Api, boss: Browser) -> None:
    made = boss.post(INTENTS, id="kettle", **KETTLE, do="save")
    assert made.headers["location"] == f"{INTENTS}/kettle"
    stored = api.get("/v1/intents/kettle").json()
    assert stored["examples"] == [
        "how do I descale the kettle",
        "my kettle has limescale",
        "clean the kettle inside",
    ]
    fewer = {"label": "Kettle care", "examples": "how do I descale the kettle", "do": "save"}
    boss.post(f"{INTENTS}/kettle", **fewer, stamp=boss.stamp(f"{INTENTS}/kettle"))
    assert api.get("/v1/intents/kettle").json()["examples"] == ["how do I descale the kettle"]
    assert "removed my kettle has limescale, clean the kettle inside" in boss.text(f"{ROOT}/audit")


def test_a_message_is_read_with_what_is_typed_before_it_is_saved(api: Api, boss: Browser) -> None:
    api.put("/v1/intents/return", RETURN)
    tried = boss.post(INTENTS, id="kettle", **KETTLE, do="try", message="how to descale the kettle")
    assert tried.status_code == 200
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", tried.text))
    before, _, after = said.partition("With what you typed")
    assert "Kettle care" not in before.partition("As it is now")[2]
    assert "Kettle care" in after
    assert "Nothing was saved." in after
    assert "my kettle has limescale" in tried.text, "what was typed is still there"
    assert api.get("/v1/intents/kettle").status_code == 404


def test_what_an_intent_gets_shows_what_a_message_is_read_as(api: Api, boss: Browser) -> None:
    api.put("/v1/intents/return", RETURN)
    assert (
        "Return an item" in boss.text(f"{INTENTS}?message=return my order please").split("Name, example")[0]
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"examples": " "}, "examples"),
        ({"label": ""}, "label"),
        ({"id": "a/b"}, "id"),
        ({"id": "return"}, "id"),
        ({"do": "try"}, "message"),
    ],
)
def test_an_intent_tells_at_its_fields_what_it_lacks(
    api: Api, boss: Browser, wrong: dict[str, str], field: str
) -> None:
    api.put("/v1/intents/return", RETURN)
    form = {"id": "kettle", **KETTLE, "description": "kept as typed", "do": "save", **wrong}
    response = boss.post(INTENTS, **form)
    assert response.status_code == 422
    assert f'id="{field}-fault"' in response.text
    assert "kept as typed" in response.text
    assert api.get("/v1/intents/return").json()["label"] == RETURN["label"]


def test_the_removal_of_an_intent_is_taken_back_whole(api: Api, boss: Browser) -> None:
    api.put("/v1/intents/return", {**RETURN, "expertise": "after-sales", "sensitive": True})
    before = api.get("/v1/intents/return").json()
    boss.post(f"{INTENTS}/return/remove")
    assert api.get("/v1/intents/return").status_code == 404
    boss.post(undo_of(boss.get(INTENTS).text))
    assert api.get("/v1/intents/return").json() == before
    assert boss.post(f"{INTENTS}/return/restore").status_code == 409


# --- agents


def test_agents_are_listed_with_their_load_and_set_online(api: Api, boss: Browser) -> None:
    api.put(
        "/v1/agents/agent-1", {"name": "Lin", "languages": ["zh"], "skills": ["logistics"], "capacity": 1}
    )
    api.post("/v1/events", api.event("m1", text="hello", conversation_id="c-1"))
    api.post(f"/v1/cases/{api.case_id('m1')}/handover")
    assert "offline 0 of 1 case of the last 72 hours Set online" in boss.text(AGENTS)
    boss.post(f"{AGENTS}/agent-1/online", online="true")
    api.post(f"/v1/cases/{api.case_id('m1')}/assign", {"agent_id": "agent-1"})
    assert "online 1 of 1 case of the last 72 hours Set offline" in boss.text(AGENTS)
    assert "/console/traffic/people/agent-1" in boss.get(AGENTS).text


def test_an_agent_is_written(api: Api, boss: Browser) -> None:
    form = {"name": "Mo", "languages": "zh，en", "skills": "logistics, invoices", "capacity": "3"}
    boss.post(AGENTS, id="agent-9", **form, permissions="refund:300", pool="flex")
    assert api.get("/v1/agents/agent-9").json() == {
        "id": "agent-9",
        "name": "Mo",
        "languages": ["zh", "en"],
        "skills": ["logistics", "invoices"],
        "capacity": 3,
        "online": False,
        "pool": "flex",
        "permissions": ["refund:300"],
        "load": 0,
    }
    stamp = boss.stamp(f"{AGENTS}/agent-9")
    boss.post(f"{AGENTS}/agent-9", **{**form, "capacity": "7"}, online="1", stamp=stamp)
    stored = api.get("/v1/agents/agent-9").json()
    assert (stored["capacity"], stored["online"]) == (7, True)
    assert "cases at once 3 → 7" in boss.text(f"{ROOT}/audit")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"capacity": "many"}, "capacity"),
        ({"languages": "Chinese language"}, "languages"),
        ({"permissions": "refund:lots"}, "permissions"),
        ({"name": ""}, "name"),
        ({"id": ""}, "id"),
    ],
)
def test_an_agent_tells_at_its_fields_what_is_wrong(boss: Browser, wrong: dict[str, str], field: str) -> None:
    form = {"id": "agent-9", "name": "Mo", "capacity": "3", "skills": "kept-as-typed", **wrong}
    response = boss.post(AGENTS, **form)
    assert response.status_code == 422
    assert f'id="{field}-fault"' in response.text
    assert "kept-as-typed" in response.text


def test_the_removal_of_an_agent_is_taken_back(api: Api, boss: Browser) -> None:
    api.put("/v1/agents/agent-1", {"name": "Lin", "skills": ["logistics"], "online": True})
    boss.post(f"{AGENTS}/agent-1/remove")
    assert api.get("/v1/agents/agent-1").status_code == 404
    boss.post(undo_of(boss.get(AGENTS).text))
    back = api.get("/v1/agents/agent-1").json()
    assert (back["name"], back["skills"], back["online"]) == ("Lin", ["logistics"], False)


# --- expertise


def test_an_expertise_is_named_pinned_and_taken_back(api: Api, boss: Browser) -> None:
    api.put("/v1/intents/return", {**RETURN, "expertise": "after-sales"})
    api.put("/v1/agents/agent-1", {"name": "Lin"})
    place = f"{EXPERTISE}/after-sales"
    assert "after sales 1 intent" in boss.text(EXPERTISE)
    boss.post(f"{place}/name", name="Returns and repairs", over="")
    assert "Returns and repairs" in boss.text(EXPERTISE)
    boss.post(f"{place}/pin", kind="agent", chosen="agent-1")
    assert api.get("/v1/expertise/after-sales").json()["agent_ids"] == ["agent-1"]
    page = boss.get(place)
    undo = re.search(r'action="([^"]+/unpin)"[^>]*>\s*<input[^>]*>\s*<input', page.text)
    assert undo
    boss.post(f"{place}/unpin", kind="agent", chosen="agent-1")
    assert api.get("/v1/expertise/after-sales").json()["agent_ids"] == []
    boss.post(f"{place}/name", name="", over="Returns and repairs")
    assert "The name was kept." in boss.text(place)
    assert "Returns and repairs" not in boss.get(EXPERTISE).text


def test_a_pin_that_leads_nowhere_is_told_at_its_field(api: Api, boss: Browser) -> None:
    api.put("/v1/intents/return", {**RETURN, "expertise": "after-sales"})
    response = boss.post(f"{EXPERTISE}/after-sales/pin", kind="problem", chosen="p_none")
    assert response.status_code == 422
    assert "there is no problem p_none" in response.text
    assert 'value="p_none"' in response.text


def test_a_problem_is_pinned_by_its_id(api: Api, boss: Browser) -> None:
    problem_id = api.recurring()["problem"]["id"]
    api.put("/v1/intents/return", {**RETURN, "expertise": "after-sales"})
    boss.post(f"{EXPERTISE}/after-sales/pin", kind="problem", chosen=problem_id)
    assert api.get("/v1/expertise/after-sales").json()["problem_ids"] == [problem_id]
    assert f"/console/problems/{problem_id}" in boss.get(f"{EXPERTISE}/after-sales").text


# --- two at once


def test_an_agent_form_that_was_overtaken_saves_nothing_and_sets_nobody_online(
    api: Api, boss: Browser
) -> None:
    typed = {"name": "Mei", "languages": "zh", "capacity": "5", "pool": "core"}
    boss.post(AGENTS, id="mei", online="1", **typed)
    page = f"{AGENTS}/mei"
    stamp = boss.stamp(page)
    boss.post(f"{page}/online", online="false")
    refused = boss.post(page, online="1", stamp=stamp, **{**typed, "capacity": "7"})
    assert refused.status_code == 409
    assert "Somebody changed this meanwhile" in refused.text
    assert 'value="7"' in refused.text
    agent = api.get("/v1/agents/mei").json()
    assert (agent["online"], agent["capacity"]) == (False, 5)
    assert boss.post(page, stamp=boss.stamp(page), **{**typed, "capacity": "7"}).status_code == 303
    assert api.get("/v1/agents/mei").json()["capacity"] == 7


def test_an_intent_form_that_was_overtaken_saves_nothing(api: Api, boss: Browser) -> None:
    api.put("/v1/intents/return", RETURN)
    page = f"{INTENTS}/return"
    stamp = boss.stamp(page)
    api.put("/v1/intents/return", {**RETURN, "examples": ["theirs"]})
    refused = boss.post(page, do="save", stamp=stamp, label="Mine", examples="mine")
    assert refused.status_code == 409
    assert 'value="Mine"' in refused.text
    assert api.get("/v1/intents/return").json()["examples"] == ["theirs"]


def test_a_member_form_that_was_overtaken_saves_nothing(api: Api, boss: Browser) -> None:
    member, _ = api.services.accounts.invite("shop", "Lin", ("agent",), by=None)
    page = f"{ROOT}/members/{member.id}"
    stamp = boss.stamp(page)
    assert boss.post(page, name="Lin", roles="editor", stamp=stamp).status_code == 303
    refused = boss.post(page, name="Lin", roles="admin", stamp=stamp)
    assert refused.status_code == 409
    assert "Somebody changed this meanwhile" in refused.text
    (found,) = [item for item in api.services.accounts.memberships("shop") if item.member.id == member.id]
    assert found.member.roles == {"editor"}


FORMS = {
    f"{INTENTS}/return": {"do": "save", "label": "Mine", "examples": "mine"},
    f"{AGENTS}/mei": {"name": "Mine", "languages": "zh", "capacity": "9", "pool": "core"},
    f"{AGENTS}/mei/online": {},
    f"{EXPERTISE}/after-sales/name": {"name": "Mine"},
    f"{ROOT}/webhooks/team": {"url": "https://example.com/mine", "types": "gap.found", "format": "standard"},
    f"{ROOT}/members/MEMBER": {"name": "Mine", "roles": "agent"},
    f"{ROOT}/rules": {"do": "save", "recurrence_customers": "9"},
    f"{ROOT}/rules/undo": {},
    f"{ROOT}/rules/weights/rollback": {},
}
"""Every form that changes something that is there, without the field that tells what it was made of."""


@pytest.mark.parametrize("page", FORMS)
def test_a_form_that_does_not_tell_what_it_was_made_of_is_refused_as_malformed(
    api: Api, boss: Browser, page: str
) -> None:
    """Sent without it, a form was saved over whatever stood there."""
    api.put("/v1/intents/return", {**RETURN, "expertise": "after-sales"})
    api.put("/v1/agents/mei", {"name": "Mei", "online": True})
    api.put("/v1/webhooks/team", {"url": "https://example.com/hook", "types": ["alert.opened"]})
    member, _ = api.services.accounts.invite("shop", "Lin", ("editor",), by=None)

    def standing() -> list[object]:
        paths = ("intents/return", "agents/mei", "webhooks/team", "rules", "expertise/after-sales")
        people = [(item.name, sorted(item.roles)) for item in api.services.accounts.members("shop")]
        return [*(api.get(f"/v1/{path}").json() for path in paths), people]

    before = standing()
    refused = boss.post(page.replace("MEMBER", member.id), **FORMS[page])
    assert refused.status_code == 422
    assert "is required" in refused.text or "does not tell what it was made of" in refused.text
    assert standing() == before


def test_a_name_of_an_expertise_that_was_overtaken_is_not_saved(api: Api, boss: Browser) -> None:
    api.put("/v1/intents/return", {**RETURN, "expertise": "after-sales"})
    place = f"{EXPERTISE}/after-sales"
    boss.post(f"{place}/name", name="Theirs", over="")
    refused = boss.post(f"{place}/name", name="Mine", over="")
    assert refused.status_code == 409
    assert "Somebody changed this meanwhile" in refused.text
    assert 'value="Mine"' in refused.text
    assert "Theirs" in boss.text(EXPERTISE)
