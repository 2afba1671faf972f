"""Personal data out of what people wrote; order and parcel numbers stay, since cases need them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ingest.models import Block, Document, FieldValue
from ingest.personal_data import FINDERS, PersonalData

MASKS: dict[PersonalData, str] = {
    "phone": "[PHONE]",
    "email": "[EMAIL]",
    "card": "[CARD]",
    "id": "[ID]",
    "address": "[ADDRESS]",
    "name": "[NAME]",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of personal data, as character offsets `[start, end)` into the original text."""

    type: PersonalData
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with its personal data masked, and where they stood, in order."""

    text: str
    findings: tuple[Finding, ...]


def redact(text: str) -> Redacted:
    """Mask telephone numbers, mail addresses, payment cards, identity numbers, addresses and names.

    Numbers are recognised by their plans and check digits (Luhn for cards, ISO 7064 MOD 11-2 for Chinese
    resident ids), in full width too. Order and parcel numbers, SKUs, prices, dates, hotlines and a team's
    mailbox (support@...) stay. Street addresses and names are masked only after a label (收货地址, 姓名,
    "ship to", "my name is") or in a form that leaves no doubt; others stay. Masking twice changes nothing.
    """
    findings = _findings(text)
    parts: list[str] = []
    end = 0
    for finding in findings:
        parts += [text[end : finding.start], MASKS[finding.type]]
        end = finding.end
    return Redacted("".join([*parts, text[end:]]), findings)


def redact_document(document: Document) -> Document:
    """A resolution without personal data in title, text, fields and metadata; its blocks follow the text.

    Other kinds are what the shop publishes, its own hotline included, and come back as they are. A field's
    name helps to recognise its value (收货地址, phone). Applying it twice changes nothing.
    """
    if document.kind != "resolution":
        return document
    text, blocks = _redacted_blocks(document.text, document.blocks)
    return replace(
        document,
        title=redact(document.title).text,
        text=text,
        blocks=blocks,
        fields={name: _redacted_value(name, value) for name, value in document.fields.items()},
        metadata={name: _redacted_value(name, value) for name, value in document.metadata.items()},
    )


def _redacted_blocks(text: str, blocks: tuple[Block, ...]) -> tuple[str, tuple[Block, ...]]:
    """Each block and what stands between is redacted by itself, so that no mask crosses a block's edge."""
    parts: list[str] = []
    moved: list[Block] = []
    length = end = 0
    for block in (*blocks, Block("prose", len(text), len(text))):
        between = redact(text[end : block.start]).text
        inside = redact(text[block.start : block.end]).text
        parts += [between, inside]
        section = tuple(redact(name).text for name in block.section)
        start = length + len(between)
        moved.append(Block(block.role, start, start + len(inside), section))
        length = start + len(inside)
        end = block.end
    return "".join(parts), tuple(moved[:-1])


def _redacted_value(name: str, value: FieldValue) -> FieldValue:
    """A field's value, judged with its name ("phone: 1234567"); a number stays one unless it is masked."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and not value):
        return value
    label = "" if name in ("question", "reply") else f"{name.replace('_', ' ')}: "
    labelled = redact(f"{label}{value}").text
    written = labelled.removeprefix(label) if labelled.startswith(label) else redact(str(value)).text
    return written if written != str(value) else value


_PERSONS_KEYS: tuple[tuple[PersonalData, str], ...] = (
    ("email", "(?:[a-z]+[._ -])?e-?mail(?:[._ -]?address)?|邮箱"),
    (
        "address",
        "(?:[a-z]+[._ -])?address(?:[._ -]?(?:line)?[._ -]?\\d)?|street|收货地址|地址|住址|详细地址",
    ),
    (
        "phone",
        "(?:[a-z]+[._ -])?(?:phone|mobile|telephone|tel|cell)(?:[._ -]?(?:number|no))?|电话|手机|手机号|联系电话|"
        "联系方式",
    ),
    (
        "id",
        "(?:id[._ -]?card|passport|ssn|wechat|weixin|qq)(?:[._ -]?(?:number|no|id))?|身份证号?|微信号?",
    ),
    (
        "card",
        "(?:bank|credit|debit)[._ -]?card(?:[._ -]?(?:number|no))?|card[._ -]?(?:number|no)|(?:银行|信用)?卡号",
    ),
    (
        "name",
        "(?:full|first|last|real|customer|receiver|recipient|buyer|user|contact|consignee)[._ -]?name|name|"
        "receiver|recipient|consignee|姓名|名字|收货人|收件人|联系人|买家姓名|顾客姓名",
    ),
)
_PERSONS_KEY = tuple(
    (kind, re.compile(rf"(?:^|[._\s-])(?:{words})$", re.IGNORECASE)) for kind, words in _PERSONS_KEYS
)
_THINGS_NAME = re.compile(
    r"(?:product|item|goods|sku|shop|store|order|brand|campaign|category|coupon|carrier|courier|agent|file|event|"
    r"model|variant|plan|商品|店铺|品牌|活动)s?[._\s-]*(?:name|address)$",
    re.IGNORECASE,
)


def redact_value(name: str, value: str) -> str:
    """A value without personal data, judged also by its name: a customer's name or address is masked whole, whatever it
    looks like; a product's name is not."""
    if value.strip() and not _THINGS_NAME.search(name):
        for kind, called in _PERSONS_KEY:
            if called.search(name):
                return MASKS[kind]
    return redact(value).text


_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
_FULL_WIDTH |= dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), ord("-"))
_WORTH_A_LOOK = re.compile(
    r"\d{4}|\d[\d ().-]{5,}\d|@|[名叫人的省市区]|我是|[地住]址|微信|\d[a-z]{2}(?![a-z0-9])|\bvx"
    r"|name|address|recipient|ship|deliver|send|attn|customer|i'm|i am|this is",
    re.ASCII | re.IGNORECASE,
)


def _findings(text: str) -> tuple[Finding, ...]:
    """All findings, none overlapping; the surer kind wins where two claim the same characters."""
    narrow = text.translate(_FULL_WIDTH)  # the same length, so that offsets stay right
    if not _WORTH_A_LOOK.search(narrow):
        return ()
    found: list[Finding] = []
    taken = bytearray(len(narrow))
    for kind, find in FINDERS:
        for start, end in find(narrow):
            if start < end and not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(Finding(kind, start, end))
    return tuple(sorted(found, key=lambda finding: finding.start))


# --- messages with the same words and other numbers -------------------------------------------------------

_VARIABLE = re.compile(
    r"(?P<keep>\[[A-Z]+\])"
    r"|(?P<date>\d{4}[-/.年]\d{1,2}(?:[-/.月]\d{1,2}[日号]?|月)|\d{1,2}月\d{1,2}[日号]?"
    r"|(?<!\d)\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?|\d{1,2}/\d{1,2}(?:/\d{2,4})?(?![\d/]))"
    r"|(?P<price>(?:[¥￥$€£]|US\$|HK\$|RMB|CNY|USD|EUR|GBP)\s?\d[\d,]{0,15}(?:\.\d+)?"
    r"|\d[\d,]{0,15}(?:\.\d+)?\s?(?:元|块钱?|人民币|美元|yuan|rmb|usd|dollars?|euros?|pounds?)(?![A-Za-z]))"
    r"|(?P<order>(?<![0-9A-Za-z_-])[A-Za-z]{0,6}[-_#]?(?:\d[-_]?){8,40}[A-Za-z]{0,3}(?![0-9A-Za-z_-])|\d{6,})"
    r"|(?P<number>(?<![0-9A-Za-z_.-])\d+(?:,\d{3}){0,6}(?:\.\d+)?(?![0-9A-Za-z_]))",
    re.IGNORECASE,
)
_PLACEHOLDERS = {"date": "[DATE]", "price": "[PRICE]", "order": "[ORDER]", "number": "[NUMBER]"}


def mask_numbers(text: str) -> str:
    """A message with its numbers replaced by what they are, so that two about the same thing look the same.

    Personal data become their masks, then order and parcel numbers [ORDER], amounts [PRICE], dates and
    times [DATE], other numbers [NUMBER]. Model names such as K500 or AUR-S2-BLK stay. Twice is once.
    """
    known = redact(text).text
    narrow = known.translate(_FULL_WIDTH)
    parts: list[str] = []
    end = 0
    for match in _VARIABLE.finditer(narrow):
        placeholder = _PLACEHOLDERS.get(match.lastgroup or "")
        if placeholder:
            parts += [known[end : match.start()], placeholder]
            end = match.end()
    return "".join([*parts, known[end:]])


_HOTLINE = re.compile(r"(?:400|800)[- ]?\d{3}[- ]?\d{4}|1[- ]?8\d{2}[- ]?\d{3}[- ]?\d{4}")


def mask_order_numbers(text: str) -> str:
    """A reply without its customer: personal data masked, and order and parcel numbers [ORDER].

    Prices, dates, spans of time and hotlines stay, since they are what the reply says. Twice is once.
    """
    known = redact(text).text
    narrow = known.translate(_FULL_WIDTH)
    parts: list[str] = []
    end = 0
    for match in _VARIABLE.finditer(narrow):
        if match.lastgroup == "order" and not _HOTLINE.fullmatch(match[0]):
            parts += [known[end : match.start()], _PLACEHOLDERS["order"]]
            end = match.end()
    return "".join([*parts, known[end:]])
