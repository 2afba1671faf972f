"""How cases of the same problem ended: what resolved them, and whether it held. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from graph.models import Case, Event
from ingest.language import content_words


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case that is over with what resolved it. `held` is False where the customer came back or was not content,
    `times` how many cases had this very reply."""

    case: Case
    asked: str
    reply: str
    at: datetime
    agent_id: str | None
    rating: float | None
    held: bool
    times: int = 1


def past_cases(
    cases: Sequence[Case], events: Mapping[str, Sequence[Event]], held: Collection[str], asked: str, most: int
) -> tuple[PastCase, ...]:
    """The cases that may help with the words `asked`, those whose reply held and that ask alike first.

    `held` are the ids of the cases whose resolution held. A reply that was given many times is told once.
    """
    wanted = set(content_words(asked))
    found = [item for case in cases if (item := _told(case, events.get(case.id, ()), held)) is not None]

    def likeness(item: PastCase) -> float:
        words = set(content_words(item.asked))
        return len(words & wanted) / len(words | wanted) if words and wanted else 0.0

    ordered = sorted(found, key=lambda item: (not item.held, -likeness(item), -item.at.timestamp()))
    by_reply: dict[str, PastCase] = {}
    for item in ordered:
        key = " ".join(item.reply.split())
        known = by_reply.get(key)
        by_reply[key] = item if known is None else replace(known, times=known.times + 1)
    return tuple(by_reply.values())[:most]


def _told(case: Case, events: Sequence[Event], held: Collection[str]) -> PastCase | None:
    """A case as an example; None where nobody wrote what resolved it."""
    resolved = [event for event in events if event.type == "resolution" and event.reply]
    written = [event for event in events if event.type == "message" and event.role == "agent" and event.text]
    if not resolved and not written:
        return None
    last = (resolved or written)[-1]
    ratings = [event.rating for event in events if event.rating is not None]
    failed = any(event.type in ("followup", "resolution") and event.resolved is False for event in events)
    return PastCase(
        case=case,
        asked=next((event.text for event in events if event.role == "customer" and event.text), ""),
        reply=last.reply or last.text or "",
        at=last.at,
        agent_id=last.agent_id or case.agent_id,
        rating=ratings[-1] if ratings else None,
        held=case.id in held if resolved else not failed,
    )
