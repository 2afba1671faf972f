"""What a customer asks with the last turn: by itself, or only with what was said before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from graph.understanding import small_talk
from ingest import language
from kb_service.models import Turn
from kb_service.search.correction import correct, weights
from kb_service.search.vocabulary import Vocabulary

Bearing: TypeAlias = Literal["stands", "continues", "elliptic", "shifts"]
"""How a turn bears on what came before it: it stands alone; it goes on about the same; it says too little without
it; it opens another subject."""

LOOKED_BACK = 8
"""Turns of the customer that are looked back on."""
_TERMS = 24
"""Terms of the history that are searched beside the last turn's."""
_HISTORY: Mapping[Bearing, float] = {"elliptic": 0.6, "continues": 0.4}
"""What a term of the history counts beside a term of the last turn."""
_NAMED: Mapping[Bearing, float] = {"elliptic": 0.6, "continues": 0.4, "stands": 0.2}
"""What a term of a product's name counts that was said earlier."""

Spans: TypeAlias = Callable[[str], Sequence[tuple[int, int]]]
"""Where a text names products or orders."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is searched.

    `said` are the customer's own words and `corrected` the same with sure corrections, None without any.
    `meant` is what is understood and encoded: of an elliptic turn together with what it follows on. `weights` are
    the terms that the search counts differently from those of `said`, see `SearchQuery`. `language` is that of the
    last turn.
    """

    said: str
    meant: str
    corrected: str | None
    language: str
    bearing: Bearing = "stands"
    weights: Mapping[str, float] = field(default_factory=dict)


def asked(
    text: str,
    turns: Sequence[Turn] = (),
    *,
    vocabulary: Vocabulary | None = None,
    named: Spans = lambda text: (),
) -> Asked:
    """A message as it is searched, after the turns before it; both are corrected by the workspace's vocabulary."""
    corrected = correct(text, vocabulary)
    last = corrected.text
    counting = dict(weights(corrected))
    earlier = [turn for turn in _customers(turns, text) if not small_talk(turn, language.identify(turn))]
    if not earlier:
        spoken = language.identify(last)
        return Asked(text, last, last if corrected.changed else None, spoken, weights=counting)
    topics = vocabulary.topics if vocabulary is not None else frozenset()
    names = named(last)
    bearing = bearing_of(last, names=names, topics=topics)
    standing = _standing([correct(turn, vocabulary).text for turn in earlier], topics, named)
    history = (
        _cut(standing, named(standing)) if names else standing
    )  # another product takes the place of the first
    about = [standing[start:end] for start, end in named(standing)]
    if about and not names and _asks_anew(last):
        history = " ".join(about)  # "SP10防水吗", "多少钱": another question about the same
    products = "" if names else " ".join(_named(earlier, named))
    own = {*language.tokens(text), *language.tokens(last)}
    added = dict.fromkeys(language.tokens(products), _NAMED.get(bearing, 0.0))
    if bearing in _HISTORY:
        added = dict.fromkeys(_telling(history), _HISTORY[bearing]) | added
    counting |= {term: count for term, count in list(added.items())[:_TERMS] if count and term not in own}
    meant = " ".join(filter(None, (history, last))) if bearing == "elliptic" else last
    # A word or two may be a name alone, or stand in any language.
    spoken = language.identify(last if len(language.words(last)) > 2 else meant)
    return Asked(text, meant, last if corrected.changed else None, spoken, bearing, counting)


def _asks_anew(text: str) -> bool:
    """Whether a turn asks something of its own, rather than what was asked before of something else."""
    return _ASKS.search(text) is not None and not _VARIES.search(text) and not _GOES_BACK.search(text)


def _customers(turns: Sequence[Turn], text: str) -> list[str]:
    """The customer's turns before the message, which may itself be the last of them."""
    said = [turn.text.strip() for turn in turns if turn.role == "customer" and turn.text.strip()]
    if said and said[-1] == text.strip():
        said.pop()
    return said[-LOOKED_BACK:]


def _standing(earlier: Sequence[str], topics: frozenset[str], named: Spans) -> str:
    """The last message that stands alone, with what was added to it since."""
    first, rest = earlier[0], list[str]()
    for turn in earlier[1:]:
        if bearing_of(turn, names=named(turn), topics=topics) in ("stands", "shifts"):
            first, rest = turn, []
        else:
            rest.append(turn)
    return " ".join([first, *rest[-1:]])


def _named(earlier: Sequence[str], named: Spans) -> list[str]:
    """What the latest turn that names a product or an order names."""
    for turn in reversed(earlier):
        if found := [turn[start:end] for start, end in named(turn)]:
            return found
    return []


def _telling(text: str) -> list[str]:
    """The terms of a text whose words carry more than grammar."""
    grammar = {*language.words(text)} - {*language.content_words(text)}
    return [term for term in dict.fromkeys(language.tokens(text)) if term not in grammar]


# --- how a turn bears on the history ----------------------------------------------------------------------

_SHIFT = re.compile(
    r"^\W*(?:另外|此外|对了|换个问题|再问(?:一?个|一下|下)|顺便|还有(?:一?个|件)(?:问题|事)|还想问|另一个|别的问题)"
    r"|^\W*(?:(?:and )?another (?:question|thing)|by the way|btw|also[, ]+(?:i|do|does|can|how|what|is)\b|"
    r"different (?:question|topic)|(?:and )?one (?:more|other) (?:question|thing)|unrelated|separately|"
    r"(?:on )?another (?:note|topic)|new question|something else|next question|oh and)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"^\W*(?:那|那么|那要|所以|然后|还有|如果|要是|假如|万一|还是|也|可是|但是|不过|试过|已经)"
    r"|还(?:能|可以|是不|会)"
    r"|呢\W*$"
    r"|^\W*(?:and|but|so|then|or|what about|how about|what if|if|even if|also|same|why|why not|ok(?:ay)?)\b",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"它|他们|这(?:个|款|件|双|台|张|种|样|些|一|次|单|里|边|东西|上面)|那(?:个|款|件|双|台|张|种|样|些|一|次|单|里|边)|"
    r"上面|刚才|刚刚说|前面|同样|一样|其他|别的|哪(?:个|款|种|里)"
    r"|\b(?:it|its|it's|this|that|these|those|they|them|their|theirs|there|one|ones|other|others|same|the former|"
    r"the latter|either|both|instead|else|too|as well)\b",
    re.IGNORECASE,
)
_VERBS = (
    r"(?:do|does|did|is|are|was|can|could|will|would|should|has|have|how|what|when|where|which|who|why)\b"
)
_VARIES = re.compile(rf"呢\W*$|^\W*(?:and|or|what about|how about)\s+(?!{_VERBS})", re.IGNORECASE)
"""Turns that ask the same of something else: 新疆呢, "and a debit card?"."""
_ASKS = re.compile(
    r"多少|多久|多长|多大|多重|多高|几|什么|啥|怎么|如何|哪|吗|么|能不能|可不可以|有没有|是不是|要不要|[贵重轻]不"
    rf"|^\W*(?:and |but |so |then |ok(?:ay)? )?{_VERBS}",
    re.IGNORECASE,
)
_GOES_BACK = re.compile(
    r"为什么|为啥|怎么办|咋办|怎么回事|还是不|仍然|\b(?:why|still|what now|what (?:should|do|can) i do)\b",
    re.IGNORECASE,
)
"""Turns that go on about what was said: without it they ask nothing."""
_ASKING = """
多久 多少钱 几天 什么时候 啥时候 多长时间 时间 怎么办 咋办 需要 用 行 能不能 可不可以 是不是 有没有 大概 一般
还要 要不要 好 知道 看 说 问 钱 块 天 月 年 号 点 贵 快 慢 久 多 少 大 小 长 算 收 办 弄 选 颜色 红色 蓝色
黑色 白色 绿色 灰色 粉色 红 蓝 黑 白 绿 灰 粉 便宜 几 哪里 哪 早 晚 今天 明天 昨天 上周 周末 如果 要是 的话 呀
long much many cost costs take takes time when where how day days week weeks month months need know tell
get gets do work works ok okay possible please fast cheap cheaper expensive red blue black white green grey gray
pink small large big bigger smaller soon still even late today tomorrow yesterday happens happen
mean means sure think say see look go goes use year years
"""
_EMPTY = frozenset(_ASKING.split())
"""Content words that ask or vary without a subject of their own."""


def bearing_of(text: str, *, names: Sequence[tuple[int, int]] = (), topics: frozenset[str]) -> Bearing:
    """How a turn bears on what came before it.

    `names` are the places where it names products or orders, `topics` the stems of words that tell the shop's
    subjects apart. A turn that goes on or refers ("and ...", 那, "it", 这个) needs the history unless it holds two
    subjects; one that does neither needs it where it says next to nothing itself.
    """
    if _SHIFT.search(text):
        return "shifts"
    said = language.content_words(_cut(text, names), stemmed=False)
    telling = [word for word in said if word not in _EMPTY and not word.isdigit()]
    subjects = sum(stem in topics for stem in language.content_words(" ".join(telling)))
    if _GOES_ON.search(text) or _REFERS.search(text):
        little = len(telling) <= (1 if subjects else _TELLING) and subjects <= 1
        return "elliptic" if little else "continues"
    if names and telling:
        return "stands"
    if not telling or len(telling) + subjects <= 2:
        return "elliptic"
    return "stands" if subjects > 1 or len(telling) > _TELLING else "continues"


_TELLING = 3
"""Words from which a turn says enough by itself, though it goes on."""


def _cut(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return " ".join(text.split())
