"""How a customer feels and how pressing it is, from weighted words of Chinese and English."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from graph import mood_words
from graph.folding import fold, is_latin
from graph.models import Emotion, EmotionLabel
from graph.mood_head import MOODS, Floats
from graph.words import is_content

_NEGATION = re.compile(
    "(?:不|没|没有|别|无|未|不是|不太|不会|不用|不够|不算|并不|并非|毫无|谈不上)"
    "(?:很|太|是|会|能|再|那么|特别|怎么|有|给你们?|想|要|有任何|出现)?$"
    r"|(?<![a-z])(?:not|no|never|isn't|wasn't|aren't|weren't|don't|doesn't|didn't|can't|cannot|won't|"
    r"wouldn't|"
    r"without|hardly|isnt|dont|wasnt|doesnt|didnt|cant)(?: (?:a|an|the|very|so|really|that|too|any|been|"
    r"at all|want to|"
    r"mean to|trying to|here to|going to|feel|look|seem|be|is|as)){0,2} $"
)
_MORE = re.compile(
    "(?:很|太|非常|特别|超级|超|极其|极|十分|真的|真|巨|相当|实在|完全|最|老是|总是|简直|好|那么|这么)$"
    r"|(?<![a-z])(?:very|so|really|extremely|absolutely|totally|completely|utterly|too|incredibly|beyond|"
    r"such an?|super) $"
)
_LESS = re.compile(
    "(?:有点|有些|有点儿|稍微|略|一点|还算|比较|稍)$|(?<![a-z])(?:slightly|a bit|a little|somewhat|kind of|"
    "fairly|quite) $"
)
_BEFORE = 24
"""Characters before a word in which its negation or intensifier stands."""
_THREAT = re.compile(
    "(?:再不|如果不|要是不|若不|不.{0,8}的话).{0,16}(?:就|我|要|会)|(?:否则|不然)(?:我|就|的话)|后果自负|"
    "限你们?"
    r"|\b(?:or else|otherwise i|if (?:you|this|i|it) (?:do not|don't|does not|doesn't|is not|isn't|"
    r"am not).{0,60}\bi(?:'ll| will|'m going))"
)
_ABOUT_COMPLAINTS = re.compile(
    "(?:投诉|举报)(?:的)?(?:电话|热线|渠道|入口|邮箱|流程|方式|部门|中心)|(?:怎么|怎样|如何|哪里|哪儿|在哪|去哪)(?:里)?"
    "(?:可以|能|才能)?(?:进行)?(?:投诉|举报)"
    r"|\b(?:how|where) (?:do|can|could|should|would) (?:i|we|one) (?:\w+ ){0,2}complain(?:t|ts)?\b"
    r"|\bcomplaints? (?:line|number|department|procedure|process|policy|team|email|form|address)\b"
)
"""A question of how to complain is no complaint."""
_FEELING = re.compile("生气|愤怒|气愤|恼火|火大|发火|angry|furious|livid|mad|annoyed")
"""Words of the speaker's own anger: whoever denies them says that they are calm."""
_IRONY = re.compile(
    r"(?<!呵)呵呵(?!呵)|\bthanks (?:a lot )?for nothing\b|\b(?:oh|just|yeah) (?:great|wonderful|brilliant|perfect)\b"
    r"|\b(?:great|wonderful|brilliant), (?:another|yet another|now)\b"
)
"""What makes praise of a shop mean its contrary."""
_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[a-z0-9]")
_SHOUTED = re.compile(r"\b[A-Z]{2,}\b")
_SMALL = re.compile("[a-z\u3400-\u9fff]")
_SHOUTED_LETTERS = 12

_ANGRY_FROM = 0.9
_FELT_FROM = 0.6
_SPREAD = 1.5
"""Weight at which a mood's strength reaches 1 - 1/e."""
_WORD = 2.5
"""Log-odds that a weight of 1 in words of a mood adds to what the head says."""
_FELT_LEAST = 0.1
"""The least strength of a mood: below it nothing worth a name was felt."""
_TURNED = 0.5
"""How much of strong praise that is meant ironically counts as distress."""
_STRONG_PRAISE = 1.3
_RESERVE = -0.1
"""Log-odds for neutral: a head's examples of it are many, and the least strength asks for a lead on it besides."""


@dataclass(frozen=True, slots=True)
class _Moods:
    """Summed weights of the words found."""

    anger: float
    distress: float
    pleasure: float
    denied: float = 0.0
    ironic: bool = False


def emotion(text: str, language: str, heard: Floats | None = None) -> Emotion:
    """The mood of a message and its strength, 0 to 1 (for neutral: how little speaks for another mood).

    Words count by weight; intensifiers and exclamation marks raise, diminishers lower, negation drops trouble
    and turns praise into trouble, as irony does ("呵呵"). Threats ("再不处理我就投诉", "or else") count as anger.
    Both languages are read in every message, since customers mix them: `language` decides nothing. `heard` is
    what a `MoodHead` makes of the message's vector, log-probabilities of MOODS; words then add to it. Without
    it words decide. A mood that is hardly felt is neutral.
    """
    moods = _moods(text)
    if heard is None or not text.strip():
        label, pull = _by_words(moods)
    else:
        label, pull = _by_both(moods, heard)
    strength = 1 - math.exp(-pull / _SPREAD)
    if strength < _FELT_LEAST:
        label = "neutral"
    return Emotion(label, round(1 - strength if label == "neutral" else strength, 3))


def _by_words(moods: _Moods) -> tuple[EmotionLabel, float]:
    bad = moods.anger + moods.distress
    if moods.anger >= _ANGRY_FROM and bad > moods.pleasure:
        return "angry", moods.anger + 0.5 * moods.distress
    if bad >= _FELT_FROM and bad > 0.8 * moods.pleasure:
        return "upset", bad
    if moods.pleasure >= _FELT_FROM:
        return "pleased", moods.pleasure
    return "neutral", max(bad, moods.pleasure)


def _by_both(moods: _Moods, heard: Floats) -> tuple[EmotionLabel, float]:
    """The likeliest mood. Its pull is what its words have, or its lead on neutral where that says more."""
    added = np.array(
        [
            (moods.anger - moods.denied) * _WORD,
            moods.distress * _WORD,
            _RESERVE,
            (moods.pleasure - moods.ironic) * _WORD,
        ]
    )
    odds = heard + added
    best = int(odds.argmax())
    label = MOODS[best]
    worded, pull = _by_words(moods)
    lead = float(odds[best] - odds[MOODS.index("neutral")]) / _WORD
    return label, max(lead, pull if worded == label else 0.0)


def urgency(text: str, language: str, felt: Emotion) -> float:
    """How pressing a message is, 0 to 1: its words of time and danger, raised by anger, lowered by 不着急."""
    folded = fold(text)
    hurry = sum(weight for _, _, weight in _hits(folded, "URGENCY"))
    calm = sum(weight for _, _, weight in _hits(folded, "CALM"))
    if calm >= 0.5:
        hurry *= 0.3
    if _THREAT.search(folded):
        hurry += 0.6
    hurry += {"angry": 0.5, "upset": 0.2}.get(felt.label, 0.0) * felt.score
    hurry += 0.1 * min(folded.count("!"), 3)
    return round(max(0.0, 1 - math.exp(-hurry) - 0.5 * calm), 3)


_TARGETS = """
公司 店 店铺 平台 服务 态度 产品 人 家 这群 那群 一群 这种 那种
shop store company compani service servic support product
"""
_NO_SUBJECT = frozenset(_TARGETS.split())
"""Whom abuse is thrown at: they do not make it a question."""
_WISHES = "投诉 举报 曝光 起诉 消协 差评 假货 霸王条款 complaint complain sue lawyer"
_CLAIMS = frozenset([*_WISHES.split(), "report you"])
"""Words of anger that say what is wanted, so that a message of them alone can still be answered."""


def outburst(text: str, tokens: Iterable[str]) -> bool:
    """Whether a message is nothing but anger: each of its telling words belongs to words of anger.

    `tokens` are its words, folded. A message that asks how to complain is none.
    """
    folded = fold(text)
    angry = [folded[start:end] for start, end, _ in _hits(folded, "ANGER")]
    if not angry or _CLAIMS & set(angry):
        return False
    telling = [token for token in tokens if is_content(token) and token not in _NO_SUBJECT]
    return all(any(token in word or word in token for word in angry) for token in telling)


def _moods(text: str) -> _Moods:
    folded = fold(text)
    anger, distress, pleasure, denied = 0.0, 0.0, 0.0, 0.0
    ironic = _IRONY.search(folded) is not None
    taken = bytearray(len(folded))
    asked = [match.span() for match in _ABOUT_COMPLAINTS.finditer(folded)]
    for start, end, weight in _hits(folded, "ANGER"):
        if any(first <= start and end <= last for first, last in asked):
            continue
        factor = _factor(folded, start)
        anger += weight * max(factor, 0.0)
        denied += weight if factor < 0 and _FEELING.fullmatch(folded[start:end]) else 0.0
        taken[start:end] = b"\1" * (end - start)
    for start, end, weight in _hits(folded, "DISTRESS"):
        if not any(taken[start:end]):
            distress += weight * max(_factor(folded, start), 0.0)
            taken[start:end] = b"\1" * (end - start)
    for start, end, weight in _hits(folded, "PLEASURE"):
        if not any(taken[start:end]):
            factor = _factor(folded, start)
            if ironic and factor > 0:
                distress += _TURNED * weight * factor if weight >= _STRONG_PRAISE else 0.0
                continue
            pleasure += weight * max(factor, 0.0)
            distress += weight * max(-factor, 0.0)
    if _THREAT.search(folded):
        anger += 0.9
    louder = 1 + 0.12 * min(folded.count("!"), 3)
    anger += 0.3 * min(folded.count("??"), 2)
    if _shouted(text) and pleasure < 0.8:
        anger += 0.4
        louder += 0.2
    return _Moods(anger * louder, distress * louder, pleasure * louder, denied, ironic)


def _shouted(text: str) -> bool:
    """Whether a message is in capitals: three long words of it, or all of a sentence."""
    words = _SHOUTED.findall(text)
    if sum(len(word) >= 4 for word in words) >= 3:
        return True
    return len(words) >= 3 and sum(map(len, words)) >= _SHOUTED_LETTERS and not _SMALL.search(text)


def _factor(folded: str, start: int) -> float:
    """What stands before a word makes of it: 1, more, less, or negative where it is denied."""
    before = folded[max(0, start - _BEFORE) : start]
    if _NEGATION.search(before):
        return -0.8
    if _MORE.search(before):
        return 1.4
    return 0.6 if _LESS.search(before) else 1.0


def _hits(folded: str, name: str) -> list[tuple[int, int, float]]:
    """Start, end and weight of the words of a table, longest first where they begin together."""
    found: list[tuple[int, int, float]] = []
    for script, present in (("ZH", _HAN), ("EN", _LATIN)):
        if present.search(folded):
            pattern, weights = _compiled(f"{name}_{script}")
            found += [(m.start(), m.end(), weights[m.lastgroup or ""]) for m in pattern.finditer(folded)]
    return found


@functools.cache
def _compiled(name: str) -> tuple[re.Pattern[str], dict[str, float]]:
    table: mood_words.Table = getattr(mood_words, name)
    weights: dict[str, float] = {}
    parts: list[str] = []
    for number, (weight, block) in enumerate(sorted(table.items(), reverse=True)):
        weights[f"w{number}"] = weight
        words = block.split() if name.endswith("ZH") else [" ".join(w.split()) for w in block.split(";")]
        ordered = sorted(dict.fromkeys(words), key=lambda word: (-len(word), word))
        parts.append(f"(?P<w{number}>{'|'.join(map(_spelled, ordered))})")
    border = "" if name.endswith("ZH") else r"(?<![a-z0-9])"
    return re.compile(f"{border}(?:{'|'.join(parts)})"), weights


def _spelled(word: str) -> str:
    """A word as a pattern; the left border of English words is asked for once, before all of them."""
    if not is_latin(word[0]):
        return re.escape(word)
    return re.escape(word.rstrip("*")) + ("" if word.endswith("*") else r"(?![a-z0-9])")
