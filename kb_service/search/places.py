"""Places by name, in the languages of the shop: requests and documents tell a region by its code, texts in words."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from babel import Locale

from ingest.language import fold, words

_LANGUAGES = ("en", "zh")
_CHINESE_PAIR = 2
_FORMAL = re.compile(r" SAR China$|^中国(?=.+特别行政区$)|特别行政区$")
"""What people leave away from the names of Hong Kong and Macao."""
_TABLE = Path(__file__).parent / "places.tsv"
"""By line a code and more names: what people say beside the names that the CLDR has, cities that a shop's customers
name instead of their country, and parts of countries (ISO 3166-2) that have conditions of delivery of their own. Those
of `-` are no places, though they hold the name of one or are spelled so: a shirt, a melon, a time of day."""
_NO_PLACE = "-"
_NO_COUNTRIES = frozenset({"EZ", "QO", "UN", "XA", "XB", "ZZ"})
"""What the CLDR lists among its territories beside countries."""
_SUFFIX = re.compile(r"(?:市|省|县|州|区)$")
_PART = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
_UNION = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
_MEMBERS: Mapping[str, Sequence[str]] = {"EU": re.findall(r"\w+", _UNION)}
"""The countries of regions that are no country."""
_ABROAD = re.compile(r"国外|海外|国际|境外|跨境|出国|\b(?:abroad|overseas|international(?:ly)?|foreign)\b")
_ELSEWHERE = re.compile(
    r"外地|外省|国家(?!三包|补贴|标准|规定)|省份|(?<!我们)(?<!这个)(?<!本)地区|偏远"
    r"|\b(?:countr(?:y|ies)|provinces?|regions?|remote areas?)\b"
)
_NOT_OF_GOODS = r"(?!\s*(?:plug|size|standard|version|adapt[eo]r|\$|[插尺]|码|规|标))"
"""A size or a plug of a region is not the region."""


@functools.lru_cache(maxsize=1024)
def names_of(region: str | None) -> tuple[str, ...]:
    """The names of a region by its code of ISO 3166 or the Unicode CLDR, EU among them; of any other what it says
    itself, and none of no region."""
    if not region:
        return ()
    code = region.strip().upper()
    found = (Locale(language).territories.get(code) for language in _LANGUAGES)
    names = [_FORMAL.sub("", name) for name in found if name]
    return tuple(dict.fromkeys((*names, *_more_names().get(code, ())))) or (region,)


def named_in(text: str, region: str) -> bool:
    """Whether a text names a region or a part of it: in words, or by its code in capitals, since "us" is a word."""
    code = region.strip().upper()
    if code in with_wholes(places_in(text)) or _in_capitals(text, code):
        return True
    return names_of(region) == (region,) and holds(fold(text), fold(region))


def speaks_of_abroad(text: str) -> bool:
    """Whether a text is about another country without saying which."""
    return _ABROAD.search(fold(text)) is not None


def speaks_of_elsewhere(text: str) -> bool:
    """Whether a text is about other places, abroad or at home, without saying which."""
    return speaks_of_abroad(text) or _ELSEWHERE.search(fold(text)) is not None


def holds(text: str, name: str) -> bool:
    """Whether a name stands in a text, and is not part of a longer word."""
    return re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z0-9-])", text) is not None


@functools.lru_cache(maxsize=100_000)
def places_in(text: str) -> frozenset[str]:
    """The codes of the countries, and of those parts of them that are known here, that a text names in words."""
    named = _standing_alone(text, _pattern().findall(fold(text)))
    return frozenset().union(
        *map(_gazetteer().__getitem__, named), ["US"] if _in_capitals(text, "US") else ()
    )


@functools.lru_cache(maxsize=1024)
def wholes_of(region: str) -> tuple[str, ...]:
    """A region by its code, and those of what it is a part of: what holds there holds in it, as the rules for the EU do
    in Germany."""
    return tuple(sorted((with_wholes([region]) - {region.strip().upper()}) | {region}))


def with_wholes(places: Iterable[str]) -> frozenset[str]:
    """The codes of places, and those of the countries and unions that they are parts of."""
    return with_unions(with_countries(places))


def with_countries(places: Iterable[str]) -> frozenset[str]:
    """The codes of places, and those of the countries that they are parts of."""
    codes = frozenset(place.strip().upper() for place in places)
    return codes | {code.partition("-")[0] for code in codes if _PART.fullmatch(code)}


def with_unions(places: Iterable[str]) -> frozenset[str]:
    """The codes of countries, and those of the unions that they are members of."""
    codes = frozenset(places)
    return codes | {union for union, members in _MEMBERS.items() if not codes.isdisjoint(members)}


def _standing_alone(text: str, names: Sequence[str]) -> list[str]:
    """Of names that were found in a text those that are words of it: 天水 is none of 每天水洗."""
    short = [name for name in names if len(name) == _CHINESE_PAIR and not name.isascii()]
    if not short:
        return list(names)
    cut = words(text, stemmed=False)
    whole = {*cut, *(word[:_CHINESE_PAIR] for word in cut if _SUFFIX.search(word))}
    return [name for name in names if name not in short or name in whole]


def _in_capitals(text: str, code: str) -> bool:
    """Whether a text names a code in capitals, and does not shout the rest of what it says."""
    rest = "".join(re.findall(r"[A-Za-z]", text.replace(code, "")))
    shouted = bool(rest) and rest.upper() == rest
    standing = rf"(?<![A-Za-z]){re.escape(code)}(?![A-Za-z0-9-]){_NOT_OF_GOODS}"
    return not shouted and re.search(standing, text) is not None


@functools.cache
def _more_names() -> Mapping[str, Sequence[str]]:
    lines = (line.split("\t") for line in _TABLE.read_text("utf-8").splitlines())
    return {code: names for code, *names in lines}


@functools.cache
def _gazetteer() -> Mapping[str, frozenset[str]]:
    """The codes for each name, folded."""
    countries = {code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code)}
    codes: dict[str, set[str]] = {}
    for code in {*countries, *_more_names()} - _NO_COUNTRIES:
        for name in map(fold, names_of(code)):
            codes.setdefault(name, set()).add(code)
    return {name: frozenset() if _NO_PLACE in held else frozenset(held) for name, held in codes.items()}


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Any name of the gazetteer; the longest first, since Guinea is not Guinea-Bissau."""
    names = sorted(_gazetteer(), key=len, reverse=True)
    first = re.escape("".join(sorted({name[0] for name in names})))  # spares trying all of them everywhere
    return re.compile(
        rf"(?<![A-Za-z])(?=[{first}])(?:{'|'.join(map(re.escape, names))})(?![A-Za-z0-9-]){_NOT_OF_GOODS}"
    )
