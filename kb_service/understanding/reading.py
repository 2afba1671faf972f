"""From a customer's words to utterances that can be compared: clauses, words, vectors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from graph.models import Utterance
from graph.mood_head import MoodHead
from graph.understanding import small_talk
from ingest import language
from ingest.embedding import BatchingEmbedder
from ingest.redaction import mask_numbers
from kb_service.understanding.mood_reading import MoodReading

CLAUSES = 8
"""Clauses of one message that are read apart; what comes after them is read as part of the whole only."""
_PLACEHOLDER = re.compile(r"\[[A-Z]+\]")


def compared_words(text: str) -> tuple[str, ...]:
    """The words by which a message is compared with others; what was masked in it is not among them.

    Whole words, not the character pairs that search adds: pairs make unlike Chinese messages look alike.
    """
    return tuple(language.words(_PLACEHOLDER.sub(" ", text)))


def stem(word: str) -> str:
    """A word as it is compared."""
    return next(iter(language.words(word)), word)


def nameable(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Messages as people would name them by: without greetings, by whole words that say something, unstemmed."""
    return [
        replace(utterance, text=text, tokens=tuple(language.content_words(text, stemmed=False)))
        for utterance in utterances
        if (text := _without_greetings(utterance))
    ]


def _without_greetings(utterance: Utterance) -> str:
    """The message from its first clause on that is more than a greeting."""
    text = utterance.text
    for clause in language.clauses(text):
        if not small_talk(clause, utterance.language):
            return text[max(text.find(clause), 0) :]
    return text


class Reader:
    """Prepares texts for the graph room. One encoder call per request, whatever the number of clauses."""

    def __init__(self, embedder: BatchingEmbedder, moods: MoodReading | None = None) -> None:
        self._embedder = embedder
        self._moods = moods or MoodReading(embedder, None)

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    @property
    def reads(self) -> frozenset[str]:
        return self._embedder.reads

    def moods(self, language: str) -> MoodHead | None:
        """What tells a mood by the vector of a text in a language; None where the encoder does not read it."""
        return self._moods.head(language)

    def forget(self) -> None:
        """Drop the vectors of recent questions, as an erasure asks."""
        self._embedder.forget()

    def read(self, texts: Sequence[str], *, spoken: str | None = None) -> list[Utterance]:
        """An utterance for each text; `spoken` overrides the identified language."""
        if not texts:
            return []
        vectors = self._embedder.embed_queries(texts)
        return [
            Utterance(
                text=text,
                language=spoken or language.identify(text),
                tokens=compared_words(text),
                vector=vector,
                model_id=self._embedder.model_id,
            )
            for text, vector in zip(texts, vectors, strict=True)
        ]

    def masked(self, texts: Sequence[str]) -> list[Utterance]:
        """Utterances for finding problems: numbers, prices and ids are placeholders, so that they never tell two
        customers with one problem apart."""
        return self.read([mask_numbers(text) for text in texts])

    def question(
        self, text: str, *, spoken: str | None = None
    ) -> tuple[Utterance, list[Utterance], Utterance]:
        """The whole message, its clauses, and the message as it is compared with problems, in one encoder call.

        A message of one clause is encoded once. For problems its numbers are masked among the words; its vector
        stays that of the whole, which numbers hardly move. `spoken` overrides the identified language.
        """
        clauses = language.clauses(text)[:CLAUSES]
        distinct = list(dict.fromkeys([text, *clauses])) if len(clauses) > 1 else [text]
        whole, *parts = self.read(distinct, spoken=spoken or language.identify(text))
        masked = mask_numbers(text)
        compared = replace(whole, text=masked, tokens=compared_words(masked)) if masked != text else whole
        return whole, parts or [whole], compared
