"""A document as a form has it: fields to texts and back, and which of them is at fault."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ingest.errors import IngestError, InvalidDocument
from ingest.models import Document, FieldValue
from kb_service.editing import Draft
from kb_service.errors import Conflict, InvalidRequest, ServiceError

PLAIN = ("external_id", "kind", "title", "language", "audience", "status", "url")
LISTS = ("products", "regions", "tiers", "channels", "supersedes")
WRITTEN = ("text", "question", "reply", "fields")
DATES = ("valid_from", "valid_to")
NAMES = (*PLAIN, *LISTS, *WRITTEN, *DATES, "version")
FAULTS = frozenset({*PLAIN, *LISTS, *WRITTEN, *DATES})
"""The fields of the form beside which a fault is told; what else may be wrong is told above it."""
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
    """What somebody typed, as it is shown again when it cannot be saved."""
    return {name: str(form.get(name, "")).replace("\r\n", "\n") for name in NAMES}


def draft_of(values: Mapping[str, str], before: Mapping[str, FieldValue], made_id: str) -> Draft:
    """What a form asks for. `before` are the fields that the document had: what was not changed keeps its type.

    Raises InvalidDocument for what is no line of an attribute or no number of a version, InvalidRequest for an id that
    no address of a page can hold.
    """
    attributes: dict[str, object] = {
        name: values[name].strip()
        for name in (*PLAIN, *LISTS, *DATES)
        if name != "external_id" and (values[name].strip() or name in LISTS)
    }
    if not values["title"].strip():
        raise InvalidDocument("title", "is required")
    named = values["external_id"].strip()
    # One that there is keeps its id, whoever gave it; a browser would resolve the parts of a new one away.
    if named and not values["version"] and {"", ".", ".."} & set(named.split("/")):
        raise InvalidRequest.of(
            "external_id",
            "must be an id without empty parts, . or .. between its slashes: a browser cannot open those",
        )
    if values["version"] and not values["version"].isdecimal():
        raise InvalidDocument("version", "must be a number")
    fields: dict[str, FieldValue] = {name: values[name].strip() for name in _DIALOGUE if values[name].strip()}
    fields |= _fields(values["fields"], before)
    return Draft(
        external_id=named or made_id,
        attributes=attributes,
        text=values["text"],
        fields=fields,
        version=int(values["version"]) if values["version"] else None,
    )


def fault_of(error: Exception) -> str | None:
    """The field of the form that an error is about; None for one that is about none of them."""
    name = None
    if isinstance(error, InvalidDocument):
        name = error.field
    elif isinstance(error, ServiceError) and error.fields:
        name = error.fields[0].field
    elif isinstance(error, IngestError):
        name = "text"
    elif isinstance(error, Conflict):
        return None
    if name is None:
        return None
    name = name.split("(")[0].strip()
    if name.startswith("fields."):
        name = name.removeprefix("fields.") if name.removeprefix("fields.") in _DIALOGUE else "fields"
    name = "text" if name in ("html", "markdown") else name
    return name if name in FAULTS else None


def _fields(written: str, before: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {}
    for line in written.split("\n"):
        if not line.strip():
            continue
        colon = "：" if "：" in line and ":" not in line.partition("：")[0] else ":"
        name, found, value = (part.strip() for part in line.partition(colon))
        if not found or not name:
            raise InvalidDocument("fields", "must be lines such as name: value")
        old = before.get(name)
        fields[name] = old if name in before and _plain(old) == value else value
    return fields


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
