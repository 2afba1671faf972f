"""Which automatic answers people are asked to look at. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import datetime
from typing import Any

from kb_service.models import Citation, Reply
from kb_service.store import Review


def drawn(reply: Reply, template: str, share: float, at: datetime) -> Review | None:
    """The review of a reply, waiting for somebody; None where nothing is sent or the reply is not in the sample.

    `template` is the answer before its placeholders were filled, which is what may be kept of it.
    """
    if reply.action != "answer" or not reply.answers:
        return None
    first = reply.answers[0]
    if not in_sample(first.exposure_id, share):
        return None
    return Review(
        id=first.exposure_id.replace("exp_", "rev_", 1),
        exposure_id=first.exposure_id,
        at=at,
        text=template,
        citations=tuple(map(_told, first.citations)),
    )


def in_sample(exposure_id: str, share: float) -> bool:
    """Whether an exposure is drawn: the same ones each time, `share` of all in the long run, whatever they hold."""
    place = int.from_bytes(hashlib.blake2b(exposure_id.encode(), digest_size=8).digest())
    return place < share * 2**64


def _told(citation: Citation) -> dict[str, Any]:
    """A citation as JSON holds it."""
    told = asdict(citation) | {"section": list(citation.section)}
    for name in ("valid_from", "valid_to"):
        told[name] = told[name].isoformat() if told[name] is not None else None
    return told
