"""Slack's incoming webhooks: blocks of plain text, and one line for where blocks are not shown.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and, on escaping,
https://docs.slack.dev/messaging/formatting-message-text. What the webhook refuses it answers with a status of its
own, and 429 with too many: no answer of 2xx is a refusal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kb_service.delivery.formats.card import Card, card
from kb_service.delivery.formats.card_words import SEPARATOR
from kb_service.delivery.formats.plain import unlinked
from kb_service.delivery.formats.told import Format, Language, Outgoing, Told, never_refused, outgoing
from kb_service.store import Webhook

LANGUAGE: Language = "en"
LONGEST_HEADER = 150
MOST_FIELDS = 10
MARKS = {"alarm": "🔴", "notice": "🔵", "good": "🟢"}


def write(told: Told, webhook: Webhook, now: datetime) -> Outgoing:
    language = webhook.language or LANGUAGE
    return outgoing(told, webhook.url, _content(card(told, language), SEPARATOR[language]))


def _content(shown: Card, separator: str) -> dict[str, Any]:
    title = f"{MARKS[shown.tone]} {shown.title}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _text(title if len(title) <= LONGEST_HEADER else title[:LONGEST_HEADER])}
    ]
    if shown.sentence:
        blocks.append({"type": "section", "text": _text(shown.sentence)})
    if facts := shown.lines(separator)[:MOST_FIELDS]:
        blocks.append({"type": "section", "fields": [_text(fact) for fact in facts]})
    if shown.quotes:
        said = "\n".join([f"{shown.quoted}{separator}".rstrip(), *(f"“{quote}”" for quote in shown.quotes)])
        blocks.append({"type": "section", "text": _text(said)})
    blocks.append({"type": "context", "elements": [_text(shown.foot)]})
    line = " — ".join(filter(None, [title, shown.sentence]))
    return {
        "text": _escaped(line),
        "blocks": blocks,
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _text(text: str) -> dict[str, Any]:
    """A block's text in which Slack marks nothing up and turns no `:name:` into a picture."""
    return {"type": "plain_text", "text": _escaped(text), "emoji": False}


def _escaped(text: str) -> str:
    return unlinked(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FORMAT = Format(write, never_refused, LANGUAGE)
