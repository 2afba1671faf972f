"""What happened in one case, step by step, and what that says of how its customer was served. Pure.

Everything is read from dated steps alone, as they were known at a moment: a step that is told late counts where it
belongs, and a case can be read as it stood earlier.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from graph.models import Speaker

STAYS = timedelta(hours=72)
"""A case whose customer comes back within this time was not helped; until then nobody can tell."""
AGAIN = timedelta(days=7)
"""Another contact about the same problem within this time means that the first did not settle it."""
PAUSE = timedelta(hours=4)
"""A customer who writes after a longer pause than this came back; before, the conversation goes on."""

StepKind: TypeAlias = Literal["message", "resolved", "unresolved", "transfer", "handover", "rating"]
Handler: TypeAlias = Literal["bot", "agent", "none"]


@dataclass(frozen=True, slots=True)
class Step:
    """One dated fact of a case. `by` said or did it; of a customer's message, `problem_id` is what it is about,
    None for thanks and greetings, and `courtesy` says that it is nothing else. `seconds` is the handling time that a
    resolution tells. `agent` is the person who said or resolved it, `to_agent` whoever was given the case."""

    kind: StepKind
    at: datetime
    by: Speaker = "customer"
    problem_id: str | None = None
    from_agent: str | None = None
    rating: float | None = None
    seconds: float | None = None
    courtesy: bool = False
    agent: str | None = None
    to_agent: str | None = None


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case with its steps, oldest first. `opened_at` is the time of its first event.

    `first_due` is when the first answer was promised for, `resolve_due` when the solution was; `promised` whether
    that rests on a priority that was recorded, not on the ordinary one.
    """

    id: str
    opened_at: datetime
    customer_id: str | None
    problem_id: str | None
    steps: tuple[Step, ...]
    channel: str | None = None
    language: str | None = None
    tier: str | None = None
    first_due: datetime | None = None
    promised: bool = False
    resolve_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseReading:
    """How a case stood at one moment. Times are seconds; None is what does not apply or cannot be told yet.

    `waited`: from the customer's first message to the first answer of bot or person; `waited_for_person`: from the
    first hand-over to the first word of a person after it. `in_time`: the first answer came within its service level,
    `solved_in_time`: the solution did.
    `settled_at_once`: the first resolution held, and `may_turn` says that seven days have not passed since.
    `stayed_resolved`: the first resolution that says so was not followed by a return within 72 h. `resolved`: within
    72 h of the opening. `contained`: the bot alone, and nobody came back.
    """

    history: CaseHistory
    handler: Handler
    bot_spoke: bool
    asked: bool
    waited: float | None
    in_time: bool | None
    solved_in_time: bool | None
    handed_over: bool
    waited_for_person: float | None
    ended: bool
    settled_at_once: bool | None
    may_turn: bool
    stayed_resolved: bool | None
    resolutions: bool
    resolved: bool | None
    contained: bool | None
    transfers: int | None
    seconds: float | None
    rating: float | None


class Contacts:
    """When which customer opened a case about which problem: what shows that somebody came back."""

    def __init__(self, cases: Iterable[tuple[str, str | None, str | None, datetime]]) -> None:
        """Each case as (case id, customer id, problem id, time it opened); those without the two are left out."""
        found: defaultdict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
        for case_id, customer_id, problem_id, at in cases:
            if customer_id is not None and problem_id is not None:
                found[customer_id, problem_id].append((at, case_id))
        self._of = {key: sorted(set(opened)) for key, opened in found.items()}

    def again(self, history: CaseHistory, after: datetime, until: datetime) -> bool:
        """Whether the customer opened another case about the same problem after a moment, up to `until`."""
        if history.customer_id is None or history.problem_id is None:
            return False
        opened = self._of.get((history.customer_id, history.problem_id), [])
        first = bisect_right(opened, after, key=lambda item: item[0])
        return any(at <= until and case_id != history.id for at, case_id in opened[first:])


def read(history: CaseHistory, contacts: Contacts, as_of: datetime) -> CaseReading:
    """The case as its steps up to `as_of` tell it."""
    steps = [step for step in history.steps if step.at <= as_of]
    asked_at = next((step.at for step in steps if _asks(step)), None)
    people = [step for step in steps if _by_person(step)]
    bots = [step for step in steps if step.by == "bot" and step.kind in ("message", "resolved", "unresolved")]
    handed_at = next((step.at for step in steps if step.kind == "handover"), None)
    # A customer who was handed over waits for a person, whatever the bot said before.
    handler: Handler = "agent" if people else "bot" if bots and handed_at is None else "none"
    answered = [step.at for step in steps if _answers(step) and asked_at is not None and step.at >= asked_at]
    waited = (answered[0] - asked_at).total_seconds() if answered and asked_at is not None else None
    outcomes = [step for step in steps if step.kind in ("resolved", "unresolved")]
    told = [step for step in outcomes if step.by != "customer"]
    ratings = [step.rating for step in steps if step.rating is not None]
    seconds = [step.seconds for step in steps if step.seconds is not None]
    reached = [step.at for step in people if handed_at is not None and step.at >= handed_at]
    old = history.opened_at <= as_of - STAYS
    return CaseReading(
        history=history,
        handler=handler,
        bot_spoke=bool(bots),
        asked=asked_at is not None,
        waited=waited,
        in_time=_in_time(history, answered, asked_at, as_of),
        solved_in_time=_solved_in_time(history, told, asked_at, as_of),
        handed_over=handed_at is not None,
        waited_for_person=(reached[0] - handed_at).total_seconds() if reached and handed_at else None,
        ended=bool(told),
        settled_at_once=_settled_at_once(history, steps, told, contacts, as_of),
        may_turn=bool(told) and as_of - AGAIN < told[0].at <= as_of - STAYS,
        stayed_resolved=_stayed(history, steps, told, as_of),
        resolutions=any(step.kind == "resolved" for step in told),
        resolved=_resolved_in_time(history, told) if old else None,
        contained=_contained(history, steps, bots, handler, contacts, as_of),
        transfers=_transfers(steps) if people else None,
        seconds=sum(seconds) if seconds else None,
        rating=ratings[-1] if ratings else None,
    )


def _asks(step: Step) -> bool:
    return step.kind == "message" and step.by == "customer"


def _by_person(step: Step) -> bool:
    """A transfer from person to person tells of one as well."""
    return step.by == "agent" and step.kind in ("message", "resolved", "unresolved", "transfer")


def _answers(step: Step) -> bool:
    return step.by != "customer" and step.kind in ("message", "resolved", "unresolved")


def _in_time(
    history: CaseHistory, answered: Sequence[datetime], asked_at: datetime | None, as_of: datetime
) -> bool | None:
    """Nobody can tell while an unanswered case is not due."""
    if asked_at is None or history.first_due is None:
        return None
    if answered:
        return answered[0] <= history.first_due
    return False if as_of > history.first_due else None


def _solved_in_time(
    history: CaseHistory, told: Sequence[Step], asked_at: datetime | None, as_of: datetime
) -> bool | None:
    """Nobody can tell while an unsolved case is not due."""
    if asked_at is None or history.resolve_due is None:
        return None
    if any(step.kind == "resolved" and step.at <= history.resolve_due for step in told):
        return True
    return False if as_of > history.resolve_due else None


def _returns(history: CaseHistory, steps: Sequence[Step], after: datetime, until: datetime) -> bool:
    """Whether the case came back: it was said to be unresolved, or the customer wrote of the same problem."""
    return any(
        after < step.at <= until
        and (
            step.kind == "unresolved"
            or (_asks(step) and step.problem_id is not None and step.problem_id == history.problem_id)
        )
        for step in steps
    )


def _settled_at_once(
    history: CaseHistory, steps: Sequence[Step], told: Sequence[Step], contacts: Contacts, as_of: datetime
) -> bool | None:
    """None for a case without an outcome, and until 72 h after its first."""
    if not told or told[0].at > as_of - STAYS:
        return None
    first = told[0]
    if first.kind != "resolved":
        return False
    until = min(first.at + AGAIN, as_of)
    failed_before = any(step.kind == "unresolved" and step.at <= first.at for step in steps)
    return not (
        failed_before or _returns(history, steps, first.at, until) or contacts.again(history, first.at, until)
    )


def _stayed(
    history: CaseHistory, steps: Sequence[Step], told: Sequence[Step], as_of: datetime
) -> bool | None:
    first = next((step.at for step in told if step.kind == "resolved"), None)
    if first is None or first > as_of - STAYS:
        return None
    return not _returns(history, steps, first, first + STAYS)


def _resolved_in_time(history: CaseHistory, told: Sequence[Step]) -> bool:
    return any(step.kind == "resolved" and step.at <= history.opened_at + STAYS for step in told)


def _contained(
    history: CaseHistory,
    steps: Sequence[Step],
    bots: Sequence[Step],
    handler: Handler,
    contacts: Contacts,
    as_of: datetime,
) -> bool | None:
    """False at once where a person came in or is waited for; else None until 72 h after the bot's last word."""
    if handler != "bot":
        return False if history.opened_at <= as_of - STAYS else None
    last = bots[-1].at
    if last > as_of - STAYS:
        return None
    words = [step.at for step in bots]
    left = any(_asks(step) and step.problem_id is not None and step.at > last for step in steps)
    paused = any(
        _asks(step)
        and step.problem_id is not None
        and (before := bisect_right(words, step.at)) > 0
        and step.at - words[before - 1] > PAUSE
        for step in steps
    )
    failed = any(step.kind == "unresolved" for step in steps)
    return not (left or paused or failed or contacts.again(history, last, last + STAYS))


def _transfers(steps: Sequence[Step]) -> int:
    """From one person to another; the first one that comes from no person is the bot's hand-over."""
    count, seen = 0, False
    for step in steps:
        if step.kind == "transfer":
            count += seen or step.from_agent is not None
        seen = seen or _by_person(step)
    return count
