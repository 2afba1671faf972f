"""The attributes of a document, from whatever a file or a request holds to clean values.

Every function takes the attribute's name as the wire spells it, for the error, and a value that is not None.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import TypeVar

from ingest.errors import InvalidDocument
from ingest.models import FieldValue

S = TypeVar("S", bound=str)

LONGEST_ID = 200
LONGEST_TITLE = 500
LONGEST_URL = 2_000
LONGEST_FIELD_NAME = 200
MOST_ENTRIES = 500

_SEPARATORS = re.compile(r"[,，、;；\n]")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*")
_LANGUAGE_NAMES = {"chinese": "zh", "中文": "zh", "english": "en", "英文": "en", "cn": "zh", "ger": "de"}

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")


def known_names(values: Iterable[str], known: Collection[str], *, what: str = "attribute") -> None:
    """Refuse the first name that is not known, with the nearest one that is."""
    for name in values:
        if name not in known:
            raise InvalidDocument(str(name), f"unknown {what}{nearest(str(name), known)}")


def nearest(value: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(value.lower().replace("-", "_"), list(known), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else f"; known are {', '.join(sorted(known))}"


def text(name: str, value: object, *, longest: int) -> str:
    """One line of text, not empty, trimmed, its white space collapsed; a number becomes text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidDocument(name, f"must be text, not {_kind_of(value)}")
    line = " ".join(str(value).split())
    if any(_is_control(character) for character in line):
        raise InvalidDocument(name, "holds a control character; remove it")
    if not line:
        raise InvalidDocument(name, "is empty; leave it out or give it a value")
    if len(line) > longest:
        raise InvalidDocument(name, f"has {len(line)} characters; at most {longest} are allowed")
    return line


def identifier(name: str, value: object) -> str:
    """An external id: up to 200 characters, none of them a control character."""
    if isinstance(value, str) and any(_is_control(character) for character in value.strip()):
        raise InvalidDocument(name, "holds a control character (a line break or tab, say); remove it")
    return text(name, value, longest=LONGEST_ID)


def literal(name: str, value: object, allowed: tuple[S, ...]) -> S:
    """One of `allowed`, in any case."""
    wanted = value.strip().lower() if isinstance(value, str) else None
    for choice in allowed:
        if choice == wanted:
            return choice
    said = f'"{value}"' if isinstance(value, str) else _kind_of(value)
    raise InvalidDocument(name, f"must be {' or '.join(allowed)}, not {said}")


def language(name: str, value: object) -> str:
    """An ISO 639 code; regions and scripts are dropped, so zh-CN and zh_Hant are zh."""
    said = text(name, value, longest=40)
    match = _LANGUAGE.fullmatch(_LANGUAGE_NAMES.get(said.lower(), said))
    if match is None:
        raise InvalidDocument(name, f'must be a language code such as "zh" or "en", not "{said}"')
    return match.group(1).lower()


def url(name: str, value: object) -> str:
    address = text(name, value, longest=LONGEST_URL)
    if not re.match(r"https?://[^\s/]", address, re.IGNORECASE) or " " in address:
        raise InvalidDocument(
            name, f'must begin with http:// or https:// and hold no blank, not "{address[:80]}"'
        )
    return address


def texts(name: str, value: object) -> tuple[str, ...]:
    """A list of short texts, or one text with commas; duplicates and empty entries are left out."""
    if isinstance(value, str):
        entries: Iterable[object] = _SEPARATORS.split(value)
    elif isinstance(value, Collection) and not isinstance(value, Mapping | bytes):
        entries = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        entries = [value]
    else:
        raise InvalidDocument(name, f"must be a list of texts or one text with commas, not {_kind_of(value)}")
    kept = [entry for entry in entries if not (isinstance(entry, str) and not entry.strip())]
    if len(kept) > MOST_ENTRIES:
        raise InvalidDocument(name, f"has {len(kept)} entries; at most {MOST_ENTRIES} are allowed")
    return tuple(dict.fromkeys(text(name, entry, longest=LONGEST_ID) for entry in kept))


def moment(name: str, value: object, zone: tzinfo) -> datetime:
    """An ISO date or date with time, as a timezone-aware moment with a fixed offset.

    A date is its midnight, and a time without offset a local one, both in `zone`.
    """
    found = _parsed(name, value)
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    offset = found.utcoffset() or timedelta()
    try:
        found.astimezone(UTC)  # the edge of the calendar overflows here rather than in a search
    except OverflowError:
        raise InvalidDocument(name, f'"{value}" lies outside the calendar') from None
    return found.replace(tzinfo=timezone(offset))


def is_day(value: object) -> bool:
    """Whether a value that `moment` takes is a date without a time."""
    if isinstance(value, str):
        return _DAY.fullmatch(value.strip()) is not None
    return isinstance(value, date) and not isinstance(value, datetime)


def _parsed(name: str, value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, str):
        said = value.strip()
        try:
            return datetime.fromisoformat(said)
        except ValueError:
            pass
    raise InvalidDocument(
        name, f'must be an ISO date such as "2026-03-01" or "2026-03-01T09:00:00+08:00", not {_said(value)}'
    )


def scalars(name: str, value: object) -> dict[str, FieldValue]:
    """A flat mapping of names to texts, numbers, true/false or null. Dates become ISO text."""
    if not isinstance(value, Mapping):
        raise InvalidDocument(name, f"must be a mapping of names to values, not {_kind_of(value)}")
    if len(value) > MOST_ENTRIES:
        raise InvalidDocument(name, f"has {len(value)} entries; at most {MOST_ENTRIES} are allowed")
    return {
        text(f"{name} (a name)", key, longest=LONGEST_FIELD_NAME): _scalar(f"{name}.{key}", entry)
        for key, entry in value.items()
    }


def _scalar(name: str, value: object) -> FieldValue:
    if isinstance(value, str):
        return clean(value).strip()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidDocument(name, "must be a finite number")
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    remedy = (
        "join its entries into one text" if isinstance(value, list | tuple) else "give a text or a number"
    )
    raise InvalidDocument(
        name, f"must be text, a number, true, false or null, not {_kind_of(value)}; {remedy}"
    )


def clean(value: str) -> str:
    """Text without NULs, control characters, lone surrogates and byte order marks; line ends as "\\n"."""
    if value.isascii() and value.isprintable():
        return value
    unified = (
        value.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    )
    return _UNWANTED.sub("", unified)


def blanked(value: str) -> str:
    """The same as `clean`, but of the same length: offsets into the text stay right."""
    return _UNWANTED.sub(" ", value.replace("\r", " ")) if not value.isprintable() else value


_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character == "\ufeff"


def _said(value: object) -> str:
    return f'"{value[:80]}"' if isinstance(value, str) else _kind_of(value)


def _kind_of(value: object) -> str:
    names = {bool: "true or false", dict: "an object", list: "a list", tuple: "a list", type(None): "null"}
    names |= {int: "a number", float: "a number", str: "text", bytes: "bytes"}
    return names.get(type(value), type(value).__name__)
