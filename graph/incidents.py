"""Whether problems that are told within a day are one incident: a rare word that both speak of.

One incident (a flooded depot, a broken version, a code that fails) is told in many ways and becomes several problems.
What they have in common is a place, a version, a code or a campaign that many of their customers name and that hardly
anybody named before. Pure: words in, words out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from graph.words import FUNCTION_WORDS, is_han

WITHIN = timedelta(hours=24)
"""Alerts opened further apart are no one incident; what is compared is what customers wrote in such a span."""
BEFORE = timedelta(hours=72)
"""What was written longer ago than this before an alert is what is usual; less long ago may be the incident itself."""
CUSTOMERS = 2
"""Customers of each problem who name what it shares, at least."""
SHARE = 0.4
"""The least share of each problem's customers of the day who name it."""
USUAL = 0.01
"""The largest share of the usual messages that name it."""
KNOWN = 100
"""With fewer usual messages than this nothing is known to be rare, but for codes."""
_PRIOR_SEEN, _PRIOR_TEXTS = 0.5, 50.0
_CODE = re.compile(r"(?=.*\d)(?:\d+(?:\.\d+)+|[a-z]*-?\d{3,}[a-z0-9-]*)")
"""Versions and numbers of three digits or more, as words have them."""
_TIME_WORDS = """
    today yesterday tomorrow tonight morning afternoon evening night week weekend month day days hour hours minute
    minutes monday tuesday wednesday thursday friday saturday sunday since sinc ago januari februari march april may
    june juli august septemb octob novemb decemb
    今天 昨天 前天 明天 今早 昨晚 早上 上午 中午 下午 晚上 周一 周二 周三 周四 周五 周六 周日 星期一 星期二 星期三
    星期四 星期五 星期六 星期日 星期天 礼拜 两天 三天 四天 五天 一周 几天 好几天 刚刚 刚才 现在 一直 半天 小时 分钟
"""
_TIMES = frozenset(_TIME_WORDS.split())
"""When something was says nothing of what it was: any two problems of a day share it."""


@dataclass(frozen=True, slots=True)
class Said:
    """The words of one message, and who said it."""

    voter: Hashable
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Usual:
    """How many usual messages there are, and how many of them hold each of some words."""

    texts: int
    seen: Mapping[str, int]

    @classmethod
    def of(cls, texts: Iterable[Collection[str]], words: Collection[str]) -> Usual:
        """Counted from the words of each usual message."""
        seen: Counter[str] = Counter()
        number = 0
        for text in texts:
            number += 1
            seen.update(word for word in words if word in text)
        return cls(number, seen)

    def rare(self, word: str) -> bool:
        """Whether hardly anybody names it otherwise; a share is drawn to one message in a hundred."""
        if self.texts < KNOWN:
            return _CODE.fullmatch(word) is not None and not self.seen.get(word, 0)
        return (self.seen.get(word, 0) + _PRIOR_SEEN) / (self.texts + _PRIOR_TEXTS) <= USUAL


def marks(said: Sequence[Said]) -> frozenset[str]:
    """The words that enough of a problem's customers name: CUSTOMERS of them and SHARE of all."""
    voters = {item.voter for item in said}
    namers: dict[str, set[Hashable]] = {}
    for item in said:
        for word in item.words:
            namers.setdefault(word, set()).add(item.voter)
    least = max(CUSTOMERS, SHARE * len(voters))
    return frozenset(word for word, who in namers.items() if len(who) >= least and _tells(word))


def shared(one: Collection[str], other: Collection[str], usual: Usual) -> tuple[str, ...]:
    """What the marks of two problems have in common that is rare, in order of the alphabet; empty where they are no
    one incident. `usual` holds the counts of these words."""
    return tuple(sorted(word for word in one if word in other and usual.rare(word)))


def _tells(word: str) -> bool:
    """Whether a word can name an incident: no function word, no time, no bare small number, no single character."""
    if word in FUNCTION_WORDS or word in _TIMES or len(word) < 2:
        return False
    if word.isdigit():
        return len(word) >= 3
    return is_han(word[0]) or len(word) >= 3
