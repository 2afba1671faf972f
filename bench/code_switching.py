"""Questions in two languages at once, from the two versions of one question and a dictionary.

People who speak both languages keep the grammar of one and put words of the other in its place (Myers-Scotton's
matrix language, 1993): "黑豹队的 defense 丢了多少分？". The words put in are not a dictionary's but those that
stand in the other version of the same question; the dictionary only tells which word of one is which of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import rjieba

from ingest import stopwords
from ingest.language import words

Span = tuple[int, int]

_ENTRY = re.compile(r"\S+ (?P<word>\S+) \[[^\]]*\] /(?P<glosses>.*)/")
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BEFORE = re.compile(r"^(?:to be|to|a|an|the) ", re.IGNORECASE)
_ENGLISH_WORD = re.compile(r"[A-Za-z]+(?:['’-](?!s\b)[A-Za-z]+)*")
_LONGEST_GLOSS = 4
"""Words of a gloss beyond which it explains rather than translates."""


@dataclass(frozen=True, slots=True)
class Glossary:
    """Chinese words with the English phrases that may stand for them, each as its stems."""

    phrases: Mapping[str, frozenset[tuple[str, ...]]]

    @classmethod
    def read(cls, text: str) -> Glossary:
        """A glossary from a dictionary in the format of CC-CEDICT."""
        phrases: dict[str, set[tuple[str, ...]]] = {}
        for line in text.splitlines():
            entry = _ENTRY.match(line)
            if entry and len(entry["word"]) > 1:
                phrases.setdefault(entry["word"], set()).update(_phrases(entry["glosses"]))
        return cls({word: frozenset(found) for word, found in phrases.items() if found})


def _phrases(glosses: str) -> Iterator[tuple[str, ...]]:
    for gloss in re.split("[/;,]", _ASIDE.sub(" ", glosses)):
        plain = _BEFORE.sub("", " ".join(gloss.split()))
        found = [word for word, _ in _english(plain)]
        if 0 < len(found) <= _LONGEST_GLOSS and plain.isascii() and _says_something(plain):
            yield tuple(found)


def _says_something(phrase: str) -> bool:
    """Whether a phrase neither begins nor ends with a word of grammar: people do not switch for "how many"."""
    found = [word.lower() for word in _ENGLISH_WORD.findall(phrase)]
    return found[0] not in stopwords.ENGLISH and found[-1] not in stopwords.ENGLISH


def mix(chinese: str, english: str, glossary: Glossary, *, frame: Literal["zh", "en"]) -> str | None:
    """The version in the language `frame` with every second word that can be told, beginning with the first,
    as the other version has it. None where no word of the two can be told to be the same."""
    pairs = sorted(_aligned(chinese, english, glossary), key=lambda pair: pair[0 if frame == "zh" else 1])
    if not pairs:
        return None
    if frame == "zh":
        return _replaced(chinese, [(own, f" {english[slice(*other)]} ") for own, other in pairs[::2]])
    return _replaced(english, [(own, f" {chinese[slice(*other)]} ") for other, own in pairs[::2]])


def _aligned(chinese: str, english: str, glossary: Glossary) -> list[tuple[Span, Span]]:
    """Spans of both versions that mean the same; no span overlaps another. Longer phrases choose first."""
    stems = list(_english(english))
    wanted = [
        (len(phrase), span, phrase)
        for span in _chinese(chinese)
        for phrase in glossary.phrases.get(chinese[slice(*span)], ())
    ]
    pairs: list[tuple[Span, Span]] = []
    for _, span, phrase in sorted(wanted, key=lambda item: (-item[0], item[1], item[2])):
        if any(span == taken for taken, _ in pairs):
            continue
        for place in range(len(stems) - len(phrase) + 1):
            run = stems[place : place + len(phrase)]
            found = (run[0][1][0], run[-1][1][1])
            free = all(found[1] <= begin or found[0] >= end for _, (begin, end) in pairs)
            if free and tuple(stem for stem, _ in run) == phrase:
                pairs.append((span, found))
                break
    return pairs


def _english(text: str) -> Iterator[tuple[str, Span]]:
    """Each word's stem with where it stands."""
    for found in _ENGLISH_WORD.finditer(text):
        yield "".join(words(found[0])), found.span()


def _chinese(text: str) -> Iterator[Span]:
    start = 0
    for word in _segmenter.cut(text):
        yield start, start + len(word)
        start += len(word)


_segmenter = rjieba.Jieba()


def _replaced(text: str, changes: Sequence[tuple[Span, str]]) -> str:
    for (start, end), other in sorted(changes, reverse=True):
        text = text[:start] + other + text[end:]
    spaced = " ".join(text.split())
    return re.sub(r" (?=[，。？！、：；,.?!:;'])", "", spaced)
