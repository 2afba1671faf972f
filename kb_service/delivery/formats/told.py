"""What every format takes and gives: a message, where it goes, and the request that carries it there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Literal, TypeAlias

from kb_service.store import Webhook

Language: TypeAlias = Literal["zh", "en"]

USER_AGENT = "kb-service-webhooks/1"


@dataclass(frozen=True, slots=True)
class Told:
    """A message. `at` is when the thing happened, `zone` the shop's own, in which people read times."""

    message_id: str
    type: str
    at: datetime
    data: Mapping[str, Any]
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One POST. `url` may differ from the webhook's where a platform wants its signature there: not to be logged."""

    url: str
    headers: Mapping[str, str]
    body: bytes


Write: TypeAlias = Callable[[Told, Webhook, datetime], Outgoing]
"""A message for a webhook, signed with the present time where the format signs."""
Refusal: TypeAlias = Callable[[bytes], str | None]
"""What the first bytes of the body of a 2xx answer say went wrong; None when the message was taken."""


@dataclass(frozen=True, slots=True)
class Format:
    """How messages are written for one kind of receiver. `language` is that of its cards unless a webhook says."""

    write: Write
    refusal: Refusal
    language: Language


def outgoing(told: Told, url: str, content: Mapping[str, Any]) -> Outgoing:
    """A chat platform's request: JSON, with the message's id in a header, by which repeats can be told."""
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": USER_AGENT,
        "webhook-id": told.message_id,
    }
    return Outgoing(url, headers, json.dumps(content, ensure_ascii=False).encode())


def never_refused(body: bytes) -> None:
    """For receivers whose status says it all."""


def code_of(body: bytes, *names: str) -> tuple[int | None, Mapping[str, Any]]:
    """The code that a platform's answer carries under the first of `names` that is there, and the answer.

    None, when it is not such an answer at all: a proxy's or a login page, say, with which nothing was taken.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None, {}
    if not isinstance(answer, dict):
        return None, {}
    for name in names:
        code = answer.get(name)
        if isinstance(code, int) and not isinstance(code, bool):
            return code, answer
    return None, answer
