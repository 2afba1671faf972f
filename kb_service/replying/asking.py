"""What kind of thing a question asks for, and which words of it an answer must be about. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ingest.language import content_words, fold

KEPT = 8192
"""Texts of documents whose words are kept, a few megabytes: questions come back to the same documents."""

Sought: TypeAlias = Literal["duration", "moment", "frequency", "money", "count", "way", "items"]
"""A length of time; a point in time; how often; an amount; a number; how to do something; an enumeration."""

_ASKS: Mapping[Sought, re.Pattern[str]] = {
    "duration": re.compile(
        r"多久(?!.{0,6}一次)|多长时间|[几多][少]?个?(?:工作日|天|日|小时|分钟|周|星期|月|年|晚)|期限|时效|有效期|最[晚迟]"
        r"|\bhow (?:long|soon|quick\w*|fast)|how many (?:working |business )?(?:days|hours|weeks|months|years"
        r"|nights|minutes)|deadline|time limit|\bexpir"
    ),
    "moment": re.compile(
        r"什么时候|何时|啥时候?|哪天|几号|几点|多会儿|截止|\bwhen\b|what (?:time|date|day)|until when|by when"
        r"|opening hours"
    ),
    "frequency": re.compile(
        r"(?:多久|多长时间|几[天周年]|几个月|隔).{0,6}一次|\bhow often\b|how many times (?:a|per)"
    ),
    "money": re.compile(
        r"多少钱|价格|售价|运费|邮费|收费|费用|要钱|几块|多贵|多少元|贵[吗不]|满多少|包邮|免费|赔多少|补贴?多少"
        r"|手续费|\bhow much|\bcosts?\b|\bprices?\b|\bfees?\b|\bcharges?\b|\bfree\b|\bexpensive|\bpay\b|postage"
    ),
    "count": re.compile(r"几[次张个件遍台人](?!月|小时|工作)|多少[次张个件倍分]|\bhow many\b"),
    "way": re.compile(
        r"怎么(?!收费|算钱|样|还|没|这么|回事)|如何|怎样|咋(?!样|还)|步骤|流程|在哪(?:里|儿)?(?:申请|开|改|设|查|看)"
        r"|\bhow (?:do|can|should|could|to)\b|\bsteps\b|what (?:should|do) i do"
    ),
    "items": re.compile(
        r"哪些|哪几|有什么|都有|包括|什么情况|为什么|为啥|which (?:\w+ )?(?:items|goods|products|\w+s)\b"
        r"|what (?:items|goods|kinds|things|can(?:not|'t)?)|\bwhy\b"
    ),
}
_NUMERAL = r"(?:\d[\d,.]*|[零一二两三四五六七八九十百半]+)"
_WORDED = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|fifteen|twenty|thirty|half an?|an?)"
_HOLDS: Mapping[Sought, re.Pattern[str]] = {
    "duration": re.compile(
        rf"{_NUMERAL}\s*(?:[–~至到-]\s*{_NUMERAL}\s*)?个?(?:工作日|自然日|自然年|天|日(?!常)|小时|分钟|秒|周|星期|月|年|晚)"
        rf"|\b{_WORDED}(?:\s?[–-]\s?\d+)?[\s-](?:working |business |calendar |more )?"
        r"(?:days?|hours?|h\b|minutes?|min\b|seconds?|weeks?|months?|years?|nights?)|当天|次日|当日|随时"
        r"|same day|next day"
    ),
    "moment": re.compile(
        r"\d{1,2}[:：]\d\d|\d+\s*月|\d+\s*日|[当次]天|次日|同时|之[后前]|以[后前]|[后前][，。,]|\d+\s*(?:天|小时)"
        r"|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b"
        r"|\b(?:after|before|until|once|same day|next day|as soon as|within)\b"
    ),
    "frequency": re.compile(
        r"每|一次|\b(?:every|each|once|twice|daily|weekly|monthly|yearly)\b|\bper (?:day|week|month|year)\b"
    ),
    "money": re.compile(
        r"[¥￥$€£]\s?\d|\d\s*(?:元|块|港币|美元|欧元|%|折)|免费|免运费|包邮|承担|\bfree\b|\byuan\b|\bdollars\b|\bpays?\b"
    ),
    "count": re.compile(
        rf"{_NUMERAL}\s*[次张个件倍台人]|不限|\b(?:once|twice)\b|\b{_WORDED} \w+|no limit|unlimited"
    ),
}
_MEASURE = re.compile(r"[几少]([次张件遍台人])")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, or one clause of it: the words that matter in it, and the kinds of value that it asks for.

    `known` are those of the words that stand in the title or the product's name as well, and so tell little
    apart. `questions` is False for a message that states what happened and asks nothing in words.
    """

    text: str
    terms: frozenset[str]
    known: frozenset[str]
    sought: frozenset[Sought]
    questions: bool
    about: frozenset[str] = frozenset()
    """Words for what the question is about though it does not say so: they tell a table's rows apart."""

    def holds(self, sentence: str) -> bool:
        """Whether a sentence states the kind of value that is asked for."""
        folded = _folded(sentence)
        if "count" in self.sought and (measure := _MEASURE.search(self.text)):
            return re.search(rf"{_NUMERAL}\s*{measure.group(1)}|不限", folded) is not None
        return any(_HOLDS[kind].search(folded) for kind in self.sought if kind in _HOLDS)

    @property
    def seeks_value(self) -> bool:
        """Whether the answer must state a time, an amount or a number."""
        return any(kind in _HOLDS for kind in self.sought)


_QUESTION = re.compile(
    r"[?？]|[吗呢嘛么]|多少|多久|多[长大重高]|几[天个次年月点号张]|什么|啥|哪|怎么|怎样|如何|咋|为何|能不能|可不可以|是不是|有没有|能(?:否|用|开|退|换|洗|寄|改)"
    r"|\b(?:what|which|how|when|where|who|why|can|could|may|is|are|do|does|did|will|would|should|has|have)\b"
)
_CHINESE = re.compile(r"[\u3400-\u9fff]+")
_PARTICLE = re.compile("[的了吗呢吧啊呀嘛么是在我你您他它和与就都也还很太又请]")
_FORM = re.compile(
    r"多久|多长时间|多长|多少|多[大重高]|几个?(?=[天日周月年次张件小])|什么时候|啥时候|什么|哪些|怎么样?|如何|怎样|能不能|可不可以|是不是|有没有"
    r"|几点|请问|你们家?|[亲您]|一个|一张"
    r"|\b(?:how (?:many|much|often|long|soon|do|can)|something|anything|someone)\b"
)
"""What gives a question its form and stands in no answer."""


@functools.lru_cache(maxsize=KEPT)
def _folded(text: str) -> str:
    return fold(text)


def ask(question: str, *, known: str = "") -> Ask:
    """What a question, or a clause of one, is after; `known` is a title, say, with the product's names."""
    folded = fold(question)
    terms = meant(_FORM.sub(" ", folded))
    return Ask(
        question,
        terms,
        terms & meant(known),
        frozenset(kind for kind, asks in _ASKS.items() if asks.search(folded)),
        _QUESTION.search(folded) is not None,
    )


def meaning(asked: Ask, about: Sequence[str]) -> Ask:
    """The same question, about what the caller named."""
    return replace(asked, about=frozenset[str]().union(*map(meant, about))) if about else asked


@functools.lru_cache(maxsize=KEPT)
def meant(text: str) -> frozenset[str]:
    """The words of a text that carry meaning, and the pairs of neighbouring Chinese characters.

    Pairs bridge what a dictionary cuts differently: 退货 in 无理由退货, 改约 where it knows 改 and 约 only.
    """
    words = {word for word in content_words(text) if len(word) > 1 or not _CHINESE.fullmatch(word)}
    runs = _CHINESE.findall(_PARTICLE.sub(" ", fold(text)))
    return frozenset(words) | {run[i : i + 2] for run in runs for i in range(len(run) - 1)}


def asking_clauses(clauses: Sequence[str]) -> tuple[str, ...]:
    """Those of a message's clauses that each ask something; none when fewer than two do."""
    asking = tuple(clause for clause in clauses if _QUESTION.search(fold(clause)))
    return asking if len(asking) > 1 else ()
