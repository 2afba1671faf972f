"""A shop's rules as a form: shown as people write them, and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from pydantic import ValidationError
from starlette.datastructures import FormData

from graph.flow_words import FLOW_WORDS
from graph.priority import DEFAULT_WEIGHTS, weights_of
from graph.rules import Rules
from graph.sensitive_flows import effective_flows
from graph.service_level import BANDS
from kb_service.console.rule_faults import FaultyRules, RuleFault, faults_of
from kb_service.console.rule_fields import FIELDS, OWNED, PROMISES, RuleField, figure
from kb_service.console.typed import words_of
from kb_service.problem_details import invalid
from kb_service.wire.rules import RulesShape

Pairs: TypeAlias = tuple[tuple[str, str], ...]
Shown: TypeAlias = str | tuple[str, ...] | Mapping[str, str] | Pairs | Mapping[str, Pairs]
"""A rule as the form shows it: a text, a list, a table, pairs, or pairs by kind."""
Sheet: TypeAlias = Mapping[str, Shown]


def sheet_of(rules: Rules) -> dict[str, Shown]:
    """Rules as the form shows them."""
    return {name: _shown(item, rules) for name, item in FIELDS.items()}


def _shown(item: RuleField, rules: Rules) -> Shown:
    value: Any = getattr(rules, item.name)
    match item.kind:
        case "number":
            return figure(value)
        case "percent":
            return figure(round(value * 100, 8))
        case "one_in":
            return figure(round(1 / value)) if value > 0 else ""
        case "switch":
            return "on" if value else "off"
        case "hour":
            return f"{value:02d}:00"
        case "dates" | "addresses":
            return tuple(value)
        case "points":
            return {name: figure(points) for name, points in weights_of(rules).items()}
        case "promises":
            return {
                f"{band}.{name}": figure(getattr(value[band], name)) for band in BANDS for name in PROMISES
            }
        case "figures":
            scale = 100 if item.unit == "percent" else 1
            return tuple((tier, figure(round(held * scale, 8))) for tier, held in value.items())
        case "flows":
            return tuple((flow, "\n".join(words)) for flow, words in effective_flows(rules).items())
        case "names":
            return tuple((name, ", ".join(called)) for name, called in value.items())
        case "owners":
            return {kind: tuple(value.get(kind, {}).items()) for kind in OWNED}
        case _:
            return str(value or "")


DEFAULTS: Sheet = sheet_of(Rules())


def sheet_read(form: FormData) -> dict[str, Shown]:
    """What somebody filled in, blank rows left out; a rule that the form does not hold stays out."""
    return {name: _read(item, form) for name, item in FIELDS.items() if _holds(item, form)}


def _holds(item: RuleField, form: FormData) -> bool:
    return any(name == item.name or name.startswith(f"{item.name}.") for name in form)


def _all(form: FormData, name: str) -> list[str]:
    # A browser sends the lines of a text apart by two characters.
    return [str(text).replace("\r\n", "\n").strip() for text in form.getlist(name)]


def _read(item: RuleField, form: FormData) -> Shown:
    name = item.name
    match item.kind:
        case "dates" | "addresses":
            listed = [*_all(form, name), *_last(form, f"{name}.lines").split()]
            return tuple(text for text in listed if text)
        case "points":
            return {key: _last(form, f"{name}.{key}") for key in DEFAULT_WEIGHTS}
        case "promises":
            return {
                f"{band}.{key}": _last(form, f"{name}.{band}.{key}") for band in BANDS for key in PROMISES
            }
        case "figures" | "flows" | "names":
            return _pairs(form, name)
        case "owners":
            return {kind: _pairs(form, f"{name}.{kind}") for kind in OWNED}
        case _:
            return _last(form, name)


def _last(form: FormData, name: str) -> str:
    found = _all(form, name)
    return found[-1] if found else ""


def _pairs(form: FormData, name: str) -> Pairs:
    rows = list(zip(_all(form, f"{name}.key"), _all(form, f"{name}.value"), strict=False))
    for line in _last(form, f"{name}.lines").splitlines():
        key, _, value = line.partition("=")
        rows.append((key.strip(), value.strip()))
    return tuple((key, value) for key, value in rows if key or value)


def rules_of(sheet: Sheet, base: Rules) -> Rules:
    """The rules that a form asks for; what it leaves as `base` has it stays to the last digit. Raises FaultyRules."""
    before = sheet_of(base)
    changed = {name: shown for name, shown in sheet.items() if shown != before[name]}
    faults: dict[str, list[RuleFault]] = {}
    given: dict[str, Any] = {}
    for name, shown in changed.items():
        given[name] = _value(FIELDS[name], shown, faults.setdefault(name, []))
    if not any(faults.values()):
        try:
            return RulesShape.model_validate(given).over(base)
        except ValidationError as error:
            raise FaultyRules(faults_of(invalid(error.errors()).fields)) from None
    raise FaultyRules({name: tuple(found) for name, found in faults.items() if found})


def _value(item: RuleField, shown: Any, faults: list[RuleFault]) -> Any:
    """What the wire takes; a text that is no number stays as it is, for the wire to refuse."""
    match item.kind:
        case "percent":
            return _scaled(shown)
        case "one_in":
            with suppress(ValueError):
                return 1 / max(float(shown), 1.0)
            return shown
        case "switch":
            return shown == "on"
        case "hour":
            hour, _, minute = shown.partition(":")
            if not hour.isdigit() or minute.strip("0"):
                faults.append(RuleFault("", text="full_hour"))
            return _number(hour)
        case "number":
            return _number(shown)
        case "text":
            return shown or None
        case "points":
            return {key: _number(text) for key, text in shown.items() if text != figure(DEFAULT_WEIGHTS[key])}
        case "promises":
            return {band: {key: _number(shown[f"{band}.{key}"]) for key in PROMISES} for band in BANDS}
        case "figures":
            read = _scaled if item.unit == "percent" else _number
            return {key: read(text) for key, text in _unique(shown, faults).items()}
        case "flows":
            return {
                key: [word.strip() for word in text.splitlines() if word.strip()]
                for key, text in _unique(shown, faults).items()
                if text or key in FLOW_WORDS
            }
        case "names":
            return {key: words_of(text) for key, text in _unique(shown, faults).items()}
        case "owners":
            return {kind: _unique(rows, faults, whole=True) for kind, rows in shown.items() if rows}
        case _:
            return list(shown) if isinstance(shown, tuple) else shown


def _number(text: str) -> Any:
    for read in (int, float):
        with suppress(ValueError):
            return read(text)
    return text


def _scaled(text: str) -> Any:
    with suppress(ValueError):
        return round(float(text) / 100, 10)
    return text


def _unique(rows: Pairs, faults: list[RuleFault], *, whole: bool = False) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in rows:
        if key in found:
            faults.append(RuleFault("", text="twice", values={"name": key}))
        if whole and not (key and value):
            faults.append(RuleFault("", text="no_pair", values={"line": f"{key} = {value}"}))
        found[key] = value
    return found


def put_in(sheet: Sheet, rules: Rules, names: Sequence[str]) -> dict[str, Shown]:
    """A form with some rules as `rules` has them."""
    other = sheet_of(rules)
    return {**sheet, **{name: other[name] for name in names if name in other}}
