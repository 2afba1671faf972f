"""A shop's rules as a form: every rule in its group, shown as people write it, read back, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError
from starlette.datastructures import FormData

from graph.flow_words import FLOW_WORDS
from graph.models import Rules
from graph.priority import DEFAULT_WEIGHTS, weights_of
from graph.sensitive_flows import effective_flows
from graph.service_level import BANDS
from kb_service.console.typed import words_of
from kb_service.errors import FieldError
from kb_service.problem_details import invalid
from kb_service.wire.rules import RulesShape

Kind: TypeAlias = Literal[
    "number", "percent", "one_in", "switch", "choice", "zone", "hour", "text", "dates", "addresses",
    "points", "promises", "figures", "flows", "names", "owners",
]  # fmt: skip
Pairs: TypeAlias = tuple[tuple[str, str], ...]
Shown: TypeAlias = str | tuple[str, ...] | Mapping[str, str] | Pairs | Mapping[str, Pairs]
"""A rule as the form shows it: a text, a list, a table, pairs, or pairs by kind."""
Sheet: TypeAlias = Mapping[str, Shown]
PROMISES = ("first_response_minutes", "resolve_minutes")
OWNED = ("product", "expertise", "channel")
LISTED = 60
"""Pairs that stand in rows of their own; more of them are lines of one text, which a screen can still hold."""


@dataclass(frozen=True, slots=True)
class Field:
    """One rule in the form. `least`, `most` and `step` guide the browser; the wire's shape decides."""

    name: str
    kind: Kind
    unit: str = ""
    least: str = "0"
    most: str = ""
    step: str = "any"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    fields: tuple[Field, ...]


GROUPS: tuple[Group, ...] = (
    Group(
        "alerts",
        (
            Field("recurrence_customers", "number", "customers", "2", "1000", "1"),
            Field("recurrence_window_hours", "number", "hours", "0", "2160"),
            Field("burst_customers", "number", "customers", "2", "1000", "1"),
            Field("burst_likelihood", "one_in", "such hours", "100"),
            Field("growth_alerts", "switch"),
            Field("promote_customers", "number", "customers", "1", "1000", "1"),
            Field("promote_window_hours", "number", "hours", "0", "2160"),
            Field("regression_customers", "number", "customers", "1", "1000", "1"),
            Field("regression_grace_hours", "number", "hours", "0", "2160"),
        ),
    ),
    Group(
        "problems",
        (
            Field("regroup_nightly", "switch"),
            Field("problem_grain", "choice", choices=("fine", "coarse")),
            Field("owners", "owners"),
        ),
    ),
    Group(
        "telling",
        (
            Field("group_wait_seconds", "number", "seconds", "0", "3600"),
            Field("group_interval_seconds", "number", "seconds", "0", "86400"),
            Field("repeat_hours", "number", "hours", "0", "2160"),
            Field("followup_hours", "number", "hours", "0", "2160"),
            Field("digest_hour", "hour"),
            Field("digest_to", "addresses"),
            Field("digest_language", "choice", choices=("zh", "en")),
        ),
    ),
    Group(
        "answers",
        (
            Field("wrong_answer_bound", "percent", "percent", "0", "100"),
            Field("review_share", "percent", "percent", "0", "100"),
            Field("swap_share", "percent", "percent", "0", "20"),
            Field("default_region", "text"),
        ),
    ),
    Group(
        "sensitive",
        (
            Field("refund_limit", "number", "currency", "0"),
            Field("sensitive_flows", "flows"),
        ),
    ),
    Group(
        "priority",
        (
            Field("priority_weights", "points", "points", "0", "100"),
            Field("tier_values", "figures", "percent", "0", "100"),
        ),
    ),
    Group(
        "service",
        (
            Field("service_levels", "promises", "minutes", "0", "525600"),
            Field("tier_lifts", "figures", "bands", "0", "3", "1"),
            Field("inactive_minutes", "number", "minutes", "1", "10080"),
            Field("auto_assign", "switch"),
        ),
    ),
    Group(
        "shop",
        (
            Field("timezone", "zone"),
            Field("promotion_days", "dates"),
            Field("surge_customers", "number", "customers", "2", "10000", "1"),
            Field("carriers", "names"),
            Field("campaigns", "names"),
        ),
    ),
)
FIELDS: Mapping[str, Field] = {item.name: item for group in GROUPS for item in group.fields}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a rule: within it at `place`, in words of the service (`error`) or by a key of the console's
    (`text`)."""

    place: str
    error: FieldError | None = None
    text: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


Faults: TypeAlias = Mapping[str, tuple[Fault, ...]]


class Faulty(Exception):
    """A form that cannot be read as rules; `faults` by rule."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


# --- rules to form


def sheet_of(rules: Rules) -> dict[str, Shown]:
    """Rules as the form shows them."""
    return {name: _shown(item, rules) for name, item in FIELDS.items()}


def _shown(item: Field, rules: Rules) -> Shown:
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


def figure(value: float) -> str:
    """A number as people write it: without a point where it is whole."""
    return str(int(value)) if float(value).is_integer() else f"{value:.8g}"


DEFAULTS: Sheet = sheet_of(Rules())


# --- form to rules


def sheet_read(form: FormData) -> dict[str, Shown]:
    """What somebody filled in, blank rows left out; a rule that the form does not hold stays out."""
    return {name: _read(item, form) for name, item in FIELDS.items() if _holds(item, form)}


def _holds(item: Field, form: FormData) -> bool:
    return any(name == item.name or name.startswith(f"{item.name}.") for name in form)


def _all(form: FormData, name: str) -> list[str]:
    # A browser sends the lines of a text apart by two characters.
    return [str(text).replace("\r\n", "\n").strip() for text in form.getlist(name)]


def _read(item: Field, form: FormData) -> Shown:
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
    """The rules that a form asks for; what it leaves as `base` has it stays to the last digit. Raises Faulty."""
    before = sheet_of(base)
    changed = {name: shown for name, shown in sheet.items() if shown != before[name]}
    faults: dict[str, list[Fault]] = {}
    given: dict[str, Any] = {}
    for name, shown in changed.items():
        given[name] = _value(FIELDS[name], shown, faults.setdefault(name, []))
    if not any(faults.values()):
        try:
            return RulesShape.model_validate(given).over(base)
        except ValidationError as error:
            for found in invalid(error.errors()).fields:
                name, _, place = found.field.partition(".")
                faults.setdefault(name, []).append(Fault(place, error=_as_shown(FIELDS.get(name), found)))
    raise Faulty({name: tuple(found) for name, found in faults.items() if found})


def _value(item: Field, shown: Any, faults: list[Fault]) -> Any:
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
                faults.append(Fault("", text="full_hour"))
            return hour
        case "text":
            return shown or None
        case "points":
            return {key: text for key, text in shown.items() if text != figure(DEFAULT_WEIGHTS[key])}
        case "promises":
            return {band: {key: shown[f"{band}.{key}"] for key in PROMISES} for band in BANDS}
        case "figures":
            rows = _unique(shown, faults)
            return {key: _scaled(text) for key, text in rows.items()} if item.unit == "percent" else rows
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


def _scaled(text: str) -> Any:
    with suppress(ValueError):
        return round(float(text) / 100, 10)
    return text


def _unique(rows: Pairs, faults: list[Fault], *, whole: bool = False) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in rows:
        if key in found:
            faults.append(Fault("", text="twice", values={"name": key}))
        if whole and not (key and value):
            faults.append(Fault("", text="no_pair", values={"line": f"{key} = {value}"}))
        found[key] = value
    return found


def _as_shown(item: Field | None, found: FieldError) -> FieldError:
    """A limit in the unit that the form shows."""
    if item is None or item.kind not in ("percent", "one_in", "figures"):
        return found
    if item.kind == "one_in" and "le" in found.params:
        least = figure(round(1 / float(found.params["le"])))
        return FieldError(found.field, "must be at least {ge}", {"ge": least})
    if item.kind == "one_in" or (item.kind == "figures" and item.unit != "percent"):
        return found
    scaled = {
        key: figure(float(value) * 100) if key in ("gt", "ge", "lt", "le") else value
        for key, value in found.params.items()
    }
    return replace(found, params=scaled)


def told(errors: Iterable[FieldError]) -> Faults:
    """Findings of the service by the rule that they are about."""
    faults: dict[str, list[Fault]] = {}
    for found in errors:
        name, _, place = found.field.partition(".")
        faults.setdefault(name, []).append(Fault(place, error=_as_shown(FIELDS.get(name), found)))
    return {name: tuple(some) for name, some in faults.items()}


def put_in(sheet: Sheet, rules: Rules, names: Sequence[str]) -> dict[str, Shown]:
    """A form with some rules as `rules` has them."""
    other = sheet_of(rules)
    return {**sheet, **{name: other[name] for name in names if name in other}}


def said_place(item: Field, place: str, say: Callable[[str], str]) -> str:
    """Where within a rule something is wrong, in words."""
    parts = place.split(".") if place else []
    if item.kind == "promises":
        return ", ".join(say(part if part in BANDS else f"promise {part}") for part in parts)
    if item.kind == "points":
        return ", ".join(say(f"factor {part}") if part in DEFAULT_WEIGHTS else part for part in parts)
    if item.kind == "owners":
        return ", ".join(say(f"owner {part}") if part in OWNED else part for part in parts)
    if item.kind in ("dates", "addresses") and parts and parts[0].isdigit():
        return str(int(parts[0]) + 1)
    return ".".join(parts)
