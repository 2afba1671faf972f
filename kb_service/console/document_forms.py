"""A document as a form has it: fields to texts and back, and which of them are at fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ingest.models import Document, FieldValue
from kb_service.console.typed import fields_at_fault
from kb_service.editing import EditedDocument
from kb_service.errors import not_whole

PLAIN = ("external_id", "kind", "title", "language", "audience", "status", "url")
LISTS = ("products", "regions", "tiers", "channels", "supersedes")
WRITTEN = ("text", "question", "reply", "fields")
DATES = ("valid_from", "valid_to")
NAMES = (*PLAIN, *LISTS, *WRITTEN, *DATES, "version")
FAULTS = tuple(dict.fromkeys(("title", *WRITTEN, *PLAIN, *DATES, *LISTS)))
"""The fields of the form beside which a fault is told, from its top down; what else may be wrong is told above it."""
# fmt: off
LANGUAGES: tuple[str, ...] = (
    "zh", "en", "ar", "da", "de", "es", "fi", "fr", "hi", "id", "it", "ja", "ko", "ms", "nl", "no", "pl", "pt", "ru",
    "sv", "th", "tr", "uk", "vi",
)
# fmt: on
"""The languages that a form offers, by their codes; a document's own is offered too."""
_DIALOGUE = ("question", "reply")


def blank(kind: str) -> dict[str, str]:
    """The form of a document that is yet to be written."""
    return dict.fromkeys(NAMES, "") | {"kind": kind, "audience": "public", "status": "approved"}


def values_of(document: Document, text: str, version: int, zone: tzinfo) -> dict[str, str]:
    """The form of a document that there is. `text` is what its editor writes of it."""
    values = {name: str(getattr(document, name) or "") for name in PLAIN}
    values |= {name: ", ".join(getattr(document, name)) for name in LISTS}
    values |= {name: str(document.fields.get(name) or "") for name in _DIALOGUE}
    lines = (f"{name}: {_plain(value)}" for name, value in document.fields.items() if name not in _DIALOGUE)
    return values | {
        "text": text,
        "fields": "\n".join(lines),
        "valid_from": _written(document.valid_from, zone, last=False),
        "valid_to": _written(document.valid_to, zone, last=True),
        "version": str(version),
    }


def given(form: Mapping[str, Any]) -> dict[str, str]:
    """What somebody typed, as it is shown again when it cannot be saved.

    Raises InvalidRequest for a form that does not say which version it was made of, empty for a new document.
    """
    version = form.get("version")
    if version is None or not (str(version) == "" or str(version).isdecimal()):
        raise not_whole()
    return {name: str(form.get(name, "")).replace("\r\n", "\n") for name in NAMES}


def draft_of(
    values: Mapping[str, str], before: Mapping[str, FieldValue], made_id: str
) -> tuple[EditedDocument, frozenset[str]]:
    """What a form asks for, as far as it can be read, and the fields of it that cannot.

    `before` are the fields that the document had: what was not changed keeps its type.
    """
    attributes: dict[str, object] = {
        name: values[name].strip()
        for name in (*PLAIN, *LISTS, *DATES)
        if name != "external_id" and (values[name].strip() or name in LISTS)
    }
    named = values["external_id"].strip()
    written, legible = _fields(values["fields"], before)
    # One that there is keeps its id, whoever gave it; a browser would resolve the parts of a new one away.
    lost = bool(named) and not values["version"] and bool({"", ".", ".."} & set(named.split("/")))
    wrong = {"title": not values["title"].strip(), "external_id": lost, "fields": not legible}
    fields: dict[str, FieldValue] = {name: values[name].strip() for name in _DIALOGUE if values[name].strip()}
    draft = EditedDocument(
        external_id=named if named and not lost else made_id,
        attributes=attributes,
        text=values["text"],
        fields=fields | written,
        version=int(values["version"]) if values["version"] else None,
    )
    return draft, frozenset(name for name, holds in wrong.items() if holds)


def faults_of(errors: Iterable[Exception]) -> frozenset[str]:
    """The fields of the form that errors are about; none for those that are about none of them."""
    return frozenset(name for error in errors for name in _named(error) if name in FAULTS)


def _named(error: Exception) -> Iterator[str]:
    for name in fields_at_fault(error):
        first, _, part = name.partition(".")
        if first == "fields" and part in _DIALOGUE:
            yield part
        else:
            yield "text" if first in ("html", "markdown") else first


def _fields(written: str, before: Mapping[str, FieldValue]) -> tuple[dict[str, FieldValue], bool]:
    """The attributes that lines name, and whether each line names one."""
    fields: dict[str, FieldValue] = {}
    legible = True
    for line in written.split("\n"):
        if not line.strip():
            continue
        colon = "：" if "：" in line and ":" not in line.partition("：")[0] else ":"
        name, found, value = (part.strip() for part in line.partition(colon))
        if not found or not name:
            legible = False
            continue
        old = before.get(name)
        fields[name] = old if name in before and _plain(old) == value else value
    return fields, legible


def _plain(value: FieldValue) -> str:
    """A field on one line, as a form shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(str(value).split()) if value is not None else ""


def _written(at: datetime | None, zone: tzinfo, *, last: bool) -> str:
    """A day where a moment is a midnight of the shop (with `last` the day before), else the moment to the minute."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    if (local.hour, local.minute, local.second, local.microsecond) != (0, 0, 0, 0):
        return local.strftime("%Y-%m-%dT%H:%M")
    return (local - timedelta(days=1) if last else local).strftime("%Y-%m-%d")
