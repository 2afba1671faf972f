"""Whether a resolution holds, from what customers answer when they are asked some days later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from graph.models import Evidence
from graph.rules import Rules

PATIENCE = timedelta(days=7)
"""How long answers are waited for."""

FollowUpState: TypeAlias = Literal["open", "confirmed", "reopened", "unconfirmed"]

Reason: TypeAlias = Literal[
    "waiting", "enough_say_yes", "enough_say_no", "most_say_no", "nobody_complained", "undecided"
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one customer answered last; `solved` is None where the answer says neither."""

    solved: bool | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the answers come to. `at` is the time of the answer that decided, or of the end of the wait."""

    state: FollowUpState
    reason: Reason
    at: datetime
    yes: int
    no: int


def judge(
    asked: int,
    answers: Iterable[Answer],
    rules: Rules,
    *,
    sent_at: datetime,
    now: datetime,
    complaints: int,
) -> Confirmation:
    """What is known of a resolution that `asked` customers were asked about at `sent_at`.

    `answers` holds each customer's latest; `complaints` is how many customers wrote of the problem since `sent_at`.

    Reopened: `rules.regression_customers` say no; where fewer than these were asked, more than half of them; after
    PATIENCE, more of those who answered than not. Confirmed: at least half of those asked say yes and nobody says no;
    after PATIENCE, at least as many say yes as no, or nobody answered and nobody complained. Otherwise
    undecided after PATIENCE: the problem stays resolved, unconfirmed.
    """
    told = sorted((item for item in answers if item.solved is not None), key=lambda item: item.at)
    yes = sum(1 for item in told if item.solved)
    no = len(told) - yes
    latest = told[-1].at if told else now

    def found(state: FollowUpState, reason: Reason, at: datetime) -> Confirmation:
        return Confirmation(state, reason, at, yes, no)

    if no >= rules.regression_customers:
        return found("reopened", "enough_say_no", latest)
    if asked < rules.regression_customers and 2 * no > asked:
        return found("reopened", "most_say_no", latest)
    if not no and yes and 2 * yes >= asked:
        return found("confirmed", "enough_say_yes", latest)
    if now < sent_at + PATIENCE:
        return found("open", "waiting", now)
    if asked < rules.regression_customers and no > yes:
        return found("reopened", "most_say_no", now)
    if yes and yes >= no:
        return found("confirmed", "enough_say_yes", now)
    if not told and not complaints:
        return found("confirmed", "nobody_complained", now)
    return found("unconfirmed", "undecided", now)


def evidence(found: Confirmation, resolved_at: datetime, sent_at: datetime) -> Evidence:
    """The numbers and words of a regression that customers' answers revealed; none was expected."""
    answered = found.yes + found.no
    day = resolved_at.date().isoformat()
    words = {
        "en": f"Asked whether the solution of {day} holds, {found.no} of {answered} customers who answered said no.",
        "zh": f"就 {day} 的解决结果回访，{answered} 位作答的顾客中有 {found.no} 位表示问题仍未解决。",
    }
    minutes = max(1, round((found.at - sent_at).total_seconds() / 60))
    return Evidence(found.no, 0.0, found.no, minutes, None, words)


QUESTION = {
    "en": "Hello! You wrote to us about a problem some days ago, which we have dealt with since. Is it solved for you?",
    "zh": "您好！您前几天向我们反映的问题，我们已经处理。请问现在解决了吗？",
}
NAMED_QUESTION = {
    "en": "Hello! You wrote to us some days ago about: {name}. We have dealt with it since. Is it solved for you?",
    "zh": "您好！您前几天向我们反映的“{name}”，我们已经处理。请问现在解决了吗？",
}
