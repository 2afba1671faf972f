"""Where sentences and clauses end, in Chinese, in English and in both mixed."""

from __future__ import annotations

import re

_CLOSERS = "\"'”’」』）)】》〉]}"
_NEVER_LAST = """
mr mrs ms dr prof st vs e.g i.e eg ie jr sr dept est al vol v tel ext incl excl qty dim wt
jan feb mar apr jun jul aug sep sept oct nov dec
"""
_LAST_BEFORE_CAPITAL = frozenset({"etc", "a.m", "p.m", "am", "pm", "inc", "ltd", "co", "corp", "u.s", "u.k"})
_LAST_UNLESS_NUMBER = frozenset({"no", "nos", "nr", "fig", "ver", "art", "sec", "approx", "max", "min"})
_ABBREVIATIONS = frozenset(_NEVER_LAST.split())

_HAN = r"\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WIDE = rf"{_HAN}\u3040-\u30ff"
_IS_WIDE = re.compile(rf"[{_WIDE}]")

_WIDE_STOPS = "。！？；｡…"
_CLOSED = rf"[{re.escape(_CLOSERS)}]*"
_STOP = re.compile(rf"[{_WIDE_STOPS}!?]+{_CLOSED}|\.+{_CLOSED}|\n[^\S\n]*(?:\n\s*)?")
_LONGEST_WORD = 40
_LAST_WORD = re.compile(r"[^\s(（“\"'，,。;；]+$")


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text as character spans `[start, end)`, in order.

    Spans hold every character that is not white space exactly once and neither begin nor end with white
    space. Chinese sentences end at 。！？；… with the quotes that close them; English ones at a full stop,
    question or exclamation mark before white space, but not inside a number, after an abbreviation or a
    single initial. A blank line ends a sentence; so does a line break, unless the next line goes on in
    lower case.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for mark in _STOP.finditer(text):
        if _ends(text, start, mark):
            _keep(spans, text, start, mark.end())
            start = mark.end()
    _keep(spans, text, start, len(text))
    return spans


def _keep(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    if piece.strip():
        spans.append((start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))))


def _ends(text: str, start: int, mark: re.Match[str]) -> bool:
    sign = mark.group()
    following = text[mark.end() : mark.end() + 1]
    if sign[0] == "\n":
        return sign.count("\n") > 1 or not following.islower()
    if any(character in _WIDE_STOPS for character in sign):
        return not following or following not in _WIDE_STOPS + "!?，、,"
    if not following or following == "\n":
        return True
    before = text[mark.start() - 1 : mark.start()]
    if not following.isspace():  # 3.5, kb.toml, AUR.2; but 能退吗?我想退 and 商品.请
        return bool(_IS_WIDE.match(following)) and (sign[0] != "." or bool(_IS_WIDE.match(before)))
    next_word = text[mark.end() : mark.end() + 40].lstrip()[:1]
    if sign[0] != ".":
        return True
    if len(sign) > 1 and sign[1] == ".":
        return not next_word.islower()
    begin = max(start, mark.start() - _LONGEST_WORD)
    return _full_stop(text[begin : mark.start()], next_word, whole=begin == start)


def _full_stop(before: str, next_character: str, *, whole: bool) -> bool:
    """Whether a single "." after `before`, which may be the whole sentence, ends it."""
    found = _LAST_WORD.search(before)
    word = found.group().lower() if found else ""
    if word in _ABBREVIATIONS:
        return False
    if word in _LAST_UNLESS_NUMBER or word in _LAST_BEFORE_CAPITAL:
        return not (next_character.isdigit() or next_character.islower())
    if word.isdigit() and len(word) <= 3 and whole and before.strip() == word:  # "1. Open the app"
        return False
    if len(word) == 1 and word.isalpha() and found is not None and found.group().isupper():
        return False  # J. Smith
    return not next_character.islower()


_URL = re.compile(r"https?://[^\s\u3000-\uffef]+")
_CLAUSE = re.compile(
    r"[。！？；｡…\n]+|[!?;]+|[，、､]+|,(?!\d)|(?<!\d),(?=\d)|\.(?=\s|$)"
    rf"|(?<=[{_WIDE}])\.(?=[{_WIDE}])|(?<=[{_WIDE}])[ \u3000]+(?=[{_WIDE}])"
    r"|(?i:(?<!\s)\s++(?=(?:and|but|plus)\s+(?:also|i|my|can|could|how|what|where|when|why|do|does|please)\b))"
)
_SIZE = re.compile(rf"[{_WIDE}]|[^\W{_WIDE}]+(?:[-'.’][^\W{_WIDE}]+)*")
_ENOUGH = 3
_THREE_WORDS = 6


def _size(text: str) -> int:
    """How much is said: a Chinese character counts one, a word of another script two."""
    return sum(1 if _IS_WIDE.match(part) else 2 for part in _SIZE.findall(text))


def clauses(text: str) -> list[str]:
    """A customer's message in clauses, in order, each long enough to mean something.

    Sentence ends, commas (not those inside numbers), line breaks, and blanks between Chinese characters
    separate clauses. One of fewer than three Chinese characters or two words joins the next one, the last
    joins the one before; so "你好，我要退货" stays whole. Between English words a comma, or "and I" and the
    like, separates only when three words stand on both sides. Empty for a text without letters or digits.
    """
    pieces = _pieces(text)
    joined: list[tuple[int, int]] = []
    begin, said = -1, 0
    for start, end, size in pieces:
        begin, said = (start, size) if begin < 0 else (begin, said + size)
        if said >= _ENOUGH:
            joined.append((begin, end))
            begin, said = -1, 0
    if begin >= 0:
        last = pieces[-1][1]
        if joined:
            joined[-1] = (joined[-1][0], last)
        elif said:
            joined.append((begin, last))
    return [text[start:end].strip() for start, end in joined]


def _pieces(text: str) -> list[tuple[int, int, int]]:
    """Spans between separators with their sizes; a comma between words needs three words on both sides."""
    pieces: list[tuple[int, int, int]] = []
    glued = False
    start = 0
    marks = [mark.span() for mark in _CLAUSE.finditer(_URL.sub(lambda url: "x" * len(url.group()), text))]
    for end, following in [*marks, (len(text), len(text))]:
        if text[start:end].strip():
            size = _size(text[start:end])
            if glued and pieces and min(pieces[-1][2], size) < _THREE_WORDS:
                pieces[-1] = (pieces[-1][0], end, pieces[-1][2] + size)
            else:
                pieces.append((start, end, size))
            separator = text[end:following]
            glued = (separator == "," or separator.isspace()) and not _IS_WIDE.match(
                text[following : following + 1]
            )
        start = following
    return pieces
