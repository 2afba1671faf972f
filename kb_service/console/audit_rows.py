"""Entries of the audit trail as people read them: who did what to what, and what that changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote

from kb_service.audit_trail import AuditEntry
from kb_service.console.rendering import said, when
from kb_service.console.words import ZH
from kb_service.messages import Language

ACTION, ACTOR, NOUN, DETAIL, VALUE = "action ", "actor ", "noun ", "detail ", "value "
RULE = "rule "
LONGEST = 160
MOST_TOLD = 12
"""Parts of an entry's detail that a row spells out."""
PLACES: Mapping[str, str] = {
    "agent": "/console/administration/agents/",
    "alert": "/console/alerts/",
    "case": "/console/cases/",
    "document": "/console/documents/",
    "expertise": "/console/administration/expertise/",
    "intent": "/console/administration/intents/",
    "member": "/console/administration/members/",
    "problem": "/console/problems/",
    "proposal": "/console/proposals/",
    "webhook": "/console/administration/webhooks/",
}
"""Where what an action is about is seen, by the first word of the action."""
GONE = ("removed", "ended", "erased", "link")
MADE_ID = re.compile(r"[a-z]+_\w{9,}")
"""An id that the service made up: people tell it by its end, as they do a long number."""
SHOWN_OF_ID = 6
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class AuditDetail:
    """One thing that an entry tells: `was` is None where it only says what is."""

    name: str
    now: str
    was: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry; `named` tells whether its object goes by a name, `left_out` how many of its details are not told."""

    at: datetime
    actor: str
    action: str
    object: str
    id: str
    named: bool
    link: str | None
    told: tuple[AuditDetail, ...]
    left_out: int


def automatic_actors() -> list[str]:
    """What the service does things as by itself."""
    return sorted(key.removeprefix(ACTOR) for key in ZH if key.startswith(ACTOR))


def nouns() -> set[str]:
    """What actions are about, where that has its words."""
    return {key.removeprefix(NOUN) for key in ZH if key.startswith(NOUN)}


def actions_by_noun() -> dict[str, list[str]]:
    """Every action that has its words, by what it is about."""
    found: dict[str, list[str]] = {}
    for key in ZH:
        if key.startswith(ACTION):
            action = key.removeprefix(ACTION)
            found.setdefault(action.partition(".")[0], []).append(action)
    return found


def audit_row(entry: AuditEntry, names: Mapping[str, str], language: Language, zone: tzinfo) -> AuditRow:
    """An entry as a row of the list; `names` are those of people, programs and problems, by id."""
    told = tuple(_told(entry.detail, names, language, zone))
    return AuditRow(
        at=entry.at,
        actor=names.get(entry.actor) or _words(ACTOR, entry.actor, language),
        action=_words(ACTION, entry.action, language),
        object="" if entry.object == entry.actor else names.get(entry.object) or _shortened(entry.object),
        id=entry.object,
        named=entry.object in names,
        link=_link(entry),
        told=told[:MOST_TOLD],
        left_out=max(0, len(told) - MOST_TOLD),
    )


def _shortened(id: str) -> str:
    return f"…{id[-SHOWN_OF_ID:]}" if MADE_ID.fullmatch(id) else id


def _words(prefix: str, value: str, language: Language, otherwise: str | None = None) -> str:
    """A name that the store keeps, as people call it, a rule by its label; one without words as it stands."""
    places = (prefix, RULE) if prefix == DETAIL else (prefix,)
    known = next((place for place in places if place + value in ZH), None)
    return said(known + value, language) if known is not None else otherwise or value


def _link(entry: AuditEntry) -> str | None:
    noun, _, verb = entry.action.partition(".")
    if noun not in PLACES or verb in GONE or not entry.object:
        return None
    return PLACES[noun] + quote(entry.object, safe="/" if noun == "document" else "")


def _told(
    detail: Mapping[str, Any], names: Mapping[str, str], language: Language, zone: tzinfo
) -> Iterator[AuditDetail]:
    """What an entry's detail says, one thing after the other; of a change what was and what is."""

    def spelt(value: Any) -> str:
        return _spelt(value, names, language, zone)

    for name, value in detail.items():
        if name == "changes" and isinstance(value, Mapping):
            for field, change in value.items():
                pair = isinstance(change, Mapping) and {"from", "to"} <= set(change)
                was, now = (change["from"], change["to"]) if pair else (None, change)
                yield AuditDetail(_words(DETAIL, field, language), spelt(now), spelt(was) if pair else None)
        elif name == "was" and isinstance(value, Mapping):
            for field, before in value.items():
                yield AuditDetail(_words(DETAIL, field, language), "–", spelt(before))
        elif isinstance(value, Mapping) and value:
            inner = "; ".join(f"{_words(DETAIL, key, language)} {spelt(item)}" for key, item in value.items())
            yield AuditDetail(_words(DETAIL, name, language), inner[: 2 * LONGEST])
        else:
            yield AuditDetail(_words(DETAIL, name, language), spelt(value))


def _worded(text: str, language: Language) -> str:
    """An action or an id within a detail, as people call it; any other text as it stands."""
    return _words(ACTION, text, language, _shortened(text))


def _spelt(value: Any, names: Mapping[str, str], language: Language, zone: tzinfo) -> str:
    """A value as people read it."""
    if value is None or value in ([], "", {}):
        return "–"
    if isinstance(value, bool):
        return said("yes" if value else "no", language)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        text = ", ".join(_spelt(item, names, language, zone) for item in value)
    elif isinstance(value, Mapping):
        text = "; ".join(
            f"{_words(DETAIL, str(key), language)} {_spelt(item, names, language, zone)}"
            for key, item in value.items()
        )
    else:
        text = str(value)
        if MOMENT.match(text):
            text = when(datetime.fromisoformat(text), zone)
        text = names.get(text) or _words(VALUE, text, language, _worded(text, language))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
