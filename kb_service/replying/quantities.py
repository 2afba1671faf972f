"""Numbers of a text with their units, and what else must stay as it is when a text is reworded. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ingest.language import fold

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_COUNTED = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty
"""
_OTHERS = """
thirty 30 forty 40 fifty 50 sixty 60 seventy 70 eighty 80 ninety 90 hundred 100 thousand 1000 dozen 12 once 1 twice 2
double 2 triple 3 half 0.5 quarter 0.25
"""
_NUMBERS = {word: Decimal(number) for number, word in enumerate(_COUNTED.split())} | {
    word: Decimal(number) for word, number in zip(_OTHERS.split()[::2], _OTHERS.split()[1::2], strict=True)
}

_UNITS: dict[str, str] = {}
for _unit, _names in {
    "workday": "个工作日 工作日 working-days working-day business-days business-day",
    "day": "天 日 days day 自然日",
    "hour": "个小时 小时 钟头 hours hour hrs hr h",
    "minute": "分钟 minutes minute min mins",
    "second": "秒钟 秒 seconds second sec s",
    "week": "个星期 星期 周 weeks week",
    "month": "个月 月 months month",
    "year": "周年 年 years year",
    "night": "晚 nights night",
    "CNY": "元 块 块钱 人民币 rmb cny yuan",
    "HKD": "港币 港元 hkd",
    "USD": "美元 美金 usd dollars dollar",
    "EUR": "欧元 eur euros euro",
    "SGD": "新加坡元 新币 sgd",
    "GBP": "英镑 gbp pounds pound",
    "percent": "% 个百分点 percent",
    "discount": "折",
    "kg": "公斤 千克 kg kilograms kilogram kilos",
    "g": "克 g grams gram",
    "cm": "厘米 公分 cm",
    "mm": "毫米 mm",
    "m": "米 m metres meters metre meter",
    "litre": "升 l litres liters litre liter",
    "ml": "毫升 ml",
    "celsius": "℃ °c 度 摄氏度",
    "times": "次 遍 times",
    "fold": "倍",
    "piece": "件 个 只 张 台 双 条 项 份 位 人 pieces items",
    "point": "积分 points point",
}.items():
    for _name in _names.split():
        _UNITS[_name.replace("-", " ")] = _unit
_SYMBOLS = {
    "hk$": "HKD",
    "us$": "USD",
    "s$": "SGD",
    "¥": "CNY",
    "￥": "CNY",
    "$": "dollar",
    "€": "EUR",
    "£": "GBP",
}

_ZH_NUMBER = "[零〇一二两三四五六七八九十百千]+"
_ZH_UNITS = "|".join(sorted((re.escape(n) for n in _UNITS if not n.isascii()), key=len, reverse=True))
_EN_UNITS = "|".join(
    sorted((re.escape(n) for n in _UNITS if n.isascii() and n[0].isalpha()), key=len, reverse=True)
)
_WORDS = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_FIGURE = r"\d+(?:,\d{3})*(?:\.\d+)?"
_QUANTITY = re.compile(
    rf"(?P<symbol>hk\$|us\$|s\$|[¥￥$€£])\s?(?P<money>{_FIGURE})"
    rf"|(?P<time>\d{{1,2}}[:：]\d\d)"
    rf"|(?P<figure>{_FIGURE})"
    rf"(?P<unit>\s?(?:{_ZH_UNITS}|%|°c|℃)|[\s-]?(?:{_EN_UNITS})\b)?"
    rf"|(?<!第)(?P<han>{_ZH_NUMBER})(?P<zhunit>\s?(?:{_ZH_UNITS}))(?!样|般|起|直|致|定|律|切)"
    rf"|\b(?P<word>{_WORDS})\b(?:[\s-](?P<ones>one|two|three|four|five|six|seven|eight|nine)\b)?(?P<wunit>[\s-](?:{_EN_UNITS})\b)?"
)
_MULTIPLES = re.compile(r"双倍|加倍|翻倍|一半|半价|两倍")
_STEP = re.compile(r"(?m)^\s*(?:\d{1,2}[.、)]|[（(]\d{1,2}[)）])\s*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with the unit that it counts, both in one spelling; `start` and `end` are of the folded text."""

    value: str
    unit: str
    start: int
    end: int

    @property
    def key(self) -> tuple[str, str]:
        return self.value, self.unit


def quantities(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text, folded by `fold`, in order: 30天, 三十天 and "thirty days" are one and the same.

    The first of a range has the unit of the second. Numbers of steps at the begin of lines are none.
    """
    plain = _STEP.sub(lambda step: " " * len(step.group()), fold(text))
    found = [_quantity(match) for match in _QUANTITY.finditer(plain)]
    found += [Quantity(m.group(), "multiple", m.start(), m.end()) for m in _MULTIPLES.finditer(plain)]
    ranged = sorted((item for item in found if item is not None), key=lambda item: item.start)
    return tuple(_with_units(ranged, plain))


def _quantity(match: re.Match[str]) -> Quantity | None:
    held = match.groupdict()
    if held["money"]:
        value, unit = _plain(held["money"]), _SYMBOLS[held["symbol"]]
    elif held["time"]:
        value, unit = held["time"].replace("：", ":"), "clock"
    elif held["figure"]:
        value, unit = _plain(held["figure"]), _unit_of(held["unit"])
    elif held["han"]:
        value, unit = str(_chinese(held["han"])), _unit_of(held["zhunit"])
    else:
        number = _NUMBERS[held["word"]] + _NUMBERS.get(held["ones"] or "", 0)
        value, unit = _plain(str(number)), _unit_of(held["wunit"])
        if value == "1" and held["word"] == "one" and not unit:
            return None  # "one of these" counts nothing
    return Quantity(value, unit, match.start(), match.end())


def _with_units(found: list[Quantity], text: str) -> Iterator[Quantity]:
    for place, item in enumerate(found):
        after = found[place + 1] if place + 1 < len(found) else None
        joined = after is not None and re.fullmatch(
            r"\s*(?:[–—~～至到-]|to|or|或)\s*", text[item.end : after.start]
        )
        yield (
            Quantity(item.value, after.unit, item.start, item.end)
            if after and joined and not item.unit
            else item
        )


def _unit_of(text: str | None) -> str:
    return _UNITS.get((text or "").strip(" -"), "")


def _plain(figure: str) -> str:
    try:
        number = Decimal(figure.replace(",", ""))
    except InvalidOperation:
        return figure
    return format(number.normalize(), "f")


def _chinese(numeral: str) -> int:
    """A Chinese numeral up to 9999; digits one after another ("二零二六") as they are read."""
    if not any(character in _TENS for character in numeral):
        return int("".join(str(_DIGITS[character]) for character in numeral))
    total, digit = 0, 0
    for character in numeral:
        if character in _TENS:
            total += (digit or 1) * _TENS[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return total + digit


_ADDRESS = re.compile(r"https?://[^\s\u3000-\uffef]+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]*\w")
_PHONE = re.compile(r"(?<![\d.])\+?\d[\d -]{5,}\d(?!\.?\d)")
_CODE = re.compile(r"\b(?=[a-z0-9/-]*\d)(?=[a-z0-9/-]*[a-z])[a-z0-9]+(?:[/-][a-z0-9]+)*\b", re.IGNORECASE)
_BLANK = re.compile(r"[$%]?\{+[^{}\n]{1,60}\}+|\[\[[^\[\]\n]{1,60}\]\]|【[^【】\n]{1,40}】")


def fixed(text: str) -> frozenset[str]:
    """What is copied letter by letter or is wrong: addresses of web and mail, phone numbers, codes, placeholders."""
    found = [match.group().rstrip(".,;:。，；") for match in _ADDRESS.finditer(text)]
    rest = _ADDRESS.sub(" ", text)
    found += [match.group() for match in _BLANK.finditer(rest)]
    rest = _BLANK.sub(" ", rest)
    found += [re.sub(r"[ -]", "", match.group()) for match in _PHONE.finditer(rest)]
    found += [match.group().upper() for match in _CODE.finditer(rest)]
    return frozenset(found)
