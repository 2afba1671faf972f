"""A message as people read it in a chat: a title, a sentence, some facts, what customers wrote. Pure.

The chat formats differ in how they mark a card up and in what they must keep out of it, not in what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Literal

from graph.recurrence import duration
from kb_service.delivery.formats.card_words import (
    COMMA,
    COUNTED,
    FIGURES,
    KINDS,
    LABELS,
    QUOTED,
    TESTED,
    TITLES,
)
from kb_service.delivery.formats.plain import one_line
from kb_service.delivery.formats.told import Language, Told

LONGEST_TITLE = 120
LONGEST_SENTENCE = 400
LONGEST_VALUE = 160
LONGEST_QUOTE = 160
MOST_QUOTES = 3
MOST_NAMED = 8
LONGEST_NAME = 48
"""Characters of a problem's name where its figures follow."""

Tone = Literal["alarm", "notice", "good"]
_TONES: Mapping[str, Tone] = {
    "alert.opened": "alarm",
    "alert.escalated": "alarm",
    "problem.regressed": "alarm",
    "webhook.disabled": "alarm",
    "problem.resolved": "good",
    "traffic.surge.closed": "good",
}


@dataclass(frozen=True, slots=True)
class Card:
    """Plain texts of one line each, not yet escaped for any dialect; `quotes` are customers' own words."""

    title: str
    tone: Tone
    sentence: str
    facts: tuple[tuple[str, str], ...]
    quoted: str
    quotes: tuple[str, ...]
    foot: str

    def lines(self, separator: str) -> tuple[str, ...]:
        """The facts, label and value in one."""
        return tuple(f"{label}{separator}{value}" for label, value in self.facts)


def card(told: Told, language: Language) -> Card:
    """What a message says, in a language. A type or a field that is not known makes a shorter card, never none."""
    data = told.data
    title = _title(told, language)
    about = _name(data, language)
    quotes = [one_line(text, LONGEST_QUOTE) for text in _list(data.get("examples"))[:MOST_QUOTES]]
    facts = [(LABELS[key][language], value) for key, value in _facts(told, language) if value]
    return Card(
        title=one_line(f"{title} · {about}" if about else title, LONGEST_TITLE),
        tone=_tone(told),
        sentence=_sentence(told, language),
        facts=tuple(facts),
        quoted=QUOTED[language],
        quotes=tuple(filter(None, quotes)),
        foot=" · ".join(filter(None, [_id(data), one_line(told.message_id, LONGEST_VALUE)])),
    )


def _key(told: Told) -> str:
    if told.type == "alert.opened" and (key := f"{told.type}.{told.data.get('kind')}") in TITLES:
        return key
    escalation = told.data.get("escalation")
    if isinstance(escalation, Mapping) and (key := f"{told.type}.{escalation.get('reason')}") in TITLES:
        return key
    return "traffic.surge.closed" if _closed(told) else told.type


def _closed(told: Told) -> bool:
    return told.type == "traffic.surge" and told.data.get("state") == "closed"


def _title(told: Told, language: Language) -> str:
    words = TITLES.get(_key(told))
    return words[language] if words is not None else told.type


def _tone(told: Told) -> Tone:
    return _TONES.get("traffic.surge.closed" if _closed(told) else told.type, "notice")


def _name(data: Mapping[str, Any], language: Language) -> str:
    """What the message is about: an alert's own title, a problem's name, a proposal's title, a cluster's or a
    webhook's."""
    problem = data.get("problem")
    if isinstance(problem, Mapping) and (
        name := _words(data.get("title"), language) or _words(problem.get("name"), language)
    ):
        return name
    for key in ("title", "name"):
        if name := _words(data.get(key), language):
            return name
    expertise = data.get("expertise")
    if isinstance(expertise, Mapping):
        return _words(expertise.get("name"), language) or str(expertise.get("id") or "")
    return str(data.get("webhook_id") or "")


def _sentence(told: Told, language: Language) -> str:
    if told.type == "webhook.test":
        return TESTED[language]
    evidence = _words(told.data.get("evidence") or told.data.get("question"), language)
    escalation = told.data.get("escalation")
    again = _words(escalation.get("words"), language) if isinstance(escalation, Mapping) else ""
    return one_line(again or evidence, LONGEST_SENTENCE)


def _facts(told: Told, language: Language) -> Iterator[tuple[str, str]]:
    """Label's key and value of everything that is told; an empty value is left out by the caller."""
    data, comma = told.data, COMMA[language]
    for key in ("customers", "events", "questions"):
        yield key, _number(data.get(key))
    if cases := _list(data.get("cases")):
        yield "cases", str(len(cases))
    yield "counted", _counted(data, language)
    yield "products", _listed(data.get("products"), comma)
    if isinstance(expertise := data.get("expertise"), str):
        yield "expertise", one_line(expertise, LONGEST_VALUE)
    if told.type == "proposal.created":
        kind = str(data.get("kind") or "")
        yield "kind", KINDS[kind][language] if kind in KINDS else one_line(kind, LONGEST_VALUE)
    if isinstance(owner := data.get("owner"), Mapping):
        yield "owner", one_line(owner.get("name") or owner.get("id") or "", LONGEST_VALUE)
    for key in ("channel", "host"):
        yield key, one_line(_words(data.get(key), language), LONGEST_VALUE)
    yield "also", _also(data, language)
    yield "joined", _joined(data, language)
    if isinstance(proposal := data.get("proposal"), Mapping):
        yield "proposal", one_line(_words(proposal.get("title"), language), LONGEST_VALUE)
    helping = [item for item in _list(data.get("help")) if isinstance(item, Mapping)]
    helpers = [item.get("name") or item.get("id") or "" for item in helping]
    yield "help", _listed(helpers, comma)
    yield "cancelled", _number(data.get("cancelled"))
    yield "failing_since", _time(data.get("failing_since"), told.zone)
    yield "due_at", _time(data.get("due_at"), told.zone)
    yield "at", _time(told.at.isoformat(), told.zone)


def _also(data: Mapping[str, Any], language: Language) -> str:
    """The other problems that are told together with this one, with their customers and in what time."""
    others = [_with_figures(item, language) for item in _list(data.get("also")) if isinstance(item, Mapping)]
    return _listed([other for other in others if other], COMMA[language])


def _with_figures(data: Mapping[str, Any], language: Language) -> str:
    """A problem's name, cut to leave room for its figures, where they are known."""
    name, span = one_line(_name(data, language), LONGEST_NAME), _span(data, language)
    customers = _number(data.get("customers"))
    if not (name and span and customers):
        return name
    noun = "" if language == "zh" else " customer" if customers == "1" else " customers"
    return FIGURES[language].format(name=name, customers=f"{customers}{noun}", span=span)


def _joined(data: Mapping[str, Any], language: Language) -> str:
    """How surely a message was joined, where that may be doubted: a sudden rise of a problem that is new."""
    problem = data.get("problem")
    young = isinstance(problem, Mapping) and problem.get("emerging") is True
    if data.get("kind") != "burst" or not young:
        return ""
    return one_line(_words(data.get("joined"), language), LONGEST_VALUE)


def _span(data: Mapping[str, Any], language: Language) -> str:
    """The alert's window in words; none for what has no window."""
    minutes = data.get("window_minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, int) or minutes <= 0:
        return ""
    return duration(minutes)[1 if language == "zh" else 0]


def _counted(data: Mapping[str, Any], language: Language) -> str:
    observed, expected = _number(data.get("observed")), _number(data.get("expected"))
    span = _span(data, language)
    if not (observed and expected and span):
        return ""
    return COUNTED[language].format(observed=observed, expected=expected, span=span)


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:.1f}".removesuffix(".0")


def _time(value: Any, zone: tzinfo) -> str:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return ""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at.tzinfo is not None else ""


def _listed(values: Any, comma: str) -> str:
    names = [one_line(item, LONGEST_VALUE // 2) for item in _list(values)]
    more = "…" if len(names) > MOST_NAMED else ""
    return one_line(comma.join(names[:MOST_NAMED]) + more, LONGEST_VALUE * 2)


def _words(value: Any, language: Language) -> str:
    """A text by language, in the other one where there is none in this; a plain text as it is."""
    if isinstance(value, Mapping):
        value = value.get(language) or next((text for text in value.values() if text), "")
    return value if isinstance(value, str) else ""


def _id(data: Mapping[str, Any]) -> str:
    problem = data.get("problem")
    found = (
        data.get("id")
        or data.get("followup_id")
        or (problem.get("id") if isinstance(problem, Mapping) else None)
    )
    return one_line(found, LONGEST_VALUE) if isinstance(found, str) else ""


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()
