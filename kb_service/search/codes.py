"""Model, article and campaign codes: what tells one product or offer from another exactly, such as EB20 or SPRING15."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CODE = re.compile(r"(?<![a-z0-9])([a-z]{2,12})[-_]?(\d{1,8}[a-z]{0,3})(?![a-z0-9])")
_ARTICLE = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]*(?:-[a-z0-9]+)+(?![a-z0-9])")


def codes(texts: Iterable[str]) -> frozenset[str]:
    """The codes in some texts, in one spelling: letters and then digits, so that SL-90 and sl90 are one.

    Quantities (100W, 24h) begin with a digit and are none. An article number such as AUR-S2-BLK is one as a whole;
    of VTN-PB20 the model PB20 is one as well.
    """
    lowered = [text.lower() for text in texts]
    models = (letters + digits for text in lowered for letters, digits in _CODE.findall(text))
    articles = (name for text in lowered for name in _ARTICLE.findall(text) if re.search(r"\d", name))
    return frozenset((*models, *articles))
