"""Contacts as they stood when somebody first acted on them, and whether they escalated: read from what was recorded.

A contact escalated when within 72 hours of that moment its case was transferred, handed to people after an agent had
answered, or an expert was asked; when the customer wrote of a complaint, of lawyers or authorities, or gave a rating of
2 or less; and when the same customer came back about the same matter within 72 hours of the resolution.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from graph.contacts import REPEAT_WITHIN, Contact, Turn, contacts, same_matter
from graph.emotion import emotion, urgency
from graph.folding import fold
from graph.models import Customer, Event, IntentScore, Understanding
from graph.priority import Circumstances, prioritise, shares
from graph.priority_learning import Decided
from graph.rules import Rules
from graph.service_level import consumed, sla
from graph.understanding import sensitive_flow
from kb_service.models import Question
from kb_service.priority.past_states import PastStates, Visit
from kb_service.replicas.problem_memory import stored_utterance
from kb_service.replicas.replica import Replica
from kb_service.store import StoredMessage, Unit
from kb_service.understanding.contact_history import brings_a_matter, contacts_in
from kb_service.understanding.reading import Reader
from kb_service.understanding.signs import flow_of, sensitive_intent

Escalation: TypeAlias = Literal[
    "transferred", "handed_over", "consulted", "complained", "rated_low", "reopened"
]

SINCE = timedelta(days=365)
"""How far back escalations count; by then they weigh a sixteenth."""
MOST_EVENTS = 200_000
"""Events that are read, the latest: a minute's work."""
WITHIN = timedelta(hours=72)
LOW_RATING = 2.0
_LATER_FLOWS = frozenset({"legal", "regulator"})
_COMPLAINT = re.compile(r"投诉|举报|差评|complain(?:t|ing|ed)?\b|report you|bad review|one star")


@dataclass(frozen=True, slots=True)
class ReplayedContact:
    """A contact with its shares and in which ways it escalated."""

    contact: Contact
    decided: Decided
    escalations: frozenset[Escalation]
    tier: str | None


@dataclass(frozen=True, slots=True)
class _Acted:
    """A contact with the message that was acted on, and when. `rest` is what happened in its case afterwards."""

    contact: Contact
    spoken: StoredMessage
    at: datetime
    customer: Customer | None
    earlier: int
    rest: tuple[Event, ...]
    answered_at: datetime | None
    came_back: bool


def replayed(unit: Unit, replica: Replica, reader: Reader, now: datetime) -> list[ReplayedContact]:
    """The contacts of the last year whose outcome is known at `now`, by time; those nobody acted on are left out.

    Of a shop with more than MOST_EVENTS events in a year, those of the time that the latest take.
    """
    since = unit.escalations.begin(now - SINCE, MOST_EVENTS)
    visits: list[Visit] = []
    acted: list[_Acted] = []
    for told in unit.escalations.by_customer(since):
        visits += (visit for item in told if _spoken(item.event) and (visit := Visit.of(item)) is not None)
        acted += _acted(replica, told, now)
    interventions = unit.escalations.interventions(since)
    states = PastStates(unit, replica.shop.rules, visits)
    found = [_replayed(replica, reader, item, states, interventions) for item in acted]
    return sorted(found, key=lambda item: (item.decided.at, item.contact.case_id))


def kinds(found: Iterable[ReplayedContact]) -> dict[str, int]:
    """How many contacts escalated in each way; one may have in several."""
    return dict(sorted(Counter(kind for item in found for kind in item.escalations).items()))


# --- what was acted on


def _acted(replica: Replica, told: Sequence[StoredMessage], now: datetime) -> Iterator[_Acted]:
    plain = contacts(
        Turn(
            item.case_id or "",
            item.event.conversation_id,
            item.event.at,
            spoken=brings_a_matter(item.event),
            ends=item.event.type == "resolution",
        )
        for item in told
    )
    # What it was about matters only where there is something to compare.
    known = contacts_in(replica, told) if len(plain) > 1 else plain
    for place, contact in enumerate(known):
        until = _next_begin(known, place)
        inside = [
            item
            for item in told
            if item.case_id == contact.case_id
            and item.event.at >= contact.began_at
            and (until is None or item.event.at < until)
        ]
        first = next((item.event.at for item in inside if _acts(item.event)), None)
        if first is None or (contact.ended_at or first) > now - WITHIN:
            continue
        spoken = [item for item in inside if brings_a_matter(item.event) and item.event.at <= first]
        if not spoken:
            continue
        customers = [item.event.customer for item in told if item.event.customer and item.event.at <= first]
        yield _Acted(
            contact=contact,
            spoken=spoken[-1],
            at=first,
            customer=customers[-1] if customers else None,
            earlier=_earlier(known, contact, first),
            rest=tuple(item.event for item in inside if first <= item.event.at <= first + WITHIN),
            answered_at=next((item.event.at for item in inside if _by_agent(item.event)), None),
            came_back=_came_back(known, contact),
        )


def _next_begin(known: Sequence[Contact], place: int) -> datetime | None:
    """When the next contact in the same case began: what happens from then on is about that one."""
    return next(
        (other.began_at for other in known[place + 1 :] if other.case_id == known[place].case_id), None
    )


def _earlier(known: Sequence[Contact], contact: Contact, at: datetime) -> int:
    """How many contacts of the week before were about the same, as far as was known at a moment."""
    matter = contact.matter_at(at)
    return sum(
        timedelta(0) < contact.began_at - other.began_at <= REPEAT_WITHIN
        and same_matter(other.matter_at(at), matter)
        for other in known
    )


def _came_back(known: Sequence[Contact], contact: Contact) -> bool:
    return contact.ended_at is not None and any(
        timedelta(0) < other.began_at - contact.ended_at <= WITHIN
        and (same_matter(other.matter, contact.matter) or not other.matter.known)
        for other in known
    )


# --- what it was like, and what became of it


def _replayed(
    replica: Replica,
    reader: Reader,
    item: _Acted,
    states: PastStates,
    interventions: Mapping[str, tuple[tuple[datetime, str], ...]],
) -> ReplayedContact:
    shop, began = replica.shop, item.contact.began_at
    understood = _understood(replica, reader, item.spoken)
    state, surging = states.at(item.spoken)
    event = item.spoken.event
    asked = Question(text=event.text or "", order_value=event.order_value)
    known: Circumstances = {
        "problem_state": state,
        "bursting": surging,
        "evergreen": states.evergreen(item.spoken),
        "repeat_contacts": item.earlier,
        "sensitive_flow": flow_of(shop, asked, understood),
        "sensitive_intent": sensitive_intent(shop, understood),
        "scales": shop.value_scales,
    }
    opened = prioritise(understood, item.customer, rules=shop.rules, **known)
    level = sla(opened.band, item.customer.tier if item.customer else None, began, shop.rules)
    known |= {"waited": item.at - began, "consumed": consumed(level, began, item.at)}
    seen = shares(understood, item.customer, tiers=shop.rules.tier_values, **known)
    escalated = frozenset(_escalations(item, shop.rules, interventions.get(item.contact.case_id, ())))
    decided = Decided(item.at, {share.factor: share.share for share in seen}, bool(escalated))
    return ReplayedContact(item.contact, decided, escalated, item.customer.tier if item.customer else None)


def _understood(replica: Replica, reader: Reader, item: StoredMessage) -> Understanding:
    """A message as it was read when it came: by its words, and by its vector where it has one."""
    text, language = item.event.text or "", item.event.language or "und"
    head, model_id = reader.moods(language), replica.index.model_id
    heard, intents, strange = None, tuple[IntentScore, ...](), False
    if item.vector is not None and item.model_id == model_id:
        heard = head.log_probabilities(item.vector) if head is not None else None
        utterance = stored_utterance(item, model_id)
        read = replica.shop.classifier.predict([utterance], whole=utterance)
        intents, strange = read.scores, read.out_of_scope
    entities = tuple(replica.shop.gazetteer.entities(text, item.event.at))
    felt = emotion(text, language, heard)
    return Understanding(language, intents, strange, entities, felt, urgency(text, language, felt))


def _escalations(
    item: _Acted, rules: Rules, interventions: Sequence[tuple[datetime, str]]
) -> Iterator[Escalation]:
    for event in item.rest:
        if event.passed_on and event.from_agent is not None:
            yield "transferred"
        elif (
            event.rating is not None and event.rating <= LOW_RATING and event.type in ("rating", "resolution")
        ):
            yield "rated_low"
        elif event.at > item.at and _spoken(event) and _complains(event.text or "", rules):
            yield "complained"
    for at, kind in interventions:
        if not item.at <= at <= item.at + WITHIN:
            continue
        if kind == "consultation":
            yield "consulted"
        elif item.answered_at is not None and at > item.answered_at:
            yield "handed_over"
    if item.came_back:
        yield "reopened"


def _complains(text: str, rules: Rules) -> bool:
    return bool(_COMPLAINT.search(fold(text))) or sensitive_flow(text, rules) in _LATER_FLOWS


def _spoken(event: Event) -> bool:
    return event.type == "message" and event.role == "customer" and bool(event.text)


def _acts(event: Event) -> bool:
    """Whether somebody answered, resolved or passed on."""
    spoke = event.type == "message" and event.role != "customer"
    return spoke or event.type == "resolution" or event.passed_on


def _by_agent(event: Event) -> bool:
    return (event.type == "message" and event.role == "agent") or (
        event.type == "resolution" and event.agent_id is not None
    )
