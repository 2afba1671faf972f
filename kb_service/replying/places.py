"""What a region is called in the languages of the shop: requests name it by its code."""

from __future__ import annotations

import functools

from babel import Locale

LANGUAGES = ("en", "zh")


@functools.lru_cache(maxsize=1024)
def names_of(region: str | None) -> tuple[str, ...]:
    """The names of a region by its code of ISO 3166 or the Unicode CLDR, EU among them; of any other what it says
    itself, and none of no region."""
    if region is None:
        return ()
    found = (Locale(language).territories.get(region.strip().upper()) for language in LANGUAGES)
    return tuple(dict.fromkeys(name for name in found if name)) or (region,)
