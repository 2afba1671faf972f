"""Feishu's custom bots: an interactive card, signed in its body where the bot asks for a signature.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. Everything is `plain_text`, in which neither
`<at>` nor Markdown means anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

from kb_service.delivery.formats.card import Card, card
from kb_service.delivery.formats.card_words import SEPARATOR
from kb_service.delivery.formats.plain import unlinked
from kb_service.delivery.formats.told import Format, Language, Outgoing, Told, code_of, outgoing
from kb_service.store import Webhook

LANGUAGE: Language = "zh"
COLOURS = {"alarm": "red", "notice": "blue", "good": "green"}


def write(told: Told, webhook: Webhook, now: datetime) -> Outgoing:
    language = webhook.language or LANGUAGE
    content: dict[str, Any] = {
        "msg_type": "interactive",
        "card": _card(card(told, language), SEPARATOR[language]),
    }
    if webhook.signing_secret:
        seconds = int(now.timestamp())
        content = {
            "timestamp": str(seconds),
            "sign": signature(webhook.signing_secret, seconds),
            **content,
        }
    return outgoing(told, webhook.url, content)


def signature(secret: str, seconds: int) -> str:
    """Time and secret are the key here, and nothing is what is signed."""
    digest = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def refusal(body: bytes) -> str | None:
    code, answer = code_of(body, "code", "StatusCode")
    if code == 0:
        return None
    if code is None:
        return "answered 200, but not as Feishu does"
    return f"answered code {code}: {answer.get('msg') or answer.get('StatusMessage') or '-'}"


def _card(shown: Card, separator: str) -> dict[str, Any]:
    elements: list[dict[str, Any]] = []
    if shown.sentence:
        elements.append({"tag": "div", "text": _text(shown.sentence)})
    if shown.facts:
        fields = [{"is_short": True, "text": _text(line)} for line in shown.lines(separator)]
        elements.append({"tag": "div", "fields": fields})
    if shown.quotes:
        said = "\n".join([f"{shown.quoted}{separator}".rstrip(), *(f"“{quote}”" for quote in shown.quotes)])
        elements += [{"tag": "hr"}, {"tag": "div", "text": _text(said)}]
    elements.append({"tag": "note", "elements": [_text(shown.foot)]})
    return {
        "config": {"wide_screen_mode": True},
        "header": {"template": COLOURS[shown.tone], "title": _text(shown.title)},
        "elements": elements,
    }


def _text(text: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": unlinked(text)}


FORMAT = Format(write, refusal, LANGUAGE)
