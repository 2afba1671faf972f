"""Questions that got no good answer: which of them ask the same, by how many customers, and why they failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias, get_args

from graph.emotion import outburst
from graph.matching import ProblemMatcher, says_something
from graph.models import Entity, Utterance
from graph.naming import typical
from graph.recurrence import Observation, reached
from graph.rules import Rules
from graph.words import is_content

GapReason: TypeAlias = Literal["reopened", "rejected", "rewritten", "expired", "nothing_found", "unsure"]
"""Why an answer was not good: the case came back, an agent refused it, an agent wrote another one, the only match
was not in force, nothing worth offering was found, or what was found was more likely wrong than right."""
_ORDER = {reason: place for place, reason in enumerate(get_args(GapReason))}
"""Of equally frequent reasons the one that people gave goes first."""

_KEPT = 0.5
"""Share of a final text's telling words that stood in the offered reply, below which it is another reply."""
_RIVAL = 0.45
"""P(same) of a second group from which a question in doubt joins neither."""
_TELLING = 3
"""Telling words from which a final text can be compared at all."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """One question that got no good answer.

    `utterance` is prepared as messages are to find their problem, `text` is the question as it may be shown.
    `refused` are the documents that people rejected as its answer.
    """

    id: str
    at: datetime
    text: str
    utterance: Utterance
    reason: GapReason
    customer_id: str | None = None
    conversation_id: str | None = None
    problem_id: str | None = None
    entities: tuple[Entity, ...] = ()
    products: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def observation(self) -> Observation:
        return Observation(self.at, self.customer_id, self.id, self.conversation_id)


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that ask the same, oldest first, and what they come to.

    `ballots` are the questions that count: of one customer the last of each day (UTC). `customers` are the
    distinct ones; where nobody knows the customer, the conversation or the question alone stands for them.
    """

    problem_id: str | None
    questions: tuple[Unanswered, ...]
    ballots: tuple[Unanswered, ...]
    typical: Unanswered
    customers: int
    languages: tuple[str, ...]
    products: tuple[str, ...]
    reason: GapReason
    reasons: Mapping[GapReason, int]

    @property
    def first_at(self) -> datetime:
        return self.questions[0].at

    @property
    def last_at(self) -> datetime:
        return self.questions[-1].at


def asks_something(utterance: Utterance) -> bool:
    """Whether a message could be answered at all: small talk and mere abuse could not."""
    return says_something(utterance) and not outburst(utterance.text, utterance.tokens)


def grouped(
    questions: Iterable[Unanswered], *, reads: frozenset[str] = frozenset({"en"})
) -> tuple[tuple[Unanswered, ...], ...]:
    """Questions that ask the same: those of one problem, the others as messages find their problem.

    A question without a problem joins the group that `ProblemMatcher` finds likely, one of a problem included,
    else it begins one. Where that is in doubt it is put off until the others have found their place, and stands
    alone where two groups are in question still: a gap that mixes two questions is named after one of them.
    Vectors speak for the languages in `reads`. Each group is in order of time; the result does not depend on the
    order the questions come in.

    On the sample's questions (calibrate split, by the documents that answer them) BCubed precision and recall are
    .83 and .45 in Chinese, .85 and .57 in English; standing alone in every doubt gets .88 and .43, .88 and .55.
    """
    matcher = ProblemMatcher(reads=reads)
    groups: dict[str, list[Unanswered]] = {}

    def place(question: Unanswered, key: str) -> None:
        groups.setdefault(key, []).append(question)
        matcher.join(key, question.utterance, question.entities, question.at)

    doubtful: list[Unanswered] = []
    for question in sorted(questions, key=lambda item: (item.problem_id is None, item.at, item.id)):
        if question.problem_id is not None:
            place(question, question.problem_id)
            continue
        found = matcher.match(question.utterance, question.entities, question.at)
        if found.pending:
            doubtful.append(question)
        else:
            place(question, found.problem_id or question.id)
    for question in doubtful:
        found = matcher.match(question.utterance, question.entities, question.at)
        alone = found.pending and found.runner_up >= _RIVAL
        place(question, question.id if alone else found.problem_id or question.id)
    return tuple(tuple(sorted(group, key=lambda item: (item.at, item.id))) for group in groups.values())


def gap_of(questions: Sequence[Unanswered]) -> Gap:
    """What a group of questions comes to. `questions` is not empty and in order of time."""
    ballots = _ballots(questions)
    languages = _most_frequent(item.utterance.language for item in ballots)
    spoken = [item for item in ballots if item.utterance.language == languages[0]]
    reasons = Counter(item.reason for item in ballots)
    return Gap(
        problem_id=next((item.problem_id for item in questions if item.problem_id is not None), None),
        questions=tuple(questions),
        ballots=ballots,
        typical=spoken[typical([item.utterance for item in spoken])],
        customers=len({item.observation.voter for item in questions}),
        languages=languages,
        products=_most_frequent(product for item in ballots for product in item.products),
        reason=min(reasons, key=lambda reason: (-reasons[reason], _ORDER[reason])),
        reasons={reason: reasons[reason] for reason in sorted(reasons, key=_ORDER.__getitem__)},
    )


def found_at(gap: Gap, rules: Rules, now: datetime) -> datetime | None:
    """When enough customers had asked within the shop's window that ends at `now`; None when they are too few.

    Customers and window are those of the recurrence rule.
    """
    begin = now - timedelta(hours=rules.recurrence_window_hours)
    recent = [item.observation for item in gap.questions if item.at > begin]
    return reached(recent, rules.recurrence_customers, rules.recurrence_window_hours, now)


def rewritten(final: Sequence[str], offered: Sequence[str]) -> bool:
    """Whether an agent's final text says something else than the reply that was offered, both given by their words.

    Leaving out sentences, greetings and small corrections is no other reply; a text of fewer than three telling
    words cannot be told to be one.
    """
    said = {word for word in final if is_content(word)}
    return len(said) >= _TELLING and len(said & set(offered)) < _KEPT * len(said)


def _ballots(questions: Sequence[Unanswered]) -> tuple[Unanswered, ...]:
    last: dict[tuple[tuple[str, str], date], Unanswered] = {}
    for question in questions:
        last[question.observation.voter, question.at.date()] = question
    return tuple(sorted(last.values(), key=lambda item: (item.at, item.id)))


def _most_frequent(values: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(values)
    return tuple(sorted(counts, key=lambda value: (-counts[value], value)))
