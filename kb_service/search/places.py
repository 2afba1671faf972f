"""What a region is called in the languages of the shop: requests and documents name it by its code."""

from __future__ import annotations

import functools
import re

from babel import Locale

from ingest.language import fold

_LANGUAGES = ("en", "zh")
_FORMAL = re.compile(r" SAR China$|^中国(?=.+特别行政区$)|特别行政区$")
"""What people leave away from the names of Hong Kong and Macao."""


@functools.lru_cache(maxsize=1024)
def names_of(region: str | None) -> tuple[str, ...]:
    """The names of a region by its code of ISO 3166 or the Unicode CLDR, EU among them; of any other what it says
    itself, and none of no region."""
    if region is None:
        return ()
    found = (Locale(language).territories.get(region.strip().upper()) for language in _LANGUAGES)
    return tuple(dict.fromkeys(_FORMAL.sub("", name) for name in found if name)) or (region,)


def named_in(text: str, region: str) -> bool:
    """Whether a text names a region: in words, or by its code in capitals, since "us" is a word."""
    folded = fold(text)
    code = region.strip().upper()
    by_name = any(
        re.search(rf"(?<![a-z]){re.escape(fold(name))}(?![a-z])", folded) for name in names_of(region)
    )
    return by_name or re.search(rf"(?<![A-Za-z]){re.escape(code)}(?![A-Za-z])", text) is not None
