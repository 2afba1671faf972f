"""What a customer's contacts were about, read from what was recorded of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from graph.contacts import REPEAT_WITHIN, Contact, Matter, Turn, contacts
from graph.models import Alert, Case, Entity, Event
from graph.small_talk import small_talk
from graph.waits import moves_of, waits_since
from kb_service.replicas.problem_memory import stored_utterance
from kb_service.replicas.replica import Replica
from kb_service.store import StoredMessage

MOST_CASES = 20
"""A customer's cases that are looked at, the latest."""
BURSTS = frozenset({"burst", "growth"})
BURST_LASTS = timedelta(hours=24)
"""So long a burst that was raised counts as going on; windows are of six hours at most."""
_NUMBERS = frozenset({"order", "parcel"})


def lately(cases: Iterable[Case], current: Case | None, now: datetime) -> list[str]:
    """The ids of the cases that were active in the week before `now`, the latest first, and of the present one."""
    week = [case for case in cases if now - case.active_at <= REPEAT_WITHIN]
    ordered = sorted(week, key=lambda case: case.active_at, reverse=True)[:MOST_CASES]
    return list(dict.fromkeys(case.id for case in [*([current] if current else []), *ordered]))


def contacts_in(replica: Replica, told: Iterable[StoredMessage]) -> tuple[Contact, ...]:
    """A customer's contacts, from the events of their cases."""
    return contacts(_turn(replica, item) for item in told if item.case_id is not None)


def _turn(replica: Replica, item: StoredMessage) -> Turn:
    event = item.event
    spoken = brings_a_matter(event)
    return Turn(
        case_id=item.case_id or "",
        conversation_id=event.conversation_id,
        at=event.at,
        spoken=spoken,
        ends=event.type == "resolution",
        matter=recorded_matter(replica, item) if spoken else Matter(),
    )


def brings_a_matter(event: Event) -> bool:
    """Whether it is a customer's message that says more than a greeting or thanks: those are no contact."""
    return (
        event.type == "message"
        and event.role == "customer"
        and bool(event.text)
        and not small_talk(event.text or "", event.language or "und")
    )


def recorded_matter(replica: Replica, item: StoredMessage) -> Matter:
    """What a message that was recorded is about: its problem, its one plain intent, and what it names.

    A message that counts for the problem of its case without saying so itself may be about anything.
    """
    event, assigned = item.event, item.assignment
    own = assigned is not None and not assigned.match.pending and assigned.match.reason != "same_case"
    problem = assigned.problem_id if assigned is not None and own else None
    model_id = replica.index.model_id
    intent = None
    if item.vector is not None and item.model_id == model_id:
        intent = replica.intent_of(stored_utterance(item, model_id))
    return matter_of(
        replica,
        problem_id=problem,
        intents=[intent] if intent is not None else [],
        entities=replica.shop.gazetteer.entities(event.text or "", event.at),
        products=event.products,
    )


def matter_of(
    replica: Replica,
    *,
    problem_id: str | None,
    intents: Sequence[str],
    entities: Sequence[Entity],
    products: Sequence[str],
) -> Matter:
    """`intents` are those that are plain: of several that compete none is."""
    skus = [sku for entity in entities for sku in replica.shop.gazetteer.skus(entity)]
    return Matter(
        problems=frozenset([replica.graph.survivor(problem_id)] if problem_id is not None else []),
        intents=frozenset(intents),
        products=frozenset([*products, *skus]),
        orders=frozenset(entity.value.casefold() for entity in entities if entity.type in _NUMBERS),
    )


def bursting(alerts: Iterable[Alert], now: datetime) -> bool:
    """Whether a problem surges at `now`: an alert says so that was raised not long ago and is not done with."""
    return any(alert.state in ("open", "acknowledged") and surged(alert, now) for alert in alerts)


def surged(alert: Alert, at: datetime) -> bool:
    """Whether an alert told of a burst that was going on at a moment, whatever became of it since."""
    return alert.kind in BURSTS and timedelta(0) <= at - alert.opened_at <= BURST_LASTS


def unanswered_since(said: Iterable[Event], sent_at: datetime | None = None) -> datetime | None:
    """When the customer asked first after the last answer; `said` oldest first.

    `sent_at` is when the service itself last answered, which no event tells.
    """
    moves = moves_of(said)
    if sent_at is not None:
        moves = sorted([*moves, (sent_at, "bot_answers")], key=lambda move: move[0])
    return waits_since(moves)


def settled_by(said: Iterable[Event]) -> tuple[datetime, str] | None:
    """When a case that came back was last resolved, and by whom: nobody has it now, and yet the customer knows them.

    `said` oldest first. None where it was never resolved, or has gone to somebody else since.
    """
    settled: tuple[datetime, str] | None = None
    spoke: str | None = None
    for event in said:
        if event.type == "transfer":
            settled, spoke = None, event.to_agent
        elif event.type == "message" and event.role == "agent":
            spoke = event.agent_id or spoke
        elif event.type == "resolution" and (agent := event.agent_id or spoke) is not None:
            settled = event.at, agent
    return settled
