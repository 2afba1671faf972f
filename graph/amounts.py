"""Sums of money as customers say them: ¥299, 1.2万, two hundred dollars, and 赔我500 without any unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from graph.models import Entity

_CURRENCIES = {
    "¥": "CNY", "￥": "CNY", "rmb": "CNY", "cny": "CNY", "元": "CNY", "块": "CNY", "块钱": "CNY",
    "人民币": "CNY", "yuan": "CNY",
    "元钱": "CNY", "$": "USD", "us$": "USD", "usd": "USD", "dollars": "USD", "dollar": "USD", "bucks": "USD",
    "美元": "USD",
    "美金": "USD", "刀": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "欧元": "EUR",
    "欧": "EUR",
    "£": "GBP", "gbp": "GBP", "pounds": "GBP", "pound": "GBP", "quid": "GBP", "英镑": "GBP", "hk$": "HKD",
    "hkd": "HKD",
    "港币": "HKD", "港元": "HKD", "s$": "SGD", "sgd": "SGD", "新币": "SGD",
}  # fmt: skip
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?"
_HAN_DIGITS = "零一二两三四五六七八九十百千万半〇"
_NO_UNIT = (
    r"(?=$|[\s,，、.。!！?？;；)）]|[吧呢啊的了才就还都给]|不然|否则)(?!\s?(?:[a-z\d.%]|[天个件条双次]))"
)
"""What may follow a number that counts money without saying so."""
_TEENS = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_EN_DIGITS: Mapping[str, int] = {word: number for number, word in enumerate(_TEENS.split(), 1)} | {
    word: 10 * number for number, word in enumerate(_TENS.split(), 2)
}
_EN_UNITS = {"hundred": 100, "thousand": 1000}
_EN_NUMBER = "|".join(sorted((*_EN_DIGITS, *_EN_UNITS, "a"), key=len, reverse=True))
_AMOUNT = re.compile(
    rf"(?P<sign>us\$|hk\$|s\$|[¥$€£]|rmb|cny|usd|eur|gbp|hkd|"
    rf"sgd)\s*(?P<signed>{_DIGITS})(?P<times>[万千])?(?![\d%])"
    rf"|(?<![\d.a-z-])(?P<plain>{_DIGITS})(?P<thousands>[万千])?\s*(?P<unit>块钱|元钱|人民币|元|块(?!屏|表|"
    rf"板|布|钱包)|"
    r"rmb|cny|yuan|usd|dollars?|bucks|eur(?:os?)?|gbp|pounds?|quid|hkd|sgd|€|£|美元|美金|刀(?![具片])|欧元|"
    r"英镑|港币|港元|新币)(?![a-z])"
    rf"|(?:赔偿?|补偿|退还?|支?付|花|扣|收|转账?|打款|损失)(?:给|了|我|他|她|你|们|还|费|款|掉|走|至少|大概|差不多|约)*\s?"
    rf"(?:(?P<asked>{_DIGITS})(?P<asked_times>[万千])|(?P<bare>{_DIGITS}(?<=\d\d))|"
    rf"(?P<asked_spoken>(?=[{_HAN_DIGITS}]*[百千万])[{_HAN_DIGITS}]++)){_NO_UNIT}"
    rf"|(?<![a-z])(?P<words>(?:{_EN_NUMBER})(?:[ -](?:and )?(?:{_EN_NUMBER})){{0,8}}) (?:us )?"
    r"(?P<words_unit>dollars?|bucks|euros?|pounds?|quid|yuan|rmb|usd|eur|gbp|hkd|sgd)(?![a-z])"
    rf"|(?<![{_HAN_DIGITS}])(?P<spoken>[{_HAN_DIGITS}]++)(?P<spoken_unit>块钱|元钱|元|块(?!屏|表|板|布)|美元|美金|欧元|英镑|港币)"
)  # fmt: skip


def amounts(folded: str) -> Iterator[Entity]:
    """Each sum of money in a folded text, in order, with values like "299.00 CNY"."""
    for match in _AMOUNT.finditer(folded):
        number: float | None
        if match["sign"]:
            number, unit = _number(match["signed"], match["times"]), match["sign"]
        elif match["plain"]:
            number, unit = _number(match["plain"], match["thousands"]), match["unit"]
        elif match["asked"] or match["bare"]:
            number, unit = _number(match["asked"] or match["bare"], match["asked_times"]), "元"
        elif match["words"]:
            number, unit = english_number(match["words"]), match["words_unit"]
        else:
            number = spoken_number(match["spoken"] or match["asked_spoken"])
            unit = match["spoken_unit"] or "元"
        if number is None:
            continue
        start = max(match.start(), *(match.start(name) for name in ("asked", "bare", "asked_spoken")))
        yield Entity("amount", f"{number:.2f} {_CURRENCIES[unit]}", start, match.end())


def _number(digits: str, times: str | None) -> float:
    return float(digits.replace(",", "")) * {"千": 1_000, "万": 10_000}.get(times or "", 1)


def english_number(text: str) -> float | None:
    """The value of an English numeral up to the thousands, such as "two hundred and fifty"; None when it is none."""
    total, section = 0, 0
    words = [word for word in re.split(r"[ -]", text) if word != "and"]
    for place, word in enumerate(words):
        if word == "a":
            if place or len(words) == 1 or words[1] not in _EN_UNITS:
                return None
            section = 1
        elif word in _EN_DIGITS:
            section += _EN_DIGITS[word]
        elif word == "hundred":
            section = max(section, 1) * 100
        elif word == "thousand":
            total, section = total + max(section, 1) * 1000, 0
        else:
            return None
    return float(total + section) or None


def spoken_number(text: str) -> float | None:
    """The value of a Chinese numeral such as 二百, 三千五, 两万零八十, 半; None when it is none."""
    digits = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
    units = {"十": 10, "百": 100, "千": 1000}
    total, section, digit, last = 0, 0, None, 1
    for character in text:
        if character in digits:
            digit = digits[character]
            last = 1 if digit == 0 else last
        elif character in units:
            section += (1 if digit is None else digit) * units[character]
            last, digit = units[character], None
        elif character == "万":
            total += (section + (digit or 0)) * 10_000
            section, digit, last = 0, None, 10_000
        else:
            return 0.5 if text == "半" else None
    if digit:
        section += digit * (last // 10 if last >= 10 else 1)
    return float(total + section) or None
