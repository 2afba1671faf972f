"""What a region is called in the languages of the shop: requests and documents name it by its code."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

from babel import Locale

from ingest.language import fold

_LANGUAGES = ("en", "zh")
_FORMAL = re.compile(r" SAR China$|^中国(?=.+特别行政区$)|特别行政区$")
"""What people leave away from the names of Hong Kong and Macao."""
_ALSO: Mapping[str, tuple[str, ...]] = {
    "CN": ("mainland", "大陆", "内地"),
    "EU": ("Europe", "欧洲"),
    "GB": ("UK", "Britain", "England"),
    "HK": ("HK", "Hongkong", "港澳"),
    "MO": ("Macau", "港澳"),
    "US": ("USA", "U.S.", "America", "States"),
}
"""What people say beside the names that the CLDR has."""
_UNION = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
_MEMBERS: Mapping[str, Sequence[str]] = {"EU": re.findall(r"\w+", _UNION)}
"""The countries of regions that are no country."""
_ABROAD = re.compile(r"国外|海外|国际|境外|跨境|出国|\b(?:abroad|overseas|international(?:ly)?|foreign)\b")


@functools.lru_cache(maxsize=1024)
def names_of(region: str | None) -> tuple[str, ...]:
    """The names of a region by its code of ISO 3166 or the Unicode CLDR, EU among them; of any other what it says
    itself, and none of no region."""
    if not region:
        return ()
    code = region.strip().upper()
    found = (Locale(language).territories.get(code) for language in _LANGUAGES)
    names = [_FORMAL.sub("", name) for name in found if name]
    return tuple(dict.fromkeys((*names, *_ALSO.get(code, ())))) or (region,)


@functools.lru_cache(maxsize=64)
def named_in(text: str, region: str) -> bool:
    """Whether a text names a region or a part of it: in words, or by its code in capitals, since "us" is a word."""
    folded, code = fold(text), region.strip().upper()
    if any(
        holds(folded, fold(name)) for each in (region, *_MEMBERS.get(code, ())) for name in names_of(each)
    ):
        return True
    shouted = text.upper() == text and text.lower() != text
    return not shouted and holds(text, code)


def speaks_of_abroad(text: str) -> bool:
    """Whether a text is about another country without saying which."""
    return _ABROAD.search(fold(text)) is not None


def holds(text: str, name: str) -> bool:
    """Whether a name stands in a text, and is not part of a longer word."""
    return re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z0-9-])", text) is not None
