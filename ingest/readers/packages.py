"""The guard before an Office file is parsed: its ZIP package is measured and its XML looked through first.

A 425 KB file can unfold to 789 MB in a parser. Sizes come from the archive's directory; zipfile then never
gives more than the directory says, so they bind.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Literal

from ingest.errors import CorruptSource, EmptySource, ProtectedSource, SourceTooLarge, UnsupportedFormat

MAX_ENTRIES = 5_000
MAX_XML_BYTES = 96 * 1024 * 1024
MAX_TOTAL_BYTES = 512 * 1024 * 1024
MAX_RATIO = 200
_RATIO_FROM = 1024 * 1024

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ARCHIVES = (
    ".zip",
    ".7z",
    ".rar",
    ".gz",
    ".bz2",
    ".xz",
    ".tar",
    ".jar",
    ".docx",
    ".xlsx",
    ".pptx",
    ".xlsm",
    ".docm",
)
_UNSAFE_NAME = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|[\\\0]")
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MAIN_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_NAMES = {"docx": "a Word document", "xlsx": "an Excel workbook"}


def check(data: bytes, kind: Literal["docx", "xlsx"]) -> None:
    """Pass when `data` is a safe package of this kind; else raise what is wrong with it.

    Raises EmptySource, UnsupportedFormat (the old binary format), ProtectedSource (a password), CorruptSource
    (damaged, another kind, unsafe names, XML entities) and SourceTooLarge (sizes, ratios, number of parts).
    """
    if not data.strip(b"\0 \t\r\n"):
        raise EmptySource("is empty; save it again from the program that made it")
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise ProtectedSource("is protected by a password; save a copy without one")
        raise UnsupportedFormat(f"is in the old binary Office format; save it as .{kind}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            _check_directory(package.infolist())
            _check_kind(frozenset(package.namelist()), kind)
            _check_parts(package)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise CorruptSource(
            f"is not {_NAMES[kind]}, or is cut off or damaged ({error}); save it again"
        ) from error


def _check_directory(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MAX_ENTRIES:
        raise SourceTooLarge(
            f"holds {len(parts):,} parts, more than {MAX_ENTRIES:,}; split it into several files"
        )
    if len({part.filename for part in parts}) != len(parts):
        raise CorruptSource("holds two parts of one name; save it again")
    for part in parts:
        if part.flag_bits & 0x1:
            raise ProtectedSource("is protected by a password; save a copy without one")
        if _UNSAFE_NAME.search(part.orig_filename):
            raise CorruptSource(f"holds a part with an unsafe name ({part.filename[:80]!r}); save it again")
        if part.filename.lower().endswith(_ARCHIVES) and "/embeddings/" not in part.filename:
            raise CorruptSource(
                f"holds another archive ({part.filename[:80]!r}); take it out and save it again"
            )
        if part.file_size > _RATIO_FROM and part.file_size > MAX_RATIO * max(part.compress_size, 1):
            raise SourceTooLarge(
                f"unfolds more than {MAX_RATIO}-fold ({part.filename[:80]!r}); split it into several files"
            )
    total = sum(part.file_size for part in parts)
    xml = sum(part.file_size for part in parts if _is_xml(part.filename))
    for size, limit, what in (
        (xml, MAX_XML_BYTES, "text and structure"),
        (total, MAX_TOTAL_BYTES, "content"),
    ):
        if size > limit:
            raise SourceTooLarge(
                f"unfolds to {size >> 20} MiB of {what}, more than {limit >> 20} MiB; split it"
            )


def _check_kind(names: frozenset[str], kind: Literal["docx", "xlsx"]) -> None:
    if _MAIN_PARTS[kind] in names and "[Content_Types].xml" in names:
        return
    for other, part in _MAIN_PARTS.items():
        if part in names and other != kind:
            raise CorruptSource(f"is {_NAMES[other]}, not {_NAMES[kind]}; name it .{other}")
    raise CorruptSource(f"is an archive but not {_NAMES[kind]}; save it again as .{kind}")


def _check_parts(package: zipfile.ZipFile) -> None:
    """Office writes no document type declarations; whoever adds one wants entities expanded or files read."""
    for part in package.infolist():
        if _is_xml(part.filename):
            content = package.read(part)
            if _DTD.search(content) or (b"\0" in content[:64] and _DTD.search(content.replace(b"\0", b""))):
                raise CorruptSource(
                    f"declares XML entities ({part.filename[:80]!r}); save it again from an Office program"
                )


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels", ".vml"))
