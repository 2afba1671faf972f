"""Texts of others on their way into a card: one line, of bounded length, and nothing in them but words."""

from __future__ import annotations

import re
import unicodedata

_LOOKALIKES = str.maketrans(
    {sign: chr(ord(sign) + 0xFEE0) for sign in "<>[]()*_`#~!|\\@&"} | {"{": "｛", "}": "｝"}
)
"""Signs that mark something up in some dialect, and their full-width forms, which mark up nothing in any."""
_SCHEME = re.compile(r":(?=//)")
_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2})")
"""Between the parts of what may be the name of a host; amounts and versions such as 3.5 have none."""
_BREAK = "\u200b"
"""Of no width: people do not see it, and what looks for links and mentions does not find them."""
_LEFT_OUT = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
"""Control, format and direction characters, halves, private and unassigned ones."""


def one_line(text: object, longest: int) -> str:
    """`text` in one line of at most `longest` characters, with nothing in it that is not seen."""
    shown = (sign if _seen(sign) else " " * sign.isspace() for sign in str(text)[: longest * 8])
    line = " ".join("".join(shown).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _seen(sign: str) -> bool:
    return unicodedata.category(sign) not in _LEFT_OUT


def unlinked(text: str) -> str:
    """`text` in which no client finds an address to link or a name to mention; it reads the same."""
    text = _DOT.sub(f"{_BREAK}.", _SCHEME.sub(f":{_BREAK}", text))
    return text.replace("@", f"@{_BREAK}").replace("＠", f"＠{_BREAK}")


def unmarked(text: str) -> str:
    """`text` for a dialect of Markdown whose escapes cannot be relied on: its signs become full-width ones."""
    return unlinked(text).translate(_LOOKALIKES)
