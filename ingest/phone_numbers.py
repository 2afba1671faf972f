"""Telephone numbers of people in running text; orders, parcels, dates and hotlines are left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

Label: TypeAlias = Literal["order", "phone", "hotline"]

# What stands before a number tells what it is; the label nearest to it wins.
_LABELS = re.compile(
    r"(?P<hotline>客服|热线|熱線|售后|官方|总机|门店|服务电话|hotline|help ?line|customer (?:service|care)|"
    r"support (?:line|number|desk)|toll[- ]free)(?:电话|電話|热线|号码|number|line|团队|team)*"
    r"|(?P<order>订单|訂單|单号|單號|运单|運單|编号|編號|流水号|交易号|发票号|序列号|货号|款号|编码|条码|快递号|物流号|"
    r"工单|order|tracking|parcel|shipment|waybill|invoice|serial|reference|\bref\b|transaction|ticket|\bcase\b|"
    r"\bsku\b|\bsn\b|\bimei\b)(?:号码?|號碼?|numbers?|no\b)*"
    r"|(?P<phone>电话|電話|手机|手機|联系方式|聯絡方式|致电|回电|回拨|拨打|打给我|传真|whatsapp|telephone|\bphone|mobile|"
    r"\bcell\b|\btel\b|\bfax\b|\bcall\b|\btext me\b|reach me|contact me|my number)",
    re.IGNORECASE,
)
_REACH = 24
_CONTEXT_ENDS = re.compile(r"[\n。！？；;!?]|\d{5,}|\d[\d -]{6,}\d")
_ORDER_AFTER = re.compile(
    r"\s*+(?:是|为|is|was)?\s*+(?:我的|我|my|the|our)?\s*+(?:订单|訂單|单号|运单|order|tracking|parcel)",
    re.IGNORECASE,
)


def label_before(text: str, start: int) -> Label | None:
    """What the nearest words before a number call it, within the sentence and up to another number."""
    context = text[max(0, start - _REACH) : start]
    ends = list(_CONTEXT_ENDS.finditer(context))
    context = context[ends[-1].end() :] if ends else context
    found: Label | None = None
    for match in _LABELS.finditer(context):
        found = "hotline" if match["hotline"] else "order" if match["order"] else "phone"
    return found


def called_order(text: str, start: int, end: int) -> bool:
    """Whether the words around a number make it an order's, a parcel's or the like."""
    if label_before(text, start) == "order":
        return True
    return label_before(text, start) is None and _ORDER_AFTER.match(text, end) is not None


_START = r"(?<![0-9A-Za-z_])(?<![0-9A-Za-z][-_/.#])(?<!\d[,:])"
_END = r"(?![0-9A-Za-z_]|[-_/.:,]\d)"
_EXTENSION = r"(?P<extension>\s?(?:转|轉|分机|ext\.?|x)\s?\d{1,6})?"

_CHINA_MOBILE = re.compile(
    rf"{_START}(?:\(?(?:\+|00)?86\)?[ -]?)?1[3-9]\d([ -]?)\d{{4}}\1\d{{4}}(?:{_END}|(?=[A-Za-z_]))"
)
_PLUS = re.compile(r"(?<![0-9A-Za-z+])(?:\+|00(?=[1-9]\d{1,2}[ -]))\s?\(?[1-9]")
_REGIONAL: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (region, re.compile(_START + form + _EXTENSION + _END))
    for region, form in (
        ("CN", r"(?:\(0\d{2,3}\)\s?|0\d{2,3}[ -])[2-8]\d{2,3}[ -]?\d{4}"),
        ("TW", r"09\d{2}([ -]?)\d{3}\1\d{3}"),
        ("TW", r"(?:\(0\d{1,2}\)\s?|0\d{1,2}[ -])\d{3,4}[ -]\d{4}"),
        ("HK", r"\(?852\)?[ -]?[2-9]\d{3}[ -]?\d{4}"),
        ("US", r"(?:1[ .-])?(?:\([2-9]\d\d\)\s?|[2-9]\d\d[.-])\d{3}[.-]\d{4}"),
        ("US", r"\([2-9]\d\d\) \d{3} \d{4}"),
        ("GB", r"0\d{2,4} \d{3,4}(?: \d{3,4}){1,2}"),
    )
)
_BRITISH_MOBILE = re.compile(rf"{_START}(?:07\d{{3}} ?\d{{3}} ?\d{{3}}){_END}")
_LABELLED = re.compile(
    r"(?:电话|電話|手机|手機|联系方式|聯絡方式|致电|打给我|\bphone|mobile|\bcell|\btel|whatsapp|"
    r"\b(?:call|text|reach|contact|phone|ring) me|my number)"
    r"(?:号码?|號碼?|\snumber)?(?:\s*+(?:[:：]|是|为|為|\bis\b|\bat\b|\bon\b)\s*+|(?<=电话)|(?<=電話)|(?<=致电))"
    rf"(?P<number>\(?\d(?:[ .()-]{{0,2}}\d){{6,14}}){_END}"
    rf"|\b(?:phone|mobile|cell|tel)\.?\s(?P<bare>\d(?:[ .-]?\d){{6,10}}){_END}",
    re.IGNORECASE,
)
_HOTLINE = re.compile(r"(?:0086|86)?(?:[48]00\d{7}|95\d{3,6}|1?8(?:00|33|44|55|66|77|88)\d{7}|0?800\d{6,7})")


def find_phones(text: str) -> Iterator[tuple[int, int]]:
    """Spans of personal telephone numbers, which may overlap.

    Mainland China, Hong Kong, Taiwan, United States, Great Britain, and any with a country code; other
    forms where the words before them say so. `text` has half-width digits. Numbers of services (400, 800,
    95xxx, toll-free, shared cost) and those called a hotline, an order, a parcel or a serial number are
    left out. Forms that other numbers share are confirmed by the numbering plans of phonenumbers
    (https://github.com/daviddrysdale/python-phonenumbers).
    """
    for match in _CHINA_MOBILE.finditer(text):
        if not called_order(text, *match.span()):
            yield match.span()
    for match in _BRITISH_MOBILE.finditer(text):
        if not called_order(text, *match.span()) and label_before(text, match.start()) != "hotline":
            yield match.span()
    yield from _international(text)
    for region, form in _REGIONAL:
        for match in form.finditer(text):
            number = match.group().removesuffix(match["extension"] or "")
            if label_before(text, match.start()) not in ("order", "hotline") and _personal(number, region):
                yield match.span()
    for match in _LABELLED.finditer(text):
        start, end = match.span("number" if match["number"] else "bare")
        digits = re.sub(r"\D", "", text[start:end])
        if label_before(text, start) == "phone" and not _HOTLINE.fullmatch(digits):
            yield start, end


def _international(text: str) -> Iterator[tuple[int, int]]:
    """Numbers that begin with + or 00 and a country code."""
    begins = [match.start() for match in _PLUS.finditer(text)]
    if not begins:
        return
    import phonenumbers

    for begin in begins:
        if label_before(text, begin) in ("order", "hotline"):
            continue
        window = text[begin : begin + 32]
        written = "+" + window[2:] if window.startswith("00") else window
        shift = len(window) - len(written)
        for match in phonenumbers.PhoneNumberMatcher(written, None):
            if match.start == 0 and not _is_service(match.number):
                yield begin, begin + match.end + shift
            break


def _personal(number: str, region: str) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) and not _is_service(parsed)


def _is_service(number: object) -> bool:
    from phonenumbers import PhoneNumber, PhoneNumberType, number_type

    assert isinstance(number, PhoneNumber)
    services = {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
    }
    return number_type(number) in services
