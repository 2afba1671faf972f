"""A missing article, drafted from replies that customers accepted: one of them word for word, its sources named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from graph.gaps import Gap
from graph.matching import says_something
from graph.models import Utterance
from graph.naming import shortened, typical

SOURCES = 10
"""Replies that a draft names, its own first."""


@dataclass(frozen=True, slots=True)
class AcceptedReply:
    """A reply after which a case was resolved for good, without personal data; `id` is that of the event or of the
    feedback that it comes from."""

    id: str
    kind: Literal["resolution", "feedback"]
    at: datetime
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class DraftArticle:
    """A question and the reply that answers it best so far; `sources[0]` is the reply itself."""

    title: str
    question: str
    body: str
    language: str
    sources: tuple[AcceptedReply, ...]


def drafted(gap: Gap, replies: Sequence[AcceptedReply]) -> DraftArticle | None:
    """The article that a gap asks for; None when no accepted reply says anything.

    The body is one reply, word for word: the one that stands nearest to the others in the language that most
    replies share with the questions. The question is the most typical one in that language, else of all.
    """
    telling = [reply for reply in replies if says_something(reply.utterance)]
    if not telling:
        return None
    language = _language(gap, telling)
    spoken = sorted(
        (reply for reply in telling if reply.utterance.language == language),
        key=lambda reply: (reply.at, reply.id),
        reverse=True,
    )
    best = spoken[typical([reply.utterance for reply in spoken])]
    asked = [item for item in gap.ballots if item.utterance.language == language]
    question = asked[typical([item.utterance for item in asked])] if asked else gap.typical
    others = [reply for reply in spoken if reply is not best]
    return DraftArticle(
        title=shortened(question.text),
        question=question.text,
        body=best.utterance.text,
        language=language,
        sources=(best, *others)[:SOURCES],
    )


def _language(gap: Gap, replies: Sequence[AcceptedReply]) -> str:
    """That of most replies among the languages of the questions, else among all."""
    counts = Counter(reply.utterance.language for reply in replies)
    asked = [language for language in counts if language in gap.languages]
    return min(asked or counts, key=lambda language: (-counts[language], language))
