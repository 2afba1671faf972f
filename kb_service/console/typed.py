"""What somebody typed into a form, and what was wrong with it beside each field; nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TypeVar

from fastapi import Request
from pydantic import ValidationError

from ingest.errors import IngestError, InvalidDocument
from kb_service.console.rendering import language_of, said
from kb_service.errors import FieldError, InvalidRequest, ServiceError, changed_meanwhile, not_whole
from kb_service.ids import digest_id
from kb_service.messages import Language
from kb_service.problem_details import invalid
from kb_service.wire.base import calculable

Made = TypeVar("Made")
LONGEST_ID = 100
_BETWEEN = re.compile(r"[,，、;；\n]")


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of a form as texts, each with all of its values; `faults` says by field what was wrong."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """One line or text without blanks around it; empty where nothing was typed."""
        return next(iter(self.fields.get(name, ())), "").strip()

    def some(self, name: str) -> str | None:
        return self.text(name) or None

    def whole(self, name: str) -> int | str:
        """A whole number; what is none stays as it was typed, for the wire's shape to refuse."""
        text = self.text(name)
        return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text

    def all(self, name: str) -> tuple[str, ...]:
        """What was chosen among several."""
        return self.fields.get(name, ())

    def lines(self, name: str) -> list[str]:
        """The lines that say something."""
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]

    def words(self, name: str) -> list[str]:
        """What stands between commas, of either script, and lines."""
        return words_of(self.text(name))

    def faulty(self, error: InvalidRequest, language: Language) -> Typed:
        """The same with what an error says of its fields."""
        return replace(self, faults=faults_of(error.fields, language) or {"": error.detail(language)})


def words_of(text: str) -> list[str]:
    """What stands between commas and semicolons, of either script, and lines."""
    return [part.strip() for part in _BETWEEN.split(text) if part.strip()]


async def typed(request: Request) -> Typed:
    """The form that was sent. Files are no part of it."""
    form = await request.form()
    return Typed({name: tuple(str(value) for value in form.getlist(name)) for name in form})


def checked(make: Callable[[], Made]) -> Made:
    """What a wire's shape makes of fields. Raises InvalidRequest that names those at fault."""
    try:
        return make()
    except ValidationError as error:
        raise invalid(error.errors()) from None


def bounded(field: str, moment: datetime) -> datetime:
    """A moment of a form as the wire would take it too. Raises InvalidRequest for one that is too far away."""
    if not calculable(moment):
        raise InvalidRequest.of(field, "must lie between the years 1970 and 2200")
    return moment


def new_id(text: str) -> str:
    """An id that somebody chose for something new; it goes into addresses. Raises InvalidRequest for what cannot."""
    if not text or len(text) > LONGEST_ID or set(text) & set("/?#% "):
        raise InvalidRequest.of("id", "must be 1 to 100 characters without blanks and / ? # %")
    return text


def midnight(field: str, text: str, zone: tzinfo, *, days: int = 0) -> datetime:
    """When a day of a form, or some days after it, begins on the shop's clocks. Raises InvalidRequest for no date."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except OverflowError:
        raise InvalidRequest.of(field, "must lie between the years 1970 and 2200") from None
    except ValueError:
        raise InvalidRequest.of(field, "must be a date with its year, such as 2026-11-11") from None
    return bounded(field, datetime.combine(day, time(), zone))


def fields_at_fault(error: Exception) -> tuple[str, ...]:
    """The fields that an error of a document is about, as the document calls them; none for one that is about none."""
    names: list[str] = []
    if isinstance(error, InvalidDocument):
        names = [error.field]
    elif isinstance(error, ServiceError):
        names = [item.field for item in error.fields]
    elif isinstance(error, IngestError):
        names = ["text"]
    return tuple(name.partition("(")[0].strip() for name in names)


def faults_of(fields: Sequence[FieldError], language: Language) -> dict[str, str]:
    """What was wrong by field; of a list's entry with its place, counted from 1."""
    found: dict[str, list[str]] = {}
    for item in fields:
        parts = item.field.split(".")
        names = [part for part in parts if not part.isdigit()]
        places = [int(part) + 1 for part in parts if part.isdigit()]
        message = item.message(language)
        if places:
            message = said("Entry {number}: {message}", language, number=places[-1], message=message)
        found.setdefault(names[-1] if names else "", []).append(message)
    return {name: " ".join(dict.fromkeys(messages)) for name, messages in found.items()}


def refused(request: Request, form: Typed, error: InvalidRequest) -> Typed:
    """The form as it is shown again to who sent it."""
    return form.faulty(error, language_of(request))


STAMP = "stamp"
"""The field of a form that tells what stood when it was made."""


def stamped(held: Typed) -> Typed:
    """The fields of something that is there, with the stamp by which a later change of it is seen."""
    return replace(held, fields={**held.fields, STAMP: (_digest(held),)})


def outdated(form: Typed, held: Typed) -> bool:
    """Whether a form was made of something else than what stands now. Raises InvalidRequest for one that does not
    tell."""
    if not form.text(STAMP):
        raise not_whole()
    return form.text(STAMP) != _digest(held)


def overtaken(request: Request, form: Typed) -> Typed:
    """The form as it is shown again to somebody who would have saved over another's work."""
    return replace(form, faults={"": changed_meanwhile().detail(language_of(request))})


def _digest(held: Typed) -> str:
    fields = sorted((name, values) for name, values in held.fields.items() if name != STAMP)
    return digest_id("form", repr(fields))
