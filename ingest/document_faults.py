"""Everything that is wrong with a document, where `compose` tells the first of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo

from ingest.documents import compose
from ingest.errors import IngestError, InvalidDocument
from ingest.models import Extract

_SOUND: Mapping[str, object] = {"external_id": "-", "kind": "policy", "title": "-"}
"""What stands in for an attribute that no document does without."""
_READABLE = Extract("-", ())


def faults(
    extract: Extract, attributes: Mapping[str, object], *, timezone: tzinfo = UTC
) -> tuple[IngestError, ...]:
    """What `compose` would refuse of a document, in its order; empty for one that is sound.

    Each is looked for without those before it, so that one fault hides no other and none is told twice.
    """
    found: list[IngestError] = []
    given = dict(attributes)
    while True:
        try:
            compose(extract, given, timezone=timezone)
        except InvalidDocument as error:
            found.append(error)
            before, given = given, _without(given, error.field)
            if given == before:
                return tuple(found)
        except IngestError as error:
            found.append(error)
            if extract is _READABLE:
                return tuple(found)
            extract = _READABLE
        else:
            return tuple(found)


def _without(given: Mapping[str, object], field: str) -> dict[str, object]:
    """The attributes without the one at fault, or with a sound one where a document needs it."""
    name, _, part = field.partition("(")[0].strip().partition(".")
    rest = {key: value for key, value in given.items() if key != name}
    nested = given.get(name, {} if part in ("question", "reply") else None)
    if part and isinstance(nested, Mapping):
        kept = {key: value for key, value in nested.items() if str(key) != part}
        return {**rest, name: {**kept, part: "-"} if part in ("question", "reply") else kept}
    return {**rest, name: _SOUND[name]} if name in _SOUND else rest
