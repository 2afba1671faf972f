"""When a conversation has become too much for a bot: its answers failed twice, or the matter is complex. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

import numpy as np

from graph.folding import fold, is_latin
from graph.models import EmotionLabel, Speaker, Vector
from graph.words import is_han

SAME_FRAME = 0.55
"""Likeness of two customer's turns by letters from which they are built alike: then what differs decides, since "do you
sell lamps" and "do you sell kettles" are two questions."""
SAME_MEANING, VERY_SAME = 0.55, 0.85
"""Cosine from which turns that are built otherwise, or alike, mean the same. On the packaged encoder, pairs of one
question asked in two ways have a median of .60 and consecutive different questions of one conversation one of .11, with
a 95th percentile of .40; different questions that are built alike reach .78."""

Complexity: TypeAlias = Literal[
    "several_matters", "many_at_stake", "long_history", "came_back", "transferred"
]

MATTERS, ORDERS, PRODUCTS, TURNS, CONTACTS, TRANSFERS = 3, 3, 3, 8, 3, 2
"""From how many a case is complex: fields of expertise in one message, orders or parcels, products that someone
annoyed names, questions to a bot since a person last spoke, earlier unresolved contacts, transfers."""


@dataclass(frozen=True, slots=True)
class Said:
    """One turn: of a customer's, its unit vector where the encoder reads the language, and the products, orders and
    parcels that it names."""

    role: Speaker
    text: str
    vector: Vector | None = None
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Burden:
    """What makes a case hard. `expertise` are the fields that the intents of the last message belong to, each said in
    a clause of its own; `contacts` earlier cases about the matter that nobody resolved; `proven` whether an answer is
    sure enough to be sent or likely to be right."""

    expertise: frozenset[str] = frozenset()
    orders: int = 0
    products: int = 0
    mood: EmotionLabel = "neutral"
    turns: int = 0
    contacts: int = 0
    transfers: int = 0
    proven: bool = False


def complexity(burden: Burden) -> Complexity | None:
    """Why a case is too complex for a bot, or None. The reasons stand in the order in which they win.

    Three fields of expertise in one message are complex, two only for somebody angry whom no sure answer helps.
    Comparing products is no complexity; naming three of them in anger is.
    """
    fields = len(burden.expertise)
    annoyed = burden.mood in ("angry", "upset")
    if fields >= MATTERS or (fields == MATTERS - 1 and burden.mood == "angry" and not burden.proven):
        return "several_matters"
    if burden.orders >= ORDERS or (burden.products >= PRODUCTS and annoyed):
        return "many_at_stake"
    if burden.contacts >= CONTACTS:
        return "came_back"
    if burden.transfers >= TRANSFERS:
        return "transferred"
    return "long_history" if burden.turns >= TURNS else None


def failed_turns(turns: Sequence[Said]) -> int:
    """How many of a bot's answers failed since a person last spoke.

    An answer failed when the customer's next turn says so ("还是不行", "that didn't help") or asks again what was
    asked before, in much the same words or with the same meaning about the same things. A question that the bot
    asks back is no answer.
    """
    asked: list[Said] = []
    failed = 0
    answered = False
    for turn in turns:
        if turn.role == "bot":
            answered = answered or not only_asks(turn.text)
        elif turn.role == "customer":
            if answered and (says_it_failed(turn.text) or any(_again(turn, before) for before in asked)):
                failed += 1
            asked.append(turn)
            answered = False
        else:
            asked, failed, answered = [], 0, False
    return failed


def may_have_failed(turns: Sequence[Said], least: int = 2) -> bool:
    """Whether so many answers can have failed at all: before that no turn needs a vector."""
    replies, answered = 0, False
    for turn in turns:
        if turn.role == "bot":
            answered = True
        elif turn.role == "customer":
            replies += answered
            answered = False
        else:
            replies, answered = 0, False
    return replies >= least


def questions_since_a_person(turns: Sequence[Said]) -> int:
    """How often the customer wrote to the bot since a person last spoke, thanks and the like included."""
    count, bot = 0, False
    for turn in turns:
        if turn.role == "agent":
            count, bot = 0, False
        elif turn.role == "bot":
            bot = True
        else:
            count += 1
    return count if bot else 0


_AGAIN = re.compile(
    r"答非所问|听不懂|看不懂|说了等于没说|都试(?:过)?了|不是我(?:要)?(?:问|想)的|不是(?:问|说)这个|复制粘贴|"
    r"我问的(?:是|不是)|废话|"
    r"还(?:是|不)(?:不行|不能|不可以|没|一样|这样|老样子|用不了|连不上|打不开|不对|不会|不懂|坏的|有问题|行)|"
    r"你(?:没|根本没|不)(?:看|听|明白|理解|懂|回答)|(?:同样|一样)的(?:话|回答|答案)|又是这(?:句|段|个回答)|"
    r"没(?:有)?(?:回答|说清|说到)|"
    r"(?:试|弄|按|重启|重装|重置|更新|换)\S{0,2}(?:过|了)+.{0,8}(?:不行|没用|不可以|还是|失败)"
    r"|\bstill (?:not|no|doesn'?t|does not|isn'?t|won'?t|can'?t|cannot|broken|the same|nothing|don'?t|haven'?t|"
    r"the problem|having)"
    r"|\bsame (?:answer|reply)\b|\bsame (?:thing|problem|issue) again\b|\bnothing (?:changed|works|happened)\b|"
    r"\bwrong answer\b|"
    r"\bdidn'?t answer\b"
    r"|\byou (?:didn'?t|did not|don'?t|do not|aren'?t|are not|keep) (?:answer|understand|listen|read|get|help|"
    r"repeating|sending)\w*"
    r"|\b(?:already|just) (?:tried|did that|told you|said)|\bi (?:said|meant)\b|\bthat'?s not (?:what|it|my|"
    r"the)|\bnot what i "
    r"(?:asked|meant|need)"
)
"""What is said of an answer, whatever else is said."""
_IN_VAIN = re.compile(
    r"没(?:有)?(?:解决|用(?!过)|效果?|帮助)|解决不了(?:我的)?(?:问题)?|不管用|不起作用|无效|不对|不行"
    r"|\b(?:did|does|do|is|was|has)(?:n'?t| not) (?:\w+ )?(?:help|helped|helping|work|worked|working|answer|"
    r"solve|solved|resolved|"
    r"fix|fixed)\b|\bnot (?:helpful|working|solved|resolved|fixed)\b|\bno (?:help|use|luck)\b|\buseless\b"
)
"""What is said of an answer where nothing else is said: "my kettle does not work" opens a matter of its own."""
_BARE = 6
"""Chinese characters of a subject's own that may stand beside it; an English word counts as four."""
_SAYING_LITTLE = (
    "it that this the a an and but so your my me i is at all again sorry really for to of im its answer"
)
_EMPTY = frozenset(_SAYING_LITTLE.split())
_ENDS = re.compile(r"[。.!！\n]+")


def says_it_failed(text: str) -> bool:
    """Whether a turn says of the answer before it that it did not help, in Chinese or English."""
    folded = fold(text)
    if _AGAIN.search(folded):
        return True
    rest = _IN_VAIN.sub(" ", folded)
    if rest == folded:
        return False
    english = [word for word in re.findall(r"[a-z0-9']+", rest) if word not in _EMPTY]
    return sum(map(is_han, rest)) + 4 * len(english) <= _BARE


def only_asks(text: str) -> bool:
    """Whether a bot's turn is nothing but a question back."""
    stated = text.strip()
    return stated.endswith(("?", "？")) and not _ENDS.search(stated[:-1])


def _again(turn: Said, before: Said) -> bool:
    if turn.named and before.named and not turn.named & before.named:
        return False  # the same of another product or order
    if _other_numbers(turn, before):
        return False
    cosine = 0.0
    if turn.vector is not None and before.vector is not None:
        cosine = float(np.dot(turn.vector, before.vector))
    matched = SequenceMatcher(None, fold(turn.text), fold(before.text), autojunk=False)
    if matched.ratio() < SAME_FRAME:
        return cosine >= SAME_MEANING
    return cosine >= VERY_SAME or not _both_differ(matched, turn, before)


def _both_differ(matched: SequenceMatcher[str], turn: Said, before: Said) -> bool:
    """Whether each of two turns says a word that the other lacks: one Chinese character or two letters."""
    own = [list(fold(turn.text)), list(fold(before.text))]
    for block in matched.get_matching_blocks():
        for side, start in enumerate((block.a, block.b)):
            own[side][start : start + block.size] = [" "] * block.size
    return all(
        sum(_LETTERS[is_latin(character)] for character in side if character.isalnum()) >= 1 for side in own
    )


_LETTERS = {True: 0.5, False: 1.0}
_CODE = re.compile(r"[a-z]*\d[a-z0-9]*")


def _other_numbers(turn: Said, before: Said) -> bool:
    """Whether two turns name different models or numbers: not the same question, however alike they are."""
    one, other = (frozenset(_CODE.findall(fold(said.text))) for said in (turn, before))
    return bool(one and other and not one & other)
