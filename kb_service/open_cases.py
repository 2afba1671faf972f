"""Which case an event belongs to, for the events of one transaction: read at once, and kept up as they are taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from graph.models import Case, Event
from kb_service.store import Unit

WINDOW = timedelta(hours=72)
"""How long a customer's open case waits for their next event, on any channel."""
OVER = frozenset({"resolved", "closed"})


class OpenCases:
    """The cases that some events may belong to, as they stand after those that were taken.

    An event belongs to the case of its conversation, in whatever state; else to the customer's case that is neither
    resolved nor closed and was active within WINDOW of it, the latest active first. Whether the events before it came
    in this transaction or in an earlier one makes no difference.
    """

    def __init__(self, unit: Unit, events: Sequence[Event]) -> None:
        self._cases: dict[str, Case] = {}
        self._of_conversation: dict[str, str] = {}
        self._of_customer: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._changed: dict[str, None] = {}
        if not events:
            return
        conversations = {event.conversation_id for event in events if event.conversation_id is not None}
        customers = {event.customer_id for event in events if event.customer_id is not None}
        begin, end = min(event.at for event in events) - WINDOW, max(event.at for event in events) + WINDOW
        for conversation, case in unit.cases.cases_of_conversations(conversations).items():
            self._know(case)
            self._of_conversation[conversation] = case.id
        for case in unit.cases.open_of_customers(customers, begin, end):
            self._know(case)

    def of(self, event: Event) -> Case | None:
        """The case that an event belongs to; None when a new one should open."""
        conversation = event.conversation_id
        if conversation is not None and (held := self._of_conversation.get(conversation)) is not None:
            return self._cases[held]
        if event.customer_id is None:
            return None
        mine = (self._cases[case_id] for case_id in self._of_customer.get(event.customer_id, ()))
        open_ones = [
            case
            for case in mine
            if case.state not in OVER
            and case.active_at >= event.at - WINDOW
            and case.opened_at <= event.at + WINDOW
        ]
        return max(open_ones, key=lambda case: (case.active_at, case.id), default=None)

    def held(self, case_id: str) -> Case | None:
        """A case by its id, where it is among those that are known here."""
        return self._cases.get(case_id)

    def put(self, case: Case) -> None:
        """A case as it is after an event."""
        self._know(case)
        self._changed[case.id] = None
        for conversation in case.conversation_ids:
            self._of_conversation[conversation] = case.id

    def take_changed(self) -> list[Case]:
        """The cases that were put since this was last asked, in the order in which they first were."""
        changed = [self._cases[case_id] for case_id in self._changed]
        self._changed.clear()
        return changed

    def read_again(self, unit: Unit, case_id: str) -> None:
        """A case as it is in the store now."""
        case = unit.cases.get(case_id)
        if case is not None:
            self._know(case)

    def _know(self, case: Case) -> None:
        self._cases[case.id] = case
        if case.customer_id is not None:
            self._of_customer[case.customer_id][case.id] = None
