"""Judged questions with the mistakes that customers make while typing, from a seed."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ingest import language, spelling, stopwords
from kb_service.judging.evaluation import JudgedQuestion

KEYS = {
    near: others
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for near, others in zip(row, zip(" " + row[:-1], row[1:] + " ", strict=True), strict=True)
}
"""The neighbours of a key in its row."""
SHAPES = dict(
    zip(
        "货票券邮递换款修退费配码订收品屏积登签裤保机件快单期坏",
        "贷漂卷油弟唤歉休腿弗酉妈钉牧晶屎织澄答库堡饥仵块草欺怀",
        strict=True,
    )
)
"""Characters that were mistaken for others by their shape."""
_COMMON = 2_000
"""Frequency in the segmenter's dictionary of a character that an input method offers early."""


def mistyped(questions: Sequence[JudgedQuestion], kind: str, *, seed: int = 0) -> list[JudgedQuestion]:
    """The questions in which a mistake of this kind can be made, each with one, in a word that tells something."""
    chance = random.Random(seed)
    make = KINDS[kind]
    made = [replace(question, query=make(question.query, chance)) for question in questions]
    return [after for after, before in zip(made, questions, strict=True) if after.query != before.query]


def _edited(text: str, chance: random.Random) -> str:
    """A letter that is missed, doubled, swapped with the next or hit beside, behind the first of an English word."""
    places = [
        match
        for match in re.finditer(r"(?<![\w'’-])[a-z]{4,}(?![\w'’-])", text)
        if match.group() not in stopwords.ENGLISH and spelling.is_english(match.group())
    ]
    if not places:
        return text
    match = chance.choice(places)
    word = match.group()
    at = chance.randrange(1, len(word) - 1)
    beside = chance.choice([key for key in KEYS[word[at]] if key != " "])
    wrong = chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + beside + word[at + 1 :],
        ]
    )
    return text[: match.start()] + wrong + text[match.end() :]


def _chinese_word(text: str, chance: random.Random, fits: Callable[[str], bool]) -> tuple[int, str] | None:
    words, place = [], 0
    for word in language.content_words(text, stemmed=False):
        found = text.find(word, place)
        if found >= 0:
            place = found + len(word)
            if re.fullmatch("[一-鿿]{2,4}", word) and fits(word):
                words.append((found, word))
    return chance.choice(words) if words else None


def _misheard(text: str, chance: random.Random) -> str:
    """A character of a Chinese word in whose stead another of the same or nearly the same sound was taken."""

    def others(word: str) -> list[tuple[int, str]]:
        return [(at, other) for at, character in enumerate(word) for other in _alike(character)]

    chosen = _chinese_word(text, chance, lambda word: bool(others(word)))
    if chosen is None:
        return text
    start, word = chosen
    at, other = chance.choice(others(word))
    return text[: start + at] + other + text[start + at + 1 :]


@functools.cache
def _alike(character: str) -> tuple[str, ...]:
    sound = [spelling.blurred(each) for each in spelling.syllables(character)[:1]]
    return tuple(other for other in _characters() if other != character and _sound(other) in sound)


def _sound(character: str) -> str:
    return spelling.blurred(spelling.syllables(character)[0])


@functools.cache
def _characters() -> tuple[str, ...]:
    every = map(chr, range(0x4E00, 0x9FA6))
    return tuple(each for each in every if spelling.syllables(each) and language.familiarity(each) >= _COMMON)


def _mistaken(text: str, chance: random.Random) -> str:
    """A character in whose stead one of the same shape was taken."""
    chosen = _chinese_word(text, chance, lambda word: any(each in SHAPES for each in word))
    if chosen is None:
        return text
    start, word = chosen
    at = next(at for at, each in enumerate(word) if each in SHAPES)
    return text[: start + at] + SHAPES[word[at]] + text[start + at + 1 :]


def _romanized(text: str, chance: random.Random) -> str:
    """A Chinese word that stayed in the letters in which it was typed."""
    chosen = _chinese_word(text, chance, lambda word: len(spelling.romanized(word)) > 0)
    if chosen is None:
        return text
    start, word = chosen
    return text[:start] + spelling.romanized(word)[0] + text[start + len(word) :]


KINDS: Mapping[str, Callable[[str, random.Random], str]] = {
    "English, one edit": _edited,
    "Chinese, same sound": _misheard,
    "Chinese, same shape": _mistaken,
    "Chinese, in letters": _romanized,
}
