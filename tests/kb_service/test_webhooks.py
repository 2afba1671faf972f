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
