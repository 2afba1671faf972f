"""What is known of the customer who asks, before priority and route are decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from graph.contacts import REPEAT_WITHIN, Matter, earlier_contacts
from graph.models import Case, Event
from kb_service.handover.casefile import CaseFile
from kb_service.models import Question
from kb_service.replicas.replica import Replica
from kb_service.understanding.contact_history import contacts_in, matter_of, settled_by, unanswered_since
from kb_service.understanding.question_reading import Reading


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the customer: earlier contacts this week about the same matter, who answered last, since when
    they wait; and whether the problem that they came about surges."""

    repeat_contacts: int = 0
    previous_agent: str | None = None
    previous_at: datetime | None = None
    waiting_since: datetime | None = None
    bursting: bool = False


def history_for(
    replica: Replica, question: Question, reading: Reading, file: CaseFile, now: datetime
) -> History:
    case = file.case
    repeats = earlier_contacts(
        contacts_in(replica, file.told),
        case.id if case is not None else None,
        question.conversation_id,
        _matter(replica, question, reading),
        now,
    )
    known = history_of(file.earlier, case, file.events if file.waits else (), now, sent_at=file.sent_at)
    return replace(known, repeat_contacts=repeats, bursting=file.bursting)


def history_of(
    cases: Sequence[Case],
    current: Case | None,
    said: Sequence[Event],
    now: datetime,
    *,
    sent_at: datetime | None = None,
) -> History:
    """Who answered the customer last within a week, and since when the present case waits.

    `said` are the events of the present case when it waits, oldest first; `sent_at` is when the bot
    last answered in it.
    """
    week = [case for case in cases if now - case.active_at <= REPEAT_WITHIN]
    answered = [
        (case.active_at, case.agent_id)
        for case in [*week, *([current] if current else [])]
        if case.agent_id is not None
    ]
    if (settled := settled_by(said)) is not None and now - settled[0] <= REPEAT_WITHIN:
        answered.append(settled)
    latest = max(answered, default=None)
    return History(
        previous_agent=latest[1] if latest else None,
        previous_at=latest[0] if latest else None,
        waiting_since=unanswered_since(said, sent_at),
    )


def _matter(replica: Replica, question: Question, reading: Reading) -> Matter:
    """What a question is about; several intents that compete are none."""
    return matter_of(
        replica,
        problem_id=reading.problem.id if reading.problem is not None else None,
        intents=reading.candidates if len(reading.candidates) == 1 else (),
        entities=reading.understanding.entities,
        products=question.products,
    )
