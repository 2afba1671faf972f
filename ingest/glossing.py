"""Which English word stands for a Chinese one: the senses of a dictionary, chosen by translated sentences.

A dictionary lists senses in no useful order (分: divide, part, minute, point). Word alignment over sentence
pairs tells which of them translators use, IBM Model 1 (Brown et al., The Mathematics of Statistical Machine
Translation, 1993); a word that the pairs do not hold keeps its first plain sense.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ingest import stopwords
from ingest.language import fold, words
from ingest.lexicon import HAN

Alignment: TypeAlias = Mapping[str, Mapping[str, float]]
"""For a Chinese word, the stems that translate it with their probabilities."""

ROUNDS = 6
_SUPPORT = 3.0
"""What full support by translated sentences counts against being one place further back in the dictionary."""
_LATER = 0.12
_PROPER = 0.4
_LONG, _VERY_LONG = 0.06, 0.25
_WORDS, _MANY_WORDS = 2, 4
_SEEN = 3
"""Sentences with a word from which its alignment counts in full."""
_SURE = 0.45
_SURE_SEEN = 8
_DOUBTED = 0.1
_UNSEEN = 1e-3

PARTICLES = frozenset("的了着吗呢吧啊地得过把被呀嘛啦哦喔个之所而则也就才都们么")
"""Words of grammar and courtesy that English has no word for; an encoder is only misled by one."""

_ENTRY = re.compile(r"^\S+ (\S+) \[([^\]]*)\] /(.*)/\s*$")
_NO_SENSE = re.compile(
    r"(CL:|variant of|old variant of|see |see also|surname |used in |also written|erhua variant|same as"
    r"|archaic variant|Japanese variant|classifier|\(?(grammatical|particle|classifier|interjection|modal"
    r"|prefix|suffix|bound form\)$))"
)
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|[\u4e00-\u9fff|·]+|[\"“”]")
_OPENING = re.compile(r"^(?:(?:abbr\. for|lit\.|fig\.|honorific:) )*(?:to (?:be )?|be )?")
_PLACEHOLDER = re.compile(r"\b(?:(?:to )?do sth|sb|sth|one's)(?:'s)?\b|\betc\b\.?|\be\.g\. .*|\.\.\.")
_GAP = re.compile(r"\s+(?=,)")
_EXPLAINED = re.compile(r",| or ")
"""Where a proper name ends and its explanation begins: Boston, capital of Massachusetts."""
_ENDS = " ,;:.?!-"
_ENGLISH_WORD = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True)
class Sense:
    """One English rendering of a word, its place among the word's senses, and whether it is a proper name."""

    gloss: str
    place: int
    proper: bool


def senses(lines: Iterable[str]) -> dict[str, list[Sense]]:
    """The senses of each folded word of a dictionary in CEDICT's format; words without a plain sense have none.

    A line is `傳統 传统 [chuan2 tong3] /tradition/traditional/`; lines that begin with # are comments. Raises
    ValueError naming the first line that is neither.
    """
    found: dict[str, list[Sense]] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        entry = _ENTRY.match(line)
        if entry is None:
            raise ValueError(f"line {number}: not an entry such as 傳統 传统 [chuan2 tong3] /tradition/")
        word = fold(entry.group(1))
        if not HAN.fullmatch(word):
            continue
        held = found.setdefault(word, [])
        proper = entry.group(2)[:1].isupper()
        found_here = _glosses(entry.group(3), proper=proper)
        held += [Sense(gloss, len(held) + place, proper) for place, gloss in enumerate(found_here)]
    return found


def given(lines: Iterable[str]) -> dict[str, str]:
    """Words whose gloss is settled: a word, a tab, its English on each line; those that begin with # are comments.

    Raises ValueError naming the first line that is neither.
    """
    settled: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        word, _, gloss = (part.strip() for part in line.partition("\t"))
        if not HAN.fullmatch(fold(word)) or not gloss:
            raise ValueError(f"line {number}: not a Chinese word, a tab and its English")
        settled[fold(word)] = gloss
    return settled


def _glosses(definition: str, *, proper: bool) -> list[str]:
    parts = (
        part
        for sense in definition.split("/")
        if not _NO_SENSE.match(sense)
        for part in re.split(r";|, (?=to )", sense)
    )
    return [gloss for part in parts if (gloss := _plain(part, proper=proper))]


def _plain(sense: str, *, proper: bool) -> str:
    """A sense as it would stand in a sentence: "to let sb do sth (coll.)" is "let"; empty if nothing is left."""
    plain = " ".join(_ASIDE.sub("", sense).split()).strip(_ENDS)
    plain = " ".join(_PLACEHOLDER.sub("", _OPENING.sub("", plain)).split()).strip(_ENDS)
    if proper:
        plain = _EXPLAINED.split(plain, maxsplit=1)[0]
    plain = _GAP.sub("", plain).strip(_ENDS)
    return plain if re.search("[A-Za-z]", plain) else ""


def align(sentences: Sequence[tuple[Sequence[str], Sequence[str]]], rounds: int = ROUNDS) -> Alignment:
    """How words of one language translate those of another, from sentences as (words, stems) pairs."""
    pairs = [(set(chinese), set(english)) for chinese, english in sentences]
    together: dict[str, set[str]] = defaultdict(set)
    for chinese, english in pairs:
        for word in chinese:
            together[word] |= english
    chances = {word: dict.fromkeys(stems, 1 / len(stems)) for word, stems in together.items() if stems}
    for _ in range(rounds):
        counts: dict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        for chinese, english in pairs:
            for stem in sorted(english):
                shares = {word: chances.get(word, {}).get(stem, 0.0) for word in sorted(chinese)}
                total = sum(shares.values()) + _UNSEEN
                for word, share in shares.items():
                    counts[word][stem] += share / total
        chances = {
            word: {
                stem: count / (sum(held.values()) + 0.5) for stem, count in held.items() if count > _UNSEEN
            }
            for word, held in counts.items()
        }
    return chances


def stems(english: str) -> list[str]:
    """The stems of an English text."""
    return words(english)


def spelt(texts: Iterable[str]) -> dict[str, str]:
    """For each stem the word of the texts that most often has it; of equals the first in the alphabet."""
    counts = Counter(word for text in texts for word in _ENGLISH_WORD.findall(text.lower()))
    found: dict[str, str] = {}
    for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        for stem in stems(word):
            found.setdefault(stem, word)
    return found


def choose(
    dictionary: Mapping[str, Sequence[Sense]],
    alignment: Alignment,
    seen: Mapping[str, int],
    spelling: Mapping[str, str],
) -> dict[str, str]:
    """The gloss of each word, empty for particles; `seen` counts the sentences with a word.

    A frequent word whose senses no translator used takes the word that they did use, as `spelling` writes its stem.
    """
    return {
        word: "" if word in PARTICLES else _chosen(held, alignment.get(word, {}), seen.get(word, 0), spelling)
        for word, held in dictionary.items()
    }


def _chosen(
    held: Sequence[Sense], translated: Mapping[str, float], seen: int, spelling: Mapping[str, str]
) -> str:
    certainty = min(1.0, seen / _SEEN)
    support = {sense: certainty * _support(sense.gloss, translated) for sense in held}
    best = max(held, key=lambda sense: _merit(sense, support[sense]), default=None)
    likely, chance = max(translated.items(), key=lambda item: item[1], default=("", 0.0))
    doubted = best is None or support[best] < _DOUBTED
    if doubted and chance > _SURE and seen >= _SURE_SEEN and likely not in stopwords.ENGLISH:
        return spelling.get(likely, likely)
    return best.gloss if best is not None else ""


def _support(gloss: str, translated: Mapping[str, float]) -> float:
    """The mean probability of the gloss's words, those of grammar left out where there are others."""
    told = stems(gloss)
    telling = [stem for stem in told if stem not in stopwords.ENGLISH] or told
    return sum(translated.get(stem, 0.0) for stem in telling) / max(len(telling), 1)


def _merit(sense: Sense, support: float) -> float:
    length = len(sense.gloss.split())
    return (
        _SUPPORT * support
        - _LATER * sense.place
        - _PROPER * sense.proper
        - _LONG * max(0, length - _WORDS)
        - _VERY_LONG * max(0, length - _MANY_WORDS)
    )


def cut_pairs(
    pairs: Sequence[tuple[str, str]], cut: Callable[[str], list[str]]
) -> list[tuple[list[str], list[str]]]:
    """Sentence pairs (Chinese, English) as words and stems; `cut` splits a folded run of Chinese characters."""
    return [
        ([word for run in HAN.findall(fold(chinese)) for word in cut(run)], stems(english))
        for chinese, english in pairs
    ]
