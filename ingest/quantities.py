"""Quantities in a text, with their dimension and what they bound: "满 ¥99", "within 15 days", "七个工作日". Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Bound: TypeAlias = Literal["from", "below", "most", "least", "within", "after", "before", "off", "plain"]
"""What a quantity limits: from that much on, less than it, at most, at least, within that time, only after it,
only before it, a reduction by it; `plain` when nothing near it says."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """`low` to `high` in the unit of its dimension; offsets are characters.

    Dimensions: `time` in hours, `working_time` in working days, `share` in percent, `clock` in minutes after midnight
    ("17:20", "下午5点20", "5.20 pm"), `times`, `weight` in grams, `length` in millimetres ("175 cm", "一米三五"),
    `volume` in millilitres, `power` in watts, `charge` in mAh, `noise` in dB, and `money:CNY` and the like in that
    currency.
    """

    dimension: str
    low: float
    high: float
    bound: Bound
    start: int
    end: int


_UNITS: Mapping[str, tuple[str, float]] = {
    "秒钟": ("time", 1 / 3600), "秒": ("time", 1 / 3600), "seconds": ("time", 1 / 3600),
    "second": ("time", 1 / 3600),
    "分钟": ("time", 1 / 60), "minutes": ("time", 1 / 60), "minute": ("time", 1 / 60), "mins": ("time", 1 / 60),
    "min": ("time", 1 / 60),
    "个小时": ("time", 1), "小时": ("time", 1), "个钟头": ("time", 1), "hours": ("time", 1), "hour": ("time", 1),
    "hrs": ("time", 1), "h": ("time", 1),
    "个工作日": ("working_time", 1), "工作日": ("working_time", 1), "working days": ("working_time", 1),
    "working day": ("working_time", 1), "business days": ("working_time", 1),
    "business day": ("working_time", 1),
    "个自然日": ("time", 24), "自然日": ("time", 24), "个日历日": ("time", 24), "calendar days": ("time", 24),
    "天": ("time", 24), "日内": ("time", 24), "days": ("time", 24), "day": ("time", 24), "nights": ("time", 24),
    "晚": ("time", 24),
    "个星期": ("time", 168), "星期": ("time", 168), "周": ("time", 168), "weeks": ("time", 168),
    "week": ("time", 168),
    "个月": ("time", 720), "months": ("time", 720), "month": ("time", 720),
    "年": ("time", 8760), "years": ("time", 8760), "year": ("time", 8760),
    "%": ("share", 1), "％": ("share", 1), "percent": ("share", 1), "per cent": ("share", 1),
    "次": ("times", 1), "times": ("times", 1),
    "公斤": ("weight", 1000), "千克": ("weight", 1000), "kg": ("weight", 1000), "斤": ("weight", 500),
    "克": ("weight", 1), "g": ("weight", 1),
    "毫米": ("length", 1), "mm": ("length", 1), "厘米": ("length", 10), "cm": ("length", 10),
    "米": ("length", 1000), "metres": ("length", 1000), "meters": ("length", 1000),
    "毫升": ("volume", 1), "ml": ("volume", 1), "升": ("volume", 1000), "litres": ("volume", 1000),
    "liters": ("volume", 1000), "l": ("volume", 1000),
    "毫安时": ("charge", 1), "mah": ("charge", 1), "分贝": ("noise", 1), "db": ("noise", 1),
    "瓦": ("power", 1), "w": ("power", 1), "watts": ("power", 1),
    "块钱": ("money:CNY", 1), "元": ("money:CNY", 1), "块": ("money:CNY", 1), "人民币": ("money:CNY", 1),
    "rmb": ("money:CNY", 1), "cny": ("money:CNY", 1), "yuan": ("money:CNY", 1),
    "港币": ("money:HKD", 1), "港元": ("money:HKD", 1), "hkd": ("money:HKD", 1),
    "美元": ("money:USD", 1), "usd": ("money:USD", 1), "dollars": ("money:USD", 1), "欧元": ("money:EUR", 1),
    "eur": ("money:EUR", 1), "euros": ("money:EUR", 1), "英镑": ("money:GBP", 1), "gbp": ("money:GBP", 1),
}  # fmt: skip
_SIGNS: Mapping[str, str] = {
    "us$": "money:USD", "hk$": "money:HKD", "s$": "money:SGD", "rmb": "money:CNY", "cny": "money:CNY",
    "usd": "money:USD", "¥": "money:CNY", "￥": "money:CNY", "$": "money:USD", "€": "money:EUR",
    "£": "money:GBP",
}  # fmt: skip
_ENGLISH: Mapping[str, float] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15, "eighteen": 18, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100,
}  # fmt: skip
_HAN_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {
    "两": 2,
    "〇": 0,
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}

_NUMERAL = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_DASH = r"\s*(?:[-–—~～至到]|to)\s*"
_HAN = "零一二两三四五六七八九十百千〇"


def _alternatives(words: Mapping[str, object]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_EN_WORDS = _alternatives(_ENGLISH)
_ZH_UNITS = {unit: meaning for unit, meaning in _UNITS.items() if not unit.isascii() or unit == "%"}
_EN_UNITS = {unit: meaning for unit, meaning in _UNITS.items() if unit.isascii() and unit != "%"}
_UNIT = rf"(?:{_alternatives(_ZH_UNITS)}|(?:{_alternatives(_EN_UNITS)})(?![a-z]))"
_EARLY, _LATE = "凌晨|清晨|清早|早上|早晨|今早|明早|上午", "中午|下午|傍晚|晚上|今晚|明晚|夜里|半夜"
_HAN_MINUTES = "半|[0-5]?[0-9](?![0-9])|[二三四五]?十[一二三四五六七八九]?|零?[一二三四五六七八九]"
_QUANTITY = re.compile(
    rf"(?:(?P<half_day>{_EARLY}|{_LATE})\s*(?P<oclock>[0-9]{{1,2}}|[{_HAN}]{{1,3}})\s*[点點时時]"
    rf"|(?<![0-9.{_HAN}])(?P<oclock_alone>[0-9]{{1,2}}|[{_HAN}]{{1,3}})[点點](?=钟|整|半|[0-5][0-9]))"
    rf"(?:钟|整)?(?P<past>{_HAN_MINUTES})?(?:分(?!钟))?"
    rf"|(?<![a-z0-9.:])(?P<en_hour>[0-9]{{1,2}})(?:[:.](?P<en_past>[0-5][0-9]))?\s?(?P<en_half>[ap])\.?m\b"
    rf"|(?<![0-9.{_HAN}])(?P<metres>[12一两二])米(?P<beyond>[0-9]{{1,2}}(?![0-9.])|[{_HAN}]{{1,2}}(?!米|[{_HAN}]))"
    rf"|(?<![0-9.{_HAN}])(?P<feet>[0-9](?:\.[0-9]+)?|[{_HAN}]{{1,2}})尺(?P<inches>[0-9](?![0-9])|[{_HAN}](?![{_HAN}]))?"
    r"(?!寸|码|碼|度|子)"
    rf"|(?<![a-z0-9.])(?P<hour>[01]?\d|2[0-4])[:：](?P<minute>[0-5]\d)(?![\d:：])"
    rf"|(?P<sign>{_alternatives(_SIGNS)})\s*(?P<paid>{_NUMERAL})"
    rf"(?:{_DASH}(?:{_alternatives(_SIGNS)})?\s*(?P<paid_to>{_NUMERAL}))?(?![\d%])"
    rf"|(?<![a-z0-9.,-])(?P<first>{_NUMERAL})(?:{_DASH}(?P<last>{_NUMERAL}))?[\s-]?(?P<unit>{_UNIT})"
    rf"|(?<![a-z])(?P<spelt>{_EN_WORDS})(?:{_DASH}(?P<spelt_to>{_EN_WORDS}))?[\s-](?P<spelt_unit>{_UNIT})"
    rf"|(?<![第{_HAN}])(?P<han>[{_HAN}]{{1,6}}+)(?P<han_unit>{_alternatives(_ZH_UNITS)})"
)
_CHINESE_FOOT = 1000 / 3
"""Millimetres of a 尺."""
_CALENDAR = re.compile(r"(?:年|月)$")
_BEFORE: Mapping[Bound, str] = {
    "off": r"减|立减|抵|优惠|便宜|save|discount of",
    "below": r"不足|低于|不到|少于|未满|不满|小于|below|under|less than|fewer than",
    "most": r"不超过|(?:最高|最多|至多|最长)[^\W\d]{0,4}|上限(?:为|是)?|up to|at most|no more than"
    r"|maximum(?: of)?|max\.?|not exceed(?:ing)?|limited to",
    "least": r"(?:最低|至少|最少)[^\W\d]{0,4}|不少于|不低于|at least|no less than|minimum(?: of)?|min\.?",
    "from": r"(?<!期)满|超过|高于|达到?|大于|门槛(?:为|是)?|from|over|above|more than|exceeding|orders? of|worth",
    "within": r"within|in|inside",
    "after": r"after",
    "before": r"before|by",
}
"""What stands before a quantity and tells what it bounds; the first that fits counts."""
_AFTER: Mapping[Bound, str] = {
    "within": r"之内|以内|内",
    "from": r"以上|起(?!算)|及以上|or more|and (?:over|above|up)|or over",
    "off": r"off\b|discount",
    "most": r"以下|or less|at most",
    "after": r"以后|之后|后|later",
    "before": r"以前|之前|前",
}
_CUES_BEFORE = {bound: re.compile(rf"(?:{pattern})\s*$") for bound, pattern in _BEFORE.items()}
_CUES_AFTER = {bound: re.compile(rf"\s*(?:{pattern})") for bound, pattern in _AFTER.items()}


def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text in order, without overlaps. Dates, years, ordinals and model numbers are none.

    Chinese and English, in figures and in words up to the hundreds; a range such as "3–5 days" is one quantity.
    """
    lowered = text.lower() if len(text.lower()) == len(text) else text
    return tuple(_found(lowered))


def _found(text: str) -> Iterator[Quantity]:
    for match in _QUANTITY.finditer(text):
        measured = _measured(match)
        if measured is None or _is_date(text, match):
            continue
        dimension, low, high = measured
        if low <= high:
            yield Quantity(dimension, low, high, _bound(text, match, dimension), match.start(), match.end())


def _measured(match: re.Match[str]) -> tuple[str, float, float] | None:
    if match["oclock"] is not None or match["oclock_alone"] is not None or match["en_hour"] is not None:
        return _clock(match)
    if match["metres"] is not None or match["feet"] is not None:
        return _body_length(match)
    if match["hour"] is not None:
        minutes = float(int(match["hour"]) * 60 + int(match["minute"]))
        return "clock", minutes, minutes
    if match["sign"] is not None:
        low = _figure(match["paid"])
        return _SIGNS[match["sign"]], low, _figure(match["paid_to"]) if match["paid_to"] else low
    if match["first"] is not None:
        return _scaled(match["unit"], _figure(match["first"]), match["last"] and _figure(match["last"]))
    if match["spelt"] is not None:
        last = match["spelt_to"] and _ENGLISH[match["spelt_to"]]
        return _scaled(match["spelt_unit"], _ENGLISH[match["spelt"]], last)
    value = _han_value(match["han"])
    return None if value is None else _scaled(match["han_unit"], value, None)


def _clock(match: re.Match[str]) -> tuple[str, float, float] | None:
    """A time of the day as people say it, after noon where the words say so."""
    if match["en_hour"] is not None:
        hour: float | None = float(match["en_hour"]) % 12 + (12 if match["en_half"] == "p" else 0)
        past: float | None = float(match["en_past"] or 0)
    else:
        hour = _spoken(match["oclock"] or match["oclock_alone"])
        past = 30.0 if match["past"] == "半" else _spoken(match["past"] or "0")
        if hour is not None and re.fullmatch(_LATE, match["half_day"] or ""):
            hour += 0 if hour == 0 or hour > 12 or (hour >= 11 and match["half_day"] == "中午") else 12
    if hour is None or past is None or hour > 24 or past >= 60:
        return None
    return "clock", hour * 60 + past, hour * 60 + past


def _body_length(match: re.Match[str]) -> tuple[str, float, float] | None:
    """ "一米三五" and "二尺五", as people tell heights and waists: what follows the unit is its decimals."""
    told, beyond = match["metres"] or match["feet"], match["beyond"] or match["inches"] or "0"
    whole = float(told) if told[0].isdigit() else _han_value(told)
    digits = "".join(str(_HAN_DIGITS.get(character, character)) for character in beyond)
    if whole is None or not digits.isdigit():
        return None
    value = round((whole + float(f"0.{digits}")) * (1000 if match["metres"] else _CHINESE_FOOT), 1)
    return "length", value, value


def _spoken(numeral: str) -> float | None:
    """A small number in figures or in Chinese; "零五" is five."""
    rest = numeral.removeprefix("零")
    return float(numeral) if numeral.isdigit() else _han_value(rest) if rest else 0.0


def _scaled(unit: str, low: float, high: float | str | None) -> tuple[str, float, float]:
    dimension, factor = _UNITS[unit]
    return dimension, low * factor, (high if isinstance(high, float | int) else low) * factor


def _figure(digits: str) -> float:
    return float(digits.replace(",", ""))


def _han_value(numeral: str) -> float | None:
    """The value of a Chinese numeral below ten thousand; None for what is none, such as 三五 or 十百."""
    total, digit = 0, None
    for character in numeral:
        if character in _HAN_UNITS:
            total += (1 if digit is None else digit) * _HAN_UNITS[character]
            digit = None
        elif digit:
            return None
        else:
            digit = _HAN_DIGITS[character]
    return float(total + (digit or 0)) or None


def _is_date(text: str, match: re.Match[str]) -> bool:
    """2026 年 and 第 3 天 are no lengths of time, nor is the day of 11 月 5 日内部."""
    before = text[max(0, match.start() - 3) : match.start()].rstrip()
    if before.endswith("第") or (before.endswith("day") and match["unit"] is None):
        return True
    if match["first"] is not None and match["unit"] == "年":
        return float(_figure(match["first"])) >= 1900
    return match["unit"] == "日内" and bool(_CALENDAR.search(before))


def _bound(text: str, match: re.Match[str], dimension: str) -> Bound:
    before = text[max(0, match.start() - 16) : match.start()]
    after = text[match.end() : match.end() + 12]
    if match["unit"] == "日内":
        return "within"
    for bound, cue in _CUES_AFTER.items():
        if cue.match(after):
            return bound if not dimension.startswith("money") or bound in ("from", "most", "off") else "plain"
    for bound, cue in _CUES_BEFORE.items():
        if cue.search(before) and _fits(bound, dimension):
            return bound
    return "plain"


def _fits(bound: Bound, dimension: str) -> bool:
    """Prepositions mean other things before other dimensions: "of ¥30" is no threshold, "in ¥5" no limit."""
    if bound in ("within", "after"):
        return dimension in ("time", "working_time")
    if bound == "off":
        return dimension.startswith("money") or dimension == "share"
    return True
