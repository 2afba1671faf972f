"""A customer who is erased is nowhere, and nobody else is touched."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.kb_service.conftest import DAY, RETURNS, Api

NAME = "zanzibarine"
"""A word that only this customer uses."""
WORDS = f"the {NAME} kettle leaks all over the kitchen table"
OTHERS = "the kettle leaks all over the kitchen table"
CUSTOMER = "customer-erika-77"


def dump(api: Api) -> bytes:
    """Every cell of every table, as bytes, but for the change log: replicas of other processes follow the ids
    of events and cases there."""
    found = bytearray()
    with sqlite3.connect(api.services.settings.data / "kb.sqlite3") as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for cell in row if table != "changes" else ():
                    found += cell if isinstance(cell, bytes) else str(cell).encode()
                    found += b"\n"
    connection.close()
    return bytes(found)


def files(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def lived(api: Api) -> dict[str, str]:
    """What the customer and two others do; ids that matter later."""
    api.put("/v1/agents/agent-1", {"name": "agent-1", "online": True})
    api.put(
        "/v1/webhooks/team",
        {"url": "https://example.com/hook", "types": ["alert.opened", "problem.resolved"]},
    )
    api.put("/v1/documents/returns", RETURNS)
    mine = {"customer_id": CUSTOMER, "conversation_id": "conversation-erika", "text": WORDS}
    key = {"Idempotency-Key": "key-erika"}
    first = api.post("/v1/events", api.event("event-erika-1", **mine), headers=key).json()
    for number in range(2):
        last = api.post("/v1/events", api.event(f"o{number}", text=OTHERS)).json()
    alone = api.post(
        "/v1/events",
        api.event(
            "event-erika-2",
            customer_id=CUSTOMER,
            conversation_id="conversation-erika-2",
            text=f"my {NAME} wardrobe door is scratched and dented badly",
            at=(api.clock.now - 10 * DAY).isoformat(),
        ),
    ).json()
    assert first["problem"]["id"] == last["problem"]["id"] != alone["problem"]["id"]
    asked = {
        "query": f"may {NAME} clothing be returned within 30 days of delivery",
        "customer": {"id": CUSTOMER},
        "conversation_id": "conversation-erika",
    }
    for path in ("/v1/answers", "/v1/suggestions"):
        answer = api.post(path, asked).json()["answers"][0]
        given = {"exposure_id": answer["exposure_id"], "answer_id": answer["id"], "outcome": "edited"}
        api.post("/v1/feedback", {**given, "final_text": f"Yes, {NAME} clothing too."})
    api.post("/v1/answers", {**asked, "event_id": "event-erika-3"})
    case_id = first["case_id"]
    api.post(f"/v1/cases/{case_id}/handover", {"reason": f"wants the {NAME} kettle mended"})
    api.post(f"/v1/cases/{case_id}/assign", {"agent_id": "agent-1"})
    api.post(f"/v1/cases/{case_id}/consult", {"agent_id": "agent-1", "note": "x"})
    api.post(f"/v1/cases/{case_id}/resolve", {"reply": f"We sent a new {NAME} kettle."})
    # Asked a moment ago: this may still wait to be written.
    api.post("/v1/answers", {**asked, "query": f"is the {NAME} kettle under warranty"})
    return {"case": case_id, "shared": first["problem"]["id"], "alone": alone["problem"]["id"]}


def test_nothing_of_a_customer_is_left(api: Api) -> None:
    ids = lived(api)
    assert NAME.encode() in dump(api)
    assert CUSTOMER.encode() in dump(api)
    before = api.get("/v1/problems/" + ids["shared"]).json()

    erased = api.delete(f"/v1/customers/{CUSTOMER}")
    assert erased.status_code == 200
    assert erased.json()["erased"]["events"] >= 3

    api.services.exposures.flush()
    traces = (NAME, CUSTOMER, "conversation-erika", "event-erika", "key-erika", ids["case"])
    content = dump(api).lower()
    assert [trace for trace in traces if trace.encode() in content] == []
    # Neither in what the database left behind in its files, nor in what is derived.
    raw = files(api.services.settings.data).lower()
    assert [
        trace for trace in (NAME, CUSTOMER, "conversation-erika", "key-erika") if trace.encode() in raw
    ] == []
    replica = api.services.replicas.of("shop")
    assert NAME not in str([item.utterance.text for item in replica.matcher.exemplars(ids["shared"])])
    for path in ("/v1/graph", "/v1/problems", "/v1/alerts", "/v1/proposals", "/v1/cases", "/v1/audit"):
        text = api.get(path).text.lower()
        assert [trace for trace in traces if trace in text] == [], path
    for path in ("/v1/events/event-erika-1", f"/v1/cases/{ids['case']}", f"/v1/problems/{ids['alone']}"):
        assert api.get(path).status_code == 404, path
    with api.store.reading("shop") as unit:
        assert {stored.event_id for stored in unit.problems.observations(ids["shared"])} == {"o0", "o1"}

    # The others' part of the problem stands.
    after = api.get("/v1/problems/" + ids["shared"]).json()
    assert (before["customers"], after["customers"]) == (3, 2)
    assert after["name"]
    assert api.get("/v1/events/o0").json()["text"] == OTHERS
    assert api.post("/v1/events", api.event("o9", text=OTHERS)).json()["problem"]["id"] == ids["shared"]
    assert api.delete(f"/v1/customers/{CUSTOMER}").json()["erased"] == {}


def test_a_customer_may_come_back(api: Api) -> None:
    body = api.event("m1", customer_id="u", conversation_id="c")
    first = api.post("/v1/events", body).json()
    api.delete("/v1/customers/u")
    again = api.post("/v1/events", body).json()
    assert again["status"] == "accepted"
    assert again["problem"]["new"]
    assert api.get(f"/v1/cases/{first['case_id']}").status_code in (200, 404)


def test_the_erasure_itself_can_be_proved(api: Api) -> None:
    api.post("/v1/events", api.event("m1", customer_id="u"))
    api.delete("/v1/customers/u")
    entry = api.get("/v1/audit").json()["items"][0]
    assert entry["action"] == "customer.erased"
    assert entry["object"] != "u"
    assert entry["detail"]["counts"]["events"] == 1
