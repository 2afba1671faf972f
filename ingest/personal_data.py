"""What gives a person away in running text: one finder for each kind of personal data.

A finder takes a text in half-width characters and yields spans, which may overlap. White space is matched
possessively and other runs have a bound, so that no text takes more than linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from ingest.phone_numbers import called_order, find_phones

PersonalData: TypeAlias = Literal["phone", "email", "card", "id", "address", "name"]
Finder: TypeAlias = Callable[[str], Iterator[tuple[int, int]]]


# --- mail -------------------------------------------------------------------------------------------------

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.+-])([A-Za-z0-9][A-Za-z0-9._%+-]{0,63})"
    r"@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
_TEAMS = frozenset(
    (
        *(
            "support",
            "service",
            "services",
            "help",
            "helpdesk",
            "info",
            "contact",
            "sales",
            "care",
            "cs",
            "kefu",
        ),
        *("hello", "returns", "refunds", "orders", "noreply", "no-reply", "privacy", "customerservice"),
        *("customer.service", "customer-service"),
    )
)


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """Mail addresses but those of a team, such as support@shop.example."""
    if "@" in text:
        yield from (match.span() for match in _EMAIL.finditer(text) if match[1].lower() not in _TEAMS)


# --- identity numbers -------------------------------------------------------------------------------------

_RESIDENT = re.compile(
    r"(?<![0-9A-Za-z])([1-8]\d{5})[ -]?((?:18|19|20)\d{6})[ -]?(\d{3}[\dXx])(?![0-9A-Za-z])"
)
_PROVINCES = frozenset(
    f"{region}{province}"
    for region, provinces in enumerate(
        ("12345", "123", "1234567", "123456", "01234", "12345", "1", "123"), start=1
    )
    for province in provinces
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_LABELLED_ID = re.compile(
    r"(?:身份证(?:件)?(?:号码?)?|身分證(?:字號|號碼)?|护照号码?|護照號碼?|港澳通行证号?"
    r"|passport(?: no\.?| number)?"
    r"|(?:national|resident|citizen) id(?: card)?(?: number| no\.?)?|identity (?:card|number)"
    r"|\bid card(?: number)?|\bssn\b|social security(?: number)?|driver'?s licen[cs]e(?: no\.?| number)?)"
    r"\s*+(?:[:是为為#]|is)?\s*+"
    r"(?P<id>[A-Za-z]{0,2}\d(?:[ -]?[\dA-Za-z]){4,18}(?:\(\d\))?)(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_HONG_KONG = re.compile(r"(?<![0-9A-Za-z])(?P<id>[A-Z]{1,2}\d{6}\([0-9A]\))")
_HANDLE = re.compile(
    r"(?:(?:微信号?|\bvx|wechat(?: id)?)\s*+(?:[:是]|is\b)\s*+(?P<id>[A-Za-z][\w-]{5,19})(?![\w@])"
    r"|(?:微信号|加(?:一下|下)?(?:我|您|你)?的?微信|\bwechat id|"
    r"\bvx)\s*+(?P<handle>[A-Za-z](?=[\w-]*[\d_-])[\w-]{4,19})(?![\w@])"
    r"|\bQQ号?\s*+[:是]?\s*+(?P<qq>[1-9]\d{4,10})(?!\d))",
    re.IGNORECASE | re.ASCII,
)


def find_identities(text: str) -> Iterator[tuple[int, int]]:
    """Chinese resident ids by their check character, others after their label or in their own form."""
    for match in _RESIDENT.finditer(text):
        if is_resident_id("".join(match.groups())) and not called_order(text, *match.span()):
            yield match.span()
    for match in _LABELLED_ID.finditer(text):
        if sum(character.isdigit() for character in match["id"]) >= 6:
            yield match.span("id")
    for form in (_HONG_KONG, _HANDLE):
        yield from (match.span(match.lastgroup or 0) for match in form.finditer(text))


def is_resident_id(number: str) -> bool:
    """Whether 18 characters are a Chinese resident id: province, date of birth and check character.

    The check is ISO 7064 MOD 11-2, as GB 11643-1999 says.
    """
    if number[:2] not in _PROVINCES or not ("01" <= number[10:12] <= "12" and "01" <= number[12:14] <= "31"):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return "10X98765432"[total % 11] == number[17].upper()


# --- payment cards ----------------------------------------------------------------------------------------

_CARD_FORMS = tuple(
    re.compile(rf"(?<![0-9A-Za-z])(?<![0-9A-Za-z]-){form}(?![0-9A-Za-z])")
    for form in (
        r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}\1\d{3}",
        r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}",
        r"3\d{3}([ -])\d{6}\1\d{4,5}",
        r"\d{14,19}",
    )
)
_ISSUERS = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|62\d{14,17}"
    r"|81\d{14,17}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
)
_BANK_CARD = re.compile(
    r"(?:(?:银行卡|信用卡|储蓄卡|借记卡|銀行卡|银联|credit card|debit card|bank card|\bvisa|mastercard)"
    r"(?:卡号|号码?|號碼?| ?numbers?| no\.?)?|(?<!礼品)(?<!会员)(?<!购物)(?<!优惠)(?<!充值)卡号|"
    r"(?<!gift )(?<!sim )(?<!member )\bcard(?: numbers?| no\.?)?)\s*+(?:[:是为]|is)?\s*+$",
    re.IGNORECASE,
)


def find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Payment cards: an issuer's prefix and length and the Luhn check, or digits after "credit card"."""
    for form in _CARD_FORMS:
        for match in form.finditer(text):
            digits = re.sub(r"\D", "", match.group())
            valid = (
                passes_luhn(digits) and _ISSUERS.fullmatch(digits) and not called_order(text, *match.span())
            )
            if valid or _BANK_CARD.search(text, max(0, match.start() - 30), match.start()):
                yield match.span()


def passes_luhn(digits: str) -> bool:
    """The check of payment cards, ISO/IEC 7812-1 annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# --- addresses --------------------------------------------------------------------------------------------

_PLACE = "(?:省|自治区|市|区|县|州|盟|旗|镇|乡|街道|新村|小区)"
_STREET = "(?:路|街|道|巷|弄|胡同|村|屯|小区|花园|公寓|大厦|广场|家园|苑|号|栋|幢|座|单元|室|楼)"
_HAN = "[一-鿿]"
_REST = r"[^,，。;；!！?？\n]"
_CHINESE_LABELLED = re.compile(
    "(?:(?:(?:收货|收件|收貨|配送|送货|家庭|邮寄|寄送|我的|我家|新的?|详细|居住)人?(?:地址|住址)|住址)"
    "|(?:改|寄|送|发|换)(?:到|至|成|为))"
    r"\s*+(?:[:]|是|为|(?:改|换)(?:成|为|到)|在)?\s*+"
    rf"(?P<address>[^\s,，。;；!！?？]{{1,12}}{_PLACE}{_REST}{{0,30}}?{_STREET}{_REST}{{0,30}})"
)
_PROVINCE = (
    "(?:北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|"
    "海南|四川|贵州|"
    "云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门)"
)
_CHINESE_ROOM = re.compile(
    rf"(?P<address>(?:{_PROVINCE}(?:省|市|{_HAN}{{0,4}}自治区)?(?:{_HAN}{{2,6}}?市)?"
    rf"|(?<=[在到往至是为于:, ])(?!在){_HAN}{{2,4}}市)"
    rf"{_HAN}{{1,8}}(?:区|县|市|镇)[一-鿿A-Za-z0-9]{{1,24}}(?:路|街|道|巷|弄|小区|花园|公寓|苑|村)"
    r"[一-鿿A-Za-z0-9-]{0,20}?\d+(?:室|单元|栋|幢|号楼)[一-鿿0-9A-Za-z-]{0,12})"
)
_ADDRESS_ENDS = re.compile(
    r"[\s,]*(?:\[|\b(?:phone|tel|mobile|cell|email)\b|电话|手机|收货人|收件人|姓名|联系|邮编|订单|谢谢|"
    r"可以|行吗|好吗"
    r"|了吗|吗|\d{7,}).*$",
    re.DOTALL | re.IGNORECASE,
)
_SHOPS_OWN = re.compile(
    r"(?:退货|退換|退换|仓库|倉庫|公司|门店|店铺|自提|return|warehouse|store|office|shop)[^，。,;；\n]{0,12}$",
    re.IGNORECASE,
)
_ENGLISH_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Square|Sq|"
    r"Highway|Hwy|Close|Crescent|Parkway|Pkwy)"
)
_ENGLISH_LABELLED = re.compile(
    r"(?:(?:ship(?:ping)?|delivery|home|mailing|billing|postal|my|new|correct) address"
    r"(?:\s++(?:is|to|should be))?\s*+[:=]?\s*+"
    r"|(?:ship|deliver|send|sent|delivered|shipped)(?: it| this| them)? to:?\s++)"
    r"(?P<address>(?:(?:Flat|Apt|Unit|Room|Suite)\.?\s*+\w{1,6},?\s*+)?"
    r"\d{1,6}[A-Za-z]?,?\s++[A-Za-z][^\n;!?。，]{3,90}?)"
    r"(?=\.?[ \t]*+(?:$|\n)|[;!?。，]|\.\s"
    r"|\s++(?:instead|please|and|but|because|by|before|not|today|thanks)\b)",
    re.IGNORECASE,
)
_LOOKS_LIKE_STREET = re.compile(rf"\b{_ENGLISH_STREET}\b|\d{{5}}|,", re.IGNORECASE)
_ENGLISH_FORM = re.compile(
    rf"\b(?P<address>\d{{1,6}}[A-Za-z]?\s++(?:[A-Z0-9][\w'.]*\s++){{1,4}}{_ENGLISH_STREET}\b\.?"
    r"(?:,?\s*+(?:Apt|Apartment|Unit|Suite|Ste|Flat|#)\.?\s*+\w{1,6})?(?:,\s*+[A-Z][A-Za-z' ]{1,30}){1,2}"
    r"(?:,?\s*+[A-Z]{2})?,?\s++(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z0-9]?\s*+\d[A-Z]{2}))\b"
)
_ENGLISH_POSTCODE = re.compile(
    rf"\b(?P<address>\d{{1,5}}[A-Za-z]?,?\s++(?:[A-Z][\w'.]*\s++){{1,4}}{_ENGLISH_STREET}\b\.?"
    r"(?:,?\s++[A-Z][A-Za-z']{1,20}){0,4},?\s++(?:[A-Z]{1,2}\d[A-Z0-9]?\s*+\d[A-Z]{2}|"
    r"[A-Z]{2}\s++\d{5}(?:-\d{4})?))\b"
)


def find_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Street addresses after a label, or down to the room or postcode; not those of a shop's warehouse."""
    for form in (_CHINESE_LABELLED, _CHINESE_ROOM, _ENGLISH_LABELLED, _ENGLISH_FORM, _ENGLISH_POSTCODE):
        for match in form.finditer(text):
            start, end = match.span("address")
            if _SHOPS_OWN.search(text, max(0, match.start() - 20), start):
                continue
            if form is _ENGLISH_LABELLED and not _LOOKS_LIKE_STREET.search(match["address"]):
                continue
            yield start, start + len(_ADDRESS_ENDS.sub("", text[start:end]).rstrip())


# --- names ------------------------------------------------------------------------------------------------

_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|端木|"
    "[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢"
    "韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史"
    "顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文張劉陳楊趙黃吳孫馬羅鄭謝韓馮許蔣賈葉閻鍾])"
)
_GIVEN = (
    "[^\\W\\d_a-zA-Z的了吗嘛呢吧啊色个家客州西徽宁苏东北们不没在要想买卖单款码级员卡"
    "金户号高一中生只是有装卓说必求知女男总]"
)
"""What follows a surname in a given name, not in 白色, 安卓, 江西 and the like."""
_NOBODY = "(?:客服|本人|同上|无|空|未|不|见|先生|女士|您|我|他|她|如)"
_NAME_ENDS = r"(?=$|[\s,，。.;；:、!！?？)(\[]|电话|手机|先生|女士|小姐|的电话|的手机)"
_CHINESE_NAME = re.compile(
    "(?:姓名|收货人|收件人|收貨人|联系人|聯絡人|寄件人|持卡人|名字)(?:"
    rf"\s*+[:]\s*+(?P<colon>(?!{_NOBODY}){_HAN}{{2,4}}(?:·{_HAN}{{1,6}})?)"
    rf"|\s*+[是为為叫]?\s*+(?P<said>{_SURNAME}{_HAN}{{1,2}})){_NAME_ENDS}"
    rf"|(?:我叫|本人叫|尊敬的)\s*+(?P<called>{_SURNAME}{_HAN}{{1,2}}){_NAME_ENDS}"
    rf"|(?:(?<![一-鿿])|(?<=[好在]))(?:我|本人)是\s*+(?P<am>{_SURNAME}{_GIVEN}{{1,2}}){_NAME_ENDS}"
)
_NO_NAMES = (
    "very so not still from in on at the a an your here just really also only sorry sure happy sad angry done back "
    "home team prime vip gold silver platinum member customer apple android windows iphone samsung chinese english "
    "new old based using calling writing waiting looking trying having getting going coming asking wondering "
    "interested order"
)
_STOPPED = "|".join(word.title() for word in _NO_NAMES.split())
_ENGLISH_SELF = re.compile(
    rf"(?:^|(?<=[\s,.!(]))(?:I'm|I am|i'm|i am)\s++(?P<name>(?!(?:{_STOPPED})\b)[A-Z][a-z'-]+ "
    rf"(?!(?:{_STOPPED})\b)[A-Z][a-z'-]+)(?=\s*+(?:$|[,.;!\n]|and\b|with\b))"
)
_CAPITALISED = r"[A-Z][a-z'’-]+(?:\s++[A-Z]\.)?(?: [A-Z][a-z'’-]+){0,2}(?![A-Za-z])"
_ENGLISH_NAME = re.compile(
    r"(?:(?i:\bmy (?:full )?name(?: is|'s)|\bname on (?:the |my )?(?:card|order|account)(?: is)?:?"
    r"|\brecipient(?:'s name)?:|\b(?:full|customer|contact|cardholder|recipient|first|last) name(?: is)?:?"
    r"|(?:姓名|收货人|收件人|联系人)\s*+:|我叫)|(?:^|(?<=\n))[ \t]*+(?i:name|customer|attn):)"
    rf"\s*+(?P<name>{_CAPITALISED})"
)


def find_names(text: str) -> Iterator[tuple[int, int]]:
    """Names after a label that announces one; a Chinese one begins with a surname unless a colon leads it."""
    for form in (_CHINESE_NAME, _ENGLISH_NAME, _ENGLISH_SELF):
        yield from (match.span(match.lastgroup or 0) for match in form.finditer(text))


FINDERS: tuple[tuple[PersonalData, Finder], ...] = (
    ("email", find_emails),
    ("id", find_identities),
    ("card", find_cards),
    ("phone", find_phones),
    ("address", find_addresses),
    ("name", find_names),
)
"""The surest first."""
