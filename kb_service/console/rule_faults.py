"""What is wrong with rules that somebody filled in, told beside the rule that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from graph.errors import InvalidValue
from graph.priority import DEFAULT_WEIGHTS
from graph.service_level import BANDS
from kb_service.console.rendering import said
from kb_service.console.rule_fields import FIELDS, OWNED, RuleField, figure
from kb_service.errors import Conflict, FieldError, InvalidRequest, ServiceError
from kb_service.messages import Language


@dataclass(frozen=True, slots=True)
class RuleFault:
    """What is wrong with a rule: within it at `place`, in words of the service (`error`) or by a key of the console's
    (`text`)."""

    place: str
    error: FieldError | None = None
    text: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


RuleFaults: TypeAlias = Mapping[str, tuple[RuleFault, ...]]


class FaultyRules(Exception):
    """A form that cannot be read as rules; `faults` by rule."""

    def __init__(self, faults: RuleFaults) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class RulesRefused:
    """Why the rules of a form were not taken: what is wrong by rule, or one `error` for all of it."""

    faults: RuleFaults = field(default_factory=dict)
    error: ServiceError | None = None

    def told(self, language: Language) -> dict[str, Any]:
        """What a page with the form is given of it, its status included."""

        def where(name: str, within: str) -> str:
            return _said_place(FIELDS[name], within, language) if name in FIELDS else within

        return {
            "status": 422 if self.faults else 409 if self.error is not None else 200,
            "faults": self.faults,
            "where": where,
            "refused": self.error.detail(language) if self.error is not None else "",
        }


REFUSED = (FaultyRules, InvalidRequest, InvalidValue, Conflict)


def refusal(error: Exception) -> RulesRefused:
    """What one of `REFUSED` says of the form."""
    match error:
        case FaultyRules():
            return RulesRefused(error.faults)
        case InvalidRequest():
            return RulesRefused(faults_of(error.fields))
        case InvalidValue():
            return RulesRefused(faults_of([FieldError(error.field, "{reason}", {"reason": error.message})]))
        case Conflict():
            return RulesRefused(error=error)
    raise error


def faults_of(errors: Iterable[FieldError]) -> RuleFaults:
    """Findings of the service by the rule that they are about, in the order of the form."""
    faults: dict[str, list[RuleFault]] = {}
    for found in errors:
        name, _, place = found.field.partition(".")
        faults.setdefault(name, []).append(RuleFault(place, error=_as_shown(FIELDS.get(name), found)))
    in_order = dict.fromkeys([*(name for name in FIELDS if name in faults), *faults])
    return {name: tuple(faults[name]) for name in in_order}


def _as_shown(item: RuleField | None, found: FieldError) -> FieldError:
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


def _said_place(item: RuleField, place: str, language: Language) -> str:
    """Where within a rule something is wrong, in words."""

    def say(text: str) -> str:
        return said(text, language)

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
