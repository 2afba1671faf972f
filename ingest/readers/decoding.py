"""Bytes to text: UTF-8 first, then what Chinese and European offices still write; binary junk is refused."""

from __future__ import annotations

import codecs
import re

from ingest.errors import CorruptSource, EmptySource
from ingest.memory_limit import loading

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF (.pdf)"),
    (b"PK\x03\x04", "an Office file or a ZIP archive (.docx, .xlsx)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or protected Office file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"7z\xbc\xaf", "a compressed archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_OTHERS = ["cp1252", "cp1250", "cp1251", "shift_jis", "euc_kr"]
_SAMPLE = 200_000


def decode(data: bytes, *, charset: str | None = None) -> str:
    """The text of `data`. `charset` is what a media type declared; it is tried before guessing.

    Raises EmptySource, and CorruptSource for binary data, a cut or damaged character, or an encoding that
    nothing explains.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise EmptySource("is empty; put the text in or leave the file out")
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise CorruptSource(
                f"is {what} under a text file's name; give it its own extension or save it as text"
            )
    text = _declared(data, charset) or _unicode(data) or _legacy(data)
    if len(_CONTROL.findall(text[:_SAMPLE])) > max(len(text[:_SAMPLE]) // 200, 1):
        raise CorruptSource("is binary data, not text; save it as UTF-8 text or leave the file out")
    if not text.strip("\ufeff\0 \t\r\n\u3000"):
        raise EmptySource("holds only blanks; put the text in or leave the file out")
    return text


def _declared(data: bytes, charset: str | None) -> str | None:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data, encoding)
    if not charset:
        return None
    try:
        return data.decode(charset)
    except (LookupError, UnicodeError):
        return None


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CorruptSource(
            f"is damaged: byte {error.start} is not valid {encoding.upper()}; save it again as UTF-8"
        ) from error


def _unicode(data: bytes) -> str | None:
    """UTF-8, or UTF-16 without a mark; None when it is neither. What is mostly valid UTF-8 is damaged."""
    if _zeros(data[0::2]) > 0.3 or _zeros(data[1::2]) > 0.3:
        little = _zeros(data[1::2]) > _zeros(data[0::2])
        try:
            return data.decode("utf-16-le" if little else "utf-16-be")
        except UnicodeDecodeError:
            return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        lenient = data.decode("utf-8", errors="ignore")
        valid = len(lenient.encode("utf-8")) - len(lenient.encode("ascii", errors="ignore"))
        foreign = sum(byte >= 0x80 for byte in data[:_SAMPLE])
        if valid and len(data) <= _SAMPLE and valid >= 0.8 * foreign:
            cut = (
                "is cut off in the middle of"
                if error.end >= len(data)
                else "is damaged: no valid character at"
            )
            raise CorruptSource(
                f"{cut} byte {error.start}; copy the file again or save it as UTF-8"
            ) from error
        return None


def _zeros(data: bytes) -> float:
    return data[:_SAMPLE].count(0) / max(len(data[:_SAMPLE]), 1)


def _legacy(data: bytes) -> str:
    """GB18030 or Big5 when that gives everyday characters, else charset-normalizer's best guess."""
    if b"\0" in data:
        raise CorruptSource("is binary data, not text; save it as UTF-8 text or leave the file out")
    scored = [(_everyday(data, encoding), encoding) for encoding in ("gb18030", "big5")]
    share, encoding = max(scored, key=lambda pair: pair[0])
    if share >= 0.6:
        return _strict(data, encoding)
    with loading():
        import charset_normalizer

    found = charset_normalizer.from_bytes(data, cp_isolation=_OTHERS)
    best = min(found, key=lambda it: (it.chaos, -it.coherence, _OTHERS.index(it.encoding)), default=None)
    if best is None:
        raise CorruptSource("is binary or in an encoding that cannot be told; save it as UTF-8")
    return str(best)


def _everyday(data: bytes, encoding: str) -> float:
    """Share of the Han characters under `encoding` that are among the few thousand in daily use.

    GB 2312 and Big5 sort their characters by use: the first level's lead bytes are B0–D7 and A4–C6. Wrongly
    decoded text falls outside. 0 when the bytes are not valid, a cut last character apart.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        sample = decoder.decode(data[:_SAMPLE])
    except UnicodeDecodeError:
        return 0.0
    table, low, high = ("gb2312", 0xB0, 0xD7) if encoding == "gb18030" else ("big5", 0xA4, 0xC6)
    foreign = [
        char for char in sample if char >= "\u0080" and not "\u3000" <= char <= "\u303f" and char < "\uff00"
    ]
    everyday = sum(1 for char in foreign if low <= (char.encode(table, errors="ignore") or b"\0")[0] <= high)
    return everyday / len(foreign) if foreign else 0.0
