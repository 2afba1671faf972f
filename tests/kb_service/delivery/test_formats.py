"""Every type of message in every format and both languages, and texts that would be more than words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from kb_service.delivery.answers import answer_of, masked
from kb_service.delivery.formats import FORMATS, Language
from kb_service.delivery.formats.card import card
from kb_service.wire.webhooks import Format
from tests.kb_service.delivery.told_samples import ALERT, DATA, NOW, PROBLEM, endpoint, told

CARDS = json.loads((Path(__file__).parent / "cards.json").read_text(encoding="utf-8"))
CHATS = ("slack", "feishu", "dingtalk", "wecom")
LANGUAGES: tuple[Language, ...] = ("zh", "en")
HOSTILE = [
    "<!channel> <!here> <@U123> <#C1|general>",
    '@all @所有人 ＠all <@all> <at id=all></at> <at user_id="all">everyone</at>',
    "[click](https://evil.example/steal) <https://evil.example|shop> https://evil.example/x www.evil.example",
    "![x](http://evil.example/p.png) <img src=x onerror=alert(1)>",
    "**bold** _it_ ~gone~ `code` ```\nblock\n``` # head\n> quote\n- item\n1. one",
    "line\r\nbreak\u2028and\u202eright\u0000to\u200bleft\x1b[31m",
    "&lt;!channel&gt; &#60;!channel&#62; :rotating_light:",
    "x" * 50_000,
    "字" * 50_000,
]


def content(format: str, type: str, language: Language | None, data: dict[str, Any] | None = None) -> Any:
    sending = FORMATS[format].write(told(type, data), endpoint(format, language), NOW)
    return json.loads(sending.body)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value


def test_every_format_of_the_wire_is_there() -> None:
    assert set(FORMATS) == set(Format.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("type", DATA)
@pytest.mark.parametrize("format", CHATS)
def test_each_message_reads_as_it_did(format: str, type: str, language: Language) -> None:
    assert content(format, type, language) == CARDS[format][type][language]


@pytest.mark.parametrize(("format", "title"), [("slack", "Sudden rise"), ("feishu", "突增预警")])
def test_the_language_is_the_formats_own_unless_told(format: str, title: str) -> None:
    assert title in json.dumps(content(format, "alert.opened", None), ensure_ascii=False)


def test_the_standard_format_carries_the_data_and_is_signed() -> None:
    webhook = endpoint("standard", "zh")
    sending = FORMATS["standard"].write(told("alert.opened"), webhook, NOW)
    body = json.loads(sending.body)
    assert (body["type"], body["data"]) == ("alert.opened", DATA["alert.opened"])
    signed = Verifier(webhook.secrets[0].secret).sign("msg_1", NOW, sending.body.decode())
    assert sending.headers["webhook-signature"] == signed


@pytest.mark.parametrize("format", CHATS)
def test_a_chat_message_carries_its_id_and_no_signature_of_ours(format: str) -> None:
    headers = FORMATS[format].write(told("webhook.test"), endpoint(format), NOW).headers
    assert headers["webhook-id"] == "msg_1"
    assert "webhook-signature" not in headers


@pytest.mark.parametrize("format", CHATS)
@pytest.mark.parametrize("type", ["alert.opened", "something.new", "gap.found"])
@pytest.mark.parametrize("data", [{}, {"problem": None, "examples": 3, "products": "x", "opened_at": "soon"}])
def test_what_is_not_known_makes_a_shorter_card(format: str, type: str, data: dict[str, Any]) -> None:
    assert "msg_1" in json.dumps(content(format, type, "en", data))


def facts(**changes: Any) -> dict[str, str]:
    """What the card of an alert says in English, by label."""
    return dict(card(told("alert.opened", {**DATA["alert.opened"], **changes}), "en").facts)


def test_what_is_told_beside_an_alert_has_its_figures() -> None:
    assert facts()["Together with"] == "Parcel lost (3 customers in 7 days)"
    shown = card(told("alert.opened"), "zh")
    assert dict(shown.facts)["同组问题"] == "Parcel lost（7 天内 3 位顾客）"
    one = {**DATA["alert.opened"]["also"][0], "customers": 1}
    assert facts(also=[one])["Together with"] == "Parcel lost (1 customer in 7 days)"


def test_windows_are_told_in_words() -> None:
    assert facts(window_minutes=10080)["Seen / expected"] == "8 / 1.2 in 7 days"


def test_a_card_says_nothing_of_what_is_expected_where_nothing_is_known() -> None:
    assert "Seen / expected" not in facts(expected=None)


def test_how_surely_a_message_was_joined_is_told_only_of_bursts_of_young_problems() -> None:
    assert facts()["Grouping"] == "Joined: probability .97."
    assert "Grouping" not in facts(kind="recurrence")
    assert "Grouping" not in facts(problem=PROBLEM)
    assert "Grouping" not in facts(joined=None)


# --- hostile texts


def hostile(text: str) -> dict[str, Any]:
    """An alert in which everything that others wrote is `text`."""
    return {
        **ALERT,
        "problem": {**PROBLEM, "name": {"zh": text, "en": text}},
        "evidence": {"zh": text, "en": text},
        "examples": [text] * 5,
        "products": [text] * 20,
        "expertise": text,
        "owner": {"id": text, "name": text},
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_slack_marks_up_and_mentions_nothing(text: str) -> None:
    body = content("slack", "alert.opened", "en", hostile(text))
    assert (body["mrkdwn"], body["parse"], body["link_names"]) == (False, "none", False)
    objects = [part for block in body["blocks"] for part in _text_objects(block)]
    assert {part["type"] for part in objects} == {"plain_text"}
    assert {part["emoji"] for part in objects} == {False}
    for written in texts(body):
        assert "<" not in written
        assert ">" not in written
        assert "://" not in written
        assert "@all" not in written
    assert all(len(block["text"]["text"]) <= 3000 for block in body["blocks"] if "text" in block)
    assert len(body["blocks"][0]["text"]["text"]) <= 150
    assert max(len(block.get("fields", ())) for block in body["blocks"]) <= 10


def _text_objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value
        for part in value.values():
            yield from _text_objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from _text_objects(part)


@pytest.mark.parametrize("text", HOSTILE)
def test_feishu_gets_plain_text_alone(text: str) -> None:
    body = content("feishu", "alert.opened", "zh", hostile(text))
    tags = set(_tags(body["card"]))
    assert tags == {"div", "plain_text", "hr", "note"}
    assert all("://" not in written for written in texts(body))
    assert len(json.dumps(body).encode()) < 20_000


def _tags(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "tag" in value:
            yield value["tag"]
        for part in value.values():
            yield from _tags(part)
    elif isinstance(value, list):
        for part in value:
            yield from _tags(part)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("format", ["dingtalk", "wecom"])
def test_markdown_holds_no_sign_of_others(format: str, text: str) -> None:
    body = content(format, "alert.opened", "zh", hostile(text))
    written = body["markdown"].get("text") or body["markdown"]["content"]
    assert len(written.encode()) <= (4096 if format == "wecom" else 20_000)
    lines = [line for line in written.split("\n") if line]
    assert lines.pop() == "`alt_1 · msg_1`"
    for line in lines:
        # Ours are a heading, bold labels and quotations at the beginning of a line; the rest is words.
        rest = line.removeprefix("### ").removeprefix("> ")
        if rest.startswith("**"):
            rest = rest[2:].partition("**")[2]
        assert not set(rest) & set("<>[]()*_`#~!|\\@&"), line
        assert "://" not in rest
    assert written.count("### ") == 1
    if format == "dingtalk":
        assert body["at"] == {"atMobiles": [], "atUserIds": [], "isAtAll": False}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_card_is_of_single_lines_of_bounded_length(text: str) -> None:
    shown = card(told("alert.opened", hostile(text)), "en")
    for line in (shown.title, shown.sentence, *shown.quotes, *(value for _, value in shown.facts)):
        assert len(line) <= 400
        assert line.isprintable()


def test_an_amount_and_a_version_keep_their_form() -> None:
    body = content("wecom", "alert.opened", "zh", hostile("3.5 元 v1.20 SKU-1"))
    assert "3.5 元 v1.20 SKU-1" in body["markdown"]["content"]


# --- signatures and answers


def test_feishu_is_signed_in_its_body_with_time_and_secret_as_the_key() -> None:
    sending = FORMATS["feishu"].write(told("webhook.test"), endpoint("feishu", None, "platform"), NOW)
    body = json.loads(sending.body)
    assert body["timestamp"] == str(int(NOW.timestamp()))
    key = f"{body['timestamp']}\nplatform".encode()
    assert body["sign"] == base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
    assert b"platform" not in sending.body
    assert sending.url == endpoint("feishu").url


def test_dingtalk_is_signed_in_its_url() -> None:
    sending = FORMATS["dingtalk"].write(told("webhook.test"), endpoint("dingtalk", None, "SECplatform"), NOW)
    query = parse_qs(urlsplit(sending.url).query)
    milliseconds = int(NOW.timestamp() * 1000)
    assert (query["access_token"], query["timestamp"]) == (["0123456789abcdef"], [str(milliseconds)])
    digest = hmac.new(b"SECplatform", f"{milliseconds}\nSECplatform".encode(), hashlib.sha256).digest()
    assert query["sign"] == [base64.b64encode(digest).decode()]
    assert "SECplatform" not in sending.url
    assert FORMATS["dingtalk"].write(told("webhook.test"), endpoint("dingtalk"), NOW).url.endswith("abcdef")


TAKEN: list[tuple[str, bytes]] = [
    ("standard", b""),
    ("slack", b"ok"),
    ("feishu", b'{"code":0,"msg":"success","data":{}}'),
    ("feishu", b'{"StatusCode":0,"StatusMessage":"success"}'),
    ("dingtalk", b'{"errcode":0,"errmsg":"ok"}'),
    ("wecom", b'{"errcode":0,"errmsg":"ok"}'),
]
REFUSED: list[tuple[str, bytes, str]] = [
    ("feishu", b'{"code":19021,"msg":"sign match fail"}', "19021: sign match fail"),
    ("feishu", b'{"code":11232,"msg":"frequency limited"}', "11232"),
    ("dingtalk", b'{"errcode":310000,"errmsg":"sign not match"}', "310000"),
    ("dingtalk", b'{"errcode":130101,"errmsg":"send too fast"}', "130101: send too fast"),
    ("wecom", b'{"errcode":45009,"errmsg":"api freq out of limit"}', "45009"),
    ("wecom", b"<html>log in</html>", "not as WeCom does"),
    ("feishu", b'{"code":true}', "not as Feishu does"),
    ("dingtalk", b"[0]", "not as DingTalk does"),
    ("dingtalk", b"", "not as DingTalk does"),
]


@pytest.mark.parametrize(("format", "body"), TAKEN)
def test_an_answer_of_200_that_means_taken(format: str, body: bytes) -> None:
    assert answer_of(FORMATS[format], endpoint(format), 200, body).error is None


@pytest.mark.parametrize(("format", "body", "said"), REFUSED)
def test_an_answer_of_200_that_is_a_refusal_is_a_failure(format: str, body: bytes, said: str) -> None:
    answer = answer_of(FORMATS[format], endpoint(format), 200, body)
    assert said in (answer.error or "")


@pytest.mark.parametrize("status", [301, 302, 400, 404, 410, 429, 500, 503])
@pytest.mark.parametrize("format", FORMATS)
def test_any_other_status_is_a_failure_whatever_the_body_says(format: str, status: int) -> None:
    answer = answer_of(FORMATS[format], endpoint(format), status, b'{"code":0,"errcode":0}')
    assert answer.error == f"answered {status}"


def test_what_is_kept_of_an_answer_holds_no_secret() -> None:
    webhook = endpoint("feishu", None, "platform-secret")
    said = f"{webhook.url}\n{webhook.secrets[0].secret} platform-secret " + "x" * 1000
    kept = masked(said, webhook, 200)
    assert len(kept) == 200
    for secret in (webhook.secrets[0].secret, "platform-secret", "0123456789abcdef"):
        assert secret not in kept
    assert "platform-secret" not in repr(webhook)
