"""Dates and spans of days as customers say them, in Chinese and English, from the moment of saying."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

_ZH_NUMBER = "零一二两三四五六七八九十〇"
_WEEKDAYS = {
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
    "一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5,
}  # fmt: skip
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name} | {
    name.lower(): number for number, name in enumerate(calendar.month_abbr) if name
} | {"sept": 9}  # fmt: skip
_DAYS_AGO = {
    "今天": 0, "今日": 0, "今早": 0, "今晚": 0, "昨天": -1, "昨日": -1, "昨晚": -1, "昨夜": -1, "前天": -2,
    "前日": -2, "大前天": -3,
    "明天": 1, "明日": 1, "明早": 1, "明晚": 1, "后天": 2, "大后天": 3, "today": 0, "tonight": 0,
    "this morning": 0,
    "yesterday": -1, "last night": -1, "the day before yesterday": -2, "day before yesterday": -2,
    "tomorrow": 1,
    "the day after tomorrow": 2, "day after tomorrow": 2,
}  # fmt: skip
_FEASTS = {
    "双十一": (11, 11), "双11": (11, 11), "双 11": (11, 11), "11.11": (11, 11), "double 11": (11, 11),
    "double eleven": (11, 11),
    "singles' day": (11, 11), "singles day": (11, 11), "双十二": (12, 12), "双12": (12, 12),
    "double 12": (12, 12),
    "618": (6, 18), "六一八": (6, 18), "三八节": (3, 8), "妇女节": (3, 8), "劳动节": (5, 1), "五一": (5, 1),
    "国庆": (10, 1),
    "国庆节": (10, 1), "十一假期": (10, 1), "元旦": (1, 1), "new year's day": (1, 1), "情人节": (2, 14),
    "valentine's day": (2, 14),
    "圣诞": (12, 25), "圣诞节": (12, 25), "christmas": (12, 25), "christmas day": (12, 25),
    "boxing day": (12, 26),
    "halloween": (10, 31), "万圣节": (10, 31),
}  # fmt: skip


def _latin(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_MONTH_NAMES = _latin(list(_MONTHS))
_DAY_NAMES = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun"
_NUMBER = rf"\d{{1,3}}|[{_ZH_NUMBER}]{{1,3}}"
_EN_NUMBER = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10,
    "a couple of": 2, "couple of": 2, "a few": 3,
}  # fmt: skip


def dates(folded: str, at: datetime) -> Iterator[tuple[int, int, str]]:
    """Start, end and ISO value of each mention; days as "2026-11-11", weeks and months as "first/last day".

    `folded` is the message in half width and lower case. A day without a year is the one nearest to `at`, rather
    past than to come, and past where something was bought then. Feasts that move (Black Friday) are told too;
    impossible days are left out. Mentions may overlap: the earlier one yielded is the more certain.
    """
    today = at.date()
    for pattern, tell in _RULES:
        for match in pattern.finditer(folded):
            value = tell(match, today)
            if value is not None:
                yield match.start(), match.end(), value


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_BOUGHT_BEFORE = re.compile(
    r"\b(?:bought|ordered|purchased|got|paid|placed|received|was|were)\b"
    r"(?:(?!\b(?:before|by|for|until|till|to|want|need|will|and|but|sale)\b)[^,.;!?，。；！？]){0,30}$"
)
_BOUGHT_AFTER = re.compile(
    r"\s*(?:那天|那会|当天|当日|那晚|晚上|期间|的时候|时候?|在你们店|在你家|我|就|才|已经){0,3}"
    r"(?:买的|买了|买过|下的单|下单了|下单的|下了单|购买的|购买了|购入|入手|拍的|拍了|订的|订了|付的|付了|收到)"
    r"|,? (?:i|we) (?:bought|ordered|purchased|got|paid)\b"
)
_MINE = re.compile(r"\b(?:my|our|the) $")
_PURCHASE = re.compile(r" (?:order|purchase)s?\b")


def _was(match: re.Match[str]) -> bool:
    """Whether the clause of a mention says that something was bought then: what was cannot be to come."""
    before, after = match.string[max(0, match.start() - 48) : match.start()], match.string[match.end() :][:24]
    if _BOUGHT_BEFORE.search(before) or _BOUGHT_AFTER.match(after):
        return True
    return bool(_MINE.search(before) and _PURCHASE.match(after))


def _nearest(month: int, day: int, today: date, *, was: bool = False) -> date | None:
    """The day of that month nearest to today; days to come count twice, since customers tell what was, and not at all
    where they say so."""
    found = [day_ for year in (-1, 0, 1) if (day_ := _day(today.year + year, month, day))]
    if was:
        return max((one for one in found if one <= today), default=None)
    return min(found, key=lambda one: max((today - one).days, 2 * (one - today).days), default=None)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _span(first: date, last: date) -> str:
    return f"{first.isoformat()}/{last.isoformat()}"


def _moved(today: date, days: int) -> date | None:
    try:
        return today + timedelta(days=days)
    except OverflowError:
        return None


def _count(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text in _EN_NUMBER:
        return _EN_NUMBER[text]
    tens, ten, ones = text.replace("两", "二").partition("十")
    digit = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "": 0}
    return (digit.get(tens, 0) or 1) * 10 + digit.get(ones, 0) if ten else digit.get(tens, 0)


def _full(match: re.Match[str], today: date) -> str | None:
    return _iso(_day(int(match[1]), int(match[2]), int(match[3])))


def _chinese_day(match: re.Match[str], today: date) -> str | None:
    month, day = _count(match["month"]), _count(match["day"])
    if match["year"]:
        year = {"今": today.year, "去": today.year - 1, "前": today.year - 2, "明": today.year + 1}.get(
            match["year"][0]
        )
        if year is None:
            digits = int(match["year"].rstrip("年"))
            year = digits if digits > 99 else 2000 + digits
        return _iso(_day(year, month, day))
    return _iso(_nearest(month, day, today, was=_was(match)))


def _english_day(match: re.Match[str], today: date) -> str | None:
    month, day = _MONTHS[match["month"]], int(match["day"])
    if match["year"]:
        return _iso(_day(int(match["year"]), month, day))
    return _iso(_nearest(month, day, today, was=_was(match)))


def _weeks(match: re.Match[str], today: date) -> str | None:
    shift = {
        "上上": -2,
        "上": -1,
        "last": -1,
        "past": -1,
        "previous": -1,
        "这": 0,
        "本": 0,
        "this": 0,
        "下": 1,
        "next": 1,
    }
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=shift[match["which"]])
    name = match["day"]
    if not name or name == "末":
        return _span(monday + timedelta(days=5 if name else 0), monday + timedelta(days=6))
    return _iso(monday + timedelta(days=_WEEKDAYS[name]))


def _english_week(match: re.Match[str], today: date) -> str | None:
    shift = {"last": -1, "past": -1, "previous": -1, "this": 0, "next": 1}[match["which"]]
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=shift)
    return _span(monday + timedelta(days=5 if match["day"] else 0), monday + timedelta(days=6))


def _weekday(match: re.Match[str], today: date) -> str | None:
    """The latest such day before today; after "next", "this", "coming" and "by" the first after today."""
    ahead = (_WEEKDAYS[match["day"]] - today.weekday()) % 7
    if match["which"] in {"next", "this", "this coming", "coming", "by"}:
        return _iso(today + timedelta(days=ahead or 7))
    return _iso(today + timedelta(days=ahead - 7))


def _months(match: re.Match[str], today: date) -> str | None:
    shift = {
        "上上": -2,
        "上": -1,
        "last": -1,
        "previous": -1,
        "这": 0,
        "本": 0,
        "this": 0,
        "下": 1,
        "next": 1,
    }[match["which"]]
    number = today.year * 12 + today.month - 1 + shift
    first = date(number // 12, number % 12 + 1, 1)
    if match.groupdict().get("day"):
        return _iso(_day(first.year, first.month, _count(match["day"])))
    return _span(first, first.replace(day=calendar.monthrange(first.year, first.month)[1]))


def _ago(match: re.Match[str], today: date) -> str | None:
    count = _count(match["count"])
    unit = match["unit"].rstrip("s")
    days = {
        "天": 1,
        "日": 1,
        "day": 1,
        "周": 7,
        "星期": 7,
        "礼拜": 7,
        "week": 7,
        "个月": 30,
        "月": 30,
        "month": 30,
    }[unit]
    return _iso(_moved(today, -count * days)) if count else None


def _relative(match: re.Match[str], today: date) -> str | None:
    return _iso(_moved(today, _DAYS_AGO[match["word"]]))


def _feast(match: re.Match[str], today: date) -> str | None:
    if match["year"]:
        shift = {"今年": 0, "去年": -1, "明年": 1}.get(match["year"])
        year = today.year + shift if shift is not None else int(match["year"].rstrip("年"))
        return _iso(_day(year, *_FEASTS[match["feast"]]))
    return _iso(_nearest(*_FEASTS[match["feast"]], today, was=_was(match)))


def _black_friday(match: re.Match[str], today: date) -> str | None:
    """Black Friday, or the Monday after: of the year that is named, the last or next one, else the nearest."""
    later = 4 if "cyber" in match[0] or "网络" in match[0] else 1
    if match["year"]:
        shift = {"今年": 0, "去年": -1, "明年": 1}.get(match["year"])
        year = today.year + shift if shift is not None else int(match["year"].rstrip("年"))
        return _iso(_thanksgiving(year) + timedelta(days=later))
    found = [_thanksgiving(today.year + shift) + timedelta(days=later) for shift in (-2, -1, 0, 1)]
    if match["which"] == "next":
        return _iso(next(day for day in found if day > today))
    if match["which"] == "last" or _was(match):
        return _iso(max(day for day in found if day <= today))
    return _iso(min(found, key=lambda day: abs((day - today).days)))


def _thanksgiving(year: int) -> date:
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], str | None]], ...] = tuple(
    (re.compile(pattern), tell)
    for pattern, tell in (
        (r"(?<!\d)(20\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", _full),
        (
            rf"(?:(?P<year>(?:\d{{4}}|\d\d|今|去|前|明)年)\s*)?(?<!\d)(?P<month>1[0-2]|0?[1-9]|十[一二]?|"
            rf"[一二三四五六七八九])\s*月\s*"
            rf"(?P<day>3[01]|[12]\d|0?[1-9]|[二三]?十[{_ZH_NUMBER}]?|"
            rf"[一二三四五六七八九])\s*[日号]?(?![\d天个])",
            _chinese_day,
        ),
        (
            rf"\b(?P<month>{_MONTH_NAMES})\.? (?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|"
            rf"th)?(?:,? (?P<year>20\d\d))?(?![\d:])\b",
            _english_day,
        ),
        (
            rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|"
            rf"th)?(?: of)? (?P<month>{_MONTH_NAMES})(?:,? (?P<year>20\d\d))?\b",
            _english_day,
        ),
        (
            rf"(?P<year>今年|去年|明年|20\d\d年?)?的?(?<![\d.])(?P<feast>{_latin(list(_FEASTS))})(?![\d.]|"
            rf"元|块|个|件|点)",
            _feast,
        ),
        (
            r"(?:(?P<year>今年|去年|明年|20\d\d年?)的?\s?|\b(?P<which>last|next) )?"
            r"(?:black friday|cyber monday|黑色星期五|黑五|网络星期一)",
            _black_friday,
        ),
        (r"(?P<which>上上|上|这|本|下)个?(?:周|星期|礼拜)(?P<day>[一二三四五六日天末])?", _weeks),
        (r"\b(?P<which>last|past|previous|this|next) week(?P<day>end)?\b", _english_week),
        (
            rf"\b(?P<which>last|this coming|this|next|coming|on|by|since|past) (?P<day>{_DAY_NAMES})\b",
            _weekday,
        ),
        (
            rf"(?P<which>上上|上|这|本|下)个?月"
            rf"(?P<day>3[01]|[12]\d|0?[1-9]|[{_ZH_NUMBER}]{{1,3}})[号日]",
            _months,
        ),
        (r"(?P<which>上上|上|这|本|下)个?月", _months),
        (r"\b(?P<which>last|previous|this|next) month\b", _months),
        (rf"(?<![\d.])(?P<count>{_NUMBER})(?P<unit>个月|天|日|周|星期|礼拜)(?:以?前|之前)", _ago),
        (rf"(?<![\d.])(?P<count>{_NUMBER})个(?P<unit>星期|礼拜)(?:以?前|之前)", _ago),
        (
            rf"\b(?P<count>\d{{1,3}}|{_latin(list(_EN_NUMBER))}) (?P<unit>days?|weeks?|months?) ago\b",
            _ago,
        ),
        (rf"(?P<word>{_latin([w for w in _DAYS_AGO if not w.isascii()])})", _relative),
        (rf"\b(?P<word>{_latin([w for w in _DAYS_AGO if w.isascii()])})\b", _relative),
    )
)  # fmt: skip
