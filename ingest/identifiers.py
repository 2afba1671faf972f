"""Numbers and codes that a text names: by which orders, parcels and products go, each in one spelling. Pure."""

from __future__ import annotations

import re

from ingest.language import fold

MOST = 40
"""Letters and digits of the longest id; a longer run is a key or an address that nobody asks for by hand."""
MOST_NAMED = 20
"""Ids of one text that are told: a pasted log names no more."""
_RUN = re.compile(r"(?<![0-9a-z])[0-9a-z]+(?:[-_][0-9a-z]+)*(?![0-9a-z])")
_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_BETWEEN = re.compile(r"[\s_#-]+")


def one_spelling(id: str) -> str:
    """An id as it is compared: without capitals, blanks, hyphens and number signs, in half width."""
    return _BETWEEN.sub("", fold(id))


def written_ids(text: str, *, whole: bool = False) -> tuple[str, ...]:
    """The ids in a text in one spelling, each once, in order: of "SLA-EB20" the model EB20 is one as well, unless only
    `whole` ones are wanted, as of what is searched for.

    An id has a digit; without a letter it has six of them at least, so that amounts and times are none. Days are none.
    """
    found: dict[str, None] = {}
    for match in _RUN.finditer(fold(text)):
        run = match[0]
        if _DAY.fullmatch(run):
            continue
        parts = re.split("[-_]", run)
        for part in (run, *(parts if len(parts) > 1 and not whole else ())):
            if _is_id(id := one_spelling(part)):
                found[id] = None
    return tuple(found)[:MOST_NAMED]


def only_an_id(text: str) -> str | None:
    """The id that a text is, in one spelling; None for one that says more, or is none."""
    id = one_spelling(text)
    return id if id in written_ids(text.strip().strip("#")) else None


def _is_id(id: str) -> bool:
    if len(id) > MOST or not any(map(str.isdigit, id)):
        return False
    return len(id) >= (4 if id[0].isalpha() else 6)
