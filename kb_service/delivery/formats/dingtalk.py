"""DingTalk's custom bots: Markdown, signed in the URL where the bot asks for a signature.

https://open.dingtalk.com/document/robots/custom-robot-access
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import urlencode

from kb_service.delivery.formats.card import card
from kb_service.delivery.formats.card_words import SEPARATOR
from kb_service.delivery.formats.markdown import markdown
from kb_service.delivery.formats.plain import unmarked
from kb_service.delivery.formats.told import Format, Language, Outgoing, Told, code_of, outgoing
from kb_service.store import Webhook

LANGUAGE: Language = "zh"
LONGEST_BYTES = 18_000
"""Below the platform's 20,000 for the whole request."""


def write(told: Told, webhook: Webhook, now: datetime) -> Outgoing:
    language = webhook.language or LANGUAGE
    shown = card(told, language)
    content = {
        "msgtype": "markdown",
        "markdown": {
            "title": unmarked(shown.title),
            "text": markdown(shown, SEPARATOR[language], break_line="\n\n", longest=LONGEST_BYTES),
        },
        "at": {"atMobiles": [], "atUserIds": [], "isAtAll": False},
    }
    return outgoing(told, _signed(webhook, now), content)


def signature(secret: str, milliseconds: int) -> str:
    digest = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def refusal(body: bytes) -> str | None:
    code, answer = code_of(body, "errcode")
    if code == 0:
        return None
    if code is None:
        return "answered 200, but not as DingTalk does"
    return f"answered errcode {code}: {answer.get('errmsg') or '-'}"


def _signed(webhook: Webhook, now: datetime) -> str:
    if not webhook.signing_secret:
        return webhook.url
    milliseconds = int(now.timestamp() * 1000)
    signed = {"timestamp": milliseconds, "sign": signature(webhook.signing_secret, milliseconds)}
    return f"{webhook.url}{'&' if '?' in webhook.url else '?'}{urlencode(signed)}"


FORMAT = Format(write, refusal, LANGUAGE)
