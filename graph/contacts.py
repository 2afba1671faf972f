"""How often a customer came about the same matter.

A contact begins with a customer's message and ends with a resolution, or after half a day without a word of theirs.
The next message is another contact, as is one in another conversation, whichever case holds it: a customer may have
several matters at a time, so contacts are compared by what they were about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

REPEAT_WITHIN = timedelta(days=7)
QUIET = timedelta(hours=12)
"""Whoever writes again after so long a silence comes again, answered or not."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What somebody came about: known problems, plain intents, products, and numbers of orders and parcels."""

    problems: frozenset[str] = field(default_factory=frozenset)
    intents: frozenset[str] = field(default_factory=frozenset)
    products: frozenset[str] = field(default_factory=frozenset)
    orders: frozenset[str] = field(default_factory=frozenset)

    @property
    def known(self) -> bool:
        return bool(self.problems or self.intents or self.products or self.orders)

    def __or__(self, other: Matter) -> Matter:
        return Matter(
            self.problems | other.problems,
            self.intents | other.intents,
            self.products | other.products,
            self.orders | other.orders,
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that happened in a case: `spoken` is a customer's message, `ends` a resolution."""

    case_id: str
    conversation_id: str | None
    at: datetime
    spoken: bool = False
    ends: bool = False
    matter: Matter = Matter()


@dataclass(frozen=True, slots=True)
class Contact:
    """`active_at` is the latest message, `ended_at` None without a resolution; `matter` is that of all messages, and
    `learnt` how it became known: what it was from which moment on."""

    case_id: str
    conversation_id: str | None
    began_at: datetime
    active_at: datetime
    matter: Matter
    ended_at: datetime | None = None
    learnt: tuple[tuple[datetime, Matter], ...] = field(default=(), compare=False, repr=False)

    def matter_at(self, at: datetime) -> Matter:
        """What it was about as far as was known at a moment."""
        if not self.learnt:
            return self.matter
        return next((matter for since, matter in reversed(self.learnt) if since <= at), Matter())

    def goes_on(self, at: datetime) -> bool:
        """Whether a message at `at` would belong to it."""
        return (self.ended_at is None or self.ended_at >= at) and at - self.active_at <= QUIET


def same_matter(one: Matter, other: Matter) -> bool:
    """Whether two contacts were about the same.

    The same problem or the same order is. The same intent is unless each names other products or orders, and the same
    product only where one of the two says nothing else: a question about a power bank and its return are two matters.
    """
    if one.problems & other.problems or one.orders & other.orders:
        return True
    if _apart(one.products, other.products) or _apart(one.orders, other.orders):
        return False
    if one.intents & other.intents:
        return True
    unsaid = not (one.intents or one.problems) or not (other.intents or other.problems)
    return bool(one.products & other.products) and unsaid


def _apart(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other) and not one & other


def contacts(turns: Iterable[Turn]) -> tuple[Contact, ...]:
    """The contacts in what happened to one customer, by begin.

    One that names nothing is about what its conversation was; in a new conversation nobody knows.
    """
    found: list[Contact] = []
    of_case: dict[str, list[int]] = {}
    for turn in sorted(turns, key=lambda turn: turn.at):
        places = of_case.setdefault(turn.case_id, [])
        if turn.ends:
            for place in places:
                if found[place].ended_at is None:
                    found[place] = replace(found[place], ended_at=turn.at)
        if not turn.spoken:
            continue
        same = [place for place in places if found[place].conversation_id == turn.conversation_id]
        if same and found[same[-1]].goes_on(turn.at):
            present = found[same[-1]]
            known = present.matter | turn.matter
            learnt = present.learnt if known == present.matter else (*present.learnt, (turn.at, known))
            found[same[-1]] = replace(present, active_at=turn.at, matter=known, learnt=learnt)
            continue
        matter = turn.matter if turn.matter.known or not same else found[same[-1]].matter
        places.append(len(found))
        learnt = ((turn.at, matter),)
        found.append(Contact(turn.case_id, turn.conversation_id, turn.at, turn.at, matter, learnt=learnt))
    return tuple(found)


def earlier_contacts(
    known: Sequence[Contact], case_id: str | None, conversation_id: str | None, matter: Matter, at: datetime
) -> int:
    """How many contacts of the week before `at` were about the matter of what a customer writes at `at`.

    What still goes on in that conversation (in any of the case, where none is named) is the present contact. Words
    that name nothing are about what the conversation was.
    """
    here = [contact for contact in known if contact.case_id == case_id and contact.began_at <= at]
    present = next(
        (
            contact
            for contact in reversed(here)
            if conversation_id in (None, contact.conversation_id) and contact.goes_on(at)
        ),
        None,
    )
    meant = matter | present.matter if present is not None else matter
    before = [contact for contact in here if conversation_id in (None, contact.conversation_id)]
    if not meant.known and before:
        meant = before[-1].matter
    return sum(
        contact is not present
        and contact.began_at < at
        and at - contact.began_at <= REPEAT_WITHIN
        and same_matter(contact.matter, meant)
        for contact in known
    )
