"""What a message names: products, orders, parcels, carriers, campaigns, amounts, dates, sizes, contacts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from graph.amounts import amounts
from graph.dates import dates
from graph.folding import fold, is_latin
from graph.models import Entity
from graph.product_kinds import only_says_for_what, written

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
_CODE = (
    r"(?P<value>(?=[a-z0-9-]*\d[a-z0-9-]*\d[a-z0-9-]*\d)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?![a-z0-9])"
    r"(?!(?:\.\d{1,2})?\s?(?:元|块(?!屏|表|板|布)|美元|美金|欧元|英镑|港币|rmb|cny|yuan|usd|dollars?|bucks|euros?|"
    r"pounds?|quid)(?![a-z]))"
)
"""A number with three digits or more that is no amount of money."""
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

_SIZE = re.compile(
    r"(?<![a-z0-9-])(?P<letters>\d?x{1,4}[sl]|xs|xl|[sml](?=\s*(?:码|号|size))|"
    r"2xs)(?![a-z0-9'-])(?:\s*(?:码|号|size))?"
    r"|(?<![\d.])(?P<number>\d{2,3}(?:\.5)?)\s*码"
    r"|(?:size|尺码|尺寸|码数)\s*(?:是|为|:|is)?\s*(?P<after>\d{1,3}(?:\.5)?|x{0,4}[sml]|xs|"
    r"\dxl)(?![a-z0-9.%])"
    r"|(?<![a-z0-9])(?P<system>(?:us|uk|eu|jp|fr|cn)[ -]?(?:men'?s? |women'?s? |[mw] ?)?\d{1,2}(?:\.5)?)"
    r"(?![\w.%:/-]|\s?(?:days?|weeks?|months?|hours?|minutes?|times?|orders?|pairs?|items?|of|am|pm|usd|dollars?|个|天|元|块))"
    r"|(?<![\d/.-])(?P<build>1[0-9]\d/\d{2,3}(?:[abcy](?![a-z0-9])|(?=\s*[码号])))"
    r"|(?<![a-z])(?P<word>extra large|extra small|medium|均码|加大码|大码|小码|中码)(?![a-z])"
)


_MODEL = re.compile(r"(?<![a-z0-9])([a-z]{2,4})-?(\d{1,4})(?![a-z0-9])")
"""A model as it is usually spelled: EB20, HP-70."""
KIND = "product_kind"
"""The type of entities that name a kind of product, which stands for no SKU."""
_GAP = 3
"""Characters that may lie between two of a name: a blank or two, a hyphen."""


class Gazetteer:
    """The names a shop knows, and patterns for the rest; immutable.

    `products` gives names by SKU, in any language; `carriers` and `campaigns` give the names of each under the one that
    stands for it; `kinds` the SKUs of each kind of product, see `graph.product_kinds`. A SKU is found whatever its
    case, hyphens and blanks; names are found whole, longest first, whatever their case, width, blanks and (for common
    characters) script.
    """

    def __init__(
        self,
        products: Mapping[str, Sequence[str]] | None = None,
        carriers: Mapping[str, Sequence[str]] | None = None,
        campaigns: Mapping[str, Sequence[str]] | None = None,
        kinds: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        listed = {sku: (*called, *_models(sku)) for sku, called in (products or {}).items()}
        self._skus = {_bare(sku): sku for sku in listed if len(_bare(sku)) > 2}
        self._model_names = frozenset(_bare(model) for sku in listed for model in _models(sku))
        self._model_letters = frozenset(
            match[1] for name in self._model_names if (match := _MODEL.fullmatch(name))
        )
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
        self._of_kind = {kind: frozenset(skus) for kind, skus in (kinds or {}).items()}
        self._kinds = _Names()
        self._add_names(KIND, {kind: written(kind) for kind in self._of_kind}, self._kinds)

    def _add_names(self, kind: str, listed: Mapping[str, Sequence[str]], names: _Names | None = None) -> None:
        for value, called in listed.items():
            for name in (value, *called):
                (names or self._names).add(name, kind, value)

    def skus(self, entity: Entity) -> tuple[str, ...]:
        """The SKUs that an entity stands for: one for a SKU, perhaps several for a product's name."""
        if entity.type == "sku":
            return (entity.value,)
        return self._products.get(entity.value, ()) if entity.type == "product" else ()

    def meant(self, text: str) -> frozenset[str]:
        """The SKUs of every product that a text names, and of every kind of product that it names for itself; of a
        model that the shop does not have its name, and then of no kind: "DJ05 down jacket" means no DJ02."""
        folded = fold(text)
        named = [*self._sku_mentions(folded), *self._names.mentions(folded)]
        if unknown := self.unknown_models(text):
            return unknown.union(*map(self.skus, named))
        kinds = [
            kind
            for kind in self._kinds.mentions(folded)
            if not only_says_for_what(folded, kind.end) and not any(_overlap(kind, it) for it in named)
        ]
        found = [self.skus(entity) for entity in named] + [self._of_kind[kind.value] for kind in kinds]
        return frozenset(chain.from_iterable(found))

    def unknown_models(self, text: str) -> frozenset[str]:
        """What is spelled like the shop's models, letters of one and a number, and is none of them."""
        spelled = {"".join(match.groups()): match[1] for match in _MODEL.finditer(fold(text))}
        return frozenset(
            name
            for name, letters in spelled.items()
            if letters in self._model_letters and name not in self._model_names
        )

    def entities(self, text: str, at: datetime) -> tuple[Entity, ...]:
        """What a message names, in order, without overlaps; `at` (aware) is the moment that dates are told
        from.

        Values: `sku` and unambiguous `product` the shop's SKU, else the name; `carrier`, `campaign` and
        `product_kind` the standing name; `amount` like "299.00 CNY"; `date` an ISO date or interval
        "2026-11-02/2026-11-08"; `order`, `parcel`, `phone`, `email`, `size`, `url` as written.
        """
        folded = fold(text)
        taken = bytearray(len(folded))
        kept: list[Entity] = []
        for found in self._found(text, folded, at):
            if not any(taken[found.start : found.end]):
                taken[found.start : found.end] = b"\1" * (found.end - found.start)
                kept.append(found)
        kept.sort(key=lambda entity: entity.start)
        return tuple(_carried(kept, folded))

    def _found(self, text: str, folded: str, at: datetime) -> Iterator[Entity]:
        """Candidates, the more certain kinds first."""
        for kind, pattern in _PATTERNS[:2]:
            yield from _verbatim(kind, pattern, text, folded)
        yield from self._sku_mentions(folded)
        yield from self._names.mentions(folded)
        for kind, pattern in _PATTERNS[2:]:
            yield from _verbatim(kind, pattern, text, folded)
        yield from amounts(folded)
        for start, end, value in dates(folded, at):
            yield Entity("date", value, start, end)
        for match in _SIZE.finditer(folded):
            group = match.lastgroup or "letters"
            start, end = match.span(group)
            if group != "system" or _means_size(match, text):
                yield Entity("size", text[start:end], start, end)
        yield from self._kinds.mentions(folded)

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


def _overlap(one: Entity, other: Entity) -> bool:
    return one.start < other.end and other.start < one.end


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


def _means_size(match: re.Match[str], text: str) -> bool:
    """Whether "US 9" is a size: in capitals, or said to be one; "give us 9" is none."""
    start, end = match.span("system")
    if re.search(
        r"(?:size|尺码|码数|鞋码)\s*(?:是|为|:|：|is)?\s*$", text[max(0, start - 12) : start].lower()
    ):
        return True
    return text[start : start + 2].isupper() and re.search("[1-9]", text[start:end]) is not None


_BESIDE = 6
"""Characters between a number and the carrier that it belongs to."""


def _carried(entities: Sequence[Entity], folded: str) -> Iterator[Entity]:
    """Entities in order; a long number beside a carrier is a parcel's, unless it is said to be an order's."""
    for place, entity in enumerate(entities):
        beside = [other for other in entities[max(0, place - 1) : place + 2] if other.type == "carrier"]
        bare = entity.type == "order" and entity.value.isdigit() and len(entity.value) >= 12
        if (
            bare
            and any(_gap(entity, other) <= _BESIDE for other in beside)
            and not re.search(r"订单|交易|order|purchase", folded[max(0, entity.start - 12) : entity.start])
        ):
            entity = replace(entity, type="parcel")
        yield entity


def _gap(one: Entity, other: Entity) -> int:
    return max(one.start - other.end, other.start - one.end)


def products_of(entities: Iterable[Entity], gazetteer: Gazetteer) -> tuple[str, ...]:
    """The distinct SKUs that a message names, in order."""
    return tuple(dict.fromkeys(sku for entity in entities for sku in gazetteer.skus(entity)))
