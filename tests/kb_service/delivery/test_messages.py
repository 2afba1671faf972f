"""Bodies and signatures, checked with the reference verifier."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from kb_service.delivery.messages import LONGEST_BODY, body, headers, new_secret
from kb_service.store import WebhookSecret


@pytest.fixture
def now() -> datetime:
    """Taken when a test begins: the verifier looks at the clock itself and refuses what is five minutes old."""
    return datetime.now(UTC)


def test_the_reference_verifier_accepts_what_is_signed(now: datetime) -> None:
    secret = new_secret()
    payload = body("alert.opened", now, {"id": "alt_1", "name": "华东包裹延误"})
    sent = headers("msg_1", now, payload, [WebhookSecret(secret, None)])
    assert Verifier(secret).verify(payload.decode(), sent) == json.loads(payload)


def test_a_body_that_is_too_large_loses_examples_then_alerts_of_the_group(now: datetime) -> None:
    also = [{"id": f"alt_{number}", "examples": ["包裹三天没有更新了" * 20]} for number in range(40)]
    data = {"id": "alt", "examples": ["x" * 200] * 5, "also": also, "group": {"alerts": 41}}
    payload = body("alert.opened", now, data)
    assert len(payload) < LONGEST_BODY
    kept = json.loads(payload)["data"]
    assert (kept["examples"], kept["group"]) == ([], {"alerts": 41})
    assert 10 < len(kept["also"]) < 40
    assert kept["also"][0] == also[0]


def test_old_and_new_secret_both_sign_while_a_rotation_lasts(now: datetime) -> None:
    old, new, expired = new_secret(), new_secret(), new_secret()
    known = [
        WebhookSecret(new, None),
        WebhookSecret(old, now + timedelta(hours=1)),
        WebhookSecret(expired, now - timedelta(seconds=1)),
    ]
    payload = body("alert.opened", now, {})
    sent = headers("msg_1", now, payload, known)
    assert len(sent["webhook-signature"].split()) == 2
    Verifier(old).verify(payload.decode(), sent)
    Verifier(new).verify(payload.decode(), sent)
    with pytest.raises(WebhookVerificationError):
        Verifier(expired).verify(payload.decode(), sent)


@pytest.mark.parametrize("part", ["body", "webhook-id", "webhook-timestamp"])
def test_the_reference_verifier_refuses_what_was_changed(part: str, now: datetime) -> None:
    secret = new_secret()
    payload = body("alert.opened", now, {"customers": 3})
    sent = headers("msg_1", now, payload, [WebhookSecret(secret, None)])
    text = payload.decode()
    if part == "body":
        text = text.replace("3", "4")
    else:
        sent[part] = {"webhook-id": "msg_2", "webhook-timestamp": str(int(now.timestamp()) + 1)}[part]
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(text, sent)


def test_the_reference_verifier_refuses_a_message_older_than_five_minutes(now: datetime) -> None:
    secret = new_secret()
    payload = body("alert.opened", now, {})
    sent = headers("msg_1", now - timedelta(minutes=6), payload, [WebhookSecret(secret, None)])
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(payload.decode(), sent)


def test_a_body_stays_under_twenty_kilobytes_by_dropping_examples(now: datetime) -> None:
    data = {"id": "alt_1", "examples": ["包" * 400] * 60}
    payload = body("alert.opened", now, data)
    assert len(payload) < LONGEST_BODY
    assert 0 < len(json.loads(payload)["data"]["examples"]) < 60
    assert len(data["examples"]) == 60
