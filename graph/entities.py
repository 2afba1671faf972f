"""What a message names: products, orders, parcels, carriers, campaigns, amounts, dates, sizes, contacts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from graph.dates import dates
from graph.folding import fold, is_latin
from graph.models import Entity

DEFAULT_CARRIERS: Mapping[str, tuple[str, ...]] = {
    "SF Express": ("顺丰", "顺丰速运", "顺丰快递", "SF Express", "SF"),
    "YTO": ("圆通", "圆通速递", "圆通快递", "YTO"),
    "ZTO": ("中通", "中通快递", "ZTO"),
    "STO": ("申通", "申通快递", "STO"),
    "Yunda": ("韵达", "韵达快递", "Yunda"),
    "JD Logistics": ("京东物流", "京东快递", "JD Logistics"),
    "J&T": ("极兔", "极兔速递", "J&T", "J&T Express"),
    "Deppon": ("德邦", "德邦快递", "德邦物流", "Deppon"),
    "China Post": ("中国邮政", "邮政", "邮政快递", "China Post"),
    "EMS": ("EMS",),
    "Cainiao": ("菜鸟", "菜鸟裹裹", "菜鸟驿站", "丰巢", "Cainiao"),
    "UPS": ("UPS",),
    "FedEx": ("FedEx", "联邦快递"),
    "DHL": ("DHL", "敦豪"),
    "USPS": ("USPS",),
    "DPD": ("DPD",),
    "GLS": ("GLS",),
    "Royal Mail": ("Royal Mail",),
    "Hermes": ("Evri",),
}
"""Carriers by the name that stands for each, with the names customers use."""

# White space is matched possessively: four runs of it that may share it out take time of the fourth power.
_MARK = r"\s*+(?:号码|编号|号|no\.?|nr\.?|number|num|id|code)?\s*+(?:是|为|is|:|#|=)?\s*+#?\s*+"
_CODE = r"(?P<value>(?=[a-z0-9-]*\d[a-z0-9-]*\d[a-z0-9-]*\d)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?![a-z0-9])"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("email", r"(?<![a-z0-9._%+-])(?P<value>[a-z0-9][a-z0-9._%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+)"),
        ("url", r"(?P<value>(?:https?://|www\.)[^\s,，。；;）)】\]]+)"),
        (
            "parcel",
            r"(?:运单|快递单|物流单|快递|物流|包裹|tracking|parcel|waybill|awb|consignment|shipment)"
            + _MARK + r"(?<![a-z0-9])" + _CODE,
        ),
        ("order", r"(?:订单|交易|(?<![a-z])order|(?<![a-z])purchase)" + _MARK + r"(?<![a-z0-9])" + _CODE),
        ("order", r"(?<![a-z0-9])(?P<value>[a-z]{1,4}-?20\d\d[01]\d[0-3]\d-?\d{3,10})(?![a-z0-9])"),
        ("order", r"(?<![a-z0-9])(?P<value>(?:ord|order|so|po|dd|od|no)-?\d{5,20})(?![a-z0-9])"),
        (
            "parcel",
            r"(?<![a-z0-9])(?P<value>1z[0-9a-z]{16}|(?:sf|yt|jt|jd|jdv[a-z]?|jdx|dpk|zto|sto|zt|cn|lp|"
            r"yd)[a-z]?\d{9,18}"
            r"|[a-z]{2}\d{9}[a-z]{2}|[a-z]{2}\d{9,15})(?![a-z0-9])",
        ),
        ("phone", r"(?<![\d.+-])(?P<value>(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2})(?![\d-])"),
        ("phone", r"(?<![\d.])(?P<value>(?:[48]00[- ]\d{3}[- ]?\d{4}|0\d{2,3}[- ]\d{7,8}))(?![\d-])"),
        ("phone", r"(?<![\w.])(?P<value>\+\d{1,3}(?:[ .()-]{0,2}\d){7,12})(?!\d)"),
        ("phone", r"(?<![\w.])(?P<value>\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?!\d)"),
        ("order", r"(?<![a-z0-9.,#])(?P<value>\d{12,20})(?![a-z0-9.])"),
        ("order", r"(?<![a-z0-9])#(?P<value>\d{4,20})(?![a-z0-9.])"),
    )
)  # fmt: skip

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
_AMOUNT = re.compile(
    rf"(?P<sign>us\$|hk\$|s\$|[¥$€£]|rmb|cny|usd|eur|gbp|hkd|"
    rf"sgd)\s*(?P<signed>{_DIGITS})(?P<times>[万千])?(?![\d%])"
    rf"|(?<![\d.a-z-])(?P<plain>{_DIGITS})(?P<thousands>[万千])?\s*(?P<unit>块钱|元钱|人民币|元|块(?!屏|表|"
    rf"板|布|钱包)|"
    r"rmb|cny|yuan|usd|dollars?|bucks|eur(?:os?)?|gbp|pounds?|quid|hkd|sgd|€|£|美元|美金|刀(?![具片])|欧元|"
    r"英镑|港币|港元|新币)(?![a-z])"
    rf"|(?<![{_HAN_DIGITS}])(?P<spoken>[{_HAN_DIGITS}]++)(?P<spoken_unit>块钱|元钱|元|块(?!屏|表|板|布)|美元|美金|欧元|英镑|港币)"
)  # fmt: skip
_SIZE = re.compile(
    r"(?<![a-z0-9-])(?P<letters>\d?x{1,4}[sl]|xs|xl|[sml](?=\s*(?:码|号|size))|"
    r"2xs)(?![a-z0-9'-])(?:\s*(?:码|号|size))?"
    r"|(?<![\d.])(?P<number>\d{2,3}(?:\.5)?)\s*码"
    r"|(?:size|尺码|尺寸|码数)\s*(?:是|为|:|is)?\s*(?P<after>\d{1,3}(?:\.5)?|x{0,4}[sml]|xs|"
    r"\dxl)(?![a-z0-9.%])"
    r"|(?<![a-z])(?P<word>extra large|extra small|medium|均码|加大码|大码|小码|中码)(?![a-z])"
)


_GAP = 3
"""Characters that may lie between two of a name: a blank or two, a hyphen."""


class Gazetteer:
    """The names a shop knows, and patterns for the rest; immutable.

    `products` gives names by SKU, in any language; `carriers` and `campaigns` give the names of each under
    the one that stands for it. A SKU is found whatever its case, hyphens and blanks; names are found whole,
    longest first, whatever their case, width, blanks and (for common characters) script.
    """

    def __init__(
        self,
        products: Mapping[str, Sequence[str]] | None = None,
        carriers: Mapping[str, Sequence[str]] | None = None,
        campaigns: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        listed = {sku: (*called, *_models(sku)) for sku, called in (products or {}).items()}
        self._skus = {_bare(sku): sku for sku in listed if len(_bare(sku)) > 2}
        self._products: dict[str, tuple[str, ...]] = {}
        self._names = _Names()
        owners: dict[str, dict[str, None]] = {}
        for sku, called in listed.items():
            for name in called:
                owners.setdefault(_bare(name), {})[sku] = None
        for called in listed.values():
            for name in called:
                skus = tuple(owners[_bare(name)])
                value = skus[0] if len(skus) == 1 else name.strip()
                self._names.add(name, "product", value)
                self._products.setdefault(value, skus)
        self._add_names("carrier", DEFAULT_CARRIERS if carriers is None else carriers)
        self._add_names("campaign", campaigns or {})

    def _add_names(self, kind: str, listed: Mapping[str, Sequence[str]]) -> None:
        for value, called in listed.items():
            for name in (value, *called):
                self._names.add(name, kind, value)

    def skus(self, entity: Entity) -> tuple[str, ...]:
        """The SKUs that an entity stands for: one for a SKU, perhaps several for a product's name."""
        if entity.type == "sku":
            return (entity.value,)
        return self._products.get(entity.value, ()) if entity.type == "product" else ()

    def entities(self, text: str, at: datetime) -> tuple[Entity, ...]:
        """What a message names, in order, without overlaps; `at` (aware) is the moment that dates are told
        from.

        Values: `sku` and unambiguous `product` the shop's SKU, else the name; `carrier`, `campaign` the
        standing name; `amount` like "299.00 CNY"; `date` an ISO date or interval "2026-11-02/2026-11-08";
        `order`, `parcel`, `phone`, `email`, `size`, `url` as written.
        """
        folded = fold(text)
        taken = bytearray(len(folded))
        kept: list[Entity] = []
        for found in self._found(text, folded, at):
            if not any(taken[found.start : found.end]):
                taken[found.start : found.end] = b"\1" * (found.end - found.start)
                kept.append(found)
        return tuple(sorted(kept, key=lambda entity: entity.start))

    def _found(self, text: str, folded: str, at: datetime) -> Iterator[Entity]:
        """Candidates, the more certain kinds first."""
        for kind, pattern in _PATTERNS[:2]:
            yield from _verbatim(kind, pattern, text, folded)
        yield from self._sku_mentions(folded)
        yield from self._names.mentions(folded)
        for kind, pattern in _PATTERNS[2:]:
            yield from _verbatim(kind, pattern, text, folded)
        yield from _amounts(folded)
        for start, end, value in dates(folded, at):
            yield Entity("date", value, start, end)
        for match in _SIZE.finditer(folded):
            group = match.lastgroup or "letters"
            yield Entity(
                "size", text[match.start(group) : match.end(group)], match.start(group), match.end(group)
            )

    def _sku_mentions(self, folded: str) -> Iterator[Entity]:
        """Runs of Latin letters and digits whose joined pieces are a SKU, the longest first."""
        pieces = [match.span() for match in re.finditer(r"[a-z0-9]+", folded)]
        for first, (start, _) in enumerate(pieces):
            key = ""
            best: tuple[str, int] | None = None
            for place in range(first, min(first + 8, len(pieces))):
                if place > first and not re.fullmatch(
                    r"[-_/. ]{1,2}", folded[pieces[place - 1][1] : pieces[place][0]]
                ):
                    break
                key += folded[pieces[place][0] : pieces[place][1]]
                sku = self._skus.get(key)
                if sku is not None and (place == first or any(c.isdigit() for c in key)):
                    best = (sku, pieces[place][1])
            if best:
                yield Entity("sku", best[0], start, best[1])


@dataclass(slots=True)
class _Node:
    following: dict[str, _Node] = field(default_factory=dict)
    found: tuple[str, str] | None = None


class _Names:
    """A trie over the characters that matter in a name (no blanks, no hyphens), for the longest match."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, name: str, kind: str, value: str) -> None:
        """The first of several that are spelled alike stays."""
        bare = _bare(name)
        if len(bare) < 2:
            return
        node = self._root
        for character in bare:
            node = node.following.setdefault(character, _Node())
        node.found = node.found or (kind, value)

    def mentions(self, folded: str) -> Iterator[Entity]:
        places = [place for place, character in enumerate(folded) if _matters(character)]
        skip = 0
        for order, start in enumerate(places):
            if order < skip or (is_latin(folded[start]) and start and is_latin(folded[start - 1])):
                continue
            found = self._longest(folded, places, order)
            if found:
                kind, value, last = found
                skip = last + 1
                yield Entity(kind, value, start, places[last] + 1)

    def _longest(self, folded: str, places: list[int], order: int) -> tuple[str, str, int] | None:
        node = self._root
        best: tuple[str, str, int] | None = None
        for here in range(order, len(places)):
            place = places[here]
            following = node.following.get(folded[place])
            if following is None or (here > order and place - places[here - 1] > _GAP):
                break
            node = following
            after = folded[place + 1 : place + 2]
            if node.found and not (is_latin(folded[place]) and after and is_latin(after)):
                best = (*node.found, here)
        return best


def _models(sku: str) -> list[str]:
    """The parts of a SKU that customers use alone: EB20 of SLA-EB20 (letters and digits, three or more)."""
    pieces = re.findall(r"[a-z0-9]+", fold(sku))
    parts = [piece for piece in pieces if len(piece) > 2 and not piece.isdigit() and not piece.isalpha()]
    return [piece.upper() for piece in parts] if len(pieces) > 1 else []


def _matters(character: str) -> bool:
    return not character.isspace() and character not in "-_·・."


def _bare(name: str) -> str:
    return "".join(filter(_matters, fold(name)))


def _verbatim(kind: str, pattern: re.Pattern[str], text: str, folded: str) -> Iterator[Entity]:
    for match in pattern.finditer(folded):
        start, end = match.span("value")
        if kind in {"url", "email"}:
            end = start + len(folded[start:end].rstrip(".!?"))
        yield Entity(kind, text[start:end], start, end)


def _amounts(folded: str) -> Iterator[Entity]:
    for match in _AMOUNT.finditer(folded):
        if match["sign"]:
            number, unit = _number(match["signed"], match["times"]), match["sign"]
        elif match["plain"]:
            number, unit = _number(match["plain"], match["thousands"]), match["unit"]
        else:
            spoken = spoken_number(match["spoken"])
            if spoken is None:
                continue
            number, unit = spoken, match["spoken_unit"]
        yield Entity("amount", f"{number:.2f} {_CURRENCIES[unit]}", match.start(), match.end())


def _number(digits: str, times: str | None) -> float:
    return float(digits.replace(",", "")) * {"千": 1_000, "万": 10_000}.get(times or "", 1)


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


def products_of(entities: Iterable[Entity], gazetteer: Gazetteer) -> tuple[str, ...]:
    """The distinct SKUs that a message names, in order."""
    return tuple(dict.fromkeys(sku for entity in entities for sku in gazetteer.skus(entity)))
