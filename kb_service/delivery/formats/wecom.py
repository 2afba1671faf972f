"""WeCom's group bots: Markdown of at most 4096 bytes.

https://developer.work.weixin.qq.com/document/path/91770
"""

from __future__ import annotations

from datetime import datetime

from kb_service.delivery.formats.card import card
from kb_service.delivery.formats.card_words import SEPARATOR
from kb_service.delivery.formats.markdown import markdown
from kb_service.delivery.formats.told import Format, Language, Outgoing, Told, code_of, outgoing
from kb_service.store import Webhook

LANGUAGE: Language = "zh"
LONGEST_BYTES = 4096


def write(told: Told, webhook: Webhook, now: datetime) -> Outgoing:
    language = webhook.language or LANGUAGE
    text = markdown(card(told, language), SEPARATOR[language], break_line="\n", longest=LONGEST_BYTES)
    return outgoing(told, webhook.url, {"msgtype": "markdown", "markdown": {"content": text}})


def refusal(body: bytes) -> str | None:
    code, answer = code_of(body, "errcode")
    if code == 0:
        return None
    if code is None:
        return "answered 200, but not as WeCom does"
    return f"answered errcode {code}: {answer.get('errmsg') or '-'}"


FORMAT = Format(write, refusal, LANGUAGE)
