"""What of a message can stand as a heading: the matter, without greeting, pressure, thanks, emoji and one customer's
numbers."""

from __future__ import annotations

import re
import unicodedata

from graph.follow_up_turns import follow_up_turn
from graph.small_talk import small_talk
from graph.words import is_han

NUMBERS = re.compile(r"#?(?<![A-Za-z0-9])[A-Za-z]{0,4}-?\d{6,}|#\d{4,}|\[[A-Z]+\]")
"""Order and parcel numbers and masks of personal data: one customer's, so never part of a name."""
_NUMBER = rf"(?:{NUMBERS.pattern})"
_ASIDE = re.compile(rf"[(（][^()（）]*{_NUMBER}[^()（）]*[)）]")
_LAST_NUMBER = re.compile(
    r"[\s,，.。!！]*(?:(?i:(?:my |the )?(?:order|tracking)(?: (?:no|number|nr|id))?)|"
    r"(?:订单|快递|运单)?单?号?码?)\s*[.:：#是]*\s*"
    rf"{_NUMBER}(?:这个单|这单|这个)?[\s.。!！…~～]*$"
)
_INNER_NUMBER = re.compile(rf"(?:\b(?i:on|for|of|about|with|number|no\.?|nr\.?|is|to|from|in)\s+)*{_NUMBER}")
_CLAUSE = re.compile(r"[^,，。.!！?？;；:：\n]+(?:[,，。!！?？;；:：\n]+|\.+(?=\s|$)|\.)*")
_HAN_PAUSE = re.compile(r"(?<=[\u3400-\u9fff]) +(?=[\u3400-\u9fff])")
_FACE = re.compile(r"(?:(?<=\s)|^)[:;]-?[()DPp'/|](?=\s|$)|\bT_T\b|\^_?\^")
_BREAKS = "，,、。.!！;；:：~～…-— \n\t"
_GREETING = re.compile(
    r"(?:(?i:(?:hi|hello|hey|hiya|dear \w+|good (?:day|morning|afternoon|evening)|there|team|guys|excuse me|sorry|"
    r"please|pls|again|so|and|but|ok|well|thanks|thank you|quick question|question)\b(?!-))|"
    r"你好|您好|亲亲|亲(?!手|自|戚|子|测|友|属)|老板|客服|在吗|在不在|哈喽|喂|请问一下|请问|想问一下|想问下|想问|"
    r"麻烦问一?下|问一?下|打扰一?下?了?|那个|帮忙看看|帮忙看一?下|又来问了|不好意思)[\s，,.。!！~～:：]*"
)
_ENDING = re.compile(
    r"[\s，,.。!！~～?？]*(?:(?i:\b(?:thanks(?: in advance)?|thank you|thx|tks|"
    r"please (?:help|advise|reply|fix(?: this| it)?)|"
    r"pls help|please|pls|not happy|this is urgent|urgent|asap|really annoying|i need this solved|any help))|"
    r"急+|在线等|谢谢[亲啦了您你]*|感谢|求解答|求助|麻烦了|麻烦尽快|拜托了?|无语了?|真服了|给个说法|赶紧看下|"
    r"快点处理|辛苦了?|帮忙看一?下|太过分了)[\s，,.。!！~～?？]*$"
)


def heading(text: str, language: str) -> str:
    """The part of a message that says its matter, as it is written; empty where it says none."""
    plain = " ".join(_FACE.sub(" ", "".join(map(_plain, text))).split())
    plain = _INNER_NUMBER.sub(" ", _LAST_NUMBER.sub("", _ASIDE.sub("", plain)))
    clauses = [part for whole in _HAN_PAUSE.split(plain) for part in _CLAUSE.findall(f"{whole} ")]
    while clauses and _empty(clauses[0], language):
        clauses.pop(0)
    while clauses and _empty(clauses[-1], language):
        clauses.pop()
    said = " ".join("".join(clauses).split())
    before = None
    while before != said:
        before = said
        said = _ENDING.sub("", said)
        greeting = _GREETING.match(said)
        said = said[greeting.end() :] if greeting else said
    said = re.sub(r"\s+([,，.。!！?？])", r"\1", said).strip(_BREAKS)
    return "" if _empty(said, language) else said


def _plain(character: str) -> str:
    """A character, or a space for an emoji and the like."""
    category = unicodedata.category(character)
    if category in ("So", "Sk", "Cs", "Co", "Cn", "Cf", "Cc") or character in "\ufe0f～~":
        return " "
    return character


def _empty(clause: str, language: str) -> bool:
    if not any(character.isalnum() for character in clause):
        return True
    if small_talk(clause, language) or follow_up_turn(clause, language):
        return True
    rest = _ENDING.sub("", clause.strip())
    while greeting := _GREETING.match(rest):
        rest = rest[greeting.end() :]
    return not rest.strip(_BREAKS + "?？") or (len(rest) < 2 and not is_han(rest[0]))
