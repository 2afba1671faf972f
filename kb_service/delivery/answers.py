"""What an endpoint answered, and what of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from kb_service.delivery.formats import Format
from kb_service.delivery.formats.plain import one_line
from kb_service.store import Webhook

MOST_READ = 16_384
"""Bytes of a body that are read: a chat platform's answer has some hundred."""
LONGEST_KEPT = 200
LONGEST_ERROR = 500
SHORTEST_TOKEN = 12
"""A part of a URL this long may be what the endpoint is entered with, as with every chat platform."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one attempt. `error` is None when the message was taken; `response` begins as the body did."""

    status: int | None
    error: str | None
    response: str | None = None


def answer_of(format: Format, webhook: Webhook, status: int, body: bytes) -> Answer:
    """2xx is success, unless the format knows better from the body."""
    said = masked(body.decode("utf-8", "replace"), webhook, LONGEST_KEPT) or None
    if not 200 <= status < 300:
        return Answer(status, f"answered {status}", said)
    refused = format.refusal(body)
    return Answer(status, None if refused is None else masked(refused, webhook, LONGEST_ERROR), said)


def failure(error: BaseException, webhook: Webhook) -> Answer:
    """An attempt that got no answer."""
    return Answer(None, masked(f"{type(error).__name__}: {error}", webhook, LONGEST_ERROR))


def masked(text: str, webhook: Webhook, longest: int) -> str:
    """`text` in one line, without the webhook's secrets and without the keys that its URL holds."""
    for secret in sorted(_secrets(webhook), key=len, reverse=True):
        text = text.replace(secret, "***")
    return one_line(text, longest)


def _secrets(webhook: Webhook) -> set[str]:
    parts = urlsplit(webhook.url)
    held = {one.secret for one in webhook.secrets} | {webhook.signing_secret or "", parts.password or ""}
    tokens = {*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))}
    return {secret for secret in held if secret} | {part for part in tokens if len(part) >= SHORTEST_TOKEN}
