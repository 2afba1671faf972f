"""What a customer meant to type: words that this workspace does not know, beside near ones that it does.

English words are compared by edits, Chinese characters by sound and shape, and Chinese that was typed in Latin
letters by its syllables. What the language or the workspace knows is left alone, and so is whatever may be a name
or a number: words with digits, in capitals, or in the middle of a sentence with a capital.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest import spelling, stopwords
from ingest.language import familiarity, fold, tokens
from kb_service.search.vocabulary import Vocabulary

SURE = 0.9
"""What the terms of a sure correction count."""
DOUBTED = 0.02
"""What the terms of what was surely corrected still count: next to nothing, since what stands nowhere is the rarest
term of all and would make the best passage look as if it covered half of the question."""
UNSURE = 0.4
"""What the terms of a correction count that may be none."""
_LONGEST_TEXT = 400
"""Characters of a message that are looked at: a longer one says enough in other words."""
_MOST = 6
"""Corrections of one message; one that needs more is in another language or no prose."""

_WORD = re.compile(
    r"(?<![^\W\u4e00-\u9fff])(?<![@./#&'’\\-])[A-Za-z]{2,24}(?![^\W\u4e00-\u9fff])(?![@/#&'’\\-]|[.][^\W_])"
)
"""A run of letters that is no part of a code, an address or a word with an apostrophe; it may touch Chinese."""
_HAN = re.compile("[\u4e00-\u9fff]+")
_BROKEN_OFF = re.compile(r"[A-Za-z'’]+$")
_BEGINS = re.compile(r"(?:^|[.!?。！？\n])\s*$")
_ENDINGS = ("", "s", "d", "r", "y", "es", "ed", "er", "ly", "ing", "ings", "al", "e", "ion", "ions", "able")


@dataclass(frozen=True, slots=True)
class Correction:
    """`written` stands in the message from `start` to `end`; `meant` is what the workspace calls it."""

    start: int
    end: int
    written: str
    meant: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Corrected:
    """A message and its corrections, in order and without overlaps. `text` has the sure ones in place."""

    written: str
    text: str
    corrections: tuple[Correction, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was surely corrected."""
        return self.text != self.written


def correct(text: str, vocabulary: Vocabulary | None) -> Corrected:
    """The corrections of a message; none without a vocabulary."""
    if vocabulary is None:
        return Corrected(text, text)
    head = text if len(text) <= _LONGEST_TEXT else _BROKEN_OFF.sub("", text[:_LONGEST_TEXT])
    found = [*_latin(head, vocabulary), *_chinese(head, vocabulary)]
    if not found or len(found) > _MOST:
        return Corrected(text, text)
    corrections = tuple(sorted(found, key=lambda item: item.start))
    return Corrected(text, _applied(text, [item for item in corrections if item.sure]), corrections)


def weights(corrected: Corrected) -> Mapping[str, float]:
    """What terms of a search count: those that a correction adds, and those it puts in doubt; others count 1.

    The words as they were written stay terms of the search; where a correction is sure they hardly count.
    """
    if not corrected.corrections:
        return {}
    written = tokens(corrected.written)
    sure = tokens(corrected.text) if corrected.changed else written
    every = tokens(_applied(corrected.written, corrected.corrections))
    doubted = {term: DOUBTED for term in written if term not in set(sure)}
    added = {term: UNSURE for term in every if term not in set(written)}
    return doubted | added | {term: SURE for term in sure if term not in set(written)}


def _applied(text: str, corrections: list[Correction] | tuple[Correction, ...]) -> str:
    parts: list[str] = []
    end = 0
    for item in corrections:
        parts += [text[end : item.start], item.meant]
        end = item.end
    return "".join([*parts, text[end:]])


# --- Latin letters ----------------------------------------------------------------------------------------


def _latin(text: str, vocabulary: Vocabulary) -> Iterator[Correction]:
    found = list(_WORD.finditer(text))
    chinese = _HAN.search(text) is not None
    english = not chinese and _is_english([match.group().lower() for match in found])
    for match in found:
        word, lower = match.group(), match.group().lower()
        if _known(lower) or word.isupper() or (word != lower and not _starts(text, match.start())):
            continue
        meant = _shortened(lower, vocabulary, chinese) or _romanized(lower, vocabulary)
        if meant is not None and not meant[0].isascii():
            # An English sentence stays one: fapiao and Zhejiang are words in it, and only help to find 发票.
            meant = meant[0], meant[1] and not english
        elif lower in vocabulary.english:
            continue
        meant = meant or _misspelt(lower, vocabulary)
        if meant is not None:
            shown = meant[0].capitalize() if word[0].isupper() else meant[0]
            yield Correction(match.start(), match.end(), word, shown, meant[1])


def _is_english(words: Sequence[str]) -> bool:
    """Whether English words carry a message; syllables such as "dao" and "le" stand in English lists too."""
    plain = sum(word in stopwords.ENGLISH or (len(word) >= 4 and spelling.is_english(word)) for word in words)
    return plain > 0 and 2 * plain >= len(words)


def _starts(text: str, start: int) -> bool:
    """Whether a sentence begins here: a capital then says nothing."""
    return _BEGINS.search(text[:start]) is not None


def _known(word: str) -> bool:
    return spelling.is_english(word) and word not in spelling.ABBREVIATIONS


def _shortened(word: str, vocabulary: Vocabulary, chinese: bool) -> tuple[str, bool] | None:
    """What an abbreviation stands for beside words of its language, unless the workspace uses it otherwise."""
    full = spelling.ABBREVIATIONS.get(word)
    if full is None or word in vocabulary.english or full.isascii() == chinese:
        return None
    known = vocabulary.english.get(full, 0) if full.isascii() else vocabulary.count(full)
    return (full, True) if known else None


def _romanized(word: str, vocabulary: Vocabulary) -> tuple[str, bool] | None:
    """The Chinese word that is typed so in Latin letters."""
    if len(word) < 5:
        return None
    ranked = sorted(((vocabulary.count(each), each) for each in vocabulary.typed.get(word, ())), reverse=True)
    if not ranked or not ranked[0][0]:
        return None
    return ranked[0][1], len(ranked) == 1 or ranked[0][0] >= 2 * ranked[1][0]


def _misspelt(word: str, vocabulary: Vocabulary) -> tuple[str, bool] | None:
    """The English word that was meant, with whether that is sure: nearest first, then what the workspace says
    itself, then the more frequent."""
    if len(word) < 4:
        return None
    most = 2 if len(word) >= 8 else 1
    scored: dict[str, float] = {}
    for letter in {word[0], word[1]}:
        for choices in (vocabulary.by_letter.get(letter, ()), spelling.common_english().get(letter, ())):
            for choice, edits in spelling.near(word, choices, most):
                if _plausible(word, choice, vocabulary.english.get(choice, 0)):
                    scored[choice] = _score(choice, edits, vocabulary)
    if not scored:
        return None
    (best, value), *rest = sorted(scored.items(), key=lambda item: (-item[1], item[0]))
    rivals = [score for choice, score in rest if not _inflected(best, choice)]
    if best not in vocabulary.english and spelling.english()[best] < _EVERYDAY:
        return None  # what neither the shop nor everybody says may as well be a name: anker is not anger
    return best, not rivals or value - max(rivals) >= _CLEAR


def _score(choice: str, edits: int, vocabulary: Vocabulary) -> float:
    here = vocabulary.english.get(choice, 0)
    common = math.log10(1 + spelling.english().get(choice, 0)) / 6
    return -edits + common + (0.3 + 0.3 * math.log10(here) if here else 0.0)


def _plausible(word: str, choice: str, here: int) -> bool:
    """Whether people mistype the one for the other: the first letter is right or changed places with the second, a
    short word has all its letters or is one that the workspace often says, and the two are not forms of one word."""
    if word[0] != choice[0] and word[:2] != choice[1::-1]:
        return False
    if len(choice) < 4:
        return False
    if len(word) == 4 and sorted(word) != sorted(choice) and here < _OFTEN:
        return len(choice) > 4 and spelling.english().get(choice, 0) >= _EVERYDAY
    return not _inflected(word, choice)


_OFTEN = 5
"""Passages from which a short word is one that the workspace often says."""
_EVERYDAY = 20_000_000
"""Occurrences in the corpus of the word list from which a word is an everyday one."""


def _inflected(one: str, other: str) -> bool:
    """Whether two words differ in their ending alone: charger and charged, return and returns."""
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= 3 and one[shared:] in _ENDINGS and other[shared:] in _ENDINGS


# --- Chinese characters -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Option:
    start: int
    meant: str
    score: float
    sure: bool


def _chinese(text: str, vocabulary: Vocabulary) -> Iterator[Correction]:
    for match in _HAN.finditer(text):
        run = fold(match.group())
        if len(run) != len(match.group()):
            continue  # words of another region were put in the stead of these: places no longer fit
        for option in _repairs(run, vocabulary) if len(run) >= 2 else ():
            start, end = match.start() + option.start, match.start() + option.start + len(option.meant)
            yield Correction(start, end, text[start:end], option.meant, option.sure)


def _repairs(run: str, vocabulary: Vocabulary) -> list[_Option]:
    """The best repair, then the best of what is left, until nothing is suspicious."""
    taken: list[_Option] = []
    for _ in range(_MOST):
        odd = _suspicious(run, vocabulary)
        options = [option for place in odd for option in _options(run, place, odd, vocabulary)]
        options = [option for option in options if not any(_overlap(option, kept) for kept in taken)]
        if not options:
            break
        best = max(options, key=lambda option: (option.score, -option.start))
        rivals = [option.score for option in options if option != best and _overlap(option, best)]
        sure = best.sure and (not rivals or best.score - max(rivals) >= _CLEAR)
        taken.append(replace(best, sure=sure))
        run = run[: best.start] + best.meant + run[best.start + len(best.meant) :]
    return taken


_CLEAR = 0.25
"""How far the best repair must lead: a factor of 1.8 in passages, say."""


def _overlap(one: _Option, other: _Option) -> bool:
    return one.start < other.start + len(other.meant) and other.start < one.start + len(one.meant)


def _suspicious(run: str, vocabulary: Vocabulary) -> list[int]:
    """Characters that stand beside none of their neighbours anywhere in the workspace, nor in a usual word."""
    known = [vocabulary.count(run[i : i + 2]) > 0 for i in range(len(run) - 1)]
    odd = [i for i in range(len(run)) if not any(known[max(i - 1, 0) : i + 1])]
    # Hardly anybody makes the same mistake twice: 扎不扎, 一卡一卡.
    return [i for i in odd if run.count(run[i]) == 1 and _replaceable(run[i]) and not _in_a_word(run, i)]


def _replaceable(character: str) -> bool:
    return character in _TYPED_FOR_OTHERS or familiarity(character) < _GRAMMAR


_GRAMMAR = 60_000
"""A character that is so frequent a word by itself in the segmenter's dictionary is grammar: 的, 不, 是, 能."""
_TYPED_FOR_OTHERS = frozenset("又地就")
"""Grammar that stands first among what an input method offers, and so in others' stead: 包又 for 包邮. That is sure at
the end of a question only."""
_BEFORE_VERBS = frozenset("不没")
"""What follows these is mostly a verb of its own, whatever the workspace says of it: 听不懂."""
_PARTICLES = frozenset("吗呢吧么嘛啊呀不")
_RARE = 5
"""A word of so low a frequency there may itself be a mistake: 优惠卷."""


def _in_a_word(run: str, place: int) -> bool:
    return any(familiarity(run[start:end]) > _RARE for start, end in _windows(len(run), place))


def _windows(length: int, place: int) -> Iterator[tuple[int, int]]:
    """Spans of two to four characters around a place."""
    for size in (2, 3, 4):
        for start in range(max(0, place - size + 1), min(place, length - size) + 1):
            yield start, start + size


def _options(run: str, place: int, odd: list[int], vocabulary: Vocabulary) -> Iterator[_Option]:
    written = run[place]
    heard = vocabulary.homophones(written)
    alike = spelling.lookalikes(written)
    for other in sorted({*heard, *alike}):
        if familiarity(other) >= _GRAMMAR:
            continue
        likeness = 0.5 if heard.get(other) else 0.4 if other in alike else 0.0
        option = _replaced(run, place, other, likeness, vocabulary)
        if option is not None:
            yield option
    if place + 1 in odd:
        yield from _misheard(run, place, vocabulary)


def _replaced(run: str, place: int, other: str, likeness: float, vocabulary: Vocabulary) -> _Option | None:
    """One character in another's stead, where that makes a word of the workspace or a frequent pair.

    The workspace must use that word more than it uses the written character as a word by itself.
    """
    repaired = run[:place] + other + run[place + 1 :]
    pairs = [vocabulary.count(repaired[i : i + 2]) for i in (place - 1, place) if 0 <= i < len(run) - 1]
    spans = (repaired[start:end] for start, end in _windows(len(run), place))
    words = max((vocabulary.count(span) for span in spans if familiarity(span)), default=0)
    support = max(words, max(pairs) // 2)
    if support < vocabulary.least:
        return None
    alone = 0 if run[place] in _TYPED_FOR_OTHERS else vocabulary.count(run[place])
    score = math.log10(1 + support) - math.log10(1 + alone) + likeness
    if score < _WORTH:
        return None
    complete = sum(count > 0 for count in pairs) / len(pairs)
    # A pair that is no word of the dictionary may be two ends of words, unless the likeness is close: 包又, 包邮.
    sure = words > 0 or (likeness > 0 and max(pairs) >= 4 * vocabulary.least)
    sure = sure and score >= (_SURELY if complete == 1 else _SURELY + _BESIDE)
    if run[place] in _TYPED_FOR_OTHERS:
        sure = sure and (place == len(run) - 1 or run[place + 1] in _PARTICLES)
    if place and run[place - 1] in _BEFORE_VERBS:
        sure = False
    return _Option(place, other, score + 0.4 * complete, sure)


_BESIDE = 0.25
"""How much more a repair must be worth where one of its neighbours was never seen beside it."""
_WORTH, _SURELY = 0.6, 0.9
"""The logarithm (base 10) of how much more a workspace uses the word than the character, with up to a half more for
likeness, from which a repair is one and from which it is sure."""


def _misheard(run: str, place: int, vocabulary: Vocabulary) -> Iterator[_Option]:
    """A word of two characters that are both others, of the same sound, where a run begins or ends or the word's
    neighbours are known to stand beside it."""
    alone = max(vocabulary.count(run[place]), vocabulary.count(run[place + 1]))
    for key in spelling.romanized(run[place : place + 2]):
        for word in vocabulary.typed.get(key, ()):
            score = math.log10(1 + vocabulary.count(word)) - math.log10(1 + alone)
            if len(word) == 2 and word[0] != run[place] and word[1] != run[place + 1] and score >= _SURELY:
                before, after = run[place - 1 : place] + word[0], word[1] + run[place + 2 : place + 3]
                fits = [len(pair) == 1 or vocabulary.count(pair) > 0 for pair in (before, after)]
                yield _Option(place, word, score, all(fits))
