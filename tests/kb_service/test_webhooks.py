"""Webhooks over the wire: created, changed, rotated, tried out and removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kb_service.conftest import Api, faults, problem

HOOK = {"url": "https://example.com/hook", "types": ["alert.opened"]}


def test_the_secret_is_shown_once(api: Api) -> None:
    created = api.put("/v1/webhooks/team", HOOK, role="product")
    assert created.status_code == 201
    secret = created.json()["secret"]
    assert secret.startswith("whsec_")
    assert (created.json()["state"], created.json()["format"]) == ("active", "standard")
    changed = api.put("/v1/webhooks/team", {**HOOK, "filter": {"product": ["SKU-1"]}})
    assert (changed.status_code, changed.json()["secret"]) == (200, None)
    assert api.get("/v1/webhooks/team").json()["filter"] == {"product": ["SKU-1"], "expertise": []}
    for path in ("/v1/webhooks/team", "/v1/webhooks", "/v1/audit"):
        assert secret not in api.get(path).text
    rotated = api.post("/v1/webhooks/team/rotate").json()["secret"]
    assert rotated.startswith("whsec_")
    assert rotated != secret
    assert api.delete("/v1/webhooks/team").status_code == 204
    for answer in (
        api.get("/v1/webhooks/team"),
        api.delete("/v1/webhooks/team"),
        api.post("/v1/webhooks/team/rotate"),
    ):
        problem(answer, 404)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"url": "nonsense"}, "url"),
        ({"url": "ftp://example.com/x"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://example.com/" + "x" * 3000}, "url"),
        ({"url": "http://127.0.0.1/x"}, "url"),
        ({"url": "http://0x7f.1/x"}, "url"),
        ({"url": "http://2130706433/x"}, "url"),
        ({"url": "http://[::1]/x"}, "url"),
        ({"url": "http://[::ffff:10.0.0.1]/x"}, "url"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "url"),
        ({"types": []}, "types"),
        ({"types": ["everything"]}, "types.0"),
        ({"format": "telegram"}, "format"),
        ({"filter": {"colour": ["red"]}}, "filter.colour"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"language": "fr"}, "language"),
        ({"signing_secret": "SEC1"}, "signing_secret"),
        ({"format": "slack", "signing_secret": "SEC1"}, "signing_secret"),
        ({"format": "feishu", "signing_secret": "x" * 300}, "signing_secret"),
        ({"format": "feishu", "signing_secret": "a\nb"}, "signing_secret"),
    ],
)
def test_webhooks_that_cannot_be(shared_api: Api, changed: dict[str, Any], field: str) -> None:
    assert list(faults(shared_api.put("/v1/webhooks/team", {**HOOK, **changed}))) == [field]
    assert shared_api.get("/v1/webhooks").json()["items"] == []


def test_a_message_to_try_it_out(api: Api) -> None:
    api.put("/v1/webhooks/team", HOOK)
    sent = api.post("/v1/webhooks/team/test")
    assert sent.status_code == 202
    assert sent.json()["type"] == "webhook.test"
    (listed,) = api.get("/v1/webhooks/team/deliveries").json()["items"]
    assert listed["id"] == sent.json()["id"]
    problem(api.post("/v1/webhooks/team/deliveries/dlv_unknown/replay"), 404)
    problem(api.get("/v1/webhooks/nobody/deliveries"), 404)
    problem(api.post("/v1/webhooks/nobody/test"), 404)


def test_filters_choose_what_is_sent(api: Api) -> None:
    api.put("/v1/webhooks/all", HOOK)
    api.put("/v1/webhooks/lamps", {**HOOK, "filter": {"product": ["LAMP-1"]}})
    api.put("/v1/webhooks/other", {**HOOK, "types": ["gap.found"]})
    assert api.recurring()["alerts"]

    def sent(name: str) -> int:
        return len(api.get(f"/v1/webhooks/{name}/deliveries").json()["items"])

    assert (sent("all"), sent("lamps"), sent("other")) == (1, 0, 0)
    assert api.recurring("n", text="the lamp LAMP-1 flickers all the time", products=["LAMP-1"])["alerts"]
    assert (sent("all"), sent("lamps"), sent("other")) == (2, 1, 0)


def test_a_platforms_secret_is_written_and_never_shown(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    chat = {
        "url": "https://chat.example.com/robot/send?access_token=tokentokentoken",
        "types": ["alert.opened"],
        "format": "dingtalk",
    }
    created = api.put("/v1/webhooks/chat", {**chat, "signing_secret": "SECplatform"}).json()
    assert (created["signed"], created["language"], created["format"]) == (True, "zh", "dingtalk")
    kept = api.put("/v1/webhooks/chat", {**chat, "language": "en"}).json()
    assert (kept["signed"], kept["language"]) == (True, "en"), "left out, it stays"
    texts = [api.get(path).text for path in ("/v1/webhooks/chat", "/v1/webhooks", "/v1/audit")]
    texts += [str(created), str(kept), capsys.readouterr().out]
    assert not [text for text in texts if "SECplatform" in text]
    assert "tokentokentoken" not in api.get("/v1/audit").text, "whoever has it can write there"
    taken_away = api.put("/v1/webhooks/chat", {**chat, "signing_secret": ""}).json()
    assert taken_away["signed"] is False
    api.put("/v1/webhooks/chat", {**chat, "signing_secret": "SECplatform"})
    other = api.put("/v1/webhooks/chat", {**chat, "format": "feishu"}).json()
    assert (other["signed"], other["language"]) == (False, "zh"), "a secret is of one platform"


@pytest.mark.parametrize("format", ["standard", "slack", "feishu", "dingtalk", "wecom"])
def test_every_format_can_be_had(shared_api: Api, format: str) -> None:
    made = shared_api.put("/v1/webhooks/any", {**HOOK, "format": format})
    assert (made.status_code, made.json()["format"]) == (201, format)
    assert shared_api.delete("/v1/webhooks/any").status_code == 204


def test_deliveries_by_their_state(api: Api) -> None:
    api.put("/v1/webhooks/team", HOOK)
    api.post("/v1/webhooks/team/test")
    with api.store.writing("shop") as unit:
        unit.webhooks.disable("team", "by hand")
    path = "/v1/webhooks/team/deliveries"
    (cancelled,) = api.get(path, params={"state": "cancelled"}).json()["items"]
    assert (cancelled["type"], cancelled["response"]) == ("webhook.test", None)
    assert api.get(path, params={"state": "pending"}).json()["items"] == []
    assert list(faults(api.get(path, params={"state": "lost"}))) == ["state"]


def test_a_span_is_sent_again(api: Api) -> None:
    began = api.clock.now.isoformat()
    assert api.recurring()["alerts"]
    api.clock.advance(minutes=5)
    api.put("/v1/webhooks/team", {**HOOK, "types": ["proposal.created"]})
    path = "/v1/webhooks/team/replay"
    sent = api.post(path, {"since": began})
    assert (sent.status_code, sent.json()) == (202, {"queued": 1, "pending": 0, "delivered": 0})
    (listed,) = api.get("/v1/webhooks/team/deliveries").json()["items"]
    assert listed["type"] == "proposal.created"
    assert list(faults(api.post(path, {}))) == ["since"]
    assert list(faults(api.post(path, {"since": began, "until": began}), 422)) == ["until"]
    problem(api.post("/v1/webhooks/nobody/replay", {"since": began}), 404)
    with api.store.writing("shop") as unit:
        unit.webhooks.disable("team", "by hand")
    problem(api.post(path, {"since": began}), 409)
    entries = api.get("/v1/audit").json()["items"]
    assert "webhook.replayed" in {item["action"] for item in entries}


@pytest.mark.parametrize(
    "address", ["team", "a@b.c\r\nBcc: x@y.z", "a@b.c, d@e.f", "Ann <a@b.c>", "a@b.c\x00"]
)
def test_a_digest_goes_to_plain_addresses_only(shared_api: Api, address: str) -> None:
    assert list(faults(shared_api.put("/v1/rules", {"digest_to": [address]}))) == ["digest_to.0"]


def test_who_gets_the_digest_is_a_rule(api: Api) -> None:
    rules = {"digest_to": ["b@example.com", "a@example.com", "b@example.com"], "digest_language": "en"}
    assert api.put("/v1/rules", rules).status_code == 200
    shown = api.get("/v1/rules").json()
    assert (shown["digest_to"], shown["digest_language"]) == (["b@example.com", "a@example.com"], "en")
